/* SPDX-License-Identifier: MIT */
/* See memory.h. */
#include "memory.h"

#include <stdlib.h>

static unsigned fails_at;
static bool fails_for_good;
static unsigned asked;
static bool is_watched;
static bool has_failed;

void memory_fail(unsigned number, bool for_good)
{
	fails_at = number;
	fails_for_good = for_good;
	asked = 0;
}

unsigned memory_asked(void)
{
	return asked;
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
	if (!is_watched) {
		return false;
	}
	asked++;
	bool now = fails_at > 0 && (fails_for_good ? asked >= fails_at : asked == fails_at);
	has_failed |= now;
	return now;
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
