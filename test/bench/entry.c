/* SPDX-License-Identifier: MIT */
/*
 * How the clients get into the server and into their rooms.
 *
 * Others' clients choose a room by the path, or subscribe (dialect.c). The application's wait for
 * connection_established and then join one after the other within a room, all rooms side by side:
 * only so is it known beforehand how many announcements each must get (one from each that joined
 * after it), and the traffic can begin as soon as the last of them is there, without waiting for
 * silence. Joining all at once was rejected for that.
 */
#define _GNU_SOURCE 1
#include "traffic.h"

#define OPENING_MAX 128 /* connections being opened at a time */

static bool has_type(const uint8_t *text, size_t bytes, const char *type)
{
	char field[80];
	int chars = snprintf(field, sizeof(field), "\"type\":\"%s\"", type);

	return memmem(text, bytes, field, (size_t)chars) != NULL;
}

static void client_enter(struct traffic *t, struct client *c)
{
	char path[160];

	t->dialect->path(c, path, sizeof(path));
	client_connect(&t->loop, c, path, token_of(c->number));
}

void entry_connect(struct traffic *t, unsigned first, unsigned count)
{
	unsigned before = t->ready, started = 0;

	while (t->ready - before < count) {
		while (started < count && started - (t->ready - before) < OPENING_MAX) {
			client_enter(t, &t->clients[first + started]);
			started++;
		}
		loop_turn(&t->loop);
	}
}

static void client_join(struct traffic *t, struct client *c)
{
	char text[256];
	int chars = snprintf(text, sizeof(text),
			"{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r%u\","
			"\"appointmentId\":%u,\"userId\":%u,\"userName\":\"u%u\"}", c->room->number,
			c->room->number, c->number, c->number);

	client_send(&t->loop, c, WS_TEXT, text, (size_t)chars);
}

void entry_join(struct traffic *t)
{
	unsigned all = 0, announcements = 0;

	for (unsigned i = 0; t->dialect->is_application && i < t->room_count; i++) {
		unsigned members = t->rooms[i].member_count;

		if (t->rooms[i].kind != ROOM_BOARD) {
			all += members;
			announcements += members * (members - 1) / 2;
			client_join(t, &t->rooms[i].members[0]);
		}
	}
	while (t->joined < all || t->joins_seen < announcements) {
		loop_turn(&t->loop);
	}
	t->entering = false;
}

static void on_joined(struct traffic *t, struct client *c)
{
	t->joined++;
	if (c->place + 1 < c->room->member_count) {
		client_join(t, &c->room->members[c->place + 1]);
	}
}

void entry_receive(struct traffic *t, struct client *c, const uint8_t *text, size_t bytes)
{
	t->loop.progress++;
	if (t->dialect->is_application && !c->established &&
			has_type(text, bytes, "connection_established")) {
		c->established = true;
		client_ready(t, c);
	} else if (c->room != NULL && c->established &&
			has_type(text, bytes, "telemedicine_room_joined")) {
		on_joined(t, c);
	} else if (c->room != NULL && c->joins_seen < c->room->member_count - 1 - c->place &&
			has_type(text, bytes, "telemedicine_user_joined")) {
		c->joins_seen++;
		t->joins_seen++;
	} else {
		check_failed("%s %u got what it did not expect: %.*s",
				c->room == NULL ? "idle client" : "client", c->number,
				(int)(bytes < 300 ? bytes : 300), (const char *)text);
	}
}
