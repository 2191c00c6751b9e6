/* SPDX-License-Identifier: MIT */
/*
 * History: its three bounds, seq and epoch, what covers() promises and replay() keeps, and
 * how long a channel lives for its history alone.
 */
#include "channel/history.h"

#include "channel/channel.h"
#include "fake.h"
#include "core/session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
};
static const struct px_channel_kind kind = { .name = "log", .has_history = true };

static struct px_message *make(struct fake *fake, uint64_t number)
{
	char text[64];
	(void)snprintf(text, sizeof(text), "{\"n\":%llu}", (unsigned long long)number);
	return px_message_create(fake->broker, px_span(text));
}

static void push(struct fake *fake, struct px_history *history,
		const struct px_channel_limits *limits, uint64_t seq, int64_t now_ms)
{
	struct px_message *message = make(fake, seq);
	px_history_push(history, fake->broker, limits, &(struct px_history_entry){
		.message = message, .seq = seq, .at_ms = now_ms });
	px_message_unref(fake->broker, message);
}

/* It holds `first` to `last`, without a gap, each under its own number. */
static void expect(const struct px_history *history, uint64_t first, uint64_t last)
{
	uint32_t bytes = 0;
	ck_assert_uint_eq(history->count, last + 1 - first);
	for (uint32_t i = 0; i < history->count; i++) {
		char text[64];
		const struct px_history_entry *entry = px_history_at(history, i);
		(void)snprintf(text, sizeof(text), "{\"n\":%llu}", (unsigned long long)(first + i));
		ck_assert_uint_eq(entry->seq, first + i);
		ck_assert(px_span_equal(px_message_text(entry->message), px_span(text)));
		bytes += (uint32_t)px_message_cost(entry->message);
	}
	ck_assert_uint_eq(history->bytes, bytes);
}

START_TEST(is_bounded_by_number)
{
	struct fake *fake = fake_create(NULL);
	for (uint32_t count = 1; count < 40; count += 3) {
		struct px_history history = { 0 };
		struct px_channel_limits limits = { .history_count = count,
			.history_bytes = 1 << 20, .history_age_ms = 1 };
		for (uint64_t seq = 1; seq <= 100; seq++) {
			push(fake, &history, &limits, seq, 0);
			expect(&history, seq > count ? seq - count + 1 : 1, seq);
			ck_assert_uint_eq(fake_stats(fake).messages_live, history.count);
		}
		px_history_finish(&history, fake->broker);
		px_history_finish(&history, fake->broker);
	}
	fake_destroy(fake);
}
END_TEST

START_TEST(is_bounded_by_bytes)
{
	struct fake *fake = fake_create(NULL);
	struct px_history history = { 0 };
	struct px_message *message = make(fake, 10);
	uint32_t cost = (uint32_t)px_message_cost(message);
	px_message_unref(fake->broker, message);
	struct px_channel_limits limits = { .history_count = 100, .history_bytes = 3 * cost,
		.history_age_ms = 1 };
	for (uint64_t seq = 10; seq <= 30; seq++) {
		push(fake, &history, &limits, seq, 0);
		expect(&history, seq > 12 ? seq - 2 : 10, seq);
	}
	/* One that alone is too much leaves nothing: a gap could not be told. */
	limits.history_bytes = cost - 1;
	push(fake, &history, &limits, 31, 0);
	ck_assert_uint_eq(history.count, 0);
	ck_assert_uint_eq(history.bytes, 0);
	limits.history_bytes = 3 * cost;
	push(fake, &history, &limits, 32, 0);
	expect(&history, 32, 32);
	px_history_finish(&history, fake->broker);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_bounded_by_age)
{
	struct fake *fake = fake_create(NULL);
	struct px_history history = { 0 };
	struct px_channel_limits limits = { .history_count = 100, .history_bytes = 1 << 20,
		.history_age_ms = 50 };
	for (uint64_t seq = 1; seq <= 100; seq++) {
		push(fake, &history, &limits, seq, (int64_t)seq * 10);
		expect(&history, seq > 5 ? seq - 4 : 1, seq);
	}
	px_history_expire(&history, fake->broker, &limits, 1009);
	expect(&history, 96, 100);
	px_history_expire(&history, fake->broker, &limits, 1010);
	expect(&history, 97, 100);
	px_history_expire(&history, fake->broker, &limits, 2000);
	ck_assert_uint_eq(history.count, 0);
	px_history_finish(&history, fake->broker);
	fake_destroy(fake);
}
END_TEST

START_TEST(may_be_none_at_all)
{
	struct fake *fake = fake_create(NULL);
	static const struct px_channel_limits none[] = {
		{ .history_bytes = 1 << 20, .history_age_ms = 1000 },
		{ .history_count = 10, .history_age_ms = 1000 },
		{ .history_count = 10, .history_bytes = 1 << 20 },
	};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct px_history history = { 0 };
		push(fake, &history, &none[i], 1, 0);
		ck_assert_uint_eq(history.count, 0);
		ck_assert_ptr_null(history.entries);
		px_history_finish(&history, fake->broker);
	}
	fake_destroy(fake);
}
END_TEST

/* ---- in a channel ---- */

static const struct px_channel_limits ten = { .history_count = 10, .history_bytes = 1 << 20,
	.history_age_ms = 60000 };

static struct px_member *join(struct fake_conn *conn)
{
	struct px_member *member;
	bool is_new;
	struct px_practice *practice = conn->session->identity->practices[0].practice;
	int rc = px_channel_join(conn->session, &service, &kind, practice, px_span("x"), &ten,
			&member, &is_new);
	ck_assert_int_eq(rc, 0);
	return member;
}

static void publish(struct fake_conn *conn, struct px_channel *channel, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct px_message *message = make(conn->fake, px_channel_seq(channel) + 1);
		ck_assert_int_eq(px_channel_publish(channel, conn->session, message, conn->session),
				0);
		px_message_unref(conn->fake->broker, message);
	}
}

static bool covers(struct px_channel *channel, uint64_t seq)
{
	return px_channel_covers(channel, px_span(px_channel_epoch(channel)), seq);
}

START_TEST(numbers_what_is_published)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct px_channel *channel = px_member_channel(join(a));
	ck_assert_uint_eq(px_channel_seq(channel), 0);
	ck_assert_uint_eq(strlen(px_channel_epoch(channel)), 16);
	publish(a, channel, 3);
	ck_assert_uint_eq(px_channel_seq(channel), 3);
	fake_destroy(fake);
}
END_TEST

START_TEST(covers_what_it_can_give)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct px_channel *channel = px_member_channel(join(a));
	ck_assert(covers(channel, 0));
	ck_assert(!covers(channel, 1));
	publish(a, channel, 10);
	ck_assert(covers(channel, 0));
	publish(a, channel, 5);
	ck_assert(!covers(channel, 4));
	ck_assert(covers(channel, 5));
	ck_assert(covers(channel, 15));
	ck_assert(!covers(channel, 16));
	ck_assert(!covers(channel, UINT64_MAX));
	ck_assert(!px_channel_covers(channel, px_span("0123456789abcdef"), 15));
	ck_assert(!px_channel_covers(channel, px_span(""), 15));
	/* Once all has expired, only who missed nothing is covered. */
	fake_advance(fake, ten.history_age_ms);
	ck_assert(!covers(channel, 14));
	ck_assert(covers(channel, 15));
	fake_destroy(fake);
}
END_TEST

START_TEST(replays_in_order)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	struct px_channel *channel = px_member_channel(join(a));
	publish(a, channel, 15);
	struct px_member *member = join(b);
	px_member_replay(member, 12, UINT64_MAX);
	px_member_replay(member, 15, UINT64_MAX);
	fake_turn(fake);
	fake_expect(b, "{'n':13}");
	fake_expect(b, "{'n':14}");
	fake_expect(b, "{'n':15}");
	fake_expect_nothing(b);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_channel_lives_on_for_its_history)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	char epoch[17];
	struct px_member *member = join(a);
	strcpy(epoch, px_channel_epoch(px_member_channel(member)));
	publish(a, px_member_channel(member), 2);
	px_member_leave(member, PX_LEFT);
	ck_assert_uint_eq(fake_stats(fake).channels, 1);
	fake_advance(fake, ten.history_age_ms - 1);
	member = join(a);
	ck_assert_str_eq(px_channel_epoch(px_member_channel(member)), epoch);
	ck_assert_uint_eq(px_channel_seq(px_member_channel(member)), 2);
	/* The latest publication is what counts. */
	publish(a, px_member_channel(member), 1);
	px_member_leave(member, PX_LEFT);
	fake_advance(fake, ten.history_age_ms - 1);
	ck_assert_uint_eq(fake_stats(fake).channels, 1);
	fake_advance(fake, 1);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 0);
	/* A new life, and it says so. */
	member = join(a);
	ck_assert_str_ne(px_channel_epoch(px_member_channel(member)), epoch);
	ck_assert_uint_eq(px_channel_seq(px_member_channel(member)), 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_channel_with_members_outlives_its_history)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct px_member *member = join(a);
	publish(a, px_member_channel(member), 2);
	px_session_alive(a->session);
	fake_advance(fake, ten.history_age_ms);
	ck_assert_uint_eq(fake_stats(fake).channels, 1);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 0);
	ck_assert_uint_eq(px_channel_seq(px_member_channel(member)), 2);
	px_member_leave(member, PX_LEFT);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_destroy(fake);
}
END_TEST

/* Nobody is left to end it: the broker's end must. */
START_TEST(the_brokers_end_takes_what_history_keeps)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	publish(a, px_member_channel(join(a)), 2);
	fake_lose(a);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).channels, 1);
	fake_abandon(fake);
}
END_TEST

RUN_TESTS("history", is_bounded_by_number, is_bounded_by_bytes, is_bounded_by_age,
		may_be_none_at_all, numbers_what_is_published, covers_what_it_can_give,
		replays_in_order, a_channel_lives_on_for_its_history,
		a_channel_with_members_outlives_its_history,
		the_brokers_end_takes_what_history_keeps);
