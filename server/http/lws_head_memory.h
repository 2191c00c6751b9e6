/* SPDX-License-Identifier: MIT */
/*
 * The memory in which libwebsockets stores the heads of requests. lws has no call that shows what
 * it stored, but it can be given an allocator, which is told what each piece of memory is for.
 */
#ifndef PX_HEAD_MEMORY_H
#define PX_HEAD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* From here on they are kept track of; before lws allocates anything. */
void px_head_memory_track(void);

/* The piece that has this byte in it. NULL: none, or no more; `at` may point to nothing at all. */
const unsigned char *px_head_memory_find(const void *at, size_t *ret_size);

#endif
