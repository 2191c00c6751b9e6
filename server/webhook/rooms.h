/* SPDX-License-Identifier: MIT */
/*
 * Who was in which room, from when to when: what the end of a room is told with. Made of
 * coming and going alone. Whoever was in a room before that was looked at is not known here,
 * and its going says nothing but that.
 *
 * Those who are in are bounded by the server's limits; of those who left, the ones that
 * stayed longest are kept, as many as there is room for, and the others are counted.
 *
 * No clock in here: `now_ms` is the caller's, and never goes back.
 */
#ifndef PX_WEBHOOK_ROOMS_H
#define PX_WEBHOOK_ROOMS_H

#include <praxis/types.h>

struct json_object;
struct px_json;

/* Participants of one room that are remembered, if they fit. */
#define PX_WEBHOOK_PARTICIPANTS_MAX 256

struct px_webhook_rooms;
struct px_webhook_room;

/* Which room, each at most PX_ID_MAX bytes; the practice as its members spell it. */
struct px_webhook_place {
	struct px_span tenant;
	struct px_id practice;
	struct px_span service;
	struct px_span name;
};

struct px_webhook_person {
	struct px_span client; /* at most PX_ID_MAX bytes, as the user is */
	struct px_id user;     /* text.len 0: unknown */
	enum px_role role;
};

/* -ENOMEM. */
int px_webhook_rooms_create(struct px_webhook_rooms **ret_rooms);

/* NULL is fine. */
void px_webhook_rooms_destroy(struct px_webhook_rooms *rooms);

/* Bytes that may be spent on those who left; holds for those who leave from now on. */
void px_webhook_rooms_set_bound(struct px_webhook_rooms *rooms, uint64_t bytes);

/* -ENOMEM: it is not known there. *ret_started: nobody else is known there. */
int px_webhook_rooms_join(struct px_webhook_rooms *rooms, const struct px_webhook_place *place,
		const struct px_webhook_person *person, int64_t now_ms, bool *ret_started);

/*
 * Needs no memory. How long it was there this time; -1: not known. *ret_ended is the room, if
 * nobody is known there any more: the caller's, to px_webhook_room_destroy().
 */
int64_t px_webhook_rooms_leave(struct px_webhook_rooms *rooms,
		const struct px_webhook_place *place, struct px_span client, int64_t now_ms,
		struct px_webhook_room **ret_ended);

/* Somebody there of whom `fits` says yes; the texts live until somebody leaves. False: nobody. */
bool px_webhook_room_find(const struct px_webhook_room *room,
		bool (*fits)(void *user, struct px_span client), void *user,
		struct px_webhook_person *ret_person);

/* Any room, taken out; NULL: there is none. The caller's, as above. */
struct px_webhook_room *px_webhook_rooms_take(struct px_webhook_rooms *rooms);

void px_webhook_room_destroy(struct px_webhook_room *room);

/* Lives as long as the room. */
struct px_webhook_place px_webhook_room_place(const struct px_webhook_room *room);

/*
 * The members startedAt, durationMs, participantCount and participants of an object that is
 * open. `wall_ms` is what now_ms is since 1970. Whoever is still there leaves now.
 */
void px_webhook_room_write(const struct px_webhook_room *room, struct px_json *json,
		int64_t now_ms, int64_t wall_ms);

/* A room as an object, to be read back by another process; times are ages. */
int px_webhook_rooms_each(const struct px_webhook_rooms *rooms,
		int (*each)(void *user, const struct px_webhook_room *room), void *user);
void px_webhook_room_save(const struct px_webhook_room *room, struct px_json *json,
		int64_t now_ms);
/* -EINVAL: it is none, there is that room already, or no memory for one; -ENOMEM. */
int px_webhook_rooms_load(struct px_webhook_rooms *rooms, struct json_object *object,
		int64_t now_ms, struct px_webhook_room **ret_room);

#endif
