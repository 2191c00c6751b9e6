/* SPDX-License-Identifier: MIT */
/*
 * The fourth simulation: three brokers with one journal, homes and edges of each other, and clients
 * at all of them. Frames are late, lost, and reordered between senders; connections are cut before
 * and after something was carried out; the journal forgets; brokers are killed, and stand still; a
 * broker that is alive is declared dead, and goes on until it learns that; memory runs out.
 *
 * What must hold, whatever happens, is in boards.h; and in the end each room holds those who are in
 * it and nobody else, wherever they are connected.
 *
 *     nodes [--seed N] [--steps N]
 *
 * With an odd seed memory runs out as well; with an even one it does not, and more is checked.
 */
#include "../unit/memory.h"
#include "args.h"
#include "bus/bus_internal.h"
#include "core/practice.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS = 3 };

static struct server servers[SERVERS];
static struct sim_store store;
static uint64_t seed, step, nodes;
static uint64_t dead[SIM_NODES]; /* that not all may have been told of */
static size_t dead_count;
static int64_t now_ms; /* everywhere, but where time stands still */
static uint64_t failures, kills, freezes, wrongs, cuts, losses, parted;
static struct px_bus_stats sums;
static bool is_at_risk; /* the journal has forgotten what only homes know */

_Noreturn void fail(const char *what, uint64_t number)
{
	fprintf(stderr, "nodes: seed %llu, step %llu: %s (%llu)\n", (unsigned long long)seed,
			(unsigned long long)step, what, (unsigned long long)number);
	abort();
}

static bool is_serving(const struct server *server)
{
	return server->fake && !server->is_frozen;
}

/* Any; NULL: there is none. */
static struct server *some_server(void)
{
	unsigned first = dice(SERVERS);
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server *server = &servers[(first + i) % SERVERS];
		if (is_serving(server)) {
			return server;
		}
	}
	return NULL;
}

static unsigned serving_count(void)
{
	unsigned count = 0;
	for (unsigned i = 0; i < SERVERS; i++) {
		count += is_serving(&servers[i]);
	}
	return count;
}

/* ---- clients ---- */

static void act(struct client *client)
{
	unsigned way = dice(100);
	struct server *server = client->conn ? client->server : some_server();
	if (!server || server->is_frozen) {
		return;
	}
	if (!client->conn) {
		if (way < 40) {
			boards_come(client, server, server->fake);
		}
	} else if (client->conn->close_code != FAKE_OPEN) {
		boards_read(client);
		parted++;
		server_lose(client);
	} else if (way < 60) {
		boards_update(client);
	} else if (way < 96) {
		boards_read(client);
	} else {
		server_lose(client);
	}
}

/* ---- servers ---- */

static void begin_server(struct server *server)
{
	if (++nodes == SIM_NODES) {
		fail("there are too many nodes for the journal in memory", nodes);
	}
	server_begin(server, &store, nodes, nodes, now_ms);
}

/* Its clients find their connections dead. */
static void end_server(struct server *server)
{
	server_add_up(server, &sums);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].server == server && chance(60)) {
			boards_read(&clients[i]);
		}
	}
	sim_link_end(&server->link);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].server == server) {
			boards_leave(&clients[i], server->fake);
		}
	}
	server_abandon(server);
}

static void declare_dead(uint64_t node)
{
	dead[dead_count++] = node;
}

/* The first who hears of it looks after what has no home now. */
static void bury(struct server *server, uint64_t node)
{
	bool is_first = !store.dead[node];
	sim_link_bury(&server->link, node);
	for (unsigned i = 0; is_first && i < PRACTICES; i++) {
		char name[8];
		(void)snprintf(name, sizeof(name), "t/%u", i + 1);
		const struct sim_place *place = sim_store_find(&store, name);
		if (place && place->home == node) {
			px_broker_bus_orphan(server->fake->broker, &(struct px_bus_place){
				px_span("t"), px_span(name + 2) }, node);
		}
	}
}

/* All that live know it. */
static bool is_buried(uint64_t node)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		if (servers[i].fake && servers[i].node != node && !servers[i].link.dead[node]) {
			return false;
		}
	}
	return store.dead[node];
}

static void tell_of_dead(struct server *server)
{
	if (dead_count == 0) {
		return;
	}
	size_t at = dice((unsigned)dead_count);
	if (dead[at] != server->node) {
		bury(server, dead[at]);
	}
	if (is_buried(dead[at])) {
		dead[at] = dead[--dead_count];
	}
}

static void kill_server(struct server *server)
{
	uint64_t node = server->node;
	if (is_at_risk || serving_count() < 2) {
		return;
	}
	end_server(server);
	declare_dead(node);
	kills++;
}

static void freeze(struct server *server)
{
	if (is_at_risk || serving_count() < 2) {
		return;
	}
	server->is_frozen = true;
	freezes++;
	if (chance(50)) {
		declare_dead(server->node);
		wrongs++;
	}
}

/* It goes on; if it was declared dead, until its next sign of life tells it. */
static void wake(struct server *server)
{
	if (!server->fake || !server->is_frozen) {
		return;
	}
	server->is_frozen = false;
}

static bool is_declared(const struct server *server)
{
	for (size_t i = 0; i < dead_count; i++) {
		if (dead[i] == server->node) {
			return true;
		}
	}
	return store.dead[server->node];
}

static void learn(struct server *server)
{
	px_broker_bus_deposed(server->fake->broker);
	while (fake_turn(server->fake)) {
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].server == server && clients[i].conn->close_code == FAKE_OPEN) {
			fail("a session outlives its node", i);
		}
	}
	end_server(server);
}

static void keep_time(struct server *server)
{
	int64_t behind_ms = now_ms - server_elapsed_ms(server);
	if (behind_ms > 0) {
		fake_advance(server->fake, behind_ms);
	}
}

/* ---- the journal ---- */

static const struct px_home *home_of(const struct server *server, const char *practice)
{
	const struct px_practice *found = px_practice_find(server->fake->broker, px_span("t"),
			px_span(practice));
	return found ? found->home : NULL;
}

/*
 * Each practice has one home that lives, knows whatever the journal may forget, and is believed by
 * nobody else to be another node. A journal that loses a claim while the former home still believes
 * itself to be it has two that put back what they know: that is not promised.
 */
static bool is_known(void)
{
	unsigned known = 0;
	unsigned running = 0;
	for (unsigned i = 0; i < PRACTICES; i++) {
		char name[8];
		(void)snprintf(name, sizeof(name), "t/%u", i + 1);
		const struct sim_place *place = sim_store_find(&store, name);
		for (unsigned k = 0; place && k < SERVERS; k++) {
			const struct px_home *home =
					servers[k].fake ? home_of(&servers[k], name + 2) : NULL;
			bool is_running = home && home->is_running && !home->is_leaving;
			running += is_running;
			known += is_running && servers[k].node == place->home &&
					home->gen == place->gen;
		}
	}
	return known == PRACTICES && running == PRACTICES;
}

static void lose(void)
{
	if (is_at_risk || dead_count > 0 || serving_count() < SERVERS || !is_known()) {
		return;
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		if (is_declared(&servers[i])) {
			return;
		}
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		sim_link_cut(&servers[i].link);
	}
	if (chance(30)) {
		sim_store_lose_all(&store);
	} else {
		sim_store_lose(&store, 1 + dice(20));
	}
	memory_fail(0, false); /* who gives up a practice now forgets what only it knows */
	is_at_risk = true;
	losses++;
}

static bool move(struct server *server)
{
	while (fake_turn(server->fake)) {
	}
	return sim_link_execute(&server->link) || sim_link_answer(&server->link) ||
			sim_link_hear(&server->link, dice(8));
}

/* Until nobody has anything to do. */
static void settle(void)
{
	bool is_moving = true;
	for (unsigned i = 0; i < SERVERS; i++) {
		if (is_serving(&servers[i])) {
			keep_time(&servers[i]);
			sim_link_mend(&servers[i].link);
		}
	}
	for (unsigned round = 0; is_moving; round++) {
		is_moving = false;
		for (unsigned i = 0; i < SERVERS; i++) {
			is_moving = (is_serving(&servers[i]) && move(&servers[i])) || is_moving;
		}
		if (round == 100000) {
			fail("the nodes do not come to rest", round);
		}
	}
	is_at_risk = false;
}

/* ---- what happens ---- */

static void happen_rarely(struct server *server, unsigned way)
{
	if (way < 20) {
		cuts += server->link.is_up;
		sim_link_cut(&server->link);
	} else if (way < 60) {
		sim_link_mend(&server->link);
	} else if (way < 70) {
		tell_of_dead(server);
	} else if (way < 73) {
		lose();
	} else if (way < 76) {
		settle();
	} else if (way < 78) {
		kill_server(server);
	} else if (way < 80) {
		freeze(server);
	} else if (way < 86) {
		wake(&servers[dice(SERVERS)]);
	} else if (way < 89 && is_declared(server) && !is_at_risk) {
		learn(server);
	} else if (way < 92) {
		struct server *other = &servers[dice(SERVERS)];
		if (!other->fake) {
			begin_server(other);
		}
	} else if (!is_at_risk) {
		now_ms += dice(200);
	}
}

static void happen_to(struct server *server)
{
	unsigned way = dice(1000);
	keep_time(server);
	memory_watch(way < 850);
	if (way < 300) {
		(void)sim_link_execute(&server->link);
	} else if (way < 600) {
		(void)sim_link_answer(&server->link);
	} else if (way < 850) {
		(void)sim_link_hear(&server->link, dice(8));
	}
	memory_watch(false);
	if (way >= 850) {
		happen_rarely(server, way - 850);
	}
}

static void restore(struct server *server)
{
	if (server->fake) {
		wake(server);
	} else {
		begin_server(server);
	}
}

static void happen(void)
{
	if (chance(45)) {
		act(&clients[dice(CLIENTS)]);
	}
	struct server *server = some_server();
	if (server) {
		happen_to(server);
	} else {
		restore(&servers[dice(SERVERS)]);
	}
	if (!boards_are_strict && !is_at_risk && dice(1000) < 4) {
		memory_fail(1 + dice(60), false);
	}
	server = some_server();
	if (server && chance(70)) {
		memory_watch(true);
		fake_turn(server->fake);
		memory_watch(false);
	}
	failures += memory_has_failed();
}

/* ---- the end ---- */

static void rest(void)
{
	for (unsigned i = 0; i < 20; i++) {
		settle();
		now_ms += PX_BUS_RETRY_MS;
		for (unsigned k = 0; k < SERVERS; k++) {
			keep_time(&servers[k]);
		}
	}
	settle();
}

static void mend_all(void)
{
	memory_fail(0, false);
	for (unsigned i = 0; i < SERVERS; i++) {
		wake(&servers[i]);
		if (servers[i].fake && is_declared(&servers[i])) {
			learn(&servers[i]);
		}
		if (!servers[i].fake) {
			begin_server(&servers[i]);
		}
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		for (size_t k = 0; k < dead_count; k++) {
			bury(&servers[i], dead[k]);
		}
	}
}

/* Everybody comes, and the rooms hold just them. */
static void check_end(void)
{
	mend_all();
	rest();
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].conn) {
			server_lose(&clients[i]);
		}
	}
	rest();
	for (size_t i = 0; i < CLIENTS; i++) {
		struct server *server = &servers[dice(SERVERS)];
		boards_come(&clients[i], server, server->fake);
		rest();
		boards_read(&clients[i]);
		if (clients[i].subscribed == 0 || clients[i].members != i / PRACTICES) {
			fail("a room holds others than those who are in it", clients[i].members);
		}
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		end_server(&servers[i]);
	}
	sim_store_finish(&store);
}

int main(int argc, char **argv)
{
	struct sim_args args = sim_args_read("nodes", argc, argv);
	seed = args.seed;
	boards_are_strict = seed % 2 == 0;
	store.wrote = boards_wrote;
	store.commit_bytes = 1000; /* so that many turns are of several commits */
	for (unsigned i = 0; i < SERVERS; i++) {
		begin_server(&servers[i]);
	}
	boards_begin();
	for (step = 0; step < args.steps; step++) {
		happen();
	}
	check_end();
	printf("%llu steps: %llu updates heard, %llu turns, %llu claims, %llu frames, %llu recovered, %llu parted, %llu lost, %llu refused; "
			"%llu kills, %llu freezes, %llu of them declared dead, %llu cuts, %llu losses, %llu rebased, %llu deposed, %llu parts, %llu failures of memory\n",
			(unsigned long long)args.steps, (unsigned long long)updates,
			(unsigned long long)sums.turns, (unsigned long long)sums.claims,
			(unsigned long long)sums.heard, (unsigned long long)recovered,
			(unsigned long long)parted, (unsigned long long)sums.lost,
			(unsigned long long)refused, (unsigned long long)kills,
			(unsigned long long)freezes, (unsigned long long)wrongs,
			(unsigned long long)cuts, (unsigned long long)losses,
			(unsigned long long)sums.rebased, (unsigned long long)sums.deposed,
			(unsigned long long)store.parts, (unsigned long long)failures);
	return 0;
}
