/* SPDX-License-Identifier: MIT */
/* The paged index: numbers that only grow, gaps that close, and seeking that minds neither. */
#include "base/paged_index.h"

#include "fake.h"

#include <check.h>
#include <stdlib.h>

static int items[5000];

static uint64_t add(struct px_paged_index *paged, int *item)
{
	uint64_t number;
	ck_assert_int_eq(px_paged_index_add(paged, item, &number), 0);
	return number;
}

static size_t living(const struct px_paged_index *paged)
{
	size_t count = 0;
	for (size_t i = 0; i < paged->count; i++) {
		count += paged->entries[i].item != NULL;
	}
	return count;
}

START_TEST(finds_what_comes_behind_a_number)
{
	struct px_paged_index paged = { 0 };
	uint64_t first = add(&paged, &items[0]);
	uint64_t second = add(&paged, &items[1]);
	uint64_t third = add(&paged, &items[2]);
	ck_assert(first > 0 && first < second && second < third);
	ck_assert_ptr_eq(paged.entries[px_paged_index_seek(&paged, 0)].item, &items[0]);
	ck_assert_ptr_eq(paged.entries[px_paged_index_seek(&paged, first)].item, &items[1]);
	px_paged_index_remove(&paged, second);
	size_t at = px_paged_index_seek(&paged, first);
	ck_assert(paged.entries[at].item == NULL || paged.entries[at].item == &items[2]);
	ck_assert_uint_eq(px_paged_index_seek(&paged, third), paged.count);
	px_paged_index_finish(&paged);
}
END_TEST

START_TEST(never_gives_a_number_twice)
{
	struct px_paged_index paged = { 0 };
	uint64_t first = add(&paged, &items[0]);
	px_paged_index_remove(&paged, first);
	ck_assert_uint_eq(paged.count, 0);
	ck_assert_uint_gt(add(&paged, &items[0]), first);
	px_paged_index_remove(&paged, first);
	ck_assert_uint_eq(living(&paged), 1);
	px_paged_index_remove(&paged, 12345);
	px_paged_index_remove(&paged, 0);
	ck_assert_uint_eq(living(&paged), 1);
	px_paged_index_finish(&paged);
}
END_TEST

/* Against a model: what is in it, and in which order, through random comings and goings. */
START_TEST(keeps_the_order_through_everything)
{
	static uint64_t numbers[5000];
	struct px_paged_index paged = { 0 };
	uint64_t dice = 7;
	size_t live = 0;
	for (int step = 0; step < 40000; step++) {
		size_t i = fake_random(&dice) % 5000;
		/* Grows in the first half, shrinks in the second. */
		bool in = fake_random(&dice) % 100 < (step < 20000 ? 70u : 20u);
		if (in && numbers[i] == 0) {
			numbers[i] = add(&paged, &items[i]);
			live++;
		} else if (!in && numbers[i] != 0) {
			px_paged_index_remove(&paged, numbers[i]);
			numbers[i] = 0;
			live--;
		}
		ck_assert_uint_le(paged.gaps, paged.count / 2);
	}
	ck_assert_uint_eq(living(&paged), live);
	for (size_t i = 0; i + 1 < paged.count; i++) {
		ck_assert_uint_lt(paged.entries[i].number, paged.entries[i + 1].number);
	}
	for (size_t i = 0; i < 5000; i++) {
		if (numbers[i] != 0) {
			size_t at = px_paged_index_seek(&paged, numbers[i] - 1);
			ck_assert_ptr_eq(paged.entries[at].item, &items[i]);
		}
	}
	px_paged_index_finish(&paged);
}
END_TEST

RUN_TESTS("paged_index", finds_what_comes_behind_a_number, never_gives_a_number_twice,
		keeps_the_order_through_everything);
