/* SPDX-License-Identifier: MIT */
/* What clients say to our own service, and how it is lent what it must not reach. */
#include "channel/channel.h"
#include "say.h"

#include <string.h>

void say_join_hall(struct peer *peer)
{
	struct said said;
	struct channel *hall;
	bool is_new;
	bool is_host = chance(30);
	said_begin(&said, peer, PROBE, "probe_join", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, true);
	said_add(&said, "host", is_host ? "true" : "false");
	if (!said_send(&said)) {
		return;
	}
	if (model_join(peer, HALL, said.place, said.room_name, &hall, &is_new) < 0) {
		said_fail(&said, PX_E_UNAVAILABLE, "");
		return;
	}
	if (is_new) {
		strcpy(the_member(hall, peer)->room, said.room);
		the_member(hall, peer)->is_host = is_host;
	}
	said_ack(&said, 0);
}

static struct channel *hall_of(const struct said *said)
{
	struct channel *hall = find_membership(said->peer, HALL, (int)said->place, said->room_name);
	if (!hall) {
		said_fail(said, PX_E_NOT_IN_ROOM, "roomId");
	}
	return hall;
}

void say_leave_hall(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, PROBE, "probe_leave", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	if (!said_send(&said)) {
		return;
	}
	struct channel *hall = hall_of(&said);
	if (hall) {
		model_leave(hall, peer, "left");
		said_ack(&said, 0);
	}
}

void say_kick(struct peer *peer)
{
	struct said said;
	char to[RAW];
	char text[RAW];
	said_begin(&said, peer, PROBE, "probe_kick", PX_ROLES_TEAM);
	said_practice(&said, false);
	said_room(&said, false);
	pick_target(to);
	said_add(&said, "to", "%s", to);
	if (!said_send(&said)) {
		return;
	}
	struct channel *hall = hall_of(&said);
	if (!hall) {
		return;
	}
	struct line *line = said_line(&said, said.place, 0);
	model_publish(hall, line_ref(line), NULL);
	for (unsigned i = 0; i < hall->member_count; i++) {
		struct peer *other = hall->members[i].peer;
		if (strcmp(other->conn->client_id, text_of_raw(to, text)) == 0) {
			model_close(other, PX_CLOSE_REMOVED);
		}
	}
	model_publish(hall, line, NULL);
	said_ack(&said, 0);
}

void say_bye(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, PROBE, "probe_bye", PX_ROLES_ALL);
	said.anywhere = true;
	if (!said_send(&said)) {
		return;
	}
	expect_line(peer, words_line(words_begin("probe_farewell"), 64));
	model_close(peer, PX_CLOSE_FORBIDDEN);
}

/* Lends the handler what it must not be able to use. */
void say_cross(struct peer *peer)
{
	struct said said;
	const struct peer *other = pick_peer();
	probe_foreign_practice = NULL;
	probe_foreign_channel = NULL;
	for (uint32_t i = 0; other && i < other->session->identity->practice_count; i++) {
		struct px_practice *practice =
				other->session->identity->practices[i].practice;
		if (!px_identity_holds(peer->session->identity, practice)) {
			probe_foreign_practice = practice;
		}
	}
	const struct px_member *at = other ? other->session->members : NULL;
	for (; at; at = at->next) {
		if (at->channel->practice == probe_foreign_practice) {
			probe_foreign_channel = at->channel;
		}
	}
	said_begin(&said, peer, PROBE, "probe_cross", PX_ROLES_ALL);
	if (said_send(&said)) {
		said_ack(&said, 0);
	}
}
