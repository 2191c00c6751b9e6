/* SPDX-License-Identifier: MIT */
/*
 * See leftover.h. Rejected: a free() of the test's own, which would see no more than this and which
 * AddressSanitizer and valgrind replace as well.
 */
#include "leftover.h"

#include <stddef.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHES 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHES 1
#endif

static const char *watched;
static unsigned count;

#ifdef WATCHES
/* Of <sanitizer/allocator_interface.h>, which gcc is packaged without. */
size_t __sanitizer_get_allocated_size(const volatile void *block);
int __sanitizer_install_malloc_and_free_hooks(
		void (*on_malloc)(const volatile void *block, size_t size),
		void (*on_free)(const volatile void *block));

static void on_malloc(const volatile void *block, size_t size)
{
	(void)block;
	(void)size;
}

static void on_free(const volatile void *block)
{
	const void *bytes = (const void *)block;
	if (watched && bytes && memmem(bytes, __sanitizer_get_allocated_size(block), watched,
			strlen(watched))) {
		count++;
	}
}
#endif

void leftover_watch(const char *secret)
{
#ifdef WATCHES
	static int installed;
	if (!installed) {
		installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	}
#endif
	watched = secret;
	count = 0;
}

unsigned leftover_count(void)
{
	return count;
}
