/* SPDX-License-Identifier: MIT */
/*
 * Clients of a whiteboard and a room in each practice, and what is true of these, whichever broker
 * they are connected to and whichever is the home:
 *
 *   an update that a client hears is in the journal, at that number, with that text;
 *   no two clients hear different texts of one number of a practice, in the lives of all brokers;
 *   a client hears each number once, and none is missing in between; a number that was heard is
 *   never given again, and the epoch stays;
 *   no update is heard under two numbers, and those of one connection are in order;
 *   one who comes back with its last number is given all that it missed, or told that it is not;
 *   who leaves a room was in it, and leaves it once; nobody hears of another practice.
 */
#ifndef SIM_BOARDS_H
#define SIM_BOARDS_H

#include "../unit/fake.h"
#include "sim_bus.h"

enum {
	CLIENTS = 9,
	PRACTICES = 3,
	HISTORY = 64,
	WINDOW = 4096, /* the latest numbers of a practice that are remembered */
	ROSTER = 64,
};

struct client {
	void *server; /* that it is connected to; NULL: away */
	struct fake_conn *conn;
	unsigned practice;
	uint64_t got[WINDOW];  /* by number, of this connection */
	uint64_t complete;     /* all up to this one; 0: not subscribed */
	uint64_t subscribed;   /* what was the latest then */
	uint64_t last;         /* heard, in all connections */
	char epoch[17];        /* "": not known */
	unsigned members;      /* of its room, when it joined */
	char roster[ROSTER][PX_CLIENT_ID_SIZE]; /* the other members now; "": a free place */
	bool is_in_room;
	uint64_t visit;        /* number of its connection */
	uint64_t said;
};

/* What has been heard or written of a practice. */
struct truth {
	uint64_t seq[WINDOW];
	uint64_t text[WINDOW]; /* a hash */
	bool heard[WINDOW];
	uint64_t last; /* heard */
	uint64_t written; /* the latest that a channel was written with */
	char epoch[17];
};

extern struct client clients[CLIENTS];
extern struct truth truths[PRACTICES];
extern uint64_t updates, recovered, refused; /* that were heard */

/* Nobody runs out of memory: so who leaves a room was announced before. The program's to set. */
extern bool boards_are_strict;

/* The program's: says what is wrong, and when, and ends. */
_Noreturn void fail(const char *what, uint64_t number);

/* For sim_store.wrote. */
void boards_wrote(const struct sim_place *place, const struct sim_record *record);

void boards_begin(void);
/* It connects, subscribes and joins its room. */
void boards_come(struct client *client, void *server, struct fake *fake);
/* Its connection breaks. */
void boards_leave(struct client *client, struct fake *fake);
void boards_update(struct client *client);
/* Reads what it got, and checks it. */
void boards_read(struct client *client);

#endif
