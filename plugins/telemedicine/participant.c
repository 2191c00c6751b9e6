/* SPDX-License-Identifier: MIT */
/*
 * Whoever is in a room, or waits to be let in: what it said of itself when it came (ids and
 * name, in its own spelling) is kept, for the lists that others get and for the news of its
 * leaving.
 */
#include "telemedicine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int telemedicine_remember(struct px_call *call, struct participant *participant)
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

struct px_id telemedicine_user(struct px_member *member)
{
	const struct px_session *session = px_member_session(member);
	const struct participant *participant = px_member_state(member);
	return px_session_authenticated(session) ? px_session_user(session) : participant->user;
}

/* A token without a user leaves userId out, as px_call_forward() does: "" would be an id. */
void telemedicine_write_user(struct px_member *member, struct px_json *json)
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

void telemedicine_write_place(struct px_member *member, struct px_json *json)
{
	const struct participant *participant = px_member_state(member);
	px_json_raw(json, "roomId", participant->room_id);
	px_json_raw(json, "appointmentId", participant->appointment_id);
}

struct px_member **telemedicine_members(const struct px_channel *channel,
		const struct px_member *except,
		int (*compare)(const void *a, const void *b), uint32_t *ret_count)
{
	uint32_t count = px_channel_member_count(channel);
	struct px_member **list = malloc((count > 0 ? count : 1) * sizeof(*list));
	uint32_t at = 0;
	for (uint32_t i = 0; list && i < count; i++) {
		struct px_member *member = px_channel_member(channel, i);
		if (member != except) {
			list[at++] = member;
		}
	}
	if (list) {
		qsort(list, at, sizeof(*list), compare);
	}
	*ret_count = at;
	return list;
}
