/* SPDX-License-Identifier: MIT */
/* See boards.h. */
#include "boards.h"

#include "../unit/memory.h"
#include "args.h"

#include <json-c/json.h>
#include <praxis/host/session.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client clients[CLIENTS];
struct truth truths[PRACTICES];
uint64_t updates, recovered, refused;
bool boards_are_strict;
static uint64_t visits;

/* The latest update of a connection that was heard. */
struct ran {
	uint64_t visit;
	uint64_t id;
	uint64_t seq;
};

static struct ran runs[WINDOW];

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

void boards_wrote(const struct sim_place *place, const struct sim_record *record)
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

/* Each runs once, and in the order in which its client said it. */
static void check_run(struct json_object *update)
{
	uint64_t visit = strtoull(fake_member(update, "by"), NULL, 10);
	uint64_t id = strtoull(fake_member(update, "id"), NULL, 10);
	uint64_t seq = strtoull(fake_member(update, "seq"), NULL, 10);
	struct ran *ran = &runs[visit % WINDOW];
	if (ran->visit != visit) {
		*ran = (struct ran){ .visit = visit };
	}
	if ((seq > ran->seq) != (id > ran->id) || (seq == ran->seq) != (id == ran->id)) {
		fail("an update runs twice, or behind a later one", seq);
	}
	if (seq > ran->seq) {
		ran->seq = seq;
		ran->id = id;
	}
}

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

/* Where in the roster that member is; NULL: nowhere. "": a free place. */
static char *place_of(struct client *client, const char *client_id)
{
	for (size_t i = 0; i < ROSTER; i++) {
		if (strcmp(client->roster[i], client_id) == 0) {
			return client->roster[i];
		}
	}
	return NULL;
}

static void add_member(struct client *client, const char *client_id)
{
	char *place = place_of(client, "");
	if (!place || place_of(client, client_id)) {
		fail("somebody joins a room twice", client->practice);
	}
	(void)snprintf(place, PX_CLIENT_ID_SIZE, "%s", client_id);
}

static void hear_joined(struct client *client, struct json_object *message)
{
	struct json_object *list;
	json_object_object_get_ex(message, "members", &list);
	client->members = (unsigned)json_object_array_length(list);
	client->is_in_room = true;
	for (size_t i = 0; i < client->members; i++) {
		add_member(client, fake_member(json_object_array_get_idx(list, i), "clientId"));
	}
}

static void hear_left(struct client *client, const char *client_id)
{
	char *place = place_of(client, client_id);
	if (place) {
		*place = '\0';
	} else if (boards_are_strict) {
		fail("somebody leaves a room who is not in it", client->practice);
	}
}

static void check_practice(const struct client *client, struct json_object *message)
{
	const char *practice = fake_member(message, "practiceId");
	if (*practice != '\0' && strtoul(practice, NULL, 10) != client->practice + 1) {
		fail("something of another practice is heard", client->practice);
	}
}

static void hear(struct client *client, struct json_object *message, const char *text)
{
	const char *type = fake_member(message, "type");
	check_practice(client, message);
	if (strcmp(type, "whiteboard_update") == 0) {
		check_run(message);
		hear_update(client, strtoull(fake_member(message, "seq"), NULL, 10), text);
	} else if (strcmp(type, "ack") == 0 && json_object_object_get_ex(message, "seq", NULL)) {
		hear_update(client, strtoull(fake_member(message, "seq"), NULL, 10), NULL);
	} else if (strcmp(type, "whiteboard_subscribed") == 0) {
		hear_subscribed(client, message);
	} else if (strcmp(type, "telemedicine_room_joined") == 0) {
		hear_joined(client, message);
	} else if (strcmp(type, "telemedicine_user_joined") == 0 && client->is_in_room) {
		add_member(client, fake_member(message, "clientId"));
	} else if (strcmp(type, "telemedicine_user_left") == 0) {
		hear_left(client, fake_member(message, "clientId"));
	} else if (strcmp(type, "error") == 0) {
		if (strcmp(fake_member(message, "code"), "unavailable") != 0) {
			fail(fake_member(message, "message"), 0);
		}
		refused++;
	}
}

void boards_read(struct client *client)
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

void boards_begin(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i].practice = (unsigned)(i % PRACTICES);
	}
}

void boards_come(struct client *client, void *server, struct fake *fake)
{
	char practice[4];
	char text[256];
	(void)snprintf(practice, sizeof(practice), "%u", client->practice + 1);
	client->server = server;
	client->conn = fake_connect(fake, WHO(.practices = practice, .user = "7",
			.name = "Ann", .authenticated = true));
	memset(client->got, 0, sizeof(client->got));
	client->subscribed = 0;
	client->complete = client->last;
	client->members = 0;
	client->visit = ++visits;
	client->is_in_room = false;
	memset(client->roster, 0, sizeof(client->roster));
	(void)snprintf(text, sizeof(text), client->epoch[0] == '\0' || chance(10) ?
			"{\"type\":\"whiteboard_subscribe\",\"practiceId\":%s}" :
			"{\"type\":\"whiteboard_subscribe\",\"practiceId\":%s,\"since\":{\"epoch\":\"%s\","
			"\"seq\":%llu}}", practice, client->epoch, (unsigned long long)client->last);
	fake_send(client->conn, text);
	fake_send(client->conn, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\","
			"\"appointmentId\":1,\"userId\":7,\"userName\":\"Ann\"}");
}

void boards_leave(struct client *client, struct fake *fake)
{
	struct fake_conn *conn = client->conn;
	client->conn = NULL;
	client->server = NULL;
	if (conn->session) {
		fake_lose(conn);
	}
	fake_turn(fake);
	fake_forget_conn(conn);
}

void boards_update(struct client *client)
{
	char text[128];
	(void)snprintf(text, sizeof(text), "{\"type\":\"whiteboard_update\",\"practiceId\":%u,"
			"\"id\":%llu,\"by\":%llu}", client->practice + 1,
			(unsigned long long)++client->said, (unsigned long long)client->visit);
	memory_watch(true);
	fake_send(client->conn, text);
	memory_watch(false);
}
