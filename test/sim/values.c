/* SPDX-License-Identifier: MIT */
/*
 * What boards keep: of each key the latest update marked `keep`. The model knows how many there may
 * be, and when they are too old; how large each is, it learns from the broker once it is kept, and
 * before that only an upper bound.
 */
#include "channel/channel.h"
#include "channel/values.h"
#include "core/message.h"
#include "core/practice.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

/* Of what a value takes beside its text: more than it can be. */
#define OVERHEAD 1024

const struct board_limits board_limits[3] = { { VALUES, 70000 }, { 2, 20000 }, { 0, 262144 } };

static void drop(struct channel *board, unsigned at)
{
	sim.done[45]++;
	line_unref(board->values[at].line);
	board->value_count--;
	memmove(&board->values[at], &board->values[at + 1],
			(board->value_count - at) * sizeof(board->values[0]));
}

static int find(const struct channel *board, const char *key)
{
	for (unsigned i = 0; i < board->value_count; i++) {
		if (strcmp(board->values[i].key, key) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static uint64_t bytes_of(const struct channel *board)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < board->value_count; i++) {
		bytes += board->values[i].bytes;
	}
	return bytes;
}

void model_limit_values(struct channel *board)
{
	const struct board_limits *limits = &board_limits[sim.board];
	while (board->value_count > limits->values || (board->value_count > 0 &&
			bytes_of(board) > limits->bytes)) {
		drop(board, 0);
	}
}

void model_expire_values(struct channel *board)
{
	while (board->value_count > 0 &&
			board->values[0].at_ms + BOARD_AGE_MS <= sim.fake->mono_ms) {
		drop(board, 0);
	}
}

void model_forget_values(struct channel *board)
{
	while (board->value_count > 0) {
		drop(board, 0);
	}
}

void model_drop_value(struct channel *board, const char *key)
{
	int at = find(board, key);
	if (at >= 0) {
		drop(board, (unsigned)at);
	}
}

/* The value of that number; NULL: the broker keeps none. */
static const struct px_value *find_real(const struct peer *peer, const struct channel *board,
		uint64_t seq)
{
	const char *id = practice_ids[board->place % PRACTICES];
	const struct px_held *held = px_identity_find(peer->session->identity, px_span(id));
	const struct px_service *service = px_broker_service(sim.fake->broker, WHITEBOARD);
	const struct px_channel *real = !held ? NULL : px_session_channel(peer->session, service,
			held->practice, px_span(""));
	const struct px_value *value = real && real->values ? real->values->newest : NULL;
	return value && value->seq == seq ? value : NULL;
}

bool model_keep_value(struct channel *board, const struct peer *peer, const char *key,
		struct line *line, uint64_t seq)
{
	const struct board_limits *limits = &board_limits[sim.board];
	model_limit_values(board);
	int before = find(board, key);
	const struct px_value *real = find_real(peer, board, seq);
	uint64_t bytes = bytes_of(board) - (before < 0 ? 0 : board->values[before].bytes);
	bool has_place = before >= 0 || board->value_count < limits->values;
	if (!real) {
		if (has_place && bytes + line->bytes_max + OVERHEAD <= limits->bytes) {
			sim_fail("client %s: an update is not kept", peer->conn->client_id);
		}
		sim.done[44]++;
		return false;
	}
	uint64_t own = sizeof(*real) + px_message_cost(real->message);
	if (!has_place || bytes + own > limits->bytes) {
		sim_fail("client %s: an update is kept on a full board", peer->conn->client_id);
	}
	if (before >= 0) {
		drop(board, (unsigned)before);
	}
	struct value *value = &board->values[board->value_count++];
	*value = (struct value){ .line = line_ref(line), .seq = seq, .at_ms = sim.fake->mono_ms,
		.bytes = own, .len = px_message_text(real->message).len };
	strcpy(value->key, key);
	sim.done[43]++;
	return true;
}

/* ---- the state ---- */

/* The value of a word of a line, as add_values() of lines.c has it. */
static void add_word(char *text, size_t size, const char *line, const char *word)
{
	const char *at = strstr(line, word);
	size_t len = strlen(text);
	(void)snprintf(text + len, size - len, "%.*s", at ? (int)strcspn(at + strlen(word), " ") : 1,
			at ? at + strlen(word) : "-");
}

static void add_value(char *text, size_t size, const struct value *value)
{
	static const char *const words[] = { " n=", " clientId=", " seq=", " keep=" };
	for (unsigned i = 0; i < 4; i++) {
		strcat(text, i > 0 ? "/" : "");
		add_word(text, size, value->line->text, words[i]);
	}
	strcat(text, ";");
}

/* How many values from `first` on are in one part. */
static unsigned part_count(const struct channel *board, unsigned first)
{
	size_t bytes = 0;
	unsigned at = first;
	while (at < board->value_count && (at == first ||
			bytes + board->values[at].len <= BOARD_PART_BYTES)) {
		bytes += board->values[at++].len;
	}
	return at - first;
}

static void tell_part(struct peer *peer, const struct channel *board, unsigned first, unsigned part,
		unsigned parts)
{
	char practice[RAW];
	char text[1024] = "";
	size_t bytes = 512;
	struct words *words = words_begin("whiteboard_state");
	for (unsigned i = first; i < first + part_count(board, first); i++) {
		add_value(text, sizeof(text), &board->values[i]);
		bytes += board->values[i].len + 1;
	}
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(peer, board->place, practice));
	words_add(words, "seq", "%llu", (unsigned long long)board->seq);
	words_add(words, "epoch", "\"%s\"", board->epoch);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	words_add(words, "part", "%u", part);
	words_add(words, "parts", "%u", parts);
	words_add(words, "values", "%s", text);
	expect_line(peer, words_line(words, bytes));
}

void model_tell_values(struct peer *peer, const struct channel *board)
{
	unsigned parts = 0;
	unsigned part = 0;
	unsigned first = 0;
	do {
		first += part_count(board, first);
		parts++;
	} while (first < board->value_count);
	sim.done[46]++;
	sim.done[47] += parts > 1;
	first = 0;
	do {
		tell_part(peer, board, first, ++part, parts);
		first += part_count(board, first);
	} while (first < board->value_count);
}

/* ---- checks ---- */

uint64_t model_extra_values(const struct channel *board)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < board->value_count; i++) {
		count += board->values[i].seq + board->history_count <= board->seq;
	}
	return count;
}

void check_values(const struct px_channel *real, const struct channel *board)
{
	const struct px_values *values = real->values;
	const struct px_value *at = values ? values->oldest : NULL;
	const struct px_value *older = NULL;
	for (unsigned i = 0; i < board->value_count; i++) {
		if (!at || at->seq != board->values[i].seq || at->channel != real ||
				at->older != older) {
			sim_fail("a value of place %u is not as it must be", board->place);
		}
		older = at;
		at = at->newer;
	}
	if (at || (values && (values->newest != older || values->bytes != bytes_of(board) ||
			values->table.count != board->value_count))) {
		sim_fail("the values of place %u are not as they must be", board->place);
	}
}
