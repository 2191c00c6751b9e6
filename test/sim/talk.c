/* SPDX-License-Identifier: MIT */
/*
 * What clients say. Each function makes one message, sends it to the broker, and tells the
 * model what its handler must have done.
 */
#include "channel.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- whiteboard ---- */

static void say_update(struct peer *peer)
{
	struct said said;
	struct channel *board;
	said_begin(&said, peer, WHITEBOARD, "whiteboard_update", PX_ROLES_TEAM);
	said_practice(&said, true);
	said_self(&said, 0);
	said_pad(&said);
	if (!said_send(&said)) {
		return;
	}
	bool is_new;
	if (model_join(peer, BOARD, said.place, "", &board, &is_new) < 0) {
		said_fail(&said, PX_E_UNAVAILABLE, "");
		return;
	}
	uint64_t seq = board->seq + 1;
	model_publish(board, said_line(&said, said.place, seq), peer);
	if (is_new) {
		model_leave(board, peer, "left");
	}
	said_ack(&said, seq);
}

/* `since`, right or wrong in one way or another; false: only its handler can tell. */
static bool add_since(struct said *said, char epoch[17], uint64_t *ret_seq)
{
	const struct peer *peer = said->peer;
	unsigned place = said->practice_index < 0 ? 0 :
			place_of(peer, (unsigned)said->practice_index);
	const struct channel *board = find_channel(BOARD, place, "");
	strcpy(epoch, board && chance(70) ? board->epoch : sim.last_epoch[place]);
	uint64_t seq = board ? board->seq : 3;
	uint64_t back = dice(HISTORY + 4);
	*ret_seq = chance(5) ? seq + 1 + dice(3) : seq > back ? seq - back : 0;
	if (chance(2)) {
		said_add(said, "since", "{\"epoch\":1,\"seq\":1}");
		return false;
	}
	if (chance(2)) {
		said->bad_field = said->bad_field ? said->bad_field : "since";
		said_add(said, "since", "[]");
		return true;
	}
	said_add(said, "since", "{\"epoch\":\"%s\",\"seq\":%llu}", epoch,
			(unsigned long long)*ret_seq);
	return true;
}

static struct line *subscribed_line(const struct said *said, const struct channel *board,
		bool recovered)
{
	char practice[RAW];
	const struct peer *peer = said->peer;
	struct words *words = words_begin("whiteboard_subscribed");
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(peer, said->place, practice));
	words_add(words, "seq", "%llu", (unsigned long long)board->seq);
	words_add(words, "epoch", "\"%s\"", board->epoch);
	words_add(words, "recovered", recovered ? "true" : "false");
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add(words, "members", "%u", board->member_count);
	return words_line(words, 512);
}

static void say_subscribe(struct peer *peer)
{
	struct said said;
	struct channel *board;
	char epoch[17] = "";
	uint64_t seq = 0;
	bool since = chance(70);
	said_begin(&said, peer, WHITEBOARD, "whiteboard_subscribe", PX_ROLES_TEAM);
	said_practice(&said, true);
	bool fine = !since || add_since(&said, epoch, &seq);
	if (!said_send(&said)) {
		return;
	}
	if (!fine) {
		said_fail(&said, PX_E_BAD_MESSAGE, "since");
		return;
	}
	if (model_join(peer, BOARD, said.place, "", &board, NULL) < 0) {
		said_fail(&said, PX_E_UNAVAILABLE, "");
		return;
	}
	bool recovered = since && strcmp(epoch, board->epoch) == 0 && seq <= board->seq &&
			board->seq - seq <= board->history_count;
	sim.done[40 + recovered]++;
	expect_line(peer, subscribed_line(&said, board, recovered));
	for (unsigned i = 0; recovered && i < board->history_count; i++) {
		if (board->history[i].seq > seq) {
			expect_line(peer, line_ref(board->history[i].line));
		}
	}
	said_ack(&said, 0);
}

static void say_unsubscribe(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, WHITEBOARD, "whiteboard_unsubscribe", PX_ROLES_TEAM);
	said_practice(&said, true);
	if (!said_send(&said)) {
		return;
	}
	struct channel *board = find_channel(BOARD, said.place, "");
	if (board && find_member(board, peer)) {
		model_leave(board, peer, "left");
	}
	said_ack(&said, 0);
}

/* ---- telemedicine ---- */

static int place_named(const struct said *said)
{
	return said->practice_index >= 0 ? (int)said->place : -1;
}

/* The room that it speaks in; NULL: it is not there, and must be told. */
static struct channel *room_of(const struct said *said)
{
	struct channel *room = find_membership(said->peer, ROOM, place_named(said), said->room_name);
	if (!room) {
		said_fail(said, PX_E_NOT_IN_ROOM, "roomId");
	}
	return room;
}

static size_t add_member(char *text, const struct member *member)
{
	const struct peer *peer = member->peer;
	return (size_t)sprintf(text, "\"%s\"/%s/%s/\"%s\"/%d%d%d;", peer->conn->client_id,
			peer->authenticated ? peer->user : member->user,
			peer->authenticated ? peer->name : member->name, px_role_name(peer->role),
			member->audio, member->video, member->screen);
}

/* The others, who came first first: as members and as participants. */
static void list_others(const struct channel *room, const struct peer *self, char *members,
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
			if (member->peer != self && member->order > after &&
					(!next || member->order < next->order)) {
				next = member;
			}
		}
		if (!next) {
			break;
		}
		after = next->order;
		members += add_member(members, next);
		participants += sprintf(participants, "%s\"%s\"", count++ > 0 ? "," : "[",
				next->peer->conn->client_id);
	}
	strcat(participants, "]");
}

static struct line *joined_line(const struct said *said, const struct channel *room)
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
	list_others(room, said->peer, members, participants);
	struct words *words = words_begin("telemedicine_room_joined");
	words_add(words, "clientId", "\"%s\"", said->peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(said->peer, room->place, practice));
	words_add(words, "roomId", "%s", said->room);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add(words, "members", "%s", members);
	words_add(words, "participants", "%s", participants);
	words_add(words, "chat", "%s", chat);
	return words_line(words, bytes);
}

static void fail_join(const struct said *said, int rc)
{
	if (rc == -ENOSPC) {
		said_fail(said, PX_E_ROOM_FULL, "roomId");
	} else if (rc == -EMFILE) {
		said_fail(said, PX_E_TOO_MANY_ROOMS, "roomId");
	} else {
		said_fail(said, PX_E_UNAVAILABLE, "");
	}
}

static void say_join_room(struct peer *peer)
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
	int rc = model_join(peer, ROOM, said.place, said.room_name, &room, &is_new);
	if (rc < 0) {
		fail_join(&said, rc);
		return;
	}
	if (is_new) {
		struct member *member = find_member(room, peer);
		strcpy(member->room, said.room);
		strcpy(member->user, said.user);
		strcpy(member->name, said.name);
	}
	expect_line(peer, joined_line(&said, room));
	if (is_new) {
		model_publish(room, said_line(&said, said.place, 0), peer);
	}
	said_ack(&said, 0);
}

static void say_leave_room(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, TELEMEDICINE, "telemedicine_user_left", PX_ROLES_ALL);
	said_practice(&said, false);
	said_room(&said, false);
	said_self(&said, SAY_USER);
	if (!said_send(&said)) {
		return;
	}
	struct channel *room = room_of(&said);
	if (room) {
		model_leave(room, peer, "left");
		said_ack(&said, 0);
	}
}

/* Some clientId or userId, perhaps of nobody in the room; as JSON. */
static void pick_target(char raw[RAW])
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

static void say_signal(struct peer *peer)
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
	struct channel *room = room_of(&said);
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

static void say_chat(struct peer *peer)
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
	struct channel *room = room_of(&said);
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

static void say_media(struct peer *peer)
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
	struct channel *room = room_of(&said);
	if (!room) {
		return;
	}
	find_member(room, peer)->audio = audio;
	find_member(room, peer)->video = video;
	model_publish(room, said_line(&said, room->place, 0), peer);
	said_ack(&said, 0);
}

static void say_ice(struct peer *peer)
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

static void say_remove(struct peer *peer)
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
	struct channel *room = room_of(&said);
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
	const struct px_session *session = self->conn->session;
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

static void say_end(struct peer *peer)
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
	struct channel *room = room_of(&said);
	if (!room) {
		return;
	}
	unsigned count = counts[room - sim.channels];
	memcpy(order, orders[room - sim.channels], count * sizeof(order[0]));
	while (count > 0) {
		model_leave(room, order[--count], "ended");
	}
	said_ack(&said, 0);
}

/* ---- probe ---- */

static void say_join_hall(struct peer *peer)
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
		strcpy(find_member(hall, peer)->room, said.room);
		find_member(hall, peer)->is_host = is_host;
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

static void say_leave_hall(struct peer *peer)
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

static void say_kick(struct peer *peer)
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

static void say_bye(struct peer *peer)
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
static void say_cross(struct peer *peer)
{
	struct said said;
	const struct peer *other = pick_peer();
	probe_foreign_practice = NULL;
	probe_foreign_channel = NULL;
	for (uint32_t i = 0; other && i < other->conn->session->identity->practice_count; i++) {
		struct px_practice *practice = other->conn->session->identity->practices[i].practice;
		if (!px_identity_holds(peer->conn->session->identity, practice)) {
			probe_foreign_practice = practice;
		}
	}
	const struct px_member *at = other ? other->conn->session->members : NULL;
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

/* ---- what no service sees ---- */

static void say_ping(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, -1, "ping", PX_ROLES_ALL);
	said_add(&said, "t", "%llu", (unsigned long long)said.tag);
	said.len += (size_t)sprintf(said.text + said.len, "}");
	if (!say_raw(peer, said.text, said.len)) {
		return;
	}
	if (said.bad_id) {
		said_fail(&said, PX_E_BAD_MESSAGE, "id");
		return;
	}
	struct words *words = words_begin("pong");
	words_add(words, "t", "%llu", (unsigned long long)said.tag);
	expect_line(peer, words_line(words, 128));
	said_ack(&said, 0);
}

static void say_unknown(struct peer *peer)
{
	static const char *const types[] = { "whiteboard", "whiteboard_", "telemedicine_user",
		"admin_subscribe", "x", "whiteboard_updatf" };
	struct said said;
	said_begin(&said, peer, -1, types[dice(6)], PX_ROLES_ALL);
	(void)said_send(&said);
}

static void say_one_nonsense(struct peer *peer)
{
	static const struct {
		const char *text;
		enum px_error code;
		const char *field;
	} nonsense[] = {
		{ "", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\",}", PX_E_BAD_JSON, "" },
		{ "{'type':'ping'}", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\",\"t\":NaN}", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\",\"t\":\"\x80\"}", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\"} {}", PX_E_BAD_JSON, "" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", PX_E_BAD_JSON, "" },
		{ "[]", PX_E_BAD_MESSAGE, "" },
		{ "{\"n\":1}", PX_E_BAD_MESSAGE, "type" },
		{ "{\"type\":\"Ping\"}", PX_E_BAD_MESSAGE, "type" },
	};
	unsigned i = dice(sizeof(nonsense) / sizeof(nonsense[0]));
	if (!say_raw(peer, nonsense[i].text, strlen(nonsense[i].text))) {
		return;
	}
	expect_error(peer, nonsense[i].code, "", nonsense[i].field, "");
	if (peer->bad_count == 0 || sim.fake->mono_ms - peer->bad_since_ms >= 10000) {
		peer->bad_since_ms = sim.fake->mono_ms;
		peer->bad_count = 0;
	}
	if (++peer->bad_count > 10) {
		model_close(peer, PX_CLOSE_POLICY);
	}
}

static void say_nonsense(struct peer *peer)
{
	unsigned count = chance(3) ? 15 : 1;
	while (count-- > 0) {
		say_one_nonsense(peer);
		check_action();
	}
}

static const struct {
	unsigned weight;
	void (*say)(struct peer *peer);
} talks[] = {
	{ 66, say_update }, { 24, say_subscribe }, { 8, say_unsubscribe }, { 50, say_join_room },
	{ 10, say_leave_room }, { 50, say_signal }, { 24, say_chat }, { 9, say_media },
	{ 5, say_ice }, { 5, say_remove }, { 2, say_end }, { 15, say_join_hall },
	{ 5, say_leave_hall }, { 8, say_kick }, { 1, say_bye }, { 8, say_cross }, { 6, say_ping },
	{ 5, say_unknown }, { 6, say_nonsense },
};

void talk(void)
{
	struct peer *peer = pick_peer();
	unsigned all = 0;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		all += talks[i].weight;
	}
	unsigned at = dice(all);
	for (size_t i = 0; peer; i++) {
		if (at < talks[i].weight) {
			sim.done[i]++;
			talks[i].say(peer);
			return;
		}
		at -= talks[i].weight;
	}
}
