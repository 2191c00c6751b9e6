/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer with a read position: what is waiting to be sent, or what is left of a
 * frame that has not arrived whole. Shared by the floor and the load client.
 *
 * It holds no memory until first used, so that an idle connection costs nothing for it. Bytes are
 * taken from the front by moving `start`; the rest is moved only when it is less than what was
 * taken, or a slow reader behind a long backlog would cost quadratically. A ring was rejected: one
 * send() would become two.
 */
#ifndef BENCH_BUFFER_H
#define BENCH_BUFFER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct buffer {
	uint8_t *bytes;
	size_t start;
	size_t end;
	size_t capacity;
};

static inline size_t buffer_used(const struct buffer *b)
{
	return b->end - b->start;
}

static inline void *buffer_must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "bench: out of memory\n");
		exit(2);
	}
	return memory;
}

/* Room for `bytes` more; the caller fills it and adds to `end` itself. */
static inline uint8_t *buffer_reserve(struct buffer *b, size_t bytes)
{
	if (b->capacity - b->end < bytes && b->start > b->capacity / 2) {
		memmove(b->bytes, b->bytes + b->start, buffer_used(b));
		b->end -= b->start;
		b->start = 0;
	}
	if (b->capacity - b->end < bytes) {
		size_t capacity = b->capacity > 0 ? b->capacity : 512;

		while (capacity - b->end < bytes) {
			capacity *= 2;
		}
		b->bytes = buffer_must(realloc(b->bytes, capacity));
		b->capacity = capacity;
	}
	return b->bytes + b->end;
}

static inline void buffer_append(struct buffer *b, const void *bytes, size_t count)
{
	memcpy(buffer_reserve(b, count), bytes, count);
	b->end += count;
}

static inline void buffer_take(struct buffer *b, size_t count)
{
	b->start += count;
	if (b->start == b->end) {
		b->start = 0;
		b->end = 0;
	}
}

static inline void buffer_free(struct buffer *b)
{
	free(b->bytes);
	memset(b, 0, sizeof(*b));
}

#endif
