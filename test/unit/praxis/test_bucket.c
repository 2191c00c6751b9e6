/* SPDX-License-Identifier: MIT */
/* Token buckets, against a bucket that is counted by hand. */
#include "fake.h"

#include <check.h>
#include <praxis/bucket.h>

START_TEST(burst_then_rate)
{
	struct px_bucket bucket = { 0 };
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(px_bucket_take(&bucket, 10, 5, 1, 1000), 0);
	}
	ck_assert_int_eq(px_bucket_take(&bucket, 10, 5, 1, 1000), 100);
	ck_assert_int_eq(px_bucket_take(&bucket, 10, 5, 1, 1099), 1);
	ck_assert_int_eq(px_bucket_take(&bucket, 10, 5, 1, 1100), 0);
	ck_assert_int_eq(px_bucket_take(&bucket, 10, 5, 1, 1100), 100);
}
END_TEST

START_TEST(saves_up_no_more_than_the_burst)
{
	struct px_bucket bucket = { 0 };
	ck_assert_int_eq(px_bucket_take(&bucket, 1, 3, 3, 1000), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(px_bucket_take(&bucket, 1, 3, 1, 1000000), 0);
	}
	ck_assert_int_eq(px_bucket_take(&bucket, 1, 3, 1, 1000000), 1000);
}
END_TEST

START_TEST(more_than_the_burst_is_owed)
{
	struct px_bucket bucket = { 0 };
	ck_assert_int_eq(px_bucket_take(&bucket, 100, 10, 60, 1000), 0);
	ck_assert_int_gt(px_bucket_take(&bucket, 100, 10, 1, 1000), 0);
	ck_assert_int_gt(px_bucket_take(&bucket, 100, 10, 1, 1500), 0);
	ck_assert_int_eq(px_bucket_take(&bucket, 100, 10, 1, 1600), 0);
}
END_TEST

START_TEST(without_a_limit)
{
	struct px_bucket bucket = { 0 };
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(px_bucket_take(&bucket, 0, 1, 1000, 5), 0);
	}
}
END_TEST

/* Over an hour, in steps of any length, no more comes out than went in. */
START_TEST(never_more_than_the_rate)
{
	struct px_bucket bucket = { 0 };
	uint64_t state = 7;
	int64_t now_ms = 1;
	uint64_t taken = 0;
	while (now_ms < 3600000) {
		now_ms += (int64_t)(fake_random(&state) % 700);
		uint32_t amount = 1 + (uint32_t)(fake_random(&state) % 4);
		int64_t wait_ms = px_bucket_take(&bucket, 7, 20, amount, now_ms);
		if (wait_ms == 0) {
			taken += amount;
		} else {
			struct px_bucket later = bucket;
			ck_assert_int_gt(px_bucket_take(&bucket, 7, 20, amount, now_ms + wait_ms - 1), 0);
			ck_assert_int_eq(px_bucket_take(&later, 7, 20, amount, now_ms + wait_ms), 0);
		}
	}
	ck_assert_uint_le(taken, 20 + 7 * 3600);
	ck_assert_uint_ge(taken, 7 * 1800);
}
END_TEST

START_TEST(what_was_counted_afterwards_is_waited_for)
{
	struct px_bucket bucket = { 0 };
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 1000), 0);
	px_bucket_owe(&bucket, 10, 20, 19, 60000, 1000);
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 1000), 0);
	px_bucket_owe(&bucket, 10, 20, 11, 60000, 1000);
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 1000), 1001);
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 2000), 1);
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 2001), 0);
	ck_assert_int_gt(px_bucket_take(&bucket, 10, 20, 5, 2001), 0);
}
END_TEST

START_TEST(a_debt_has_an_end)
{
	struct px_bucket bucket = { 0 };
	px_bucket_owe(&bucket, 10, 20, UINT64_MAX, 500, 1000);
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 1000), 501);
	px_bucket_owe(&bucket, 10, 20, UINT32_MAX, 500, 1000);
	ck_assert_int_eq(px_bucket_wait(&bucket, 10, 20, 1000), 501);
	px_bucket_owe(&bucket, 0, 20, UINT64_MAX, 500, 1000);
	ck_assert_int_eq(px_bucket_wait(&bucket, 0, 20, 1000), 0);
}
END_TEST

RUN_TESTS("bucket", burst_then_rate, saves_up_no_more_than_the_burst,
		more_than_the_burst_is_owed, without_a_limit, never_more_than_the_rate,
		what_was_counted_afterwards_is_waited_for, a_debt_has_an_end);
