/* SPDX-License-Identifier: MIT */
/*
 * Sessions over a restart, with the real services: who waits for its client in one broker is
 * resumed or reattached in the next, in its rooms and its place in the line, and has missed
 * nothing; who cannot go on is seen to leave.
 */
#include "channel/channel.h"
#include "core/session.h"
#include "state_text.h"

#include <check.h>
#include <errno.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

#define JOIN(room) "{\"type\":\"telemedicine_user_joined\",\"roomId\":" room "," \
	"\"appointmentId\":\"a\\u0031\",\"userId\":12345678901234567890,\"userName\":\"\\u00c4nn\"}"
#define CHAT(text) "{\"type\":\"telemedicine_chat_message\",\"roomId\":\"r\"," \
	"\"appointmentId\":1,\"message\":\"" text "\",\"from\":\"f\",\"fromUserId\":1}"
#define MEDIA "{\"type\":\"telemedicine_media_state\",\"roomId\":\"r\",\"audio\":true," \
	"\"video\":false,\"screen\":true}"
#define UPDATE(n) "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"data\":" n "}"
#define STAFF(id, who) .versioned = true, .authenticated = true, .user = id, .name = who
#define PATIENT(id) .versioned = true, .authenticated = true, .user = id, .name = "P", \
	.role = PX_ROLE_PATIENT, .rooms = "\"r\""

/* ---- brokers ---- */

struct options {
	const char *telemedicine;
	uint32_t detached_sessions;
	int64_t grace_ms;
	int64_t elapsed_ms;
	uint32_t rooms_per_practice;
	uint32_t resume_messages;
	bool only_whiteboard;
	const char *realm;
};

static struct fake *begin_with(const struct options *options)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = options->grace_ms ? options->grace_ms : 30000;
	limits.resume_messages = options->resume_messages ? options->resume_messages : 512;
	limits.resume_bytes = 262144;
	limits.auth_notice_ms = 60000;
	limits.rooms_per_practice = options->rooms_per_practice;
	limits.detached_sessions = options->detached_sessions ? options->detached_sessions : 100;
	struct fake *fake = fake_create(&limits);
	fake->realm.name = options->realm ? options->realm : "default";
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user, NULL);
	if (!options->only_whiteboard) {
		(void)fake_add_service(fake, svc_telemedicine.protocols[0].user,
				options->telemedicine);
	}
	return fake;
}

static struct fake *begin(void)
{
	return begin_with(&(struct options){ 0 });
}

static struct fake *restart_with(struct fake *fake, const struct options *options,
		struct px_state_counts *ret_counts)
{
	struct state_text text = state_text_end(fake);
	fake = begin_with(options);
	fake->random = 4711;
	ck_assert_int_eq(state_text_load(fake, text.data, text.len, options->elapsed_ms, ret_counts),
			0);
	free(text.data);
	return fake;
}

static struct fake *restart(struct fake *fake)
{
	struct px_state_counts counts;
	return restart_with(fake, &(struct options){ 0 }, &counts);
}

static void skip(struct fake_conn *conn)
{
	while (*fake_text(conn)) {
		/* nobody reads this */
	}
}

/* How many messages with a number it has got. */
static int64_t is_room(struct fake_conn *conn)
{
	int64_t count = 0;
	for (size_t i = 0; i < conn->frame_count; i++) {
		const char *text = fake_frame_text(conn, &conn->frames[i]);
		count += conn->frames[i].opcode == FAKE_TEXT &&
				!strstr(text, "\"connection_established\"") &&
				!strstr(text, "\"resumed\"");
	}
	return count;
}

/* ---- tests ---- */

START_TEST(a_call_goes_on)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("\"8\"", "Bob")));
	fake_say(ann, JOIN("\"r\""));
	fake_say(bob, JOIN("\"r\""));
	fake_say(ann, MEDIA);
	fake_say(ann, CHAT("one"));
	char ann_id[PX_CLIENT_ID_SIZE];
	char ann_token[64];
	char bob_token[64];
	strcpy(ann_id, ann->client_id);
	strcpy(ann_token, ann->token);
	strcpy(bob_token, bob->token);
	int64_t ann_has = is_room(ann);
	int64_t bob_has = is_room(bob);
	/* Bob's connection breaks first: what comes then he has not got. */
	fake_lose(bob);
	fake_turn(fake);
	fake_forget_conn(bob);
	fake_say(ann, CHAT("two"));
	fake_say(ann, UPDATE("17"));

	fake = restart(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 2);
	ck_assert_uint_eq(fake_stats(fake).rooms, 1);
	bob = fake_resume(fake, WHO(STAFF("\"8\"", "Bob"), .resume = bob_token, .received = bob_has));
	fake_expect(bob, "{'type':'telemedicine_chat_message','message':'two'}");
	fake_expect(bob, "{'type':'whiteboard_update','data':17,'seq':1}");
	fake_expect_nothing(bob);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = ann_token, .received = ann_has));
	fake_expect_nothing(ann);
	ck_assert_str_eq(ann->client_id, ann_id);
	fake_say(bob, CHAT("three"));
	fake_expect(ann, "{'type':'telemedicine_chat_message','message':'three'}");
	fake_say(bob, UPDATE("18"));
	fake_expect(ann, "{'type':'whiteboard_update','data':18,'seq':2}");

	/* Who comes now sees them as they were. */
	struct fake_conn *cat = fake_open(fake, WHO(STAFF("9", "Cat")));
	fake_say(cat, JOIN("\"r\""));
	const char *joined = fake_text(cat);
	ck_assert_ptr_nonnull(strstr(joined, "\"userId\":7,\"userName\":\"Ann\",\"role\":\"staff\","
			"\"media\":{\"audio\":true,\"video\":false,\"screen\":true}"));
	ck_assert_ptr_nonnull(strstr(joined, "\"userId\":\"8\",\"userName\":\"Bob\""));
	const char *first = strstr(joined, "\"message\":\"one\"");
	const char *second = strstr(joined, "\"message\":\"two\"");
	ck_assert(first && second && first < second);
	ck_assert_ptr_nonnull(strstr(second, "\"message\":\"three\""));
	fake_destroy(fake);
}
END_TEST

/* In open mode a member's own words are all that is known of it: they keep their spelling. */
START_TEST(words_keep_their_spelling)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(.versioned = true, .user = "1"));
	fake_say(ann, JOIN("7"));
	fake = restart(fake);
	struct fake_conn *bob = fake_open(fake, WHO(.user = "2"));
	fake_say(bob, JOIN("\"7\""));
	const char *text = fake_text(bob);
	ck_assert_ptr_nonnull(strstr(text, "\"userId\":12345678901234567890,"
			"\"userName\":\"\\u00c4nn\""));
	fake_advance(fake, 30000);
	fake_turn(fake);
	text = fake_text(bob);
	ck_assert_ptr_nonnull(strstr(text, "\"type\":\"telemedicine_user_left\",\"roomId\":7,"
			"\"appointmentId\":\"a\\u0031\",\"userId\":12345678901234567890"));
	fake_destroy(fake);
}
END_TEST

START_TEST(a_token_is_good_once_also_over_a_restart)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	char first[64];
	strcpy(first, ann->token);
	fake_lose(ann);
	fake_turn(fake);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = first));
	char second[64];
	strcpy(second, ann->token);
	ck_assert_str_ne(first, second);
	fake_say(ann, "{\"type\":\"ping\"}");
	fake = restart(fake);
	ann = fake_open(fake, WHO(STAFF("7", "Ann"), .resume = first));
	fake_expect_nothing(ann);
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob"), .resume = second));
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_OTHER_USER], 1);
	skip(bob);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = second, .received = 1));
	ck_assert_str_ne(ann->token, second);
	fake_destroy(fake);
}
END_TEST

/* `resumed` went down with the network, and then the server was restarted. */
START_TEST(a_token_whose_successor_never_arrived_is_good_over_a_restart)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	char first[64];
	strcpy(first, ann->token);
	fake_lose(ann);
	fake_turn(fake);
	ann = fake_connect(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = first));
	fake_turn(fake);
	fake = restart(restart(fake));
	ann = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = first));
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_DONE], 1);
	fake_say(ann, "{\"type\":\"ping\"}");
	fake_expect(ann, "{'type':'pong'}");
	fake = restart(fake);
	ann = fake_open(fake, WHO(STAFF("7", "Ann"), .resume = first));
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_UNKNOWN], 1);
	fake_destroy(fake);
}
END_TEST

/* What it was sent because it subscribed on connecting does not come again, and nothing lacks. */
START_TEST(a_resumed_screen_asks_for_what_it_missed_before)
{
	struct fake *fake = begin();
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob")));
	fake_say(bob, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1}");
	char epoch[32];
	strcpy(epoch, fake_member(fake_expect(bob, "{'recovered':false}"), "epoch"));
	fake_say(bob, UPDATE("1"));
	fake_say(bob, UPDATE("2"));
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	fake_say(bob, UPDATE("3"));
	char token[64];
	strcpy(token, ann->token);
	int64_t has = is_room(ann);
	fake = restart(fake);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = token, .received = has));
	char line[256];
	(void)snprintf(line, sizeof(line), "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,"
			"\"since\":{\"epoch\":\"%s\",\"seq\":0}}", epoch);
	fake_say(ann, line);
	fake_expect(ann, "{'recovered':true,'seq':3}");
	fake_expect(ann, "{'type':'whiteboard_update','data':1}");
	fake_expect(ann, "{'type':'whiteboard_update','data':2}");
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

START_TEST(what_was_confirmed_before_is_not_given_again)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob")));
	for (int i = 0; i < 10; i++) {
		fake_say(bob, UPDATE("1"));
	}
	fake_say(ann, "{\"type\":\"received\",\"n\":6}");
	char token[64];
	strcpy(token, ann->token);
	fake = restart(fake);
	/* It had six; of fewer it may not say that they are missing. */
	ann = fake_open(fake, WHO(STAFF("7", "Ann"), .resume = token, .received = 5));
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_BEHIND], 1);
	fake_destroy(fake);

	fake = begin();
	ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	bob = fake_open(fake, WHO(STAFF("8", "Bob")));
	for (int i = 0; i < 10; i++) {
		fake_say(bob, UPDATE("1"));
	}
	fake_say(ann, "{\"type\":\"received\",\"n\":6}");
	strcpy(token, ann->token);
	fake = restart(fake);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = token, .received = 8));
	fake_expect(ann, "{'type':'whiteboard_update','seq':9}");
	fake_expect(ann, "{'type':'whiteboard_update','seq':10}");
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

START_TEST(who_has_no_numbers_is_reattached)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(.authenticated = true, .user = "7",
			.name = "Ann"));
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob")));
	char ann_id[PX_CLIENT_ID_SIZE];
	fake_say(ann, JOIN("\"r\""));
	fake_say(bob, JOIN("\"r\""));
	strcpy(ann_id, ann->client_id);
	fake_lose(ann);
	fake_turn(fake);
	fake_forget_conn(ann);
	fake_say(bob, UPDATE("1"));
	fake_say(bob, UPDATE("2"));
	fake = restart(fake);
	ann = fake_open(fake, WHO(.authenticated = true, .user = "7", .name = "Ann"));
	ck_assert_str_eq(ann->client_id, ann_id);
	fake_expect(ann, "{'type':'whiteboard_update','data':2}");
	fake_expect_nothing(ann);
	fake_say(ann, MEDIA); /* it is in the room still */
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

/* It was sent only the last of what it missed; whoever asks is given all. */
START_TEST(a_reattached_screen_can_have_all_that_it_missed)
{
	for (int restarted = 0; restarted < 2; restarted++) {
		struct fake *fake = begin();
		struct fake_conn *ann = fake_open(fake, WHO(.authenticated = true, .user = "7"));
		struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob")));
		fake_say(ann, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1}");
		char epoch[32];
		strcpy(epoch, fake_member(fake_expect(ann, "{'recovered':false}"), "epoch"));
		fake_say(bob, UPDATE("1"));
		fake_lose(ann);
		fake_turn(fake);
		fake_forget_conn(ann);
		fake_say(bob, UPDATE("2"));
		fake_say(bob, UPDATE("3"));
		fake = restarted ? restart(fake) : fake;
		ann = fake_open(fake, WHO(.authenticated = true, .user = "7"));
		fake_expect(ann, "{'type':'whiteboard_update','data':3}");
		char line[256];
		(void)snprintf(line, sizeof(line), "{\"type\":\"whiteboard_subscribe\","
				"\"practiceId\":1,\"since\":{\"epoch\":\"%s\",\"seq\":1}}", epoch);
		fake_say(ann, line);
		fake_expect(ann, "{'recovered':true,'seq':3}");
		fake_expect(ann, "{'type':'whiteboard_update','data':2}");
		fake_expect(ann, "{'type':'whiteboard_update','data':3}");
		fake_expect_nothing(ann);
		fake_destroy(fake);
	}
}
END_TEST

/* Neither a token to come back with nor a name: it ends with its connection, and is seen to. */
START_TEST(who_cannot_come_back_is_seen_to_leave)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	struct fake_conn *bob = fake_open(fake, WHO(.user = "8"));
	char token[64];
	fake_say(ann, JOIN("\"r\""));
	fake_say(bob, JOIN("\"r\""));
	int64_t has = is_room(ann);
	strcpy(token, ann->token);
	fake_lose(ann);
	fake_turn(fake);
	fake_forget_conn(ann);
	fake = restart(fake);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = token, .received = has));
	fake_expect(ann, "{'type':'telemedicine_user_left','reason':'disconnected'}");
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

START_TEST(the_grace_begins_anew)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	char token[64];
	strcpy(token, ann->token);
	fake_lose(ann);
	fake_turn(fake);
	fake_forget_conn(ann);
	fake_advance(fake, 29000);
	fake = restart(fake);
	fake_advance(fake, 29999);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	fake_advance(fake, 1);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	fake_destroy(fake);
}
END_TEST

/* Bob, who stays, is told of all who had no place. */
static void expect_left(struct fake *fake, const char *token, int64_t has, const char *reason)
{
	char pattern[128];
	struct fake_conn *bob = fake_resume(fake, WHO(STAFF("8", "Bob"), .resume = token,
			.received = has));
	(void)snprintf(pattern, sizeof(pattern),
			"{'type':'telemedicine_user_left','userName':'Ann','reason':'%s'}", reason);
	fake_expect(bob, pattern);
	fake_expect_nothing(bob);
}

/* Bob and Ann, whose token is over at `expires_ms`, in a room; what Bob needs to come back. */
static struct fake *two_in_a_room(int64_t expires_ms, char token[64], int64_t *ret_has)
{
	struct fake *fake = begin();
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob")));
	fake_say(bob, JOIN("\"r\""));
	fake_say(fake_open(fake, WHO(STAFF("7", "Ann"), .expires_ms = expires_ms)), JOIN("\"r\""));
	strcpy(token, bob->token);
	*ret_has = is_room(bob);
	return fake;
}

START_TEST(a_token_that_is_over_meanwhile)
{
	char token[64];
	int64_t has;
	struct px_state_counts counts;
	struct fake *fake = two_in_a_room(INT64_C(1700000005000), token, &has);
	struct state_text text = state_text_end(fake);
	fake = begin();
	fake_advance(fake, 5000);
	ck_assert_int_eq(state_text_load(fake, text.data, text.len, 5000, &counts), 0);
	free(text.data);
	ck_assert_uint_eq(counts.sessions, 2);
	ck_assert_uint_eq(counts.dropped_sessions, 1);
	expect_left(fake, token, has, "disconnected");
	fake_destroy(fake);
}
END_TEST

/* Told in one process, a session is not told again in the next; one that was not is. */
START_TEST(that_a_token_expires_is_told_once)
{
	char tokens[2][64];
	int64_t has[2];
	struct fake *fake = begin();
	for (int i = 0; i < 2; i++) {
		struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann"),
				.expires_ms = INT64_C(1700000010000)));
		if (i == 0) {
			fake_advance(fake, 8000);
			fake_turn(fake);
			fake_expect(ann, "{'type':'auth_expiring'}");
			fake->wall_ms -= 8000;
			px_broker_set_time(fake->broker, fake->mono_ms, fake->wall_ms);
		}
		strcpy(tokens[i], ann->token);
		has[i] = is_room(ann);
	}
	fake = restart(fake);
	struct fake_conn *conns[2];
	for (int i = 0; i < 2; i++) {
		conns[i] = fake_resume(fake, WHO(.versioned = true, .unauthenticated = true,
				.resume = tokens[i], .received = has[i]));
		fake_expect_nothing(conns[i]);
	}
	fake_advance(fake, 8000);
	fake_turn(fake);
	fake_expect_nothing(conns[0]);
	fake_expect(conns[1], "{'type':'auth_expiring'}");
	fake_destroy(fake);
}
END_TEST

START_TEST(a_room_that_is_too_small_now)
{
	char token[64];
	int64_t has;
	struct px_state_counts counts;
	struct fake *fake = two_in_a_room(0, token, &has);
	fake_say(fake_open(fake, WHO(STAFF("9", "Cat"))), JOIN("\"r\""));
	struct fake_conn *bob = fake->conns->next->next;
	has = is_room(bob);
	fake = restart_with(fake, &(struct options){ .telemedicine = "{\"room-members\":2}" },
			&counts);
	ck_assert_uint_eq(counts.dropped_members, 1);
	ck_assert_uint_eq(fake_stats(fake).detached, 3);
	bob = fake_resume(fake, WHO(STAFF("8", "Bob"), .resume = token, .received = has));
	fake_expect(bob, "{'type':'telemedicine_user_left','userName':'Cat','reason':'removed'}");
	fake_expect_nothing(bob);
	fake_destroy(fake);
}
END_TEST

START_TEST(more_rooms_than_there_may_be)
{
	struct px_state_counts counts;
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	char token[64];
	fake_say(ann, JOIN("\"r\""));
	fake_say(ann, JOIN("\"s\""));
	fake_say(ann, JOIN("\"t\""));
	int64_t has = is_room(ann);
	strcpy(token, ann->token);
	fake = restart_with(fake, &(struct options){ .rooms_per_practice = 2 }, &counts);
	ck_assert_uint_eq(counts.dropped_channels, 1);
	ck_assert_uint_eq(fake_stats(fake).rooms, 2);
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = token, .received = has));
	fake_expect(ann, "{'type':'telemedicine_user_left','reason':'ended'}");
	fake_expect_nothing(ann);
	fake_destroy(fake);
}
END_TEST

START_TEST(what_is_gone_is_left_out)
{
	struct px_state_counts counts;
	char token[64];
	int64_t has;
	struct fake *fake = two_in_a_room(0, token, &has);
	fake = restart_with(fake, &(struct options){ .only_whiteboard = true }, &counts);
	ck_assert_uint_eq(fake_stats(fake).detached, 2);
	ck_assert_uint_eq(fake_stats(fake).rooms, 0);
	ck_assert_uint_eq(counts.dropped_channels, 1);
	ck_assert_uint_eq(counts.dropped_members, 2);
	fake_destroy(fake);

	fake = two_in_a_room(0, token, &has);
	fake = restart_with(fake, &(struct options){ .realm = "another" }, &counts);
	ck_assert_uint_eq(counts.dropped_sessions, 2);
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	ck_assert_uint_eq(fake_stats(fake).rooms, 0);
	fake_destroy(fake);

	fake = two_in_a_room(0, token, &has);
	fake = restart_with(fake, &(struct options){ .grace_ms = -1 }, &counts);
	ck_assert_uint_eq(counts.dropped_sessions, 2);
	fake_destroy(fake);
}
END_TEST

/* All come back at once; that is no reason to lose any. */
START_TEST(the_limit_on_those_who_wait_is_for_other_days)
{
	struct px_state_counts counts;
	struct fake *fake = begin_with(&(struct options){ .detached_sessions = 1 });
	for (int i = 0; i < 3; i++) {
		(void)fake_open(fake, WHO(STAFF("7", "Ann")));
	}
	fake = restart_with(fake, &(struct options){ .detached_sessions = 1 }, &counts);
	ck_assert_uint_eq(fake_stats(fake).detached, 3);
	struct fake_conn *bob = fake_open(fake, WHO(STAFF("8", "Bob")));
	fake_advance(fake, 29000);
	fake_lose(bob);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 4);
	fake_advance(fake, 1000);
	fake_lose(fake_open(fake, WHO(STAFF("8", "Bob"))));
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	fake_destroy(fake);
}
END_TEST

/* The drain may last longer than the grace: nobody can come back meanwhile. */
START_TEST(the_grace_stands_still_while_draining)
{
	struct fake *fake = begin();
	fake_lose(fake_open(fake, WHO(STAFF("7", "Ann"))));
	fake_turn(fake);
	px_broker_hold(fake->broker);
	fake_advance(fake, 60000);
	fake_turn(fake);
	fake = restart(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_place_in_the_line_is_kept)
{
	struct fake *fake = begin_with(&(struct options){
		.telemedicine = "{\"waiting-room\":\"on\",\"waiting-timeout\":600}" });
	struct fake_conn *one = fake_open(fake, WHO(PATIENT("1")));
	struct fake_conn *two = fake_open(fake, WHO(PATIENT("2")));
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann")));
	fake_say(one, JOIN("\"r\""));
	fake_say(two, JOIN("\"r\""));
	fake_say(ann, JOIN("\"r\""));
	fake_advance(fake, 1000);
	fake_turn(fake);
	char one_token[64];
	char two_token[64];
	char ann_token[64];
	strcpy(one_token, one->token);
	strcpy(two_token, two->token);
	strcpy(ann_token, ann->token);
	int64_t one_has = is_room(one);
	int64_t two_has = is_room(two);
	int64_t ann_has = is_room(ann);
	char line[256];
	(void)snprintf(line, sizeof(line),
			"{\"type\":\"telemedicine_admit\",\"roomId\":\"r\",\"clientId\":\"%s\"}",
			one->client_id);
	struct px_state_counts counts;
	fake = restart_with(fake, &(struct options){
		.telemedicine = "{\"waiting-room\":\"on\",\"waiting-timeout\":600}" }, &counts);
	one = fake_resume(fake, WHO(PATIENT("1"), .resume = one_token, .received = one_has));
	two = fake_resume(fake, WHO(PATIENT("2"), .resume = two_token, .received = two_has));
	ann = fake_resume(fake, WHO(STAFF("7", "Ann"), .resume = ann_token, .received = ann_has));
	fake_say(ann, line);
	fake_expect(one, "{'type':'telemedicine_room_joined'}");
	fake_expect(two, "{'type':'telemedicine_waiting','position':1}");
	fake_expect(ann, "{'type':'telemedicine_user_joined','userId':1}");
	fake_advance(fake, 200);
	fake_turn(fake);
	const char *list = fake_text(ann);
	ck_assert_ptr_nonnull(strstr(list, "\"type\":\"telemedicine_waiting_list\""));
	ck_assert_ptr_nonnull(strstr(list, "\"userId\":2,"));
	ck_assert_ptr_null(strstr(list, "\"userId\":1,"));
	fake_destroy(fake);
}
END_TEST

START_TEST(who_waits_too_long_is_sent_away_also_over_a_restart)
{
	const struct options options = {
		.telemedicine = "{\"waiting-room\":\"on\",\"waiting-timeout\":600}" };
	struct px_state_counts counts;
	struct fake *fake = begin_with(&options);
	struct fake_conn *one = fake_open(fake, WHO(PATIENT("1")));
	fake_say(one, JOIN("\"r\""));
	char token[64];
	strcpy(token, one->token);
	int64_t has = is_room(one);
	/* The next one's clock begins at the same time again. */
	fake = restart_with(fake, &options, &counts);
	one = fake_resume(fake, WHO(PATIENT("1"), .resume = token, .received = has));
	for (int i = 0; i < 599; i += 20) {
		fake_advance(fake, i < 580 ? 20000 : 19999);
		fake_turn(fake);
		px_session_alive(one->session);
		fake_expect_nothing(one);
	}
	fake_advance(fake, 1);
	fake_turn(fake);
	fake_expect(one, "{'type':'telemedicine_denied','code':'expired'}");
	fake_destroy(fake);
}
END_TEST

/* A ping, and a greeting that never went out: they were for the connection that there was. */
START_TEST(what_has_no_number_is_not_kept)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user, NULL);
	struct fake_conn *ann = fake_connect(fake, WHO(STAFF("7", "Ann")));
	ann->busy = true;
	fake_turn(fake);
	fake_advance(fake, limits.heartbeat_ms);
	fake_turn(fake);
	ck_assert_uint_gt(fake_stats(fake).queue_bytes, 0);
	struct state_text text = state_text_end(fake);
	ck_assert_ptr_nonnull(strstr(text.data, "\"session\""));
	ck_assert_ptr_null(strstr(text.data, "\"queued\""));
	ck_assert_ptr_null(strstr(text.data, "\"kept\""));
	free(text.data);
}
END_TEST

START_TEST(the_same_state_makes_the_same_text)
{
	struct fake *fake = begin();
	struct fake_conn *ann = fake_open(fake, WHO(STAFF("7", "Ann"), .practices = "1 \"2\" x"));
	struct fake_conn *bob = fake_open(fake, WHO(.authenticated = true, .user = "8"));
	struct fake_conn *cat = fake_open(fake, WHO(PATIENT("9"), .practices = "1"));
	struct fake_conn *dan = fake_open(fake, WHO(.versioned = true, .service = "whiteboard",
			.authenticated = true, .user = "\"d\"", .all_practices = true));
	fake_say(ann, JOIN("\"r\""));
	fake_say(bob, JOIN("\"r\""));
	fake_say(cat, JOIN("\"r\""));
	fake_say(ann, CHAT("\\\"\\u0000"));
	fake_say(dan, UPDATE("{\"a\":1e5}"));
	fake_lose(ann);
	fake_turn(fake);
	fake_forget_conn(ann);
	fake_say(bob, CHAT("while she was away"));
	fake_advance(fake, 100);
	struct state_text first = state_text_end(fake);
	/* Dan's update, which is in the history, too: its text stands there alone. */
	ck_assert_ptr_nonnull(strstr(first.data, "{\"kept\":1}"));

	struct px_state_counts counts;
	fake = begin();
	fake->random = 99;
	ck_assert_int_eq(state_text_load(fake, first.data, first.len, 0, &counts), 0);
	ck_assert_uint_eq(counts.sessions, 4);
	ck_assert_uint_eq(counts.members, 8);
	struct state_text second = state_text_end(fake);
	ck_assert_str_eq(first.data, second.data);
	free(first.data);
	free(second.data);
}
END_TEST

/* What went to many is one message, before and after. */
START_TEST(messages_are_shared_as_before)
{
	struct fake *fake = begin();
	for (int i = 0; i < 20; i++) {
		(void)fake_open(fake, WHO(STAFF("7", "Ann")));
	}
	for (int i = 0; i < 10; i++) {
		fake_say(fake->conns, UPDATE("1"));
	}
	uint64_t live = fake_stats(fake).messages_live;
	ck_assert_uint_lt(live, 20);
	fake = restart(fake);
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 19 * 10);
	ck_assert_uint_eq(fake_stats(fake).messages_live, live);
	fake_destroy(fake);
}
END_TEST

/* Every line but the first may be missing, or there twice: taken up or refused, never a crash. */
START_TEST(states_with_lines_missing_or_doubled)
{
	char token[64];
	int64_t has;
	struct state_text text = state_text_end(two_in_a_room(0, token, &has));
	for (int twice = 0; twice < 2; twice++) {
		size_t at = 0;
		while (at < text.len) {
			size_t len = strcspn(text.data + at, "\n") + 1;
			struct state_text other = { 0 };
			other.data = calloc(1, text.len + len + 1);
			memcpy(other.data, text.data, at);
			other.len = at;
			size_t from = twice ? at : at + len;
			if (twice) {
				memcpy(other.data + other.len, text.data + at, len);
				other.len += len;
			}
			memcpy(other.data + other.len, text.data + from, text.len - from);
			other.len += text.len - from;
			struct px_state_counts counts;
			struct fake *fake = begin();
			int rc = state_text_load(fake, other.data, other.len, 0, &counts);
			ck_assert(rc == 0 || rc == -EINVAL);
			if (rc < 0) {
				ck_assert_uint_eq(fake_stats(fake).detached, 0);
				ck_assert_uint_eq(fake_stats(fake).channels, 0);
			}
			fake_destroy(fake);
			free(other.data);
			at += len;
		}
	}
	free(text.data);
}
END_TEST

RUN_TESTS("snapshot_session", a_call_goes_on, words_keep_their_spelling,
		a_token_is_good_once_also_over_a_restart,
		a_token_whose_successor_never_arrived_is_good_over_a_restart,
		a_resumed_screen_asks_for_what_it_missed_before,
		what_was_confirmed_before_is_not_given_again, who_has_no_numbers_is_reattached,
		a_reattached_screen_can_have_all_that_it_missed,
		who_cannot_come_back_is_seen_to_leave, the_grace_begins_anew,
		a_token_that_is_over_meanwhile, that_a_token_expires_is_told_once,
		a_room_that_is_too_small_now,
		more_rooms_than_there_may_be, what_is_gone_is_left_out,
		the_limit_on_those_who_wait_is_for_other_days,
		the_grace_stands_still_while_draining, a_place_in_the_line_is_kept,
		who_waits_too_long_is_sent_away_also_over_a_restart, what_has_no_number_is_not_kept,
		the_same_state_makes_the_same_text, messages_are_shared_as_before,
		states_with_lines_missing_or_doubled);
