/* SPDX-License-Identifier: MIT */
/*
 * The third simulation: a broker whose practices are journaled, and others that go on with them.
 * Clients of a whiteboard and a room; a journal that is slow, loses its connection before and after
 * it has carried something out, and forgets; brokers that are killed, and brokers that stand still
 * while another takes over what is theirs, and wake up again; memory that runs out at any
 * allocation.
 *
 * What must hold, whatever happens:
 *
 *   an update that a client hears is in the journal, at that number, with that text;
 *   no two clients hear different texts of one number of a practice, in the lives of all brokers;
 *   a client hears each number once, and none is missing in between; a number that was heard is
 *   never given again, and the epoch stays;
 *   one who comes back with its last number is given all that it missed, or told that it is not;
 *   in the end each room holds those who are in it and nobody else.
 *
 *     homes [--seed N] [--steps N]
 */
#include "../unit/fake.h"
#include "../unit/memory.h"
#include "bus/bus_internal.h"
#include "channel/channel.h"
#include "core/practice.h"
#include "sim_bus.h"

#include <json-c/json.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLIENTS = 9,
	PRACTICES = 3,
	SERVERS = 2, /* one that serves, and one that stands still */
	HISTORY = 64,
	WINDOW = 4096, /* the latest numbers of a practice that are remembered */
};

struct server {
	struct fake *fake; /* NULL: there is none */
	struct sim_link link;
	uint64_t node;
	bool is_frozen;
};

struct client {
	struct server *server; /* NULL: away */
	struct fake_conn *conn;
	unsigned practice;
	uint64_t got[WINDOW];  /* by number, of this connection */
	uint64_t complete;     /* all up to this one; 0: not subscribed */
	uint64_t subscribed;   /* what was the latest then */
	uint64_t last;         /* heard, in all connections */
	char epoch[17];        /* "": not known */
	unsigned members;      /* of its room, when it joined */
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

static struct server servers[SERVERS];
static struct sim_store store;
static struct client clients[CLIENTS];
static struct truth truths[PRACTICES];
static uint64_t dice_state, seed, step, nodes;
static uint64_t failures, updates, kills, freezes, cuts, losses, recovered, refused, parted;
static struct px_bus_stats sums;
static bool is_at_risk; /* the journal has forgotten what only the home knows */

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

_Noreturn static void fail(const char *what, uint64_t number)
{
	fprintf(stderr, "homes: seed %llu, step %llu: %s (%llu)\n", (unsigned long long)seed,
			(unsigned long long)step, what, (unsigned long long)number);
	abort();
}

static unsigned dice(unsigned sides)
{
	return (unsigned)((fake_random(&dice_state) >> 32) % sides);
}

static bool chance(unsigned percent)
{
	return dice(100) < percent;
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u;
	for (; *text != '\0'; text++) {
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	}
	return hash;
}

/* ---- what is true ---- */

static void on_wrote(const struct sim_place *place, const struct sim_record *record)
{
	struct truth *truth = &truths[atoi(strchr(place->name, '/') + 1) - 1];
	size_t at = record->seq % WINDOW;
	struct json_object *object = json_tokener_parse(record->value);
	uint64_t text = hash_of(fake_member(object, "text"));
	uint64_t last = strtoull(fake_member(object, "seq"), NULL, 10);
	json_object_put(object);
	truth->written = last > truth->written ? last : truth->written;
	if (record->table != PX_BUS_HISTORY) {
		return;
	}
	if (truth->seq[at] == record->seq && truth->heard[at] && truth->text[at] != text) {
		fail("what was heard is written otherwise", record->seq);
	}
	if (truth->seq[at] != record->seq) {
		truth->heard[at] = false;
	}
	truth->seq[at] = record->seq;
	truth->text[at] = text;
}

/* `text` NULL: a receipt, which has none. */
static void check_truth(struct truth *truth, uint64_t seq, const char *text)
{
	size_t at = seq % WINDOW;
	if (seq > truth->written) {
		fail("something is heard that is not written", seq);
	}
	if (text && truth->seq[at] != seq) {
		/* A turn of more updates than a history keeps: the first of them were never in it. */
		truth->seq[at] = seq;
		truth->text[at] = hash_of(text);
	}
	if (text && truth->text[at] != hash_of(text)) {
		fail("something is heard that is written otherwise", seq);
	}
	truth->heard[at] = truth->heard[at] || truth->seq[at] == seq;
	truth->last = seq > truth->last ? seq : truth->last;
}

/* ---- what a client hears ---- */

static void hear_update(struct client *client, uint64_t seq, const char *text)
{
	check_truth(&truths[client->practice], seq, text);
	if (client->got[seq % WINDOW] == seq) {
		fail("a client hears a number twice", seq);
	}
	client->got[seq % WINDOW] = seq;
	client->last = seq > client->last ? seq : client->last;
	updates++;
	if (client->subscribed == 0) {
		return;
	}
	while (client->got[(client->complete + 1) % WINDOW] == client->complete + 1) {
		client->complete++;
	}
	if (seq > client->subscribed && client->complete < seq) {
		fail("a client misses a number before", seq);
	}
}

static void hear_subscribed(struct client *client, struct json_object *message)
{
	struct truth *truth = &truths[client->practice];
	uint64_t seq = strtoull(fake_member(message, "seq"), NULL, 10);
	bool is_whole = strcmp(fake_member(message, "recovered"), "true") == 0;
	const char *epoch = fake_member(message, "epoch");
	if (truth->epoch[0] != '\0' && strcmp(truth->epoch, epoch) != 0) {
		fail("the epoch is another", seq);
	}
	if (seq < client->last) {
		fail("a number that was heard is to be given again", client->last);
	}
	(void)snprintf(truth->epoch, sizeof(truth->epoch), "%s", epoch);
	(void)snprintf(client->epoch, sizeof(client->epoch), "%s", epoch);
	client->subscribed = seq > 0 ? seq : 1;
	client->complete = is_whole ? client->complete : seq;
	recovered += is_whole;
}

static void hear(struct client *client, struct json_object *message, const char *text)
{
	const char *type = fake_member(message, "type");
	struct json_object *value;
	if (strcmp(type, "whiteboard_update") == 0) {
		hear_update(client, strtoull(fake_member(message, "seq"), NULL, 10), text);
	} else if (strcmp(type, "ack") == 0 && json_object_object_get_ex(message, "seq", NULL)) {
		hear_update(client, strtoull(fake_member(message, "seq"), NULL, 10), NULL);
	} else if (strcmp(type, "whiteboard_subscribed") == 0) {
		hear_subscribed(client, message);
	} else if (strcmp(type, "telemedicine_room_joined") == 0) {
		json_object_object_get_ex(message, "members", &value);
		client->members = (unsigned)json_object_array_length(value);
	} else if (strcmp(type, "error") == 0) {
		if (strcmp(fake_member(message, "code"), "unavailable") != 0) {
			fail(fake_member(message, "message"), 0);
		}
		refused++;
	}
}

static void read_frames(struct client *client)
{
	const struct fake_frame *frame;
	while ((frame = fake_next(client->conn))) {
		if (frame->opcode == FAKE_TEXT) {
			const char *text = fake_frame_text(client->conn, frame);
			struct json_object *message = json_tokener_parse(text);
			hear(client, message, text);
			json_object_put(message);
		}
	}
	fake_forget(client->conn);
	if (client->conn->session) {
		px_session_alive(client->conn->session);
	}
}

/* ---- what a client does ---- */

static struct server *serving(void)
{
	return servers[0].fake && !servers[0].is_frozen ? &servers[0] : &servers[1];
}

static void come(struct client *client)
{
	char practice[4];
	char text[256];
	struct server *server = serving();
	(void)snprintf(practice, sizeof(practice), "%u", client->practice + 1);
	client->server = server;
	client->conn = fake_connect(server->fake, WHO(.practices = practice, .user = "7",
			.name = "Ann", .authenticated = true));
	memset(client->got, 0, sizeof(client->got));
	client->subscribed = 0;
	client->complete = client->last;
	client->members = 0;
	(void)snprintf(text, sizeof(text), client->epoch[0] == '\0' || chance(10) ?
			"{\"type\":\"whiteboard_subscribe\",\"practiceId\":%s}" :
			"{\"type\":\"whiteboard_subscribe\",\"practiceId\":%s,\"since\":{\"epoch\":\"%s\","
			"\"seq\":%llu}}", practice, client->epoch, (unsigned long long)client->last);
	fake_send(client->conn, text);
	fake_send(client->conn, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\","
			"\"appointmentId\":1,\"userId\":7,\"userName\":\"Ann\"}");
}

static void leave(struct client *client)
{
	struct fake_conn *conn = client->conn;
	struct server *server = client->server;
	if (chance(60)) {
		read_frames(client);
	}
	client->conn = NULL;
	client->server = NULL;
	if (conn->session) {
		fake_lose(conn);
	}
	fake_turn(server->fake);
	fake_forget_conn(conn);
}

static void update(struct client *client)
{
	char text[128];
	(void)snprintf(text, sizeof(text), "{\"type\":\"whiteboard_update\",\"practiceId\":%u,"
			"\"id\":%llu,\"by\":%td}", client->practice + 1,
			(unsigned long long)++client->said, client - clients);
	memory_watch(true);
	fake_send(client->conn, text);
	memory_watch(false);
}

static void act(struct client *client)
{
	unsigned way = dice(100);
	if (!client->conn) {
		if (way < 40) {
			come(client);
		}
	} else if (client->server->is_frozen) {
		if (way < 3) {
			read_frames(client);
		}
	} else if (client->conn->close_code != FAKE_OPEN) {
		read_frames(client);
		leave(client);
	} else if (way < 60) {
		update(client);
	} else if (way < 95) {
		read_frames(client);
	} else {
		leave(client);
	}
}

/* ---- servers ---- */

static void begin_server(struct server *server)
{
	struct px_limits limits = fake_limits();
	static uint64_t random = 1;
	int64_t now_ms = 0;
	for (size_t i = 0; i < SERVERS; i++) {
		now_ms = servers[i].fake && servers[i].fake->mono_ms > now_ms ?
				servers[i].fake->mono_ms : now_ms;
	}
	server->fake = fake_create(&limits);
	server->fake->random ^= ++random * 0x9e3779b97f4a7c15u;
	server->is_frozen = false;
	server->node = ++nodes;
	(void)fake_add_service(server->fake, svc_whiteboard.protocols[0].user, "{\"history\":64}");
	(void)fake_add_service(server->fake, svc_telemedicine.protocols[0].user,
			"{\"room-members\":50}");
	if (now_ms > server->fake->mono_ms) {
		fake_advance(server->fake, now_ms - server->fake->mono_ms);
	}
	sim_link_begin(&server->link, &store, server->fake->broker, server->node);
	server->link.realm = &server->fake->realm;
}

static void add_up(const struct server *server)
{
	struct px_bus_stats stats;
	px_broker_bus_stats(server->fake->broker, &stats);
	sums.turns += stats.turns;
	sums.claims += stats.claims;
	sums.deposed += stats.deposed;
	sums.rebased += stats.rebased;
}

/* Its clients find their connections dead. */
static void end_server(struct server *server)
{
	add_up(server);
	sim_link_end(&server->link);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].server == server) {
			leave(&clients[i]);
		}
	}
	fake_abandon(server->fake);
	*server = (struct server){ .fake = NULL };
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
			update(client);
			read_frames(client);
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
			leave(&clients[i]);
		}
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		come(&clients[i]);
		fake_advance(server->fake, 1000);
		sim_link_run(&server->link, run, server);
		read_frames(&clients[i]);
		if (clients[i].subscribed == 0 || clients[i].members != i / PRACTICES) {
			fail("a room holds others than those who are in it", clients[i].members);
		}
	}
	end_server(server);
	sim_store_finish(&store);
}

int main(int argc, char **argv)
{
	uint64_t steps = 100000;
	seed = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t *value = strcmp(argv[i], "--seed") == 0 ? &seed :
				strcmp(argv[i], "--steps") == 0 ? &steps : NULL;
		if (!value) {
			fputs("usage: homes [--seed N] [--steps N]\n", stderr);
			return 2;
		}
		*value = strtoull(argv[i + 1], NULL, 10);
	}
	printf("seed %llu\n", (unsigned long long)seed);
	dice_state = seed * 2654435761u + 1;
	store.wrote = on_wrote;
	store.commit_bytes = 1000; /* so that many turns are of several commits */
	begin_server(&servers[0]);
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i].practice = (unsigned)(i % PRACTICES);
	}
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
