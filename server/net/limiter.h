/* SPDX-License-Identifier: MIT */
/*
 * What is counted by somebody's name: connections of an address or of a user, how fast they
 * come, what their requests cost, how often a token of theirs was a guess. An entry is
 * remembered while something is open, or a failure or a rate is not forgotten yet.
 *
 * The table never refuses anybody. Entries with something open are as many as connections,
 * which have a bound of their own; of the others it remembers so many at most, and forgets
 * the one that has lain idle longest for whoever comes next. Those go first that carry
 * nothing but a rate, then those with failures, locked ones last, so that passing through
 * costs nobody a lock. Rejected: refusing strangers when the table is full, which lets one
 * who has many addresses lock everybody else out.
 *
 * Looking up, adding, forgetting: O(log n), whatever is in it. An entry of an address is 184
 * bytes with its place in the tree, one of a user up to 428.
 */
#ifndef PX_LIMITER_H
#define PX_LIMITER_H

#include <praxis/bucket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Failures are remembered this long after the last one that counted. */
#define PX_LIMITER_MEMORY_MS (30 * 60 * 1000)

/* Where an entry stands in line to be forgotten. */
enum px_limiter_line {
	PX_LIMITER_NO_LINE, /* something is open, and nothing else is remembered of it */
	PX_LIMITER_IDLE,
	PX_LIMITER_FAILED,
	PX_LIMITER_LOCKED,
	PX_LIMITER_LINES,
};

struct px_limiter_entry {
	uint32_t open;             /* connections; see px_limiter_hold() */
	uint32_t failures;         /* since the last PX_LIMITER_MEMORY_MS without one */
	int64_t failed_ms;         /* the latest */
	struct px_bucket coming;   /* connections */
	struct px_bucket requests; /* over HTTP … */
	struct px_bucket bytes;    /* … and their bytes */
	struct px_bucket failing;  /* time spent on what failed, in microseconds */
	struct px_bucket sessions; /* that began or were resumed: each is written to the trail */

	/* private */
	enum px_limiter_line line;
	int64_t used_ms;
	struct px_limiter_entry *newer;
	struct px_limiter_entry *older;
	size_t key_len;
	unsigned char key[];
};

struct px_limiter;

/* -ENOMEM. Remembers `most` entries that have nothing open. */
int px_limiter_create(size_t most, struct px_limiter **ret_limiter);

/* NULL is fine. */
void px_limiter_destroy(struct px_limiter *limiter);

/* Another bound, from the next px_limiter_get() on. */
void px_limiter_set_limit(struct px_limiter *limiter, size_t most);

/*
 * The entry of that key, made if need be. It is the tally's, and stays while its `open` is
 * not 0; else only until the next call. NULL: no memory.
 */
struct px_limiter_entry *px_limiter_get(struct px_limiter *limiter, const void *key, size_t key_len,
		int64_t now_ms);

/* The same of one that is there; NULL. */
struct px_limiter_entry *px_limiter_find(struct px_limiter *limiter, const void *key,
		size_t key_len);

/* Something opens, and is closed again. */
void px_limiter_hold(struct px_limiter *limiter, struct px_limiter_entry *entry);
void px_limiter_release(struct px_limiter *limiter, struct px_limiter_entry *entry);

/* Counts a failure. True: it is the one, of `most` (0: any number), that locks the key. */
bool px_limiter_fail(struct px_limiter *limiter, struct px_limiter_entry *entry, uint32_t most,
		int64_t now_ms);

/* Forgets all failures. */
void px_limiter_forgive(struct px_limiter *limiter, struct px_limiter_entry *entry);

/*
 * How long the key has to wait before another failure is looked at: from the third on 100 ms,
 * doubled with each one, up to 25 s; once it is locked until all is forgotten. 0: not at all.
 */
int64_t px_limiter_penalty(const struct px_limiter_entry *entry, int64_t now_ms);

/* How many are locked now; and one after the other, the latest first. NULL: there are no more. */
size_t px_limiter_locked(struct px_limiter *limiter, int64_t now_ms);
const struct px_limiter_entry *px_limiter_next_locked(const struct px_limiter *limiter,
		const struct px_limiter_entry *before);

struct px_limiter_figures {
	size_t remembered; /* entries, but for those that only have something open */
	uint64_t evicted;  /* before their time, for want of room */
};
struct px_limiter_figures px_limiter_figures(const struct px_limiter *limiter);

#endif
