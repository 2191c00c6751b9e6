/* SPDX-License-Identifier: MIT */
/*
 * What waits for a session whose rights shrink, or whose service is switched off: it is never
 * given, on whichever way the session goes on.
 */
#include "channel/channel.h"
#include "outbound/replay_buffer.h"
#include "core/session.h"
#include "state_text.h"
#include "session/session.h"

#include <check.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

#define ANN .versioned = true, .authenticated = true, .user = "7", .name = "Ann"
#define BOB .authenticated = true, .user = "8", .name = "Bob", .practices = "1 2"
#define UPDATE(practice, n) "{\"type\":\"whiteboard_update\",\"practiceId\":" practice \
	",\"data\":" n "}"
#define JOIN(room) "{\"type\":\"telemedicine_user_joined\",\"practiceId\":1,\"roomId\":" room \
	",\"appointmentId\":1,\"userId\":1,\"userName\":\"x\"}"
#define CHAT(room) "{\"type\":\"telemedicine_chat_message\",\"practiceId\":1,\"roomId\":" room \
	",\"appointmentId\":1,\"message\":\"hi\",\"from\":\"f\",\"fromUserId\":1}"

static struct fake *fake;
static unsigned whiteboard;
static unsigned telemedicine;

static struct fake *create(void)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	limits.detached_sessions = 100;
	limits.resume_messages = 512;
	limits.resume_bytes = 1 << 20;
	fake = fake_create(&limits);
	fake->realm.name = "default";
	whiteboard = fake_add_service(fake, svc_whiteboard.protocols[0].user, NULL);
	telemedicine = fake_add_service(fake, svc_telemedicine.protocols[0].user, NULL);
	return fake;
}

static void setup(void)
{
	(void)create();
}

static void teardown(void)
{
	fake_destroy(fake);
}

static void cut(struct fake_conn *conn)
{
	fake_lose(conn);
	fake_turn(fake);
}

static void skip(struct fake_conn *conn)
{
	while (*fake_text(conn)) {
		/* nobody reads this */
	}
}

static void switch_services(uint32_t on)
{
	fake->realm.enabled = on;
	px_broker_realm_changed(fake->broker, &fake->realm);
	fake_turn(fake);
}

static uint32_t all(void)
{
	return 1u << whiteboard | 1u << telemedicine;
}

/* The session becomes what a new token says, as `auth` does it. */
static void renew(struct fake_conn *conn, const struct fake_who *who)
{
	struct px_identity *identity;
	ck_assert_int_eq(fake_identity(fake, who, &identity), 0);
	px_session_become(conn->session, identity, true);
	fake_turn(fake);
}

/* Ann is away, and both her practices have news; the last number that she has is 0. */
static struct fake_conn *away_from_two(struct fake_conn **ret_bob)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1 2"));
	*ret_bob = fake_open(fake, WHO(BOB));
	fake_say(*ret_bob, UPDATE("1", "\"kept 1\""));
	fake_say(*ret_bob, UPDATE("2", "\"kept 2\""));
	cut(ann);
	fake_say(*ret_bob, UPDATE("1", "\"queued 1\""));
	fake_say(*ret_bob, UPDATE("2", "\"queued 2\""));
	return ann;
}

START_TEST(who_resumes_without_a_practice)
{
	struct fake_conn *bob;
	struct fake_conn *ann = away_from_two(&bob);
	ann = fake_resume(fake, WHO(ANN, .practices = "2", .resume = ann->token));
	fake_expect(ann, "{'type':'whiteboard_update','data':'kept 2'}");
	fake_expect(ann, "{'type':'whiteboard_update','data':'queued 2'}");
	fake_expect_nothing(ann);
	ck_assert_uint_eq(fake_stats(fake).withheld, 2);
	ck_assert_uint_eq(ann->session->resume->sent, 2);
	fake_say(bob, UPDATE("2", "3"));
	fake_expect(ann, "{'type':'whiteboard_update','data':3}");
}
END_TEST

START_TEST(who_resumes_as_a_patient)
{
	struct fake_conn *bob;
	struct fake_conn *ann = away_from_two(&bob);
	ann = fake_resume(fake, WHO(ANN, .practices = "1 2", .role = PX_ROLE_PATIENT,
			.resume = ann->token));
	fake_expect_nothing(ann);
	ck_assert_uint_eq(fake_stats(fake).withheld, 4);
}
END_TEST

START_TEST(who_resumes_with_more_lacks_nothing)
{
	struct fake_conn *bob;
	struct fake_conn *ann = away_from_two(&bob);
	ann = fake_resume(fake, WHO(ANN, .practices = "1 2 3", .role = PX_ROLE_ADMIN,
			.resume = ann->token));
	fake_expect(ann, "{'data':'kept 1'}");
	fake_expect(ann, "{'data':'kept 2'}");
	fake_expect(ann, "{'data':'queued 1'}");
	fake_expect(ann, "{'data':'queued 2'}");
	fake_expect_nothing(ann);
}
END_TEST

/* What was written before the loss keeps its number, and is not given again. */
START_TEST(who_renews_in_place_without_a_practice)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1 2"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	fake_say(bob, UPDATE("1", "\"written 1\""));
	fake_say(bob, UPDATE("2", "\"written 2\""));
	fake_say(bob, UPDATE("1", "\"written 3\""));
	skip(ann);
	ann->busy = true;
	fake_say(bob, UPDATE("1", "\"waits 1\""));
	fake_say(bob, UPDATE("2", "\"waits 2\""));
	renew(ann, WHO(ANN, .practices = "2"));
	fake_unblock(ann);
	fake_turn(fake);
	fake_expect(ann, "{'data':'waits 2'}");
	fake_expect(ann, "{'type':'auth_ok'}");
	fake_expect_nothing(ann);
	cut(ann);
	ann = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = ann->token, .received = 1));
	fake_expect(ann, "{'data':'written 2'}");
	fake_expect(ann, "{'data':'waits 2'}");
	fake_expect(ann, "{'type':'auth_ok'}");
	fake_expect_nothing(ann);
}
END_TEST

/* … and what the practice had is not there again with a third token. */
START_TEST(what_was_lost_does_not_come_back_with_the_right)
{
	struct fake_conn *bob;
	struct fake_conn *ann = away_from_two(&bob);
	ann = fake_resume(fake, WHO(ANN, .practices = "2", .resume = ann->token));
	skip(ann);
	renew(ann, WHO(ANN, .practices = "1 2"));
	skip(ann);
	cut(ann);
	ann = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = ann->token));
	fake_expect(ann, "{'data':'kept 2'}");
	fake_expect(ann, "{'data':'queued 2'}");
	fake_expect(ann, "{'type':'auth_ok'}");
	fake_expect_nothing(ann);
}
END_TEST

START_TEST(who_loses_a_room_is_told_so_and_no_more)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1",
			.role = PX_ROLE_PATIENT, .rooms = "\"a\" \"b\""));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	fake_say(ann, JOIN("\"a\""));
	fake_say(ann, JOIN("\"b\""));
	fake_say(bob, JOIN("\"a\""));
	fake_say(bob, JOIN("\"b\""));
	skip(ann);
	cut(ann);
	fake_say(bob, CHAT("\"a\""));
	fake_say(bob, CHAT("\"b\""));
	fake_say(bob, "{\"type\":\"telemedicine_offer\",\"practiceId\":1,\"roomId\":\"a\","
			"\"appointmentId\":1,\"offer\":{},\"from\":1,\"to\":7}");
	ann = fake_resume(fake, WHO(ANN, .practices = "1", .role = PX_ROLE_PATIENT,
			.rooms = "\"b\"", .resume = ann->token, .received = 4));
	fake_expect(ann, "{'type':'telemedicine_chat_message','roomId':'b'}");
	fake_expect(ann, "{'type':'telemedicine_user_left','roomId':'a','reason':'removed'}");
	fake_expect_nothing(ann);
	/* That it is told so is not lost with the next connection, and the same token. */
	cut(ann);
	ann = fake_resume(fake, WHO(ANN, .practices = "1", .role = PX_ROLE_PATIENT,
			.rooms = "\"b\"", .resume = ann->token, .received = 5));
	fake_expect(ann, "{'type':'telemedicine_user_left','roomId':'a','reason':'removed'}");
	fake_expect_nothing(ann);
}
END_TEST

START_TEST(who_is_reattached_without_a_practice)
{
	struct fake_conn *ann = fake_open(fake, WHO(.authenticated = true, .user = "7",
			.practices = "1 2"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	cut(ann);
	fake_say(bob, UPDATE("1", "1"));
	fake_say(bob, UPDATE("2", "2"));
	struct fake_conn *again = fake_open(fake, WHO(.authenticated = true, .user = "7",
			.practices = "2"));
	ck_assert_str_eq(again->client_id, ann->client_id);
	fake_expect(again, "{'type':'whiteboard_update','data':2}");
	fake_expect_nothing(again);
	cut(again);
	fake_say(bob, UPDATE("2", "3"));
	again = fake_open(fake, WHO(.authenticated = true, .user = "7", .practices = "2",
			.role = PX_ROLE_PATIENT));
	ck_assert_str_eq(again->client_id, ann->client_id);
	fake_expect_nothing(again);
}
END_TEST

START_TEST(over_a_restart_it_is_remembered_what_a_message_is_of)
{
	struct fake_conn *bob;
	struct fake_conn *ann = away_from_two(&bob);
	char token[64];
	struct px_state_counts counts;
	strcpy(token, ann->token);
	struct state_text text = state_text_end(fake);
	(void)create();
	ck_assert_int_eq(state_text_load(fake, text.data, text.len, 0, &counts), 0);
	free(text.data);
	ann = fake_resume(fake, WHO(ANN, .practices = "2", .resume = token));
	fake_expect(ann, "{'data':'kept 2'}");
	fake_expect(ann, "{'data':'queued 2'}");
	fake_expect_nothing(ann);
}
END_TEST

START_TEST(a_number_that_was_blanked_is_one_over_a_restart)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1 2"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	char token[64];
	struct px_state_counts counts;
	fake_say(bob, UPDATE("1", "1"));
	fake_say(bob, UPDATE("2", "2"));
	renew(ann, WHO(ANN, .practices = "2"));
	strcpy(token, ann->token);
	struct state_text text = state_text_end(fake);
	(void)create();
	ck_assert_int_eq(state_text_load(fake, text.data, text.len, 0, &counts), 0);
	free(text.data);
	ann = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = token, .received = 0));
	fake_expect(ann, "{'data':2}");
	fake_expect(ann, "{'type':'auth_ok'}");
	fake_expect_nothing(ann);
}
END_TEST

START_TEST(a_service_that_is_off_says_nothing)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	fake_say(ann, JOIN("\"a\""));
	fake_say(bob, JOIN("\"a\""));
	fake_say(bob, UPDATE("1", "\"written\""));
	skip(ann);
	ann->busy = true;
	fake_say(bob, CHAT("\"a\""));
	fake_say(bob, UPDATE("1", "\"waits\""));
	switch_services(1u << whiteboard);
	cut(bob);
	fake_advance(fake, 30000);
	fake_turn(fake);
	fake_unblock(ann);
	fake_turn(fake);
	fake_expect(ann, "{'data':'waits'}");
	fake_expect_nothing(ann);
	/* It does not know that Bob has left: with the service it begins anew. */
	switch_services(all());
	fake_settle(fake);
	ck_assert_int_eq(ann->close_code, PX_CLOSE_TRY_LATER);
}
END_TEST

START_TEST(who_missed_nothing_of_it_stays)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1"));
	fake_say(ann, JOIN("\"a\""));
	skip(ann);
	switch_services(1u << whiteboard);
	switch_services(all());
	fake_say(ann, CHAT("\"a\""));
	fake_expect_nothing(ann);
	ck_assert_int_eq(ann->close_code, FAKE_OPEN);
}
END_TEST

/* The next figures say the same: nothing is lost for good. */
START_TEST(figures_of_no_practice_are_not_missed)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1"));
	struct px_json json;
	ann->busy = true;
	px_json_begin(&json, "telemedicine_figures");
	px_json_end(&json);
	px_session_send_json(ann->session, &json);
	switch_services(1u << whiteboard);
	fake_unblock(ann);
	fake_turn(fake);
	fake_expect_nothing(ann);
	switch_services(all());
	fake_settle(fake);
	ck_assert_int_eq(ann->close_code, FAKE_OPEN);
}
END_TEST

START_TEST(who_comes_back_to_a_service_that_is_off)
{
	struct fake_conn *bob;
	struct fake_conn *ann = away_from_two(&bob);
	switch_services(1u << telemedicine);
	ann = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = ann->token));
	fake_expect_nothing(ann);
	switch_services(all());
	fake_settle(fake);
	ck_assert_int_eq(ann->close_code, PX_CLOSE_TRY_LATER);
}
END_TEST

START_TEST(all_of_the_tenant_is_not_less_than_what_was_named)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "", .all_practices = true,
			.role = PX_ROLE_ADMIN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	fake_say(ann, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1}");
	skip(ann);
	renew(ann, WHO(ANN, .practices = "", .all_practices = true, .role = PX_ROLE_ADMIN));
	fake_expect(ann, "{'type':'auth_ok'}");
	fake_say(bob, UPDATE("1", "1"));
	fake_expect(ann, "{'data':1}");
}
END_TEST

/* Nobody says of itself what it is. */
START_TEST(a_patient_is_a_patient)
{
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	struct fake_conn *eve = fake_open(fake, WHO(ANN, .practices = "1",
			.role = PX_ROLE_PATIENT, .rooms = "\"a\""));
	fake_say(bob, JOIN("\"a\""));
	skip(bob);
	fake_say(eve, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"a\","
			"\"appointmentId\":1,\"userId\":1,\"userName\":\"x\",\"r\\u006fle\":\"staff\","
			"\"role\":\"admin\",\"media\":{\"audio\":true},\"note\":\"n\"}");
	struct json_object *joined = fake_expect(bob, "{'type':'telemedicine_user_joined',"
			"'role':'patient','media':{'audio':false,'video':false,'screen':false},'note':'n'}");
	ck_assert_ptr_nonnull(joined);
	fake_expect_nothing(bob);
}
END_TEST

RUN_TESTS_BETWEEN(setup, teardown, "rights", who_resumes_without_a_practice,
		who_resumes_as_a_patient, who_resumes_with_more_lacks_nothing,
		who_renews_in_place_without_a_practice,
		what_was_lost_does_not_come_back_with_the_right,
		who_loses_a_room_is_told_so_and_no_more, who_is_reattached_without_a_practice,
		over_a_restart_it_is_remembered_what_a_message_is_of,
		a_number_that_was_blanked_is_one_over_a_restart, a_service_that_is_off_says_nothing,
		who_missed_nothing_of_it_stays, figures_of_no_practice_are_not_missed,
		who_comes_back_to_a_service_that_is_off,
		all_of_the_tenant_is_not_less_than_what_was_named, a_patient_is_a_patient);
