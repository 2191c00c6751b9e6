/* SPDX-License-Identifier: MIT */
/*
 * What a session may cost: every message takes its place first, answers are charged, acts are few.
 */
#include "core/session.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static unsigned handled;

/* Answers with as many bytes as it is asked for. */
static int handle_much(struct px_call *call)
{
	static char text[65536];
	struct px_json json;
	handled++;
	memset(text, 'x', sizeof(text));
	px_json_begin(&json, "rate_much");
	px_json_string(&json, "text", (struct px_span){ text, 60000 });
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static int handle_act(struct px_call *call)
{
	handled++;
	return px_envelope_field(call->message, "fails") ?
			px_call_fail(call, PX_E_ROOM_FULL, NULL, "The room is full.") : 0;
}

static const struct px_command commands[] = {
	{ .type = "rate_act", .handle = handle_act, .roles = PX_ROLES_ALL, .acts = true },
	{ .type = "rate_much", .handle = handle_much, .roles = PX_ROLES_ALL },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "rate",
	.summary = "costs something",
	.commands = commands,
	.command_count = 2,
};

static struct fake *create(void)
{
	struct px_limits limits = fake_limits();
	limits.messages_per_s = 10;
	limits.messages_burst = 20;
	limits.bytes_per_s = 10000;
	limits.bytes_burst = 100000;
	limits.acts_per_s = 1;
	limits.acts_burst = 5;
	struct fake *fake = fake_create(&limits);
	fake_add_service(fake, &service, NULL);
	handled = 0;
	return fake;
}

/* Says it until it is over the rate; how often it was not. */
static unsigned say_until_limited(struct fake_conn *conn, const char *text)
{
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t before = conn->fake->broker->stats.rate_limited;
		fake_say(conn, text);
		if (conn->fake->broker->stats.rate_limited > before) {
			return i;
		}
	}
	return 1000;
}

START_TEST(every_message_takes_its_place_first)
{
	static const char *const texts[] = {
		"x", "[]", "{}", "{\"type\":7}", "{\"type\":\"X\"}", "{\"type\":\"ping\"}",
		"{\"type\":\"ping\",\"id\":{}}", "{\"type\":\"received\",\"n\":0}",
		"{\"type\":\"received\",\"n\":-1}", "{\"type\":\"auth\"}",
		"{\"type\":\"auth\",\"token\":7}", "{\"type\":\"rate_none\"}",
		"{\"type\":\"none_none\"}", "{\"type\":\"rate_act\",\"id\":1.5}",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fake *fake = create();
		struct fake_conn *conn = fake_open(fake, WHO(0));
		/* Nonsense is borne ten times; it takes its place until then. */
		fake->broker->limits.messages_burst = 8;
		ck_assert_msg(say_until_limited(conn, texts[i]) == 8, "%s", texts[i]);
		fake_destroy(fake);
	}
}
END_TEST

START_TEST(what_was_dropped_is_answered_by_its_name)
{
	struct fake *fake = create();
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ck_assert_uint_eq(say_until_limited(conn, "{\"type\":\"ping\"}"), 20);
	while (fake_next(conn)) {
	}
	fake_say(conn, "{\"type\":\"rate_act\",\"id\":\"a\"}");
	fake_expect(conn, "{'type':'error','code':'rate_limited','ref':'rate_act','id':'a',"
			"'retryAfterMs':100}");
	fake_say(conn, "{\"type\":\"rate_act\",\"id\":{}}");
	fake_expect(conn, "{'type':'error','code':'rate_limited','ref':'rate_act'}");
	fake_say(conn, "{]");
	fake_expect(conn, "{'type':'error','code':'rate_limited'}");
	ck_assert_uint_eq(handled, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(who_goes_on_regardless_is_closed_whatever_it_sends)
{
	static const char *const texts[] = { "x", "{\"type\":\"ping\",\"id\":{}}", "{\"type\":\"ping\"}" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fake *fake = create();
		struct fake_conn *conn = fake_open(fake, WHO(0));
		(void)say_until_limited(conn, "{\"type\":\"ping\"}");
		for (int n = 0; n < 200 && conn->close_code == FAKE_OPEN; n++) {
			fake_say(conn, texts[i]);
			fake_turn(fake);
		}
		ck_assert_int_eq(conn->close_code, PX_CLOSE_FLOODING);
		fake_destroy(fake);
	}
}
END_TEST

START_TEST(answers_are_charged)
{
	struct fake *fake = create();
	struct fake_conn *conn = fake_open(fake, WHO(0));
	/* 100,000 bytes at once: two answers of 60,000, and a wait until what is over is paid. */
	ck_assert_uint_eq(say_until_limited(conn, "{\"type\":\"rate_much\"}"), 2);
	ck_assert_uint_eq(handled, 2);
	while (fake_next(conn)) {
	}
	fake_advance(fake, 1800);
	ck_assert_uint_eq(say_until_limited(conn, "{\"type\":\"rate_much\"}"), 0);
	fake_advance(fake, 300);
	ck_assert_uint_eq(say_until_limited(conn, "{\"type\":\"rate_much\"}"), 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(acts_have_a_bucket_of_their_own)
{
	struct fake *fake = create();
	struct fake_conn *conn = fake_open(fake, WHO(0));
	/* What was not done is none. */
	for (int i = 0; i < 8; i++) {
		fake_say(conn, "{\"type\":\"rate_act\",\"fails\":1}");
		fake_expect(conn, "{'type':'error','code':'room_full'}");
	}
	ck_assert_uint_eq(say_until_limited(conn, "{\"type\":\"rate_act\"}"), 5);
	fake_expect(conn, "{'type':'error','code':'rate_limited','ref':'rate_act',"
			"'retryAfterMs':1000}");
	fake_say(conn, "{\"type\":\"ping\"}");
	fake_expect(conn, "{'type':'pong'}");
	fake_advance(fake, 1000);
	ck_assert_uint_eq(say_until_limited(conn, "{\"type\":\"rate_act\"}"), 1);
	struct px_stats stats;
	px_broker_stats(fake->broker, &stats);
	ck_assert_uint_eq(stats.acts_limited, 2);
	fake_destroy(fake);
}
END_TEST

START_TEST(pongs_are_counted)
{
	struct fake *fake = create();
	struct fake_conn *conn = fake_open(fake, WHO(0));
	for (int i = 0; i < 20 + 101; i++) {
		ck_assert_int_eq(conn->close_code, FAKE_OPEN);
		px_session_ponged(conn->session);
	}
	fake_turn(fake);
	ck_assert_int_eq(conn->close_code, PX_CLOSE_FLOODING);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("rate", every_message_takes_its_place_first, what_was_dropped_is_answered_by_its_name,
		who_goes_on_regardless_is_closed_whatever_it_sends, answers_are_charged,
		acts_have_a_bucket_of_their_own, pongs_are_counted);
