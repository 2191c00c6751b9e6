/* SPDX-License-Identifier: MIT */
/*
 * The audit log: who did what, where and when, in a file of JSON lines of its own, each with
 * the hash of the one before (docs/audit.md). Never a payload, a token or a name; what an
 * entry can hold is what it has fields for.
 *
 * A line is written before px_audit_write() returns: there is no queue that could overflow or
 * be lost. That is write(2) into the page cache, some microseconds; with `sync` it is the disk,
 * which is why that is a choice of the configuration's. A thread was rejected: an act that
 * waits for its line has to be suspended and resumed in every handler, and the order of
 * lines becomes a matter of luck.
 *
 * All of it belongs to the service thread.
 */
#ifndef PX_AUDIT_H
#define PX_AUDIT_H

#include <praxis/types.h>

struct px_audit;

enum px_audit_sync {
	PX_AUDIT_SYNC_NONE, /* the kernel writes it when it likes: a power cut loses some */
	PX_AUDIT_SYNC_LINE, /* on the disk before the act is confirmed */
};

/* What happens to acts while the trail cannot be written. */
enum px_audit_on_full {
	PX_AUDIT_REFUSE,
	PX_AUDIT_CONTINUE,
};

struct px_audit_settings {
	const char *path; /* beside it PATH.head is kept; copied */
	enum px_audit_sync sync;
	enum px_audit_on_full on_full;
	struct px_span key;  /* empty: SHA-256; else HMAC-SHA-256. Copied */
	uint32_t refusals_per_s; /* lines of refusals; those beyond are counted. 0: without a bound */
	uint64_t head_every; /* lines after which the head is logged; 0: at start and end alone */

	/* Levels are PX_LOG_… of praxis/service.h. The line lives until it returns. */
	void (*log)(void *user, int level, const char *line);
	int64_t (*wall_ms)(void *user); /* since 1970; NULL: the machine's clock */
	void *user;
};

/*
 * One act. What is empty, NULL or 0 is left out of the line. Texts that are not UTF-8 without
 * control characters get a '?' for each byte that is not ASCII, and longer than 256 bytes they
 * are cut off.
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

	/* what, where the event does not say it all */
	struct px_span target; /* whom it was done to: a clientId, or the name of a service */
	struct px_span reason; /* a word of ours: "bad_token", "rate_limited" */
	uint64_t count;        /* of refusals: how many more there were of these */
};

struct px_audit_stats {
	uint64_t seq;     /* number of the last line, over the whole life of the trail */
	uint64_t lines;   /* written by this process */
	uint64_t lost;    /* entries that this process could not write */
	uint64_t counted; /* refusals that have no line of their own */
	uint64_t files;   /* opened by this process: 1, and one more with each rotation */
	bool failing;     /* the last entry could not be written */
};

/*
 * Opens the trail and continues its chain. Why it fails has been logged then: -EBUSY (another
 * process writes it), -EBADMSG (its end was changed, and on_full is PX_AUDIT_REFUSE; with
 * PX_AUDIT_CONTINUE it is moved aside to PATH.broken-<time>), -EPROTO (another format or key),
 * -errno of opening; and of writing, with PX_AUDIT_REFUSE.
 */
int px_audit_create(const struct px_audit_settings *settings, struct px_audit **ret_audit);

/* Logs the head and closes the trail. Takes NULL. */
void px_audit_destroy(struct px_audit *audit);

/*
 * Writes a line, and with PX_AUDIT_SYNC_LINE waits for the disk. -errno: it is not in the
 * trail; counted, and told by a trail_gap once there is a way. NULL, which is a server without a
 * trail, is 0.
 */
int px_audit_write(struct px_audit *audit, const struct px_audit_entry *entry);

/*
 * The same for acts that can still be refused: 0, it may be done (written, or policy is to go
 * on without); -errno, it must not.
 */
int px_audit_permit(struct px_audit *audit, const struct px_audit_entry *entry);

/*
 * The same for what is confirmed to nobody (refused, left, disconnected): does not wait for the
 * disk in any case, so that strangers who are refused cannot make the loop wait for it. The
 * line is on the disk with the next one that is waited for.
 */
int px_audit_note(struct px_audit *audit, const struct px_audit_entry *entry);

/*
 * The same for refusals, which strangers can cause at will: of one second so many are written
 * as they come, the others counted. True: there are such, and px_audit_settle() is to be
 * called when the second is over.
 */
bool px_audit_refused(struct px_audit *audit, const struct px_audit_entry *entry);

/* The same of what is counted in any case, whatever there was of it in this second. */
bool px_audit_count(struct px_audit *audit, const struct px_audit_entry *entry);

/* Writes what was counted. */
void px_audit_settle(struct px_audit *audit);

/*
 * The file was moved away (SIGHUP, logrotate): goes on in a new one at the path. -errno: the
 * old one is kept. It is noticed without this call, too, within a second of the next write.
 */
int px_audit_reopen(struct px_audit *audit);

/*
 * Whether acts that have to be in the trail can be done. Where the last entry could not be written
 * it tries to, once a second; else it looks whether the file system has room. True for NULL, and
 * with PX_AUDIT_CONTINUE.
 */
bool px_audit_takes(struct px_audit *audit);

/*
 * Takes up `sync`, `on_full`, `refusals_per_s` and `head_every`; all else stays as it was created.
 */
void px_audit_configure(struct px_audit *audit, const struct px_audit_settings *settings);

/* All zeros for NULL. */
void px_audit_stats(const struct px_audit *audit, struct px_audit_stats *ret_stats);

#endif
