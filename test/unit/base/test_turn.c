/* SPDX-License-Identifier: MIT */
/*
 * Turns of the loop: reading ends before writing does, writing gets its share whatever reading
 * took, and how long they last is counted in the right bucket.
 */
#include "base/turn.h"

#include <check.h>
#include <stdlib.h>

#include "fake.h"

#define MS UINT64_C(1000000)

static uint64_t now_ns = 5 * MS;

START_TEST(reading_ends_first)
{
	struct px_turn turn = { 0 };
	px_turn_begin(&turn, now_ns);
	ck_assert(!px_turn_over_budget(&turn, PX_WORK_IN, now_ns));
	now_ns += 3 * MS;
	ck_assert(px_turn_over_budget(&turn, PX_WORK_IN, now_ns));
	ck_assert(!px_turn_over_budget(&turn, PX_WORK_OUT, now_ns));
	now_ns += 2 * MS;
	ck_assert(px_turn_over_budget(&turn, PX_WORK_OUT, now_ns));
}
END_TEST

START_TEST(writing_has_its_share)
{
	struct px_turn turn = { 0 };
	px_turn_begin(&turn, now_ns);
	now_ns += 1000 * MS;
	ck_assert(px_turn_over_budget(&turn, PX_WORK_IN, now_ns));
	ck_assert(!px_turn_over_budget(&turn, PX_WORK_OUT, now_ns));
	now_ns += 2 * MS;
	ck_assert(px_turn_over_budget(&turn, PX_WORK_OUT, now_ns));
	/* The next turn is a new one. */
	px_turn_end(&turn, now_ns);
	px_turn_begin(&turn, now_ns);
	ck_assert(!px_turn_over_budget(&turn, PX_WORK_IN, now_ns));
	ck_assert(!px_turn_over_budget(&turn, PX_WORK_OUT, now_ns));
}
END_TEST

START_TEST(asking_begins_it)
{
	struct px_turn turn = { 0 };
	ck_assert(!px_turn_over_budget(&turn, PX_WORK_IN, now_ns));
	ck_assert_uint_ne(turn.began_ns, 0);
	uint64_t began_ns = turn.began_ns;
	now_ns += MS;
	px_turn_begin(&turn, now_ns);
	ck_assert_uint_eq(turn.began_ns, began_ns);
}
END_TEST

START_TEST(is_counted_once)
{
	struct px_turn turn = { 0 };
	px_turn_end(&turn, now_ns);
	ck_assert_uint_eq(turn.durations.count, 0);
	px_turn_begin(&turn, now_ns);
	now_ns += 20 * MS;
	px_turn_end(&turn, now_ns);
	px_turn_end(&turn, now_ns);
	ck_assert_uint_eq(turn.durations.count, 1);
	ck_assert_uint_eq(turn.durations.max_ns, 20 * MS);
	ck_assert_uint_eq(turn.durations.sum_ns, turn.durations.max_ns);
}
END_TEST

START_TEST(durations_fall_into_their_buckets)
{
	struct px_histogram histogram = { 0 };
	uint64_t sum_ns = 0;
	for (unsigned i = 0; i < PX_HISTOGRAM_BUCKETS - 1; i++) {
		uint64_t bound_ns = px_histogram_bounds_us[i] * 1000;
		ck_assert(i == 0 || px_histogram_bounds_us[i] > px_histogram_bounds_us[i - 1]);
		px_histogram_add(&histogram, bound_ns);
		px_histogram_add(&histogram, bound_ns + 1);
		sum_ns += 2 * bound_ns + 1;
	}
	px_histogram_add(&histogram, 0);
	ck_assert_uint_eq(histogram.buckets[0], 2);
	ck_assert_uint_eq(histogram.buckets[PX_HISTOGRAM_BUCKETS - 1], 1);
	for (unsigned i = 1; i < PX_HISTOGRAM_BUCKETS - 1; i++) {
		ck_assert_uint_eq(histogram.buckets[i], 2);
	}
	ck_assert_uint_eq(histogram.count, 2 * (PX_HISTOGRAM_BUCKETS - 1) + 1);
	ck_assert_uint_eq(histogram.sum_ns, sum_ns);
	ck_assert_uint_eq(histogram.max_ns, UINT64_C(1000000001));
}
END_TEST

RUN_TESTS("turn", reading_ends_first, writing_has_its_share, asking_begins_it, is_counted_once,
		durations_fall_into_their_buckets);
