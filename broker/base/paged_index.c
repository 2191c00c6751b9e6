/* SPDX-License-Identifier: MIT */
/* See paged_index.h. */
#include "paged_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 64

void px_paged_index_finish(struct px_paged_index *paged)
{
	free(paged->entries);
	*paged = (struct px_paged_index){ .last = paged->last };
}

/* Closes the gaps. The cost is amortized over the removals that made them. */
static void close_gaps(struct px_paged_index *paged)
{
	size_t to = 0;
	for (size_t i = 0; i < paged->count; i++) {
		if (paged->entries[i].item) {
			paged->entries[to++] = paged->entries[i];
		}
	}
	paged->count = to;
	paged->gaps = 0;
}

static void shrink(struct px_paged_index *paged)
{
	if (paged->size <= SIZE_MIN || paged->count > paged->size / 4) {
		return;
	}
	struct px_paged_index_entry *entries = realloc(paged->entries,
			paged->size / 2 * sizeof(*entries));
	if (entries) {
		paged->entries = entries;
		paged->size /= 2;
	}
}

int px_paged_index_add(struct px_paged_index *paged, void *item, uint64_t *ret_number)
{
	if (paged->count == paged->size) {
		size_t size = paged->size ? paged->size * 2 : SIZE_MIN;
		struct px_paged_index_entry *entries =
				realloc(paged->entries, size * sizeof(*entries));
		if (!entries) {
			return -ENOMEM;
		}
		paged->entries = entries;
		paged->size = size;
	}
	*ret_number = ++paged->last;
	paged->entries[paged->count++] = (struct px_paged_index_entry){ *ret_number, item };
	return 0;
}

size_t px_paged_index_seek(const struct px_paged_index *paged, uint64_t after)
{
	size_t low = 0;
	size_t high = paged->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (paged->entries[middle].number > after) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

void px_paged_index_remove(struct px_paged_index *paged, uint64_t number)
{
	size_t at = number > 0 ? px_paged_index_seek(paged, number - 1) : paged->count;
	if (at == paged->count || paged->entries[at].number != number || !paged->entries[at].item) {
		return;
	}
	paged->entries[at].item = NULL;
	paged->gaps++;
	if (paged->gaps > paged->count / 2) {
		close_gaps(paged);
		shrink(paged);
	}
}
