/* SPDX-License-Identifier: MIT */
/*
 * A list that is read page by page: items in the order in which they were added, each under a
 * number that is never reused. No state is kept between pages: the next page begins behind a
 * number, whether its item is still there or not.
 *
 * An array sorted by number. A removed item leaves a gap; when half of the entries are gaps, they
 * are closed. 16 bytes per item, seeking in O(log n). Rejected: walking the linked list of sessions
 * to a position, which is O(n).
 */
#ifndef PX_PAGED_INDEX_H
#define PX_PAGED_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct px_paged_index_entry {
	uint64_t number;
	void *item; /* NULL: removed */
};

/* Zeroed: empty. */
struct px_paged_index {
	struct px_paged_index_entry *entries;
	size_t count; /* including gaps */
	size_t size;
	size_t gaps;
	uint64_t last; /* the number given last */
};

void px_paged_index_finish(struct px_paged_index *paged);

/* Appends the item; *ret_number is greater than all before. -ENOMEM. */
int px_paged_index_add(struct px_paged_index *paged, void *item, uint64_t *ret_number);

/* Removes the item with that number; no error if there is none. */
void px_paged_index_remove(struct px_paged_index *paged, uint64_t number);

/* Index of the first entry whose number is above `after`; `count` if there is none. */
size_t px_paged_index_seek(const struct px_paged_index *paged, uint64_t after);

#endif
