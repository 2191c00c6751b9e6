/* SPDX-License-Identifier: MIT */
/*
 * Counters by key: open connections of an address or a user, their rate, the cost of their
 * requests, guessed tokens. An entry is remembered while something is open, or until failures and
 * rates have expired.
 *
 * The table never refuses anybody. Entries with something open are limited by the limit on
 * connections; of the others, a limited number is remembered, and the one that was idle longest
 * makes room for a new one. Entries with nothing but a rate go first, then those with failures,
 * locked ones last, so that passing clients do not lift locks. Rejected: refusing new clients when
 * the table is full, which lets a client with many addresses lock everybody out.
 *
 * Looking up, adding, forgetting: O(log n). An address takes 184 bytes with its place in the tree,
 * a user up to 428.
 */
#ifndef PX_LIMITER_H
#define PX_LIMITER_H

#include <praxis/bucket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time after the last counted failure until failures are forgotten. */
#define PX_LIMITER_MEMORY_MS (30 * 60 * 1000)

/* The list in which an entry waits to be forgotten. */
enum px_limiter_line {
	PX_LIMITER_NO_LINE, /* something is open, and nothing else is remembered */
	PX_LIMITER_IDLE,
	PX_LIMITER_FAILED,
	PX_LIMITER_LOCKED,
	PX_LIMITER_LINES,
};

struct px_limiter_entry {
	uint32_t open;             /* connections; see px_limiter_hold() */
	uint32_t failures;         /* reset after PX_LIMITER_MEMORY_MS without one */
	int64_t failed_ms;         /* time of the latest one */
	struct px_bucket coming;   /* rate of new connections */
	struct px_bucket requests; /* rate of HTTP requests … */
	struct px_bucket bytes;    /* … and their bytes */
	struct px_bucket failing;  /* time spent on failures, in microseconds */
	struct px_bucket sessions; /* opened or resumed: each is in the audit log */

	/* private */
	enum px_limiter_line line;
	int64_t used_ms;
	struct px_limiter_entry *newer;
	struct px_limiter_entry *older;
	size_t key_len;
	unsigned char key[];
};

struct px_limiter;

/* Remembers at most `most` entries with nothing open. -ENOMEM. */
int px_limiter_create(size_t most, struct px_limiter **ret_limiter);

/* NULL is fine. */
void px_limiter_destroy(struct px_limiter *limiter);

/* Changes the limit, effective from the next px_limiter_get() on. */
void px_limiter_set_limit(struct px_limiter *limiter, size_t most);

/*
 * The entry with that key, created if needed. The limiter owns it; it is valid while its `open` is
 * not 0, otherwise until the next call. NULL: no memory.
 */
struct px_limiter_entry *px_limiter_get(struct px_limiter *limiter, const void *key, size_t key_len,
		int64_t now_ms);

/* The same, if the entry exists; NULL. */
struct px_limiter_entry *px_limiter_find(struct px_limiter *limiter, const void *key,
		size_t key_len);

/* Something opens, or closes. */
void px_limiter_hold(struct px_limiter *limiter, struct px_limiter_entry *entry);
void px_limiter_release(struct px_limiter *limiter, struct px_limiter_entry *entry);

/* Counts a failure. True: it is number `most` (0: no limit), which locks the key. */
bool px_limiter_fail(struct px_limiter *limiter, struct px_limiter_entry *entry, uint32_t most,
		int64_t now_ms);

/* Forgets all failures. */
void px_limiter_forgive(struct px_limiter *limiter, struct px_limiter_entry *entry);

/*
 * Milliseconds until another failure is counted: from the third one on 100 ms, doubled each time,
 * up to 25 s; for a locked key until it is unlocked. 0: now.
 */
int64_t px_limiter_penalty(const struct px_limiter_entry *entry, int64_t now_ms);

/* Number of locked keys; and each of them, latest first. NULL: no more. */
size_t px_limiter_locked(struct px_limiter *limiter, int64_t now_ms);
const struct px_limiter_entry *px_limiter_next_locked(const struct px_limiter *limiter,
		const struct px_limiter_entry *before);

struct px_limiter_figures {
	size_t remembered; /* entries, except those that only have something open */
	uint64_t evicted;  /* forgotten early, because the table was full */
};
struct px_limiter_figures px_limiter_figures(const struct px_limiter *limiter);

#endif
