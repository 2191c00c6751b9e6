/* SPDX-License-Identifier: MIT */
/*
 * The file of the audit log over time: found at start, followed when it is moved away. Rotation is
 * left to logrotate and similar programs, which know how long a practice must keep its files, and
 * where; the chain does not depend on which file a line is in.
 */
#include "audit_internal.h"
#include "resume.h"

#include <errno.h>
#include <limits.h>
#include <praxis/service.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_EVERY_MS 1000

static bool syncs(const struct px_audit *audit)
{
	return audit->settings.sync == PX_AUDIT_SYNC_LINE;
}

static const char *open_error(int rc)
{
	switch (rc) {
	case -EBUSY:
		return "another process writes it";
	case -EINVAL:
		return "not a regular file";
	default:
		return strerror(-rc);
	}
}

/* Damaged files are kept, under a name with the time of discovery. */
static int set_aside(struct px_audit *audit, const char *why)
{
	char aside[PATH_MAX];
	char date[32];
	time_t seconds = (time_t)(px_audit_now(audit) / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	if ((size_t)snprintf(aside, sizeof(aside), "%s.broken-%s", audit->path, date) >=
			sizeof(aside)) {
		return -ENAMETOOLONG;
	}
	px_audit_file_close(&audit->file);
	if (rename(audit->path, aside) < 0) {
		return -errno;
	}
	px_audit_say(audit, PX_LOG_ERROR, "%s; moved to %s, continuing in a new file", why, aside);
	px_audit_gap(audit, PX_AUDIT_GAP_BROKEN, 0, 0);
	audit->position = audit->head.position;
	return px_audit_file_open(&audit->file, audit->path, syncs(audit));
}

static void take_up(struct px_audit *audit, const struct px_audit_resumption *found)
{
	audit->position = found->position;
	if (found->cut > 0) {
		px_audit_say(audit, PX_LOG_ERROR, "truncated an incomplete line of %llu bytes at its end",
				(unsigned long long)found->cut);
		px_audit_gap(audit, PX_AUDIT_GAP_TORN, found->missing > 0 ? found->missing : 1,
				found->cut);
	} else if (found->missing > 0) {
		px_audit_say(audit, PX_LOG_ERROR, "%llu lines are missing at its end",
				(unsigned long long)found->missing);
		px_audit_gap(audit, PX_AUDIT_GAP_MISSING, found->missing, 0);
	}
	if (audit->head.state == PX_AUDIT_HEAD_DAMAGED) {
		px_audit_say(audit, PX_LOG_WARNING, "its .head is damaged; replacing it");
	} else if (found->newer) {
		px_audit_say(audit, PX_LOG_WARNING, "its .head was %s; replacing it",
				audit->head.state == PX_AUDIT_HEAD_KNOWN ? "behind" : "gone");
	}
}

static int resume(struct px_audit *audit)
{
	struct px_audit_resumption found;
	const char *why = NULL;
	int rc = px_audit_resume(&audit->file, audit->hasher, &audit->head, &found, &why);
	if (rc == 0) {
		take_up(audit, &found);
		return 0;
	}
	if (rc == -EBADMSG && audit->settings.on_full == PX_AUDIT_CONTINUE) {
		rc = set_aside(audit, why);
		why = NULL;
	}
	if (rc < 0) {
		px_audit_say(audit, PX_LOG_ERROR, "cannot be continued: %s",
				why ? why : strerror(-rc));
	}
	return rc;
}

static int open_both(struct px_audit *audit)
{
	/* The head first: whoever writes at this path holds its lock. */
	int rc = px_audit_head_open(&audit->head, audit->path);
	rc = rc < 0 ? rc : px_audit_file_open(&audit->file, audit->path, syncs(audit));
	if (rc < 0) {
		px_audit_say(audit, PX_LOG_ERROR, "cannot be opened: %s", open_error(rc));
	}
	return rc;
}

int px_audit_open(struct px_audit *audit)
{
	int rc = open_both(audit);
	rc = rc < 0 ? rc : resume(audit);
	if (rc < 0) {
		return rc;
	}
	audit->stats.files = 1;
	audit->checked_ms = px_audit_now(audit);
	px_audit_say(audit, PX_LOG_NOTICE, "%s after line %llu, head %s; %s%s",
			audit->position.seq > 0 ? "goes on" : "begins",
			(unsigned long long)audit->position.seq, audit->position.hash,
			px_audit_hasher_algorithm(audit->hasher),
			syncs(audit) ? ", each line is on disk before its act takes effect" : "");
	rc = px_audit_write_due(audit);
	if (rc < 0) {
		bool refuse = audit->settings.on_full == PX_AUDIT_REFUSE;
		px_audit_say(audit, PX_LOG_ERROR, "cannot be written: %s%s", strerror(-rc),
				refuse ? "" : "; starting without");
		return refuse ? rc : 0;
	}
	return 0;
}

/* Opens the file that is at the path now, which is empty, or ends where this one ended. */
static int open_next(struct px_audit *audit, struct px_audit_file *ret_file, const char **ret_why)
{
	struct px_audit_head here = {
		.fd = -1,
		.state = PX_AUDIT_HEAD_KNOWN,
		.position = audit->position,
	};
	struct px_audit_resumption found = { 0 };
	struct px_audit_file file;
	int rc = px_audit_file_open(&file, audit->path, syncs(audit));
	if (rc < 0) {
		*ret_why = open_error(rc);
		return rc;
	}
	rc = px_audit_resume(&file, audit->hasher, &here, &found, ret_why);
	if (rc == 0 && (found.cut > 0 || found.missing > 0 || found.newer)) {
		*ret_why = "it does not end where this audit log ended";
		rc = -EBADMSG;
	}
	if (rc < 0) {
		*ret_why = *ret_why ? *ret_why : strerror(-rc);
		px_audit_file_close(&file);
		return rc;
	}
	*ret_file = file;
	return 0;
}

static int follow(struct px_audit *audit, bool deleted)
{
	struct px_audit_file file;
	const char *why = NULL;
	int rc = open_next(audit, &file, &why);
	if (rc < 0) {
		if (px_audit_may_tell(audit, &audit->trouble_told_ms)) {
			px_audit_say(audit, PX_LOG_ERROR,
					"cannot continue in the new file: %s%s", why,
					deleted ? "" : "; still writing to the old file");
		}
		return rc;
	}
	px_audit_file_close(&audit->file);
	audit->file = file;
	audit->stats.files++;
	px_audit_say(audit, deleted ? PX_LOG_ERROR : PX_LOG_NOTICE,
			"the file was %s; continuing in a new one after line %llu, head %s",
			deleted ? "deleted" : "moved away",
			(unsigned long long)audit->position.seq, audit->position.hash);
	return 0;
}

/* At most once a second, since it resolves a path. */
static bool is_moved(struct px_audit *audit)
{
	int64_t now = px_audit_now(audit);
	if (now >= audit->checked_ms && now - audit->checked_ms < LOOK_EVERY_MS) {
		return false;
	}
	audit->checked_ms = now;
	return px_audit_file_is_moved(&audit->file, audit->path);
}

int px_audit_look(struct px_audit *audit)
{
	enum px_audit_file_change change;
	int rc = px_audit_file_check(&audit->file, &change);
	if (rc < 0) {
		return rc;
	}
	if (change == PX_AUDIT_FILE_DELETED) {
		return follow(audit, true);
	}
	if (change != PX_AUDIT_FILE_SAME && px_audit_may_tell(audit, &audit->trouble_told_ms)) {
		px_audit_say(audit, PX_LOG_ERROR, "another process %s it after line %llu",
				change == PX_AUDIT_FILE_EMPTIED ? "emptied" : "wrote to",
				(unsigned long long)audit->position.seq);
	}
	if (is_moved(audit)) {
		(void)follow(audit, false); /* reported; and the old file still has a name */
	}
	return 0;
}

int px_audit_reopen(struct px_audit *audit)
{
	enum px_audit_file_change change;
	if (!audit || !px_audit_file_is_moved(&audit->file, audit->path)) {
		return 0;
	}
	int rc = px_audit_file_check(&audit->file, &change);
	rc = rc < 0 ? rc : follow(audit, change == PX_AUDIT_FILE_DELETED);
	if (rc == 0) {
		/* Writes its first line at once, so that an empty file does not look like a lost one. */
		(void)px_audit_write_due(audit);
	}
	return rc;
}
