/* SPDX-License-Identifier: MIT */
/*
 * What the server makes of a message that it relays: which of the sender's fields it drops,
 * however they are spelled and however often they come, what it writes instead, and that
 * all else stays byte for byte.
 */
#include "core/session.h"

#include "fake.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_seq;

static int handle_relay(struct px_call *call)
{
	struct px_message *message = px_call_forward(call, next_seq);
	px_session_send(call->session, message);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

static int handle_stamp(struct px_call *call)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_session_stamp(call->session, call->practice, &json);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "probe_free", .handle = handle_relay, .roles = PX_ROLES_ALL, .anywhere = true },
	{ .type = "probe_relay", .handle = handle_relay, .roles = PX_ROLES_ALL },
	{ .type = "probe_stamp", .handle = handle_stamp, .roles = PX_ROLES_ALL },
};
static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

static struct fake *fake; /* of the test that runs */

static void set_up(void)
{
	fake = fake_create(NULL);
	fake_add_service(fake, &service, NULL);
	next_seq = 0;
}

static void tear_down(void)
{
	fake_destroy(fake);
}

/*
 * Sends {"type":"probe_relay",<members>} and expects <expected> with @T for the time and @C
 * for the client id.
 */
static void relay(struct fake_conn *conn, const char *members, const char *expected)
{
	char text[1024];
	char wanted[1024] = "";
	(void)snprintf(text, sizeof(text), "{\"type\":\"probe_relay\"%s}", members);
	fake_say(conn, text);
	for (const char *at = expected; *at != '\0'; at++) {
		size_t len = strlen(wanted);
		if (at[0] == '@' && at[1] == 'T') {
			(void)snprintf(wanted + len, sizeof(wanted) - len, "%lld",
					(long long)conn->fake->wall_ms);
			at++;
		} else if (at[0] == '@' && at[1] == 'C') {
			(void)snprintf(wanted + len, sizeof(wanted) - len, "\"%s\"",
					conn->client_id);
			at++;
		} else {
			wanted[len] = *at;
			wanted[len + 1] = '\0';
		}
	}
	ck_assert_str_eq(fake_text(conn), wanted);
	fake_expect_nothing(conn);
}

START_TEST(stamps_time_client_and_practice)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "\"p\""));
	relay(conn, "", "{\"type\":\"probe_relay\",\"timestamp\":@T,\"clientId\":@C,"
			"\"practiceId\":\"p\"}");
	fake_advance(fake, 1);
	relay(conn, ",\"practiceId\":\"p\"", "{\"type\":\"probe_relay\",\"timestamp\":@T,"
			"\"clientId\":@C,\"practiceId\":\"p\"}");
	next_seq = 7;
	relay(conn, ",\"a\":1", "{\"type\":\"probe_relay\",\"a\":1,\"timestamp\":@T,"
			"\"clientId\":@C,\"practiceId\":\"p\",\"seq\":7}");
}
END_TEST

START_TEST(keeps_the_senders_bytes)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	static const char members[] =
			" , \"a\" : 1.0 ,\n\"b\":12345678901234567890,"
			"\"c\":\"\\u0041\\/\\r\\n\xc3\xa9\","
			"\"d\":[1 , {\"clientId\":\"x\",\"timestamp\":1}],"
			"\"e\":1E+2,\"\\u0066\":null,"
			"\"sdp\":\"v=0\\r\\no=- 46117 2 IN IP4 127.0.0.1\\r\\n\",\"\":{}";
	char expected[1024];
	(void)snprintf(expected, sizeof(expected), "{\"type\":\"probe_relay\"%s,\"timestamp\":@T,"
			"\"clientId\":@C,\"practiceId\":1}", members);
	relay(conn, members, expected);
}
END_TEST

START_TEST(drops_what_is_the_servers_to_say)
{
	static const struct {
		const char *members;
		const char *kept;
	} cases[] = {
		{ ",\"clientId\":\"forged\"", "" },
		{ ",\"client\\u0049d\":\"forged\"", "" },
		{ ",\"\\u0063\\u006c\\u0069\\u0065\\u006e\\u0074\\u0049\\u0064\":\"forged\"", "" },
		{ ",\"clientId\":1,\"clientId\":2,\"\\u0063lientId\":3", "" },
		{ ",\"timestamp\":0,\"time\\u0073tamp\":{}", "" },
		{ ",\"a\":1,\"clientId\":{\"x\":[1,2]},\"b\":2", ",\"a\":1,\"b\":2" },
		{ ",\"clientId\":1,\"a\":1,\"timestamp\":1,\"b\":2,\"clientId\":1",
				",\"a\":1,\"b\":2" },
		{ " ,\"a\":1 , \"clientId\":1 , \"b\":2", " ,\"a\":1,\"b\":2" },
		{ ",\"practiceId\":1,\"a\":1,\"practice\\u0049d\":1", ",\"a\":1" },
		/* Of any name only the last goes on, whichever a reader would take. */
		{ ",\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4", ",\"b\":2,\"\\u0061\":3,\"c\":4" },
		{ ",\"a\":1,\"a\":2,\"a\":3", ",\"a\":3" },
		/* Other names, however like them. */
		{ ",\"ClientId\":1,\"clientid\":2,\"clientId \":3,\"client\\ud800Id\":4",
			",\"ClientId\":1,\"clientid\":2,\"clientId \":3,"
			"\"client\\ud800Id\":4" },
		/* Who is not authenticated speaks for itself. */
		{ ",\"userId\":9,\"userName\":\"x\",\"from\":\"y\",\"fromUserId\":8,\"seq\":5",
			",\"userId\":9,\"userName\":\"x\",\"from\":\"y\",\"fromUserId\":8,"
			"\"seq\":5" },
	};
	struct fake_conn *conn = fake_open(fake, WHO(0));
	char expected[512];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(expected, sizeof(expected),
				"{\"type\":\"probe_relay\"%s,"
				"\"timestamp\":@T,\"clientId\":@C,\"practiceId\":1}",
				cases[i].kept);
		relay(conn, cases[i].members, expected);
	}
}
END_TEST

START_TEST(what_comes_first_may_be_dropped)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	char pattern[128];
	fake_say(conn, "{\"clientId\":1,\"timestamp\":2,\"type\":\"probe_relay\"}");
	(void)snprintf(pattern, sizeof(pattern), "{\"type\":\"probe_relay\",\"timestamp\":%lld,",
			(long long)fake->wall_ms);
	ck_assert_int_eq(strncmp(fake_text(conn), pattern, strlen(pattern)), 0);
}
END_TEST

START_TEST(a_number_of_the_servers_replaces_the_senders)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	next_seq = 3;
	relay(conn, ",\"seq\":99,\"s\\u0065q\":98,\"x\":1", "{\"type\":\"probe_relay\",\"x\":1,"
			"\"timestamp\":@T,\"clientId\":@C,\"practiceId\":1,\"seq\":3}");
}
END_TEST

START_TEST(an_authenticated_sender_is_who_its_token_says)
{
	struct fake_conn *conn = fake_open(fake, WHO(.user = "7", .name = "Dr. Who",
		.authenticated = true));
	static const char tail[] = ",\"timestamp\":@T,\"clientId\":@C,\"practiceId\":1}";
	static const struct {
		const char *members;
		const char *stamped;
	} cases[] = {
		{ "", ",\"userId\":7,\"userName\":\"Dr. Who\"" },
		{ ",\"userId\":8,\"userName\":\"Mallory\"",
				",\"userId\":7,\"userName\":\"Dr. Who\"" },
		{ ",\"user\\u0049d\":8,\"userId\":9,\"\\u0075serName\":\"M\",\"userName\":\"N\"",
				",\"userId\":7,\"userName\":\"Dr. Who\"" },
		{ ",\"fromUserId\":8,\"a\":1",
				",\"a\":1,\"userId\":7,\"fromUserId\":7,"
				"\"userName\":\"Dr. Who\"" },
		{ ",\"fromUser\\u0049d\":8,\"fromUserId\":9",
				",\"userId\":7,\"fromUserId\":7,"
				"\"userName\":\"Dr. Who\"" },
		/* Its own names may stand, in its own spelling. */
		{ ",\"from\":\"7\"", ",\"from\":\"7\",\"userId\":7,\"userName\":\"Dr. Who\"" },
		{ ",\"from\":7", ",\"from\":7,\"userId\":7,\"userName\":\"Dr. Who\"" },
		{ ",\"from\":\"Dr.\\u0020Who\"",
				",\"from\":\"Dr.\\u0020Who\",\"userId\":7,"
				"\"userName\":\"Dr. Who\"" },
		/* Anybody else's become its own. */
		{ ",\"from\":\"8\"",
				",\"userId\":7,\"userName\":\"Dr. Who\",\"from\":\"Dr. Who\"" },
		{ ",\"from\":\"Dr. Who\",\"fr\\u006fm\":\"M\"",
				",\"userId\":7,"
				"\"userName\":\"Dr. Who\",\"from\":\"Dr. Who\"" },
		{ ",\"from\":{\"a\":1}",
				",\"userId\":7,\"userName\":\"Dr. Who\",\"from\":\"Dr. Who\"" },
		{ ",\"from\":null", ",\"userId\":7,\"userName\":\"Dr. Who\",\"from\":\"Dr. Who\"" },
	};
	char expected[512];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(expected, sizeof(expected), "{\"type\":\"probe_relay\"%s%s",
				cases[i].stamped, tail);
		relay(conn, cases[i].members, expected);
	}
	/* Its clientId is a name of its own, too. */
	char members[64];
	(void)snprintf(members, sizeof(members), ",\"from\":\"%s\"", conn->client_id);
	(void)snprintf(expected, sizeof(expected), "{\"type\":\"probe_relay\"%s,\"userId\":7,"
			"\"userName\":\"Dr. Who\"%s", members, tail);
	relay(conn, members, expected);
}
END_TEST

/*
 * Of doubles the last counts: one that is not the sender's must not hide behind one that is.
 * What counts for a client is asserted by reading the message as a client does.
 */
START_TEST(no_doubled_name_gets_through)
{
	static const char *const names[] = { "clientId", "userId", "userName", "fromUserId",
		"from" };
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .name = "Who",
		.authenticated = true));
	for (size_t i = 0; i < 5; i++) {
		for (int order = 0; order < 2; order++) {
			char text[256];
			const char *own = i < 4 ? "7" : "Who";
			own = i == 0 ? conn->client_id : i == 2 ? "Who" : own;
			(void)snprintf(text, sizeof(text),
					"{\"%s\":\"%s\",\"type\":\"probe_relay\","
					"\"\\u%04x%s\":\"%s\"}",
					names[i], order ? own : "forged", (unsigned)names[i][0],
					names[i] + 1, order ? "forged" : own);
			fake_say(conn, text);
			struct json_object *got = fake_expect(conn, "{'type':'probe_relay'}");
			ck_assert_str_eq(fake_member(got, names[i]), own);
		}
	}
}
END_TEST

START_TEST(a_token_without_user_says_nothing_of_one)
{
	struct fake_conn *conn = fake_open(fake, WHO(.authenticated = true));
	relay(conn, ",\"userId\":8,\"fromUserId\":9,\"from\":\"M\",\"userName\":\"N\"",
			"{\"type\":\"probe_relay\",\"userName\":\"\",\"from\":\"\","
			"\"timestamp\":@T,\"clientId\":@C,\"practiceId\":1}");
}
END_TEST

START_TEST(names_and_ids_are_escaped)
{
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"a\"b\\\"", .name = "\"\\",
		.practices = "\"p\"q\"", .authenticated = true));
	relay(conn, "", "{\"type\":\"probe_relay\",\"userId\":\"a\\\"b\\\\\","
			"\"userName\":\"\\\"\\\\\",\"timestamp\":@T,\"clientId\":@C,"
			"\"practiceId\":\"p\\\"q\"}");
}
END_TEST

START_TEST(a_practice_keeps_the_spelling_of_who_names_it)
{
	struct fake_conn *number = fake_open(fake, WHO(.practices = "1 2"));
	struct fake_conn *text = fake_open(fake, WHO(.practices = "\"1\""));
	static const char head[] = "{\"type\":\"probe_relay\",\"timestamp\":@T,\"clientId\":@C,"
			"\"practiceId\":%s}";
	char expected[256];
	(void)snprintf(expected, sizeof(expected), head, "1");
	relay(number, "", expected);
	relay(number, ",\"practiceId\":1", expected);
	(void)snprintf(expected, sizeof(expected), head, "\"1\"");
	relay(text, "", expected);
	relay(number, ",\"practiceId\":\"1\"", expected);
	(void)snprintf(expected, sizeof(expected), head, "\"\\u0031\"");
	relay(number, ",\"practiceId\":\"\\u0031\"", expected);
	(void)snprintf(expected, sizeof(expected), head, "2");
	relay(number, ",\"practiceId\":1,\"practiceId\":2", expected);
}
END_TEST

START_TEST(without_a_practice_none_is_stamped)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = ""));
	struct json_object *practice;
	fake_say(conn, "{\"type\":\"probe_free\",\"x\":1}");
	struct json_object *got = fake_expect(conn, "{'type':'probe_free','x':1}");
	ck_assert(!json_object_object_get_ex(got, "practiceId", &practice));
}
END_TEST

START_TEST(the_services_own_messages_are_stamped_alike)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "1 \"2\""));
	char expected[128];
	fake_say(conn, "{\"type\":\"probe_stamp\",\"practiceId\":2}");
	(void)snprintf(expected, sizeof(expected), "{\"timestamp\":%lld,\"clientId\":\"%s\","
			"\"practiceId\":\"2\"}", (long long)fake->wall_ms, conn->client_id);
	ck_assert_str_eq(fake_text(conn), expected);
}
END_TEST

RUN_TESTS_BETWEEN(set_up, tear_down, "relay", stamps_time_client_and_practice, keeps_the_senders_bytes,
		drops_what_is_the_servers_to_say, what_comes_first_may_be_dropped,
		a_number_of_the_servers_replaces_the_senders,
		an_authenticated_sender_is_who_its_token_says, no_doubled_name_gets_through,
		a_token_without_user_says_nothing_of_one, names_and_ids_are_escaped,
		a_practice_keeps_the_spelling_of_who_names_it, without_a_practice_none_is_stamped,
		the_services_own_messages_are_stamped_alike);
