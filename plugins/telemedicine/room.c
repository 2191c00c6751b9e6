/* SPDX-License-Identifier: MIT */
/*
 * Who is in a room. What a member said of itself when it joined (ids and name, in its own
 * spelling) is kept, for the list that later members get and for the news of its leaving.
 */
#include "telemedicine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const reasons[] = {
	[PX_LEFT] = "left",
	[PX_DISCONNECTED] = "disconnected",
	[PX_REMOVED] = "removed",
	[PX_ENDED] = "ended",
};

/* Copies a field's value behind what is in the block already. */
static struct px_span keep(char **at, struct px_span value)
{
	struct px_span kept = { *at, value.len };
	memcpy(*at, value.data, value.len);
	*at += value.len;
	return kept;
}

static struct px_span value_of(const struct px_call *call, const char *name)
{
	return px_envelope_field(call->message, name)->value;
}

/* Fills in what the message says; the fields were checked. */
static int remember(struct px_call *call, struct participant *participant)
{
	struct px_span room = value_of(call, "roomId");
	struct px_span appointment = value_of(call, "appointmentId");
	struct px_span user = value_of(call, "userId");
	struct px_span name = value_of(call, "userName");
	char text[PX_ID_MAX + 1];
	struct px_id id;
	px_envelope_id(call->message, "userId", text, &id);
	char *at = malloc(room.len + appointment.len + user.len + name.len + id.text.len);
	if (!at) {
		return -ENOMEM;
	}
	participant->block = at;
	participant->room_id = keep(&at, room);
	participant->appointment_id = keep(&at, appointment);
	participant->user_id = keep(&at, user);
	participant->user_name = keep(&at, name);
	participant->user = (struct px_id){ keep(&at, id.text), id.number };
	return 0;
}

static struct px_id user_of(struct px_member *member)
{
	const struct px_session *session = px_member_session(member);
	const struct participant *participant = px_member_state(member);
	return px_session_authenticated(session) ? px_session_user(session) : participant->user;
}

/*
 * userId and userName: the token's where there is one, else the member's own words. A token
 * without a user leaves userId out, as px_call_forward() does: "" would be an id.
 */
static void write_user(struct px_member *member, struct px_json *json)
{
	const struct px_session *session = px_member_session(member);
	const struct participant *participant = px_member_state(member);
	if (px_session_authenticated(session)) {
		if (px_session_user(session).text.len > 0) {
			px_json_id(json, "userId", px_session_user(session));
		}
		px_json_string(json, "userName", px_session_user_name(session));
	} else {
		px_json_raw(json, "userId", participant->user_id);
		px_json_raw(json, "userName", participant->user_name);
	}
}

static void write_member(struct px_member *member, struct px_json *json)
{
	const struct participant *participant = px_member_state(member);
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(px_member_session(member), client_id);
	px_json_open_object(json, NULL);
	px_json_text(json, "clientId", client_id);
	write_user(member, json);
	px_json_text(json, "role", px_role_name(px_session_role(px_member_session(member))));
	px_json_open_object(json, "media");
	px_json_bool(json, "audio", participant->audio);
	px_json_bool(json, "video", participant->video);
	px_json_bool(json, "screen", participant->screen);
	px_json_close_object(json);
	px_json_close_object(json);
}

static int by_order(const void *a, const void *b)
{
	uint64_t first = px_member_order(*(struct px_member *const *)a);
	uint64_t second = px_member_order(*(struct px_member *const *)b);
	return first < second ? -1 : first > second;
}

/* Everybody but `self`, who came first first; NULL without memory. The caller frees it. */
static struct px_member **others(struct px_member *self, uint32_t *ret_count)
{
	const struct px_channel *channel = px_member_channel(self);
	uint32_t count = px_channel_member_count(channel);
	struct px_member **list = malloc(count * sizeof(*list));
	uint32_t at = 0;
	for (uint32_t i = 0; list && i < count; i++) {
		struct px_member *member = px_channel_member(channel, i);
		if (member != self) {
			list[at++] = member;
		}
	}
	if (list) {
		qsort(list, at, sizeof(*list), by_order);
	}
	*ret_count = at;
	return list;
}

static void write_others(struct px_member **list, uint32_t count, struct px_json *json)
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
		write_member(list[i], json);
	}
	px_json_close_array(json);
}

static int welcome(struct px_call *call, struct px_member *member)
{
	const struct room *room = px_channel_state(px_member_channel(member));
	struct px_json json;
	uint32_t count;
	struct px_member **list = others(member, &count);
	if (!list) {
		return -ENOMEM;
	}
	px_json_begin(&json, "telemedicine_room_joined");
	px_json_raw(&json, "roomId", value_of(call, "roomId"));
	px_json_raw(&json, "appointmentId", value_of(call, "appointmentId"));
	px_session_stamp(call->session, call->practice, &json);
	write_others(list, count, &json);
	telemedicine_write_ice(call->service_state, user_of(member).text, &json);
	telemedicine_write_chat(&room->chat, &json);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	free(list);
	return 0;
}

static int announce(struct px_call *call, struct px_member *member)
{
	struct px_message *message = px_call_forward(call, 0);
	if (!message) {
		return -ENOMEM;
	}
	int rc = px_channel_publish(px_member_channel(member), call->session, message,
			call->session);
	px_message_unref(px_session_broker(call->session), message);
	return rc;
}

static int fail_join(struct px_call *call, int error)
{
	switch (error) {
	case -ENOSPC:
		return px_call_fail(call, PX_E_ROOM_FULL, "roomId", "The room is full.");
	case -EMFILE:
		return px_call_fail(call, PX_E_TOO_MANY_ROOMS, "roomId",
				"This session is in as many rooms as it may be.");
	case -EDQUOT:
		return px_call_fail(call, PX_E_TOO_MANY_ROOMS, "practiceId",
				"The practice has as many rooms as it may have.");
	case -EACCES:
		return px_call_fail(call, PX_E_FORBIDDEN, "roomId",
				"This session may not join that room.");
	default:
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
	}
}

int telemedicine_handle_joined(struct px_call *call)
{
	struct telemedicine *telemedicine = call->service_state;
	char text[PX_ID_MAX + 1];
	struct px_id room;
	struct px_member *member;
	bool is_new;
	px_envelope_id(call->message, "roomId", text, &room);
	int rc = px_channel_join(call->session, call->service, &telemedicine_room_kind,
			call->practice, room.text, &telemedicine->room_limits, &member, &is_new);
	if (rc < 0) {
		return fail_join(call, rc);
	}
	if (is_new) {
		rc = remember(call, px_member_state(member));
	}
	rc = rc < 0 ? rc : welcome(call, member);
	if (rc == 0 && is_new) {
		rc = announce(call, member);
	}
	if (rc < 0) {
		if (is_new) {
			px_member_leave(member, PX_LEFT);
		}
		return fail_join(call, rc);
	}
	return 0;
}

struct px_member *telemedicine_member(struct px_call *call)
{
	char text[PX_ID_MAX + 1];
	struct px_id room;
	px_envelope_id(call->message, "roomId", text, &room);
	struct px_member *member = px_session_member(call->session, &telemedicine_room_kind,
			call->practice_named ? call->practice : NULL, room.text);
	if (!member) {
		px_call_fail(call, PX_E_NOT_IN_ROOM, "roomId", "This session is not in that room.");
		return NULL;
	}
	call->practice = px_channel_practice(px_member_channel(member));
	return member;
}

int telemedicine_handle_left(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
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
		if (px_span_equal(user_of(member).text, wanted.text) &&
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
		px_json_raw(&json, "roomId", participant->room_id);
		px_json_raw(&json, "appointmentId", participant->appointment_id);
		write_user(member, &json);
		px_session_stamp(session, px_channel_practice(channel), &json);
		px_json_text(&json, "reason", reasons[reason]);
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
	.counted = true,
	.left = on_left,
	.closed = on_closed,
};
