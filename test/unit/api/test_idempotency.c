/* SPDX-License-Identifier: MIT */
/* What is remembered of publishing, for how long, and how much of it. */
#include "api/idempotency.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>

static struct px_idempotency *table;
static struct px_published published;

static enum px_idempotency_answer ask(const char *tenant, const char *key, const char *body,
		int64_t now_ms)
{
	struct px_idempotent_act act = { px_span(tenant), px_span("1"), px_span(key), px_span(body) };
	return px_idempotency_find(table, &act, now_ms, &published);
}

static void keep(const char *tenant, const char *key, const char *body, uint64_t seq)
{
	struct px_idempotent_act act = { px_span(tenant), px_span("1"), px_span(key), px_span(body) };
	px_idempotency_keep(table, &act, &(struct px_published){ .seq = seq, .delivered = 3 });
}

static void make(uint32_t most)
{
	ck_assert_int_eq(px_idempotency_create(&table), 0);
	px_idempotency_set_limit(table, most);
}

START_TEST(an_act_is_remembered_for_five_minutes)
{
	make(100);
	ck_assert_int_eq(ask("t", "k", "b", 1000), PX_IDEMPOTENCY_NEW);
	keep("t", "k", "b", 7);
	ck_assert_int_eq(ask("t", "k", "b", 1000 + PX_IDEMPOTENCY_TTL_MS - 1),
			PX_IDEMPOTENCY_DONE);
	ck_assert_uint_eq(published.seq, 7);
	ck_assert_uint_eq(published.delivered, 3);
	ck_assert_int_eq(ask("t", "k", "other", 2000), PX_IDEMPOTENCY_OTHER);
	ck_assert_int_eq(ask("t", "k", "b", 1000 + PX_IDEMPOTENCY_TTL_MS), PX_IDEMPOTENCY_NEW);
	px_idempotency_destroy(table);
}
END_TEST

START_TEST(practices_do_not_share_keys)
{
	struct px_idempotent_act act = { px_span("t"), px_span("1"), px_span("k"), px_span("b") };
	make(100);
	ck_assert_int_eq(px_idempotency_find(table, &act, 0, &published), PX_IDEMPOTENCY_NEW);
	act.practice = px_span("2");
	ck_assert_int_eq(px_idempotency_find(table, &act, 0, &published), PX_IDEMPOTENCY_NEW);
	act.body = px_span("other");
	ck_assert_int_eq(px_idempotency_find(table, &act, 0, &published), PX_IDEMPOTENCY_OTHER);
	px_idempotency_destroy(table);
}
END_TEST

START_TEST(tenants_do_not_share_keys)
{
	make(100);
	ck_assert_int_eq(ask("t", "k", "b", 0), PX_IDEMPOTENCY_NEW);
	ck_assert_int_eq(ask("u", "k", "b", 0), PX_IDEMPOTENCY_NEW);
	/* Where one part ends and the next begins makes a difference. */
	ck_assert_int_eq(ask("tk", "", "b", 0), PX_IDEMPOTENCY_NEW);
	ck_assert_int_eq(ask("", "tk", "b", 0), PX_IDEMPOTENCY_NEW);
	ck_assert_uint_eq(px_idempotency_count(table), 4);
	px_idempotency_destroy(table);
}
END_TEST

START_TEST(what_failed_is_forgotten)
{
	make(100);
	struct px_idempotent_act act = { px_span("t"), px_span("1"), px_span("k"), px_span("b") };
	ck_assert_int_eq(ask("t", "k", "b", 0), PX_IDEMPOTENCY_NEW);
	px_idempotency_forget(table, &act);
	ck_assert_uint_eq(px_idempotency_count(table), 0);
	px_idempotency_forget(table, &act);
	ck_assert_int_eq(ask("t", "k", "b", 0), PX_IDEMPOTENCY_NEW);
	px_idempotency_destroy(table);
}
END_TEST

START_TEST(there_is_a_bound_and_half_of_it_for_each_tenant)
{
	char key[16];
	make(10);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		ck_assert_int_eq(ask("t", key, "b", i), PX_IDEMPOTENCY_NEW);
		ck_assert_int_eq(ask("u", key, "b", i), PX_IDEMPOTENCY_NEW);
	}
	ck_assert_int_eq(ask("t", "5", "b", 5), PX_IDEMPOTENCY_FULL);
	ck_assert_int_eq(ask("v", "0", "b", 5), PX_IDEMPOTENCY_FULL);
	ck_assert_uint_eq(px_idempotency_count(table), 10);
	/* As the oldest go, there is room again. */
	ck_assert_int_eq(ask("t", "5", "b", PX_IDEMPOTENCY_TTL_MS), PX_IDEMPOTENCY_NEW);
	px_idempotency_destroy(table);
	make(0);
	ck_assert_int_eq(ask("t", "k", "b", 0), PX_IDEMPOTENCY_FULL);
	px_idempotency_destroy(table);
	px_idempotency_destroy(NULL);
}
END_TEST

RUN_TESTS("idempotency", an_act_is_remembered_for_five_minutes, practices_do_not_share_keys,
		tenants_do_not_share_keys, what_failed_is_forgotten,
		there_is_a_bound_and_half_of_it_for_each_tenant);
