/* SPDX-License-Identifier: MIT */
/*
 * A binary heap, for items with a number that changes: nodes know their position, so that any of
 * them is moved or removed in O(log n). Moving needs no memory: room is reserved when a node's
 * owner is created, where failing is easy. Rejected: a sorted list, which is O(n) for each practice
 * that waits when a webhook fails; a search tree, which needs memory when something has failed
 * already.
 */
#ifndef PX_HEAP_H
#define PX_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in the item. Zeroed: in no heap. */
struct px_heap_node {
	int64_t key;
	uint64_t order;  /* breaks ties: who was inserted first */
	uint32_t place;  /* from 1; 0: in no heap */
};

/* Zeroed: empty. */
struct px_heap {
	struct px_heap_node **nodes;
	uint32_t count;
	uint32_t size;
	uint64_t last_order;
};

/* Frees the array; the nodes belong to their owners. */
void px_heap_finish(struct px_heap *heap);

/* Reserves room for that many. -ENOMEM. */
int px_heap_reserve(struct px_heap *heap, size_t count);

/* Inserts a node, or moves it if its key changed. Room must have been reserved. */
void px_heap_put(struct px_heap *heap, struct px_heap_node *node, int64_t key);

/* No effect on a node that is in no heap. */
void px_heap_remove(struct px_heap *heap, struct px_heap_node *node);

/* The node with the smallest key; NULL: none. */
struct px_heap_node *px_heap_first(const struct px_heap *heap);

#endif
