/* SPDX-License-Identifier: MIT */
/*
 * Receive buffers: each one's own and writable to its end, resident only once written to, and
 * without what was in it before. mincore() tells what is resident.
 */
#include "base/rx_memory.h"

#include "run.h"

#include <check.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY 700 /* more than become usable at once */

static unsigned resident_pages(void *buffer)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char pages[PX_RX_MEMORY_BYTES / 4096] = { 0 };
	unsigned count = 0;
	if (page > PX_RX_MEMORY_BYTES) {
		return 0; /* one page has several buffers */
	}
	ck_assert_int_eq(mincore(buffer, PX_RX_MEMORY_BYTES, pages), 0);
	for (size_t i = 0; i < PX_RX_MEMORY_BYTES / page; i++) {
		count += pages[i] & 1u;
	}
	return count;
}

START_TEST(buffers_are_apart)
{
	unsigned char *buffers[MANY];
	for (unsigned i = 0; i < MANY; i++) {
		buffers[i] = px_rx_memory_take(PX_RX_MEMORY_BYTES);
		ck_assert_ptr_nonnull(buffers[i]);
		memset(buffers[i], (int)(i % 251), PX_RX_MEMORY_BYTES);
	}
	ck_assert_uint_eq(px_rx_memory_taken(), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_uint_eq(buffers[i][0], i % 251);
		ck_assert_uint_eq(buffers[i][PX_RX_MEMORY_BYTES - 1], i % 251);
		ck_assert(px_rx_memory_give_back(buffers[i]));
	}
	ck_assert_uint_eq(px_rx_memory_taken(), 0);
}
END_TEST

START_TEST(an_unused_buffer_costs_no_memory)
{
	unsigned char *buffer = px_rx_memory_take(PX_RX_MEMORY_BYTES);
	ck_assert_ptr_nonnull(buffer);
	ck_assert_uint_eq(resident_pages(buffer), 0);
	buffer[16] = 'x';
	ck_assert_uint_le(resident_pages(buffer), 1);
	px_rx_memory_forget(buffer + 16);
	ck_assert_uint_eq(resident_pages(buffer), 0);
	ck_assert_uint_eq(px_rx_memory_taken(), 1);
	ck_assert(px_rx_memory_give_back(buffer));
}
END_TEST

START_TEST(the_next_one_gets_it_blank)
{
	unsigned char *buffer = px_rx_memory_take(PX_RX_MEMORY_BYTES);
	memset(buffer, 'x', PX_RX_MEMORY_BYTES);
	ck_assert(px_rx_memory_give_back(buffer));
	unsigned char *next = px_rx_memory_take(PX_RX_MEMORY_BYTES);
	ck_assert_ptr_eq(next, buffer);
	ck_assert_uint_eq(resident_pages(next), 0);
	ck_assert_uint_eq(next[0], 0);
	ck_assert_uint_eq(next[PX_RX_MEMORY_BYTES - 1], 0);
	ck_assert(px_rx_memory_give_back(next));
}
END_TEST

START_TEST(other_memory_is_left_alone)
{
	char own[16] = "own";
	void *buffer = px_rx_memory_take(PX_RX_MEMORY_BYTES);
	ck_assert_ptr_null(px_rx_memory_take(PX_RX_MEMORY_BYTES + 1));
	ck_assert(!px_rx_memory_give_back(own));
	ck_assert(!px_rx_memory_give_back(NULL));
	px_rx_memory_forget(own);
	ck_assert_str_eq(own, "own");
	ck_assert(px_rx_memory_give_back(buffer));
}
END_TEST

RUN_TESTS("rx_memory", buffers_are_apart, an_unused_buffer_costs_no_memory,
		the_next_one_gets_it_blank, other_memory_is_left_alone);
