/* SPDX-License-Identifier: MIT */
/*
 * Who was in which room, from when to when, for the event about a room's end. Derived from joining
 * and leaving only. Participants from before that are unknown here, and their leaving has no
 * duration.
 *
 * Present participants are limited by the server's limits; of former ones, those that stayed
 * longest are remembered as far as there is room, and the others are counted.
 *
 * No clock here: `now_ms` is the caller's, and never goes back.
 */
#ifndef PX_WEBHOOK_ROOMS_H
#define PX_WEBHOOK_ROOMS_H

#include <praxis/types.h>

struct json_object;
struct px_json;

/* Maximum number of participants of one room that are remembered. */
#define PX_WEBHOOK_PARTICIPANTS_MAX 256

struct px_webhook_rooms;
struct px_webhook_room;

/* Identifies a room, each part at most PX_ID_MAX bytes; the practice in its members' spelling. */
struct px_webhook_place {
	struct px_span tenant;
	struct px_id practice;
	struct px_span service;
	struct px_span name;
};

struct px_webhook_person {
	struct px_span client; /* at most PX_ID_MAX bytes, as is the user */
	struct px_id user;     /* text.len 0: unknown */
	enum px_role role;
};

/* -ENOMEM. */
int px_webhook_rooms_create(struct px_webhook_rooms **ret_rooms);

/* NULL is fine. */
void px_webhook_rooms_destroy(struct px_webhook_rooms *rooms);

/* Bytes that may be spent on former participants; effective for those who leave from now on. */
void px_webhook_rooms_set_bound(struct px_webhook_rooms *rooms, uint64_t bytes);

/* -ENOMEM: it is not recorded. *ret_started: it is the first one. */
int px_webhook_rooms_join(struct px_webhook_rooms *rooms, const struct px_webhook_place *place,
		const struct px_webhook_person *person, int64_t now_ms, bool *ret_started);

/*
 * Needs no memory. Returns the duration of this stay; -1: unknown. *ret_ended: the room, if that
 * was the last one; the caller owns it until px_webhook_room_destroy().
 */
int64_t px_webhook_rooms_leave(struct px_webhook_rooms *rooms,
		const struct px_webhook_place *place, struct px_span client, int64_t now_ms,
		struct px_webhook_room **ret_ended);

/*
 * Finds a participant for whom `fits` returns true; the texts are valid until somebody leaves.
 * False: none.
 */
bool px_webhook_room_find(const struct px_webhook_room *room,
		bool (*fits)(void *user, struct px_span client), void *user,
		struct px_webhook_person *ret_person);

/* Removes any room and returns it; NULL: none. The caller owns it, as above. */
struct px_webhook_room *px_webhook_rooms_take(struct px_webhook_rooms *rooms);

void px_webhook_room_destroy(struct px_webhook_room *room);

/* Valid as long as the room. */
struct px_webhook_place px_webhook_room_place(const struct px_webhook_room *room);

/*
 * Writes the members startedAt, durationMs, participantCount and participants into an open object.
 * `wall_ms` is now_ms as time since 1970. Those who are still there leave now.
 */
void px_webhook_room_write(const struct px_webhook_room *room, struct px_json *json,
		int64_t now_ms, int64_t wall_ms);

/* Writes each room as an object for another process; times are ages. */
int px_webhook_rooms_each(const struct px_webhook_rooms *rooms,
		int (*each)(void *user, const struct px_webhook_room *room), void *user);
void px_webhook_room_save(const struct px_webhook_room *room, struct px_json *json,
		int64_t now_ms);
/* Reads such an object. -EINVAL: invalid, or the room exists already; -ENOMEM. */
int px_webhook_rooms_load(struct px_webhook_rooms *rooms, struct json_object *object,
		int64_t now_ms, struct px_webhook_room **ret_room);

#endif
