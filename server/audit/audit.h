/* SPDX-License-Identifier: MIT */
/*
 * The audit log: who did what, where and when, in a file of JSON lines, each with the hash of the
 * previous one (docs/audit.md). Never a payload, a token or a name; an entry can only contain what
 * it has fields for.
 *
 * A line is written before px_audit_write() returns: there is no queue that could overflow or be
 * lost. Writing goes to the page cache and takes microseconds; with `sync` it goes to the disk, so
 * that is configurable. Rejected: a thread: an act that waits for its line would have to be
 * suspended and resumed in every handler, and the order of lines would be arbitrary.
 *
 * Used on the service thread only.
 */
#ifndef PX_AUDIT_H
#define PX_AUDIT_H

#include <praxis/types.h>

struct px_audit;

enum px_audit_sync {
	PX_AUDIT_SYNC_NONE, /* the kernel writes it later: a power failure loses some lines */
	PX_AUDIT_SYNC_LINE, /* on disk before the act is confirmed */
};

/* What happens to acts while the audit log cannot be written. */
enum px_audit_on_full {
	PX_AUDIT_REFUSE,
	PX_AUDIT_CONTINUE,
};

struct px_audit_settings {
	const char *path; /* PATH.head is kept beside it; copied */
	enum px_audit_sync sync;
	enum px_audit_on_full on_full;
	struct px_span key;  /* empty: SHA-256; otherwise HMAC-SHA-256. Copied */
	uint32_t refusals_per_s; /* recorded individually; further ones are counted. 0: no limit */
	uint64_t head_every; /* lines after which the head is logged; 0: only at start and end */

	/* Levels are PX_LOG_… of praxis/service.h. The line is valid during the call. */
	void (*log)(void *user, int level, const char *line);
	int64_t (*wall_ms)(void *user); /* ms since 1970; NULL: the machine's clock */
	void *user;
};

/*
 * One act. Fields that are empty, NULL or 0 are omitted from the line. If a text is not UTF-8
 * without control characters, each byte that is not ASCII becomes '?'; texts are truncated to 256
 * bytes.
 */
struct px_audit_entry {
	const char *event; /* docs/audit.md lists them; [a-z_]+ */

	/* who */
	struct px_id user;
	enum px_role role;
	struct px_span address;
	struct px_span client;

	/* where */
	struct px_span vhost;
	struct px_span tenant;
	struct px_id practice;
	struct px_span service;
	struct px_span room;

	/* what, if the event does not say it all */
	struct px_span target; /* its target: a clientId, or the name of a service */
	struct px_span reason; /* a word from the program: "bad_token", "rate_limited" */
	uint64_t count;        /* for refusals: how many more of these there were */
};

struct px_audit_stats {
	uint64_t seq;     /* number of the last line, since the log began */
	uint64_t lines;   /* written by this process */
	uint64_t lost;    /* entries that this process could not write */
	uint64_t counted; /* refusals without a line of their own */
	uint64_t files;   /* opened by this process: 1, and one more for each rotation */
	bool failing;     /* the last entry could not be written */
};

/*
 * Opens the audit log and continues its chain. The reason of a failure is logged: -EBUSY (another
 * process writes it), -EBADMSG (its end was changed, and on_full is PX_AUDIT_REFUSE; with
 * PX_AUDIT_CONTINUE it is moved aside to PATH.broken-<time>), -EPROTO (another format or key),
 * -errno of opening, and of writing with PX_AUDIT_REFUSE.
 */
int px_audit_create(const struct px_audit_settings *settings, struct px_audit **ret_audit);

/* Logs the head and closes the audit log. NULL is permitted. */
void px_audit_destroy(struct px_audit *audit);

/*
 * Writes a line, and with PX_AUDIT_SYNC_LINE waits for the disk. -errno: it was not written; this
 * is counted, and recorded by a trail_gap when writing works again. NULL (no audit log): 0.
 */
int px_audit_write(struct px_audit *audit, const struct px_audit_entry *entry);

/*
 * The same for acts that can still be refused. 0: permitted (written, or the policy is to continue
 * without); -errno: not permitted.
 */
int px_audit_permit(struct px_audit *audit, const struct px_audit_entry *entry);

/*
 * The same for events without a confirmation (refused, left, disconnected): never waits for the
 * disk, so that strangers who are refused cannot make the loop wait. The line is on disk with the
 * next one that is waited for.
 */
int px_audit_note(struct px_audit *audit, const struct px_audit_entry *entry);

/*
 * The same for refusals, which strangers can cause: a limited number per second is written, the
 * others are counted. True: some were counted, and px_audit_settle() must be called when the second
 * is over.
 */
bool px_audit_refused(struct px_audit *audit, const struct px_audit_entry *entry);

/* The same, always counted. */
bool px_audit_count(struct px_audit *audit, const struct px_audit_entry *entry);

/* Writes the counts. */
void px_audit_settle(struct px_audit *audit);

/*
 * Continues in a new file at the path if the old one was moved away (SIGHUP, logrotate). -errno:
 * still writing to the old one. Rotation is detected without this call, too, within a second of the
 * next write.
 */
int px_audit_reopen(struct px_audit *audit);

/*
 * Whether acts that must be recorded are possible. If the last entry could not be written, tries
 * again once per second; otherwise checks whether the file system has room. True for NULL, and with
 * PX_AUDIT_CONTINUE.
 */
bool px_audit_takes(struct px_audit *audit);

/* Applies `sync`, `on_full`, `refusals_per_s` and `head_every`; everything else is unchanged. */
void px_audit_configure(struct px_audit *audit, const struct px_audit_settings *settings);

/* All zeros for NULL. */
void px_audit_stats(const struct px_audit *audit, struct px_audit_stats *ret_stats);

#endif
