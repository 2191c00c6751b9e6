/* SPDX-License-Identifier: MIT */
/*
 * What clients say in calls: joining and leaving, signals to one or to all, chat, media, and
 * what staff may do. said_member_room() and find_target() are the model of who is meant.
 */
#include "channel/channel.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int place_named(const struct said *said)
{
	return said->practice_index >= 0 ? (int)said->place : -1;
}

struct channel *said_member_room(const struct said *said)
{
	struct channel *room =
			find_membership(said->peer, ROOM, place_named(said), said->room_name);
	if (!room) {
		said_fail(said, PX_E_NOT_IN_ROOM, "roomId");
	}
	return room;
}

static size_t add_member(char *text, const struct member *member)
{
	const struct peer *peer = member->peer;
	const char *user = told_user(peer, member->user);
	return (size_t)sprintf(text, "\"%s\"/%s/%s/\"%s\"/%d%d%d;", peer->conn->client_id,
			user[0] != '\0' ? user : "-",
			peer->authenticated ? peer->name : member->name, px_role_name(peer->role),
			member->audio, member->video, member->screen);
}

/* Who came first first: the others as members, all as participants. */
static void list_all(const struct channel *room, const struct peer *self, char *members,
		char *participants)
{
	uint64_t after = 0;
	size_t count = 0;
	members[0] = '\0';
	strcpy(participants, "[");
	for (;;) {
		const struct member *next = NULL;
		for (unsigned i = 0; i < room->member_count; i++) {
			const struct member *member = &room->members[i];
			if (member->order > after && (!next || member->order < next->order)) {
				next = member;
			}
		}
		if (!next) {
			break;
		}
		after = next->order;
		members += next->peer != self ? add_member(members, next) : 0;
		participants += sprintf(participants, "%s\"%s\"", count++ > 0 ? "," : "[",
				next->peer->conn->client_id);
	}
	strcat(participants, "]");
}

struct line *room_joined_line(struct peer *peer, const char *room_raw, const struct channel *room)
{
	char practice[RAW];
	char members[2048];
	char participants[1024];
	char chat[CHATS * 64] = "";
	size_t bytes = 1024 + 400 * room->member_count;
	for (unsigned i = 0; i < room->chat_count; i++) {
		strcat(chat, room->chat_item[i]);
		bytes += room->chat[i]->bytes_max;
	}
	list_all(room, peer, members, participants);
	struct words *words = words_begin("telemedicine_room_joined");
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(peer, room->place, practice));
	words_add(words, "roomId", "%s", room_raw);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add(words, "members", "%s", members);
	words_add(words, "participants", "%s", participants);
	words_add(words, "chat", "%s", chat);
	return words_line(words, bytes);
}

void said_fail_join(const struct said *said, int rc)
{
	if (rc == -ENOSPC) {
		said_fail(said, PX_E_ROOM_FULL, "roomId");
	} else if (rc == -EMFILE) {
		said_fail(said, PX_E_TOO_MANY_ROOMS, "roomId");
	} else if (rc == -EACCES) {
		said_fail(said, PX_E_FORBIDDEN, "roomId");
	} else {
		said_fail(said, PX_E_UNAVAILABLE, "");
	}
}

void say_join_room(struct peer *peer)
{
	struct said said;
	struct channel *room;
	bool is_new;
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_user_joined", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, true);
	said_self(&said, SAY_USER);
	if (!said_send(&said)) {
		return;
	}
	if (sim.waiting && peer->role == PX_ROLE_PATIENT &&
			!find_membership(peer, ROOM, (int)said.place, said.room_name)) {
		say_wait(&said);
		return;
	}
	int rc = model_join(peer, ROOM, said.place, said.room_name, &room, &is_new);
	if (rc < 0) {
		said_fail_join(&said, rc);
		return;
	}
	if (is_new) {
		struct member *member = the_member(room, peer);
		strcpy(member->room, said.room);
		strcpy(member->user, said.user);
		strcpy(member->name, said.name);
	}
	expect_line(peer, room_joined_line(peer, said.room, room));
	if (is_new) {
		model_publish(room, said_line(&said, said.place, 0), peer);
	}
	model_tell_waiting(room, the_member(room, peer));
	/* It waited before the waiting room was switched off. */
	struct channel *waiting = find_channel(WAITING, said.place, said.room_name);
	if (waiting && find_member(waiting, peer)) {
		model_leave(waiting, peer, "admitted");
	}
	said_ack(&said, 0);
}

void say_leave_room(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_user_left", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	said_self(&said, SAY_USER);
	if (!said_send(&said)) {
		return;
	}
	struct channel *waiting = find_membership(peer, WAITING, place_named(&said), said.room_name);
	struct channel *room = find_membership(peer, ROOM, place_named(&said), said.room_name);
	if (!room && !waiting) {
		said_fail(&said, PX_E_NOT_IN_ROOM, "roomId");
		return;
	}
	model_leave(room ? room : waiting, peer, "left");
	said_ack(&said, 0);
}

void pick_target(char raw[RAW])
{
	const struct peer *peer = pick_peer();
	if (peer && chance(70)) {
		(void)snprintf(raw, RAW, "\"%s\"", peer->conn->client_id);
	} else {
		pick_user(raw);
	}
}

/* By clientId, else the latest who came under that user id. */
static struct member *find_target(struct channel *room, const char *raw)
{
	char wanted[RAW];
	char user[RAW];
	struct member *found = NULL;
	text_of_raw(raw, wanted);
	for (unsigned i = 0; i < room->member_count; i++) {
		struct member *member = &room->members[i];
		if (strcmp(member->peer->conn->client_id, wanted) == 0) {
			return member;
		}
		text_of_raw(member->peer->authenticated ? member->peer->user : member->user, user);
		if (strcmp(user, wanted) == 0 && (!found || member->order > found->order)) {
			found = member;
		}
	}
	return found;
}

void say_signal(struct peer *peer)
{
	static const char *const types[] = { "telemedicine_offer", "telemedicine_answer",
		"telemedicine_ice_candidate" };
	static const char *const fields[] = { "offer", "answer", "candidate" };
	struct said said;
	unsigned which = dice(3);
	char to[RAW] = "";
	said_begin(&said, peer, TELEMEDICINE, types[which], PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	if (chance(95) || said.bad_field) {
		said_add(&said, fields[which], "%s", which == 2 && chance(20) ? "null" :
				"{\"sdp\":\"v=0\\r\\n\"}");
	} else {
		said.bad_field = fields[which];
	}
	said_self(&said, SAY_FROM);
	said_pad(&said);
	if (chance(60)) {
		pick_target(to);
		said_add(&said, "to", "%s", to);
	}
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = said_member_room(&said);
	const struct member *target = room && to[0] != '\0' ? find_target(room, to) : NULL;
	if (!room) {
		return;
	}
	if (to[0] != '\0' && (!target || target->peer == peer)) {
		said_fail(&said, PX_E_NO_SUCH_PEER, "to");
		return;
	}
	if (target) {
		expect_line(target->peer, said_line(&said, room->place, 0));
	} else {
		model_publish(room, said_line(&said, room->place, 0), peer);
	}
	said_ack(&said, 0);
}

void say_chat(struct peer *peer)
{
	struct said said;
	char item[64];
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_chat_message", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	said_add(&said, "message", "\"hello \\ud83d\\ude00 / \\/\"");
	said_self(&said, SAY_FROM | SAY_FROM_USER);
	said_pad(&said);
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = said_member_room(&said);
	if (!room) {
		return;
	}
	struct line *line = said_line(&said, room->place, 0);
	(void)snprintf(item, sizeof(item), "%llu/\"%s\";", (unsigned long long)said.tag,
			peer->conn->client_id);
	model_keep_chat(room, line, item);
	model_publish(room, line, peer);
	said_ack(&said, 0);
}

void say_media(struct peer *peer)
{
	struct said said;
	bool audio = chance(50);
	bool video = chance(50);
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_media_state", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	said_add(&said, "audio", audio ? "true" : "false");
	said_add(&said, "video", video ? "true" : "false");
	said_add(&said, "screen", "false");
	said_self(&said, 0);
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = said_member_room(&said);
	if (!room) {
		return;
	}
	the_member(room, peer)->audio = audio;
	the_member(room, peer)->video = video;
	model_publish(room, said_line(&said, room->place, 0), peer);
	said_ack(&said, 0);
}

/* What others get of it is the server's own text, whatever else the message had. */
static struct line *typing_line(const struct channel *room, const struct member *member)
{
	const struct peer *peer = member->peer;
	char practice[RAW];
	struct words *words = words_begin("telemedicine_typing");
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(peer, room->place, practice));
	words_add(words, "roomId", "%s", member->room);
	words_add_if(words, "userId", told_user(peer, member->user));
	words_add(words, "userName", "%s", peer->authenticated ? peer->name : member->name);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add(words, "typing", "%s", member->typing ? "true" : "false");
	struct line *line = words_line(words, 640);
	(void)snprintf(line->key, sizeof(line->key), "%u t %s %d", room->place,
			peer->conn->client_id, (int)(room - sim.channels));
	return line;
}

void say_typing(struct peer *peer)
{
	struct said said;
	bool typing = chance(60);
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_typing", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	if (chance(95) || said.bad_field) {
		said_add(&said, "typing", typing ? "true" : "false");
	} else {
		said.bad_field = "typing";
	}
	said_self(&said, 0);
	said_pad(&said);
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = said_member_room(&said);
	if (!room) {
		return;
	}
	struct member *member = the_member(room, peer);
	int64_t now_ms = sim.fake->mono_ms;
	if (typing ? now_ms >= member->typing_next_ms : member->typing) {
		member->typing = typing;
		member->typing_next_ms = typing ? now_ms + 2000 : member->typing_next_ms;
		model_publish(room, typing_line(room, member), peer);
	}
	said_ack(&said, 0);
}

void say_ice(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_ice_servers", PX_ROLES_ALL);
	said.anywhere = true;
	said_practice(&said, false);
	if (chance(50)) {
		said_room(&said, false);
	}
	if (!said_send(&said)) {
		return;
	}
	struct words *words = words_begin("telemedicine_ice_servers");
	words_add_if(words, "roomId", said.room);
	expect_line(peer, words_line(words, 1024));
	said_ack(&said, 0);
}

void say_remove(struct peer *peer)
{
	struct said said;
	char target_id[RAW];
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_remove", PX_ROLES_TEAM);
	said_practice(&said, false);
	said_room(&said, false);
	pick_target(target_id);
	said_add(&said, "clientId", "%s", target_id);
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = said_member_room(&said);
	if (!room) {
		return;
	}
	const struct member *target = find_target(room, target_id);
	if (!target) {
		said_fail(&said, PX_E_NO_SUCH_PEER, "clientId");
		return;
	}
	model_leave(room, target->peer, "removed");
	said_ack(&said, 0);
}

/*
 * In what order the members of the room lie: it ends from the last one on, and each is still
 * told of those before it. That order is the one thing that nobody promises, so the broker is
 * asked for it.
 */
static unsigned read_order(const struct peer *self, const struct channel *room,
		struct peer *order[PEERS])
{
	const struct px_session *session = self->session;
	const char *id = practice_ids[room->place % PRACTICES];
	const struct px_held *held = px_identity_find(session->identity, px_span(id));
	const struct px_service *service = px_broker_service(sim.fake->broker, TELEMEDICINE);
	const struct px_channel *real = !held ? NULL :
			px_session_channel(session, service, held->practice, px_span(room->name));
	if (!real || px_channel_member_count(real) != room->member_count) {
		sim_fail("a room is not there, or has another number of members");
	}
	for (unsigned i = 0; i < room->member_count; i++) {
		order[i] = NULL;
		for (unsigned k = 0; k < room->member_count; k++) {
			struct peer *peer = room->members[k].peer;
			if (px_session_is(px_member_session(px_channel_member(real, i)),
					px_span(peer->conn->client_id))) {
				order[i] = peer;
			}
		}
		if (!order[i]) {
			sim_fail("somebody is in a room who should not be");
		}
	}
	return room->member_count;
}

void say_end(struct peer *peer)
{
	struct said said;
	struct peer *order[ROOM_MEMBERS];
	unsigned counts[CHANNELS] = { 0 };
	static struct peer *orders[CHANNELS][PEERS];
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_end", PX_ROLES_TEAM);
	said_practice(&said, false);
	said_room(&said, false);
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *room = &sim.channels[i];
		if (room->exists && room->kind == ROOM && find_member(room, peer)) {
			counts[i] = read_order(peer, room, orders[i]);
		}
	}
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = said_member_room(&said);
	if (!room) {
		return;
	}
	unsigned count = counts[room - sim.channels];
	struct channel *waiting = find_channel(WAITING, room->place, room->name);
	memcpy(order, orders[room - sim.channels], count * sizeof(order[0]));
	while (count > 0) {
		model_leave(room, order[--count], "ended");
	}
	while (waiting && waiting->exists) {
		model_leave(waiting, waiting->members[0].peer, "ended");
	}
	said_ack(&said, 0);
}
