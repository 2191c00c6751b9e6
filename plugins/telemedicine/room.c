/* SPDX-License-Identifier: MIT */
/* Who is in a room: joining and leaving, and whom a message means. */
#include "telemedicine.h"

#include <errno.h>
#include <stdlib.h>

/* What others believe of a member; nobody says it of itself. */
static void write_standing(struct px_member *member, const struct participant *participant,
		struct px_json *json)
{
	px_json_text(json, "role", px_role_name(px_session_role(px_member_session(member))));
	px_json_open_object(json, "media");
	px_json_bool(json, "audio", participant->audio);
	px_json_bool(json, "video", participant->video);
	px_json_bool(json, "screen", participant->screen);
	px_json_close_object(json);
}

static void write_member(struct px_member *member, struct px_json *json)
{
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(px_member_session(member), client_id);
	px_json_open_object(json, NULL);
	px_json_text(json, "clientId", client_id);
	telemedicine_write_user(member, json);
	write_standing(member, px_member_state(member), json);
	px_json_close_object(json);
}

static int by_order(const void *a, const void *b)
{
	uint64_t first = px_member_order(*(struct px_member *const *)a);
	uint64_t second = px_member_order(*(struct px_member *const *)b);
	return first < second ? -1 : first > second;
}

/* `participants` has the joiner too, as in the system that clients were written for. */
static void write_list(struct px_member **list, uint32_t count, const struct px_member *joiner,
		struct px_json *json)
{
	px_json_open_array(json, "participants");
	for (uint32_t i = 0; i < count; i++) {
		char client_id[PX_CLIENT_ID_SIZE];
		px_session_client_id(px_member_session(list[i]), client_id);
		px_json_text(json, NULL, client_id);
	}
	px_json_close_array(json);
	px_json_open_array(json, "members");
	for (uint32_t i = 0; i < count; i++) {
		if (list[i] != joiner) {
			write_member(list[i], json);
		}
	}
	px_json_close_array(json);
}

/* With the ids as it spelled them when it last asked. */
static int welcome(const struct telemedicine *telemedicine, struct px_member *member,
		struct px_span room_id, struct px_span appointment_id)
{
	struct px_channel *channel = px_member_channel(member);
	struct px_session *session = px_member_session(member);
	const struct room *room = px_channel_state(channel);
	struct px_json json;
	uint32_t count;
	struct px_member **list = telemedicine_members(channel, by_order, &count);
	if (!list) {
		return -ENOMEM;
	}
	px_json_begin(&json, "telemedicine_room_joined");
	px_json_raw(&json, "roomId", room_id);
	px_json_raw(&json, "appointmentId", appointment_id);
	px_member_stamp(member, &json);
	write_list(list, count, member, &json);
	telemedicine_write_ice(telemedicine, telemedicine_user(member).text, &json);
	telemedicine_write_chat(&room->chat, &json);
	px_json_end(&json);
	px_session_send_json(session, &json);
	free(list);
	return 0;
}

static void write_caller_standing(const struct px_call *call, struct px_json *json)
{
	struct px_member *member = px_session_member(call->session, &telemedicine_room_kind,
			call->practice, px_channel_name(call->channel));
	write_standing(member, px_member_state(member), json);
}

static int announce(struct px_call *call, struct px_member *member)
{
	static const char *const own_fields[] = { "role", "media", NULL };
	call->channel = px_member_channel(member);
	call->own_fields = own_fields;
	call->stamp = write_caller_standing;
	struct px_message *message = px_call_forward(call, 0);
	if (!message) {
		return -ENOMEM;
	}
	int rc = px_channel_publish(px_member_channel(member), call->session, message,
			call->session);
	px_message_unref(px_session_broker(call->session), message);
	return rc;
}

int telemedicine_fail_join(struct px_call *call, int error)
{
	switch (error) {
	case -ENOSPC:
		return px_call_fail(call, PX_E_ROOM_FULL, "roomId", "The room is full.");
	case -EMFILE:
		return px_call_fail(call, PX_E_TOO_MANY_ROOMS, "roomId",
				"This session has reached its limit of rooms.");
	case -EDQUOT:
		return px_call_fail(call, PX_E_TOO_MANY_ROOMS, "practiceId",
				"The practice has reached its limit of rooms.");
	case -EACCES:
		return px_call_fail(call, PX_E_FORBIDDEN, "roomId",
				"This session may not join that room.");
	default:
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
	}
}

static int join(struct px_call *call, struct px_span name, struct px_member **ret_member)
{
	const struct telemedicine *telemedicine = call->service_state;
	struct px_member *member;
	bool is_new;
	int rc = px_channel_join(call->session, call->service, &telemedicine_room_kind,
			call->practice, name, &telemedicine->room_limits, &member, &is_new);
	if (rc < 0) {
		return rc;
	}
	if (is_new) {
		rc = telemedicine_remember(call, px_member_state(member));
	}
	rc = rc < 0 ? rc : welcome(telemedicine, member,
			px_envelope_field(call->message, "roomId")->value,
			px_envelope_field(call->message, "appointmentId")->value);
	if (rc == 0 && is_new) {
		rc = announce(call, member);
	}
	if (rc < 0 && is_new) {
		px_member_leave(member, PX_LEFT);
	}
	*ret_member = member;
	return rc;
}

int telemedicine_handle_joined(struct px_call *call)
{
	const struct telemedicine *telemedicine = call->service_state;
	enum px_role role = px_session_role(call->session);
	struct px_member *member;
	char text[PX_ID_MAX + 1];
	struct px_id room;
	px_envelope_id(call->message, "roomId", text, &room);
	if (telemedicine->waiting && role == PX_ROLE_PATIENT &&
			!px_session_member(call->session, &telemedicine_room_kind, call->practice,
					room.text)) {
		return telemedicine_wait(call, room.text);
	}
	int rc = join(call, room.text, &member);
	if (rc < 0) {
		return telemedicine_fail_join(call, rc);
	}
	if (role & PX_ROLES_TEAM) {
		telemedicine_tell_waiting(member);
	}
	/* It waited, and the waiting room was switched off since. */
	struct px_member *waiter = px_session_member(call->session, &telemedicine_waiting_kind,
			call->practice, room.text);
	if (waiter) {
		px_member_leave(waiter, PX_ADMITTED);
	}
	return 0;
}

/* What the others get of an ordinary join, of somebody who asked earlier. */
static struct px_message *compose_joined(struct px_member *waiter)
{
	struct px_channel *channel = px_member_channel(waiter);
	struct px_json json;
	px_json_begin(&json, "telemedicine_user_joined");
	telemedicine_write_place(waiter, &json);
	telemedicine_write_user(waiter, &json);
	px_member_stamp(waiter, &json);
	write_standing(waiter, &(const struct participant){ .audio = false }, &json);
	px_json_end(&json);
	return px_message_from_json(px_channel_broker(channel), &json);
}

/* The waiter's words become the member's; given back if it cannot be welcomed. */
static int let_in(const struct telemedicine *telemedicine, struct px_member *waiter,
		struct px_member *member)
{
	struct participant *words = px_member_state(waiter);
	struct participant *participant = px_member_state(member);
	*participant = *words;
	words->block = NULL;
	int rc = welcome(telemedicine, member, participant->room_id, participant->appointment_id);
	if (rc < 0) {
		words->block = participant->block;
		participant->block = NULL;
	}
	return rc;
}

int telemedicine_admit(struct px_call *call, struct px_member *waiter)
{
	const struct telemedicine *telemedicine = call->service_state;
	struct px_session *session = px_member_session(waiter);
	struct px_span name = px_channel_name(px_member_channel(waiter));
	struct px_member *member;
	bool is_new;
	struct px_message *message = compose_joined(waiter);
	if (!message) {
		return -ENOMEM;
	}
	int rc = px_channel_join(session, call->service, &telemedicine_room_kind, call->practice,
			name, &telemedicine->room_limits, &member, &is_new);
	if (rc == 0 && is_new) {
		rc = let_in(telemedicine, waiter, member);
		if (rc < 0) {
			px_member_leave(member, PX_LEFT);
		} else {
			px_channel_announce(px_member_channel(member), message, session);
		}
	}
	if (rc == 0) {
		px_member_leave(waiter, PX_ADMITTED);
	}
	px_message_unref(telemedicine->broker, message);
	return rc;
}

/* The sender's membership of the message's room, or of what is before it; NULL. */
static struct px_member *own_member(struct px_call *call, const struct px_channel_kind *kind)
{
	char text[PX_ID_MAX + 1];
	struct px_id room;
	px_envelope_id(call->message, "roomId", text, &room);
	return px_session_member(call->session, kind, call->practice_named ? call->practice : NULL,
			room.text);
}

static int fail_outside(struct px_call *call)
{
	return px_call_fail(call, PX_E_NOT_IN_ROOM, "roomId", "This session is not in that room.");
}

struct px_member *telemedicine_member(struct px_call *call)
{
	struct px_member *member = own_member(call, &telemedicine_room_kind);
	if (!member) {
		fail_outside(call);
		return NULL;
	}
	call->channel = px_member_channel(member);
	call->practice = px_channel_practice(call->channel);
	return member;
}

int telemedicine_handle_left(struct px_call *call)
{
	struct px_member *member = own_member(call, &telemedicine_room_kind);
	member = member ? member : own_member(call, &telemedicine_waiting_kind);
	if (!member) {
		return fail_outside(call);
	}
	px_member_leave(member, PX_LEFT);
	return 0;
}

struct px_member *telemedicine_find_peer(struct px_call *call, struct px_channel *channel,
		const char *field)
{
	char text[PX_ID_MAX + 1];
	struct px_id wanted;
	struct px_member *found = NULL;
	px_envelope_id(call->message, field, text, &wanted);
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		struct px_member *member = px_channel_member(channel, i);
		if (px_session_is(px_member_session(member), wanted.text)) {
			return member;
		}
		/* A user who came twice (a second tab, a ghost not yet noticed): the latest. */
		if (px_span_equal(telemedicine_user(member).text, wanted.text) &&
				(!found || px_member_order(member) > px_member_order(found))) {
			found = member;
		}
	}
	return found;
}

/* Tells those who stay; and who did not choose to go, too. */
static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	struct participant *participant = px_member_state(member);
	struct px_session *session = px_member_session(member);
	struct px_json json;
	if (participant->block) {
		px_json_begin(&json, "telemedicine_user_left");
		telemedicine_write_place(member, &json);
		telemedicine_write_user(member, &json);
		px_session_stamp(session, px_channel_practice(channel), &json);
		px_json_text(&json, "reason", px_leave_reason_name(reason));
		px_json_end(&json);
		struct px_broker *broker = px_channel_broker(channel);
		struct px_message *message = px_message_from_json(broker, &json);
		px_channel_announce(channel, message, NULL);
		if (reason == PX_REMOVED || reason == PX_ENDED) {
			px_session_send(session, message);
		}
		px_message_unref(broker, message);
	}
	free(participant->block);
}

static void on_closed(struct px_channel *channel)
{
	struct room *room = px_channel_state(channel);
	telemedicine_chat_finish(&room->chat, px_channel_broker(channel));
}

const struct px_channel_kind telemedicine_room_kind = {
	.name = "room",
	.state_size = sizeof(struct room),
	.member_size = sizeof(struct participant),
	.is_room = true,
	.left = on_left,
	.closed = on_closed,
	.woken = telemedicine_list_waiting,
};
