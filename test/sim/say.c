/* SPDX-License-Identifier: MIT */
/* See say.h. */
#include "say.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const users[] = { "1", "\"1\"", "2", "\"u1\"", "\"u2\"", "\"7\"" };
static const char *const names[] = { "\"Ann\"", "\"Bob\"", "\"Q\\\"x\"", "\"\"" };
static const char *const rooms[] = { "1", "\"1\"", "1", "2", "\"r3\"" };

#define PICK(list) list[dice(sizeof(list) / sizeof(list[0]))]

const char *text_of_raw(const char *raw, char buf[RAW])
{
	size_t len = strlen(raw);
	if (raw[0] == '"') {
		memcpy(buf, raw + 1, len - 2);
		buf[len - 2] = '\0';
	} else {
		strcpy(buf, raw);
	}
	return buf;
}

void pick_user(char raw[RAW])
{
	strcpy(raw, PICK(users));
}

void pick_name(char raw[RAW])
{
	strcpy(raw, PICK(names));
}

struct peer *pick_peer(void)
{
	for (int tries = 0; tries < 50; tries++) {
		struct peer *peer = &sim.peers[dice(PEERS)];
		if (peer->conn && peer->phase < PX_SESSION_DETACHED) {
			return peer;
		}
	}
	return NULL;
}

void said_add(struct said *said, const char *key, const char *format, ...)
{
	va_list args;
	static const char *const spaces[] = { "", "", "", " ", "\n\t" };
	/* One throw of the dice a statement: compilers differ in which comes first. */
	const char *before = PICK(spaces);
	const char *behind = PICK(spaces);
	said->len += (size_t)sprintf(said->text + said->len, "%s%s\"%s\":%s",
			said->len > 1 ? "," : "", before, key, behind);
	va_start(args, format);
	said->len += (size_t)vsprintf(said->text + said->len, format, args);
	va_end(args);
}

static void add_forgery(struct said *said)
{
	static const char *const keys[] = { "clientId", "client\\u0049d", "timestamp",
		"\\u0074imestamp" };
	const char *key = PICK(keys);
	said_add(said, key, "%s", chance(50) ? "\"c0000000000000000\"" : "0");
	if (chance(50)) {
		strcpy(said->seq, "99");
		said_add(said, "seq", "%s", said->seq);
	}
}

void said_begin(struct said *said, struct peer *peer, int service, const char *type,
		unsigned roles)
{
	memset(said, 0, offsetof(struct said, text));
	said->peer = peer;
	said->service = service;
	said->type = type;
	said->roles = roles;
	said->practice_index = -1;
	said->tag = ++sim.tag;
	said->text[0] = '{';
	said->len = 1;
	if (chance(10)) {
		add_forgery(said);
	}
	said_add(said, "type", "\"%s\"", type);
	said_add(said, "n", "%llu", (unsigned long long)said->tag);
	if (chance(2)) {
		said->bad_id = true;
		said_add(said, "id", "%s", chance(50) ? "null" : "1.5");
	} else if (chance(30)) {
		(void)snprintf(said->id, sizeof(said->id), chance(50) ? "%llu" : "\"i%llu\"",
				(unsigned long long)said->tag);
		said_add(said, "id", "%s", said->id);
	}
}

static void add_practice(struct said *said, unsigned practice)
{
	bool number = practice_ids[practice][0] != 'p' && chance(50);
	said->practice_index = (int)practice;
	(void)snprintf(said->practice, sizeof(said->practice), number ? "%s" : "\"%s\"",
			practice_ids[practice]);
	if (chance(3)) {
		said_add(said, "practice\\u0049d", "%s", "\"shadowed\"");
	}
	said_add(said, "practiceId", "%s", said->practice);
}

void said_practice(struct said *said, bool needed)
{
	const struct peer *peer = said->peer;
	unsigned way = dice(100);
	if (way < 2) {
		said->bad_field = "practiceId";
		said_add(said, "practiceId", "%s", chance(50) ? "null" : "[1]");
	} else if (way < 7) {
		add_practice(said, dice(PRACTICES));
	} else if (peer->held_count > 0 && (needed || way < 30) && way < 98) {
		add_practice(said, peer->held[dice(peer->held_count)].practice);
	} else if (peer->held_count == 0 && way < 50) {
		add_practice(said, dice(PRACTICES));
	} else if (needed) {
		said->bad_field = "practiceId";
	}
}

/* A room or hall that it is in, in one spelling or the other; false: there is none. */
static bool pick_joined(const struct said *said, char raw[RAW])
{
	enum kind kind = said->service == PROBE ? HALL : ROOM;
	size_t from = dice(CHANNELS);
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &sim.channels[(from + i) % CHANNELS];
		if (channel->exists && channel->kind == kind && find_member(channel, said->peer)) {
			bool number = channel->name[0] != 'r' && chance(50);
			(void)snprintf(raw, RAW, number ? "%s" : "\"%s\"", channel->name);
			return true;
		}
	}
	return false;
}

void said_room(struct said *said, bool joins)
{
	if (chance(2)) {
		said->bad_field = said->bad_field ? said->bad_field : "roomId";
		said_add(said, "roomId", "%s", chance(50) ? "true" : "\"\"");
	} else {
		if (joins || chance(15) || !pick_joined(said, said->room)) {
			strcpy(said->room, PICK(rooms));
		}
		text_of_raw(said->room, said->room_name);
		said_add(said, "roomId", "%s", said->room);
	}
	said_add(said, "appointmentId", "%llu", (unsigned long long)sim.step);
}

void said_self(struct said *said, unsigned needed)
{
	const struct peer *peer = said->peer;
	if ((needed & SAY_USER) || chance(10)) {
		pick_user(said->user);
		pick_name(said->name);
		said_add(said, "userId", "%s", said->user);
		said_add(said, "userName", "%s", said->name);
	}
	if ((needed & SAY_FROM) || chance(10)) {
		unsigned way = dice(4);
		if (way == 0) {
			(void)snprintf(said->from, RAW, "\"%s\"", peer->conn->client_id);
		} else if (way == 1 && peer->user[0] != '\0') {
			strcpy(said->from, peer->user);
		} else if (way == 2 && strcmp(peer->name, "\"\"") != 0) {
			strcpy(said->from, peer->name);
		} else {
			pick_user(said->from);
		}
		said_add(said, "from", "%s", said->from);
	}
	if ((needed & SAY_FROM_USER) || chance(10)) {
		pick_user(said->from_user);
		said_add(said, "fromUserId", "%s", said->from_user);
	}
}

void said_pad(struct said *said)
{
	static const char pad[] =
			"................................................................";
	unsigned rows = chance(80) ? dice(3) : dice(16);
	said_add(said, "pad", "\"");
	while (rows-- > 0) {
		said->len += (size_t)sprintf(said->text + said->len, "%s", pad);
	}
	said->len += (size_t)sprintf(said->text + said->len, "\"");
}

/* ---- what must come of it ---- */

void said_fail(const struct said *said, enum px_error code, const char *field)
{
	expect_error(said->peer, code, said->type, field, said->id);
}

void said_ack(const struct said *said, uint64_t seq)
{
	expect_ack(said->peer, said->id, seq);
}

bool say_raw(struct peer *peer, const char *text, size_t len)
{
	if (peer->phase >= PX_SESSION_DETACHED) {
		return false; /* its connection broke in the middle of what it was saying */
	}
	fake_send_bytes(peer->conn, text, len);
	if (peer->phase != PX_SESSION_OPEN) {
		return false;
	}
	sim.messages_in++;
	peer->taken++;
	peer->is_former_good = false;
	sim.bytes_in += len;
	peer->alive_ms = sim.fake->mono_ms;
	peer->pinged_ms = -1;
	return true;
}

static bool find_place(struct said *said)
{
	struct peer *peer = said->peer;
	if (said->practice_index >= 0) {
		unsigned practice = (unsigned)said->practice_index;
		if (find_held(peer, practice) < 0) {
			if (peer->held_count > 0 || peer->authenticated) {
				said_fail(said, PX_E_FORBIDDEN, "practiceId");
				return false;
			}
			peer->held[peer->held_count++] = (struct held){ practice,
				said->practice[0] != '"' };
			model_enter(peer, practice, peer->opened);
		}
		said->place = place_of(peer, practice);
		return true;
	}
	if (peer->held_count == 0) {
		if (!said->anywhere) {
			said_fail(said, PX_E_FORBIDDEN, "practiceId");
		}
		return said->anywhere;
	}
	said->place = place_of(peer, peer->held[0].practice);
	return true;
}

bool said_send(struct said *said)
{
	struct peer *peer = said->peer;
	said->len += (size_t)sprintf(said->text + said->len, "}");
	if (!say_raw(peer, said->text, said->len)) {
		return false;
	}
	uint32_t bit = said->service < 0 ? 0 : 1u << said->service;
	if (tokens_over_rate(said)) {
		return false;
	}
	if (said->bad_id) {
		said_fail(said, PX_E_BAD_MESSAGE, "id");
	} else if (peer->role == 0) {
		said_fail(said, PX_E_UNAUTHENTICATED, "");
	} else if (said->service < 0 || (peer->service >= 0 && peer->service != said->service)) {
		said_fail(said, PX_E_UNKNOWN_TYPE, "type");
	} else if (!(peer->opened & sim.realms[peer->realm].enabled & bit)) {
		said_fail(said, PX_E_SERVICE_DISABLED, "");
	} else if (!(said->roles & peer->role)) {
		said_fail(said, PX_E_FORBIDDEN, "");
	} else if (said->bad_field) {
		said_fail(said, PX_E_BAD_MESSAGE, said->bad_field);
	} else {
		return find_place(said);
	}
	return false;
}

/* Whether `from` is one of its own names. */
static bool is_own(const struct said *said)
{
	const struct peer *peer = said->peer;
	char from[RAW];
	char user[RAW];
	text_of_raw(said->from, from);
	return strcmp(from, text_of_raw(peer->user, user)) == 0 ||
			strcmp(from, peer->conn->client_id) == 0 ||
			strcmp(said->from, peer->name) == 0;
}

struct line *said_line(const struct said *said, unsigned place, uint64_t seq)
{
	const struct peer *peer = said->peer;
	char practice[RAW];
	bool proven = peer->authenticated;
	struct words *words = words_begin(said->type);
	words_add_if(words, "id", said->bad_id ? "" : said->id);
	words_add(words, "n", "%llu", (unsigned long long)said->tag);
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "practiceId", "%s", said->practice_index >= 0 ? said->practice :
			spell_practice(peer, place, practice));
	words_add_if(words, "roomId", said->room);
	words_add_if(words, "userId", told_user(peer, said->user));
	words_add_if(words, "userName", proven ? peer->name : said->name);
	words_add_if(words, "from", proven && said->from[0] != '\0' && !is_own(said) ? peer->name :
			said->from);
	words_add_if(words, "fromUserId", said->from_user[0] != '\0' ? told_user(peer, said->from_user) :
			said->from_user);
	if (seq != 0) {
		words_add(words, "seq", "%llu", (unsigned long long)seq);
	} else {
		words_add_if(words, "seq", said->seq);
	}
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add_if(words, "key", said->key);
	words_add_if(words, "keep", said->keep);
	return words_line(words, said->len + 512);
}
