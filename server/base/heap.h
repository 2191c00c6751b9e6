/* SPDX-License-Identifier: MIT */
/*
 * What has to be had in the order of a number that changes: a binary heap whose nodes know their
 * place in it, so that any of them is moved or taken out in O(log n), and without memory: room is
 * made when a node's owner is, where failing is easy. Rejected: a sorted list, which one failure
 * of a webhook walked from its end, once for each practice that waits; and a search tree, which
 * wants memory at the moment when something has failed already.
 */
#ifndef PX_HEAP_H
#define PX_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in its owner. Zeroed: in no heap. */
struct px_heap_node {
	int64_t key;
	uint64_t order;  /* among equals: who was put in first */
	uint32_t place;  /* from 1; 0: in no heap */
};

/* Zeroed: empty. */
struct px_heap {
	struct px_heap_node **nodes;
	uint32_t count;
	uint32_t size;
	uint64_t last_order;
};

/* Gives the array back; the nodes are their owners'. */
void px_heap_finish(struct px_heap *heap);

/* Room for that many. -ENOMEM. */
int px_heap_reserve(struct px_heap *heap, size_t count);

/* In, where it was not; moved, where it was and the key is another. Room must have been made. */
void px_heap_put(struct px_heap *heap, struct px_heap_node *node, int64_t key);

/* One that is in no heap stays so. */
void px_heap_remove(struct px_heap *heap, struct px_heap_node *node);

/* The one with the smallest key; NULL: none. */
struct px_heap_node *px_heap_first(const struct px_heap *heap);

#endif
