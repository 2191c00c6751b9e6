/* SPDX-License-Identifier: MIT */
/*
 * For the tests of sessions that outlive their connections: a small service that publishes to a
 * hall, which every session joins, and tells the others who left it.
 */
#ifndef TEST_RESUME_UTIL_H
#define TEST_RESUME_UTIL_H

#include "core/session.h"

#include "channel/channel.h"
#include "fake.h"
#include "outbound/replay_buffer.h"

#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

#define GRACE_MS 30000
#define ANN .versioned = true, .authenticated = true, .user = "7", .name = "Ann"
#define BOB .authenticated = true, .user = "8", .name = "Bob"

static unsigned opened;
static unsigned closed;
static unsigned events[PX_EVENT_DISCONNECTED + 1];
static char last_address[64];
static bool refuses_resume;
static struct fake *fake;
static const struct px_service service;

UNUSED static int on_open(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	(void)session;
	(void)session_state;
	opened++;
	return 0;
}

UNUSED static void on_close(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	(void)session_state;
	ck_assert_ptr_null(session->members);
	closed++;
}

UNUSED static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_json json;
	px_session_client_id(px_member_session(member), client_id);
	px_json_begin(&json, "probe_left");
	px_json_text(&json, "clientId", client_id);
	px_json_int(&json, "reason", reason);
	px_json_end(&json);
	struct px_message *message = px_message_from_json(px_channel_broker(channel), &json);
	/* Not by px_channel_announce(): it is none of the hall's history. */
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		px_session_send(px_member_session(px_channel_member(channel, i)), message);
	}
	px_message_unref(px_channel_broker(channel), message);
}

static const struct px_channel_kind hall_kind = {
	.name = "hall",
	.has_history = true,
	.left = on_left,
};

UNUSED static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	static const struct px_channel_limits limits = { .history_count = 8,
		.history_bytes = 1 << 20, .history_age_ms = 600000 };
	struct px_member *member;
	bool is_new;
	(void)state;
	ck_assert_int_eq(px_channel_join(session, &service, &hall_kind, practice, px_span("hall"),
			&limits, &member, &is_new), 0);
}

UNUSED static int handle_say(struct px_call *call)
{
	struct px_channel *channel = px_session_channel(call->session, call->service,
			call->practice, px_span("hall"));
	struct px_message *message = px_call_forward(call, px_channel_seq(channel) + 1);
	px_channel_publish(channel, call->session, message, call->session);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

/* Closes the one that `target` names. */
UNUSED static int handle_remove(struct px_call *call)
{
	char text[PX_ID_MAX + 1];
	struct px_id id;
	struct px_channel *channel = px_session_channel(call->session, call->service,
			call->practice, px_span("hall"));
	px_envelope_id(call->message, "target", text, &id);
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		struct px_session *other = px_member_session(px_channel_member(channel, i));
		if (px_session_is(other, id.text)) {
			px_session_close(other, PX_CLOSE_REMOVED);
		}
	}
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "probe_remove", .handle = handle_remove, .roles = PX_ROLES_ALL },
	{ .type = "probe_say", .handle = handle_say, .roles = PX_ROLES_ALL },
};
static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.session_size = 4,
	.open = on_open,
	.close = on_close,
	.enter = on_enter,
};

UNUSED static int on_event(void *user, const struct px_event *event)
{
	(void)user;
	events[event->kind]++;
	struct px_span address = px_session_address(event->session);
	snprintf(last_address, sizeof(last_address), "%.*s", (int)address.len, address.data);
	return event->kind == PX_EVENT_RESUMED && refuses_resume ? -EROFS : 0;
}

UNUSED static struct px_limits limits_of(void)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = GRACE_MS;
	limits.detached_sessions = 100;
	limits.resume_messages = 100;
	limits.resume_bytes = 1 << 20;
	return limits;
}

UNUSED static void create(struct px_limits limits)
{
	fake = fake_create(&limits);
	fake->broker->host.event = on_event;
	fake_add_service(fake, &service, NULL);
}

UNUSED static void setup(void)
{
	opened = closed = 0;
	memset(events, 0, sizeof(events));
	refuses_resume = false;
	create(limits_of());
}

UNUSED static void teardown(void)
{
	fake_destroy(fake);
	ck_assert_uint_eq(opened, closed);
	ck_assert_uint_eq(events[PX_EVENT_CONNECTED], events[PX_EVENT_DISCONNECTED]);
}

/* Anew with one limit changed. */
#define WITH_LIMIT(field, value) \
	do { \
		struct px_limits own_limits = limits_of(); \
		own_limits.field = (value); \
		fake_destroy(fake); \
		create(own_limits); \
	} while (0)

UNUSED static void tick(int64_t ms)
{
	fake_advance(fake, ms);
	fake_turn(fake);
}

UNUSED static void say(struct fake_conn *conn, int n)
{
	char text[64];
	snprintf(text, sizeof(text), "{\"type\":\"probe_say\",\"n\":%d}", n);
	fake_say(conn, text);
}

UNUSED static void hears(struct fake_conn *conn, int n)
{
	char pattern[64];
	snprintf(pattern, sizeof(pattern), "{'type':'probe_say','n':%d}", n);
	fake_expect(conn, pattern);
}

UNUSED static void cut(struct fake_conn *conn)
{
	fake_lose(conn);
	fake_turn(fake);
}

UNUSED static void confirm(struct fake_conn *conn, int n)
{
	char text[64];
	snprintf(text, sizeof(text), "{\"type\":\"received\",\"n\":%d}", n);
	fake_say(conn, text);
}

/* It comes back to the session that it had. */
UNUSED static struct fake_conn *back(const struct fake_conn *old, int64_t received)
{
	struct fake_conn *conn = fake_resume(fake, WHO(.unauthenticated = true, .versioned = true,
			.practices = "", .resume = old->token, .received = received));
	ck_assert_str_eq(conn->client_id, old->client_id);
	return conn;
}

/* It tries to, and gets a new session. */
UNUSED static struct fake_conn *turned_away(const struct fake_who *who)
{
	struct fake_conn *conn = fake_connect(fake, who);
	fake_turn(fake);
	struct json_object *greeting = fake_expect(conn,
			"{'type':'connection_established','resumed':false}");
	ck_assert_ptr_nonnull(greeting);
	return conn;
}

#define NOT_RESUMED(...) \
	turned_away(WHO(.unauthenticated = true, .versioned = true, .practices = "", __VA_ARGS__))

UNUSED static void left(struct fake_conn *conn, const struct fake_conn *who, int reason)
{
	char pattern[128];
	snprintf(pattern, sizeof(pattern), "{'type':'probe_left','clientId':'%s','reason':%d}",
			who->client_id, reason);
	fake_expect(conn, pattern);
}

#endif
