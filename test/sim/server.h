/* SPDX-License-Identifier: MIT */
/* A broker with the two services of boards.h, on a journal in memory. */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "../unit/fake.h"
#include "boards.h"
#include "sim_bus.h"

#include <praxis/host/bus.h>

struct server {
	struct fake *fake; /* NULL: there is none */
	struct sim_link link;
	uint64_t node;
	int64_t began_ms; /* by its clock */
	bool is_frozen;
};

/* As `node`, with random numbers by `salt`; its clock has gone on for `ms`. */
void server_begin(struct server *server, struct sim_store *store, uint64_t node, uint64_t salt,
		int64_t ms);
/* By its clock, since that of all servers began. */
int64_t server_elapsed_ms(const struct server *server);
/* Adds what its journal has come to. */
void server_add_up(const struct server *server, struct px_bus_stats *sums);
/* The process ends; sessions that it had are the caller's to look after. */
void server_abandon(struct server *server);
/* The client's connection breaks; before, it may read what it got. */
void server_lose(struct client *client);

#endif
