/* SPDX-License-Identifier: MIT */
/*
 * Saving and loading: what a broker wrote, the next has; what has no place there goes; what
 * makes no sense is refused whole, and leaves nothing behind.
 */
#include "channel/channel.h"
#include "core/message.h"
#include "core/session.h"
#include "state_text.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000

/* ---- a service: a log that is numbered, and rooms that are not ---- */

static uint32_t room_members;
static struct px_channel_limits log_limits;

struct room {
	int64_t number;
};

static const struct px_channel_kind log_kind = { .name = "log", .has_history = true };
static const struct px_channel_kind room_kind = { .name = "room", .is_room = true,
	.state_size = sizeof(struct room) };

static void get_log_limits(void *state, struct px_channel_limits *ret_limits)
{
	(void)state;
	*ret_limits = log_limits;
}

static void get_room_limits(void *state, struct px_channel_limits *ret_limits)
{
	(void)state;
	ret_limits->members = room_members;
}

static void save_room(void *state, struct px_channel *channel, struct px_json *json)
{
	const struct room *room = px_channel_state(channel);
	(void)state;
	px_json_int(json, "number", room->number);
}

static int restore_room(void *state, struct px_channel *channel, struct json_object *saved)
{
	struct room *room = px_channel_state(channel);
	(void)state;
	return px_json_get_int(saved, "number", 0, 100, &room->number) ? 0 : -EINVAL;
}

static const struct px_snapshot_ops snapshot_ops[] = {
	{ .kind = &log_kind, .limits = get_log_limits },
	{ .kind = &room_kind, .limits = get_room_limits, .save = save_room,
		.restore = restore_room },
	{ .kind = NULL },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.snapshot_ops = snapshot_ops,
};

static int load(struct fake *fake, const char *text, int64_t elapsed_ms,
		struct px_state_counts *ret_counts)
{
	return state_text_load(fake, text, strlen(text), elapsed_ms, ret_counts);
}

/* ---- brokers ---- */

static struct fake *begin(void)
{
	struct fake *fake = fake_create(NULL);
	log_limits = (struct px_channel_limits){ .history_count = 8, .history_bytes = 4096,
		.history_age_ms = 10 * MINUTE_MS };
	room_members = 4;
	(void)fake_add_service(fake, &service, NULL);
	return fake;
}

static struct px_channel *join(struct fake_conn *conn, const struct px_channel_kind *kind,
		const char *practice, const char *name)
{
	const struct px_held *held = px_identity_find(conn->session->identity, px_span(practice));
	const struct px_channel_limits limits = kind == &log_kind ? log_limits :
			(struct px_channel_limits){ .members = room_members };
	struct px_member *member;
	bool is_new;
	ck_assert_int_eq(px_channel_join(conn->session, &service, kind, held->practice,
			px_span(name), &limits, &member, &is_new), 0);
	return px_member_channel(member);
}

static void publish(struct fake *fake, struct px_channel *channel, const char *text)
{
	struct px_message *message = px_message_create(fake->broker, px_span(text));
	px_channel_announce(channel, message, NULL);
	px_message_unref(fake->broker, message);
}

static bool covers(struct px_channel *channel, const char *epoch, uint64_t seq)
{
	return px_channel_covers(channel, px_span(epoch), seq);
}

/* ---- tests ---- */

START_TEST(an_empty_broker_has_a_state)
{
	struct px_state_counts counts;
	struct state_text text = state_text_end(begin());
	ck_assert_str_eq(text.data, "{\"order\":0}\n");
	struct fake *fake = begin();
	ck_assert_int_eq(load(fake, text.data, 0, &counts), 0);
	ck_assert_uint_eq(counts.channels, 0);
	free(text.data);
	fake_destroy(fake);
}
END_TEST

START_TEST(histories_are_handed_on)
{
	static const char odd[] = "{\"n\":12345678901234567890.10,\"t\":\"\\u0000\\ud83d\\ude00\xc3\xa9\"}";
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 \"two\""));
	struct px_channel *one = join(ann, &log_kind, "1", "");
	struct px_channel *two = join(ann, &log_kind, "two", "n\"ame");
	char epoch[17];
	strcpy(epoch, px_channel_epoch(one));
	for (int i = 0; i < 12; i++) {
		publish(fake, one, i == 11 ? odd : "{\"a\":1}");
		fake_advance(fake, 1000);
	}
	publish(fake, two, "{}");
	struct state_text text = state_text_end(fake);

	fake = begin();
	fake->random = 4711; /* other secrets: what is the same was in the state */
	struct px_state_counts counts;
	ck_assert_int_eq(load(fake, text.data, 5000, &counts), 0);
	ck_assert_uint_eq(counts.channels, 2);
	ck_assert_uint_eq(counts.updates, 9);
	ann = fake_open(fake, WHO(.practices = "1"));
	one = join(ann, &log_kind, "1", "");
	ck_assert_str_eq(px_channel_epoch(one), epoch);
	ck_assert_uint_eq(px_channel_seq(one), 12);
	ck_assert(covers(one, epoch, 4));
	ck_assert(!covers(one, epoch, 3));
	ck_assert(covers(one, epoch, 12));
	ck_assert(!covers(one, epoch, 13));
	px_member_replay(ann->session->members, 10, UINT64_MAX);
	fake_turn(fake);
	ck_assert_str_eq(fake_text(ann), "{\"a\":1}");
	ck_assert_str_eq(fake_text(ann), odd);
	publish(fake, one, "{}");
	ck_assert_uint_eq(px_channel_seq(one), 13);
	free(text.data);
	fake_destroy(fake);
}
END_TEST

START_TEST(keys_are_handed_on)
{
	static const char *const keys[] = { "a", "b\"", "a", "" };
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(0));
	struct px_channel *one = join(ann, &log_kind, "1", "");
	for (int i = 0; i < 4; i++) {
		char text[16];
		(void)snprintf(text, sizeof(text), "{\"n\":%d}", i);
		struct px_message *message = px_message_text_keyed(fake->broker, px_span(text),
				px_channel_practice(one), &service, px_span(keys[i]));
		px_channel_announce(one, message, ann->session);
		px_message_unref(fake->broker, message);
	}
	struct state_text text = state_text_end(fake);
	fake = begin();
	struct px_state_counts counts;
	ck_assert_int_eq(load(fake, text.data, 0, &counts), 0);
	ann = fake_open(fake, WHO(0));
	one = join(ann, &log_kind, "1", "");
	px_member_replay(px_session_member(ann->session, &log_kind, px_channel_practice(one),
			px_span("")), 0, UINT64_MAX);
	fake_turn(fake);
	for (int i = 1; i < 4; i++) {
		fake_expect(ann, i == 1 ? "{'n':1}" : i == 2 ? "{'n':2}" : "{'n':3}");
	}
	fake_expect_nothing(ann);
	free(text.data);
	fake_destroy(fake);
}
END_TEST

START_TEST(the_same_state_makes_the_same_text)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2 \"x\"", .tenant = "a"));
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "1 3", .tenant = "b"));
	publish(fake, join(ann, &log_kind, "1", ""), "{\"a\":1}");
	publish(fake, join(bob, &log_kind, "1", ""), "{\"b\":1}");
	publish(fake, join(ann, &log_kind, "2", "z"), "{}");
	publish(fake, join(ann, &log_kind, "2", "zz"), "{}");
	publish(fake, join(bob, &log_kind, "3", ""), "{}");
	fake_advance(fake, 1234);
	struct state_text first = state_text_end(fake);

	struct px_state_counts counts;
	fake = begin();
	fake->random = 99;
	ck_assert_int_eq(load(fake, first.data, 0, &counts), 0);
	ck_assert_uint_eq(counts.channels, 5);
	struct state_text second = state_text_end(fake);
	ck_assert_str_eq(first.data, second.data);
	free(first.data);
	free(second.data);
}
END_TEST

START_TEST(time_that_passed_counts)
{
	struct fake *fake = begin();
	struct px_channel *channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	char epoch[17];
	strcpy(epoch, px_channel_epoch(channel));
	publish(fake, channel, "{}");
	fake_advance(fake, 4 * MINUTE_MS);
	publish(fake, channel, "{}");
	struct state_text text = state_text_end(fake);

	struct px_state_counts counts;
	fake = begin();
	ck_assert_int_eq(load(fake, text.data, 6 * MINUTE_MS - 1, &counts), 0);
	channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	ck_assert(covers(channel, epoch, 0));
	fake_advance(fake, 1);
	ck_assert(!covers(channel, epoch, 0));
	ck_assert(covers(channel, epoch, 1));
	fake_destroy(fake);

	fake = begin();
	ck_assert_int_eq(load(fake, text.data, 6 * MINUTE_MS, &counts), 0);
	channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	ck_assert(!covers(channel, epoch, 0));
	ck_assert(covers(channel, epoch, 1));
	fake_destroy(fake);
	free(text.data);
}
END_TEST

/* A practice in which nothing happened for an hour: its screens have missed nothing. */
START_TEST(a_number_outlives_its_history_until_its_clients_are_back)
{
	struct fake *fake = begin();
	struct px_channel *channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	char epoch[17];
	strcpy(epoch, px_channel_epoch(channel));
	publish(fake, channel, "{}");
	fake_advance(fake, 60 * MINUTE_MS);
	struct state_text text = state_text_end(fake);

	struct px_state_counts counts;
	fake = begin();
	ck_assert_int_eq(load(fake, text.data, 0, &counts), 0);
	fake_advance(fake, 10 * MINUTE_MS - 1);
	struct fake_conn *ann = fake_open(fake, WHO(0));
	channel = join(ann, &log_kind, "1", "");
	ck_assert(covers(channel, epoch, 1));
	ck_assert(!covers(channel, epoch, 0));
	fake_advance(fake, MINUTE_MS);
	fake_lose(ann);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_destroy(fake);

	fake = begin();
	ck_assert_int_eq(load(fake, text.data, 0, &counts), 0);
	fake_advance(fake, 10 * MINUTE_MS);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_destroy(fake);
	free(text.data);
}
END_TEST

START_TEST(the_limits_are_those_of_now)
{
	struct fake *fake = begin();
	struct px_channel *channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	char epoch[17];
	strcpy(epoch, px_channel_epoch(channel));
	for (int i = 0; i < 8; i++) {
		publish(fake, channel, "{}");
	}
	struct state_text text = state_text_end(fake);

	struct px_state_counts counts;
	fake = begin();
	log_limits.history_count = 3;
	ck_assert_int_eq(load(fake, text.data, 0, &counts), 0);
	channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	ck_assert_uint_eq(px_channel_seq(channel), 8);
	ck_assert(covers(channel, epoch, 5));
	ck_assert(!covers(channel, epoch, 4));
	fake_destroy(fake);
	free(text.data);
}
END_TEST

START_TEST(what_has_no_place_is_left_out)
{
	static const char strange[] = "{\"order\":0}\n"
		"{\"channel\":\"gone\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"1\","
		"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":1,\"age\":0,\"state\":{}}\n"
		"{\"update\":1,\"age\":0,\"text\":\"{}\"}\n"
		"{\"channel\":\"probe\",\"kind\":\"other\",\"tenant\":\"t\",\"practice\":\"1\","
		"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":1,\"age\":0,\"state\":{}}\n"
		/* A room in which nobody is. */
		"{\"channel\":\"probe\",\"kind\":\"room\",\"tenant\":\"t\",\"practice\":\"1\","
		"\"name\":\"r\",\"epoch\":\"0123456789abcdef\",\"seq\":0,\"age\":0,\"state\":{\"number\":7}}\n";
	struct px_state_counts counts;
	struct fake *fake = begin();
	ck_assert_int_eq(load(fake, strange, 0, &counts), 0);
	ck_assert_uint_eq(counts.dropped_channels, 2);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(more_channels_than_there_may_be)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2 3 4 5"));
	static const char *const ids[] = { "1", "2", "3", "4", "5" };
	for (size_t i = 0; i < 5; i++) {
		publish(fake, join(ann, &log_kind, ids[i], ""), "{}");
	}
	struct state_text text = state_text_end(fake);

	struct px_limits limits = fake_limits();
	struct px_state_counts counts;
	limits.channels = 2;
	fake = fake_create(&limits);
	(void)fake_add_service(fake, &service, NULL);
	ck_assert_int_eq(load(fake, text.data, 0, &counts), 0);
	ck_assert_uint_eq(counts.dropped_channels, 3);
	ck_assert_uint_eq(fake_stats(fake).channels, 2);
	fake_destroy(fake);
	free(text.data);
}
END_TEST

#define CHANNEL(seq) "{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"1\"," \
	"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":" seq ",\"age\":0,\"state\":{}}\n"
#define UPDATE(seq) "{\"update\":" seq ",\"age\":0,\"text\":\"{}\"}\n"

START_TEST(nonsense_is_refused_and_leaves_nothing)
{
	static const char *const nonsense[] = {
		"\n",
		"x\n",
		"[]\n",
		"{}\n",
		"{\"order\":-1}\n",
		"{\"order\":\"1\"}\n",
		"{\"order\":1\n",
		"{\"unheard\":1}\n",
		CHANNEL("-1"),
		CHANNEL("\"1\""),
		CHANNEL("1") CHANNEL("1"),
		/* Histories that lack something, and would not say so. */
		CHANNEL("2") UPDATE("1"),
		CHANNEL("2") UPDATE("3"),
		CHANNEL("3") UPDATE("1") UPDATE("3"),
		CHANNEL("3") UPDATE("2") UPDATE("2") UPDATE("3"),
		CHANNEL("3") UPDATE("3") UPDATE("2"),
		CHANNEL("1") UPDATE("0"),
		CHANNEL("1") "{\"update\":1,\"age\":-1,\"text\":\"{}\"}\n",
		CHANNEL("1") "{\"update\":1,\"age\":9223372036854775807,\"text\":\"{}\"}\n",
		CHANNEL("1") "{\"update\":1,\"age\":0,\"text\":{}}\n",
		CHANNEL("1") "{\"update\":1,\"age\":0,\"key\":1,\"text\":\"{}\"}\n",
		CHANNEL("1") "{\"update\":1,\"age\":0,\"text\":\"\"}\n",
		CHANNEL("1") "{\"update\":1,\"age\":0,\"text\":\"{}{}\"}\n",
		CHANNEL("1") "{\"update\":1,\"age\":0,\"text\":\"{\\\"a\\\":NaN}\"}\n",
		CHANNEL("1") "{\"update\":1,\"age\":0,\"text\":\"[1]\"}\n",
		"{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"1\","
			"\"name\":\"\",\"epoch\":\"0123456789abcdeF\",\"seq\":1,\"age\":0,\"state\":{}}\n",
		"{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"1\","
			"\"name\":\"\",\"epoch\":\"0123456789abcde\",\"seq\":1,\"age\":0,\"state\":{}}\n",
		"{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"\","
			"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":1,\"age\":0,\"state\":{}}\n",
		"{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"\\u0000\",\"practice\":\"1\","
			"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":1,\"age\":0,\"state\":{}}\n",
		"{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"1\","
			"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":1,\"age\":0,\"state\":1}\n",
		"{\"channel\":\"probe\",\"kind\":\"room\",\"tenant\":\"t\",\"practice\":\"1\","
			"\"name\":\"r\",\"epoch\":\"0123456789abcdef\",\"seq\":0,\"age\":0,\"state\":{}}\n",
	};
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct px_state_counts counts;
		struct fake *fake = begin();
		char text[1024];
		(void)snprintf(text, sizeof(text), "{\"order\":5}\n%s%s",
				"{\"channel\":\"probe\",\"kind\":\"log\",\"tenant\":\"t\",\"practice\":\"9\","
				"\"name\":\"\",\"epoch\":\"0123456789abcdef\",\"seq\":0,\"age\":0,\"state\":{}}\n",
				nonsense[i]);
		ck_assert_msg(load(fake, text, 0, &counts) == -EINVAL, "taken: %s", nonsense[i]);
		ck_assert_uint_eq(fake_stats(fake).channels, 0);
		ck_assert_uint_eq(fake_stats(fake).practices, 0);
		fake_destroy(fake);
	}
}
END_TEST

static int fail_third(void *user, struct px_span line)
{
	int *lines = user;
	(void)line;
	return ++*lines == 3 ? -ENOSPC : 0;
}

START_TEST(a_writer_that_fails_ends_it)
{
	struct fake *fake = begin();
	struct px_channel *channel = join(fake_open(fake, WHO(0)), &log_kind, "1", "");
	for (int i = 0; i < 5; i++) {
		publish(fake, channel, "{}");
	}
	int lines = 0;
	struct px_state_writer writer = { &lines, fail_third };
	ck_assert_int_eq(px_broker_save(fake->broker, &writer), -ENOSPC);
	ck_assert_int_eq(lines, 3);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("snapshot", an_empty_broker_has_a_state, histories_are_handed_on, keys_are_handed_on,
		the_same_state_makes_the_same_text, time_that_passed_counts,
		a_number_outlives_its_history_until_its_clients_are_back, the_limits_are_those_of_now,
		what_has_no_place_is_left_out, more_channels_than_there_may_be,
		nonsense_is_refused_and_leaves_nothing, a_writer_that_fails_ends_it);
