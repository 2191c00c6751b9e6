/* SPDX-License-Identifier: MIT */
/* Who was in a room, from when to when; on a clock of the test's. */
#include "webhook/rooms.h"

#include "cost.h"
#include "fake.h"

#include <check.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct px_webhook_rooms *rooms;

static struct px_webhook_place place_of(const char *practice, const char *name)
{
	return (struct px_webhook_place){
		.tenant = px_span("clinic"),
		.practice = { px_span(practice), true },
		.service = px_span("telemedicine"),
		.name = px_span(name),
	};
}

static void begin(void)
{
	ck_assert_int_eq(px_webhook_rooms_create(&rooms), 0);
	px_webhook_rooms_set_bound(rooms, 1 << 20);
}

static bool join(const char *name, const char *client, int64_t now_ms)
{
	struct px_webhook_place place = place_of("7", name);
	struct px_webhook_person person = {
		.client = px_span(client),
		.user = { px_span("12345678901234567890123"), true },
		.role = PX_ROLE_STAFF,
	};
	bool started;
	ck_assert_int_eq(px_webhook_rooms_join(rooms, &place, &person, now_ms, &started), 0);
	return started;
}

static int64_t leave(const char *name, const char *client, int64_t now_ms,
		struct px_webhook_room **ret_ended)
{
	struct px_webhook_place place = place_of("7", name);
	return px_webhook_rooms_leave(rooms, &place, px_span(client), now_ms, ret_ended);
}

/* What is told of a room's end. */
static const char *told(struct px_webhook_room *room, int64_t now_ms, int64_t wall_ms)
{
	static char text[65536];
	struct px_json json;
	px_json_begin(&json, NULL);
	px_webhook_room_write(room, &json, now_ms, wall_ms);
	px_json_end(&json);
	ck_assert(!json.failed);
	(void)snprintf(text, sizeof(text), "%.*s", (int)json.len, json.data);
	px_json_finish(&json);
	px_webhook_room_destroy(room);
	return text;
}

#define PERSON(client, joined, left, duration) "{\"clientId\":\"" client "\"," \
		"\"userId\":12345678901234567890123,\"role\":\"staff\",\"joinedAt\":" joined \
		",\"leftAt\":" left ",\"durationMs\":" duration "}"

START_TEST(a_room_from_its_first_to_its_last)
{
	struct px_webhook_room *ended;
	begin();
	ck_assert(join("x", "c1", 1000));
	ck_assert(!join("x", "c2", 2000));
	ck_assert_int_eq(leave("x", "c1", 5000, &ended), 4000);
	ck_assert_ptr_null(ended);
	ck_assert(!join("x", "c1", 6000)); /* again */
	ck_assert_int_eq(leave("x", "c1", 7500, &ended), 1500);
	ck_assert_int_eq(leave("x", "c1", 7500, &ended), -1);
	ck_assert_int_eq(leave("x", "c2", 9000, &ended), 7000);
	ck_assert_ptr_nonnull(ended);
	struct px_webhook_place place = px_webhook_room_place(ended);
	ck_assert(px_span_equal(place.tenant, px_span("clinic")));
	ck_assert(px_span_equal(place.practice.text, px_span("7")) && place.practice.number);
	ck_assert(px_span_equal(place.service, px_span("telemedicine")));
	ck_assert(px_span_equal(place.name, px_span("x")));
	ck_assert_str_eq(told(ended, 9000, 1009000),
			"{\"startedAt\":1001000,\"durationMs\":8000,\"participantCount\":2,"
			"\"participants\":["
			PERSON("c1", "1001000", "1007500", "5500") ","
			PERSON("c2", "1002000", "1009000", "7000") "]}");
	ck_assert(join("x", "c2", 9000)); /* another one of the name */
	px_webhook_rooms_destroy(rooms);
}
END_TEST

START_TEST(rooms_are_told_apart_by_all_that_names_them)
{
	struct px_webhook_room *ended;
	bool started;
	begin();
	struct px_webhook_place places[5];
	for (size_t i = 0; i < 5; i++) {
		places[i] = place_of("7", "x");
	}
	places[1].tenant = px_span("other");
	places[2].practice.text = px_span("8");
	places[3].service = px_span("echo");
	places[4].name = px_span("y");
	struct px_webhook_person person = { px_span("c1"), { px_span(""), false }, PX_ROLE_PATIENT };
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(px_webhook_rooms_join(rooms, &places[i], &person, 0, &started), 0);
		ck_assert(started);
	}
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(px_webhook_rooms_leave(rooms, &places[i], px_span("c1"), 1, &ended), 1);
		ck_assert_str_eq(told(ended, 1, 1), "{\"startedAt\":0,\"durationMs\":1,"
				"\"participantCount\":1,\"participants\":[{\"clientId\":\"c1\","
				"\"role\":\"patient\",\"joinedAt\":0,\"leftAt\":1,\"durationMs\":1}]}");
	}
	ck_assert_ptr_null(px_webhook_rooms_take(rooms));
	px_webhook_rooms_destroy(rooms);
}
END_TEST

START_TEST(who_was_there_before_is_not_known)
{
	struct px_webhook_room *ended;
	begin();
	ck_assert_int_eq(leave("x", "c1", 1000, &ended), -1);
	ck_assert_ptr_null(ended);
	join("x", "c2", 1000);
	ck_assert_int_eq(leave("x", "c1", 1000, &ended), -1);
	ck_assert_ptr_null(ended);
	ck_assert_int_eq(leave("x", "c2", 2000, &ended), 1000);
	px_webhook_room_destroy(ended);
	px_webhook_rooms_destroy(rooms);
}
END_TEST

static size_t participants(const char *text)
{
	size_t count = 0;
	for (; (text = strstr(text, "clientId")); text++) {
		count++;
	}
	return count;
}

/* Whoever comes and goes without end costs no more than so much. */
START_TEST(those_who_stayed_longest_are_remembered)
{
	struct px_webhook_room *ended;
	char client[16];
	begin();
	join("x", "host", 0);
	join("x", "long", 0);
	leave("x", "long", 5000, &ended);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(client, sizeof(client), "c%d", i);
		join("x", client, 6000 + i);
		leave("x", client, 6001 + i, &ended);
	}
	leave("x", "host", 9000, &ended);
	const char *text = told(ended, 9000, 9000);
	ck_assert_ptr_nonnull(strstr(text, "\"participantCount\":1002"));
	ck_assert_uint_eq(participants(text), PX_WEBHOOK_PARTICIPANTS_MAX);
	ck_assert_ptr_nonnull(strstr(text, "\"long\""));
	ck_assert_ptr_nonnull(strstr(text, "\"host\""));
	px_webhook_rooms_destroy(rooms);
}
END_TEST

START_TEST(those_who_left_have_a_bound_in_all_rooms)
{
	struct px_webhook_room *ended;
	char client[16];
	begin();
	px_webhook_rooms_set_bound(rooms, 1000);
	join("x", "host", 0);
	join("y", "host", 0);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(client, sizeof(client), "c%d", i);
		join(i % 2 ? "x" : "y", client, 0);
		leave(i % 2 ? "x" : "y", client, 1, &ended);
	}
	leave("x", "host", 9000, &ended);
	size_t kept = participants(told(ended, 9000, 9000));
	leave("y", "host", 9000, &ended);
	kept += participants(told(ended, 9000, 9000));
	ck_assert_uint_ge(kept, 2 + 5);
	ck_assert_uint_le(kept, 2 + 15);
	px_webhook_rooms_destroy(rooms);
}
END_TEST

START_TEST(what_is_over_makes_room)
{
	struct px_webhook_room *ended;
	begin();
	px_webhook_rooms_set_bound(rooms, 500); /* some five */
	for (int i = 0; i < 100; i++) {
		join("x", "host", i);
		for (int k = 0; k < 10; k++) {
			join("x", "guest", i);
			leave("x", "guest", i, &ended);
		}
		join("x", "other", i);
		leave("x", "other", i, &ended);
		leave("x", "host", i, &ended);
		ck_assert_uint_eq(participants(told(ended, i, i)), 3);
	}
	px_webhook_rooms_destroy(rooms);
}
END_TEST

static char saved[3][8192];
static int saved_count;

static int save(void *user, const struct px_webhook_room *room)
{
	struct px_json json;
	(void)user;
	px_json_begin(&json, NULL);
	px_webhook_room_save(room, &json, 10000);
	px_json_end(&json);
	(void)snprintf(saved[saved_count++], sizeof(saved[0]), "%.*s", (int)json.len, json.data);
	px_json_finish(&json);
	return 0;
}

static int load(const char *text, int64_t now_ms)
{
	struct json_object *object = json_tokener_parse(text);
	struct px_webhook_room *room;
	int rc = px_webhook_rooms_load(rooms, object, now_ms, &room);
	json_object_put(object);
	return rc;
}

START_TEST(another_process_goes_on)
{
	struct px_webhook_room *ended;
	begin();
	join("x", "c1", 1000);
	join("x", "c2", 2000);
	leave("x", "c1", 5000, &ended);
	join("y", "c3", 3000);
	saved_count = 0;
	ck_assert_int_eq(px_webhook_rooms_each(rooms, save, NULL), 0);
	ck_assert_int_eq(saved_count, 2);
	px_webhook_rooms_destroy(rooms);

	begin();
	/* Its clock began anew, and 500 ms went by. */
	ck_assert_int_eq(load(saved[0], -500), 0);
	ck_assert_int_eq(load(saved[1], -500), 0);
	ck_assert_int_lt(load(saved[1], -500), 0);
	ck_assert(!join("x", "c1", 1000));
	leave("x", "c1", 1500, &ended);
	ck_assert_int_eq(leave("x", "c2", 2000, &ended), 2000 + 8000 + 500);
	ck_assert_str_eq(told(ended, 2000, 2000 + 10500),
			"{\"startedAt\":1000,\"durationMs\":11500,\"participantCount\":2,"
			"\"participants\":["
			PERSON("c1", "1000", "12000", "4500") ","
			PERSON("c2", "2000", "12500", "10500") "]}");
	ended = px_webhook_rooms_take(rooms);
	ck_assert_ptr_null(px_webhook_rooms_take(rooms));
	ck_assert_str_eq(told(ended, 2000, 2000 + 10500),
			"{\"startedAt\":3000,\"durationMs\":9500,\"participantCount\":1,"
			"\"participants\":["
			PERSON("c3", "3000", "12500", "9500") "]}");
	px_webhook_rooms_destroy(rooms);
}
END_TEST

/* The time away before is no stay, in the next process either. */
START_TEST(who_came_back_stays_since_then)
{
	struct px_webhook_room *ended;
	begin();
	join("x", "c1", 1000);
	join("x", "c2", 1000);
	leave("x", "c1", 2000, &ended);
	join("x", "c1", 6000);
	saved_count = 0;
	ck_assert_int_eq(px_webhook_rooms_each(rooms, save, NULL), 0);
	px_webhook_rooms_destroy(rooms);

	begin();
	ck_assert_int_eq(load(saved[0], 0), 0);
	ck_assert_int_eq(leave("x", "c1", 1000, &ended), 4000 + 1000);
	px_webhook_rooms_destroy(rooms);
}
END_TEST

START_TEST(what_is_no_room_is_not_loaded)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"tenant\":\"t\",\"practice\":\"1\",\"number\":true,\"service\":\"s\",\"room\":\"r\","
				"\"age\":1,\"ever\":1}",
		"{\"tenant\":\"t\",\"practice\":\"1\",\"number\":true,\"service\":\"s\",\"room\":\"r\","
				"\"age\":1,\"ever\":1,\"people\":[]}",
		"{\"tenant\":\"t\",\"practice\":\"1\",\"number\":true,\"service\":\"s\",\"room\":\"r\","
				"\"age\":1,\"ever\":1,\"people\":[{}]}",
		"{\"tenant\":\"t\",\"practice\":\"1\",\"number\":true,\"service\":\"s\",\"room\":\"r\","
				"\"age\":1,\"ever\":1,\"people\":[{\"client\":\"c\",\"user\":\"\","
				"\"number\":false,\"role\":\"staff\",\"joined\":5,\"total\":0}]}",
	};
	begin();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_int_lt(load(texts[i], 0), 0);
	}
	ck_assert_ptr_null(px_webhook_rooms_take(rooms));
	px_webhook_rooms_destroy(rooms);
}
END_TEST

/* Without assertions, which would cost more than what is looked at. */
static bool visit(unsigned number, bool leaves, int64_t now_ms)
{
	struct px_webhook_room *ended;
	struct px_webhook_place place = place_of("7", "x");
	struct px_webhook_person person = { .role = PX_ROLE_STAFF };
	char client[16];
	bool started;
	(void)snprintf(client, sizeof(client), "c%u", number);
	person.client = px_span(client);
	return px_webhook_rooms_join(rooms, &place, &person, now_ms, &started) == 0 &&
			(!leaves || px_webhook_rooms_leave(rooms, &place, person.client,
			now_ms + 10, &ended) == 10);
}

static unsigned wrong;

/* Half of them stay, and of the others as many are remembered as may be. */
static void begin_crowd(unsigned count)
{
	begin();
	for (unsigned i = 0; i < count; i++) {
		wrong += !visit(i, i % 2 == 1, i);
	}
}

static void come_and_go(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		wrong += !visit(1000000 + i, true, 100000);
	}
}

static void end_crowd(void)
{
	px_webhook_rooms_destroy(rooms);
}

START_TEST(who_comes_and_goes_costs_as_much_however_many_are_there)
{
	cost_assert_flat(begin_crowd, come_and_go, end_crowd);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

RUN_TESTS("webhook_rooms", a_room_from_its_first_to_its_last,
		rooms_are_told_apart_by_all_that_names_them, who_was_there_before_is_not_known,
		those_who_stayed_longest_are_remembered, those_who_left_have_a_bound_in_all_rooms,
		what_is_over_makes_room,
		another_process_goes_on, who_came_back_stays_since_then, what_is_no_room_is_not_loaded,
		who_comes_and_goes_costs_as_much_however_many_are_there);
