/* SPDX-License-Identifier: MIT */
/*
 * Refusals in the audit log. Anybody who reaches a port can be refused at any rate, and must
 * neither fill the disk nor push older entries out of a rotated log. So a limited number per second
 * is recorded individually; further ones are counted by who and why, and at the end of the second
 * each kind is a line with its `count`. The same applies to sessions that never authenticate, if an
 * address has more of them than its rate of acts.
 *
 * Rejected: leaving out repetitions from the first one on. It saves nothing in normal operation,
 * and a reader wants to see the time of the tenth attempt.
 */
#include "audit_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One kind, and its number beyond those that were written. */
struct px_audit_refusal {
	struct px_audit_entry entry; /* its texts are stored in the block */
	char *block;
};

static struct px_span keep(char **at, struct px_span text)
{
	struct px_span kept = { *at, text.len };
	if (text.len > 0) {
		memcpy(*at, text.data, text.len);
	}
	*at += text.len;
	return kept;
}

static bool is_alike(const struct px_audit_entry *a, const struct px_audit_entry *b)
{
	return strcmp(a->event, b->event) == 0 && px_span_equal(a->address, b->address) &&
			px_span_equal(a->client, b->client) &&
			px_span_equal(a->reason, b->reason) && px_span_equal(a->vhost, b->vhost) &&
			px_span_equal(a->user.text, b->user.text) &&
			px_span_equal(a->tenant, b->tenant);
}

static int add_kind(struct px_audit_refusals *refusals, const struct px_audit_entry *entry)
{
	struct px_audit_refusal *refusal = &refusals->list[refusals->kinds];
	char *at = malloc(entry->user.text.len + entry->address.len + entry->client.len +
			entry->vhost.len + entry->tenant.len + entry->reason.len + 1);
	if (!at) {
		return -ENOMEM;
	}
	refusal->block = at;
	refusal->entry = (struct px_audit_entry){
		.event = entry->event,
		.role = entry->role,
		.user = { keep(&at, entry->user.text), entry->user.number },
		.count = 1,
	};
	refusal->entry.address = keep(&at, entry->address);
	refusal->entry.client = keep(&at, entry->client);
	refusal->entry.vhost = keep(&at, entry->vhost);
	refusal->entry.tenant = keep(&at, entry->tenant);
	refusal->entry.reason = keep(&at, entry->reason);
	refusals->kinds++;
	return 0;
}

/* The number of kinds is limited even if the number of lines is not. */
#define KINDS_MAX 100

static int count(struct px_audit_refusals *refusals, const struct px_audit_entry *entry,
		uint32_t most)
{
	for (uint32_t i = 0; i < refusals->kinds; i++) {
		if (is_alike(&refusals->list[i].entry, entry)) {
			refusals->list[i].entry.count++;
			return 0;
		}
	}
	if (!refusals->list) {
		uint32_t size = most > 0 ? most : KINDS_MAX;
		refusals->list = calloc(size, sizeof(*refusals->list));
		refusals->size = refusals->list ? size : 0;
	}
	if (refusals->kinds == refusals->size) {
		return -ENOSPC;
	}
	return add_kind(refusals, entry);
}

static void count_other(struct px_audit_refusals *refusals, const char *event)
{
	unsigned i = 0;
	while (i < PX_AUDIT_COUNTED_EVENTS - 1 && refusals->others[i].event &&
			strcmp(refusals->others[i].event, event) != 0) {
		i++;
	}
	refusals->others[i].event = event;
	refusals->others[i].count++;
}

void px_audit_settle(struct px_audit *audit)
{
	if (!audit) {
		return;
	}
	struct px_audit_refusals *refusals = &audit->refusals;
	for (uint32_t i = 0; i < refusals->kinds; i++) {
		(void)px_audit_note(audit, &refusals->list[i].entry);
		free(refusals->list[i].block);
	}
	for (unsigned i = 0; i < PX_AUDIT_COUNTED_EVENTS && refusals->others[i].event; i++) {
		(void)px_audit_note(audit, &(struct px_audit_entry){
			.event = refusals->others[i].event,
			.reason = px_span("others"),
			.count = refusals->others[i].count,
		});
	}
	free(refusals->list);
	*refusals = (struct px_audit_refusals){
		.second = refusals->second,
		.written = refusals->written,
	};
}

static void begin_second(struct px_audit *audit)
{
	struct px_audit_refusals *refusals = &audit->refusals;
	int64_t second = px_audit_now(audit) / 1000;
	if (second != refusals->second) {
		px_audit_settle(audit);
		refusals->second = second;
		refusals->written = 0;
	}
}

bool px_audit_refused(struct px_audit *audit, const struct px_audit_entry *entry)
{
	if (!audit) {
		return false;
	}
	uint32_t most = audit->settings.refusals_per_s;
	begin_second(audit);
	if (most == 0 || audit->refusals.written < most) {
		audit->refusals.written++;
		(void)px_audit_note(audit, entry);
		return false;
	}
	return px_audit_count(audit, entry);
}

bool px_audit_count(struct px_audit *audit, const struct px_audit_entry *entry)
{
	if (!audit) {
		return false;
	}
	begin_second(audit);
	audit->stats.counted++;
	if (count(&audit->refusals, entry, audit->settings.refusals_per_s) < 0) {
		count_other(&audit->refusals, entry->event);
	}
	return true;
}
