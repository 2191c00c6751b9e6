/* SPDX-License-Identifier: MIT */
/* What clients say to the whiteboard: updates, and subscriptions with all kinds of `since`. */
#include "say.h"

#include <stdio.h>
#include <string.h>

/* Few keys, so that they come again; the same in two spellings, and one as if it were marked. */
static void add_key(struct said *said, char key[RAW])
{
	static const char *const raws[] = { "\"a\"", "\"b\"", "\"\\u0061\"", "\"c\"", "\"\"",
		"\"\\u0001a\"", "\"__proto__\"", "\"\\ud83d\\ude00\"", "\"d\"", "\"e\"", "\"f\"",
		"\"\\u0001\"" };
	static const char *const texts[] = { "a", "b", "a", "c", "", "\001a", "__proto__",
		"\xf0\x9f\x98\x80", "d", "e", "f", "\001" };
	static const char *const told[] = { "\"a\"", "\"b\"", "\"a\"", "\"c\"", "\"\"",
		"\"\\u0001a\"", "\"__proto__\"", "\"\xf0\x9f\x98\x80\"", "\"d\"",
		"\"e\"", "\"f\"", "\"\\u0001\"" };
	unsigned way = dice(100);
	unsigned which = dice(12);
	key[0] = '\0';
	if (way < 2) {
		said->bad_field = said->bad_field ? said->bad_field : "key";
		said_add(said, "key", "%s", chance(50) ? "7" : "null");
	} else if (way < 60) {
		strcpy(key, texts[which]);
		strcpy(said->key, told[which]);
		said_add(said, "key", "%s", raws[which]);
	}
}

/* Whether it is to be kept, mostly of those that can be; of some it is the wrong type. */
static void add_keep(struct said *said, const char *key)
{
	if (chance(1)) {
		said->bad_field = said->bad_field ? said->bad_field : "keep";
		said_add(said, "keep", "%s", chance(50) ? "1" : "null");
	} else if (chance(key[0] != '\0' ? 60 : 5)) {
		strcpy(said->keep, chance(75) ? "true" : "false");
		said_add(said, "keep", "%s", said->keep);
	}
}

/* What is large enough that a state has several parts, and a board is full. */
static void add_much(struct said *said)
{
	static char much[30000];
	if (said->keep[0] == 't' && chance(7)) {
		memset(much, 'm', sizeof(much) - 1);
		said_add(said, "much", "\"%s\"", much);
	}
}

/* With and without `keep` they are different keys. */
static struct line *update_line(const struct said *said, uint64_t seq, const char *key)
{
	struct line *line = said_line(said, said->place, seq);
	bool kept = said->keep[0] != '\0';
	if (key[0] != '\0' && (kept || key[0] != '\001')) {
		(void)snprintf(line->key, sizeof(line->key), "%u %s %s", said->place,
				kept ? "kept" : "", key);
	}
	return line;
}

/* Whether what it says of keeping is right; false: it is told what is not. */
static bool may_keep(const struct said *said, const char *key)
{
	if (said->keep[0] == '\0') {
		return true;
	}
	if (key[0] == '\0') {
		said_fail(said, PX_E_BAD_MESSAGE, "key");
	} else if (board_limits[sim.board].values == 0) {
		said_fail(said, PX_E_SERVICE_DISABLED, "keep");
	}
	return key[0] != '\0' && board_limits[sim.board].values > 0;
}

/* False: the board is full. */
static bool keep(const struct said *said, struct channel *board, const char *key, struct line *line)
{
	if (strcmp(said->keep, "true") == 0) {
		return model_keep_value(board, said->peer, key, line, board->seq + 1);
	}
	if (said->keep[0] != '\0') {
		model_drop_value(board, key);
	}
	return true;
}

static void publish(const struct said *said, struct channel *board, const char *key)
{
	uint64_t seq = board->seq + 1;
	struct line *line = update_line(said, seq, key);
	if (!keep(said, board, key, line)) {
		line_unref(line);
		said_fail(said, PX_E_UNAVAILABLE, "keep");
		return;
	}
	model_publish(board, line, said->peer);
	said_ack(said, seq);
}

static void say_one(struct peer *peer, bool drags, bool keeps)
{
	char key[RAW];
	struct said said;
	struct channel *board;
	said_begin(&said, peer, WHITEBOARD, "whiteboard_update", PX_ROLES_TEAM);
	said_practice(&said, true);
	if (drags) {
		strcpy(key, "drag");
		strcpy(said.key, "\"drag\"");
		strcpy(said.keep, keeps ? "true" : "");
		said_add(&said, "key", "\"drag\"");
		if (keeps) {
			said_add(&said, "keep", "true");
		}
	} else {
		add_key(&said, key);
		add_keep(&said, key);
		add_much(&said);
	}
	said_self(&said, 0);
	said_pad(&said);
	if (!said_send(&said) || !may_keep(&said, key)) {
		return;
	}
	bool is_new;
	if (model_join(peer, BOARD, said.place, "", &board, &is_new) < 0) {
		said_fail(&said, PX_E_UNAVAILABLE, "");
		return;
	}
	publish(&said, board, key);
	if (is_new) {
		model_leave(board, peer, "left");
	}
}

void say_update(struct peer *peer)
{
	say_one(peer, false, false);
}

/* One thing is moved about: many updates of which only the last matters. */
void say_drag(struct peer *peer)
{
	bool keeps = chance(40);
	for (unsigned i = 5 + dice(30); i > 0; i--) {
		say_one(peer, true, keeps);
		check_action();
	}
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
		bool recovered, bool state)
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
	if (state) {
		words_add(words, "state", "\"%s\"", board_limits[sim.board].values == 0 ? "off" :
				recovered ? "recovered" : "follows");
	}
	words_add(words, "members", "%u", board->member_count);
	return words_line(words, 512);
}

static bool is_missed(const struct channel *board, unsigned i, const struct member *member,
		uint64_t seq)
{
	uint64_t at = board->history[i].seq;
	bool own = strcmp(board->history[i].by, member->peer->conn->client_id) == 0;
	return at > seq && (at <= member->has_from || at <= member->missed || own);
}

/* By a later one with its key that is missed, too. */
static bool is_replaced(const struct channel *board, unsigned i, const struct member *member,
		uint64_t seq)
{
	const char *key = board->history[i].line->key;
	for (unsigned k = i + 1; key[0] != '\0' && k < board->history_count; k++) {
		if (is_missed(board, k, member, seq) &&
				strcmp(board->history[k].line->key, key) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether it asks for the state. */
static bool add_state(struct said *said)
{
	bool state = chance(50);
	if (chance(2)) {
		said->bad_field = said->bad_field ? said->bad_field : "state";
		said_add(said, "state", "%s", chance(50) ? "\"yes\"" : "null");
	} else if (state || chance(10)) {
		said_add(said, "state", "%s", state ? "true" : "false");
	}
	return state;
}

void say_subscribe(struct peer *peer)
{
	struct said said;
	struct channel *board;
	char epoch[17] = "";
	uint64_t seq = 0;
	bool since = chance(70);
	said_begin(&said, peer, WHITEBOARD, "whiteboard_subscribe", PX_ROLES_TEAM);
	said_practice(&said, true);
	bool fine = !since || add_since(&said, epoch, &seq);
	bool state = add_state(&said);
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
	expect_line(peer, subscribed_line(&said, board, recovered, state));
	if (state && !recovered && board_limits[sim.board].values > 0) {
		model_tell_values(peer, board);
	}
	/* Of what came since it is a member, or that it was given, only its own. */
	struct member *member = the_member(board, peer);
	for (unsigned i = 0; recovered && i < board->history_count; i++) {
		if (is_missed(board, i, member, seq) && !is_replaced(board, i, member, seq)) {
			expect_line(peer, line_ref(board->history[i].line));
		}
	}
	if (recovered && seq < member->has_from) {
		member->has_from = seq;
	}
	said_ack(&said, 0);
}

void say_unsubscribe(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, WHITEBOARD, "whiteboard_unsubscribe", PX_ROLES_TEAM);
	said_practice(&said, true);
	if (!said_send(&said)) {
		return;
	}
	struct channel *presence = find_channel(PRESENCE, said.place, "presence");
	struct channel *board = find_channel(BOARD, said.place, "");
	if (presence && find_member(presence, peer)) {
		model_leave(presence, peer, "left");
	}
	if (board && find_member(board, peer)) {
		model_leave(board, peer, "left");
	}
	said_ack(&said, 0);
}
