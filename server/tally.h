/* SPDX-License-Identifier: MIT */
/*
 * What is counted by somebody's name: connections of an address or of a user, how fast they
 * come, how often a token of theirs was bad. Entries are there while something is open or a
 * failure is remembered; the table has a bound, and when it is full of such entries the next
 * one is refused.
 */
#ifndef PX_TALLY_H
#define PX_TALLY_H

#include <praxis/bucket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Failures are remembered this long after the last one. */
#define PX_TALLY_MEMORY_MS (30 * 60 * 1000)

struct px_tally_entry {
	uint32_t open;           /* connections */
	uint32_t failures;       /* since the last PX_TALLY_MEMORY_MS without one */
	int64_t failed_ms;       /* the latest */
	struct px_bucket coming; /* connections a second */

	/* private */
	int64_t used_ms;
	struct px_tally_entry *newer;
	struct px_tally_entry *older;
	size_t key_len;
	unsigned char key[];
};

struct px_tally;

/* -ENOMEM. `most` entries at the most. */
int px_tally_create(size_t most, struct px_tally **ret_tally);

/* NULL is fine. */
void px_tally_destroy(struct px_tally *tally);

/*
 * The entry of that key, made if need be. It is the tally's, and stays while its `open` is
 * not 0; else only until the next call. NULL: no memory, or the table is full.
 */
struct px_tally_entry *px_tally_get(struct px_tally *tally, const void *key, size_t key_len,
		int64_t now_ms);

/* Counts a failure. */
void px_tally_fail(struct px_tally_entry *entry, int64_t now_ms);

/*
 * How long the key has to wait before the next try: from the third failure on 100 ms, doubled
 * with each one, up to 25 s; after `most` failures until all is forgotten. 0: not at all.
 */
int64_t px_tally_penalty(const struct px_tally_entry *entry, uint32_t most, int64_t now_ms);

#endif
