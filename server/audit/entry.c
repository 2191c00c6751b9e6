/* SPDX-License-Identifier: MIT */
/* Entries of the audit log, and what becomes of them where the disk takes none. */
#include "audit_internal.h"

#include <praxis/service.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TRY_MS 1000

static void note_loss(struct px_audit *audit, int rc)
{
	bool refuse = audit->settings.on_full == PX_AUDIT_REFUSE;
	audit->stats.lost++;
	audit->stats.failing = true;
	px_audit_gap(audit, PX_AUDIT_GAP_UNWRITTEN, 1, 0);
	if (px_audit_may_tell(audit, &audit->loss_told_ms)) {
		audit->complained = true;
		px_audit_say(audit, PX_LOG_ERROR,
				"cannot be written: %s; %llu entries lost since the start; acts %s",
				strerror(-rc), (unsigned long long)audit->stats.lost,
				refuse ? "are refused" : "continue unrecorded");
	}
}

static void note_success(struct px_audit *audit)
{
	audit->stats.failing = false;
	if (audit->complained) {
		audit->complained = false;
		px_audit_say(audit, PX_LOG_WARNING,
				"can be written again; %llu entries lost since the start",
				(unsigned long long)audit->stats.lost);
	}
}

static int put(struct px_audit *audit, const struct px_audit_entry *entry, bool wait)
{
	if (!audit) {
		return 0;
	}
	int rc = px_audit_look(audit);
	rc = rc < 0 ? rc : px_audit_write_due(audit);
	rc = rc < 0 ? rc : px_audit_write_entry(audit, entry, wait);
	if (rc < 0) {
		note_loss(audit, rc);
	} else {
		note_success(audit);
	}
	return rc;
}

int px_audit_write(struct px_audit *audit, const struct px_audit_entry *entry)
{
	return put(audit, entry, true);
}

int px_audit_note(struct px_audit *audit, const struct px_audit_entry *entry)
{
	return put(audit, entry, false);
}

int px_audit_permit(struct px_audit *audit, const struct px_audit_entry *entry)
{
	int rc = px_audit_write(audit, entry);
	return rc < 0 && audit->settings.on_full == PX_AUDIT_CONTINUE ? 0 : rc;
}

/* While everybody is refused, nobody would trigger another attempt. */
static void try_again(struct px_audit *audit)
{
	int64_t now_ms = px_audit_now(audit);
	if (now_ms >= audit->tried_ms && now_ms - audit->tried_ms < TRY_MS) {
		return;
	}
	audit->tried_ms = now_ms;
	int rc = px_audit_look(audit);
	rc = rc < 0 ? rc : px_audit_write_due(audit);
	if (rc == 0) {
		note_success(audit);
	}
}

/* Ignores quotas; some file systems report nothing. */
static bool has_room(const struct px_audit *audit)
{
	struct statvfs status;
	if (audit->file.fd < 0 || fstatvfs(audit->file.fd, &status) < 0 || status.f_blocks == 0) {
		return true;
	}
	return (geteuid() == 0 ? status.f_bfree : status.f_bavail) > 0;
}

bool px_audit_takes(struct px_audit *audit)
{
	if (!audit || audit->settings.on_full == PX_AUDIT_CONTINUE) {
		return true;
	}
	if (audit->stats.failing) {
		try_again(audit);
	}
	return !audit->stats.failing && has_room(audit);
}
