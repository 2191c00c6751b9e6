/* SPDX-License-Identifier: MIT */
/* See paged_index.h. */
#include "paged_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 64

void px_roll_finish(struct px_roll *roll)
{
	free(roll->entries);
	*roll = (struct px_roll){ .last = roll->last };
}

/* Closes the gaps; each costs as much as it took to make them. */
static void close_gaps(struct px_roll *roll)
{
	size_t to = 0;
	for (size_t i = 0; i < roll->count; i++) {
		if (roll->entries[i].item) {
			roll->entries[to++] = roll->entries[i];
		}
	}
	roll->count = to;
	roll->gaps = 0;
}

static void shrink(struct px_roll *roll)
{
	if (roll->size <= SIZE_MIN || roll->count > roll->size / 4) {
		return;
	}
	struct px_roll_entry *entries = realloc(roll->entries,
			roll->size / 2 * sizeof(*entries));
	if (entries) {
		roll->entries = entries;
		roll->size /= 2;
	}
}

int px_roll_add(struct px_roll *roll, void *item, uint64_t *ret_number)
{
	if (roll->count == roll->size) {
		size_t size = roll->size ? roll->size * 2 : SIZE_MIN;
		struct px_roll_entry *entries = realloc(roll->entries, size * sizeof(*entries));
		if (!entries) {
			return -ENOMEM;
		}
		roll->entries = entries;
		roll->size = size;
	}
	*ret_number = ++roll->last;
	roll->entries[roll->count++] = (struct px_roll_entry){ *ret_number, item };
	return 0;
}

size_t px_roll_seek(const struct px_roll *roll, uint64_t after)
{
	size_t low = 0;
	size_t high = roll->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (roll->entries[middle].number > after) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

void px_roll_remove(struct px_roll *roll, uint64_t number)
{
	size_t at = number > 0 ? px_roll_seek(roll, number - 1) : roll->count;
	if (at == roll->count || roll->entries[at].number != number || !roll->entries[at].item) {
		return;
	}
	roll->entries[at].item = NULL;
	roll->gaps++;
	if (roll->gaps > roll->count / 2) {
		close_gaps(roll);
		shrink(roll);
	}
}
