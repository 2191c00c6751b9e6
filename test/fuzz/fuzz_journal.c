/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what a journal says of a practice. A line of the input is a record: a digit for its
 * table, its key with | for newlines, its number, its value; a tab between them. A broker claims
 * the practice. Whatever it is told, it adopts all or nothing; and what it writes itself the next
 * broker must be able to adopt.
 */
#include "../sim/sim_bus.h"
#include "../unit/fake.h"

#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 64

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

struct node {
	struct fake *fake;
	struct sim_link link;
};

static char *copy_of(const char *data, size_t len)
{
	char *copy = malloc(len + 1);
	if (!copy) {
		abort();
	}
	memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

/* The piece up to a tab, or the end; moves on behind it. */
static char *take(const char **at, const char *end, size_t *ret_len)
{
	const char *tab = memchr(*at, '\t', (size_t)(end - *at));
	const char *stop = tab ? tab : end;
	char *piece = copy_of(*at, (size_t)(stop - *at));
	*ret_len = (size_t)(stop - *at);
	*at = tab ? tab + 1 : end;
	return piece;
}

static void read_record(const char *line, const char *end, struct sim_record *record)
{
	size_t len;
	record->table = (enum px_bus_table)(line < end ? *line++ & 3 : 0);
	record->key = take(&line, end, &record->key_len);
	for (size_t i = 0; i < record->key_len; i++) {
		record->key[i] = record->key[i] == '|' ? '\n' : record->key[i];
	}
	char *number = take(&line, end, &len);
	record->seq = strtoull(number, NULL, 10);
	free(number);
	record->value = take(&line, end, &record->value_len);
}

static void read_place(const char *data, size_t size, struct sim_store *store)
{
	const char *end = data + size;
	struct sim_place *place = calloc(1, sizeof(*place));
	if (!place) {
		abort();
	}
	*place = (struct sim_place){ .name = copy_of("t/1", 3), .gen = 1, .home = 1, .rev = 1 };
	place->size = RECORDS_MAX;
	place->records = calloc(RECORDS_MAX, sizeof(*place->records));
	while (place->records && data < end && place->count < RECORDS_MAX) {
		const char *line_end = memchr(data, '\n', (size_t)(end - data));
		line_end = line_end ? line_end : end;
		read_record(data, line_end, &place->records[place->count++]);
		data = line_end + (line_end < end);
	}
	store->places = place;
}

static void turn(void *user)
{
	struct node *node = user;
	while (fake_turn(node->fake)) {
	}
}

/* Somebody comes to the practice; whether it could be adopted. */
static bool visit(struct sim_store *store, uint64_t number)
{
	struct node node = { .fake = fake_create(NULL) };
	struct px_bus_stats stats;
	(void)fake_add_service(node.fake, svc_whiteboard.protocols[0].user, "{\"history\":8}");
	(void)fake_add_service(node.fake, svc_telemedicine.protocols[0].user,
			"{\"chat-history\":3,\"room-members\":3}");
	store->alive = number;
	sim_link_begin(&node.link, store, node.fake->broker, number);
	node.link.realm = &node.fake->realm;
	struct fake_conn *conn = fake_connect(node.fake, WHO(.authenticated = true, .user = "77"));
	fake_send(conn, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1,"
			"\"userId\":77,\"userName\":\"n\"}");
	fake_send(conn, "{\"type\":\"whiteboard_update\",\"practiceId\":1}");
	sim_link_run(&node.link, turn, &node);
	px_broker_bus_stats(node.fake->broker, &stats);
	sim_link_end(&node.link);
	fake_abandon(node.fake);
	return stats.claims > stats.deposed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_store store = { .places = NULL };
	read_place((const char *)data, size, &store);
	if (visit(&store, 2) && !visit(&store, 3)) {
		fake_fault("what was adopted and written cannot be adopted");
	}
	sim_store_finish(&store);
	return 0;
}
