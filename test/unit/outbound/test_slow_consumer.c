/* SPDX-License-Identifier: MIT */
/*
 * Readers that are behind: what a newer message with the same key spares them, when, and when
 * nothing helps; messages that wait too long; and what one who comes back is spared.
 */
#include "channel/channel.h"
#include "core/session.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 4096
#define AGE_MS 30000

/* ---- a service whose messages have keys ---- */

static const struct px_channel_kind kind = { .name = "board", .has_history = true };
static const struct px_service service;

static struct px_channel *enter(struct px_session *session, struct px_practice *practice)
{
	static const struct px_channel_limits limits = { .history_count = 100,
		.history_bytes = 100000, .history_age_ms = 1000000 };
	struct px_member *member;
	bool is_new;
	ck_assert_int_eq(px_channel_join(session, &service, &kind, practice, px_span(""), &limits,
			&member, &is_new), 0);
	return px_member_channel(member);
}

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	(void)state;
	enter(session, practice);
}

static int handle_put(struct px_call *call)
{
	char key[PX_NAME_MAX + 1];
	if (px_envelope_string(call->message, "key", key, sizeof(key), &call->key.len) == 0) {
		call->key.data = key;
	}
	struct px_channel *channel = enter(call->session, call->practice);
	struct px_message *message = px_call_forward(call, px_channel_seq(channel) + 1);
	px_channel_announce(channel, message, call->session);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

static int handle_replay(struct px_call *call)
{
	(void)enter(call->session, call->practice);
	px_member_replay(px_session_member(call->session, &kind, call->practice, px_span("")), 0,
			UINT64_MAX);
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "slow_put", .handle = handle_put, .roles = PX_ROLES_TEAM },
	{ .type = "slow_replay", .handle = handle_replay, .roles = PX_ROLES_TEAM },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "slow",
	.commands = commands,
	.command_count = 2,
	.enter = on_enter,
};

static struct fake *begin(void)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = LIMIT;
	limits.queue_age_ms = AGE_MS;
	limits.heartbeat_ms = 0;
	struct fake *fake = fake_create(&limits);
	fake_add_service(fake, &service, NULL);
	return fake;
}

/* Some 300 bytes, and a turn. `key` NULL: none. */
static void put(struct fake_conn *from, int n, const char *practice, const char *key)
{
	char text[512];
	char quoted[64] = "";
	if (key) {
		(void)snprintf(quoted, sizeof(quoted), ",\"key\":\"%s\"", key);
	}
	(void)snprintf(text, sizeof(text), "{\"type\":\"slow_put\",\"practiceId\":%s,\"n\":%d%s,"
			"\"pad\":\"%0200d\"}", practice, n, quoted, 0);
	fake_say(from, text);
}

static void expect(struct fake_conn *conn, int n)
{
	char pattern[32];
	(void)snprintf(pattern, sizeof(pattern), "{'n':%d}", n);
	fake_expect(conn, pattern);
}

static void let_read(struct fake_conn *conn)
{
	fake_unblock(conn);
	fake_turn(conn->fake);
}

/* ---- what is replaced ---- */

START_TEST(the_newest_of_a_key_is_enough)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *quick = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	put(ann, 1, "1", NULL);
	for (int n = 2; n < 200; n++) {
		put(ann, n, "1", n % 2 ? "odd" : "even");
		ck_assert_uint_le(slow->session->queue.bytes, LIMIT);
	}
	struct px_stats stats = fake_stats(fake);
	ck_assert_uint_eq(stats.slow_readers, 0);
	ck_assert_uint_gt(stats.replaced, 150);
	ck_assert_uint_gt(stats.replaced_bytes, 150 * 200);
	ck_assert_uint_eq(stats.queue_bytes, slow->session->queue.bytes);
	for (int n = 1; n < 200; n++) {
		expect(quick, n);
	}
	let_read(slow);
	/* In order, with gaps; what has no key is there, and the last of each key. */
	expect(slow, 1);
	int last = 1;
	int seen = 1;
	for (const char *text; *(text = fake_text(slow)) != '\0'; seen++) {
		int n = atoi(strstr(text, "\"n\":") + 4);
		ck_assert_int_gt(n, last);
		ck_assert_int_eq(atoi(strstr(text, "\"seq\":") + 6), n);
		last = n;
	}
	ck_assert_int_eq(last, 199);
	ck_assert_uint_eq(seen + stats.replaced, 199);
	fake_destroy(fake);
}
END_TEST

START_TEST(nothing_is_replaced_before_it_must)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	for (int n = 0; n < 10; n++) {
		put(ann, n, "1", "k");
	}
	let_read(slow);
	for (int n = 0; n < 10; n++) {
		expect(slow, n);
	}
	/* Nor for one who takes what he is given, however much it is at once. */
	for (int n = 0; n < 100; n++) {
		char text[400];
		(void)snprintf(text, sizeof(text), "{\"type\":\"slow_put\",\"practiceId\":1,"
				"\"n\":%d,\"key\":\"k\",\"pad\":\"%0200d\"}", n, 0);
		fake_send(ann, text);
	}
	fake_turn(fake);
	for (int n = 0; n < 100; n++) {
		expect(slow, n);
	}
	ck_assert_uint_eq(fake_stats(fake).replaced, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(keys_belong_to_their_practice)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2"));
	struct fake_conn *slow = fake_open(fake, WHO(.practices = "1 2"));
	slow->busy = true;
	put(ann, 0, "2", "k");
	put(ann, 1, "1", "other");
	for (int n = 2; n < 40; n++) {
		put(ann, n, "1", "k");
	}
	ck_assert_uint_gt(fake_stats(fake).replaced, 0);
	let_read(slow);
	expect(slow, 0);
	expect(slow, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(an_empty_key_is_none)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	for (int n = 0; n < 20; n++) {
		put(ann, n, "1", "");
	}
	ck_assert_uint_eq(fake_stats(fake).replaced, 0);
	ck_assert_uint_eq(fake_stats(fake).slow_readers, 1);
	fake_destroy(fake);
}
END_TEST

/* ---- when it does not help ---- */

START_TEST(who_is_owed_too_much_is_given_up)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	int n = 0;
	uint32_t owed = 0;
	uint32_t owed_bytes = 0;
	for (; slow->session->phase == PX_SESSION_OPEN; n++) {
		owed = slow->session->queue.count;
		owed_bytes = slow->session->queue.bytes;
		put(ann, n, "1", NULL);
	}
	struct px_stats stats = fake_stats(fake);
	ck_assert_uint_eq(stats.slow_readers, 1);
	ck_assert_uint_eq(stats.slow_by_age, 0);
	ck_assert_uint_eq(stats.replaced, 0);
	ck_assert_uint_eq(stats.dropped, owed);
	ck_assert_uint_eq(stats.dropped_bytes, owed_bytes);
	ck_assert_uint_eq(stats.queue_bytes, 0);
	let_read(slow);
	ck_assert_int_eq(slow->close_code, PX_CLOSE_SLOW);
	fake_destroy(fake);
}
END_TEST

/* One message out of many that can go: looking for it each time would cost more than it brings. */
START_TEST(a_pass_has_to_be_worth_it)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	put(ann, 0, "1", "k");
	for (int n = 1; slow->session->queue.bytes < LIMIT - 400; n++) {
		put(ann, n, "1", NULL);
	}
	ck_assert_int_eq(slow->session->phase, PX_SESSION_OPEN);
	for (int n = 100; n < 103; n++) {
		put(ann, n, "1", "k");
	}
	ck_assert_int_eq(slow->session->phase, PX_SESSION_CLOSING);
	ck_assert_uint_eq(fake_stats(fake).slow_readers, 1);
	fake_destroy(fake);
}
END_TEST

/* ---- age ---- */

START_TEST(a_message_waits_so_long_and_no_longer)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	fake_advance(fake, 100000);
	slow->busy = true;
	put(ann, 1, "1", NULL);
	fake_advance(fake, AGE_MS - 1);
	put(ann, 2, "1", NULL);
	ck_assert_int_eq(slow->session->phase, PX_SESSION_OPEN);
	ck_assert_int_eq(px_broker_deadline(fake->broker), fake->mono_ms + 1);
	fake_advance(fake, 1);
	ck_assert_int_eq(slow->session->phase, PX_SESSION_CLOSING);
	ck_assert_uint_eq(fake_stats(fake).slow_readers, 1);
	ck_assert_uint_eq(fake_stats(fake).slow_by_age, 1);
	ck_assert_uint_eq(fake_stats(fake).dropped, 2);
	fake_turn(fake);
	let_read(slow);
	ck_assert_int_eq(slow->close_code, PX_CLOSE_SLOW);
	fake_expect_nothing(slow);
	fake_destroy(fake);
}
END_TEST

START_TEST(who_reads_on_is_not_late)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	for (int n = 0; n < 40; n++) {
		put(ann, 2 * n, "1", NULL);
		put(ann, 2 * n + 1, "1", NULL);
		fake_advance(fake, AGE_MS - 1);
		/* Takes one write's worth, and is full again. */
		fake_unblock(slow);
		slow->busy_after = 1;
		fake_turn(fake);
		ck_assert_int_eq(slow->session->phase, PX_SESSION_OPEN);
	}
	slow->busy_after = 0;
	let_read(slow);
	for (int n = 0; n < 80; n++) {
		expect(slow, n);
	}
	/* One whose queue is empty may be silent for ever. */
	slow->busy = true;
	fake_advance(fake, 10 * AGE_MS);
	ck_assert_int_eq(slow->session->phase, PX_SESSION_OPEN);
	fake_destroy(fake);
}
END_TEST

START_TEST(what_the_server_has_not_written_is_not_the_readers_fault)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *bob = fake_open(fake, WHO(0));
	char text[] = "{\"type\":\"slow_put\",\"practiceId\":1,\"n\":1}";
	fake_send(ann, text); /* and the turn does not end */
	fake_advance(fake, 10 * AGE_MS);
	ck_assert_int_eq(bob->session->phase, PX_SESSION_OPEN);
	fake_turn(fake);
	expect(bob, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(age_may_be_without_limit)
{
	struct px_limits limits = fake_limits();
	limits.queue_age_ms = 0;
	limits.heartbeat_ms = 0;
	struct fake *fake = fake_create(&limits);
	fake_add_service(fake, &service, NULL);
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *slow = fake_open(fake, WHO(0));
	slow->busy = true;
	put(ann, 1, "1", NULL);
	fake_advance(fake, 10 * AGE_MS);
	ck_assert_int_eq(slow->session->phase, PX_SESSION_OPEN);
	let_read(slow);
	expect(slow, 1);
	fake_destroy(fake);
}
END_TEST

/* ---- coming back ---- */

START_TEST(who_comes_back_gets_the_newest_of_each_key)
{
	static const char *const keys[] = { "a", "b", "a", "a", NULL, "b", "a", NULL };
	static const int wanted[] = { 4, 5, 6, 7 };
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	for (int n = 0; n < 8; n++) {
		put(ann, n, "1", keys[n]);
	}
	struct fake_conn *late = fake_open(fake, WHO(0));
	fake_say(late, "{\"type\":\"slow_replay\",\"practiceId\":1}");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		expect(late, wanted[i]);
	}
	fake_expect_nothing(late);
	ck_assert_uint_eq(fake_stats(fake).replaced, 0);
	fake_destroy(fake);
}
END_TEST

/* What is kept for one without a connection is bounded, too, and made room in the same way. */
START_TEST(who_is_away_is_spared_the_same)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 100000;
	limits.detached_sessions = 10;
	limits.resume_messages = 10;
	struct fake *fake = fake_create(&limits);
	fake_add_service(fake, &service, NULL);
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct fake_conn *away = fake_open(fake, WHO(.versioned = true, .authenticated = true,
			.user = "7"));
	fake_lose(away);
	fake_turn(fake);
	put(ann, 0, "1", NULL);
	for (int n = 1; n < 50; n++) {
		put(ann, n, "1", n % 2 ? "odd" : "even");
	}
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	ck_assert_uint_gt(fake_stats(fake).replaced, 30);
	struct fake_conn *back = fake_resume(fake, WHO(.versioned = true, .authenticated = true,
			.user = "7",
			.resume = away->token));
	expect(back, 0);
	int last = 0;
	for (const char *text; *(text = fake_text(back)) != '\0';) {
		int n = atoi(strstr(text, "\"n\":") + 4);
		ck_assert_int_gt(n, last);
		last = n;
	}
	ck_assert_int_eq(last, 49);
	/* Without keys there is nothing to spare. */
	fake_lose(back);
	fake_turn(fake);
	for (int n = 0; n < 20; n++) {
		put(ann, n, "1", NULL);
	}
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("slow_consumer", who_is_away_is_spared_the_same,
		the_newest_of_a_key_is_enough, nothing_is_replaced_before_it_must,
		keys_belong_to_their_practice, an_empty_key_is_none,
		who_is_owed_too_much_is_given_up, a_pass_has_to_be_worth_it,
		a_message_waits_so_long_and_no_longer, who_reads_on_is_not_late,
		what_the_server_has_not_written_is_not_the_readers_fault, age_may_be_without_limit,
		who_comes_back_gets_the_newest_of_each_key);
