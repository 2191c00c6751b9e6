/* SPDX-License-Identifier: MIT */
/*
 * Who is present on whiteboards, and has seen what: what clients say of it, and who must be told
 * what, and when.
 */
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool is_present(const struct peer *peer)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &sim.channels[i];
		for (unsigned k = 0; channel->exists && channel->kind == PRESENCE &&
				k < channel->member_count; k++) {
			/* A token in the making is a copy of its peer. */
			if (peer->conn && channel->members[k].peer->conn == peer->conn) {
				return true;
			}
		}
	}
	return false;
}

/* ---- persons ---- */

static void identify(const struct peer *peer, char id[RAW], bool *ret_has_id)
{
	*ret_has_id = peer->user[0] != '\0';
	if (*ret_has_id) {
		strcpy(id, peer->user);
	} else {
		(void)snprintf(id, RAW, "\"%s\"", peer->conn->client_id);
	}
}

static struct person *find_person(const struct channel *channel, const struct peer *peer)
{
	char id[RAW];
	char own[RAW];
	char other[RAW];
	bool has_id;
	identify(peer, id, &has_id);
	text_of_raw(id, own);
	for (unsigned i = 0; i < channel->person_count; i++) {
		struct person *person = &channel->persons[i];
		if (person->has_id == has_id && strcmp(text_of_raw(person->id, other), own) == 0) {
			return person;
		}
	}
	return NULL;
}

static void list_soon(struct channel *channel)
{
	int64_t at = sim.fake->mono_ms + PRESENT_DELAY_MS +
			PRESENT_DELAY_EACH_MS * (int64_t)channel->person_count;
	if (channel->list_ms == 0 || at < channel->list_ms) {
		channel->list_ms = at;
	}
}

/* By the wall's clock, which may have been set back. */
static struct person *add_person(struct channel *channel)
{
	unsigned at = channel->person_count++;
	if (at >= PERSONS) {
		sim_fail("the model has too few persons");
	}
	while (at > 0 && channel->persons[at - 1].since_ms > sim.fake->wall_ms) {
		channel->persons[at] = channel->persons[at - 1];
		at--;
	}
	return &channel->persons[at];
}

static void arrive(struct channel *channel, const struct peer *peer)
{
	if (!channel->persons) {
		channel->persons = calloc(PERSONS, sizeof(*channel->persons));
	}
	struct person *person = find_person(channel, peer);
	if (!person) {
		person = add_person(channel);
		*person = (struct person){ .role = peer->role, .since_ms = sim.fake->wall_ms };
		strcpy(person->name, peer->name);
		identify(peer, person->id, &person->has_id);
		list_soon(channel);
	}
	person->sessions++;
}

void model_left_presence(struct channel *channel, struct peer *peer)
{
	struct person *person = find_person(channel, peer);
	if (!person || person->sessions == 0) {
		sim_fail("the model has lost one who is present");
	}
	if (--person->sessions == 0) {
		person->gone_ms = sim.fake->mono_ms;
	}
}

static void forget_gone(struct channel *channel)
{
	unsigned count = 0;
	for (unsigned i = 0; i < channel->person_count; i++) {
		const struct person *person = &channel->persons[i];
		if (person->sessions > 0 || person->gone_ms + PRESENT_HOLD_MS > sim.fake->mono_ms) {
			channel->persons[count++] = *person;
		}
	}
	if (count < channel->person_count) {
		channel->person_count = count;
		list_soon(channel);
	}
}

/* ---- what is told ---- */

static const char *role_name(enum px_role role)
{
	return role == PX_ROLE_STAFF ? "staff" : role == PX_ROLE_SERVICE ? "service" : "admin";
}

/* As add_users() of lines.c has it. */
static size_t add_user(char *text, size_t size, const struct person *person, bool is_list)
{
	const char *user = person->has_id ? person->id : "-";
	const char *client = person->has_id ? "-" : person->id;
	return (size_t)(is_list ? snprintf(text, size, "%s/%s/%s/\"%s\"/%lld/%llu;", user, client,
			person->name, role_name(person->role), (long long)person->since_ms,
			(unsigned long long)person->seq) :
			snprintf(text, size, "%s/%s/-/-/-/%llu;", user, client,
			(unsigned long long)person->seq));
}

static void expect_users(const struct channel *channel, struct peer *peer, bool is_list)
{
	char practice[RAW];
	char text[1024] = "";
	size_t len = 0;
	struct words *words = words_begin(is_list ? "whiteboard_presence" : "whiteboard_seen");
	words_add(words, "practiceId", "%s", spell_practice(peer, channel->place, practice));
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	if (is_list) {
		words_add(words, "count", "%u", channel->person_count);
	}
	for (unsigned i = 0; i < channel->person_count && i < PRESENT_LISTED; i++) {
		if (is_list || channel->persons[i].has_seen) {
			len += add_user(text + len, sizeof(text) - len, &channel->persons[i], is_list);
		}
	}
	words_add(words, "users", "%s", text);
	sim.done[is_list ? 48 : 49]++;
	struct line *line = words_line(words, 1024);
	if (is_list) {
		(void)snprintf(line->key, sizeof(line->key), "%u present", channel->place);
	}
	expect_line(peer, line);
}

static void tell_all(struct channel *channel, bool is_list)
{
	for (unsigned i = 0; i < channel->member_count; i++) {
		expect_users(channel, channel->members[i].peer, is_list);
	}
}

static void tell_seen(struct channel *channel)
{
	bool has_news = false;
	for (unsigned i = 0; i < channel->person_count && i < PRESENT_LISTED; i++) {
		has_news = has_news || channel->persons[i].has_seen;
	}
	if (has_news) {
		tell_all(channel, false);
	}
	for (unsigned i = 0; i < channel->person_count; i++) {
		channel->persons[i].has_seen = false;
	}
}

void model_wake_presence(void)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		if (!channel->exists || channel->kind != PRESENCE) {
			continue;
		}
		forget_gone(channel);
		if (channel->list_ms != 0 && channel->list_ms <= sim.fake->mono_ms) {
			channel->list_ms = 0;
			tell_all(channel, true);
		}
		if (channel->seen_ms != 0 && channel->seen_ms <= sim.fake->mono_ms) {
			channel->seen_ms = 0;
			tell_seen(channel);
		}
	}
}

/* ---- what clients say ---- */

static void come(struct said *said)
{
	struct channel *board;
	struct channel *channel;
	bool is_new;
	if (model_join(said->peer, BOARD, said->place, "", &board, NULL) < 0 ||
			model_join(said->peer, PRESENCE, said->place, "presence", &channel, &is_new) < 0) {
		said_fail(said, PX_E_UNAVAILABLE, "");
		return;
	}
	if (is_new) {
		arrive(channel, said->peer);
	}
	expect_users(channel, said->peer, true);
	said_ack(said, 0);
}

/* When its token ends, what comes first would be a guess: see tokens_pick_expiry(). */
void say_presence(struct peer *peer)
{
	struct said said;
	bool ends = chance(15);
	if (peer->expires_ms > 0) {
		return;
	}
	said_begin(&said, peer, WHITEBOARD, "whiteboard_presence", PX_ROLES_TEAM);
	said_practice(&said, true);
	if (chance(2)) {
		said.bad_field = said.bad_field ? said.bad_field : "present";
		said_add(&said, "present", "%s", chance(50) ? "0" : "null");
	} else if (ends || chance(20)) {
		said_add(&said, "present", "%s", ends ? "false" : "true");
	}
	if (!said_send(&said)) {
		return;
	}
	if (!ends) {
		come(&said);
		return;
	}
	struct channel *channel = find_channel(PRESENCE, said.place, "presence");
	if (channel && find_member(channel, peer)) {
		model_leave(channel, peer, "left");
	}
	said_ack(&said, 0);
}

/* A number that there has been, or not, or that is none. */
static bool add_seq(struct said *said, uint64_t *ret_seq)
{
	static const char *const wrong[] = { "-1", "1.5", "\"1\"", "null", "9223372036854775807",
		"99999999999999999999999", "-9223372036854775809", "18446744073709551617" };
	unsigned place = said->practice_index < 0 ? 0 :
			place_of(said->peer, (unsigned)said->practice_index);
	const struct channel *board = find_channel(BOARD, place, "");
	uint64_t latest = board ? board->seq : 0;
	if (chance(5)) {
		unsigned which = dice(8);
		if (which >= 1 && which <= 3) {
			said->bad_field = said->bad_field ? said->bad_field : "seq";
		}
		said_add(said, "seq", "%s", wrong[which]);
		return false;
	}
	*ret_seq = chance(5) ? latest + 1 : latest - dice(latest < 10 ? (unsigned)latest + 1 : 10);
	said_add(said, "seq", "%llu", (unsigned long long)*ret_seq);
	return *ret_seq <= latest;
}

static void see(struct channel *channel, const struct peer *peer, uint64_t seq)
{
	struct person *person = find_person(channel, peer);
	int64_t at = sim.fake->mono_ms + SEEN_DELAY_MS +
			SEEN_DELAY_EACH_MS * (int64_t)channel->person_count;
	if (seq <= person->seq) {
		return;
	}
	person->seq = seq;
	person->has_seen = true;
	if (channel->seen_ms == 0 || at < channel->seen_ms) {
		channel->seen_ms = at;
	}
}

void say_seen(struct peer *peer)
{
	struct said said;
	uint64_t seq = 0;
	said_begin(&said, peer, WHITEBOARD, "whiteboard_seen", PX_ROLES_TEAM);
	said_practice(&said, true);
	bool fine = add_seq(&said, &seq);
	if (!said_send(&said)) {
		return;
	}
	struct channel *channel = find_channel(PRESENCE, said.place, "presence");
	if (!channel || !find_member(channel, peer)) {
		said_fail(&said, PX_E_NOT_IN_ROOM, "");
	} else if (!fine) {
		said_fail(&said, PX_E_BAD_MESSAGE, "seq");
	} else {
		see(channel, peer, seq);
		said_ack(&said, 0);
	}
}
