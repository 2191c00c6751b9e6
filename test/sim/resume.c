/* SPDX-License-Identifier: MIT */
/*
 * Sessions that outlive their connections, as the model sees them: what a client of praxis.v1
 * has got, of which the network may lose the end; what it is given when it is back; and those
 * without, who are reattached by being the same user.
 */
#include "channel/channel.h"
#include "core/practice.h"
#include "outbound/replay_buffer.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool model_hears(const struct peer *peer)
{
	return peer->phase == PX_SESSION_OPEN || (peer->versioned &&
			(peer->phase == PX_SESSION_DETACHED ||
			(peer->phase < PX_SESSION_DETACHED && peer->returns)));
}

bool model_may_live(const struct peer *peer)
{
	bool expired = peer->expires_ms > 0 && peer->expires_ms <= sim.fake->wall_ms;
	return (peer->phase == PX_SESSION_OPEN ||
			(peer->phase < PX_SESSION_DETACHED && peer->returns)) &&
			peer->role != 0 && !expired &&
			(peer->versioned || (peer->authenticated && peer->user[0] != '\0'));
}

/* ---- what has arrived ---- */

static void read_token(struct peer *peer, const char *frame)
{
	const char *at = strstr(frame, "\"token\":\"");
	if (at) {
		at += strlen("\"token\":\"");
		(void)snprintf(peer->token, sizeof(peer->token), "%.*s", (int)strcspn(at, "\""), at);
	}
}

void model_got(struct peer *peer, struct line *line, const char *frame)
{
	if (line->uncounted) {
		read_token(peer, frame);
	}
	if (line->uncounted || !peer->versioned) {
		line_unref(line);
		return;
	}
	if (peer->kept_count == peer->kept_size) {
		peer->kept_size = peer->kept_size * 2 + 16;
		peer->kept = realloc(peer->kept, peer->kept_size * sizeof(struct line *));
		if (!peer->kept) {
			sim_fail("out of memory");
		}
	}
	peer->kept[peer->kept_count++] = line;
	peer->got++;
}

void model_confirm(struct peer *peer, uint64_t n)
{
	uint64_t confirmed = peer->got - peer->kept_count;
	if (n <= confirmed) {
		return;
	}
	size_t count = (size_t)(n - confirmed);
	for (size_t i = 0; i < count; i++) {
		line_unref(peer->kept[i]);
	}
	peer->kept_count -= count;
	memmove(peer->kept, peer->kept + count, peer->kept_count * sizeof(struct line *));
}

/* ---- going ---- */

static const struct expected *find_queued(const struct peer *peer, const struct line *line)
{
	for (size_t i = 0; i < peer->count; i++) {
		if (peer->queue[peer->first + i].line == line) {
			return &peer->queue[peer->first + i];
		}
	}
	return NULL;
}

/* How far the broker says that it has heard a board. */
static uint64_t real_mark(const struct peer *peer, const struct channel *board)
{
	const struct px_member *at = peer->session->members;
	while (at && (strcmp(at->channel->service->name, "whiteboard") != 0 ||
			!at->channel->kind->has_history ||
			strcmp(at->channel->practice->id,
			practice_ids[board->place % PRACTICES]) != 0)) {
		at = at->next;
	}
	return at ? px_member_mark(at) : 0;
}

static const struct entry *latest_for(const struct channel *board, const struct peer *peer)
{
	for (unsigned i = board->history_count; i > 0; i--) {
		if (strcmp(board->history[i - 1].by, peer->conn->client_id) != 0) {
			return &board->history[i - 1];
		}
	}
	return NULL;
}

void model_mark(struct peer *peer)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *board = &sim.channels[i];
		struct member *member = board->exists && board->kind == BOARD ?
				find_member(board, peer) : NULL;
		if (member) {
			member->heard = board->seq;
		}
	}
}

static void note_heard(const struct peer *peer, bool deaf)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *board = &sim.channels[i];
		struct member *member = board->exists && board->kind == BOARD ?
				find_member(board, peer) : NULL;
		const struct entry *entry = member ? latest_for(board, peer) : NULL;
		if (member) {
			const struct expected *queued = entry ? find_queued(peer, entry->line) : NULL;
			bool missed = queued || (entry && deaf && entry->at_ms > peer->alive_ms);
			if (queued && queued->may_skip) {
				/* An update of its own with that key may have replaced it. */
				missed = real_mark(peer, board) < entry->seq;
			}
			if (missed && entry->seq <= member->heard) {
				member->heard = entry->seq - 1;
			}
		}
	}
}

/* Greetings that were not written are not written any more. */
static void drop_uncounted(struct peer *peer)
{
	size_t kept = 0;
	for (size_t i = 0; i < peer->count; i++) {
		struct expected *expected = &peer->queue[peer->first + i];
		if (expected->line->uncounted) {
			line_unref(expected->line);
		} else {
			peer->queue[peer->first + kept++] = *expected;
		}
	}
	peer->count = kept;
}

/*
 * It fell silent, or its connection failed, somewhere in the turn. What was sent to it before
 * counts as missed, if its service is disabled; what was sent after does not, and the model does
 * not know which was which.
 */
static void learn_missed(struct peer *peer)
{
	uint32_t unsure = peer->opened & ~sim.realms[peer->realm].enabled;
	peer->missed = (peer->missed & ~unsure) | (peer->session->missed & unsure);
}

void model_detach(struct peer *peer, bool deaf)
{
	if (peer->session->phase != PX_SESSION_DETACHED) {
		sim_fail("client %s is in phase %d, but must be detached", peer->conn->client_id,
				peer->session->phase);
	}
	if (peer->versioned) {
		drop_uncounted(peer);
	} else {
		if (peer->phase == PX_SESSION_OPEN) {
			model_mark(peer);
		}
		note_heard(peer, deaf);
		if (deaf) {
			learn_missed(peer);
		}
		model_clear(peer);
	}
	peer->phase = PX_SESSION_DETACHED;
	peer->pings_due = 0;
	peer->returns = false;
	int64_t left_ms = peer->expires_ms - sim.fake->wall_ms;
	bool expires = peer->expires_ms > 0 && left_ms < GRACE_MS;
	peer->end_ms = sim.fake->mono_ms + (expires ? left_ms : GRACE_MS);
	peer->detached = ++sim.detached;
}

/* ---- coming back ---- */

/* With a new connection; the old one was let go. */
static void take_hold(struct peer *peer, struct fake_conn *conn)
{
	if (conn->session != peer->session) {
		sim_fail("client %s is not given its session", peer->conn->client_id);
	}
	if (peer->conn->session) {
		sim_fail("client %s has two connections", peer->conn->client_id);
	}
	fake_forget_conn(peer->conn);
	peer->conn = conn;
	peer->phase = PX_SESSION_OPEN;
	peer->close_code = FAKE_OPEN;
	peer->returns = false;
	peer->is_told = false;
	peer->is_back = true;
	peer->is_blurred = false;
	peer->alive_ms = sim.fake->mono_ms;
	peer->pinged_ms = -1;
	peer->pings_due = 0;
	peer->cut_ms = -1;
	peer->writes = conn->writes;
	peer->wrote_ms = sim.fake->mono_ms;
	peer->is_noticed = false;
	peer->due_ms = -1;
}

/* Of two who fell silent at once the broker knows. */
static bool waits_longer(const struct peer *a, const struct peer *b)
{
	return a->end_ms != b->end_ms ? a->detached < b->detached :
			a->session->resume->order < b->session->resume->order;
}

struct peer *find_reattachable(const struct peer *like)
{
	struct peer *found = NULL;
	char user[RAW];
	char other[RAW];
	text_of_raw(like->user, user);
	if (like->versioned || !like->authenticated || user[0] == '\0') {
		return NULL;
	}
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->phase == PX_SESSION_DETACHED && !peer->versioned &&
				peer->tenant == like->tenant && peer->realm == like->realm &&
				peer->service == like->service &&
				strcmp(text_of_raw(peer->user, other), user) == 0 &&
				(!found || waits_longer(peer, found))) {
			found = peer;
		}
	}
	return found;
}

static void catch_up(struct peer *peer)
{
	sim.batch = (unsigned)sim.turn + 1 + (1u << 30);
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *board = &sim.channels[i];
		struct member *member = board->exists && board->kind == BOARD ?
				find_member(board, peer) : NULL;
		const struct entry *entry = member ? latest_for(board, peer) : NULL;
		if (entry && entry->seq > member->heard) {
			expect_line(peer, line_ref(entry->line));
		}
		if (member) {
			member->missed = board->seq;
		}
	}
	sim.batch = 0;
}

void reattach(struct peer *peer)
{
	tokens_pick_expiry(peer);
	take_hold(peer, connect_as(peer, NULL, 0, false));
	sim.reattached++;
	expect_greeting(peer, false);
	model_attach(peer);
	catch_up(peer);
}

void reattach_by_auth(struct peer *peer, struct peer *unauthenticated)
{
	struct fake_conn *conn = unauthenticated->conn;
	take_hold(peer, conn);
	px_session_client_id(peer->session, conn->client_id);
	peer->pings_due = unauthenticated->pings_due;
	peer->ping_ms = unauthenticated->ping_ms;
	peer->queued = unauthenticated->queued + unauthenticated->added;
	for (size_t i = 0; i < unauthenticated->count; i++) {
		const struct expected *expected = &unauthenticated->queue[unauthenticated->first + i];
		expect_line(peer, line_ref(expected->line));
		peer->queue[peer->first + peer->count - 1].at_ms = expected->at_ms;
	}
	model_free(unauthenticated);
	sim.reattached++;
	expect_greeting(peer, false);
	expect_line(peer, words_line(words_begin("auth_ok"), 1024));
	model_attach(peer);
	catch_up(peer);
}

/* Of what it has got the network lost the end: it comes again, before what waits. */
static void replay(struct peer *peer, uint64_t n)
{
	struct expected *rest = peer->queue + peer->first;
	size_t rest_count = peer->count;
	struct expected *old = peer->queue;
	size_t lost = (size_t)(peer->got - n);
	model_confirm(peer, n);
	peer->queue = NULL;
	peer->first = peer->count = peer->size = 0;
	struct words *words = words_begin("resumed");
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	words_add(words, "received", "%llu", (unsigned long long)peer->taken);
	struct line *line = words_line(words, 256);
	line->uncounted = true;
	expect_line(peer, line);
	peer->pings_due = 1;
	peer->ping_ms = sim.fake->mono_ms;
	peer->added += 4;
	for (size_t i = 0; i < lost; i++) {
		expect_line(peer, peer->kept[i]);
	}
	for (size_t i = 0; i < rest_count; i++) {
		sim.batch = rest[i].batch;
		expect_line(peer, rest[i].line);
		peer->queue[peer->first + peer->count - 1].may_skip = rest[i].may_skip;
	}
	sim.batch = 0;
	free(old);
	peer->kept_count = 0;
	peer->got = n;
	sim.replayed += lost;
}

static void resume(struct peer *peer)
{
	unsigned most = peer->kept_count < 8 ? (unsigned)peer->kept_count : 8;
	uint64_t n = peer->got - (chance(10) ? peer->kept_count : dice(most + 1));
	bool attached = peer->phase != PX_SESSION_DETACHED;
	if (attached) {
		sim.takeovers++;
		drop_uncounted(peer);
	}
	struct fake_conn *old = peer->conn;
	int code = old->busy ? 0 : PX_CLOSE_REPLACED;
	bool was_open = peer->phase == PX_SESSION_OPEN;
	bool tell = attached && peer->phase != PX_SESSION_CLOSED;
	/* What told it the new token may have been lost, too. */
	const char *token = peer->is_former_good && chance(50) ? peer->former : peer->token;
	struct peer renewed = *peer;
	bool renews = peer->authenticated && chance(40);
	if (renews) {
		tokens_invent(&renewed);
	}
	struct fake_conn *conn = connect_as(&renewed, token, (int64_t)n, !renews && chance(50));
	memmove(peer->former, token, strlen(token) + 1);
	strcpy(peer->token, peer->former); /* until `resumed` has arrived */
	peer->is_former_good = true;
	if (tell) {
		sim.closes[PX_CLOSE_REPLACED] += was_open;
		sim.cuts += code == 0;
		if (old->close_code != code) {
			sim_fail("client %s, replaced, is told %d", old->client_id, old->close_code);
		}
	}
	sim.resumes[PX_RESUME_DONE]++;
	take_hold(peer, conn);
	replay(peer, n);
	if (renews) {
		tokens_become(peer, &renewed, false);
	}
	model_attach(peer);
}

/* Something is wrong with it: it gets a session like everybody. */
static void fail_to_resume(struct peer *peer, struct peer *new)
{
	char token[64];
	uint64_t n = peer->got;
	uint64_t confirmed = peer->got - peer->kept_count;
	enum px_resume_result result = PX_RESUME_UNKNOWN;
	unsigned way = dice(4);
	strcpy(token, peer->token);
	*new = (struct peer){ .pinged_ms = -1, .cut_ms = -1, .close_code = FAKE_OPEN,
		.tenant = peer->tenant, .realm = peer->realm, .service = -1, .role = peer->role,
		.authenticated = peer->authenticated, .has_rooms = peer->has_rooms,
		.held_count = peer->held_count, .versioned = true };
	memcpy(new->held, peer->held, sizeof(new->held));
	strcpy(new->user, peer->user);
	strcpy(new->name, peer->name);
	if (way == 0 && confirmed > 0) {
		n = dice((unsigned)confirmed);
		result = PX_RESUME_BEHIND;
	} else if (way == 1) {
		n += 1000;
		result = PX_RESUME_BAD_COUNT;
	} else if (way == 2) {
		strcpy(new->user, strcmp(peer->user, "\"somebody\"") == 0 ? "\"other\"" :
				"\"somebody\"");
		result = PX_RESUME_OTHER_USER;
	} else if (peer->former[0] != '\0' && !peer->is_former_good) {
		strcpy(token, peer->former);
	} else {
		token[20] = token[20] == '0' ? '1' : '0';
	}
	new->conn = connect_as(new, token, (int64_t)n, false);
	new->session = new->conn->session;
	if (new->session == peer->session) {
		sim_fail("client %s resumes what it must not", peer->conn->client_id);
	}
	new->alive_ms = sim.fake->mono_ms;
	sim.opened++;
	sim.resumes[result]++;
	if (result == PX_RESUME_BEHIND) {
		model_close(peer, PX_CLOSE_REPLACED);
	}
	expect_greeting(new, true);
	model_attach(new);
}

void reconnect(void)
{
	struct peer *peer = &sim.peers[dice(PEERS)];
	struct peer *free_place = &sim.peers[dice(PEERS)];
	bool attached = chance(5);
	for (int tries = 0; tries < 50 && (!peer->conn || peer->phase == PX_SESSION_LOST ||
			(!attached && peer->phase != PX_SESSION_DETACHED)); tries++) {
		peer = &sim.peers[dice(PEERS)];
	}
	bool there = peer->conn && peer->role != 0 && (peer->phase == PX_SESSION_OPEN ||
			peer->phase == PX_SESSION_DETACHED ||
			(peer->phase < PX_SESSION_DETACHED && peer->returns));
	/* One whose token was lost with all that was written has to begin anew. */
	bool has_token = peer->token[0] != '\0' &&
			(peer->is_former_good || strcmp(peer->token, peer->former) != 0);
	if (!there || (peer->versioned && !has_token) ||
			(!attached && peer->phase != PX_SESSION_DETACHED)) {
		return;
	}
	if (!peer->versioned && peer->phase == PX_SESSION_DETACHED) {
		reattach(find_reattachable(peer));
	} else if (peer->versioned && chance(10) && !free_place->conn) {
		fail_to_resume(peer, free_place);
	} else if (peer->versioned) {
		resume(peer);
	}
}
