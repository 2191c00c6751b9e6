/* SPDX-License-Identifier: MIT */
/*
 * Memory for libwebsockets' receive buffers, one for each WebSocket connection. lws reads at most
 * so much at once from a socket as such a buffer has, but into memory that all connections share:
 * it stores nothing in the buffer itself except the payload of a control frame. So each buffer is
 * address space of its own, which costs no memory before something is written to it.
 */
#ifndef PX_RX_MEMORY_H
#define PX_RX_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The size of a buffer: two pages, of which a control frame's payload uses one. */
#define PX_RX_MEMORY_BYTES 8192

/*
 * Uninitialised memory of `size` bytes, to be given back. NULL: larger than a buffer, or no address
 * space; then the caller takes it from the heap.
 */
void *px_rx_memory_take(size_t size);

/* Gives a buffer back, with its memory. False: it is none of these, and nothing has been done. */
bool px_rx_memory_give_back(void *at);

/* Forgets what has been written to the buffer that has this byte, and returns its memory. */
void px_rx_memory_forget(const void *byte);

/* How many are taken. */
size_t px_rx_memory_taken(void);

#endif
