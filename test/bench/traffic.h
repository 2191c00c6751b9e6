/* SPDX-License-Identifier: MIT */
/*
 * The rooms, who sends when, and who must receive what.
 *
 * There is one kind of traffic: every room keeps a number of messages in flight, its members taking
 * turns at sending; a message that all the others have received is followed by the next one. With
 * one in flight and two members that is a ping-pong. So every scenario is a room count, a member
 * count and a number in flight, and all are checked by the same code, whichever the server.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "client.h"
#include "stats.h"
#include "visitors.h"

struct flight {
	unsigned waiting; /* receivers that do not have it yet */
	uint64_t sent_ns;
};

struct room {
	unsigned number;
	struct client *members;
	unsigned next_sender;
	unsigned in_flight;
	uint32_t *due; /* [receiver's place][sender's place]: the next sequence number */
};

struct traffic {
	struct loop loop;
	bool praxis; /* else the floor */
	bool whiteboard; /* what is sent are updates, and nobody has to join */
	unsigned room_count;
	unsigned member_count; /* of each room */
	unsigned flight_count; /* messages in flight in each room */
	unsigned idle_count;
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
	uint64_t in_flight;
	uint64_t messages;
	uint64_t deliveries;
	struct histogram latency;    /* of a delivery */
	struct histogram round_trip; /* of a ping-pong's first member */
};

void traffic_init(struct traffic *t);

/* Lets the rooms talk so long, or for so many messages if not 0, and until all is received. */
void traffic_run(struct traffic *t, double seconds, uint64_t messages);

/* A WebSocket ping to every client: what a server still has for it must come before the pong. */
void traffic_fence(struct traffic *t);

/* Connects clients (their indices); returns when all are let in. */
void entry_connect(struct traffic *t, unsigned first, unsigned count);

/* Joins the rooms' members (Praxis); returns when every announcement of it has been received. */
void entry_join(struct traffic *t);

/* A text that is no room's traffic: to someone idle, or while the rooms are filling. */
void entry_receive(struct traffic *t, struct client *c, const uint8_t *text, size_t bytes);

#endif
