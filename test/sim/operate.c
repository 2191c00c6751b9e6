/* SPDX-License-Identifier: MIT */
/*
 * Operators look in: one of a practice or of a whole tenant pages through clients and rooms, and
 * must be shown those that the model has there, each once, and nothing of anybody else's.
 */
#include "sim.h"

#include <json-c/json.h>
#include <praxis/operate.h>
#include <stdlib.h>
#include <string.h>

struct view {
	struct px_operator operator;
	unsigned tenant;
	int practice; /* -1: all of the tenant */
};

static bool sees_place(const struct view *view, unsigned place)
{
	return place / PRACTICES == view->tenant &&
			(view->practice < 0 || place % PRACTICES == (unsigned)view->practice);
}

static bool sees_peer(const struct view *view, const struct peer *peer)
{
	bool lives = peer->phase == PX_SESSION_OPEN || peer->phase == PX_SESSION_DETACHED;
	return peer->conn && lives && peer->tenant == view->tenant &&
			(view->practice < 0 || find_held(peer, (unsigned)view->practice) >= 0);
}

static void check_client(const struct view *view, struct json_object *row, bool seen[PEERS])
{
	const char *id = fake_member(row, "clientId");
	for (size_t i = 0; i < PEERS; i++) {
		const struct peer *peer = &sim.peers[i];
		if (peer->conn && strcmp(peer->conn->client_id, id) == 0) {
			if (!sees_peer(view, peer) || seen[i]) {
				sim_fail("an operator of tenant %u, practice %d, is shown %s%s",
						view->tenant, view->practice, id, seen[i] ? " again" : "");
			}
			seen[i] = true;
			return;
		}
	}
	sim_fail("an operator is shown %s, whom there is not", id);
}

/* A page; the caller's. */
static struct json_object *page_of(const struct view *view, const struct px_page *page,
		bool rooms)
{
	struct px_error_detail detail;
	struct px_json json;
	px_json_begin(&json, NULL);
	if ((rooms ? px_operate_rooms : px_operate_clients)(&view->operator, page, &json,
			&detail) < 0) {
		sim_fail("an operator is denied its list: %s", detail.sentence);
	}
	px_json_end(&json);
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, json.data, (int)json.len);
	json_tokener_free(tokener);
	px_json_finish(&json);
	if (!object) {
		sim_fail("a list is not JSON");
	}
	return object;
}

static size_t count_rows(const struct view *view, bool rooms)
{
	bool seen[PEERS] = { false };
	struct px_page page = { .limit = 1 + dice(6) };
	size_t count = 0;
	do {
		struct json_object *object = page_of(view, &page, rooms);
		struct json_object *list = json_object_object_get(object,
				rooms ? "rooms" : "clients");
		size_t rows = json_object_array_length(list);
		if (rows > page.limit) {
			sim_fail("a page of %u has %zu rows", page.limit, rows);
		}
		for (size_t i = 0; i < rows && !rooms; i++) {
			check_client(view, json_object_array_get_idx(list, i), seen);
		}
		count += rows;
		page.after = (uint64_t)json_object_get_int64(
				json_object_object_get(object, "next"));
		json_object_put(object);
	} while (page.after != 0);
	return count;
}

static void look(const struct view *view)
{
	size_t clients = 0;
	size_t rooms = 0;
	for (size_t i = 0; i < PEERS; i++) {
		clients += sees_peer(view, &sim.peers[i]);
	}
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &sim.channels[i];
		bool is_room = channel->exists && channel->member_count > 0 &&
				(channel->kind == ROOM || (channel->kind == WAITING &&
				!find_channel(ROOM, channel->place, channel->name)));
		rooms += is_room && sees_place(view, channel->place);
	}
	size_t shown = count_rows(view, false);
	if (shown != clients) {
		sim_fail("an operator of tenant %u, practice %d, is shown %zu clients of %zu",
				view->tenant, view->practice, shown, clients);
	}
	shown = count_rows(view, true);
	if (shown != rooms) {
		sim_fail("an operator of tenant %u, practice %d, is shown %zu rooms of %zu",
				view->tenant, view->practice, shown, rooms);
	}
}

void check_operating(void)
{
	struct peer peer = { .tenant = dice(TENANTS), .role = PX_ROLE_ADMIN, .service = -1,
		.authenticated = true };
	struct px_identity *identity;
	struct who_words words;
	struct fake_who who;
	bool all = chance(30);
	if (!all) {
		peer.held_count = 1;
		peer.held[0] = (struct held){ .practice = dice(PRACTICES), .number = false };
	}
	tokens_who(&peer, &words, &who);
	who.all_practices = all;
	who.user = "\"operator\"";
	if (fake_identity(sim.fake, &who, &identity) < 0) {
		sim_fail("there is no identity");
	}
	look(&(struct view){
		.operator = {
			.broker = sim.fake->broker,
			.identity = identity,
			.realm = &sim.realms[0],
		},
		.tenant = peer.tenant,
		.practice = all ? -1 : (int)peer.held[0].practice,
	});
	px_identity_destroy(sim.fake->broker, identity);
}
