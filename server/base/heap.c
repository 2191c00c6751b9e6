/* SPDX-License-Identifier: MIT */
/* See heap.h. */
#include "heap.h"

#include <errno.h>
#include <stdlib.h>

static bool is_before(const struct px_heap_node *a, const struct px_heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void place(struct px_heap *heap, uint32_t at, struct px_heap_node *node)
{
	heap->nodes[at - 1] = node;
	node->place = at;
}

static void sift_up(struct px_heap *heap, uint32_t at, struct px_heap_node *node)
{
	while (at > 1 && is_before(node, heap->nodes[at / 2 - 1])) {
		place(heap, at, heap->nodes[at / 2 - 1]);
		at /= 2;
	}
	place(heap, at, node);
}

static void sift_down(struct px_heap *heap, uint32_t at, struct px_heap_node *node)
{
	while (at <= heap->count / 2) {
		uint32_t child = at * 2;
		if (child < heap->count && is_before(heap->nodes[child], heap->nodes[child - 1])) {
			child++;
		}
		if (!is_before(heap->nodes[child - 1], node)) {
			break;
		}
		place(heap, at, heap->nodes[child - 1]);
		at = child;
	}
	place(heap, at, node);
}

static void settle(struct px_heap *heap, uint32_t at, struct px_heap_node *node)
{
	if (at > 1 && is_before(node, heap->nodes[at / 2 - 1])) {
		sift_up(heap, at, node);
	} else {
		sift_down(heap, at, node);
	}
}

void px_heap_finish(struct px_heap *heap)
{
	free(heap->nodes);
	*heap = (struct px_heap){ 0 };
}

int px_heap_reserve(struct px_heap *heap, size_t count)
{
	if (count <= heap->size) {
		return 0;
	}
	size_t size = heap->size ? heap->size * (size_t)2 : 16;
	size = size < count ? count : size;
	struct px_heap_node **nodes = size > UINT32_MAX / 2 ? NULL :
			realloc(heap->nodes, size * sizeof(struct px_heap_node *));
	if (!nodes) {
		return -ENOMEM;
	}
	heap->nodes = nodes;
	heap->size = (uint32_t)size;
	return 0;
}

void px_heap_put(struct px_heap *heap, struct px_heap_node *node, int64_t key)
{
	if (node->place != 0 && node->key == key) {
		return;
	}
	node->key = key;
	node->order = ++heap->last_order;
	settle(heap, node->place != 0 ? node->place : ++heap->count, node);
}

void px_heap_remove(struct px_heap *heap, struct px_heap_node *node)
{
	uint32_t at = node->place;
	if (at == 0) {
		return;
	}
	struct px_heap_node *last = heap->nodes[--heap->count];
	node->place = 0;
	if (last != node) {
		settle(heap, at, last);
	}
}

struct px_heap_node *px_heap_first(const struct px_heap *heap)
{
	return heap->count > 0 ? heap->nodes[0] : NULL;
}
