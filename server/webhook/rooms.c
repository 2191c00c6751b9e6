/* SPDX-License-Identifier: MIT */
/*
 * See rooms.h. Rooms are in libc's search tree, by everything that identifies them, and a room's
 * participants in a tree of their own, since a practice is a room, too, and may have twenty
 * thousand; those who left are in a heap besides, by how long they stayed. A client that returns is
 * the same participant.
 */
#include "rooms_internal.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Of what names a room: tenant, practice, service and name. */
#define PARTS 4
#define KEY_SIZE (PARTS * (PX_ID_MAX + 1))

static int compare(const void *one, const void *other)
{
	const struct px_webhook_room *a = one;
	const struct px_webhook_room *b = other;
	if (a->key_len != b->key_len) {
		return a->key_len < b->key_len ? -1 : 1;
	}
	return memcmp(a->key, b->key, a->key_len);
}

/* ---- keys ---- */

static size_t append(char *key, size_t at, struct px_span part)
{
	if (part.len > 0) {
		memcpy(key + at, part.data, part.len);
	}
	key[at + part.len] = '\0';
	return at + part.len + 1;
}

/* None of the parts contains a control character. 0: one is too long. */
static size_t write_key(const struct px_webhook_place *place, char key[KEY_SIZE])
{
	const struct px_span parts[] = { place->tenant, place->practice.text, place->service,
		place->name };
	size_t len = 0;
	for (size_t i = 0; i < PARTS; i++) {
		if (parts[i].len > PX_ID_MAX) {
			return 0;
		}
		len = append(key, len, parts[i]);
	}
	return len;
}

struct px_webhook_place px_webhook_room_place(const struct px_webhook_room *room)
{
	struct px_webhook_place place = { 0 };
	struct px_span *const parts[] = { &place.tenant, &place.practice.text, &place.service,
		&place.name };
	const char *at = room->key;
	for (size_t i = 0; i < PARTS; i++) {
		*parts[i] = px_span(at);
		at += parts[i]->len + 1;
	}
	place.practice.number = room->practice_is_number;
	return place;
}

/* ---- rooms ---- */

/* Needs no memory: whoever leaves must be found, or the room would never end. */
static struct px_webhook_room *find_room(const struct px_webhook_rooms *rooms,
		const struct px_webhook_place *place)
{
	char key[KEY_SIZE];
	struct px_webhook_room probe = { .key = key, .key_len = write_key(place, key) };
	struct px_webhook_room **found = tfind(&probe, &rooms->tree, compare);
	return found ? *found : NULL;
}

struct px_webhook_room *px_webhook_room_add(struct px_webhook_rooms *rooms,
		const struct px_webhook_place *place, int64_t started_ms)
{
	char key[KEY_SIZE];
	size_t key_len = write_key(place, key);
	bool is_fine = key_len > 0 && !find_room(rooms, place);
	struct px_webhook_room *room = is_fine ? calloc(1, sizeof(*room)) : NULL;
	if (!room) {
		return NULL;
	}
	room->key = malloc(key_len);
	room->key_len = key_len;
	room->practice_is_number = place->practice.number;
	room->started_ms = started_ms;
	if (room->key) {
		memcpy(room->key, key, key_len);
	}
	if (!room->key || !tsearch(room, &rooms->tree, compare)) {
		px_webhook_room_destroy(room);
		return NULL;
	}
	return room;
}

static void take_out(struct px_webhook_rooms *rooms, struct px_webhook_room *room)
{
	tdelete(room, &rooms->tree, compare);
	rooms->former_bytes -= room->former_bytes;
}

void px_webhook_room_undo(struct px_webhook_rooms *rooms, struct px_webhook_room *room)
{
	take_out(rooms, room);
	px_webhook_room_destroy(room);
}

static void destroy_participant(void *node)
{
	free(node);
}

void px_webhook_room_destroy(struct px_webhook_room *room)
{
	if (room) {
		tdestroy(room->clients, destroy_participant);
		px_heap_finish(&room->former);
		free(room->key);
		free(room);
	}
}

/* ---- participants ---- */

static uint64_t cost_of(const struct px_webhook_participant *participant)
{
	return sizeof(*participant) + participant->client_len + participant->user_len;
}

static int compare_clients(const void *one, const void *other)
{
	const struct px_webhook_participant *a = one;
	const struct px_webhook_participant *b = other;
	if (a->client_len != b->client_len) {
		return a->client_len < b->client_len ? -1 : 1;
	}
	return a->client_len == 0 ? 0 : memcmp(a->client, b->client, a->client_len);
}

static struct px_webhook_participant *find(const struct px_webhook_room *room,
		struct px_span client)
{
	const struct px_webhook_participant probe = {
		.client = client.data,
		.client_len = (uint8_t)client.len,
	};
	struct px_webhook_participant **found = client.len > PX_ID_MAX ? NULL :
			tfind(&probe, &room->clients, compare_clients);
	return found ? *found : NULL;
}

struct px_webhook_participant *px_webhook_participant_create(
		const struct px_webhook_person *person, int64_t now_ms)
{
	size_t client_len = person->client.len;
	size_t user_len = person->user.text.len;
	if (client_len > PX_ID_MAX || user_len > PX_ID_MAX) {
		return NULL;
	}
	struct px_webhook_participant *participant =
			calloc(1, sizeof(*participant) + client_len + user_len);
	if (participant) {
		participant->joined_ms = now_ms;
		participant->since_ms = now_ms;
		participant->role = person->role;
		participant->is_there = true;
		participant->user_is_number = person->user.number;
		participant->client_len = (uint8_t)client_len;
		participant->user_len = (uint8_t)user_len;
		participant->client = participant->text;
		memcpy(participant->text, person->client.data, client_len);
		if (user_len > 0) {
			memcpy(participant->text + client_len, person->user.text.data, user_len);
		}
	}
	return participant;
}

static void count_former(struct px_webhook_rooms *rooms, struct px_webhook_room *room,
		struct px_webhook_participant *participant, bool is_one)
{
	uint64_t cost = cost_of(participant);
	rooms->former_bytes += is_one ? cost : 0 - cost;
	room->former_bytes += is_one ? cost : 0 - cost;
	if (is_one) {
		px_heap_put(&room->former, &participant->former, participant->total_ms);
	} else {
		px_heap_remove(&room->former, &participant->former);
	}
}

int px_webhook_participant_add(struct px_webhook_rooms *rooms, struct px_webhook_room *room,
		struct px_webhook_participant *participant)
{
	/* Reserves room for the heap of former participants. */
	struct px_webhook_participant **found = px_heap_reserve(&room->former, room->count + 1) < 0 ?
			NULL : tsearch(participant, &room->clients, compare_clients);
	if (!found) {
		return -ENOMEM;
	}
	if (*found != participant) {
		return -EINVAL;
	}
	participant->next = NULL;
	participant->prev = room->last;
	*(room->last ? &room->last->next : &room->first) = participant;
	room->last = participant;
	room->count++;
	room->ever++;
	if (participant->is_there) {
		room->there++;
	} else {
		count_former(rooms, room, participant, true);
	}
	return 0;
}

/* Forgets the former participant who stayed shortest. */
static void forget_one(struct px_webhook_rooms *rooms, struct px_webhook_room *room)
{
	struct px_heap_node *node = px_heap_first(&room->former);
	if (!node) {
		return;
	}
	struct px_webhook_participant *participant = (struct px_webhook_participant *)((char *)node -
			offsetof(struct px_webhook_participant, former));
	count_former(rooms, room, participant, false);
	*(participant->prev ? &participant->prev->next : &room->first) = participant->next;
	*(participant->next ? &participant->next->prev : &room->last) = participant->prev;
	tdelete(participant, &room->clients, compare_clients);
	room->count--;
	free(participant);
}

/* ---- joining and leaving ---- */

static int enter(struct px_webhook_rooms *rooms, struct px_webhook_room *room,
		const struct px_webhook_person *person, int64_t now_ms)
{
	struct px_webhook_participant *participant = find(room, person->client);
	if (participant && !participant->is_there) {
		count_former(rooms, room, participant, false);
		participant->is_there = true;
		participant->since_ms = now_ms;
		room->there++;
	}
	if (participant) {
		return 0;
	}
	participant = px_webhook_participant_create(person, now_ms);
	int rc = participant ? px_webhook_participant_add(rooms, room, participant) : -ENOMEM;
	if (rc < 0) {
		free(participant);
	}
	return rc;
}

int px_webhook_rooms_join(struct px_webhook_rooms *rooms, const struct px_webhook_place *place,
		const struct px_webhook_person *person, int64_t now_ms, bool *ret_started)
{
	struct px_webhook_room *room = find_room(rooms, place);
	bool is_new = !room;
	room = room ? room : px_webhook_room_add(rooms, place, now_ms);
	int rc = room ? enter(rooms, room, person, now_ms) : -ENOMEM;
	if (rc < 0 && room && is_new) {
		px_webhook_room_undo(rooms, room);
	}
	*ret_started = is_new;
	return rc;
}

int64_t px_webhook_rooms_leave(struct px_webhook_rooms *rooms,
		const struct px_webhook_place *place, struct px_span client, int64_t now_ms,
		struct px_webhook_room **ret_ended)
{
	struct px_webhook_room *room = find_room(rooms, place);
	struct px_webhook_participant *participant = room ? find(room, client) : NULL;
	*ret_ended = NULL;
	if (!participant || !participant->is_there) {
		return -1;
	}
	int64_t stay_ms = now_ms - participant->since_ms;
	participant->total_ms += stay_ms;
	participant->left_ms = now_ms;
	participant->is_there = false;
	count_former(rooms, room, participant, true);
	if (--room->there == 0) {
		take_out(rooms, room);
		*ret_ended = room;
	} else if (room->count - room->there > PX_WEBHOOK_PARTICIPANTS_MAX ||
			rooms->former_bytes > rooms->bound) {
		forget_one(rooms, room);
	}
	return stay_ms;
}

bool px_webhook_room_find(const struct px_webhook_room *room,
		bool (*fits)(void *user, struct px_span client), void *user,
		struct px_webhook_person *ret_person)
{
	const struct px_webhook_participant *at = room->first;
	for (; at; at = at->next) {
		if (at->is_there && fits(user, px_webhook_client_of(at))) {
			*ret_person = (struct px_webhook_person){
				.client = px_webhook_client_of(at),
				.user = px_webhook_user_of(at),
				.role = at->role,
			};
			return true;
		}
	}
	return false;
}

struct px_webhook_room *px_webhook_rooms_take(struct px_webhook_rooms *rooms)
{
	if (!rooms->tree) {
		return NULL;
	}
	/* The root of libc's tree is where it begins. */
	struct px_webhook_room *room = *(struct px_webhook_room **)rooms->tree;
	take_out(rooms, room);
	return room;
}

/* ---- all rooms ---- */

int px_webhook_rooms_create(struct px_webhook_rooms **ret_rooms)
{
	*ret_rooms = calloc(1, sizeof(**ret_rooms));
	return *ret_rooms ? 0 : -ENOMEM;
}

static void destroy_room(void *node)
{
	px_webhook_room_destroy(node);
}

void px_webhook_rooms_destroy(struct px_webhook_rooms *rooms)
{
	if (rooms) {
		tdestroy(rooms->tree, destroy_room);
		free(rooms);
	}
}

void px_webhook_rooms_set_bound(struct px_webhook_rooms *rooms, uint64_t bytes)
{
	rooms->bound = bytes;
}

struct walk {
	int (*each)(void *user, const struct px_webhook_room *room);
	void *user;
	int rc;
};

static void visit(const void *node, VISIT which, void *closure)
{
	struct walk *walk = closure;
	if ((which == postorder || which == leaf) && walk->rc >= 0) {
		walk->rc = walk->each(walk->user, *(struct px_webhook_room *const *)node);
	}
}

int px_webhook_rooms_each(const struct px_webhook_rooms *rooms,
		int (*each)(void *user, const struct px_webhook_room *room), void *user)
{
	struct walk walk = { .each = each, .user = user };
	twalk_r(rooms->tree, visit, &walk);
	return walk.rc;
}
