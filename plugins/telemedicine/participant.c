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

int telemedicine_set_words(struct participant *participant, const struct participant *words)
{
	char *at = malloc(words->room_id.len + words->appointment_id.len + words->user_id.len +
			words->user_name.len + words->user.text.len);
	if (!at) {
		return -ENOMEM;
	}
	participant->block = at;
	participant->room_id = keep(&at, words->room_id);
	participant->appointment_id = keep(&at, words->appointment_id);
	participant->user_id = keep(&at, words->user_id);
	participant->user_name = keep(&at, words->user_name);
	participant->user = (struct px_id){ keep(&at, words->user.text), words->user.number };
	return 0;
}

int telemedicine_remember(struct px_call *call, struct participant *participant)
{
	char text[PX_ID_MAX + 1];
	struct participant words = {
		.room_id = value_of(call, "roomId"),
		.appointment_id = value_of(call, "appointmentId"),
		.user_id = value_of(call, "userId"),
		.user_name = value_of(call, "userName"),
	};
	px_envelope_id(call->message, "userId", text, &words.user);
	return telemedicine_set_words(participant, &words);
}

struct px_id telemedicine_user(struct px_member *member)
{
	const struct px_session *session = px_member_session(member);
	const struct participant *participant = px_member_state(member);
	if (!px_session_authenticated(session)) {
		return participant->user;
	}
	/* In the member's own spelling where it names the same id, as px_call_forward() does. */
	struct px_id user = px_session_user(session);
	return px_span_equal(participant->user.text, user.text) ? participant->user : user;
}

/* A token without a user leaves userId out, as px_call_forward() does: "" would be an id. */
void telemedicine_write_user(struct px_member *member, struct px_json *json)
{
	const struct px_session *session = px_member_session(member);
	const struct participant *participant = px_member_state(member);
	if (px_session_authenticated(session)) {
		struct px_id user = telemedicine_user(member);
		if (user.text.len > 0) {
			px_json_id(json, "userId", user);
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
		int (*compare)(const void *a, const void *b), uint32_t *ret_count)
{
	uint32_t count = px_channel_member_count(channel);
	struct px_member **list = malloc((count > 0 ? count : 1) * sizeof(*list));
	for (uint32_t i = 0; list && i < count; i++) {
		list[i] = px_channel_member(channel, i);
	}
	if (list) {
		qsort(list, count, sizeof(*list), compare);
	}
	*ret_count = list ? count : 0;
	return list;
}
