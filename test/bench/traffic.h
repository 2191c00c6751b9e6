/* SPDX-License-Identifier: MIT */
/*
 * The rooms, who sends when, and who must receive what.
 *
 * Every room keeps a number of messages in flight. In a room of two, a message is answered by its
 * receiver. In a larger one a member sends them all at once, as a burst, and when all have them the
 * next member does. With a rate instead, some room's next member sends when the time has come. So
 * every scenario is a list of rooms, a number in flight or a rate, and all are checked by the same
 * code, whichever the server.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "client.h"
#include "dialect.h"
#include "stats.h"
#include "visitors.h"

struct flight {
	unsigned waiting; /* receivers that do not have it yet */
	uint64_t sent_ns;
};

enum room_kind {
	ROOM_CHAT,   /* of telemedicine: chat messages */
	ROOM_SIGNAL, /* of telemedicine: offers */
	ROOM_BOARD,  /* a practice: updates of its whiteboard, and nobody has to join */
};

struct room {
	unsigned number;
	enum room_kind kind;
	unsigned practice;
	struct client *members;
	unsigned member_count;
	unsigned next_sender;
	unsigned in_flight;
	uint32_t *due; /* [sender's place][receiver's place]: the next sequence number */
};

struct traffic {
	struct loop loop;
	const struct dialect *dialect;
	unsigned room_count;
	unsigned member_count; /* of all rooms */
	unsigned flight_count; /* messages in flight in each room, or of each sender with a rate */
	unsigned idle_count;
	unsigned text_bytes; /* of a message's text; where texts are bare, all of the message */
	bool receipts;       /* each message asks for one */
	double per_second;   /* messages of all rooms; 0: as fast as they are received */
	struct room *rooms;
	struct client *clients; /* the rooms' members, room by room, then the idle ones */

	struct visitors visitors; /* besides; slot_count 0: none */

	bool entering; /* the rooms are not complete yet: see entry.c */
	unsigned ready;
	unsigned joined;
	unsigned joins_seen;
	unsigned pongs;

	bool sending; /* a message that is complete is followed by another */
	uint64_t messages_left;
	uint64_t due_ns; /* with a rate: when the next one is sent */
	uint64_t in_flight;
	uint64_t messages;
	uint64_t deliveries;
	uint64_t wire_bytes; /* of the deliveries, with their frames' headers */
	uint64_t receipts_due;
	struct histogram latency;    /* of a delivery */
	struct histogram round_trip; /* of a ping-pong's first member */
};

/* So many rooms, one after the other in traffic.rooms. */
struct room_plan {
	enum room_kind kind;
	unsigned rooms;
	unsigned members;
	bool apart; /* each room is in a practice of its own; else all are in practice 1 */
};

void traffic_init(struct traffic *t, const struct room_plan *plans, unsigned count);

/* Lets the rooms talk so long, or for so many messages if not 0, and until all is received. */
void traffic_run(struct traffic *t, double seconds, uint64_t messages);

/* A WebSocket ping to every client: what a server still has for it must come before the pong. */
void traffic_fence(struct traffic *t);

/* A message for a client, as the server's dialect has it. */
void traffic_receive(struct traffic *t, struct client *to, const uint8_t *text, size_t bytes);

/* A client is in, also in its room where there is nothing to join. */
void client_ready(struct traffic *t, struct client *c);

/* How long the loop may wait, in ms, so that the next message or visitor is not missed. */
int traffic_wait_ms(const struct traffic *t);

/* Connects clients (their indices); returns when all are let in. */
void entry_connect(struct traffic *t, unsigned first, unsigned count);

/* Joins the rooms' members (the application's); returns when all announcements are received. */
void entry_join(struct traffic *t);

/* A text that is no room's traffic: to someone idle, or while the rooms are filling. */
void entry_receive(struct traffic *t, struct client *c, const uint8_t *text, size_t bytes);

#endif
