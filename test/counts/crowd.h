/* SPDX-License-Identifier: MIT */
/*
 * Rooms full of clients that say numbered messages, and a check that each gets what it must: every
 * message of every other member of its room, once and in order, and none from elsewhere.
 */
#ifndef CROWD_H
#define CROWD_H

#include "fake.h"

enum crowd_kind {
	CROWD_CHAT,   /* a telemedicine room; messages of 64 bytes of text */
	CROWD_BOARD,  /* a practice's whiteboard; updates of 1 KB, with a receipt each */
	CROWD_RESUME, /* as CHAT, of sessions that can be resumed */
};

struct member {
	struct fake_conn *conn;
	unsigned room;
	unsigned place;    /* in it */
	char user[16];     /* its id */
	char *text;        /* what it said last, in a block of that size */
	size_t text_len;
	unsigned said;
	unsigned acked;
	uint64_t got;      /* text messages since its greeting, of all kinds */
	unsigned *due;     /* by place: the next from that member */
};

struct crowd {
	struct fake *fake;
	enum crowd_kind kind;
	unsigned rooms;
	unsigned size; /* of each */
	struct member *members;
};

/* All are in their rooms, and have read all that was said of that. Aborts where that fails. */
struct crowd *crowd_create(unsigned rooms, unsigned size, enum crowd_kind kind);

/* Checks once more, and that nothing is left over. */
void crowd_destroy(struct crowd *crowd);

struct member *crowd_member(struct crowd *crowd, unsigned room, unsigned place);

/* Who the member's connection is of. */
struct fake_who crowd_who(const struct member *member);

/* Puts the member's next message into its text; the rest of the room is due to get it. */
void crowd_say(struct crowd *crowd, struct member *member);

/* The same for `received`, of all that it got. */
void crowd_confirm(struct member *member);

/* Reads `resumed`, the first on a new connection. */
void crowd_read_resumed(struct member *member);

/* Reads all that has come: all that was said must have. Aborts where it has not. */
void crowd_check(struct crowd *crowd);

#endif
