/* SPDX-License-Identifier: MIT */
/*
 * A session's life: greeting, heartbeat, and every way to its end; writing is in test_write.c.
 * A small service publishes to a hall that each session joins; its handlers close whom they
 * like while they publish, which must free nothing before the turn ends.
 */
#include "core/session.h"

#include "channel/channel.h"
#include "fake.h"

#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x5ca1ab1e

static unsigned opened;
static unsigned closed;
static const struct px_channel_kind hall_kind = { .name = "hall" };
static const struct px_channel_limits unlimited = { 0 };
static const struct px_service service;

static int on_open(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	(void)session;
	ck_assert_uint_eq(*(uint32_t *)session_state, 0);
	*(uint32_t *)session_state = MAGIC;
	opened++;
	return 0;
}

static void on_close(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	ck_assert_uint_eq(*(uint32_t *)session_state, MAGIC);
	ck_assert_ptr_null(session->members);
	closed++;
	/* Too late for a word, and it does no harm. */
	px_session_send(session, NULL);
	px_session_close(session, PX_CLOSE_NORMAL);
}

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct px_member *member;
	bool is_new;
	(void)state;
	ck_assert_int_eq(px_channel_join(session, &service, &hall_kind, practice, px_span("hall"),
			&unlimited, &member, &is_new), 0);
}

static struct px_channel *hall(struct px_call *call)
{
	return px_session_channel(call->session, call->service, call->practice, px_span("hall"));
}

static int handle_say(struct px_call *call)
{
	struct px_message *message = px_call_forward(call, 0);
	px_channel_publish(hall(call), call->session, message, call->session);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

/* Publishes, closes everybody else on the way, and publishes again. */
static int handle_purge(struct px_call *call)
{
	struct px_channel *channel = hall(call);
	struct px_message *message = px_call_forward(call, 0);
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		struct px_session *other = px_member_session(px_channel_member(channel, i));
		px_channel_publish(channel, call->session, message, NULL);
		if (other != call->session) {
			px_session_close(other, PX_CLOSE_REMOVED);
		}
	}
	px_channel_publish(channel, call->session, message, NULL);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

static int handle_bye(struct px_call *call)
{
	struct px_json json;
	px_json_begin(&json, "probe_farewell");
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	px_session_close(call->session, PX_CLOSE_FORBIDDEN);
	px_session_close(call->session, PX_CLOSE_NORMAL);
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "probe_bye", .handle = handle_bye, .roles = PX_ROLES_ALL },
	{ .type = "probe_purge", .handle = handle_purge, .roles = PX_ROLES_ALL },
	{ .type = "probe_say", .handle = handle_say, .roles = PX_ROLES_ALL },
};
static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.session_size = sizeof(uint32_t),
	.open = on_open,
	.close = on_close,
	.enter = on_enter,
};

static struct fake *create(struct px_limits limits)
{
	struct fake *fake = fake_create(&limits);
	fake_add_service(fake, &service, NULL);
	return fake;
}

static void destroy(struct fake *fake)
{
	fake_destroy(fake);
	ck_assert_uint_eq(opened, closed);
}

/* ---- beginning ---- */

START_TEST(greets)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *conn = fake_connect(fake, WHO(.practices = "1 \"2\"", .user = "7",
		.name = "Dr. \"Who\"", .role = PX_ROLE_PATIENT, .authenticated = true));
	ck_assert_uint_eq(conn->writes, 0);
	fake_turn(fake);
	struct json_object *greeting = fake_expect(conn, "{'type':'connection_established',"
			"'services':['probe'],'protocol':1,'heartbeatMs':25000,"
			"'maxMessageBytes':65536,"
			"'user':{'userId':7,'userName':'Dr. \"Who\"','role':'patient',"
			"'practices':[1,'2']}}");
	ck_assert_str_eq(fake_member(greeting, "clientId"), conn->client_id);
	ck_assert_uint_eq(strlen(conn->client_id), 17);
	ck_assert(px_session_is(conn->session, px_span(conn->client_id)));
	ck_assert(!px_session_is(conn->session, px_span("c0123456789abcdef")));
	ck_assert(!px_session_is(conn->session, px_span("")));
	fake_expect_nothing(conn);
	ck_assert_uint_eq(fake_stats(fake).sessions, 1);
	destroy(fake);
}
END_TEST

START_TEST(greets_one_of_whom_little_is_known)
{
	struct fake *fake = create(fake_limits());
	fake->realm.enabled = 0;
	struct fake_conn *conn = fake_connect(fake, WHO(.practices = ""));
	fake_turn(fake);
	fake_expect(conn, "{'services':[],'user':{'role':'staff','practices':[]}}");
	ck_assert_uint_eq(opened, 0);
	destroy(fake);
}
END_TEST

START_TEST(client_ids_differ)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	ck_assert_str_ne(a->client_id, b->client_id);
	destroy(fake);
}
END_TEST

/* ---- heartbeat ---- */

static unsigned pings(struct fake_conn *conn)
{
	unsigned count = 0;
	for (const struct fake_frame *frame = fake_next(conn); frame; frame = fake_next(conn)) {
		ck_assert_uint_eq(frame->opcode, FAKE_PING);
		ck_assert_str_eq(fake_frame_text(conn, frame), "px");
		count++;
	}
	return count;
}

static void tick(struct fake *fake, int64_t ms)
{
	fake_advance(fake, ms);
	fake_turn(fake);
}

START_TEST(asks_the_silent_and_drops_them)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *silent = fake_open(fake, WHO(0));
	struct fake_conn *alive = fake_open(fake, WHO(0));
	tick(fake, 24999);
	ck_assert_uint_eq(pings(silent), 0);
	tick(fake, 1);
	ck_assert_uint_eq(pings(silent), 1);
	ck_assert_uint_eq(pings(alive), 1);
	tick(fake, 10000);
	px_session_alive(alive->session);
	tick(fake, 14999);
	ck_assert_int_eq(silent->close_code, FAKE_OPEN);
	tick(fake, 1);
	ck_assert_int_eq(silent->close_code, 0);
	ck_assert_uint_eq(fake_stats(fake).silent_peers, 1);
	ck_assert_int_eq(alive->close_code, FAKE_OPEN);
	ck_assert_uint_eq(pings(alive), 0);
	fake_settle(fake);
	tick(fake, 9999);
	ck_assert_uint_eq(pings(alive), 0);
	tick(fake, 1);
	ck_assert_uint_eq(pings(alive), 1);
	destroy(fake);
}
END_TEST

START_TEST(a_message_is_a_sign_of_life)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *conn = fake_open(fake, WHO(0));
	for (int i = 0; i < 20; i++) {
		tick(fake, 20000);
		/* Even one that makes no sense. */
		fake_say(conn, i % 2 ? "{\"type\":\"ping\"}" : "nonsense");
		fake_text(conn);
		ck_assert_uint_eq(pings(conn), 0);
	}
	destroy(fake);
}
END_TEST

START_TEST(a_process_that_slept_asks_first)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *conn = fake_open(fake, WHO(0));
	tick(fake, INT64_C(24) * 3600 * 1000);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	ck_assert_uint_eq(pings(conn), 1);
	px_session_alive(conn->session);
	tick(fake, 25000);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	destroy(fake);
}
END_TEST

START_TEST(without_heartbeat_nobody_is_asked)
{
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 0;
	struct fake *fake = create(limits);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ck_assert_int_eq(px_broker_deadline(fake->broker), INT64_MAX);
	tick(fake, 10000000);
	ck_assert_uint_eq(pings(conn), 0);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	destroy(fake);
}
END_TEST

START_TEST(the_deadline_is_that_of_the_next_timer)
{
	struct fake *fake = create(fake_limits());
	ck_assert_int_eq(px_broker_deadline(fake->broker), INT64_MAX);
	fake_open(fake, WHO(0));
	ck_assert_int_eq(px_broker_deadline(fake->broker), fake->mono_ms + 25000);
	tick(fake, 10);
	fake_open(fake, WHO(0));
	ck_assert_int_eq(px_broker_deadline(fake->broker), fake->mono_ms + 24990);
	destroy(fake);
}
END_TEST

/* ---- ends ---- */

static int refuse(void *user, const struct px_event *event)
{
	(void)user;
	(void)event;
	return -EROFS;
}

/* Its timer was armed already. */
START_TEST(who_is_refused_by_the_host_leaves_nothing)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn conn = { .fake = fake, .close_code = FAKE_OPEN };
	struct px_session_params params = { .realm = &fake->realm, .conn = &conn, .service = -1 };
	fake->broker->host.event = refuse;
	ck_assert_int_eq(fake_identity(fake, WHO(.practices = "1"), &params.identity), 0);
	ck_assert_int_eq(px_session_open(fake->broker, &params, &conn.session), -EROFS);
	px_identity_destroy(fake->broker, params.identity);
	ck_assert_int_eq(px_broker_deadline(fake->broker), INT64_MAX);
	tick(fake, 30000);
	fake->broker->host.event = NULL;
	destroy(fake);
}
END_TEST

START_TEST(closes_with_every_code)
{
	struct fake *fake = create(fake_limits());
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		struct fake_conn *conn = fake_open(fake, WHO(0));
		fake_give(conn, i, 10);
		px_session_close(conn->session, px_close_code(i));
		px_session_close(conn->session, PX_CLOSE_NORMAL);
		fake_give(conn, 99, 10);
		fake_turn(fake);
		ck_assert_int_eq(conn->close_code, px_close_code(i));
		fake_expect(conn, "{'type':'given'}");
		fake_expect_nothing(conn);
		ck_assert_uint_eq(fake_stats(fake).closes[i], 1);
		ck_assert_uint_eq(fake_stats(fake).sessions, 1);
		/* Deaf from now on. */
		fake_say(conn, "{\"type\":\"ping\"}");
		fake_expect_nothing(conn);
		fake_settle(fake);
		ck_assert_uint_eq(fake_stats(fake).sessions, 0);
	}
	destroy(fake);
}
END_TEST

START_TEST(is_lost_during_a_turn)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	struct fake_conn *c = fake_open(fake, WHO(0));
	fake_send(a, "{\"type\":\"probe_say\",\"n\":1}");
	ck_assert_uint_gt(fake_stats(fake).queue_bytes, 0);
	fake_lose(b);
	fake_send(a, "{\"type\":\"probe_say\",\"n\":2}");
	fake_send(c, "{\"type\":\"probe_say\",\"n\":3}");
	fake_lose(a);
	ck_assert_uint_eq(fake_stats(fake).sessions, 3);
	ck_assert_uint_eq(closed, 0);
	fake_turn(fake);
	ck_assert_uint_eq(closed, 2);
	fake_expect(c, "{'n':1}");
	fake_expect(c, "{'n':2}");
	fake_expect_nothing(c);
	destroy(fake);
}
END_TEST

START_TEST(is_lost_in_every_phase)
{
	struct fake *fake = create(fake_limits());
	/* Before its greeting was written. */
	fake_lose(fake_connect(fake, WHO(0)));
	/* While closing, and while it waits for a slow reader. */
	struct fake_conn *closing = fake_open(fake, WHO(0));
	px_session_close(closing->session, PX_CLOSE_NORMAL);
	fake_lose(closing);
	struct fake_conn *waiting = fake_open(fake, WHO(0));
	waiting->busy = true;
	px_session_close(waiting->session, PX_CLOSE_NORMAL);
	fake_turn(fake);
	fake_lose(waiting);
	/* Told to close. */
	struct fake_conn *told = fake_open(fake, WHO(0));
	px_session_close(told->session, PX_CLOSE_NORMAL);
	fake_turn(fake);
	fake_lose(told);
	/* With a queue, dirty, and just told that it may write. */
	struct fake_conn *full = fake_open(fake, WHO(0));
	full->busy = true;
	fake_give(full, 1, 1000);
	fake_turn(fake);
	fake_unblock(full);
	fake_lose(full);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).sessions, 0);
	ck_assert_uint_eq(fake_stats(fake).queue_bytes, 0);
	ck_assert_int_eq(px_broker_deadline(fake->broker), INT64_MAX);
	destroy(fake);
}
END_TEST

START_TEST(a_handler_may_close_its_own_session)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *conn = fake_open(fake, WHO(0));
	fake_send(conn, "{\"type\":\"probe_bye\",\"id\":1}");
	fake_send(conn, "{\"type\":\"ping\"}");
	ck_assert_uint_eq(closed, 0);
	fake_turn(fake);
	fake_expect(conn, "{'type':'probe_farewell'}");
	fake_expect_nothing(conn);
	ck_assert_int_eq(conn->close_code, PX_CLOSE_FORBIDDEN);
	fake_settle(fake);
	ck_assert_uint_eq(closed, 1);
	destroy(fake);
}
END_TEST

START_TEST(nothing_is_freed_during_a_fan_out)
{
	enum { NEIGHBOURS = 50 };
	struct fake *fake = create(fake_limits());
	struct fake_conn *neighbours[NEIGHBOURS];
	struct fake_conn *purger = NULL;
	for (size_t i = 0; i < NEIGHBOURS; i++) {
		neighbours[i] = fake_open(fake, WHO(0));
		purger = i == NEIGHBOURS / 2 ? fake_open(fake, WHO(0)) : purger;
		/* Some are busy, and some break while they are written to. */
		neighbours[i]->busy = i % 5 == 1;
		neighbours[i]->fails = i % 5 == 2;
	}
	fake_send(purger, "{\"type\":\"probe_purge\"}");
	ck_assert_uint_eq(closed, 0);
	ck_assert_uint_eq(fake_stats(fake).members, NEIGHBOURS + 1);
	fake_turn(fake);
	fake_advance(fake, 5000);
	fake_settle(fake);
	ck_assert_uint_eq(closed, NEIGHBOURS);
	ck_assert_uint_eq(fake_stats(fake).members, 1);
	ck_assert_int_eq(neighbours[0]->close_code, PX_CLOSE_REMOVED);
	for (size_t i = 0; i < NEIGHBOURS + 2; i++) {
		fake_expect(purger, "{'type':'probe_purge'}");
	}
	fake_expect_nothing(purger);
	destroy(fake);
}
END_TEST

START_TEST(a_fan_out_may_meet_slow_readers)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 2000;
	struct fake *fake = create(limits);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *slow[10];
	char text[1200] = "{\"type\":\"probe_say\",\"pad\":\"";
	memset(text + strlen(text), 'x', 1000);
	strcat(text, "\"}");
	for (size_t i = 0; i < 10; i++) {
		slow[i] = fake_open(fake, WHO(0));
		slow[i]->busy = i % 2 == 0;
	}
	fake_send(a, text);
	fake_send(a, text);
	fake_turn(fake);
	ck_assert_uint_eq(fake_stats(fake).slow_readers, 5);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_uint_eq(slow[i]->session->phase,
				i % 2 == 0 ? PX_SESSION_CLOSING : PX_SESSION_OPEN);
	}
	destroy(fake);
}
END_TEST

START_TEST(a_drain_comes_in_pieces)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *conns[5];
	for (size_t i = 0; i < 5; i++) {
		conns[i] = fake_open(fake, WHO(0));
	}
	px_session_close(conns[1]->session, PX_CLOSE_NORMAL);
	px_broker_announce_drain(fake->broker, 1000);
	fake_turn(fake);
	for (size_t i = 0; i < 5; i++) {
		if (i == 1) {
			fake_expect_nothing(conns[i]);
			continue;
		}
		struct json_object *told = fake_expect(conns[i], "{'type':'server_draining'}");
		int after = atoi(fake_member(told, "reconnectAfterMs"));
		ck_assert_int_ge(after, 0);
		ck_assert_int_le(after, 1000);
	}
	ck_assert_uint_eq(px_broker_close_some(fake->broker, 2, PX_CLOSE_RESTART), 2);
	fake_turn(fake);
	ck_assert_int_eq(conns[0]->close_code, PX_CLOSE_RESTART);
	ck_assert_int_eq(conns[2]->close_code, PX_CLOSE_RESTART);
	ck_assert_int_eq(conns[3]->close_code, FAKE_OPEN);
	ck_assert_uint_eq(px_broker_close_some(fake->broker, 0, PX_CLOSE_RESTART), 2);
	ck_assert_uint_eq(px_broker_close_some(fake->broker, 9, PX_CLOSE_RESTART), 0);
	fake_settle(fake);
	ck_assert_uint_eq(fake_stats(fake).sessions, 0);
	px_broker_announce_drain(fake->broker, 0);
	destroy(fake);
}
END_TEST

static bool is_second(void *user, const struct px_session *session)
{
	const struct fake_conn *conn = user;
	return session == conn->session;
}

START_TEST(a_realm_is_drained_and_others_see_nothing_of_it)
{
	struct fake *fake = create(fake_limits());
	struct px_realm going = fake->realm;
	struct fake_conn *goes[3];
	struct fake_conn *stays = fake_open(fake, WHO(0));
	for (size_t i = 0; i < 3; i++) {
		goes[i] = fake_open(fake, WHO(.realm = &going));
	}
	ck_assert_uint_eq(going.sessions, 3);
	ck_assert_uint_eq(fake->realm.sessions, 1);
	px_broker_drain_realm(fake->broker, &going, is_second, goes[1], 1000);
	fake_turn(fake);
	fake_expect_nothing(goes[0]);
	px_broker_drain_realm(fake->broker, &going, NULL, NULL, 1000);
	px_broker_drain_realm(fake->broker, &going, NULL, NULL, 1000);
	fake_turn(fake);
	for (size_t i = 0; i < 3; i++) {
		struct json_object *told = fake_expect(goes[i], "{'type':'server_draining'}");
		ck_assert_int_le(atoi(fake_member(told, "reconnectAfterMs")), 1000);
		ck_assert_int_eq(goes[i]->close_code, FAKE_OPEN);
		fake_expect_nothing(goes[i]);
	}
	fake_advance(fake, 1001);
	fake_settle(fake);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(goes[i]->close_code, PX_CLOSE_RESTART);
	}
	ck_assert_int_eq(stays->close_code, FAKE_OPEN);
	fake_expect_nothing(stays);
	ck_assert_uint_eq(going.sessions, 0);
	ck_assert_uint_eq(fake->realm.sessions, 1);
	destroy(fake);
}
END_TEST

START_TEST(many_are_told_over_several_turns)
{
	enum { COUNT = 20 };
	struct fake *fake = create(fake_limits());
	struct fake_conn *conns[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		conns[i] = fake_open(fake, WHO(0));
	}
	fake->over_budget = true;
	px_broker_announce_drain(fake->broker, 1000);
	/* Nobody is sent away who does not know why; and the next to be told may be gone. */
	ck_assert_uint_eq(px_broker_close_some(fake->broker, COUNT, PX_CLOSE_RESTART), COUNT - 8);
	fake_lose(conns[8]);
	while (fake_turn(fake)) {
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (i != 8) {
			fake_expect(conns[i], "{'type':'server_draining'}");
			fake_expect_nothing(conns[i]);
			ck_assert_int_eq(conns[i]->close_code,
					i < 8 ? PX_CLOSE_RESTART : FAKE_OPEN);
		}
	}
	ck_assert_uint_eq(px_broker_close_some(fake->broker, COUNT, PX_CLOSE_RESTART), 0);
	fake->over_budget = false;
	destroy(fake);
}
END_TEST

START_TEST(many_are_asked_over_several_turns)
{
	enum { COUNT = 20 };
	struct fake *fake = create(fake_limits());
	struct fake_conn *conns[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		conns[i] = fake_open(fake, WHO(0));
	}
	fake->over_budget = true;
	fake_advance(fake, 25000);
	ck_assert_int_le(px_broker_deadline(fake->broker), fake->mono_ms);
	fake_advance(fake, 0);
	fake_advance(fake, 0);
	ck_assert_int_gt(px_broker_deadline(fake->broker), fake->mono_ms);
	while (fake_turn(fake)) {
	}
	for (size_t i = 0; i < COUNT; i++) {
		const struct fake_frame *frame = fake_next(conns[i]);
		ck_assert(frame && frame->opcode == FAKE_PING && !fake_next(conns[i]));
	}
	fake->over_budget = false;
	destroy(fake);
}
END_TEST

START_TEST(figures_add_up)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	struct px_stats before = fake_stats(fake);
	fake_say(a, "{\"type\":\"probe_say\",\"n\":1}");
	struct px_stats after = fake_stats(fake);
	ck_assert_uint_eq(after.messages_in - before.messages_in, 1);
	ck_assert_uint_eq(after.bytes_in - before.bytes_in,
			strlen("{\"type\":\"probe_say\",\"n\":1}"));
	ck_assert_uint_eq(after.messages_out - before.messages_out, 1);
	ck_assert_uint_eq(after.deliveries - before.deliveries, 1);
	ck_assert_uint_eq(after.writes - before.writes, 1);
	ck_assert_uint_eq(after.bytes_out, a->bytes + b->bytes);
	ck_assert_uint_eq(after.sessions_opened, 2);
	ck_assert_uint_eq(after.practices, 1);
	destroy(fake);
}
END_TEST

START_TEST(what_keeps_a_session_alive_is_no_message)
{
	struct fake *fake = create(fake_limits());
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct px_stats before = fake_stats(fake);
	uint64_t other_out = px_broker_traffic(fake->broker, 0)->messages_out;
	fake_say(a, "{\"type\":\"ping\",\"id\":1}");
	fake_expect(a, "{'type':'pong'}");
	fake_expect(a, "{'type':'ack','id':1}");
	tick(fake, 25000); /* a ping of ours */
	struct px_stats after = fake_stats(fake);
	ck_assert_uint_eq(after.messages_in, before.messages_in);
	ck_assert_uint_eq(after.messages_out, before.messages_out);
	ck_assert_uint_eq(after.keepalives_in - before.keepalives_in, 1);
	ck_assert_uint_eq(after.keepalives_out - before.keepalives_out, 3);
	ck_assert_uint_eq(a->session->messages_in, 0);
	ck_assert_uint_eq(px_broker_traffic(fake->broker, 0)->messages_out, other_out);
	destroy(fake);
}
END_TEST

RUN_TESTS("session", greets, greets_one_of_whom_little_is_known, client_ids_differ,
		asks_the_silent_and_drops_them, a_message_is_a_sign_of_life,
		a_process_that_slept_asks_first, without_heartbeat_nobody_is_asked,
		the_deadline_is_that_of_the_next_timer,
		who_is_refused_by_the_host_leaves_nothing, closes_with_every_code,
		is_lost_during_a_turn, is_lost_in_every_phase, a_handler_may_close_its_own_session,
		nothing_is_freed_during_a_fan_out, a_fan_out_may_meet_slow_readers,
		a_drain_comes_in_pieces, many_are_told_over_several_turns,
		a_realm_is_drained_and_others_see_nothing_of_it,
		many_are_asked_over_several_turns, figures_add_up,
		what_keeps_a_session_alive_is_no_message);
