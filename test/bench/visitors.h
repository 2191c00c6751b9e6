/* SPDX-License-Identifier: MIT */
/*
 * Visitors: clients that connect, are greeted, and leave again, so many at a time or so many a
 * second, with a token each where there are some.
 *
 * What a handshake costs is everything from accept() to the greeting and the end of the session:
 * that is what a server pays for a client that comes, and tokens are a part of it.
 */
#ifndef BENCH_VISITORS_H
#define BENCH_VISITORS_H

#include "client.h"
#include "dialect.h"
#include "stats.h"

#define VISITORS_MAX 1024

struct visitors {
	struct loop *loop;
	const struct dialect *dialect;
	struct client *slots;
	unsigned slot_count;
	unsigned here;       /* between connecting and leaving */
	double per_second;   /* 0: whenever there is a free slot */
	uint64_t left;       /* to come; UINT64_MAX: no end */
	uint64_t due_ns;     /* when the next one comes */
	uint64_t greeted;
	struct histogram handshake; /* from connect() to the greeting */
};

/* Clients are numbered from `first_number` on. */
void visitors_init(struct visitors *v, struct loop *l, const struct dialect *dialect,
		unsigned slots, unsigned first_number);

/* Lets those come whose time it is. */
void visitors_come(struct visitors *v);

/* A text for a visitor: the greeting, upon which it leaves; anything else is a failure. */
void visitors_receive(struct visitors *v, struct client *c, const uint8_t *text, size_t bytes);

/* A visitor is in, and leaves; for servers that do not greet. */
void visitors_greeted(struct visitors *v, struct client *c);

/* Nobody comes any more; returns when all have gone. */
void visitors_end(struct visitors *v);

/* Reads tokens, one a line; ends the program where there are none. */
void tokens_read(const char *file);

/* The token of that client; NULL: there are none. The same for the same number. */
const char *token_of(unsigned number);

#endif
