/* SPDX-License-Identifier: MIT */
/*
 * See rx_memory.h. One range of addresses is reserved, with a slot for each descriptor that the
 * process may have; it becomes usable in steps, so that a system that does not overcommit counts
 * only those. What was written to is returned to the system with its slot: a connection that
 * begins shall not inherit the page of one that has ended. Slots are reused last in, first out; the
 * list of free ones is beside them, because one inside would be a page for each.
 *
 * Rejected: malloc of the same size, whose header alone makes every page resident; a buffer for
 * all, since a control frame may arrive in two parts with other connections between them.
 *
 * The state is a global of the program, as lws's allocator has no user pointer
 * (http/lws_head_memory.c).
 */
#include "rx_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SLOTS_MAX (1u << 20)
#define SLOTS_MIN 1024u
#define STEP 256u /* slots that become usable at once: 2 MiB of addresses */

static struct {
	char *base; /* NULL: not reserved yet, or not to be had */
	size_t stride; /* whole pages, so that a slot can be cleared alone */
	uint32_t slots;
	uint32_t usable;
	uint32_t free_count;
	uint32_t *free_slots; /* room for `usable` of them */
	bool is_asked;
} range;

static uint32_t slots_wanted(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > SLOTS_MAX) {
		return SLOTS_MAX;
	}
	return files.rlim_cur < SLOTS_MIN ? SLOTS_MIN : (uint32_t)files.rlim_cur;
}

/* Asks once. A limit on the address space (RLIMIT_AS) may leave a part, or nothing. */
static bool reserve(void)
{
	if (range.is_asked) {
		return range.base != NULL;
	}
	range.is_asked = true;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	range.stride = page > PX_RX_MEMORY_BYTES ? page : PX_RX_MEMORY_BYTES;
	for (uint32_t slots = slots_wanted(); slots >= SLOTS_MIN; slots /= 2) {
		size_t bytes = slots * range.stride;
		void *base = mmap(NULL, bytes, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (base != MAP_FAILED) {
			/* A huge page would make 256 buffers resident with the first byte. */
			(void)madvise(base, bytes, MADV_NOHUGEPAGE);
			range.base = base;
			range.slots = slots;
			return true;
		}
	}
	return false;
}

static char *slot_at(uint32_t slot)
{
	return range.base + slot * range.stride;
}

/* Makes further slots usable. Room in the list comes first, so that giving back cannot fail. */
static bool extend(void)
{
	uint32_t more = range.slots - range.usable < STEP ? range.slots - range.usable : STEP;
	uint32_t usable = range.usable + more;
	if (more == 0) {
		return false;
	}
	uint32_t *list = realloc(range.free_slots, usable * sizeof(*list));
	if (!list) {
		return false;
	}
	range.free_slots = list;
	if (mprotect(slot_at(range.usable), more * range.stride, PROT_READ | PROT_WRITE) != 0) {
		return false;
	}
	for (uint32_t slot = usable; slot > range.usable; slot--) {
		range.free_slots[range.free_count++] = slot - 1;
	}
	range.usable = usable;
	return true;
}

void *px_rx_memory_take(size_t size)
{
	if (size > PX_RX_MEMORY_BYTES || !reserve() || (range.free_count == 0 && !extend())) {
		return NULL;
	}
	return slot_at(range.free_slots[--range.free_count]);
}

/* The slot with this byte. False: it is in none. */
static bool find(const void *byte, uint32_t *ret_slot)
{
	uintptr_t offset = (uintptr_t)byte - (uintptr_t)range.base;
	if (!range.base || offset >= range.usable * range.stride) {
		return false;
	}
	*ret_slot = (uint32_t)(offset / range.stride);
	return true;
}

static void clear(uint32_t slot)
{
	(void)madvise(slot_at(slot), range.stride, MADV_DONTNEED);
}

bool px_rx_memory_give_back(void *at)
{
	uint32_t slot;
	if (!find(at, &slot)) {
		return false;
	}
	clear(slot);
	range.free_slots[range.free_count++] = slot;
	return true;
}

void px_rx_memory_forget(const void *byte)
{
	uint32_t slot;
	if (find(byte, &slot)) {
		clear(slot);
	}
}

size_t px_rx_memory_taken(void)
{
	return range.usable - range.free_count;
}
