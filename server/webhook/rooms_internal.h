/* SPDX-License-Identifier: MIT */
/*
 * What rooms.c, which keeps them, and rooms_write.c, which puts them into words
 * and reads them back, share. Private to these files.
 */
#ifndef PX_WEBHOOK_ROOMS_INTERNAL_H
#define PX_WEBHOOK_ROOMS_INTERNAL_H

#include "base/heap.h"
#include "rooms.h"

#include <stddef.h>

struct px_webhook_participant {
	struct px_webhook_participant *next; /* ordered by the first time they joined */
	struct px_webhook_participant *prev;
	struct px_heap_node former; /* of one that left, by how long it stayed */
	int64_t joined_ms; /* the first time */
	int64_t since_ms;  /* this time */
	int64_t left_ms;   /* the last time; 0 if present */
	int64_t total_ms;  /* of the times before this one */
	enum px_role role;
	bool is_there;
	bool user_is_number;
	uint8_t client_len;
	uint8_t user_len;
	const char *client; /* in `text`, or the caller's during a search */
	char text[]; /* client, user */
};

struct px_webhook_room {
	char *key; /* tenant, practice, service and name, each with its end */
	size_t key_len;
	bool practice_is_number;
	int64_t started_ms;
	void *clients; /* the participants, by client: a search tree of libc's */
	struct px_webhook_participant *first;
	struct px_webhook_participant *last;
	struct px_heap former; /* those who left: who stayed shortest comes first */
	uint32_t count;
	uint32_t there;
	uint64_t former_bytes; /* memory of those who left */
	uint64_t ever;         /* participants, remembered or not */
};

struct px_webhook_rooms {
	void *tree;
	uint64_t bound;
	uint64_t former_bytes;
};

static inline struct px_span px_webhook_client_of(const struct px_webhook_participant *participant)
{
	return (struct px_span){ participant->client, participant->client_len };
}

static inline struct px_id px_webhook_user_of(const struct px_webhook_participant *participant)
{
	return (struct px_id){ { participant->text + participant->client_len,
		participant->user_len }, participant->user_is_number };
}

/* Adds an empty room that began so long ago; NULL: it exists, or no memory. */
struct px_webhook_room *px_webhook_room_add(struct px_webhook_rooms *rooms,
		const struct px_webhook_place *place, int64_t started_ms);

/* Removes the room, and frees it. */
void px_webhook_room_undo(struct px_webhook_rooms *rooms, struct px_webhook_room *room);

/* A participant who joins then; NULL. */
struct px_webhook_participant *px_webhook_participant_create(
		const struct px_webhook_person *person, int64_t now_ms);

/* Takes ownership unless it fails: -ENOMEM, -EINVAL (that client is there already). */
int px_webhook_participant_add(struct px_webhook_rooms *rooms, struct px_webhook_room *room,
		struct px_webhook_participant *participant);

#endif
