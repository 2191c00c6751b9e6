/* SPDX-License-Identifier: MIT */
/* Sessions that outlive their connections: detached, resumed by token, ended when nobody comes. */
#include "core/practice.h"
#include "session/test_resume_util.h"
#include "outbound/replay_buffer.h"

/* ---- the token ---- */

START_TEST(gives_a_token_to_praxis_v1_alone)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	ck_assert_uint_eq(strlen(ann->token), PX_RESUME_TOKEN_SIZE - 1);
	ck_assert_int_eq(strncmp(ann->token, ann->client_id, 17), 0);
	ck_assert_str_eq(bob->token, "");
	struct fake_conn *other = fake_open(fake, WHO(ANN));
	ck_assert_str_ne(other->token + 17, ann->token + 17);
	WITH_LIMIT(grace_ms, 0);
	ann = fake_open(fake, WHO(ANN));
	ck_assert_str_eq(ann->token, "");
	fake_say(ann, "{\"type\":\"received\",\"n\":0}");
	fake_expect(ann, "{'type':'error','code':'unknown_type','ref':'received'}");
}
END_TEST

START_TEST(a_token_is_good_once)
{
	struct fake_conn *first = fake_open(fake, WHO(ANN));
	cut(first);
	struct fake_conn *second = back(first, 0);
	ck_assert_str_ne(first->token, second->token);
	px_session_alive(second->session);
	cut(second);
	NOT_RESUMED(.resume = first->token);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	back(second, 0);
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_DONE], 2);
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_UNKNOWN], 1);
}
END_TEST

START_TEST(a_token_is_not_used_up_by_a_connection_that_never_lived)
{
	struct fake_conn *first = fake_open(fake, WHO(ANN));
	cut(first);
	struct fake_conn *second = back(first, 0);
	const struct fake_frame *ping = fake_next(second);
	ck_assert_ptr_nonnull(ping);
	ck_assert_uint_eq(ping->opcode, FAKE_PING);
	cut(second);
	struct fake_conn *third = back(first, 0);
	cut(third);
	/* Had it arrived, and only the answer been lost: the new one is good all the same. */
	struct fake_conn *fourth = back(third, 0);
	NOT_RESUMED(.resume = second->token);
	fake_say(fourth, "{\"type\":\"ping\"}");
	fake_expect(fourth, "{'type':'pong'}");
	NOT_RESUMED(.resume = third->token);
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_DONE], 3);
}
END_TEST

START_TEST(what_is_no_token_resumes_nothing)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct px_realm other_realm = { .enabled = fake->realm.enabled };
	char token[64];
	cut(ann);
	NOT_RESUMED(.resume = "x");
	NOT_RESUMED(.resume = ann->client_id);
	for (size_t i = 0; i < strlen(ann->token); i++) {
		snprintf(token, sizeof(token), "%s", ann->token);
		token[i] = token[i] == '0' ? '1' : '0';
		NOT_RESUMED(.resume = token);
	}
	snprintf(token, sizeof(token), "%.49s0", ann->token);
	NOT_RESUMED(.resume = token);
	NOT_RESUMED(.resume = ann->token, .realm = &other_realm);
	/* In a message something stands behind it. */
	size_t len = strlen(ann->token);
	ck_assert_uint_lt(len, sizeof(token));
	memcpy(token, ann->token, len);
	token[len] = '"';
	ck_assert_ptr_nonnull(px_resume_find(fake->broker, &fake->realm,
			(struct px_span){ token, len }));
	back(ann, 0);
	fake_settle(fake);
	for (struct fake_conn *conn = fake->conns; conn; conn = conn->next) {
		fake_lose(conn); /* before the realm of one of them goes */
	}
	fake_turn(fake);
}
END_TEST

START_TEST(an_unauthenticated_session_resumes_nothing)
{
	struct fake_conn *unauthenticated = fake_open(fake, WHO(.unauthenticated = true,
			.versioned = true));
	ck_assert_str_ne(unauthenticated->token, "");
	NOT_RESUMED(.resume = unauthenticated->token);
	cut(unauthenticated);
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	NOT_RESUMED(.resume = unauthenticated->token);
}
END_TEST

/* ---- numbers ---- */

START_TEST(replays_what_was_not_received)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	for (int i = 1; i <= 40; i++) {
		say(bob, i);
	}
	cut(ann);
	for (int i = 41; i <= 60; i++) {
		say(bob, i);
	}
	fake_expect_nothing(bob);
	struct fake_conn *again = back(ann, 23);
	for (int i = 24; i <= 60; i++) {
		hears(again, i);
	}
	fake_expect_nothing(again);
	/* The numbers go on as if nothing had been. */
	say(bob, 61);
	cut(again);
	struct fake_conn *third = back(again, 60);
	hears(third, 61);
	fake_expect_nothing(third);
	fake_expect_nothing(bob);
}
END_TEST

START_TEST(replays_with_a_socket_that_was_full)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	ann->busy = true;
	for (int i = 2; i <= 30; i++) {
		say(bob, i);
	}
	cut(ann);
	struct fake_conn *again = back(ann, 0);
	for (int i = 1; i <= 30; i++) {
		hears(again, i);
	}
	fake_expect_nothing(again);
}
END_TEST

START_TEST(received_releases)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	for (int i = 1; i <= 30; i++) {
		say(bob, i);
	}
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 30);
	confirm(ann, 10);
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 20);
	confirm(ann, 5);
	confirm(ann, 10);
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 20);
	confirm(ann, 30);
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 0);
	ck_assert_uint_eq(fake_stats(fake).kept_bytes, 0);
	for (int i = 1; i <= 30; i++) {
		hears(ann, i);
	}
	fake_expect_nothing(ann);
}
END_TEST

START_TEST(received_must_make_sense)
{
	static const char *const values[] = { "\"1\"", "-1", "1.0", "null",
		"9999999999999999999999", "6" };
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	char text[80];
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(text, sizeof(text), "{\"type\":\"received\",\"id\":1,\"n\":%s}", values[i]);
		fake_say(ann, text);
		fake_expect(ann, "{'type':'error','code':'bad_message','ref':'received','id':1,"
				"'field':'n'}");
		confirm(ann, (int)i + 1);
		fake_expect_nothing(ann);
	}
	fake_say(ann, "{\"type\":\"received\",\"id\":2}");
	fake_expect(ann, "{'code':'bad_message','field':'n'}");
	fake_say(ann, "{\"type\":\"received\",\"id\":3,\"n\":7}");
	fake_expect(ann, "{'type':'ack','id':3}");
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	confirm(bob, 0);
	fake_expect(bob, "{'code':'unknown_type','field':'type'}");
}
END_TEST

START_TEST(counts_what_it_took)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	say(ann, 1);
	fake_say(ann, "{\"type\":\"ping\"}");
	fake_say(ann, "nonsense");
	fake_say(ann, "{\"type\":\"probe_nothing\"}");
	confirm(ann, 0);
	cut(ann);
	struct fake_conn *again = fake_connect(fake, WHO(.unauthenticated = true, .versioned = true,
			.resume = ann->token, .received = 3));
	fake_turn(fake);
	fake_expect(again, "{'type':'resumed','received':5}");
	say(again, 2);
	ck_assert_uint_eq(again->session->resume->received, 6);
}
END_TEST

START_TEST(one_who_is_too_far_behind_begins_anew)
{
	WITH_LIMIT(resume_messages, 10);
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	for (int i = 1; i <= 30; i++) {
		say(bob, i);
		hears(ann, i);
	}
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 10);
	cut(ann);
	NOT_RESUMED(.resume = ann->token, .received = 19);
	left(bob, ann, PX_DISCONNECTED);
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_BEHIND], 1);
	NOT_RESUMED(.resume = ann->token, .received = 20);
}
END_TEST

START_TEST(one_who_kept_up_is_given_all)
{
	WITH_LIMIT(resume_bytes, 2000);
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	for (int i = 1; i <= 100; i++) {
		say(bob, i);
		hears(ann, i);
	}
	ck_assert_uint_le(fake_stats(fake).kept_bytes, 2000);
	ck_assert_uint_ge(fake_stats(fake).kept_messages, 5);
	cut(ann);
	struct fake_conn *again = back(ann, 97);
	hears(again, 98);
	hears(again, 99);
	hears(again, 100);
	fake_expect_nothing(again);
}
END_TEST

START_TEST(a_number_must_make_sense)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	cut(ann);
	NOT_RESUMED(.resume = ann->token, .received = -1);
	NOT_RESUMED(.resume = ann->token, .received = 2);
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_BAD_COUNT], 2);
	back(ann, 1);
	fake_expect_nothing(bob);
}
END_TEST

/* ---- who ---- */

START_TEST(other_credentials_do_not_resume)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	cut(ann);
	turned_away(WHO(BOB, .versioned = true, .resume = ann->token));
	turned_away(WHO(ANN, .tenant = "other", .resume = ann->token));
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_OTHER_USER], 2);
	ck_assert_uint_eq(events[PX_EVENT_REFUSED], 2);
	back(ann, 0);
}
END_TEST

START_TEST(newer_credentials_of_the_same_user_renew)
{
	struct fake_conn *bob = fake_open(fake, WHO(BOB, .practices = "1 2"));
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .practices = "1 2"));
	int64_t later_ms = fake->wall_ms + 3600000;
	cut(ann);
	struct fake_conn *again = fake_resume(fake, WHO(ANN, .practices = "2 3",
			.resume = ann->token, .expires_ms = later_ms, .address = "192.0.2.9"));
	ck_assert_str_eq(again->client_id, ann->client_id);
	left(bob, ann, PX_REMOVED);
	fake_expect_nothing(bob);
	ck_assert_int_eq(again->session->identity->expires_ms, later_ms);
	ck_assert_str_eq(last_address, "192.0.2.9");
	fake_say(bob, "{\"type\":\"probe_say\",\"practiceId\":2,\"n\":1}");
	hears(again, 1);
	fake_say(again, "{\"type\":\"probe_say\",\"practiceId\":3,\"n\":1}");
	fake_say(again, "{\"type\":\"probe_say\",\"practiceId\":1,\"n\":1}");
	fake_expect(again, "{'type':'error','code':'forbidden'}");
}
END_TEST

START_TEST(open_mode_resumes_by_token_alone)
{
	struct fake_conn *ann = fake_open(fake, WHO(.versioned = true, .user = "7",
			.practices = "5"));
	cut(ann);
	turned_away(WHO(.versioned = true, .user = "8", .resume = ann->token));
	struct fake_conn *again = fake_resume(fake, WHO(.versioned = true, .resume = ann->token));
	fake_say(again, "{\"type\":\"probe_say\",\"practiceId\":5,\"n\":1}");
	fake_expect_nothing(again);
	cut(again);
	again = fake_resume(fake, WHO(.versioned = true, .user = "7", .resume = again->token));
	fake_say(again, "{\"type\":\"probe_say\",\"practiceId\":5,\"n\":1}");
	fake_expect_nothing(again);
}
END_TEST

START_TEST(the_audit_log_sees_where_it_came_from)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .rooms = "r1 r2", .address = "192.0.2.1"));
	ck_assert_str_eq(last_address, "192.0.2.1");
	cut(ann);
	ck_assert_uint_eq(events[PX_EVENT_DETACHED], 1);
	struct fake_conn *again = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true,
			.practices = "", .resume = ann->token, .address = "2001:db8::1"));
	ck_assert_uint_eq(events[PX_EVENT_RESUMED], 1);
	ck_assert_str_eq(last_address, "2001:db8::1");
	const struct px_identity *identity = again->session->identity;
	ck_assert(px_identity_admits(identity, px_span("r2")));
	ck_assert(!px_identity_admits(identity, px_span("r3")));
	ck_assert(px_span_equal(px_identity_name(identity), px_span("Ann")));
	ck_assert_uint_eq(events[PX_EVENT_DISCONNECTED], 0);
}
END_TEST

/* Its identity is another object each time: the practice counts who holds it, not how often. */
START_TEST(who_comes_back_is_one_client)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	const struct px_practice *practice = ann->session->identity->practices[0].practice;
	for (int i = 0; i < 3; i++) {
		cut(ann);
		ann = back(ann, 0);
		ck_assert_uint_eq(practice->clients, 1);
	}
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	ck_assert_uint_eq(practice->clients, 2);
	cut(ann);
	tick(GRACE_MS);
	ck_assert_uint_eq(practice->clients, 1);
	fake_say(bob, "{\"type\":\"ping\"}");
}
END_TEST

START_TEST(what_the_host_refuses_stays_as_it_was)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	cut(ann);
	say(bob, 1);
	refuses_resume = true;
	NOT_RESUMED(.resume = ann->token);
	ck_assert_uint_eq(fake_stats(fake).resumes[PX_RESUME_REFUSED], 1);
	refuses_resume = false;
	struct fake_conn *again = back(ann, 0);
	hears(again, 1);
	fake_expect_nothing(bob);
}
END_TEST

/* ---- when ---- */

START_TEST(after_the_grace_the_others_are_told_once)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	cut(ann);
	ck_assert_uint_eq(fake_stats(fake).sessions, 1);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	tick(GRACE_MS - 1);
	px_session_alive(bob->session);
	fake_expect_nothing(bob);
	ck_assert_uint_eq(closed, 0);
	tick(1);
	left(bob, ann, PX_DISCONNECTED);
	fake_expect_nothing(bob);
	ck_assert_uint_eq(closed, 1);
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 0);
	NOT_RESUMED(.resume = ann->token);
}
END_TEST

START_TEST(a_token_that_expires_ends_it)
{
	int64_t end_ms = fake->wall_ms + 70000;
	struct fake_conn *ann = fake_open(fake, WHO(ANN, .expires_ms = end_ms));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	tick(20000);
	px_session_alive(bob->session);
	px_session_alive(ann->session);
	tick(20000);
	px_session_alive(bob->session);
	px_session_alive(ann->session);
	tick(20000);
	cut(ann);
	tick(9999);
	fake_text(bob);
	fake_expect_nothing(bob);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	/* Its timer is not due, but its token is over by the clock on the wall. */
	fake->wall_ms += 2;
	px_broker_set_time(fake->broker, fake->mono_ms, fake->wall_ms);
	NOT_RESUMED(.resume = ann->token);
	tick(1);
	left(bob, ann, PX_DISCONNECTED);
	cut(fake_open(fake, WHO(ANN, .expires_ms = fake->wall_ms - 1)));
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
}
END_TEST

START_TEST(goodbye_is_goodbye)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	fake_leave(ann);
	fake_turn(fake);
	left(bob, ann, PX_DISCONNECTED);
	NOT_RESUMED(.resume = ann->token);
}
END_TEST

START_TEST(what_the_server_closes_is_closed)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	px_session_close(ann->session, PX_CLOSE_POLICY);
	fake_settle(fake);
	left(bob, ann, PX_DISCONNECTED);
	NOT_RESUMED(.resume = ann->token);
	ck_assert_uint_eq(events[PX_EVENT_DETACHED], 0);
}
END_TEST

START_TEST(one_who_is_away_can_be_removed)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	char text[80];
	cut(ann);
	snprintf(text, sizeof(text), "{\"type\":\"probe_remove\",\"target\":\"%s\"}",
			ann->client_id);
	fake_say(bob, text);
	left(bob, ann, PX_DISCONNECTED);
	fake_expect_nothing(bob);
	NOT_RESUMED(.resume = ann->token);
}
END_TEST

START_TEST(after_a_restart_it_is_to_come_back)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	px_session_close(ann->session, PX_CLOSE_RESTART);
	say(bob, 2);
	ck_assert_int_eq(ann->close_code, PX_CLOSE_RESTART);
	say(bob, 3);
	fake_settle(fake);
	say(bob, 4);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	fake_expect_nothing(bob);
	struct fake_conn *again = back(ann, 1);
	hears(again, 2);
	hears(again, 3);
	hears(again, 4);
	fake_expect_nothing(again);
}
END_TEST

START_TEST(the_silent_are_waited_for)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	tick(25000);
	px_session_alive(bob->session);
	tick(25000);
	px_session_alive(bob->session);
	ck_assert_int_eq(ann->close_code, 0);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	ck_assert_uint_eq(fake_stats(fake).closes[0], 0);
	tick(GRACE_MS - 1);
	px_session_alive(bob->session);
	struct fake_conn *again = back(ann, 0);
	hears(again, 1);
	tick(GRACE_MS);
	px_session_alive(bob->session);
	fake_expect_nothing(bob);
}
END_TEST

START_TEST(a_write_that_fails_is_made_up_for)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	ann->fails = true;
	say(bob, 2);
	say(bob, 3);
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	struct fake_conn *again = back(ann, 1);
	hears(again, 2);
	hears(again, 3);
	fake_expect_nothing(again);
}
END_TEST

START_TEST(a_write_that_fails_in_a_fan_out_is_made_up_for)
{
	WITH_LIMIT(queue_bytes, 400);
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	ann->fails = true;
	for (int i = 1; i <= 20; i++) {
		char text[64];
		snprintf(text, sizeof(text), "{\"type\":\"probe_say\",\"n\":%d}", i);
		fake_send(bob, text);
	}
	ck_assert_uint_eq(fake_stats(fake).detached, 1);
	fake_turn(fake);
	struct fake_conn *again = back(ann, 0);
	for (int i = 1; i <= 20; i++) {
		hears(again, i);
	}
	fake_expect_nothing(again);
}
END_TEST

START_TEST(takes_over_what_seems_alive)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	say(bob, 2);
	struct fake_conn *again = back(ann, 1);
	ck_assert_int_eq(ann->close_code, PX_CLOSE_REPLACED);
	ck_assert_ptr_null(ann->session);
	hears(again, 2);
	fake_expect_nothing(again);
	fake_expect_nothing(bob);
	ck_assert_uint_eq(fake_stats(fake).sessions, 2);
	ck_assert_uint_eq(fake_stats(fake).takeovers, 1);
	/* Nothing can be said to one whose socket is full. */
	again->busy = true;
	struct fake_conn *third = back(again, 1);
	ck_assert_int_eq(again->close_code, 0);
	hears(third, 2);
}
END_TEST

START_TEST(who_waits_longest_makes_room)
{
	WITH_LIMIT(detached_sessions, 2);
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	struct fake_conn *gone[3];
	for (int i = 0; i < 3; i++) {
		gone[i] = fake_open(fake, WHO(ANN));
	}
	cut(gone[1]);
	cut(gone[0]);
	fake_expect_nothing(bob);
	cut(gone[2]);
	left(bob, gone[1], PX_DISCONNECTED);
	fake_expect_nothing(bob);
	back(gone[0], 0);
	back(gone[2], 0);
}
END_TEST

START_TEST(too_much_for_one_who_is_away_ends_it)
{
	WITH_LIMIT(resume_messages, 10);
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	for (int i = 1; i <= 8; i++) {
		say(bob, i);
	}
	cut(ann);
	for (int i = 9; i <= 18; i++) {
		say(bob, i);
	}
	/* What was written made room for what was not. */
	fake_expect_nothing(bob);
	ck_assert_uint_eq(fake_stats(fake).kept_messages, 0);
	say(bob, 19);
	left(bob, ann, PX_DISCONNECTED);
	fake_expect_nothing(bob);
	ck_assert_uint_eq(fake_stats(fake).queue_bytes, 0);
}
END_TEST

START_TEST(services_that_come_meanwhile_are_there)
{
	fake->realm.enabled = 0;
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	cut(ann);
	fake->realm.enabled = 1;
	px_broker_realm_changed(fake->broker, &fake->realm);
	ck_assert_uint_eq(opened, 1);
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	struct fake_conn *again = back(ann, 0);
	hears(again, 1);
}
END_TEST

/* ---- the end ---- */

START_TEST(the_process_ends_with_some_away)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(bob, 1);
	cut(ann);
	say(bob, 2);
	cut(bob);
	ck_assert_uint_eq(fake_stats(fake).detached, 2);
	px_broker_end_detached(fake->broker);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	ck_assert_uint_eq(closed, 2);
}
END_TEST

RUN_TESTS_BETWEEN(setup, teardown, "replay_buffer", gives_a_token_to_praxis_v1_alone,
		a_token_is_good_once, a_token_is_not_used_up_by_a_connection_that_never_lived,
		what_is_no_token_resumes_nothing, an_unauthenticated_session_resumes_nothing,
		replays_what_was_not_received, replays_with_a_socket_that_was_full, received_releases,
		received_must_make_sense, counts_what_it_took, one_who_is_too_far_behind_begins_anew,
		one_who_kept_up_is_given_all, a_number_must_make_sense, other_credentials_do_not_resume,
		newer_credentials_of_the_same_user_renew, open_mode_resumes_by_token_alone,
		the_audit_log_sees_where_it_came_from, who_comes_back_is_one_client,
		what_the_host_refuses_stays_as_it_was,
		after_the_grace_the_others_are_told_once, a_token_that_expires_ends_it,
		goodbye_is_goodbye, what_the_server_closes_is_closed, one_who_is_away_can_be_removed,
		after_a_restart_it_is_to_come_back, the_silent_are_waited_for,
		a_write_that_fails_is_made_up_for, a_write_that_fails_in_a_fan_out_is_made_up_for,
		takes_over_what_seems_alive, who_waits_longest_makes_room,
		too_much_for_one_who_is_away_ends_it, services_that_come_meanwhile_are_there,
		the_process_ends_with_some_away);
