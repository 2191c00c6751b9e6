/* SPDX-License-Identifier: MIT */
/*
 * The waiting rooms: who is in which place of the line, what those who wait and the team of
 * the room must hear of it, and what clients say to get in, or to let somebody in.
 */
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the line ---- */

static unsigned position_of(const struct channel *waiting, const struct member *member)
{
	unsigned position = 1;
	for (unsigned i = 0; i < waiting->member_count; i++) {
		position += waiting->members[i].place < member->place;
	}
	return position;
}

/* The first of those behind that place; NULL. */
static struct member *next_behind(struct channel *waiting, uint64_t place)
{
	struct member *next = NULL;
	for (unsigned i = 0; i < waiting->member_count; i++) {
		struct member *member = &waiting->members[i];
		if (member->place > place && (!next || member->place < next->place)) {
			next = member;
		}
	}
	return next;
}

/* The beginning of each message to one who waits, or who waited. */
static struct words *begin_words(const char *type, const char *code, const struct channel *waiting,
		const struct member *member)
{
	char practice[RAW];
	struct words *words = words_begin(type);
	words_add_if(words, "code", code);
	words_add(words, "clientId", "\"%s\"", member->peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(member->peer, waiting->place, practice));
	words_add(words, "roomId", "%s", member->room);
	return words;
}

static void expect_position(const struct channel *waiting, const struct member *member)
{
	struct words *words = begin_words("telemedicine_waiting", "", waiting, member);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add(words, "position", "%u", position_of(waiting, member));
	words_add(words, "since", "%lld", (long long)member->since_ms);
	expect_line(member->peer, words_line(words, 512));
}

static void expect_denied(const struct channel *waiting, const struct member *member,
		const char *code, const char *reason)
{
	char quoted[RAW];
	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", code);
	struct words *words = begin_words("telemedicine_denied", quoted, waiting, member);
	words_add_if(words, "reason", reason);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	expect_line(member->peer, words_line(words, 512));
}

static void change_list(const struct channel *waiting)
{
	struct channel *room = find_channel(ROOM, waiting->place, waiting->name);
	if (room && room->list_ms == 0) {
		room->list_ms = sim.fake->mono_ms + LIST_DELAY_MS +
				LIST_DELAY_EACH_MS * waiting->member_count;
	}
}

/* Why somebody is denied, in the words of who did it; JSON, "" for none. */
static char detail[RAW];

void model_left_waiting(struct channel *waiting, const struct member *member, const char *reason)
{
	if (strcmp(reason, "left") != 0 && strcmp(reason, "disconnected") != 0 &&
			strcmp(reason, "admitted") != 0) {
		expect_denied(waiting, member, reason, detail);
	}
	if (strcmp(reason, "replaced") == 0 || strcmp(reason, "ended") == 0) {
		return;
	}
	struct member *behind = next_behind(waiting, member->place);
	while (behind) {
		expect_position(waiting, behind);
		behind = next_behind(waiting, behind->place);
	}
	change_list(waiting);
}

/* ---- the team's list ---- */

static void expect_list(const struct channel *room, const struct member *to)
{
	struct channel *waiting = find_channel(WAITING, room->place, room->name);
	struct member *next = waiting ? next_behind(waiting, 0) : NULL;
	struct words *words = begin_words("telemedicine_waiting_list", "", room, to);
	char list[1024] = "";
	size_t len = 0;
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	while (next) {
		const struct peer *peer = next->peer;
		const char *user = told_user(peer, next->user);
		len += (size_t)snprintf(list + len, sizeof(list) - len, "\"%s\"/%s/%s/%lld;",
				peer->conn->client_id, user[0] != '\0' ? user : "-",
				peer->authenticated ? peer->name : next->name,
				(long long)next->since_ms);
		next = next_behind(waiting, next->place);
	}
	words_add(words, "waiting", "%s", list);
	expect_line(to->peer, words_line(words, 512 + 512 * WAITING_MAX));
}

void model_tell_waiting(struct channel *room, struct member *member)
{
	if ((member->peer->role & PX_ROLES_TEAM) && find_channel(WAITING, room->place, room->name)) {
		expect_list(room, member);
	}
}

/* Until the line is gone, or everybody in it has time left. */
static void expire(struct channel *waiting)
{
	struct member *next = next_behind(waiting, 0);
	while (next) {
		uint64_t place = next->place;
		if (next->until_ms <= sim.fake->mono_ms) {
			sim.done[52]++;
			model_leave(waiting, next->peer, "expired");
		}
		next = next_behind(waiting, place);
	}
}

void model_wake(void)
{
	detail[0] = '\0';
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *room = &sim.channels[i];
		if (!room->exists || room->kind != ROOM || room->list_ms == 0 ||
				room->list_ms > sim.fake->mono_ms) {
			continue;
		}
		struct channel *waiting = find_channel(WAITING, room->place, room->name);
		if (waiting) {
			expire(waiting);
		}
		room->list_ms = 0;
		for (unsigned k = 0; k < room->member_count; k++) {
			if (room->members[k].peer->role & PX_ROLES_TEAM) {
				expect_list(room, &room->members[k]);
			}
		}
	}
	for (size_t i = 0; i < CHANNELS; i++) {
		if (sim.channels[i].exists && sim.channels[i].kind == WAITING) {
			expire(&sim.channels[i]);
		}
	}
}

/* ---- what clients say ---- */

struct member *find_twin(struct channel *waiting, const struct peer *peer)
{
	char own[RAW];
	char other[RAW];
	for (unsigned i = 0; i < waiting->member_count; i++) {
		struct member *member = &waiting->members[i];
		if (member->peer != peer && peer->authenticated && peer->user[0] != '\0' &&
				member->peer->authenticated && strcmp(text_of_raw(peer->user, own),
				text_of_raw(member->peer->user, other)) == 0) {
			return member;
		}
	}
	return NULL;
}

static void get_in_line(const struct said *said, struct channel *waiting, struct member *member)
{
	struct member *twin = find_twin(waiting, said->peer);
	strcpy(member->room, said->room);
	strcpy(member->user, said->user);
	strcpy(member->name, said->name);
	member->since_ms = sim.fake->wall_ms;
	member->until_ms = sim.fake->mono_ms + WAITING_MS;
	member->place = member->order;
	if (twin) {
		sim.done[53]++;
		member->since_ms = twin->since_ms;
		member->until_ms = twin->until_ms;
		member->place = twin->place;
		model_leave(waiting, twin->peer, "replaced");
	}
	change_list(waiting);
}

void say_wait(struct said *said)
{
	struct peer *peer = said->peer;
	struct channel *waiting = find_channel(WAITING, said->place, said->room_name);
	bool is_new;
	detail[0] = '\0';
	int rc = model_join(peer, WAITING, said->place, said->room_name, &waiting, &is_new);
	if (rc < 0) {
		sim.done[54] += rc == -ENOSPC;
		said_fail_join(said, rc);
		return;
	}
	if (is_new) {
		get_in_line(said, waiting, the_member(waiting, peer));
	}
	expect_position(waiting, the_member(waiting, peer)); /* its twin's leaving moves them */
	said_ack(said, 0);
}

/* A waiting room before a room with members; NULL: there is none. */
static const struct channel *pick_line(struct channel **ret_room)
{
	size_t from = dice(CHANNELS);
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *waiting = &sim.channels[(from + i) % CHANNELS];
		*ret_room = !waiting->exists || waiting->kind != WAITING ? NULL :
				find_channel(ROOM, waiting->place, waiting->name);
		if (*ret_room) {
			return waiting;
		}
	}
	return NULL;
}

/* Most often somebody in a room about somebody before it; else anybody about anybody. */
static void begin_about(struct said *said, struct peer *peer, const char *type, char target[RAW])
{
	struct channel *room;
	const struct channel *waiting = chance(90) ? pick_line(&room) : NULL;
	struct peer *member = waiting ? room->members[dice(room->member_count)].peer : peer;
	if (member->phase != PX_SESSION_LOST) {
		peer = member;
	}
	said_begin(said, peer, TELEMEDICINE, type, PX_ROLES_TEAM);
	said_practice(said, false);
	if (waiting) {
		peer = waiting->members[dice(waiting->member_count)].peer;
		(void)snprintf(target, RAW, "\"%s\"", peer->conn->client_id);
		strcat(strcat(strcpy(said->room, "\""), waiting->name), "\"");
		text_of_raw(said->room, said->room_name);
		said_add(said, "roomId", "%s", said->room);
	} else {
		said_room(said, false);
		pick_target(target);
	}
	said_add(said, "clientId", "%s", target);
}

static struct member *find_waiter(const struct said *said, const char *target,
		struct channel **ret_room)
{
	char wanted[RAW];
	*ret_room = said_member_room(said);
	struct channel *waiting = !*ret_room ? NULL :
			find_channel(WAITING, (*ret_room)->place, (*ret_room)->name);
	text_of_raw(target, wanted);
	for (unsigned i = 0; waiting && i < waiting->member_count; i++) {
		if (strcmp(waiting->members[i].peer->conn->client_id, wanted) == 0) {
			return &waiting->members[i];
		}
	}
	if (*ret_room) {
		said_fail(said, PX_E_NO_SUCH_PEER, "clientId");
	}
	return NULL;
}

static struct line *entered_line(const struct channel *room, const struct member *member)
{
	const struct peer *peer = member->peer;
	struct words *words = begin_words("telemedicine_user_joined", "", room, member);
	words_add_if(words, "userId", told_user(peer, member->user));
	words_add(words, "userName", "%s", peer->authenticated ? peer->name : member->name);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	return words_line(words, 512);
}

static void admit(struct channel *room, const struct member *waiter)
{
	struct channel *waiting = find_channel(WAITING, room->place, room->name);
	struct peer *peer = waiter->peer;
	bool is_new;
	if (model_join(peer, ROOM, room->place, room->name, &room, &is_new) < 0 || !is_new) {
		sim_fail("the model does not let in who waits");
	}
	struct member *member = the_member(room, peer);
	strcpy(member->room, waiter->room);
	strcpy(member->user, waiter->user);
	strcpy(member->name, waiter->name);
	expect_line(peer, room_joined_line(peer, waiter->room, room));
	model_publish(room, entered_line(room, member), peer);
	model_leave(waiting, peer, "admitted");
}

void say_admit(struct peer *peer)
{
	struct said said;
	struct channel *room;
	char target[RAW];
	begin_about(&said, peer, "telemedicine_admit", target);
	if (!said_send(&said)) {
		return;
	}
	const struct member *waiter = find_waiter(&said, target, &room);
	if (!waiter) {
		return;
	}
	if (room->member_count >= ROOM_MEMBERS) {
		said_fail(&said, PX_E_ROOM_FULL, "roomId");
		return;
	}
	sim.done[50]++;
	admit(room, waiter);
	said_ack(&said, 0);
}

void say_deny(struct peer *peer)
{
	struct said said;
	struct channel *room;
	char target[RAW];
	bool has_reason = chance(50);
	begin_about(&said, peer, "telemedicine_deny", target);
	if (has_reason) {
		said_add(&said, "reason", "\"not now\"");
	}
	if (!said_send(&said)) {
		return;
	}
	const struct member *waiter = find_waiter(&said, target, &room);
	if (waiter) {
		sim.done[51]++;
		strcpy(detail, has_reason ? "\"not now\"" : "");
		model_leave(find_channel(WAITING, room->place, room->name), waiter->peer, "denied");
		detail[0] = '\0';
		said_ack(&said, 0);
	}
}
