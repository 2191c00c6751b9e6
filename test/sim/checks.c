/* SPDX-License-Identifier: MIT */
/*
 * Whether broker and model are of one opinion. After each action: what reached the clients
 * and who was cut off; after each turn also that nothing is owed, that the figures add up,
 * and that the broker's own lists are whole.
 */
#include "channel/channel.h"
#include "core/practice.h"
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what reached a client ---- */

static void take(struct peer *peer, size_t at)
{
	memmove(&peer->queue[peer->first + 1], &peer->queue[peer->first],
			at * sizeof(peer->queue[0]));
	peer->first++;
	peer->count--;
}

static bool is_superseded(const struct peer *peer, size_t at)
{
	const struct expected *queue = &peer->queue[peer->first];
	for (size_t i = at + 1; i < peer->count; i++) {
		if (strcmp(queue[i].line->key, queue[at].line->key) == 0) {
			return true;
		}
	}
	return false;
}

/* Its queue is over its limit: what newer ones with the same key supersede may go. */
static void mark_skippable(struct peer *peer)
{
	for (size_t i = 0; i < peer->count; i++) {
		struct expected *expected = &peer->queue[peer->first + i];
		expected->may_skip = expected->may_skip ||
				(expected->line->key[0] != '\0' && is_superseded(peer, i));
	}
}

/* The place of the line, which is the next one or of the same batch; -ENOENT. */
static int find_next(const struct peer *peer, const char *line)
{
	const struct expected *next = &peer->queue[peer->first];
	for (size_t i = 0; i < peer->count; i++) {
		if (i > 0 && (next[0].batch == 0 || next[i].batch != next[0].batch)) {
			break;
		}
		if (strcmp(next[i].line->text, line) == 0) {
			return (int)i;
		}
	}
	return -ENOENT;
}

/* Of two that are the same, and of which one may be left out, it may have been either. */
static void skip_same(struct peer *peer, const char *line)
{
	for (size_t i = 0; i < peer->count; i++) {
		struct expected *expected = &peer->queue[peer->first + i];
		if (strcmp(expected->line->text, line) == 0) {
			expected->may_skip = true;
			return;
		}
	}
}

/*
 * Takes the line out of what its client must get, with those before it that did not come and need
 * not. One of a batch may come before such a one, and leave it due.
 */
static void match(struct peer *peer, const char *line, const char *frame)
{
	int at;
	while ((at = find_next(peer, line)) < 0) {
		const struct expected *next = &peer->queue[peer->first];
		if (peer->count == 0 || !next->may_skip) {
			sim_fail("client %s got     %s\n    but must get   %s", peer->conn->client_id,
					line, peer->count > 0 ? next->line->text : "nothing");
		}
		sim.skipped++;
		line_unref(next->line);
		take(peer, 0);
	}
	struct expected got = peer->queue[peer->first + (size_t)at];
	take(peer, (size_t)at);
	if (got.may_skip) {
		skip_same(peer, line);
	}
	model_got(peer, got.line, frame);
}

static void read_frames(struct peer *peer)
{
	struct fake_conn *conn = peer->conn;
	const struct fake_frame *frame;
	while ((frame = fake_next(conn))) {
		if (frame->opcode == FAKE_PING) {
			if (peer->pings_due == 0) {
				sim_fail("client %s is pinged without need", conn->client_id);
			}
			peer->pings_due--;
			continue;
		}
		const char *text = fake_frame_text(conn, frame);
		match(peer, line_of_frame(text, frame->len), text);
	}
	fake_forget(conn);
}

/* ---- who was cut off ---- */

/* The broker says that it is too slow a reader, and the model does not know it yet. */
static bool is_slow(const struct peer *peer)
{
	const struct px_session *session = peer->session;
	bool is_closing = session->phase == PX_SESSION_CLOSING ||
			(session->phase == PX_SESSION_CLOSED && peer->returns);
	return peer->phase <= PX_SESSION_CLOSED && is_closing &&
			session->close_code == PX_CLOSE_SLOW && peer->close_code != PX_CLOSE_SLOW;
}

/* Its transport is full (or closed), and so was its queue with what it had to get. */
static bool is_over(const struct peer *peer)
{
	bool stuck = peer->conn->busy || peer->phase == PX_SESSION_CLOSED;
	return stuck && peer->count + peer->pings_due > 1 &&
			peer->queued + peer->added > QUEUE_BYTES;
}

/* Its transport is full, and what it has to get waits for long. */
static bool is_late(const struct peer *peer)
{
	int64_t at_ms = peer->pings_due > 0 ? peer->ping_ms : INT64_MAX;
	if (peer->count > 0 && peer->queue[peer->first].at_ms < at_ms) {
		at_ms = peer->queue[peer->first].at_ms;
	}
	return peer->conn->busy && at_ms <= sim.fake->mono_ms - QUEUE_AGE_MS;
}

static bool may_be_slow(const struct peer *peer)
{
	return is_over(peer) || is_late(peer);
}

/* Its transport has taken nothing since what it has to get began to wait, too long ago. */
static void check_late(struct peer *peer)
{
	size_t at = 0;
	while (at + 1 < peer->count && peer->queue[peer->first + at].may_skip) {
		at++;
	}
	const struct expected *first = &peer->queue[peer->first + at];
	if (peer->conn->writes != peer->writes) {
		peer->writes = peer->conn->writes;
		peer->wrote_ms = sim.fake->mono_ms;
	}
	/* At the end of a turn it was late already, and some time went by since. */
	int64_t late_ms = sim.turn_ms - QUEUE_AGE_MS;
	if (peer->phase == PX_SESSION_OPEN && is_late(peer) && peer->count > 0 &&
			sim.fake->mono_ms > sim.turn_ms && first->at_ms <= late_ms &&
			peer->wrote_ms <= late_ms) {
		sim_fail("client %s reads nothing and stays", peer->conn->client_id);
	}
}

_Noreturn static void fail_slow(const struct peer *peer)
{
	sim_fail("client %s is no slow reader: %s, %zu bytes queued, at most %zu more",
			peer->conn->client_id, peer->conn->busy ? "busy" : "not busy", peer->queued,
			peer->added);
}

/* Takes over what happened to the connection; its frames were read. */
static void take_over(struct peer *peer, bool failed, bool slow)
{
	peer->is_blurred = peer->is_blurred || (failed && peer->versioned);
	if (failed && model_may_live(peer)) {
		model_detach(peer, true);
	} else if (failed) {
		peer->phase = PX_SESSION_CLOSED;
		peer->is_told = true;
		model_clear(peer);
	} else if (slow) {
		sim.closes[PX_CLOSE_SLOW] += peer->phase == PX_SESSION_OPEN;
		sim.unsure += peer->phase != PX_SESSION_OPEN; /* which of two reasons was first */
		peer->phase = peer->phase == PX_SESSION_CLOSED ? PX_SESSION_CLOSED :
				PX_SESSION_CLOSING;
		peer->close_code = PX_CLOSE_SLOW;
		peer->returns = false;
		sim.slow++;
		model_clear(peer);
	}
}

static bool has_failed(const struct peer *peer)
{
	return peer->conn->failed && peer->phase <= PX_SESSION_CLOSING;
}

static void check_phase(struct peer *peer)
{
	const struct px_session *session = peer->session;
	if (session->phase != peer->phase) {
		sim_fail("client %s is in phase %d (%d), but must be in %d", peer->conn->client_id,
				session->phase, session->close_code, peer->phase);
	}
	if (peer->phase == PX_SESSION_CLOSING && session->close_code != peer->close_code) {
		sim_fail("client %s is closed with %d, but must be with %d", peer->conn->client_id,
				session->close_code, peer->close_code);
	}
	/* One alone may be larger, also behind those that it replaced. */
	if (peer->phase == PX_SESSION_OPEN && session->queue.bytes > QUEUE_BYTES && !peer->is_back &&
			session->queue.count > 1) {
		sim_fail("client %s has %u bytes queued", peer->conn->client_id,
				session->queue.bytes);
	}
	if (peer->conn->close_code != FAKE_OPEN && !peer->is_told) {
		if (peer->phase != PX_SESSION_CLOSED ||
				peer->conn->close_code != peer->close_code) {
			sim_fail("client %s is told %d, but must be told %d", peer->conn->client_id,
					peer->conn->close_code, peer->close_code);
		}
		peer->is_told = true;
		sim.cuts += peer->close_code == 0;
	}
	check_late(peer);
	peer->queued = session->queue.bytes;
	peer->added = 0;
}

void check_action(void)
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (!peer->conn || peer->phase >= PX_SESSION_DETACHED) {
			continue;
		}
		bool slow = is_slow(peer);
		if (slow && !may_be_slow(peer)) {
			fail_slow(peer);
		}
		if (is_over(peer)) {
			mark_skippable(peer);
		}
		read_frames(peer);
		take_over(peer, has_failed(peer), slow);
		if (peer->phase < PX_SESSION_DETACHED) {
			check_phase(peer);
		}
	}
}

/* ---- the end of a turn ---- */

static void leave(struct peer *peer)
{
	if (!peer->has_left) {
		peer->has_left = true;
		model_leave_all(peer);
	}
}

/*
 * Who is closing or lost leaves everything. One whose write failed in this turn stays where
 * it is until it is lost; one who comes back from a restart is not to be missed before. What
 * they leave behind may be too much for others, who then leave, too: each must be explained
 * by those before it.
 */
static void leave_those_who_go(const bool failed[PEERS], const bool slow[PEERS])
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn &&
				((peer->phase == PX_SESSION_CLOSING && !failed[i] &&
				peer->close_code != PX_CLOSE_RESTART) ||
						peer->phase == PX_SESSION_LOST)) {
			leave(peer);
		}
	}
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < PEERS; i++) {
			struct peer *peer = &sim.peers[i];
			if (slow[i] && !peer->has_left && peer->phase != PX_SESSION_CLOSED &&
					may_be_slow(peer)) {
				leave(peer);
				again = true;
			}
		}
	}
	for (size_t i = 0; i < PEERS; i++) {
		if (slow[i] && !sim.peers[i].has_left &&
				sim.peers[i].phase != PX_SESSION_CLOSED) {
			fail_slow(&sim.peers[i]);
		}
	}
}

/* What is closing and has nothing more to write is told so; else its last chance begins. */
static void end_closing(struct peer *peer)
{
	if (peer->phase != PX_SESSION_CLOSING) {
		return;
	}
	if (!peer->conn->busy) {
		peer->phase = PX_SESSION_CLOSED;
		if ((peer->count > 0 && !model_hears(peer)) || peer->conn->close_code == FAKE_OPEN) {
			sim_fail("client %s is not told that it is closed", peer->conn->client_id);
		}
	} else if (peer->cut_ms < 0) {
		peer->cut_ms = sim.fake->mono_ms + SLOW_CLOSE_MS;
	}
}

static void check_owed(const struct peer *peer)
{
	if (peer->phase == PX_SESSION_OPEN && !peer->conn->busy &&
			(peer->count > 0 || peer->pings_due > 0)) {
		const char *line = peer->count > 0 ? peer->queue[peer->first].line->text :
				"no message";
		sim_fail("client %s is owed %u pings and %s", peer->conn->client_id,
				peer->pings_due, line);
	}
}

static void forget_the_lost(void)
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->phase == PX_SESSION_LOST) {
			struct fake_conn *conn = peer->conn;
			model_free(peer);
			fake_forget_conn(conn);
		}
	}
}

/* ---- figures ---- */

static void same(const char *what, uint64_t is, uint64_t must)
{
	if (is != must) {
		sim_fail("%s is %llu, but must be %llu", what, (unsigned long long)is,
				(unsigned long long)must);
	}
}

static uint64_t count_practices(void)
{
	bool used[PLACES] = { false };
	uint64_t count = 0;
	for (size_t i = 0; i < PEERS; i++) {
		for (unsigned k = 0; sim.peers[i].conn && k < sim.peers[i].held_count; k++) {
			used[place_of(&sim.peers[i], sim.peers[i].held[k].practice)] = true;
		}
	}
	for (size_t i = 0; i < PLACES; i++) {
		count += used[i];
	}
	return count;
}

static void check_present(const struct px_stats *stats)
{
	uint64_t sessions = 0, queued = 0, channels = 0, rooms = 0;
	uint64_t members = 0, room_members = 0, waiting = 0;
	uint64_t kept = 0, detached = 0, unconfirmed = 0;
	bool blurred = false;
	for (size_t i = 0; i < PEERS; i++) {
		if (sim.peers[i].conn) {
			sessions += sim.peers[i].phase != PX_SESSION_DETACHED;
			detached += sim.peers[i].phase == PX_SESSION_DETACHED;
			unconfirmed += sim.peers[i].kept_count;
			blurred = blurred || sim.peers[i].is_blurred;
			queued += sim.peers[i].session->queue.bytes;
		}
	}
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &sim.channels[i];
		channels += channel->exists;
		rooms += channel->exists && channel->kind == ROOM;
		members += channel->member_count;
		waiting += channel->kind == WAITING ? channel->member_count : 0;
		room_members += channel->exists && channel->kind == ROOM ? channel->member_count : 0;
		kept += channel->history_count + channel->chat_count + model_extra_values(channel);
	}
	same("sessions", stats->sessions, sessions);
	same("detached", stats->detached, detached);
	if (!blurred) {
		same("kept_messages", stats->kept_messages, unconfirmed);
	}
	same("queue_bytes", stats->queue_bytes, queued);
	same("channels", stats->channels, channels);
	same("rooms", stats->rooms, rooms);
	same("members", stats->members, members);
	same("waiting", stats->waiting, waiting);
	same("room_members", stats->room_members, room_members);
	same("practices", stats->practices, count_practices());
	if (queued == 0 && stats->kept_messages == 0) {
		same("messages_live", stats->messages_live, kept);
	}
}

static void check_past(const struct px_stats *stats)
{
	uint64_t closes = 0;
	uint64_t must_close = 0;
	same("sessions_opened", stats->sessions_opened, sim.opened);
	same("messages_in", stats->messages_in, sim.messages_in);
	same("bytes_in", stats->bytes_in, sim.bytes_in);
	same("bytes_out", stats->bytes_out, sim.fake->bytes_out);
	same("slow_readers", stats->slow_readers, sim.slow);
	if (stats->replaced < sim.skipped) {
		sim_fail("%llu messages were replaced, but at least %llu did not come",
				(unsigned long long)stats->replaced, (unsigned long long)sim.skipped);
	}
	same("breaks", stats->breaks, sim.detached);
	for (unsigned i = 0; i < PX_RESUME_COUNT; i++) {
		same("resumes with some result", stats->resumes[i], sim.resumes[i]);
	}
	same("takeovers", stats->takeovers, sim.takeovers);
	same("healed", stats->healed, sim.reattached);
	same("silent_peers", stats->silent_peers, sim.silent);
	same("rate_limited", stats->rate_limited, sim.limited);
	for (unsigned i = 0; i < PX_E_COUNT; i++) {
		if (i == PX_E_TOKEN_EXPIRED && stats->errors[i] > sim.errors[i] &&
				stats->errors[i] <= sim.errors[i] + sim.unsure_expired) {
			sim.errors[i] = stats->errors[i];
		}
		same(px_error_name(i), stats->errors[i], sim.errors[i]);
	}
	sim.unsure_expired = 0;
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		uint64_t must = sim.closes[px_close_code(i)];
		closes += stats->closes[i];
		must_close += must;
		if (stats->closes[i] + sim.unsure < must || stats->closes[i] > must + sim.unsure) {
			same("the closes with a code", stats->closes[i], must);
		}
	}
	same("the closes", closes, must_close);
	same("the cuts", stats->cuts, sim.cuts);
}

/* ---- the broker's own lists ---- */

static struct peer *peer_of(const struct px_session *session)
{
	for (size_t i = 0; i < PEERS; i++) {
		if (sim.peers[i].conn && sim.peers[i].session == session) {
			return &sim.peers[i];
		}
	}
	sim_fail("a channel has a member that is no session");
}

static bool is_listed(const struct px_session *session, const struct px_member *member)
{
	const struct px_member *at = session->members;
	while (at && at != member) {
		at = at->next;
	}
	return at != NULL;
}

static unsigned place_of_practice(const struct px_practice *practice)
{
	static const char *const tenants[TENANTS] = { "north", "south", "north1" };
	for (unsigned i = 0; i < PLACES; i++) {
		if (strcmp(practice->tenant, tenants[i / PRACTICES]) == 0 &&
				strcmp(practice->id, practice_ids[i % PRACTICES]) == 0) {
			return i;
		}
	}
	sim_fail("there is a practice that nobody made");
}

static void check_channel(const struct px_channel *real)
{
	char name[16];
	enum kind kind = strcmp(real->service->name, "whiteboard") == 0 ?
			(real->kind->has_history ? BOARD : PRESENCE) :
			strcmp(real->service->name, "probe") == 0 ? HALL :
			real->kind->waiting ? WAITING : ROOM;
	(void)snprintf(name, sizeof(name), "%.*s", (int)real->name_len, real->name);
	unsigned place = place_of_practice(real->practice);
	const struct channel *channel = find_channel(kind, place, name);
	if (!channel || channel->member_count != real->member_count || channel->seq != real->seq ||
			channel->history_count != real->history.count) {
		sim_fail("%s %s of place %u is not as it must be", real->service->name, name,
				place);
	}
	check_values(real, channel);
	for (uint32_t i = 0; i < real->member_count; i++) {
		const struct px_member *member = real->members[i];
		const struct peer *peer = peer_of(member->session);
		if (member->index != i || member->channel != real ||
				!is_listed(member->session, member) ||
				!find_member(channel, peer) || peer->tenant != place / PRACTICES ||
				find_held(peer, place % PRACTICES) < 0) {
			sim_fail("a member of %s %s of place %u is not as it must be",
					real->service->name, name, place);
		}
	}
}

static void check_lists(void)
{
	struct px_broker *broker = sim.fake->broker;
	px_table_settle(&broker->channels);
	for (size_t i = 0; i < broker->channels.slot_count; i++) {
		const struct px_table_link *link = broker->channels.slots[i];
		for (; link; link = link->next) {
			check_channel((const struct px_channel *)link);
		}
	}
	if (broker->dirty || broker->ending) {
		sim_fail("a turn's end left something to do");
	}
}

/* At once, or in the smallest pieces: nobody may notice. */
static void end_turn(void)
{
	unsigned pieces = 0;
	sim.fake->over_budget = chance(30);
	while (px_broker_end_turn(sim.fake->broker)) {
		if (!sim.fake->over_budget || ++pieces > 10000) {
			sim_fail("a turn does not end");
		}
	}
	sim.fake->over_budget = false;
}

void check_turn(void)
{
	struct px_stats stats;
	bool failed[PEERS] = { false };
	bool slow[PEERS] = { false };
	end_turn();
	for (size_t i = 0; i < PEERS; i++) {
		const struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->phase < PX_SESSION_DETACHED) {
			failed[i] = has_failed(peer);
			slow[i] = is_slow(peer);
		}
	}
	sim.batch = (unsigned)sim.turn + 1;
	leave_those_who_go(failed, slow);
	sim.batch = 0;
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->phase < PX_SESSION_DETACHED) {
			if (is_over(peer)) {
				mark_skippable(peer);
			}
			read_frames(peer);
			take_over(peer, failed[i], slow[i]);
			end_closing(peer);
			if (peer->phase < PX_SESSION_DETACHED) {
				check_phase(peer);
				check_owed(peer);
			}
			peer->is_back = peer->is_back && peer->session->queue.bytes > QUEUE_BYTES;
		}
	}
	forget_the_lost();
	sim.turn_ms = sim.fake->mono_ms;
	px_broker_stats(sim.fake->broker, &stats);
	check_present(&stats);
	check_past(&stats);
	if (sim.turn++ % 8 == 0) {
		check_lists();
	}
	if (sim.turn % 32 == 0) {
		check_operating();
	}
}

void check_end(void)
{
	struct px_stats stats;
	lose_all();
	check_turn();
	sim.fake->mono_ms += BOARD_AGE_MS;
	px_broker_set_time(sim.fake->broker, sim.fake->mono_ms, sim.fake->wall_ms);
	model_expire();
	check_turn();
	px_broker_stats(sim.fake->broker, &stats);
	same("sessions at the end", stats.sessions, 0);
	same("channels at the end", stats.channels, 0);
	same("members at the end", stats.members, 0);
	same("practices at the end", stats.practices, 0);
	same("messages at the end", stats.messages_live, 0);
	same("closed hooks", probe_closed, probe_opened);
}
