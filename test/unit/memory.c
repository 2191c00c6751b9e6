/* SPDX-License-Identifier: MIT */
/* See memory.h. */
#include "memory.h"

#include <stdlib.h>

static unsigned left;
static bool is_watched;
static bool has_failed;

void memory_fail_after(unsigned count)
{
	left = count;
}

void memory_watch(bool on)
{
	is_watched = on;
}

bool memory_has_failed(void)
{
	bool failed = has_failed;
	has_failed = false;
	return failed;
}

static bool fails(void)
{
	if (!is_watched || left == 0 || --left > 0) {
		return false;
	}
	has_failed = true;
	return true;
}

void *memory_malloc(size_t size)
{
	return fails() ? NULL : malloc(size);
}

void *memory_calloc(size_t count, size_t size)
{
	return fails() ? NULL : calloc(count, size);
}

void *memory_realloc(void *old, size_t size)
{
	return fails() ? NULL : realloc(old, size);
}
