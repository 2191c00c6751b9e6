/* SPDX-License-Identifier: MIT */
/*
 * The inside of the audit log, for the files that it is made of, each of which calls only those
 * before it: line.c writes lines, open.c sees to it that there is a file to write them to, entry.c
 * takes entries, refusals.c sees to it that there are not too many, audit.c begins and ends it all.
 */
#ifndef PX_AUDIT_INTERNAL_H
#define PX_AUDIT_INTERNAL_H

#include "audit.h"

#include "common/audit_chain.h"
#include "file.h"
#include "head.h"

/* Why lines are missing; each is recorded by a trail_gap. */
enum px_audit_gap {
	PX_AUDIT_GAP_BROKEN,    /* the previous file was moved aside */
	PX_AUDIT_GAP_MISSING,   /* lines that had been written were missing at start */
	PX_AUDIT_GAP_TORN,      /* an incomplete line was truncated at start */
	PX_AUDIT_GAP_UNWRITTEN, /* they could not be written */
	PX_AUDIT_GAP_COUNT,
};

struct px_audit_refusal;

/* Refused, connected, disconnected. */
#define PX_AUDIT_COUNTED_EVENTS 3

/* Refusals of one second; see refusals.c. */
struct px_audit_refusals {
	int64_t second;
	uint32_t written;
	struct px_audit_refusal *list; /* kinds of refusals that were only counted */
	uint32_t kinds;
	uint32_t size;
	struct {
		const char *event; /* NULL: there are none */
		uint64_t count;
	} others[PX_AUDIT_COUNTED_EVENTS]; /* for which there was no place in the list */
};

struct px_audit {
	struct px_audit_settings settings; /* without the key */
	char *path;
	struct px_audit_hasher *hasher;
	struct px_audit_head head;
	struct px_audit_file file;
	struct px_audit_position position; /* of the last line */
	struct {
		bool due;
		uint64_t lost;
		uint64_t bytes;
	} gaps[PX_AUDIT_GAP_COUNT];
	struct px_audit_refusals refusals;
	struct px_audit_stats stats;
	bool complained;          /* a loss was logged, and its end was not yet */
	bool head_behind;         /* it could not be overwritten; logged once */
	int64_t checked_ms;       /* when the path was last checked */
	int64_t loss_told_ms;     /* 0: never */
	int64_t tried_ms;         /* by px_audit_takes() */
	int64_t trouble_told_ms;
};

int64_t px_audit_now(const struct px_audit *audit);

/* Logs a line that begins with the path. */
void px_audit_say(const struct px_audit *audit, int level, const char *format, ...) PX_PRINTF(3, 4);

/*
 * Whether *told_ms is at least 10 s ago; then sets it to now. For errors that recur with every
 * line.
 */
bool px_audit_may_tell(const struct px_audit *audit, int64_t *told_ms);

void px_audit_gap(struct px_audit *audit, enum px_audit_gap gap, uint64_t lost, uint64_t bytes);

/* `wait`: until it is on the disk, if the settings say so. 0, or -errno and nothing is written. */
int px_audit_write_entry(struct px_audit *audit, const struct px_audit_entry *entry, bool wait);

/* Writes what must precede the next entry: a file's first line, and gaps. */
int px_audit_write_due(struct px_audit *audit);

/* Opens file and head, and finds the end of the chain. As px_audit_create(). */
int px_audit_open(struct px_audit *audit);

/*
 * Checks that the file is still at the path, and unchanged. -errno: there is no file to write to.
 */
int px_audit_look(struct px_audit *audit);

#endif
