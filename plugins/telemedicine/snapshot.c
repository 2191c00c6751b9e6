/* SPDX-License-Identifier: MIT */
/*
 * What the next server is told of rooms, of who is in them and of who waits before them. JSON
 * that clients wrote (their ids and names) is kept as text, so that it comes back in their own
 * spelling. Until when somebody waits is written as a time of the wall clock: time goes on
 * while no server runs.
 */
#include "telemedicine.h"

#include <errno.h>
#include <json-c/json.h>

static bool is_object(struct px_span text)
{
	return text.len > 0 && text.data[0] == '{' && px_json_is_value(text);
}

/* ---- rooms ---- */

static void get_room_limits(void *state, struct px_channel_limits *ret_limits)
{
	const struct telemedicine *telemedicine = state;
	*ret_limits = telemedicine->room_limits;
}

static void save_room(void *state, struct px_channel *channel, struct px_json *json)
{
	const struct room *room = px_channel_state(channel);
	const struct chat *chat = &room->chat;
	(void)state;
	px_json_bool(json, "listIsDue", room->list_is_due);
	px_json_open_array(json, "chat");
	for (uint32_t i = 0; i < chat->count; i++) {
		px_json_string(json, NULL,
				px_message_text(chat->messages[(chat->first + i) % chat->size]));
	}
	px_json_close_array(json);
}

static int restore_line(const struct telemedicine *telemedicine, struct room *room,
		struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string)) {
		return -EINVAL;
	}
	struct px_span text = { json_object_get_string(value),
		(size_t)json_object_get_string_len(value) };
	if (!is_object(text)) {
		return -EINVAL;
	}
	struct px_message *message = px_message_create(telemedicine->broker, text);
	if (!message) {
		return -ENOMEM;
	}
	telemedicine_keep_chat(telemedicine, &room->chat, message);
	px_message_unref(telemedicine->broker, message);
	return 0;
}

static int restore_room(void *state, struct px_channel *channel, struct json_object *saved)
{
	struct json_object *chat = NULL;
	bool list_is_due;
	json_object_object_get_ex(saved, "chat", &chat);
	if (!json_object_is_type(chat, json_type_array) ||
			!px_json_get_bool(saved, "listIsDue", &list_is_due)) {
		return -EINVAL;
	}
	size_t count = json_object_array_length(chat);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = restore_line(state, px_channel_state(channel),
				json_object_array_get_idx(chat, i));
	}
	if (rc == 0 && list_is_due) {
		telemedicine_list_soon(channel);
	}
	return rc;
}

/* ---- who is in, or waits ---- */

static void save_words(const struct participant *participant, struct px_json *json)
{
	px_json_string(json, "roomId", participant->room_id);
	px_json_string(json, "appointmentId", participant->appointment_id);
	px_json_string(json, "userId", participant->user_id);
	px_json_string(json, "userName", participant->user_name);
	px_json_string(json, "user", participant->user.text);
	px_json_bool(json, "userIsNumber", participant->user.number);
}

static bool get_value(struct json_object *saved, const char *key, struct px_span *ret_text)
{
	return px_json_get_text(saved, key, ret_text) && px_json_is_value(*ret_text);
}

static int restore_words(struct participant *participant, struct json_object *saved)
{
	struct participant words = { 0 };
	if (!get_value(saved, "roomId", &words.room_id) ||
			!get_value(saved, "appointmentId", &words.appointment_id) ||
			!get_value(saved, "userId", &words.user_id) ||
			!get_value(saved, "userName", &words.user_name) ||
			!px_json_get_text(saved, "user", &words.user.text) ||
			!px_json_get_bool(saved, "userIsNumber", &words.user.number)) {
		return -EINVAL;
	}
	return telemedicine_set_words(participant, &words);
}

static void save_participant(void *state, struct px_member *member, struct px_json *json)
{
	const struct participant *participant = px_member_state(member);
	(void)state;
	save_words(participant, json);
	px_json_bool(json, "audio", participant->audio);
	px_json_bool(json, "video", participant->video);
	px_json_bool(json, "screen", participant->screen);
}

static int restore_participant(void *state, struct px_member *member, struct json_object *saved)
{
	struct participant *participant = px_member_state(member);
	(void)state;
	if (!px_json_get_bool(saved, "audio", &participant->audio) ||
			!px_json_get_bool(saved, "video", &participant->video) ||
			!px_json_get_bool(saved, "screen", &participant->screen)) {
		return -EINVAL;
	}
	return restore_words(participant, saved);
}

static void save_waiter(void *state, struct px_member *member, struct px_json *json)
{
	const struct telemedicine *telemedicine = state;
	const struct waiter *waiter = px_member_state(member);
	save_words(&waiter->self, json);
	px_json_int(json, "since", waiter->since_ms);
	px_json_int(json, "place", (int64_t)waiter->place);
	if (waiter->until_ms < INT64_MAX) {
		px_json_int(json, "until", px_broker_wall_ms(telemedicine->broker) +
				waiter->until_ms - px_broker_mono_ms(telemedicine->broker));
	}
}

static int restore_waiter(void *state, struct px_member *member, struct json_object *saved)
{
	const struct telemedicine *telemedicine = state;
	struct waiter *waiter = px_member_state(member);
	int64_t place;
	int64_t until_ms;
	if (!px_json_get_int(saved, "since", 0, INT64_MAX, &waiter->since_ms) ||
			!px_json_get_int(saved, "place", 1, INT64_MAX, &place)) {
		return -EINVAL;
	}
	waiter->until_ms = INT64_MAX;
	if (px_json_get_int(saved, "until", 0, INT64_MAX / 2, &until_ms)) {
		waiter->until_ms = px_broker_mono_ms(telemedicine->broker) + until_ms -
				px_broker_wall_ms(telemedicine->broker);
	}
	int rc = restore_words(&waiter->self, saved);
	if (rc == 0) {
		waiter->place = (uint64_t)place;
		telemedicine_set_alarm(px_member_channel(member));
	}
	return rc;
}

const struct px_snapshot_ops telemedicine_snapshot_ops[] = {
	{
		.kind = &telemedicine_room_kind,
		.limits = get_room_limits,
		.save = save_room,
		.restore = restore_room,
		.save_member = save_participant,
		.restore_member = restore_participant,
	},
	{
		.kind = &telemedicine_waiting_kind,
		.save_member = save_waiter,
		.restore_member = restore_waiter,
	},
	{ .kind = NULL },
};
