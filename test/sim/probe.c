/* SPDX-License-Identifier: MIT */
/*
 * A service for the simulation alone: it refuses patients, closes neighbours between two
 * publications, ends a hall when its host leaves it, and tries to reach another practice's
 * channels through the very calls that must not let it.
 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CANARY UINT64_C(0xfeedfacecafebeef)

unsigned probe_opened;
unsigned probe_closed;
struct px_practice *probe_foreign_practice;
struct px_channel *probe_foreign_channel;
uint64_t probe_crossings;

struct guest {
	bool is_host;
	char room[RAW];
};

static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	const struct guest *guest = px_member_state(member);
	struct px_json json;
	px_json_begin(&json, "probe_left");
	px_json_raw(&json, "roomId", px_span(guest->room));
	px_json_end(&json);
	px_session_send_json(px_member_session(member), &json);
	if (guest->is_host && reason != PX_ENDED) {
		px_channel_end(channel, PX_ENDED);
	}
}

static void on_closed(struct px_channel *channel)
{
	if (px_channel_member_count(channel) != 0) {
		sim_fail("a channel is closed that has members");
	}
}

static const struct px_channel_kind hall_kind = {
	.name = "hall",
	.member_size = sizeof(struct guest),
	.left = on_left,
	.closed = on_closed,
};
static const struct px_channel_limits unlimited = { 0 };

static int on_open(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	if (*(uint64_t *)session_state != 0) {
		sim_fail("a session's state is not zeroed");
	}
	*(uint64_t *)session_state = CANARY;
	if (px_session_role(session) == PX_ROLE_PATIENT) {
		return -EACCES;
	}
	probe_opened++;
	return 0;
}

static void on_close(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	(void)session;
	if (*(uint64_t *)session_state != CANARY) {
		sim_fail("a session's state was written over");
	}
	*(uint64_t *)session_state = 0;
	probe_closed++;
}

static struct px_member *membership(struct px_call *call, char room[PX_ID_MAX + 1])
{
	struct px_id id;
	px_envelope_id(call->message, "roomId", room, &id);
	struct px_member *member = px_session_member(call->session, &hall_kind, call->practice,
			id.text);
	if (!member) {
		px_call_fail(call, PX_E_NOT_IN_ROOM, "roomId", "Not in there.");
	}
	return member;
}

static int handle_bye(struct px_call *call)
{
	struct px_json json;
	px_json_begin(&json, "probe_farewell");
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	px_session_close(call->session, PX_CLOSE_FORBIDDEN);
	return 0;
}

static int handle_join(struct px_call *call)
{
	char room[PX_ID_MAX + 1];
	struct px_id id;
	struct px_member *member;
	bool is_new;
	px_envelope_id(call->message, "roomId", room, &id);
	int rc = px_channel_join(call->session, call->service, &hall_kind, call->practice, id.text,
			&unlimited, &member, &is_new);
	if (rc < 0) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "No.");
	}
	struct guest *guest = px_member_state(member);
	if (is_new) {
		struct px_span raw = px_envelope_field(call->message, "roomId")->value;
		memcpy(guest->room, raw.data, raw.len);
		guest->is_host = px_envelope_bool(call->message, "host");
	}
	return 0;
}

static int handle_leave(struct px_call *call)
{
	char room[PX_ID_MAX + 1];
	struct px_member *member = membership(call, room);
	if (!member) {
		return -1;
	}
	px_member_leave(member, PX_LEFT);
	return 0;
}

static int handle_kick(struct px_call *call)
{
	char room[PX_ID_MAX + 1];
	char target[PX_ID_MAX + 1];
	struct px_id id;
	struct px_member *member = membership(call, room);
	if (!member) {
		return -1;
	}
	struct px_channel *channel = px_member_channel(member);
	struct px_message *message = px_call_forward(call, 0);
	px_envelope_id(call->message, "to", target, &id);
	px_channel_publish(channel, call->session, message, NULL);
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		struct px_session *session = px_member_session(px_channel_member(channel, i));
		if (px_session_is(session, id.text)) {
			px_session_close(session, PX_CLOSE_REMOVED);
		}
	}
	px_channel_publish(channel, call->session, message, NULL);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

static int handle_cross(struct px_call *call)
{
	struct px_session *session = call->session;
	struct px_member *member = NULL;
	bool is_new = false;
	struct px_span name = { "", 0 };
	if (!probe_foreign_practice) {
		return 0;
	}
	probe_crossings++;
	int rc = px_channel_join(session, call->service, &hall_kind, probe_foreign_practice, name,
			&unlimited, &member, &is_new);
	if (rc != -EACCES || member) {
		sim_fail("a session joined a channel of a practice that it does not hold");
	}
	for (unsigned i = 0; i < SERVICES; i++) {
		const struct px_service *service = px_broker_service(px_session_broker(session), i);
		if (px_session_channel(session, service, probe_foreign_practice, name)) {
			sim_fail("a session found a channel of a practice that it does not hold");
		}
	}
	if (probe_foreign_channel) {
		struct px_message *message = px_call_forward(call, 0);
		rc = px_channel_publish(probe_foreign_channel, session, message, NULL);
		px_message_unref(px_session_broker(session), message);
		if (rc != -EACCES) {
			sim_fail("a session published to a practice that it does not hold");
		}
	}
	return 0;
}

static const struct px_field_rule room_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ "host", PX_FIELD_BOOL, true },
	{ NULL, 0, false },
};
static const struct px_field_rule kick_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ "to", PX_FIELD_ID, false },
	{ NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = "probe_bye", .handle = handle_bye, .roles = PX_ROLES_ALL, .anywhere = true },
	{ .type = "probe_cross", .handle = handle_cross, .roles = PX_ROLES_ALL },
	{ .type = "probe_join", .handle = handle_join, .roles = PX_ROLES_ALL,
		.fields = room_fields },
	{ .type = "probe_kick", .handle = handle_kick, .roles = PX_ROLES_TEAM,
		.fields = kick_fields },
	{ .type = "probe_leave", .handle = handle_leave, .roles = PX_ROLES_ALL,
		.fields = room_fields },
};

const struct px_service probe_service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.session_size = sizeof(uint64_t),
	.open = on_open,
	.close = on_close,
};
