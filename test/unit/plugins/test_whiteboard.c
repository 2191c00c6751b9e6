/* SPDX-License-Identifier: MIT */
/*
 * The whiteboard with the real service: what is kept of it and told as a whole, and who is present.
 */
#include "channel/channel.h"
#include "fake.h"
#include "state_text.h"

#include "../../plugins/whiteboard/whiteboard.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOARD "{\"board-values\":3,\"board-bytes\":4000,\"board-age-s\":3600,\"history-age-s\":60}"
#define UPDATE "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"id\":1,"
#define GET_STATE "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,\"state\":true}"
#define PRESENT "{\"type\":\"whiteboard_presence\",\"practiceId\":1}"
#define ABSENT "{\"type\":\"whiteboard_presence\",\"practiceId\":1,\"present\":false}"
#define HOUR_MS (3600 * 1000)

static struct fake *begin(const char *options)
{
	struct fake *fake = fake_create(NULL);
	(void)fake_add_service(fake, &whiteboard_service, options);
	return fake;
}

static struct fake_conn *open_user(struct fake *fake, const char *user)
{
	return fake_open(fake, WHO(.user = user, .name = "\"Ann\"", .authenticated = true));
}

static void configure(struct fake *fake, const char *options)
{
	struct px_options *read = fake_options(fake, whiteboard_service.options, options);
	ck_assert_int_eq(px_broker_configure(fake->broker, 0, read), 0);
}

static void later(struct fake *fake, int64_t ms)
{
	fake_advance(fake, ms);
	fake_turn(fake);
}

/* ---- the board ---- */

static void set(struct fake_conn *conn, const char *key, const char *data, const char *answer)
{
	char text[512];
	(void)snprintf(text, sizeof(text), UPDATE "\"key\":\"%s\",\"keep\":true,\"data\":%s}", key,
			data);
	fake_say(conn, text);
	fake_expect(conn, answer);
}

static void drop(struct fake_conn *conn, const char *key)
{
	char text[512];
	(void)snprintf(text, sizeof(text), UPDATE "\"key\":\"%s\",\"keep\":false}", key);
	fake_say(conn, text);
	fake_expect(conn, "{'type':'ack'}");
}

/* The state, as "a=1 b=2 ", which must come in one part. */
static const char *state_of(struct fake_conn *conn)
{
	static char text[512];
	fake_say(conn, GET_STATE);
	fake_expect(conn, "{'type':'whiteboard_subscribed','recovered':false,'state':'follows'}");
	struct json_object *state =
			fake_expect(conn, "{'type':'whiteboard_state','practiceId':1,'part':1,'parts':1}");
	struct json_object *values = json_object_object_get(state, "values");
	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(values); i++) {
		struct json_object *value = json_object_array_get_idx(values, i);
		size_t len = strlen(text);
		(void)snprintf(text + len, sizeof(text) - len, "%s=%s ",
				fake_member(value, "key"), fake_member(value, "data"));
	}
	fake_expect_nothing(conn);
	return text;
}

START_TEST(test_kept)
{
	struct fake *fake = begin(BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	ck_assert_str_eq(state_of(bob), "");
	set(ann, "a", "1", "{'type':'ack','seq':1}");
	fake_expect(bob, "{'type':'whiteboard_update','key':'a','data':1,'keep':true,'userId':7}");
	set(ann, "b", "2", "{'type':'ack','seq':2}");
	fake_expect(bob, "{'type':'whiteboard_update','key':'b'}");
	set(bob, "a", "3", "{'type':'ack','seq':3}");
	fake_expect(ann, "{'type':'whiteboard_update','key':'a','data':3,'userId':8}");
	ck_assert_str_eq(state_of(bob), "b=2 a=3 ");
	drop(ann, "b");
	fake_expect(bob, "{'type':'whiteboard_update','key':'b','keep':false,'seq':4}");
	drop(ann, "never");
	fake_expect(bob, "{'type':'whiteboard_update','key':'never','seq':5}");
	ck_assert_str_eq(state_of(bob), "a=3 ");
	fake_destroy(fake);
}
END_TEST

/* Only `keep` changes what is kept. */
START_TEST(test_not_kept)
{
	struct fake *fake = begin(BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	set(ann, "a", "1", "{'type':'ack'}");
	fake_say(ann, UPDATE "\"key\":\"a\",\"data\":2}");
	fake_expect(ann, "{'type':'ack','seq':2}");
	fake_say(ann, UPDATE "\"data\":2}");
	fake_expect(ann, "{'type':'ack','seq':3}");
	ck_assert_str_eq(state_of(ann), "a=1 ");
	fake_destroy(fake);
}
END_TEST

START_TEST(test_refused)
{
	struct fake *fake = begin(BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	fake_say(ann, UPDATE "\"keep\":true}");
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'key','id':1}");
	fake_say(ann, UPDATE "\"keep\":true,\"key\":\"\"}");
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'key'}");
	fake_say(ann, UPDATE "\"keep\":1,\"key\":\"a\"}");
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'keep'}");
	fake_say(ann, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,\"state\":1}");
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'state'}");
	fake_expect_nothing(bob);
	ck_assert_str_eq(state_of(ann), "");
	fake_destroy(fake);
}
END_TEST

START_TEST(test_off)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = open_user(fake, "7");
	set(ann, "a", "1", "{'type':'error','code':'service_disabled','field':'keep'}");
	fake_say(ann, GET_STATE);
	fake_expect(ann, "{'type':'whiteboard_subscribed','state':'off'}");
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

/* What is refused is not relayed, either; what takes another's place needs no room. */
START_TEST(test_full)
{
	char large[1500];
	char text[2000];
	struct fake *fake = begin(BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	set(ann, "a", "1", "{'type':'ack'}");
	set(ann, "b", "1", "{'type':'ack'}");
	set(ann, "c", "1", "{'type':'ack'}");
	set(ann, "d", "1", "{'type':'error','code':'unavailable','field':'keep'}");
	set(ann, "a", "2", "{'type':'ack','seq':4}");
	memset(large, 'x', sizeof(large));
	(void)snprintf(text, sizeof(text), UPDATE "\"key\":\"a\",\"keep\":true,\"data\":\"%.*s\"}",
			(int)sizeof(large), large);
	fake_say(ann, text);
	fake_expect(ann, "{'type':'ack','seq':5}");
	(void)snprintf(text, sizeof(text), UPDATE "\"key\":\"b\",\"keep\":true,\"data\":\"%.*s\"}",
			(int)sizeof(large), large);
	fake_say(ann, text);
	fake_expect(ann, "{'type':'ack','seq':6}");
	(void)snprintf(text, sizeof(text), UPDATE "\"key\":\"c\",\"keep\":true,\"data\":\"%.*s\"}",
			(int)sizeof(large), large);
	fake_say(ann, text);
	fake_expect(ann, "{'type':'error','code':'unavailable','field':'keep'}");
	drop(ann, "b");
	fake_say(ann, text);
	fake_expect(ann, "{'type':'ack','seq':8}");
	for (int seq = 1; seq <= 8; seq++) {
		(void)snprintf(text, sizeof(text), "{'type':'whiteboard_update','seq':%d}", seq);
		fake_expect(bob, text);
	}
	fake_expect_nothing(bob);
	fake_destroy(fake);
}
END_TEST

/* A board that is longer than a message may be, and an update behind it. */
/* Who is there already keeps within the limits of now, too. */
START_TEST(test_new_limits)
{
	struct fake *fake = begin("{\"board-values\":0,\"board-age-s\":3600}");
	struct fake_conn *ann = open_user(fake, "7");
	set(ann, "a", "1", "{'type':'error','code':'service_disabled','field':'keep'}");
	configure(fake, "{\"board-values\":2,\"board-age-s\":3600}");
	set(ann, "a", "1", "{'type':'ack','seq':1}");
	set(ann, "b", "2", "{'type':'ack','seq':2}");
	set(ann, "c", "3", "{'type':'error','code':'unavailable','field':'keep'}");
	configure(fake, "{\"board-values\":3,\"board-age-s\":3600}");
	set(ann, "c", "3", "{'type':'ack','seq':3}");
	configure(fake, "{\"board-values\":1,\"board-age-s\":3600}");
	set(ann, "d", "4", "{'type':'error','code':'unavailable','field':'keep'}");
	ck_assert_str_eq(state_of(ann), "c=3 ");
	fake_destroy(fake);
}
END_TEST

START_TEST(test_parts)
{
	static char text[30100];
	struct fake *fake = begin("{\"board-values\":9,\"board-bytes\":1000000,\"board-age-s\":3600}");
	struct fake_conn *ann = open_user(fake, "7");
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 5; i++) {
		int len = snprintf(text, sizeof(text),
				UPDATE "\"key\":\"%d\",\"keep\":true,\"data\":\"", i);
		text[len] = 'x';
		(void)strcpy(text + sizeof(text) - 3, "\"}");
		fake_say(ann, text);
		fake_expect(ann, "{'type':'ack'}");
	}
	fake_say(ann, GET_STATE);
	fake_expect(ann, "{'type':'whiteboard_subscribed','seq':5}");
	for (int part = 1; part <= 5; part++) {
		char pattern[128];
		(void)snprintf(pattern, sizeof(pattern), "{'type':'whiteboard_state','seq':5,"
				"'part':%d,'parts':5}", part);
		struct json_object *state = fake_expect(ann, pattern);
		struct json_object *values = json_object_object_get(state, "values");
		ck_assert_uint_eq(json_object_array_length(values), 1);
	}
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

/* The board outlives its last reader, and the history. */
START_TEST(test_age)
{
	struct fake *fake = begin(BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	set(ann, "a", "1", "{'type':'ack'}");
	later(fake, HOUR_MS / 2);
	set(ann, "b", "2", "{'type':'ack'}");
	fake_leave(ann);
	fake_settle(fake);
	ck_assert_uint_eq(fake->broker->channels.count, 1);
	later(fake, HOUR_MS / 2 - 1);
	ann = open_user(fake, "7");
	ck_assert_str_eq(state_of(ann), "a=1 b=2 ");
	later(fake, 1);
	ck_assert_str_eq(state_of(ann), "b=2 ");
	fake_leave(ann);
	fake_settle(fake);
	later(fake, HOUR_MS / 2);
	ck_assert_uint_eq(fake->broker->channels.count, 0);
	fake_destroy(fake);
}
END_TEST

/* With and without `keep` are two things to a slow reader, too. */
START_TEST(test_conflation)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 3000;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, &whiteboard_service, BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	bob->busy = true;
	set(ann, "a", "1", "{'type':'ack'}");
	set(ann, "a", "2", "{'type':'ack'}");
	for (int i = 0; i < 40; i++) {
		fake_say(ann, UPDATE "\"key\":\"a\",\"data\":\"a pointer that moves over the board\"}");
		fake_expect(ann, "{'type':'ack'}");
	}
	fake_unblock(bob);
	fake_turn(fake);
	unsigned kept = 0;
	for (const char *text = fake_text(bob); text[0] != '\0'; text = fake_text(bob)) {
		kept += strstr(text, "\"keep\":true") && strstr(text, "\"data\":2");
	}
	ck_assert_uint_eq(kept, 1);
	ck_assert_int_eq(bob->close_code, FAKE_OPEN);
	fake_destroy(fake);
}
END_TEST

static struct fake *restart(struct fake *fake, const char *options)
{
	struct state_text text = state_text_end(fake);
	struct px_state_counts counts;
	struct fake *next = begin(options);
	ck_assert_int_eq(state_text_load(next, text.data, text.len, 0, &counts), 0);
	free(text.data);
	return next;
}

START_TEST(test_restart)
{
	struct fake *fake = begin(BOARD);
	struct fake_conn *ann = open_user(fake, "7");
	set(ann, "\\u0001 \\\"", "1", "{'type':'ack'}");
	set(ann, "b", "{\"n\":1.50}", "{'type':'ack'}");
	fake = restart(fake, BOARD);
	ann = open_user(fake, "9");
	ck_assert_str_eq(state_of(ann), "\001 \"=1 b={ \"n\": 1.50 } ");
	set(ann, "c", "3", "{'type':'ack','seq':3}");
	later(fake, HOUR_MS - 1);
	fake = restart(fake, BOARD);
	ann = open_user(fake, "9");
	ck_assert_str_eq(state_of(ann), "\001 \"=1 b={ \"n\": 1.50 } c=3 ");
	/* The limits of the next server: the oldest goes first; or all. */
	fake = restart(fake, "{\"board-values\":1,\"board-age-s\":3600}");
	ann = open_user(fake, "9");
	ck_assert_str_eq(state_of(ann), "c=3 ");
	fake = restart(fake, NULL);
	fake = restart(fake, BOARD);
	ann = open_user(fake, "9");
	ck_assert_str_eq(state_of(ann), "");
	fake_destroy(fake);
}
END_TEST

/* ---- presence ---- */

/* Whom the next message names, as "7:0 8:5 "; of one without an id "c:0 ". */
static const char *users_of(struct fake_conn *conn, const char *pattern)
{
	static char text[512];
	struct json_object *users = json_object_object_get(fake_expect(conn, pattern), "users");
	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(users); i++) {
		struct json_object *user = json_object_array_get_idx(users, i);
		size_t len = strlen(text);
		(void)snprintf(text + len, sizeof(text) - len, "%s:%s ",
				fake_member(user, "clientId")[0] ? "c" : fake_member(user, "userId"),
				fake_member(user, "seq"));
	}
	return text;
}

static const char *list_of(struct fake_conn *conn)
{
	return users_of(conn, "{'type':'whiteboard_presence'}");
}

static const char *enter(struct fake_conn *conn)
{
	fake_say(conn, PRESENT);
	return list_of(conn);
}

START_TEST(test_present)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *idle = open_user(fake, "9");
	ck_assert_str_eq(enter(ann), "7:0 ");
	later(fake, 300);
	ck_assert_str_eq(list_of(ann), "7:0 ");
	struct fake_conn *bob = fake_open(fake, WHO(.user = "\"b\"", .practices = "\"1\"",
			.authenticated = true));
	ck_assert_str_eq(enter(bob), "7:0 b:0 ");
	struct fake_conn *guest = fake_open(fake, WHO(.authenticated = true));
	ck_assert_str_eq(enter(guest), "7:0 b:0 c:0 ");
	fake_expect_nothing(ann);
	later(fake, 300);
	ck_assert_str_eq(users_of(ann, "{'type':'whiteboard_presence','practiceId':1,'count':3}"),
			"7:0 b:0 c:0 ");
	ck_assert_str_eq(users_of(bob, "{'type':'whiteboard_presence','practiceId':'1'}"),
			"7:0 b:0 c:0 ");
	fake_expect_nothing(ann);
	fake_expect_nothing(idle);
	fake_destroy(fake);
}
END_TEST

/* Several sessions of one user are one; a page that is loaded again has not left. */
START_TEST(test_one_user)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *first = open_user(fake, "8");
	struct fake_conn *second = open_user(fake, "\"8\"");
	enter(ann);
	enter(first);
	later(fake, 300);
	ck_assert_str_eq(list_of(ann), "7:0 8:0 ");
	ck_assert_str_eq(enter(second), "7:0 8:0 ");
	later(fake, 1000);
	fake_expect_nothing(ann);
	fake_say(first, ABSENT);
	later(fake, 10000);
	fake_expect_nothing(ann);
	fake_leave(second);
	fake_settle(fake);
	later(fake, 4900);
	second = open_user(fake, "8");
	enter(second);
	later(fake, 10000);
	fake_expect_nothing(ann);
	fake_leave(second);
	fake_settle(fake);
	later(fake, 5000);
	later(fake, 300);
	ck_assert_str_eq(list_of(ann), "7:0 ");
	fake_destroy(fake);
}
END_TEST

/* A connection that breaks is not a user who leaves. */
START_TEST(test_grace)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, &whiteboard_service, NULL);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	enter(bob);
	enter(ann);
	later(fake, 300);
	list_of(ann);
	fake_lose(bob);
	later(fake, 29000);
	later(fake, 900);
	fake_expect_nothing(ann);
	later(fake, 200);
	later(fake, 5000);
	later(fake, 300);
	ck_assert_str_eq(list_of(ann), "7:0 ");
	fake_destroy(fake);
}
END_TEST

START_TEST(test_listed)
{
	struct fake *fake = begin("{\"presence-listed\":2}");
	struct fake_conn *ann = open_user(fake, "7");
	enter(ann);
	enter(open_user(fake, "8"));
	struct fake_conn *last = open_user(fake, "9");
	enter(last);
	later(fake, 300);
	ck_assert_str_eq(users_of(ann, "{'type':'whiteboard_presence','count':3}"), "7:0 8:0 ");
	fake_say(last, "{\"type\":\"whiteboard_seen\",\"practiceId\":1,\"seq\":0}");
	later(fake, 1000);
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

START_TEST(test_not_present)
{
	struct fake *fake = begin("{\"presence\":false}");
	struct fake_conn *ann = open_user(fake, "7");
	fake_say(ann, "{\"type\":\"whiteboard_presence\",\"practiceId\":1,\"id\":1}");
	fake_expect(ann, "{'type':'error','code':'service_disabled','id':1}");
	struct fake_conn *patient = fake_open(fake, WHO(.role = PX_ROLE_PATIENT, .user = "5",
			.authenticated = true));
	fake_say(patient, PRESENT);
	fake_expect(patient, "{'type':'error','code':'forbidden'}");
	fake_say(ann, "{\"type\":\"whiteboard_seen\",\"practiceId\":1,\"seq\":0}");
	fake_expect(ann, "{'type':'error','code':'not_in_room'}");
	fake_say(ann, "{\"type\":\"whiteboard_presence\",\"practiceId\":2}");
	fake_expect(ann, "{'type':'error','code':'forbidden'}");
	fake_destroy(fake);
}
END_TEST

static void see(struct fake_conn *conn, int seq)
{
	char text[128];
	(void)snprintf(text, sizeof(text), "{\"type\":\"whiteboard_seen\",\"practiceId\":1,"
			"\"seq\":%d}", seq);
	fake_say(conn, text);
}

START_TEST(test_seen)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	struct fake_conn *again = open_user(fake, "8");
	enter(ann);
	enter(bob);
	enter(again);
	later(fake, 300);
	list_of(ann);
	for (int i = 0; i < 3; i++) {
		fake_say(ann, UPDATE "\"data\":1}");
		fake_expect(ann, "{'type':'ack'}");
	}
	see(bob, 2);
	see(bob, 1);
	see(again, 3);
	see(again, 2);
	fake_expect_nothing(ann);
	later(fake, 600);
	ck_assert_str_eq(users_of(ann, "{'type':'whiteboard_seen','practiceId':1}"), "8:3 ");
	see(bob, 3);
	later(fake, 1000);
	fake_expect_nothing(ann);
	see(ann, 3);
	later(fake, 600);
	ck_assert_str_eq(users_of(ann, "{'type':'whiteboard_seen'}"), "7:3 ");
	see(ann, 4);
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'seq'}");
	see(ann, -1);
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'seq'}");
	ck_assert_str_eq(enter(ann), "7:3 8:3 ");
	fake_destroy(fake);
}
END_TEST

START_TEST(test_unsubscribed)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = open_user(fake, "7");
	struct fake_conn *bob = open_user(fake, "8");
	enter(ann);
	enter(bob);
	later(fake, 300);
	list_of(ann);
	fake_say(bob, "{\"type\":\"whiteboard_unsubscribe\",\"practiceId\":1}");
	see(bob, 0);
	later(fake, 5000);
	later(fake, 300);
	ck_assert_str_eq(list_of(ann), "7:0 ");
	fake_destroy(fake);
}
END_TEST

START_TEST(test_presence_restart)
{
	struct px_state_counts counts;
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, &whiteboard_service, NULL);
	struct fake_conn *ann = fake_open(fake, WHO(.user = "7", .authenticated = true));
	enter(ann);
	fake_say(ann, UPDATE "\"data\":1}");
	see(ann, 1);
	struct state_text text = state_text_end(fake);
	fake = fake_create(&limits);
	(void)fake_add_service(fake, &whiteboard_service, NULL);
	ck_assert_int_eq(state_text_load(fake, text.data, text.len, 0, &counts), 0);
	free(text.data);
	struct fake_conn *bob = open_user(fake, "8");
	ck_assert_str_eq(enter(bob), "7:1 8:0 ");
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("whiteboard", test_kept, test_not_kept, test_refused, test_off, test_full,
		test_new_limits, test_parts,
		test_age, test_conflation, test_restart, test_present, test_one_user, test_grace,
		test_listed, test_not_present, test_seen, test_unsubscribed, test_presence_restart);
