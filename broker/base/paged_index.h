/* SPDX-License-Identifier: MIT */
/*
 * A roll: what there is, in the order of its coming, each under a number that is never given
 * twice. It is for lists that are read page by page, with no end of one page kept anywhere: the
 * next page begins behind a number, whether what had it is still there or not.
 *
 * An array sorted by number, in which what has gone leaves a gap until half of it are gaps:
 * 16 bytes for each that is there, seeking in O(log n). Rejected: walking the linked list of
 * sessions to a place, which is as long as the list.
 */
#ifndef PX_PAGED_INDEX_H
#define PX_PAGED_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct px_paged_index_entry {
	uint64_t number;
	void *item; /* NULL: it has gone */
};

/* Zeroed: empty. */
struct px_paged_index {
	struct px_paged_index_entry *entries;
	size_t count; /* gaps, too */
	size_t size;
	size_t gaps;
	uint64_t last; /* the number given last */
};

void px_paged_index_finish(struct px_paged_index *paged);

/* Puts it at the end; *ret_number is above all before. -ENOMEM. */
int px_paged_index_add(struct px_paged_index *paged, void *item, uint64_t *ret_number);

/* Takes out what has that number; what is not there is no error. */
void px_paged_index_remove(struct px_paged_index *paged, uint64_t number);

/* The index of the first entry whose number is above `after`; count: there is none. */
size_t px_paged_index_seek(const struct px_paged_index *paged, uint64_t after);

#endif
