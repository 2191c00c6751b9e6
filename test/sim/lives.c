/* SPDX-License-Identifier: MIT */
/*
 * The second simulation: lives over many connections and many servers. Clients of praxis.v1
 * update a whiteboard and talk in a room, lose their connections with what was on its way, come
 * back, take over connections that are not known to be dead, stop reading, stay away for too
 * long; servers end with a state and without one; memory runs out at any allocation.
 *
 * There is no model of what the broker does. Each client counts: of its practice's updates it
 * hears each number once and in order, its own by their receipts; of each talker in its room
 * each counter; and its session may only be lost where something has happened that may lose
 * it. Of that it must be told.
 *
 *     lives [--seed N] [--steps N]
 */
#include "../unit/memory.h"
#include "args.h"
#include "../unit/state_text.h"
#include "core/session.h"

#include <json-c/json.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLIENTS = 12,
	PRACTICES = 3,
	KEPT_MESSAGES = 40,
	GRACE_MS = 30000,
};

struct client {
	struct fake_conn *conn; /* NULL: away */
	char practice[4];
	char token[64]; /* "": no session */
	char client_id[PX_CLIENT_ID_SIZE];
	char want_id[PX_CLIENT_ID_SIZE]; /* on coming back; "": anew */
	uint64_t heard;     /* messages of its session */
	uint64_t said;
	unsigned owed;      /* at most so many messages wait for it */
	int64_t away_ms;    /* when it lost its connection */
	bool is_cut;        /* the server has cut it, and it does not know yet */
	bool may_be_lost;   /* something has happened that may have ended its session */
	bool is_greeted;
	bool joined;
	uint64_t seq;       /* of the board; 0: not known */
	uint64_t chats;     /* its own counter */
	uint64_t refused[32]; /* the latest that may have been refused, for want of memory */
	unsigned refused_count;
	uint64_t talk[CLIENTS]; /* of the others; 0: not known */
};

static struct fake *fake;
static struct client clients[CLIENTS];
static uint64_t seed, step;
static uint64_t resumed, anew, restarts, kills, failures, taken_over, slow, updates, chats;

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

_Noreturn static void fail(const struct client *client, const char *what)
{
	fprintf(stderr, "lives: seed %llu, step %llu, client %td: %s\n", (unsigned long long)seed,
			(unsigned long long)step, client - clients, what);
	abort();
}

/* ---- what a client hears ---- */

static uint64_t number_of(struct json_object *message, const char *key)
{
	return strtoull(fake_member(message, key), NULL, 10);
}

static struct client *find_talker(const char *client_id)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		if (strcmp(clients[i].client_id, client_id) == 0) {
			return &clients[i];
		}
	}
	return NULL;
}

static void hear_update(struct client *client, uint64_t seq)
{
	if (client->seq != 0 && seq != client->seq + 1) {
		fprintf(stderr, "update %llu after %llu\n", (unsigned long long)seq,
				(unsigned long long)client->seq);
		fail(client, "an update is lost, doubled or out of order");
	}
	client->seq = seq;
	updates++;
}

static bool may_be_refused(const struct client *talker, uint64_t counter)
{
	for (size_t i = 0; i < 32; i++) {
		if (talker->refused[i] == counter) {
			return true;
		}
	}
	return false;
}

static void hear_chat(struct client *client, struct json_object *message)
{
	const struct client *talker = find_talker(fake_member(message, "clientId"));
	uint64_t counter = number_of(message, "message");
	if (strcmp(fake_member(message, "practiceId"), client->practice) != 0) {
		fail(client, "a chat of another practice");
	}
	if (!talker) {
		return; /* one whose session is lost by now */
	}
	uint64_t *last = &client->talk[talker - clients];
	while (*last != 0 && counter > *last + 1 && may_be_refused(talker, *last + 1)) {
		++*last;
	}
	if (*last != 0 && counter != *last + 1) {
		fail(client, "a chat message is lost, doubled or out of order");
	}
	*last = counter;
	chats++;
}

static void forget_talker(struct client *client, struct json_object *message)
{
	const struct client *talker = find_talker(fake_member(message, "clientId"));
	if (talker) {
		client->talk[talker - clients] = 0;
	}
}

static void begin_session(struct client *client)
{
	client->heard = client->said = 0;
	client->owed = 0;
	client->seq = 0;
	client->joined = false;
	memset(client->talk, 0, sizeof(client->talk));
}

static void keep_token(struct client *client, struct json_object *message)
{
	struct json_object *resume;
	client->token[0] = '\0';
	if (json_object_object_get_ex(message, "resume", &resume)) {
		(void)snprintf(client->token, sizeof(client->token), "%s",
				fake_member(resume, "token"));
	}
}

/* The latest was refused because what is missing is no longer kept. */
static bool is_behind(void)
{
	static uint64_t last;
	uint64_t now = fake_stats(fake).resumes[PX_RESUME_BEHIND];
	bool behind = now != last && now != 0;
	last = now;
	return behind;
}

/* Resumed, or told that it was not, which needs a reason. */
static void greet(struct client *client, struct json_object *message)
{
	bool goes_on = strcmp(fake_member(message, "type"), "resumed") == 0;
	client->is_greeted = true;
	if (goes_on) {
		if (strcmp(fake_member(message, "clientId"), client->want_id) != 0) {
			fail(client, "it is resumed as somebody else");
		}
		if (number_of(message, "received") != client->said) {
			fail(client, "the server had another number of its messages");
		}
		resumed++;
	} else {
		bool late = fake->mono_ms - client->away_ms >= GRACE_MS;
		if (client->want_id[0] != '\0' && !client->may_be_lost && !late && !is_behind() &&
				client->owed <= KEPT_MESSAGES) {
			fail(client, "its session is lost without a reason");
		}
		begin_session(client);
		anew++;
	}
	(void)snprintf(client->client_id, sizeof(client->client_id), "%s",
			fake_member(message, "clientId"));
	client->may_be_lost = client->is_cut = false;
	keep_token(client, message);
}

static void hear(struct client *client, struct json_object *message)
{
	const char *type = fake_member(message, "type");
	if (!client->is_greeted) {
		greet(client, message);
		return;
	}
	client->heard++;
	if (strcmp(type, "whiteboard_update") == 0 || (strcmp(type, "ack") == 0 &&
			json_object_object_get_ex(message, "seq", NULL))) {
		hear_update(client, number_of(message, "seq"));
	} else if (strcmp(type, "telemedicine_chat_message") == 0) {
		hear_chat(client, message);
	} else if (strcmp(type, "telemedicine_user_left") == 0 ||
			strcmp(type, "telemedicine_user_joined") == 0) {
		forget_talker(client, message);
	} else if (strcmp(type, "telemedicine_room_joined") == 0) {
		memset(client->talk, 0, sizeof(client->talk));
		client->joined = true;
	}
}

static void read_frames(struct client *client)
{
	const struct fake_frame *frame;
	bool alive = false;
	while ((frame = fake_next(client->conn))) {
		if (frame->opcode == FAKE_TEXT) {
			struct json_object *message =
					json_tokener_parse(fake_frame_text(client->conn, frame));
			hear(client, message);
			json_object_put(message);
		} else {
			alive = true;
		}
	}
	fake_forget(client->conn);
	client->owed = client->conn->busy ? client->owed : 0;
	if (alive && client->conn->session) {
		px_session_alive(client->conn->session);
	}
}

/* ---- what a client does ---- */

/* Memory ran out, or the server ended: any session may be one of those that paid for it. */
static void all_may_be_lost(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i].may_be_lost = true;
	}
}

/* Whatever the broker does in between may run out of memory. */
static bool unwatch(void)
{
	memory_watch(false);
	if (!memory_has_failed()) {
		return false;
	}
	all_may_be_lost();
	failures++;
	return true;
}

/* An answer, what is relayed, and somebody who leaves because of it. */
static void owe(const struct client *from)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i].owed += strcmp(clients[i].practice, from->practice) == 0 ? 3 : 0;
	}
}

static void say(struct client *client, const char *text)
{
	client->said++;
	owe(client);
	memory_watch(true);
	fake_send(client->conn, text);
	if (unwatch()) {
		client->refused[client->refused_count++ % 32] = client->chats;
	}
}

static void come(struct client *client)
{
	struct fake_who who = { .practices = client->practice, .user = "7", .name = "Ann",
		.authenticated = true, .versioned = true, .received = (int64_t)client->heard };
	who.resume = client->token[0] != '\0' ? client->token : NULL;
	memcpy(client->want_id, client->client_id, sizeof(client->want_id));
	if (!who.resume) {
		client->want_id[0] = '\0';
	}
	client->is_greeted = false;
	client->conn = fake_connect(fake, &who);
	fake_turn(fake);
	read_frames(client);
	if (!client->is_greeted) {
		fail(client, "it is not greeted");
	}
	if (client->conn->close_code == FAKE_OPEN && !client->joined) {
		say(client, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\","
				"\"appointmentId\":1,\"userId\":7,\"userName\":\"Ann\"}");
	}
}

/* The server parts with a client only for being slow; or for anything, where memory ran out. */
static void check_parting(struct client *client)
{
	const struct px_session *session = client->conn->session;
	if (!session || session->phase == PX_SESSION_OPEN || client->conn->failed) {
		return;
	}
	if (session->close_code == PX_CLOSE_SLOW) {
		client->may_be_lost = true;
		slow++;
	} else if (!client->may_be_lost) {
		fprintf(stderr, "closed with %d\n", session->close_code);
		fail(client, "the server parts with it without a reason");
	}
}

/* Its grace began now, or when the server found it silent. */
static void note_cut(struct client *client, const struct fake_conn *conn)
{
	if (!client->is_cut) {
		client->away_ms = fake->mono_ms;
	}
	client->is_cut = conn && !conn->session;
}

static void drop_conn(struct client *client)
{
	struct fake_conn *conn = client->conn;
	check_parting(client);
	client->conn = NULL;
	note_cut(client, conn);
	if (conn->session) {
		fake_lose(conn);
	}
	fake_turn(fake);
	fake_forget_conn(conn);
}

/* Whatever was on its way is lost. */
static void cut(struct client *client)
{
	if (chance(50)) {
		read_frames(client);
	}
	drop_conn(client);
}

/* It has a new connection before the server knows that the old one is dead. */
static void take_over(struct client *client)
{
	struct fake_conn *old = client->conn;
	check_parting(client);
	note_cut(client, old);
	taken_over++;
	come(client);
	if (old->session) {
		fake_lose(old);
	}
	fake_turn(fake);
	fake_forget_conn(old);
}

static void confirm(struct client *client)
{
	char text[64];
	read_frames(client);
	(void)snprintf(text, sizeof(text), "{\"type\":\"received\",\"n\":%llu}",
			(unsigned long long)client->heard);
	client->said++;
	fake_send(client->conn, text);
}

static void chat(struct client *client)
{
	char text[256];
	if (!client->joined) {
		return;
	}
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_chat_message\",\"roomId\":\"r\","
			"\"appointmentId\":1,\"from\":\"Ann\",\"fromUserId\":7,"
			"\"message\":\"%llu\"}", (unsigned long long)++client->chats);
	say(client, text);
}

static void update(struct client *client)
{
	char text[128];
	(void)snprintf(text, sizeof(text), "{\"type\":\"whiteboard_update\",\"practiceId\":%s,"
			"\"id\":%llu}", client->practice, (unsigned long long)client->said);
	say(client, text);
}

static void act(struct client *client)
{
	unsigned way = dice(100);
	if (!client->conn) {
		if (way < 50) {
			come(client);
		}
	} else if (client->conn->close_code != FAKE_OPEN || client->conn->failed) {
		read_frames(client);
		drop_conn(client);
	} else if (way < 30) {
		update(client);
	} else if (way < 55) {
		chat(client);
	} else if (way < 70) {
		read_frames(client);
	} else if (way < 82) {
		confirm(client);
	} else if (way < 90) {
		cut(client);
	} else if (way < 93) {
		take_over(client);
	} else if (way < 96) {
		client->conn->busy = true;
	} else if (client->conn->busy) {
		fake_unblock(client->conn);
	}
}

/* ---- servers ---- */

static void begin_server(void)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 2000;
	limits.grace_ms = GRACE_MS;
	limits.resume_messages = KEPT_MESSAGES;
	limits.resume_bytes = 1 << 20;
	limits.detached_sessions = 1000;
	struct fake *before = fake;
	fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user, "{\"history\":16}");
	(void)fake_add_service(fake, svc_telemedicine.protocols[0].user, "{\"room-members\":50}");
	if (before) {
		fake_advance(fake, before->mono_ms - fake->mono_ms);
		fake->random ^= before->random;
	}
}

static void lose_all_conns(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].conn) {
			cut(&clients[i]);
		}
	}
}

static void restart(bool saves)
{
	struct state_text text = { 0 };
	struct px_state_counts counts;
	px_broker_hold(fake->broker);
	lose_all_conns();
	if (saves && state_text_save(fake, &text) < 0) {
		fail(clients, "the state is not saved");
	}
	struct fake *before = fake;
	begin_server();
	if (saves) {
		if (state_text_load(fake, text.data, text.len, 0, &counts) < 0) {
			fail(clients, fake->log);
		}
		restarts++;
	} else {
		all_may_be_lost();
		kills++;
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		/* The grace begins anew. */
		clients[i].away_ms = clients[i].away_ms + GRACE_MS > fake->mono_ms ? fake->mono_ms :
				clients[i].away_ms;
	}
	fake_abandon(before);
	free(text.data);
}

static void happen(void)
{
	unsigned way = dice(10000);
	if (way < 20) {
		restart(true);
	} else if (way < 25) {
		restart(false);
	} else if (way < 60) {
		memory_fail(1 + dice(60), false);
	} else if (way < 100) {
		fake_advance(fake, GRACE_MS + dice(GRACE_MS));
	} else if (way < 3000) {
		fake_advance(fake, dice(200));
	} else {
		act(&clients[dice(CLIENTS)]);
	}
	memory_watch(true);
	fake_turn(fake);
	(void)unwatch();
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].conn && !clients[i].conn->session && !clients[i].is_cut) {
			note_cut(&clients[i], clients[i].conn);
		}
	}
}

/* Everybody reads everything: of one board all have heard the same. */
static void check_end(void)
{
	memory_fail(0, false);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].conn) {
			cut(&clients[i]);
		}
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		come(&clients[i]);
		update(&clients[i]);
		fake_turn(fake);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		read_frames(&clients[i]);
	}
	for (size_t i = PRACTICES; i < CLIENTS; i++) {
		if (clients[i].seq != clients[i % PRACTICES].seq) {
			fail(&clients[i], "it has heard another end than others");
		}
	}
	fake_destroy(fake);
}

int main(int argc, char **argv)
{
	struct sim_args args = sim_args_read("lives", argc, argv);
	uint64_t steps = args.steps;
	seed = args.seed;
	begin_server();
	for (size_t i = 0; i < CLIENTS; i++) {
		(void)snprintf(clients[i].practice, sizeof(clients[i].practice), "%zu",
				1 + i % PRACTICES);
	}
	for (step = 0; step < steps; step++) {
		happen();
	}
	check_end();
	printf("%llu steps: %llu updates and %llu chats heard, %llu resumed, %llu taken over, %llu anew, %llu slow, %llu restarts, "
			"%llu kills, %llu failures of memory\n", (unsigned long long)steps,
			(unsigned long long)updates, (unsigned long long)chats,
			(unsigned long long)resumed, (unsigned long long)taken_over,
			(unsigned long long)anew, (unsigned long long)slow,
			(unsigned long long)restarts, (unsigned long long)kills,
			(unsigned long long)failures);
	return 0;
}
