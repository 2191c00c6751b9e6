/* SPDX-License-Identifier: MIT */
/*
 * Rooms as JSON: for the application, and for the next process.
 */
#include "rooms_internal.h"

#include <praxis/json.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#define AGE_MAX_MS INT64_C(3155760000000) /* a century */

static int64_t stay_of(const struct px_webhook_participant *participant, int64_t now_ms)
{
	return participant->total_ms +
			(participant->is_there ? now_ms - participant->since_ms : 0);
}

/* ---- for the application ---- */

static void write_participant(const struct px_webhook_participant *participant,
		struct px_json *json, int64_t now_ms, int64_t wall_ms)
{
	int64_t left_ms = participant->is_there ? now_ms : participant->left_ms;
	px_json_open_object(json, NULL);
	px_json_string(json, "clientId", px_webhook_client_of(participant));
	if (participant->user_len > 0) {
		px_json_id(json, "userId", px_webhook_user_of(participant));
	}
	px_json_text(json, "role", px_role_name(participant->role));
	px_json_int(json, "joinedAt", wall_ms - (now_ms - participant->joined_ms));
	px_json_int(json, "leftAt", wall_ms - (now_ms - left_ms));
	px_json_int(json, "durationMs", stay_of(participant, now_ms));
	px_json_close_object(json);
}

void px_webhook_room_write(const struct px_webhook_room *room, struct px_json *json,
		int64_t now_ms, int64_t wall_ms)
{
	px_json_int(json, "startedAt", wall_ms - (now_ms - room->started_ms));
	px_json_int(json, "durationMs", now_ms - room->started_ms);
	px_json_int(json, "participantCount", (int64_t)room->ever);
	px_json_open_array(json, "participants");
	const struct px_webhook_participant *at = room->first;
	for (uint32_t i = 0; at && i < PX_WEBHOOK_PARTICIPANTS_MAX; i++, at = at->next) {
		write_participant(at, json, now_ms, wall_ms);
	}
	px_json_close_array(json);
}

/* ---- for the next process ---- */

static void save_participant(const struct px_webhook_participant *participant,
		struct px_json *json, int64_t now_ms)
{
	struct px_id user = px_webhook_user_of(participant);
	px_json_open_object(json, NULL);
	px_json_string(json, "client", px_webhook_client_of(participant));
	px_json_string(json, "user", user.text);
	px_json_bool(json, "number", user.number);
	px_json_text(json, "role", px_role_name(participant->role));
	px_json_int(json, "joined", now_ms - participant->joined_ms);
	if (participant->is_there) {
		px_json_int(json, "since", now_ms - participant->since_ms);
	} else {
		px_json_int(json, "left", now_ms - participant->left_ms);
	}
	px_json_int(json, "total", participant->total_ms);
	px_json_close_object(json);
}

void px_webhook_room_save(const struct px_webhook_room *room, struct px_json *json, int64_t now_ms)
{
	struct px_webhook_place place = px_webhook_room_place(room);
	px_json_string(json, "tenant", place.tenant);
	px_json_string(json, "practice", place.practice.text);
	px_json_bool(json, "number", place.practice.number);
	px_json_string(json, "service", place.service);
	px_json_string(json, "room", place.name);
	px_json_int(json, "age", now_ms - room->started_ms);
	px_json_int(json, "ever", (int64_t)room->ever);
	px_json_open_array(json, "people");
	const struct px_webhook_participant *at = room->first;
	for (; at; at = at->next) {
		save_participant(at, json, now_ms);
	}
	px_json_close_array(json);
}

/* False: not written by this program. */
static bool load_times(struct json_object *object, struct px_webhook_participant *participant,
		int64_t now_ms)
{
	int64_t since_ms = 0;
	int64_t left_ms = 0;
	participant->is_there = px_json_get_int(object, "since", 0, AGE_MAX_MS, &since_ms);
	participant->since_ms = now_ms - since_ms;
	if (!participant->is_there) {
		if (!px_json_get_int(object, "left", 0, AGE_MAX_MS, &left_ms)) {
			return false;
		}
		participant->left_ms = now_ms - left_ms;
	}
	return px_json_get_int(object, "total", 0, AGE_MAX_MS, &participant->total_ms);
}

static int load_person(struct px_webhook_rooms *rooms, struct px_webhook_room *room,
		struct json_object *object, int64_t now_ms)
{
	struct px_webhook_person person = { 0 };
	struct px_span role;
	int64_t joined_ms;
	if (!px_json_get_text(object, "client", &person.client) ||
			!px_json_get_text(object, "user", &person.user.text) ||
			!px_json_get_bool(object, "number", &person.user.number) ||
			!px_json_get_text(object, "role", &role) ||
			!px_json_get_int(object, "joined", 0, AGE_MAX_MS, &joined_ms)) {
		return -EINVAL;
	}
	person.role = px_role_parse(role);
	struct px_webhook_participant *participant =
			px_webhook_participant_create(&person, now_ms - joined_ms);
	if (!participant) {
		return -ENOMEM;
	}
	int rc = load_times(object, participant, now_ms) ?
			px_webhook_participant_add(rooms, room, participant) : -EINVAL;
	if (rc < 0) {
		free(participant);
	}
	return rc;
}

static int load_people(struct px_webhook_rooms *rooms, struct px_webhook_room *room,
		struct json_object *object, int64_t now_ms)
{
	struct json_object *people;
	int rc = json_object_object_get_ex(object, "people", &people) &&
			json_object_is_type(people, json_type_array) ? 0 : -EINVAL;
	for (size_t i = 0; rc == 0 && i < json_object_array_length(people); i++) {
		rc = load_person(rooms, room, json_object_array_get_idx(people, i), now_ms);
	}
	return rc == 0 && room->there == 0 ? -EINVAL : rc;
}

int px_webhook_rooms_load(struct px_webhook_rooms *rooms, struct json_object *object,
		int64_t now_ms, struct px_webhook_room **ret_room)
{
	struct px_webhook_place place = { 0 };
	int64_t age_ms;
	int64_t ever;
	if (!px_json_get_text(object, "tenant", &place.tenant) ||
			!px_json_get_text(object, "practice", &place.practice.text) ||
			!px_json_get_bool(object, "number", &place.practice.number) ||
			!px_json_get_text(object, "service", &place.service) ||
			!px_json_get_text(object, "room", &place.name) ||
			!px_json_get_int(object, "age", 0, AGE_MAX_MS, &age_ms) ||
			!px_json_get_int(object, "ever", 0, INT64_MAX, &ever)) {
		return -EINVAL;
	}
	struct px_webhook_room *room = px_webhook_room_add(rooms, &place, now_ms - age_ms);
	if (!room) {
		return -EINVAL;
	}
	int rc = load_people(rooms, room, object, now_ms);
	room->ever = (uint64_t)ever;
	if (rc < 0) {
		px_webhook_room_undo(rooms, room);
		return rc;
	}
	*ret_room = room;
	return 0;
}
