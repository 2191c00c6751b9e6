/* SPDX-License-Identifier: MIT */
/*
 * What the servers of the benchmark want to be told by a client: how it enters a room, and how a
 * message is wrapped. A server that is the application's (Praxis, the reference's shape in Node)
 * gets the application's JSON; the others get bare texts, because JSON means nothing to them.
 */
#ifndef BENCH_DIALECT_H
#define BENCH_DIALECT_H

#include "client.h"

struct traffic;

struct dialect {
	const char *name;
	const char *subprotocol; /* NULL: none is offered */
	enum ws_opcode opcode;   /* of its messages, both ways */
	bool is_application;     /* greets, has rooms to join, stamps what it relays */
	bool returns_own;        /* a sender gets its own message, too */

	/* The path of a client, NUL-terminated. */
	void (*path)(const struct client *c, char *path, size_t size);

	/* What a client says once it is connected. NULL: nothing, it is ready. */
	void (*on_open)(struct loop *l, struct client *c);

	/* Puts what goes before a text of `bytes` to `out` (at least 64); its length. NULL: nothing. */
	size_t (*wrap)(const struct client *c, size_t bytes, uint8_t *out);

	/* Takes a message apart and calls traffic_receive(), or client_ready(). NULL: it is a text. */
	void (*receive)(struct traffic *t, struct client *c, const uint8_t *message, size_t bytes);
};

/* NULL: there is none of that name. */
const struct dialect *dialect_find(const char *name);

#endif
