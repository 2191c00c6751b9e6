/* SPDX-License-Identifier: MIT */
/*
 * The memory in which libwebsockets stores request heads. lws cannot show it, but accepts an
 * allocator, which is told the purpose of each piece of memory.
 */
#ifndef PX_HEAD_MEMORY_H
#define PX_HEAD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* From now on, pieces are tracked; call it before lws allocates anything. */
void px_head_memory_track(void);

/* The piece that contains this byte. NULL: none, or freed; `at` need not be valid. */
const unsigned char *px_head_memory_find(const void *at, size_t *ret_size);

#endif
