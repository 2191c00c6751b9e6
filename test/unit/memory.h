/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out when it is told to: the allocations of the broker and the services, which
 * are compiled to ask here, and none of a test's own.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The allocation of that number from now on fails, while watched; `for_good`: all behind it, too.
 * 0: none.
 */
void memory_fail(unsigned number, bool for_good);

/* How many were asked for while watched, since memory_fail(). */
unsigned memory_asked(void);

/* Whether one has failed since this was asked last. */
bool memory_has_failed(void);

/* Outside of it nothing fails: a test has to be able to work. */
void memory_watch(bool on);

void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *old, size_t size);

#endif
