/* SPDX-License-Identifier: MIT */
/* The audit log from its opening to its end: see audit.h, and audit_internal.h for its parts. */
#include "audit.h"

#include "audit_internal.h"

#include <errno.h>
#include <praxis/service.h>
#include <stdlib.h>
#include <string.h>

void px_audit_configure(struct px_audit *audit, const struct px_audit_settings *settings)
{
	audit->settings.sync = settings->sync;
	audit->settings.on_full = settings->on_full;
	audit->settings.refusals_per_s = settings->refusals_per_s;
	audit->settings.head_every = settings->head_every;
}

void px_audit_stats(const struct px_audit *audit, struct px_audit_stats *ret_stats)
{
	*ret_stats = audit ? audit->stats : (struct px_audit_stats){ 0 };
	ret_stats->seq = audit ? audit->position.seq : 0;
}

int px_audit_create(const struct px_audit_settings *settings, struct px_audit **ret_audit)
{
	struct px_audit *audit = calloc(1, sizeof(*audit));
	if (!audit) {
		return -ENOMEM;
	}
	audit->settings = *settings;
	audit->settings.path = NULL;
	audit->settings.key = (struct px_span){ 0 };
	audit->file.fd = -1;
	audit->head.fd = -1;
	audit->path = strdup(settings->path);
	int rc = audit->path ? px_audit_hasher_create(settings->key, &audit->hasher) : -ENOMEM;
	rc = rc < 0 ? rc : px_audit_open(audit);
	if (rc < 0) {
		/* It never ran, so there is no head to report. */
		px_audit_file_close(&audit->file);
		px_audit_destroy(audit);
		return rc;
	}
	*ret_audit = audit;
	return 0;
}

void px_audit_destroy(struct px_audit *audit)
{
	if (!audit) {
		return;
	}
	px_audit_settle(audit);
	if (audit->file.fd >= 0) {
		px_audit_say(audit, PX_LOG_NOTICE, "ends at line %llu, head %s",
				(unsigned long long)audit->position.seq, audit->position.hash);
	}
	px_audit_file_close(&audit->file);
	px_audit_head_close(&audit->head);
	px_audit_hasher_destroy(audit->hasher);
	free(audit->path);
	free(audit);
}
