/* SPDX-License-Identifier: MIT */
/*
 * The model: boards, rooms and halls of each (tenant, practice), who is in them, what they
 * keep, and who must hear of what happens there. Lists are short, so everything is searched
 * for; nothing here is clever, which is the point of it.
 */
#include "say.h"

#include "channel/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const practice_ids[PRACTICES] = { "1", "2", "3", "77", "p4" };

unsigned place_of(const struct peer *peer, unsigned practice)
{
	return peer->tenant * PRACTICES + practice;
}

int find_held(const struct peer *peer, unsigned practice)
{
	for (unsigned i = 0; i < peer->held_count; i++) {
		if (peer->held[i].practice == practice) {
			return (int)i;
		}
	}
	return -1;
}

const char *spell_practice(const struct peer *peer, unsigned place, char buf[RAW])
{
	int at = find_held(peer, place % PRACTICES);
	bool number = at >= 0 && peer->held[at].number;
	buf[0] = '\0';
	strcat(strcat(strcat(buf, number ? "" : "\""), practice_ids[place % PRACTICES]),
			number ? "" : "\"");
	return buf;
}

/* ---- what must be heard ---- */

void expect_line(struct peer *peer, struct line *line)
{
	if (!model_hears(peer) || model_mutes(peer, line)) {
		line_unref(line);
		return;
	}
	if (peer->first + peer->count == peer->size) {
		size_t size = peer->count * 2 + 16;
		struct expected *queue = malloc(size * sizeof(*queue));
		if (!queue) {
			sim_fail("out of memory");
		}
		if (peer->count > 0) {
			memcpy(queue, peer->queue + peer->first, peer->count * sizeof(*queue));
		}
		free(peer->queue);
		peer->queue = queue;
		peer->size = size;
		peer->first = 0;
	}
	peer->queue[peer->first + peer->count++] = (struct expected){ .line = line,
		.batch = sim.batch, .at_ms = sim.fake->mono_ms };
	peer->added += line->bytes_max;
}

void expect_all(const struct channel *channel, const struct peer *except, struct line *line)
{
	for (unsigned i = 0; i < channel->member_count; i++) {
		if (channel->members[i].peer != except) {
			expect_line(channel->members[i].peer, line_ref(line));
		}
	}
}

void expect_error(struct peer *peer, enum px_error code, const char *ref, const char *field,
		const char *id)
{
	struct words *words = words_begin("error");
	words_add(words, "code", "\"%s\"", px_error_name(code));
	if (ref[0] != '\0') {
		words_add(words, "ref", "\"%s\"", ref);
	}
	if (field[0] != '\0') {
		words_add(words, "field", "\"%s\"", field);
	}
	words_add_if(words, "id", id);
	sim.errors[code]++;
	expect_line(peer, words_line(words, 512));
}

void expect_ack(struct peer *peer, const char *id, uint64_t seq)
{
	struct words *words = words_begin("ack");
	if (id[0] == '\0') {
		return;
	}
	words_add(words, "id", "%s", id);
	if (seq != 0) {
		words_add(words, "seq", "%llu", (unsigned long long)seq);
	}
	expect_line(peer, words_line(words, 256));
}

void model_clear(struct peer *peer)
{
	for (size_t i = 0; i < peer->count; i++) {
		sim.may_skipped += peer->queue[peer->first + i].may_skip;
		line_unref(peer->queue[peer->first + i].line);
	}
	peer->first = 0;
	peer->count = 0;
	peer->added = 0;
	peer->pings_due = 0;
}

void model_close(struct peer *peer, int code)
{
	if (peer->phase == PX_SESSION_OPEN) {
		peer->phase = PX_SESSION_CLOSING;
		sim.closes[code]++;
		peer->close_code = code;
		peer->returns = code == PX_CLOSE_RESTART;
		model_mark(peer);
	} else if (peer->phase == PX_SESSION_DETACHED) {
		peer->phase = PX_SESSION_LOST;
		model_clear(peer);
	}
}

void model_free(struct peer *peer)
{
	model_leave_all(peer);
	model_clear(peer);
	model_confirm(peer, peer->got);
	free(peer->kept);
	free(peer->queue);
	*peer = (struct peer){ 0 };
}

/* ---- channels ---- */

struct channel *find_channel(enum kind kind, unsigned place, const char *name)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		if (channel->exists && channel->kind == kind && channel->place == place &&
				strcmp(channel->name, name) == 0) {
			return channel;
		}
	}
	return NULL;
}

struct member *find_member(const struct channel *channel, const struct peer *peer)
{
	for (unsigned i = 0; i < channel->member_count; i++) {
		if (channel->members[i].peer == peer) {
			return (struct member *)(uintptr_t)&channel->members[i];
		}
	}
	return NULL;
}

struct member *the_member(const struct channel *channel, const struct peer *peer)
{
	struct member *member = find_member(channel, peer);
	if (!member) {
		sim_fail("the model has lost a member");
	}
	return member;
}

struct channel *find_membership(const struct peer *peer, enum kind kind, int place,
		const char *name)
{
	struct channel *found = NULL;
	uint64_t latest = 0;
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		if (!channel->exists || channel->kind != kind || strcmp(channel->name, name) != 0 ||
				(place >= 0 && channel->place != (unsigned)place)) {
			continue;
		}
		const struct member *member = find_member(channel, peer);
		if (member && member->order > latest) {
			latest = member->order;
			found = channel;
		}
	}
	return found;
}

static unsigned count_channels(void)
{
	unsigned count = 0;
	for (size_t i = 0; i < CHANNELS; i++) {
		count += sim.channels[i].exists;
	}
	return count;
}

static unsigned count_rooms(const struct peer *peer)
{
	unsigned count = 0;
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &sim.channels[i];
		count += channel->exists && (channel->kind == ROOM || channel->kind == WAITING) &&
				find_member(channel, peer);
	}
	return count;
}

/*
 * A board's epoch is the broker's to choose; it must be a new one in each of its lives. One
 * that was begun and ended by a single message is never seen.
 */
static void learn_epoch(const struct peer *peer, struct channel *channel)
{
	const struct px_identity *identity = peer->session->identity;
	const char *id = practice_ids[channel->place % PRACTICES];
	const struct px_held *held = px_identity_find(identity, px_span(id));
	const struct px_service *service = px_broker_service(sim.fake->broker, WHITEBOARD);
	const struct px_channel *real = !held ? NULL : px_session_channel(peer->session,
			service, held->practice, px_span(""));
	if (!real) {
		return;
	}
	const char *epoch = px_channel_epoch(real);
	if (channel->epoch[0] == '\0') {
		strcpy(channel->epoch, epoch);
		if (strcmp(epoch, sim.last_epoch[channel->place]) == 0) {
			sim_fail("a board has the epoch of its life before");
		}
	} else if (strcmp(epoch, channel->epoch) != 0) {
		sim_fail("a board has another epoch all of a sudden");
	}
}

static struct channel *create_channel(enum kind kind, unsigned place, const char *name)
{
	if (count_channels() >= CHANNEL_LIMIT) {
		return NULL;
	}
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		if (!channel->exists) {
			*channel = (struct channel){ .exists = true, .kind = kind, .place = place };
			strcpy(channel->name, name);
			return channel;
		}
	}
	sim_fail("the model has too few channels");
}

int model_join(struct peer *peer, enum kind kind, unsigned place, const char *name,
		struct channel **ret_channel, bool *ret_new)
{
	struct channel *channel = find_channel(kind, place, name);
	*ret_channel = channel;
	if (channel && find_member(channel, peer)) {
		if (kind == BOARD) {
			learn_epoch(peer, channel);
		}
		if (ret_new) {
			*ret_new = false;
		}
		return 0;
	}
	bool is_room = kind == ROOM || kind == WAITING;
	/* Patients may join only the rooms of their token. */
	if (is_room && peer->authenticated && peer->role == PX_ROLE_PATIENT && !peer->has_rooms) {
		return -EACCES;
	}
	/* To be let in makes one room of two. */
	const struct channel *waiting = find_channel(WAITING, place, name);
	bool waits = kind == ROOM && waiting && find_member(waiting, peer);
	if (is_room && count_rooms(peer) - waits >= ROOMS_LIMIT) {
		return -EMFILE;
	}
	channel = channel ? channel : create_channel(kind, place, name);
	if (!channel) {
		return -ENFILE;
	}
	if (kind == ROOM && channel->member_count >= ROOM_MEMBERS) {
		return -ENOSPC;
	}
	/* Who has a place in the line already takes it along: see find_twin(). */
	if (kind == WAITING && channel->member_count >= WAITING_MAX && !find_twin(channel, peer)) {
		return -ENOSPC;
	}
	channel->members[channel->member_count++] = (struct member){ .peer = peer,
		.order = ++sim.order, .has_from = channel->seq, .heard = channel->seq };
	if (kind == BOARD) {
		model_limit_values(channel);
		learn_epoch(peer, channel);
	}
	*ret_channel = channel;
	if (ret_new) {
		*ret_new = true;
	}
	return 0;
}

static void end_channel(struct channel *channel)
{
	for (unsigned i = 0; i < channel->history_count; i++) {
		line_unref(channel->history[i].line);
	}
	for (unsigned i = 0; i < channel->chat_count; i++) {
		line_unref(channel->chat[i]);
	}
	model_forget_values(channel);
	free(channel->persons);
	if (channel->kind == BOARD && channel->epoch[0] != '\0') {
		strcpy(sim.last_epoch[channel->place], channel->epoch);
	}
	*channel = (struct channel){ 0 };
}

static void end_if_empty(struct channel *channel)
{
	if (channel->exists && channel->member_count == 0 && channel->history_count == 0 &&
			channel->value_count == 0) {
		end_channel(channel);
	}
}

const char *told_user(const struct peer *peer, const char *said)
{
	char own[RAW];
	char theirs[RAW];
	if (!peer->authenticated) {
		return said;
	}
	bool is_same = said[0] != '\0' && peer->user[0] != '\0' &&
			strcmp(text_of_raw(said, theirs), text_of_raw(peer->user, own)) == 0;
	return is_same ? said : peer->user;
}

static void tell_left(const struct channel *channel, const struct member *member,
		const char *reason)
{
	const struct peer *peer = member->peer;
	char practice[RAW];
	struct words *words = words_begin("telemedicine_user_left");
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "practiceId", "%s", spell_practice(peer, channel->place, practice));
	words_add(words, "roomId", "%s", member->room);
	words_add_if(words, "userId", told_user(peer, member->user));
	words_add(words, "userName", "%s", peer->authenticated ? peer->name : member->name);
	words_add(words, "reason", "\"%s\"", reason);
	words_add(words, "timestamp", "%lld", (long long)sim.fake->wall_ms);
	struct line *line = words_line(words, 512);
	expect_all(channel, NULL, line);
	if (strcmp(reason, "removed") == 0 || strcmp(reason, "ended") == 0) {
		expect_line(member->peer, line_ref(line));
	}
	line_unref(line);
}

static void leave_hall(struct channel *channel, const struct member *member, const char *reason)
{
	struct words *words = words_begin("probe_left");
	words_add(words, "roomId", "%s", member->room);
	struct line *line = words_line(words, 256);
	line->practice = (int)(channel->place % PRACTICES);
	expect_line(member->peer, line);
	while (member->is_host && strcmp(reason, "ended") != 0 && channel->member_count > 0) {
		model_leave(channel, channel->members[0].peer, "ended");
	}
}

void model_leave(struct channel *channel, struct peer *peer, const char *reason)
{
	struct member *at = find_member(channel, peer);
	struct member member = *at;
	*at = channel->members[--channel->member_count];
	if (channel->kind == ROOM) {
		tell_left(channel, &member, reason);
	} else if (channel->kind == HALL) {
		leave_hall(channel, &member, reason);
	} else if (channel->kind == WAITING) {
		model_left_waiting(channel, &member, reason);
	} else if (channel->kind == PRESENCE) {
		model_left_presence(channel, peer);
	}
	end_if_empty(channel);
}

void model_leave_all(struct peer *peer)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		if (channel->exists && find_member(channel, peer)) {
			model_leave(channel, peer, "disconnected");
		}
	}
}

void model_publish(struct channel *channel, struct line *line, const struct peer *except)
{
	if (channel->kind == BOARD) {
		if (channel->history_count == HISTORY) {
			line_unref(channel->history[0].line);
			memmove(channel->history, channel->history + 1,
					(HISTORY - 1) * sizeof(channel->history[0]));
			channel->history_count--;
		}
		struct entry *entry = &channel->history[channel->history_count++];
		*entry = (struct entry){ line_ref(line), ++channel->seq, sim.fake->mono_ms, "" };
		strcpy(entry->by, except->conn->client_id);
	}
	expect_all(channel, except, line);
	line_unref(line);
}

void model_keep_chat(struct channel *channel, struct line *line, const char *item)
{
	if (channel->chat_count == CHATS) {
		line_unref(channel->chat[0]);
		memmove(channel->chat, channel->chat + 1, (CHATS - 1) * sizeof(channel->chat[0]));
		memmove(channel->chat_item, channel->chat_item + 1,
				(CHATS - 1) * sizeof(channel->chat_item[0]));
		channel->chat_count--;
	}
	strcpy(channel->chat_item[channel->chat_count], item);
	channel->chat[channel->chat_count++] = line_ref(line);
}

void model_expire(void)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		unsigned old = 0;
		while (old < channel->history_count &&
				channel->history[old].at_ms + HISTORY_AGE_MS <= sim.fake->mono_ms) {
			line_unref(channel->history[old++].line);
		}
		channel->history_count -= old;
		memmove(channel->history, channel->history + old,
				channel->history_count * sizeof(channel->history[0]));
		model_expire_values(channel);
		end_if_empty(channel);
	}
}

/* ---- services ---- */

void model_enter(struct peer *peer, unsigned practice, uint32_t services)
{
	struct channel *channel;
	if (!(services & 1u << WHITEBOARD) || !(peer->role & PX_ROLES_TEAM)) {
		return;
	}
	if (model_join(peer, BOARD, place_of(peer, practice), "", &channel, NULL) < 0) {
		model_close(peer, PX_CLOSE_TRY_LATER);
	}
}

uint32_t model_services(const struct peer *peer)
{
	uint32_t own = peer->service < 0 ? UINT32_MAX : 1u << peer->service;
	uint32_t refused = peer->role == PX_ROLE_PATIENT ? 1u << PROBE : 0;
	return sim.realms[peer->realm].enabled & own & ~refused;
}

void model_attach(struct peer *peer)
{
	if (peer->role == 0) {
		return;
	}
	for (unsigned i = 0; i < SERVICES; i++) {
		uint32_t bit = 1u << i;
		if (!(model_services(peer) & bit) || (peer->opened & bit)) {
			continue;
		}
		peer->opened |= bit;
		for (unsigned k = 0; k < peer->held_count; k++) {
			model_enter(peer, peer->held[k].practice, bit);
		}
	}
}
