/* SPDX-License-Identifier: MIT */
/* What is counted by address and user: entries that come and go, failures and their price. */
#include "net/limiter.h"

#include "fake.h"

#include <check.h>
#include <errno.h>

static struct px_limiter *limiter;

static struct px_limiter_entry *get(const char *key, int64_t now_ms)
{
	struct px_limiter_entry *entry = px_limiter_get(limiter, key, px_span(key).len, now_ms);
	ck_assert_ptr_nonnull(entry);
	return entry;
}

/* One of many, by a number. */
static struct px_limiter_entry *get_number(uint32_t number, int64_t now_ms)
{
	struct px_limiter_entry *entry = px_limiter_get(limiter, &number, sizeof(number), now_ms);
	ck_assert_ptr_nonnull(entry);
	return entry;
}

static bool knows(const char *key)
{
	return px_limiter_find(limiter, key, px_span(key).len) != NULL;
}

START_TEST(the_same_key_is_the_same_entry)
{
	ck_assert_int_eq(px_limiter_create(10, &limiter), 0);
	struct px_limiter_entry *entry = get("a", 0);
	px_limiter_hold(limiter, entry);
	ck_assert_ptr_eq(get("a", 5000), entry);
	ck_assert_ptr_ne(get("ab", 5000), entry);
	ck_assert_ptr_ne(get("b", 5000), entry);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(what_is_open_stays_and_does_not_count)
{
	ck_assert_int_eq(px_limiter_create(2, &limiter), 0);
	for (uint32_t i = 0; i < 100; i++) {
		px_limiter_hold(limiter, get_number(i, 0));
	}
	ck_assert_uint_eq(px_limiter_figures(limiter).remembered, 0);
	for (uint32_t i = 0; i < 100; i++) {
		ck_assert_uint_eq(get_number(i, 60000)->open, 1);
		px_limiter_release(limiter, get_number(i, 60000));
	}
	ck_assert_uint_le(px_limiter_figures(limiter).remembered, 2);
	(void)get("another", 60001);
	ck_assert_uint_le(px_limiter_figures(limiter).remembered, 2);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(a_full_table_forgets_the_oldest_idle_one)
{
	ck_assert_int_eq(px_limiter_create(3, &limiter), 0);
	/* None of them is blank: each has a rate that is not forgotten yet. */
	for (const char *key = "abc"; *key; key++) {
		struct px_limiter_entry *entry = px_limiter_get(limiter, key, 1, *key);
		ck_assert_ptr_nonnull(entry);
		entry->coming.full_at_ns = INT64_MAX;
	}
	(void)get("d", 1000);
	ck_assert_uint_eq(px_limiter_figures(limiter).remembered, 3);
	ck_assert_uint_eq(px_limiter_figures(limiter).evicted, 1);
	ck_assert(knows("d"));
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(strangers_cost_nobody_a_lock)
{
	ck_assert_int_eq(px_limiter_create(100, &limiter), 0);
	for (int i = 0; i < 10; i++) {
		px_limiter_fail(limiter, get("locked", 0), 10, 0);
	}
	px_limiter_fail(limiter, get("failed", 0), 10, 0);
	for (uint32_t i = 0; i < 10000; i++) {
		get_number(i, 1)->coming.full_at_ns = INT64_MAX;
	}
	ck_assert(knows("locked"));
	ck_assert(knows("failed"));
	ck_assert_uint_eq(px_limiter_locked(limiter, 1), 1);
	px_limiter_destroy(limiter);
}
END_TEST

/* Whoever has many addresses locks nobody else out: the next stranger has a place. */
START_TEST(two_hundred_thousand_failures_leave_room)
{
	ck_assert_int_eq(px_limiter_create(20000, &limiter), 0);
	for (uint32_t i = 0; i < 200000; i++) {
		ck_assert(!px_limiter_fail(limiter, get_number(i, i / 100), 10, i / 100));
	}
	ck_assert_uint_eq(px_limiter_figures(limiter).remembered, 20000);
	ck_assert_uint_eq(px_limiter_figures(limiter).evicted, 180000);
	struct px_limiter_entry *entry = get("stranger", 2001);
	ck_assert_uint_eq(entry->failures, 0);
	/* The oldest went; the latest are still known. */
	ck_assert_uint_eq(get_number(199999, 2002)->failures, 1);
	ck_assert_uint_eq(get_number(0, 2003)->failures, 0);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(what_is_open_and_has_failed_is_forgiven_for_room)
{
	ck_assert_int_eq(px_limiter_create(1, &limiter), 0);
	struct px_limiter_entry *entry = get("a", 0);
	px_limiter_hold(limiter, entry);
	px_limiter_fail(limiter, entry, 10, 0);
	(void)get("b", 1);
	ck_assert_ptr_eq(get("a", 1), entry);
	ck_assert_uint_eq(entry->failures, 0);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(failures_cost_more_each_time)
{
	ck_assert_int_eq(px_limiter_create(2, &limiter), 0);
	struct px_limiter_entry *entry = get("a", 0);
	const int64_t prices[] = { 0, 0, 100, 200, 400, 800, 1600, 3200, 6400 };
	for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
		ck_assert(!px_limiter_fail(limiter, entry, 10, 1000));
		ck_assert_int_eq(px_limiter_penalty(entry, 1000), prices[i]);
	}
	ck_assert_int_eq(px_limiter_penalty(entry, 1000 + 6399), 1);
	ck_assert_int_eq(px_limiter_penalty(entry, 1000 + 6400), 0);
	ck_assert(px_limiter_fail(limiter, entry, 10, 10000));
	ck_assert_int_eq(px_limiter_penalty(entry, 10000), PX_LIMITER_MEMORY_MS);
	ck_assert_int_eq(px_limiter_penalty(entry, 10000 + PX_LIMITER_MEMORY_MS), 0);
	px_limiter_fail(limiter, entry, 10, 10000 + PX_LIMITER_MEMORY_MS);
	ck_assert_uint_eq(entry->failures, 1);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(without_a_limit_nothing_locks)
{
	ck_assert_int_eq(px_limiter_create(2, &limiter), 0);
	for (int i = 0; i < 1000; i++) {
		ck_assert(!px_limiter_fail(limiter, get("a", 0), 0, 0));
	}
	ck_assert_uint_eq(px_limiter_locked(limiter, 0), 0);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(locks_are_listed_and_lifted)
{
	ck_assert_int_eq(px_limiter_create(10, &limiter), 0);
	for (const char *key = "abc"; *key; key++) {
		for (int i = 1; i <= 3; i++) {
			struct px_limiter_entry *entry = px_limiter_get(limiter, key, 1, *key);
			ck_assert_int_eq(px_limiter_fail(limiter, entry, 3, *key), i == 3);
		}
	}
	ck_assert_uint_eq(px_limiter_locked(limiter, 1000), 3);
	const struct px_limiter_entry *entry = NULL;
	for (const char *key = "cba"; *key; key++) {
		entry = px_limiter_next_locked(limiter, entry);
		ck_assert_int_eq(entry->key[0], *key);
	}
	ck_assert_ptr_null(px_limiter_next_locked(limiter, entry));
	px_limiter_forgive(limiter, get("b", 1000));
	ck_assert_uint_eq(px_limiter_locked(limiter, 1000), 2);
	ck_assert_int_eq(px_limiter_penalty(get("b", 1000), 1000), 0);
	ck_assert_uint_eq(px_limiter_locked(limiter, 'a' + PX_LIMITER_MEMORY_MS), 1);
	ck_assert_uint_eq(px_limiter_locked(limiter, 'c' + PX_LIMITER_MEMORY_MS), 0);
	px_limiter_destroy(limiter);
}
END_TEST

START_TEST(a_rate_is_remembered_until_it_is_forgotten)
{
	ck_assert_int_eq(px_limiter_create(10, &limiter), 0);
	ck_assert_int_eq(px_bucket_take(&get("a", 1000)->requests, 1, 10, 10, 1000), 0);
	for (int64_t now_ms = 1001; now_ms < 11000; now_ms += 100) {
		(void)get("b", now_ms);
		ck_assert(knows("a"));
	}
	(void)get("b", 11001);
	(void)get("b", 11002);
	ck_assert(!knows("a"));
	px_limiter_destroy(limiter);
}
END_TEST

/* A few at a time, so that nobody pays for all of them. */
START_TEST(what_is_forgotten_goes_a_few_at_a_time)
{
	ck_assert_int_eq(px_limiter_create(100, &limiter), 0);
	for (uint32_t i = 0; i < 10; i++) {
		(void)get_number(i, 1000);
	}
	(void)get("a", 2000);
	ck_assert_uint_eq(px_limiter_figures(limiter).remembered, 10 - 4 + 1);
	(void)get("b", 2000);
	ck_assert_uint_eq(px_limiter_figures(limiter).remembered, 10 - 8 + 2);
	px_limiter_destroy(limiter);
}
END_TEST

RUN_TESTS("limiter", the_same_key_is_the_same_entry, what_is_open_stays_and_does_not_count,
		a_full_table_forgets_the_oldest_idle_one, strangers_cost_nobody_a_lock,
		two_hundred_thousand_failures_leave_room,
		what_is_open_and_has_failed_is_forgiven_for_room, failures_cost_more_each_time,
		without_a_limit_nothing_locks, locks_are_listed_and_lifted,
		a_rate_is_remembered_until_it_is_forgotten,
		what_is_forgotten_goes_a_few_at_a_time);
