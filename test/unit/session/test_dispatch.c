/* SPDX-License-Identifier: MIT */
/*
 * From bytes to a handler: every error and its words, the order of the checks, receipts,
 * roles, the patience with nonsense, and which practice a message is of.
 */
#include "core/session.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the handlers saw last. */
static unsigned calls;
static const struct px_practice *seen_practice;
static bool seen_named;
static unsigned entered;

static int handle_note(struct px_call *call)
{
	calls++;
	seen_practice = call->practice;
	seen_named = call->practice_named;
	ck_assert_ptr_eq(call->service_state, &calls);
	ck_assert_ptr_nonnull(call->session_state);
	char type[65];
	size_t len;
	ck_assert_int_eq(px_envelope_string(call->message, "type", type, sizeof(type), &len), 0);
	ck_assert_str_eq(call->command->type, type);
	return 0;
}

static int handle_seq(struct px_call *call)
{
	call->seq = 42;
	return 0;
}

static int handle_fail(struct px_call *call)
{
	return px_call_fail(call, PX_E_ROOM_FULL, "roomId", "The room is full.");
}

static int handle_close(struct px_call *call)
{
	px_session_close(call->session, PX_CLOSE_NORMAL);
	return 0;
}

static const struct px_field_rule all_fields[] = {
	{ "anId", PX_FIELD_ID, true },
	{ "aString", PX_FIELD_STRING, true },
	{ "aName", PX_FIELD_NAME, true },
	{ "anInteger", PX_FIELD_INTEGER, true },
	{ "aBool", PX_FIELD_BOOL, true },
	{ "anObject", PX_FIELD_OBJECT, true },
	{ "anObjectOrNull", PX_FIELD_OBJECT_OR_NULL, true },
	{ NULL, 0, false },
};
static const struct px_field_rule needed_fields[] = {
	{ "first", PX_FIELD_STRING, false },
	{ "second", PX_FIELD_ID, false },
	{ NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = "probe_anywhere", .handle = handle_note, .roles = PX_ROLES_ALL,
		.anywhere = true },
	{ .type = "probe_close", .handle = handle_close, .roles = PX_ROLES_ALL, .anywhere = true },
	{ .type = "probe_fail", .handle = handle_fail, .roles = PX_ROLES_ALL },
	{ .type = "probe_fields", .handle = handle_note, .roles = PX_ROLES_ALL,
		.fields = all_fields },
	{ .type = "probe_needs", .handle = handle_note, .roles = PX_ROLES_TEAM,
		.fields = needed_fields },
	{ .type = "probe_note", .handle = handle_note, .roles = PX_ROLES_ALL },
	{ .type = "probe_seq", .handle = handle_seq, .roles = PX_ROLES_ALL },
};

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	(void)broker;
	(void)options;
	*ret_state = &calls;
	return 0;
}

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	(void)state;
	(void)session;
	(void)practice;
	entered++;
}

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.session_size = 1,
	.start = start,
	.enter = on_enter,
};
static const struct px_service quiet_service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "quiet",
};

static struct fake *fake; /* of the test that runs */

static void set_up(void)
{
	fake = fake_create(NULL);
	fake_add_service(fake, &service, NULL);
	fake_add_service(fake, &quiet_service, NULL);
}

static void tear_down(void)
{
	fake_destroy(fake);
}

/* Sends, and expects one answer, or none ("") and a handler that ran. */
static void ask(struct fake_conn *conn, const char *text, const char *pattern)
{
	unsigned before = calls;
	fake_say(conn, text);
	if (pattern[0] != '\0') {
		fake_expect(conn, pattern);
	} else {
		ck_assert_uint_eq(calls, before + 1);
	}
	if (strstr(pattern, "'error'")) {
		ck_assert_uint_eq(calls, before);
	}
	fake_expect_nothing(conn);
}

START_TEST(errors_have_a_code_and_a_reference)
{
	static const struct {
		const char *text;
		const char *pattern;
	} cases[] = {
		{ "{\"type\":\"probe_note\"", "{'type':'error','code':'bad_json'}" },
		{ "", "{'code':'bad_json'}" },
		{ "\xff", "{'code':'bad_json'}" },
		{ "[1]", "{'code':'bad_message','message':'The message is not a JSON object.'}" },
		{ "{}", "{'code':'bad_message','field':'type'}" },
		{ "{\"type\":7}", "{'code':'bad_message','field':'type'}" },
		{ "{\"type\":\"\"}", "{'code':'bad_message','field':'type'}" },
		{ "{\"type\":\"Probe_note\"}", "{'code':'bad_message','field':'type'}" },
		{ "{\"type\":\"probe-note\"}", "{'code':'bad_message','field':'type'}" },
		{ "{\"type\":\"probe_note\\u0000\"}", "{'code':'bad_message','field':'type'}" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask(fake_open(fake, WHO(0)), cases[i].text, cases[i].pattern);
	}
	struct px_stats stats = fake_stats(fake);
	ck_assert_uint_eq(stats.errors[PX_E_BAD_JSON], 3);
	ck_assert_uint_eq(stats.errors[PX_E_BAD_MESSAGE], 7);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ask(conn, "{\"type\":\"probe_none\"}",
			"{'type':'error','code':'unknown_type','ref':'probe_none','field':'type'}");
	ask(conn, "{\"type\":\"probe\"}", "{'code':'unknown_type','ref':'probe'}");
	ask(conn, "{\"type\":\"probe_\"}", "{'code':'unknown_type'}");
	ask(conn, "{\"type\":\"nobody_note\"}", "{'code':'unknown_type'}");
	ask(conn, "{\"type\":\"quiet_note\"}", "{'code':'unknown_type'}");
	ask(conn, "{\"type\":\"probe_fail\"}", "{'type':'error','code':'room_full',"
			"'message':'The room is full.','field':'roomId','ref':'probe_fail'}");
	ask(conn, "{\"type\":\"auth\",\"token\":\"x\"}", "{'code':'unavailable','ref':'auth'}");
}
END_TEST

START_TEST(types_have_a_length)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	char text[128] = "{\"type\":\"";
	memset(text + strlen(text), 'a', 64);
	strcat(text, "\"}");
	ask(conn, text, "{'code':'unknown_type'}");
	memcpy(text + 9 + 64, "a\"}", 4);
	ask(conn, text, "{'code':'bad_message','field':'type'}");
}
END_TEST

START_TEST(a_type_may_be_escaped)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ask(conn, "{\"\\u0074ype\":\"probe\\u005fnote\"}", "");
	ask(conn, "{\"type\":\"probe_none\",\"type\":\"probe_note\"}", "");
}
END_TEST

START_TEST(is_nested_too_deep)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	char text[256] = "{\"type\":\"probe_note\",\"x\":";
	for (int i = 0; i < 32; i++) {
		strcat(text, "[");
	}
	for (int i = 0; i < 32; i++) {
		strcat(text, "]");
	}
	strcat(text, "}");
	ask(conn, text, "{'code':'bad_json',"
			"'message':'The message is nested deeper than 32 levels.'}");
}
END_TEST

/* Each message has all the faults of those behind it, too. */
START_TEST(checks_come_in_their_order)
{
	struct fake_conn *conn = fake_open(fake, WHO(.role = PX_ROLE_PATIENT));
	static struct px_realm off; /* as long as the sessions in it */
	struct fake_conn *disabled = fake_open(fake, WHO(.realm = &off, .role = PX_ROLE_PATIENT));
	struct fake_conn *staff = fake_open(fake, WHO(0));
	ask(conn, "{\"type\":\"Bad\",\"id\":[],\"practiceId\":2", "{'code':'bad_json'}");
	ask(conn, "{\"type\":\"Bad\",\"id\":[],\"practiceId\":2}", "{'field':'type'}");
	ask(conn, "{\"type\":\"no_such\",\"id\":[],\"practiceId\":2}", "{'field':'id'}");
	ask(conn, "{\"type\":\"ping\",\"id\":[]}", "{'type':'error','field':'id'}");
	ask(disabled, "{\"type\":\"probe_none\",\"practiceId\":2}", "{'code':'unknown_type'}");
	ask(disabled, "{\"type\":\"probe_needs\",\"practiceId\":2}", "{'code':'service_disabled'}");
	ask(conn, "{\"type\":\"probe_needs\",\"practiceId\":[]}",
			"{'code':'forbidden','message':\"The role of this session may not send this "
			"message.\"}");
	ask(staff, "{\"type\":\"probe_needs\",\"practiceId\":[]}",
			"{'code':'bad_message','field':'practiceId'}");
	ask(staff, "{\"type\":\"probe_needs\",\"practiceId\":2}",
			"{'code':'bad_message','field':'first'}");
	ask(staff, "{\"type\":\"probe_needs\",\"practiceId\":2,\"first\":1}",
			"{'code':'bad_message','field':'first'}");
	ask(staff, "{\"type\":\"probe_needs\",\"practiceId\":2,\"first\":\"\"}",
			"{'code':'bad_message','field':'second'}");
	ask(staff, "{\"type\":\"probe_needs\",\"practiceId\":2,\"first\":\"\",\"second\":1}",
			"{'code':'forbidden','field':'practiceId'}");
	ask(staff, "{\"type\":\"probe_needs\",\"practiceId\":1,\"first\":\"\",\"second\":1}", "");
}
END_TEST

START_TEST(fields_have_a_type)
{
	static const char *const good[] = {
		"\"anId\":7", "\"anId\":\"7\"", "\"aString\":\"\"",
		"\"aString\":\"\\ud800\\u0000\"", "\"aName\":\"\"", "\"aName\":\"M\\u00fcller\"",
		"\"anInteger\":-0", "\"anInteger\":99999999999999999999", "\"aBool\":true",
		"\"aBool\":false", "\"anObject\":{}", "\"anObjectOrNull\":{\"a\":1}",
		"\"anObjectOrNull\":null", "\"aBool\":1,\"aBool\":true",
	};
	static const char *const bad[] = {
		"\"anId\":7.0", "\"anId\":\"\"", "\"anId\":null", "\"anId\":[]", "\"aString\":1",
		"\"aString\":null", "\"aName\":7", "\"aName\":\"\\u0000\"", "\"aName\":\"\\ud800\"",
		"\"anInteger\":1.5", "\"anInteger\":\"1\"", "\"anInteger\":1e3",
		"\"aBool\":\"true\"", "\"aBool\":0", "\"aBool\":null", "\"anObject\":[]",
		"\"anObject\":null", "\"anObjectOrNull\":[]", "\"anObjectOrNull\":\"\"",
		"\"aBool\":true,\"aBool\":1",
	};
	struct fake_conn *conn = fake_open(fake, WHO(0));
	char text[256];
	char pattern[256];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"type\":\"probe_fields\",%s}", good[i]);
		ask(conn, text, "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "{%s,\"type\":\"probe_fields\"}", bad[i]);
		(void)snprintf(pattern, sizeof(pattern),
				"{'type':'error','code':'bad_message',"
				"'ref':'probe_fields','field':\"%.*s\"}",
				(int)strcspn(bad[i] + 1, "\""), bad[i] + 1);
		ask(conn, text, pattern);
	}
	/* Faults like these are no nonsense: nobody is thrown out for them. */
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
}
END_TEST

START_TEST(names_have_a_length)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	static char text[PX_NAME_MAX + 128];
	char name[PX_NAME_MAX + 2];
	memset(name, 'x', sizeof(name));
	(void)snprintf(text, sizeof(text), "{\"type\":\"probe_fields\",\"aName\":\"%.*s\"}",
			PX_NAME_MAX, name);
	ask(conn, text, "");
	(void)snprintf(text, sizeof(text), "{\"type\":\"probe_fields\",\"aName\":\"%.*s\"}",
			PX_NAME_MAX + 1, name);
	ask(conn, text, "{'code':'bad_message','field':'aName'}");
}
END_TEST

/* ---- receipts ---- */

START_TEST(receipts_come_as_they_were_asked_for)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	static const char *const ids[] = { "7", "-0", "123456789012345678901234567890", "\"\"",
		"\"a b\"", "\"\\u0041\\/\\n\"" };
	char text[256];
	char expected[256];
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"id\":%s,\"type\":\"probe_note\"}", ids[i]);
		(void)snprintf(expected, sizeof(expected), "{\"type\":\"ack\",\"id\":%s}", ids[i]);
		fake_say(conn, text);
		ck_assert_str_eq(fake_text(conn), expected);
		fake_expect_nothing(conn);
	}
	fake_say(conn, "{\"type\":\"probe_seq\",\"id\":1}");
	ck_assert_str_eq(fake_text(conn), "{\"type\":\"ack\",\"id\":1,\"seq\":42}");
	fake_say(conn, "{\"type\":\"probe_seq\"}");
	fake_expect_nothing(conn);
	/* An error is a receipt as well, and the only one. */
	ask(conn, "{\"type\":\"probe_fail\",\"id\":\"x\"}", "{'type':'error','id':'x'}");
	ask(conn, "{\"type\":\"probe_none\",\"id\":5}", "{'code':'unknown_type','id':5}");
	ask(conn, "{\"type\":\"probe_fields\",\"aBool\":0,\"id\":5}", "{'field':'aBool','id':5}");
}
END_TEST

START_TEST(a_receipt_has_a_length_and_a_type)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	static const char *const wrong[] = { "null", "true", "1.5", "1e3", "[]", "{}",
		"\"\\u0000\"", "\"\\ud800\"" };
	char text[256];
	char digits[66];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"type\":\"probe_note\",\"id\":%s}", wrong[i]);
		ask(conn, text, "{'type':'error','code':'bad_message','field':'id'}");
	}
	memset(digits, '1', sizeof(digits));
	for (int len = 64; len < 66; len++) {
		const char *pattern =
				len == 64 ? "{'type':'ack'}" : "{'type':'error','field':'id'}";
		(void)snprintf(text, sizeof(text), "{\"type\":\"probe_note\",\"id\":%.*s}", len,
				digits);
		ask(conn, text, pattern);
		(void)snprintf(text, sizeof(text), "{\"type\":\"probe_note\",\"id\":\"%.*s\"}", len,
				digits);
		ask(conn, text, pattern);
	}
	/* Characters, whatever their bytes, and as a message may spell them. */
	static const char *const letters[] = { "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\\u00e4", "\\ud83d\\ude00" };
	char long_id[1024];
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		for (int len = 64; len < 66; len++) {
			strcpy(long_id, "{\"type\":\"probe_note\",\"id\":\"");
			for (int at = 0; at < len; at++) {
				strcat(long_id, letters[i]);
			}
			strcat(long_id, "\"}");
			ask(conn, long_id, len == 64 ? "{'type':'ack'}" : "{'type':'error','field':'id'}");
		}
	}
}
END_TEST

START_TEST(one_who_is_closed_gets_no_receipt)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	fake_say(conn, "{\"type\":\"probe_close\",\"id\":1}");
	fake_expect_nothing(conn);
	ck_assert_int_eq(conn->close_code, PX_CLOSE_NORMAL);
}
END_TEST

START_TEST(pings_are_answered)
{
	/* Whatever its service and practice. */
	static struct px_realm off; /* as long as the sessions in it */
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "", .realm = &off));
	fake_say(conn, "{\"type\":\"ping\",\"t\": [1.0, \"\\u0041\"] }");
	ck_assert_str_eq(fake_text(conn), "{\"type\":\"pong\",\"t\":[1.0, \"\\u0041\"]}");
	fake_say(conn, "{\"type\":\"ping\"}");
	ck_assert_str_eq(fake_text(conn), "{\"type\":\"pong\"}");
	fake_say(conn, "{\"type\":\"ping\",\"id\":1,\"t\":1}");
	ck_assert_str_eq(fake_text(conn), "{\"type\":\"pong\",\"t\":1}");
	ck_assert_str_eq(fake_text(conn), "{\"type\":\"ack\",\"id\":1}");
	fake_expect_nothing(conn);
}
END_TEST

/* ---- patience ---- */

START_TEST(nonsense_is_borne_ten_times)
{
	static const char *const nonsense[] = { "x", "{\"type\":\"X\"}", "[]", "{}", "{\"a\":1,}" };
	struct fake_conn *conn = fake_open(fake, WHO(0));
	for (size_t i = 0; i < 11; i++) {
		ck_assert_int_eq(conn->close_code, FAKE_OPEN);
		fake_say(conn, nonsense[i % 5]);
		fake_expect(conn, "{'type':'error'}");
		fake_advance(fake, 900);
	}
	ck_assert_int_eq(conn->close_code, PX_CLOSE_POLICY);
}
END_TEST

START_TEST(patience_comes_back)
{
	struct fake_conn *conn = fake_open(fake, WHO(0));
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 10; i++) {
			fake_say(conn, "x");
		}
		/* What makes sense is not counted, and what is refused with reason neither. */
		for (int i = 0; i < 20; i++) {
			fake_say(conn, "{\"type\":\"probe_none\"}");
			fake_say(conn, "{\"type\":\"probe_fields\",\"anId\":null}");
			fake_say(conn, "{\"type\":\"probe_note\",\"id\":null}");
			fake_say(conn, "{\"type\":\"probe_note\"}");
		}
		ck_assert_int_eq(conn->close_code, FAKE_OPEN);
		fake_advance(fake, 10000);
	}
}
END_TEST

START_TEST(too_many_fields_are_nonsense)
{
	static char text[8192];
	struct fake_conn *conn = fake_open(fake, WHO(0));
	size_t len = (size_t)sprintf(text, "{\"type\":\"probe_note\"");
	for (int i = 0; i < 256; i++) {
		len += (size_t)sprintf(text + len, ",\"f%d\":1", i);
	}
	strcpy(text + len, "}");
	ask(conn, text, "{'code':'bad_message','message':'The message has too many fields.'}");
}
END_TEST

/* ---- roles and practices ---- */

START_TEST(roles_are_kept_to)
{
	static const enum px_role roles[] = { PX_ROLE_STAFF, PX_ROLE_SERVICE, PX_ROLE_ADMIN };
	static const char needs[] = "{\"type\":\"probe_needs\",\"first\":\"\",\"second\":1}";
	for (size_t i = 0; i < 3; i++) {
		ask(fake_open(fake, WHO(.role = roles[i])), needs, "");
	}
	struct fake_conn *patient = fake_open(fake, WHO(.role = PX_ROLE_PATIENT));
	ask(patient, needs, "{'type':'error','code':'forbidden'}");
	ask(patient, "{\"type\":\"probe_note\"}", "");
}
END_TEST

START_TEST(a_message_is_of_the_practice_it_names)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "1 \"two\""));
	ask(conn, "{\"type\":\"probe_note\"}", "");
	ck_assert_str_eq(px_practice_id(seen_practice), "1");
	ck_assert(!seen_named);
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":\"two\"}", "");
	ck_assert_str_eq(px_practice_id(seen_practice), "two");
	ck_assert(seen_named);
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":\"1\"}", "");
	ck_assert_str_eq(px_practice_id(seen_practice), "1");
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":2}", "{'type':'error',"
			"'code':'forbidden','field':'practiceId'}");
	ask(conn, "{\"type\":\"probe_anywhere\",\"practiceId\":2}", "{'type':'error',"
			"'code':'forbidden'}");
	/* "1", in full; 01 is no number, 1.0 no id. */
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":\"01\"}", "{'code':'forbidden'}");
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":1.0}", "{'code':'bad_message'}");
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":null}", "{'code':'bad_message'}");
	/* Of two the last counts, as for JSON.parse. */
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":1,\"practiceId\":2}",
			"{'code':'forbidden'}");
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":1,\"practice\\u0049d\":2}",
			"{'code':'forbidden'}");
}
END_TEST

START_TEST(the_first_message_binds_a_practice)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = ""));
	ask(conn, "{\"type\":\"probe_note\"}", "{'type':'error','code':'forbidden',"
			"'field':'practiceId'}");
	ask(conn, "{\"type\":\"probe_anywhere\"}", "");
	ck_assert_ptr_null(seen_practice);
	ck_assert_uint_eq(entered, 0);
	/* A message that is refused before binds nothing. */
	ask(conn, "{\"type\":\"probe_needs\",\"practiceId\":3}", "{'field':'first'}");
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":\"a\\nb\"}", "{'code':'bad_message',"
			"'field':'practiceId'}");
	ck_assert_uint_eq(fake_stats(fake).practices, 0);
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":4}", "");
	ck_assert_uint_eq(entered, 1);
	ck_assert_str_eq(px_practice_id(seen_practice), "4");
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":5}", "{'code':'forbidden'}");
	ask(conn, "{\"type\":\"probe_note\"}", "");
	ck_assert_uint_eq(entered, 1);
}
END_TEST

START_TEST(a_token_without_practices_binds_none)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "", .authenticated = true));
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":4}", "{'code':'forbidden'}");
	ask(conn, "{\"type\":\"probe_anywhere\"}", "");
	ck_assert_uint_eq(entered, 0);
}
END_TEST

START_TEST(practices_run_out)
{
	struct px_limits limits = fake_limits();
	limits.practices = 1;
	tear_down();
	fake = fake_create(&limits);
	fake_add_service(fake, &service, NULL);
	struct fake_conn *first = fake_open(fake, WHO(.practices = ""));
	struct fake_conn *second = fake_open(fake, WHO(.practices = ""));
	ask(first, "{\"type\":\"probe_note\",\"practiceId\":1}", "");
	ask(second, "{\"type\":\"probe_note\",\"practiceId\":2}", "{'code':'unavailable'}");
	ask(second, "{\"type\":\"probe_note\",\"practiceId\":1}", "");
}
END_TEST

START_TEST(one_who_may_have_all_practices_names_only_so_many)
{
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "", .authenticated = true,
		.all_practices = true, .role = PX_ROLE_ADMIN));
	char text[64];
	for (int i = 1; i <= 65; i++) {
		(void)snprintf(text, sizeof(text), "{\"type\":\"probe_note\",\"practiceId\":%d}", i);
		ask(conn, text, i <= 64 ? "" : "{'code':'unavailable','field':'practiceId'}");
	}
	ask(conn, "{\"type\":\"probe_note\",\"practiceId\":1}", "");
}
END_TEST

/* ---- the log ---- */

START_TEST(the_log_repeats_nothing_of_what_was_sent)
{
	struct fake_conn *conn = fake_open(fake, WHO(.name = "Secret", .user = "secret"));
	static const char *const texts[] = { "secret", "{\"type\":\"secret_type\"}",
		"{\"type\":\"probe_note\",\"practiceId\":\"secret\"}",
		"{\"type\":\"probe_fields\",\"anId\":[\"secret\"]}",
		"{\"type\":\"probe_fail\",\"id\":\"secret\"}", "{\"secret\":1}" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		unsigned before = fake->log_count;
		fake_say(conn, texts[i]);
		ck_assert_uint_eq(fake->log_count, before + 1);
		ck_assert_ptr_null(strstr(fake->log, "ecret"));
		ck_assert_ptr_nonnull(strstr(fake->log, conn->client_id));
	}
}
END_TEST

RUN_TESTS_BETWEEN(set_up, tear_down, "dispatch", errors_have_a_code_and_a_reference,
		types_have_a_length, a_type_may_be_escaped, is_nested_too_deep, checks_come_in_their_order,
		fields_have_a_type, names_have_a_length, receipts_come_as_they_were_asked_for,
		a_receipt_has_a_length_and_a_type, one_who_is_closed_gets_no_receipt,
		pings_are_answered, nonsense_is_borne_ten_times, patience_comes_back,
		too_many_fields_are_nonsense, roles_are_kept_to,
		a_message_is_of_the_practice_it_names, the_first_message_binds_a_practice,
		a_token_without_practices_binds_none, practices_run_out,
		one_who_may_have_all_practices_names_only_so_many,
		the_log_repeats_nothing_of_what_was_sent);
