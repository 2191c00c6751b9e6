/* SPDX-License-Identifier: MIT */
/* What is counted by address and user: entries that come and go, failures and their price. */
#include "tally.h"

#include "fake.h"

#include <check.h>
#include <errno.h>

static struct px_tally *tally;

static struct px_tally_entry *get(const char *key, int64_t now_ms)
{
	struct px_tally_entry *entry = px_tally_get(tally, key, px_span(key).len, now_ms);
	ck_assert_ptr_nonnull(entry);
	return entry;
}

START_TEST(the_same_key_is_the_same_entry)
{
	ck_assert_int_eq(px_tally_create(10, &tally), 0);
	struct px_tally_entry *entry = get("a", 0);
	entry->open++;
	ck_assert_ptr_eq(get("a", 5000), entry);
	ck_assert_ptr_ne(get("ab", 5000), entry);
	ck_assert_ptr_ne(get("b", 5000), entry);
	px_tally_destroy(tally);
}
END_TEST

START_TEST(a_full_table_refuses_and_recovers)
{
	ck_assert_int_eq(px_tally_create(2, &tally), 0);
	get("a", 0)->open++;
	get("b", 0);
	ck_assert_ptr_null(px_tally_get(tally, "c", 1, 0));
	/* b has nothing open: it gives its place up. */
	ck_assert_ptr_nonnull(px_tally_get(tally, "c", 1, 5000));
	ck_assert_uint_eq(get("a", 5000)->open, 1);
	px_tally_destroy(tally);
}
END_TEST

START_TEST(failures_cost_more_each_time)
{
	ck_assert_int_eq(px_tally_create(2, &tally), 0);
	struct px_tally_entry *entry = get("a", 0);
	const int64_t prices[] = { 0, 0, 100, 200, 400, 800, 1600, 3200, 6400 };
	for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
		px_tally_fail(entry, 1000);
		ck_assert_int_eq(px_tally_penalty(entry, 10, 1000), prices[i]);
	}
	ck_assert_int_eq(px_tally_penalty(entry, 10, 1000 + 6399), 1);
	ck_assert_int_eq(px_tally_penalty(entry, 10, 1000 + 6400), 0);
	px_tally_fail(entry, 10000);
	ck_assert_int_eq(px_tally_penalty(entry, 10, 10000), PX_TALLY_MEMORY_MS);
	ck_assert_int_eq(px_tally_penalty(entry, 0, 10000), 0);
	ck_assert_int_eq(px_tally_penalty(entry, 10, 10000 + PX_TALLY_MEMORY_MS), 0);
	px_tally_fail(entry, 10000 + PX_TALLY_MEMORY_MS);
	ck_assert_uint_eq(entry->failures, 1);
	px_tally_destroy(tally);
}
END_TEST

START_TEST(a_remembered_failure_keeps_the_entry)
{
	ck_assert_int_eq(px_tally_create(1, &tally), 0);
	px_tally_fail(get("a", 0), 0);
	ck_assert_ptr_null(px_tally_get(tally, "b", 1, 60000));
	ck_assert_ptr_nonnull(px_tally_get(tally, "b", 1, PX_TALLY_MEMORY_MS));
	px_tally_destroy(tally);
}
END_TEST

RUN_TESTS("tally", the_same_key_is_the_same_entry, a_full_table_refuses_and_recovers,
		failures_cost_more_each_time, a_remembered_failure_keeps_the_entry);
