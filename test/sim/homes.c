/* SPDX-License-Identifier: MIT */
/*
 * The third simulation: a broker whose practices are journaled, and others that go on with them.
 * Clients of a whiteboard and a room; a journal that is slow, loses its connection before and after
 * it has carried something out, and forgets; brokers that are killed, and brokers that stand still
 * while another takes over what is theirs, and wake up again; memory that runs out at any
 * allocation.
 *
 * What must hold, whatever happens, is in boards.h; and in the end each room holds those who are in
 * it and nobody else.
 *
 *     homes [--seed N] [--steps N]
 */
#include "../unit/memory.h"
#include "bus/bus_internal.h"
#include "channel/channel.h"
#include "core/practice.h"
#include "args.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SERVERS = 2, /* one that serves, and one that stands still */
};

static struct server servers[SERVERS];
static struct sim_store store;
static uint64_t seed, step, nodes;
static uint64_t failures, kills, freezes, cuts, losses, parted;
static struct px_bus_stats sums;
static bool is_at_risk; /* the journal has forgotten what only the home knows */

_Noreturn void fail(const char *what, uint64_t number)
{
	fprintf(stderr, "homes: seed %llu, step %llu: %s (%llu)\n", (unsigned long long)seed,
			(unsigned long long)step, what, (unsigned long long)number);
	abort();
}

/* ---- what a client does ---- */

static struct server *serving(void)
{
	return servers[0].fake && !servers[0].is_frozen ? &servers[0] : &servers[1];
}

static void come(struct client *client)
{
	struct server *server = serving();
	boards_come(client, server, server->fake);
}

static void act(struct client *client)
{
	unsigned way = dice(100);
	if (!client->conn) {
		if (way < 40) {
			come(client);
		}
	} else if (((struct server *)client->server)->is_frozen) {
		if (way < 3) {
			boards_read(client);
		}
	} else if (client->conn->close_code != FAKE_OPEN) {
		boards_read(client);
		server_lose(client);
	} else if (way < 60) {
		boards_update(client);
	} else if (way < 95) {
		boards_read(client);
	} else {
		server_lose(client);
	}
}

/* ---- servers ---- */

static void begin_server(struct server *server)
{
	static uint64_t random = 1;
	int64_t now_ms = 0;
	for (size_t i = 0; i < SERVERS; i++) {
		int64_t elapsed_ms = servers[i].fake ? server_elapsed_ms(&servers[i]) : 0;
		now_ms = elapsed_ms > now_ms ? elapsed_ms : now_ms;
	}
	server_begin(server, &store, ++nodes, ++random, now_ms);
}

/* Its clients find their connections dead. */
static void end_server(struct server *server)
{
	server_add_up(server, &sums);
	sim_link_end(&server->link);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].server == server) {
			server_lose(&clients[i]);
		}
	}
	server_abandon(server);
}

static struct server *other(const struct server *server)
{
	return server == &servers[0] ? &servers[1] : &servers[0];
}

static void take_over(struct server *old, bool dies)
{
	struct server *next = other(old);
	uint64_t node = old->node;
	if (next->fake) {
		end_server(next); /* it has stood still for long enough */
	}
	old->is_frozen = true;
	begin_server(next);
	store.alive = next->node;
	px_broker_bus_dead(next->fake->broker, node);
	kills += dies;
	freezes += !dies;
	if (dies) {
		end_server(old);
	}
}

/* It goes on as if nothing had happened, until its journal tells it. */
static void wake(struct server *server)
{
	server->is_frozen = false;
	for (unsigned i = 0; i < 200; i++) {
		struct client *client = &clients[dice(CLIENTS)];
		if (client->server == server && client->conn->close_code == FAKE_OPEN) {
			boards_update(client);
			boards_read(client);
		}
		fake_turn(server->fake);
		(void)sim_link_execute(&server->link);
		(void)sim_link_answer(&server->link);
		if (chance(10)) {
			sim_link_cut(&server->link);
		}
		sim_link_mend(&server->link);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		parted += clients[i].server == server && clients[i].conn->close_code != FAKE_OPEN;
	}
	end_server(server);
}

/* All practices run at that server, so that it knows whatever the journal may forget. */
static bool knows_all(const struct server *server)
{
	char id[4];
	for (unsigned i = 0; i < PRACTICES; i++) {
		(void)snprintf(id, sizeof(id), "%u", i + 1);
		const struct px_practice *practice = px_practice_find(server->fake->broker,
				px_span("t"), px_span(id));
		if (!practice || !practice->home || !practice->home->is_running ||
				practice->home->is_leaving) {
			return false;
		}
	}
	return true;
}

static void lose(struct server *server)
{
	if (is_at_risk || other(server)->fake || !knows_all(server)) {
		return;
	}
	sim_link_cut(&server->link);
	if (chance(30)) {
		sim_store_lose_all(&store);
	} else {
		sim_store_lose(&store, 1 + dice(20));
	}
	is_at_risk = true;
	losses++;
}

static void run(void *user)
{
	struct server *server = user;
	while (fake_turn(server->fake)) {
	}
}

/* Whatever was lost is put back. */
static void settle(struct server *server)
{
	sim_link_mend(&server->link);
	sim_link_run(&server->link, run, server);
	is_at_risk = false;
}

static void happen_to(struct server *server)
{
	unsigned way = dice(1000);
	if (way < 400) {
		(void)sim_link_execute(&server->link);
	} else if (way < 800) {
		memory_watch(true);
		(void)sim_link_answer(&server->link);
		memory_watch(false);
	} else if (way < 820) {
		cuts += server->link.is_up;
		sim_link_cut(&server->link);
	} else if (way < 860) {
		sim_link_mend(&server->link);
	} else if (way < 960) {
		fake_advance(server->fake, dice(100));
	} else if (way < 963) {
		lose(server);
	} else if (way < 970) {
		settle(server);
	} else if (way < 973 && !is_at_risk) {
		take_over(server, chance(60));
	} else if (way < 976 && other(server)->fake) {
		wake(other(server));
	}
}

static void happen(void)
{
	if (chance(50)) {
		act(&clients[dice(CLIENTS)]);
	} else {
		happen_to(serving());
	}
	if (dice(1000) < 4) {
		memory_fail(1 + dice(60), false);
	}
	if (chance(70)) {
		memory_watch(true);
		fake_turn(serving()->fake);
		memory_watch(false);
	}
	failures += memory_has_failed();
}

/* Everybody comes, and the rooms hold just them. */
static void check_end(void)
{
	struct server *server = serving();
	memory_fail(0, false);
	settle(server);
	if (other(server)->fake) {
		wake(other(server));
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].conn) {
			server_lose(&clients[i]);
		}
	}
	/* After a connection was lost, a practice that has no home is claimed after a while only. */
	fake_advance(server->fake, PX_BUS_CALM_MS);
	sim_link_run(&server->link, run, server);
	for (size_t i = 0; i < CLIENTS; i++) {
		come(&clients[i]);
		fake_advance(server->fake, 1000);
		sim_link_run(&server->link, run, server);
		boards_read(&clients[i]);
		if (clients[i].subscribed == 0 || clients[i].members != i / PRACTICES) {
			fail("a room holds others than those who are in it", clients[i].members);
		}
	}
	end_server(server);
	sim_store_finish(&store);
}

int main(int argc, char **argv)
{
	struct sim_args args = sim_args_read("homes", argc, argv);
	uint64_t steps = args.steps;
	seed = args.seed;
	store.wrote = boards_wrote;
	store.commit_bytes = 1000; /* so that many turns are of several commits */
	begin_server(&servers[0]);
	boards_begin();
	for (step = 0; step < steps; step++) {
		happen();
	}
	check_end();
	printf("%llu steps: %llu updates heard, %llu turns, %llu claims, %llu recovered, %llu parted, %llu refused; "
			"%llu kills, %llu freezes, %llu cuts, %llu losses, %llu rebased, %llu deposed, %llu parts, %llu failures of memory\n",
			(unsigned long long)steps, (unsigned long long)updates,
			(unsigned long long)sums.turns, (unsigned long long)sums.claims,
			(unsigned long long)recovered, (unsigned long long)parted,
			(unsigned long long)refused, (unsigned long long)kills,
			(unsigned long long)freezes, (unsigned long long)cuts,
			(unsigned long long)losses, (unsigned long long)sums.rebased,
			(unsigned long long)sums.deposed, (unsigned long long)store.parts,
			(unsigned long long)failures);
	return 0;
}
