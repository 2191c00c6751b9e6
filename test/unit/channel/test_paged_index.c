/* SPDX-License-Identifier: MIT */
/* The roll: numbers that only grow, gaps that close, and seeking that does not mind either. */
#include "channel/paged_index.h"

#include "fake.h"

#include <check.h>
#include <stdlib.h>

static int items[5000];

static uint64_t add(struct px_roll *roll, int *item)
{
	uint64_t number;
	ck_assert_int_eq(px_roll_add(roll, item, &number), 0);
	return number;
}

static size_t living(const struct px_roll *roll)
{
	size_t count = 0;
	for (size_t i = 0; i < roll->count; i++) {
		count += roll->entries[i].item != NULL;
	}
	return count;
}

START_TEST(finds_what_comes_behind_a_number)
{
	struct px_roll roll = { 0 };
	uint64_t first = add(&roll, &items[0]);
	uint64_t second = add(&roll, &items[1]);
	uint64_t third = add(&roll, &items[2]);
	ck_assert(first > 0 && first < second && second < third);
	ck_assert_ptr_eq(roll.entries[px_roll_seek(&roll, 0)].item, &items[0]);
	ck_assert_ptr_eq(roll.entries[px_roll_seek(&roll, first)].item, &items[1]);
	px_roll_remove(&roll, second);
	size_t at = px_roll_seek(&roll, first);
	ck_assert(roll.entries[at].item == NULL || roll.entries[at].item == &items[2]);
	ck_assert_uint_eq(px_roll_seek(&roll, third), roll.count);
	px_roll_finish(&roll);
}
END_TEST

START_TEST(never_gives_a_number_twice)
{
	struct px_roll roll = { 0 };
	uint64_t first = add(&roll, &items[0]);
	px_roll_remove(&roll, first);
	ck_assert_uint_eq(roll.count, 0);
	ck_assert_uint_gt(add(&roll, &items[0]), first);
	px_roll_remove(&roll, first);
	ck_assert_uint_eq(living(&roll), 1);
	px_roll_remove(&roll, 12345);
	px_roll_remove(&roll, 0);
	ck_assert_uint_eq(living(&roll), 1);
	px_roll_finish(&roll);
}
END_TEST

/* Against a model: what is in it, and in which order, through random comings and goings. */
START_TEST(keeps_the_order_through_everything)
{
	static uint64_t numbers[5000];
	struct px_roll roll = { 0 };
	uint64_t dice = 7;
	size_t live = 0;
	for (int step = 0; step < 40000; step++) {
		size_t i = fake_random(&dice) % 5000;
		/* Grows in the first half, shrinks in the second. */
		bool in = fake_random(&dice) % 100 < (step < 20000 ? 70u : 20u);
		if (in && numbers[i] == 0) {
			numbers[i] = add(&roll, &items[i]);
			live++;
		} else if (!in && numbers[i] != 0) {
			px_roll_remove(&roll, numbers[i]);
			numbers[i] = 0;
			live--;
		}
		ck_assert_uint_le(roll.gaps, roll.count / 2);
	}
	ck_assert_uint_eq(living(&roll), live);
	for (size_t i = 0; i + 1 < roll.count; i++) {
		ck_assert_uint_lt(roll.entries[i].number, roll.entries[i + 1].number);
	}
	for (size_t i = 0; i < 5000; i++) {
		if (numbers[i] != 0) {
			size_t at = px_roll_seek(&roll, numbers[i] - 1);
			ck_assert_ptr_eq(roll.entries[at].item, &items[i]);
		}
	}
	px_roll_finish(&roll);
}
END_TEST

RUN_TESTS("roll", finds_what_comes_behind_a_number, never_gives_a_number_twice,
		keeps_the_order_through_everything);
