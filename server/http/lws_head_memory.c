/* SPDX-License-Identifier: MIT */
/*
 * See lws_head_memory.h. The tree is the second mutable global of the program (base/log.c has the
 * other one): lws's allocator has no user pointer.
 */
#include "lws_head_memory.h"
#include "base/rx_memory.h"

#include <libwebsockets.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct piece {
	uintptr_t at;
	size_t size;
};

static void *pieces;

/* Pieces do not overlap, so any byte of a piece finds it. */
static int compare(const void *a, const void *b)
{
	const struct piece *first = a;
	const struct piece *second = b;
	if (first->at + first->size <= second->at) {
		return -1;
	}
	return second->at + second->size <= first->at ? 1 : 0;
}

static const struct piece *find(const void *at)
{
	struct piece byte = { .at = (uintptr_t)at, .size = 1 };
	struct piece **found = tfind(&byte, &pieces, compare);
	return found ? *found : NULL;
}

static void forget(const void *at)
{
	const struct piece *piece = find(at);
	if (piece) {
		tdelete(piece, &pieces, compare);
		free((void *)(uintptr_t)piece);
	}
}

static void *allocate(size_t size)
{
	struct piece *piece = malloc(sizeof(*piece));
	/* Zeroed: a walk over the head may read beyond its end, for a missing line. */
	void *at = piece ? calloc(1, size) : NULL;
	if (!at) {
		free(piece);
		return NULL;
	}
	*piece = (struct piece){ .at = (uintptr_t)at, .size = size };
	if (!tsearch(piece, &pieces, compare)) {
		free(piece);
		free(at);
		return NULL;
	}
	return at;
}

/* lws never makes a receive buffer larger, so realloc() does not see one. */
static void *reallocate(void *ptr, size_t size, const char *reason)
{
	if (size == 0) {
		if (!px_rx_memory_give_back(ptr)) {
			forget(ptr);
			free(ptr);
		}
		return NULL;
	}
	if (!ptr && reason && strcmp(reason, "ah data") == 0) {
		return allocate(size);
	}
	void *buffer = !ptr && reason && strcmp(reason, "rx_ubuf") == 0 ?
			px_rx_memory_take(size) : NULL;
	return buffer ? buffer : realloc(ptr, size);
}

void px_head_memory_track(void)
{
	lws_set_allocator(reallocate);
}

const unsigned char *px_head_memory_find(const void *at, size_t *ret_size)
{
	const struct piece *piece = at ? find(at) : NULL;
	if (!piece) {
		return NULL;
	}
	*ret_size = piece->size;
	return (const unsigned char *)piece->at;
}
