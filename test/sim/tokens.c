/* SPDX-License-Identifier: MIT */
/*
 * Identity over time: `auth` of unauthenticated sessions and of those that renew, with tokens
 * that are good, bad, or of another user; what time does to a token; and sessions over their
 * rate.
 *
 * Tokens expire by the wall's clock, which is set back and forth here, and are looked at when a
 * timer asks: when that is, the broker decides. The model checks that it was not too early,
 * nor later than a heartbeat.
 */
#include "say.h"
#include "core/session.h"

#include <stdio.h>
#include <string.h>

#define TOKEN "a.b.c"

/* What the host says of the next token. */
static struct px_authentication next;

static void judge(void *user, void *conn, const struct px_realm *realm, struct px_span token,
		struct px_authentication *ret_authentication)
{
	(void)user;
	(void)conn;
	(void)realm;
	if (!px_span_equal(token, px_span(TOKEN))) {
		sim_fail("the host is asked of another token");
	}
	*ret_authentication = next;
	next = (struct px_authentication){ .verdict = PX_VERDICT_NO_TOKENS };
}

void tokens_begin(void)
{
	sim.fake->broker->host.authenticate = judge;
}

void tokens_who(const struct peer *peer, struct who_words *words, struct fake_who *ret_who)
{
	static const char *const tenants[TENANTS] = { "north", "south", "north1" };
	static const char *const services[SERVICES] = { "whiteboard", "telemedicine", "probe" };
	char *at = words->practices;
	*at = '\0';
	for (unsigned i = 0; i < peer->held_count; i++) {
		at += sprintf(at, peer->held[i].number ? "%s%s" : "%s\"%s\"", i > 0 ? " " : "",
				practice_ids[peer->held[i].practice]);
	}
	/* As a host would read it out of a token: without JSON's escapes. */
	text_of_raw(peer->name, words->name);
	if (strcmp(words->name, "Q\\\"x") == 0) {
		strcpy(words->name, "Q\"x");
	}
	*ret_who = (struct fake_who){
		.tenant = tenants[peer->tenant],
		.practices = words->practices,
		.user = peer->user,
		.name = words->name,
		.role = peer->role,
		.unauthenticated = peer->role == 0,
		.authenticated = peer->authenticated,
		.rooms = peer->has_rooms ? "1 2 \"r3\"" : NULL,
		.expires_ms = peer->expires_ms,
		.service = peer->service < 0 ? NULL : services[peer->service],
		.realm = &sim.realms[peer->realm],
	};
}

/* Only where its end meets no other timer of a call: which is first would be a guess. */
void tokens_pick_expiry(struct peer *peer)
{
	bool may = peer->authenticated && peer->service >= 0 && peer->service != TELEMEDICINE &&
			!is_present(peer);
	peer->expires_ms = may && chance(80) ? sim.fake->wall_ms + 1000 + dice(60000) : 0;
	peer->is_noticed = false;
	peer->due_ms = -1;
}

/* ---- time ---- */

static void check_late(struct peer *peer, bool is_due)
{
	int64_t now_ms = sim.fake->mono_ms;
	if (!is_due) {
		peer->due_ms = -1;
	} else if (peer->due_ms < 0) {
		peer->due_ms = now_ms;
	} else if (now_ms - peer->due_ms > HEARTBEAT_MS) {
		sim_fail("client %s: its token is long due", peer->conn->client_id);
	}
}

static void check_expiry(struct peer *peer)
{
	const struct px_session *session = peer->session;
	int64_t left_ms = peer->expires_ms - sim.fake->wall_ms;
	if (session->phase == PX_SESSION_CLOSING) {
		if (left_ms > 0) {
			sim_fail("client %s: its token expires too early", peer->conn->client_id);
		}
		expect_error(peer, PX_E_TOKEN_EXPIRED, "", "", "");
		model_close(peer, PX_CLOSE_UNAUTHENTICATED);
		sim.done[57]++;
		return;
	}
	if (session->is_noticed && !peer->is_noticed) {
		if (left_ms > AUTH_NOTICE_MS) {
			sim_fail("client %s is told too early", peer->conn->client_id);
		}
		peer->is_noticed = true;
		expect_line(peer, words_line(words_begin("auth_expiring"), 128));
	}
	bool is_near = sim.fake->wall_ms >= session->identity->notice_ms;
	check_late(peer, left_ms <= 0 || (is_near && !peer->is_noticed));
}

void tokens_pass_time(struct peer *peer)
{
	const struct px_session *session = peer->session;
	if (session->phase == PX_SESSION_CLOSING &&
			session->close_code != PX_CLOSE_UNAUTHENTICATED) {
		/* Too slow a reader, before it came to that, or by being told: check_action() sees. */
		peer->added += peer->expires_ms > 0 ? 256 : 0;
		sim.unsure_expired += peer->expires_ms > 0 && sim.fake->wall_ms >= peer->expires_ms;
		return;
	}
	if (peer->role == 0 && sim.fake->mono_ms >= peer->opened_ms + AUTH_MS) {
		expect_error(peer, PX_E_UNAUTHENTICATED, "", "", "");
		model_close(peer, PX_CLOSE_UNAUTHENTICATED);
		sim.done[58]++;
	} else if (peer->expires_ms > 0) {
		check_expiry(peer);
	}
}

/* ---- rates ---- */

bool tokens_over_rate(const struct said *said)
{
	struct peer *peer = said->peer;
	int64_t now_ms = sim.fake->mono_ms;
	int64_t each_ms = 1000 / RATE_PER_S;
	if (peer->spent_until_ms < now_ms) {
		peer->spent_until_ms = now_ms;
	}
	if (peer->spent_until_ms + each_ms - now_ms <= RATE_BURST * each_ms) {
		peer->spent_until_ms += each_ms;
		return false;
	}
	sim.limited++;
	said_fail(said, PX_E_RATE_LIMITED, "");
	if (peer->flood_count == 0 || now_ms - peer->flood_since_ms >= 10000) {
		peer->flood_since_ms = now_ms;
		peer->flood_count = 0;
	}
	if (++peer->flood_count > 100) {
		model_close(peer, PX_CLOSE_FLOODING);
	}
	return true;
}

/* ---- auth ---- */

static bool is_waiting(const struct peer *peer)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &sim.channels[i];
		if (channel->exists && channel->kind == WAITING && find_member(channel, peer)) {
			return true;
		}
	}
	return false;
}

/* Makes up a token's claims: all for an unauthenticated session, else those that may change. */
void tokens_invent(struct peer *token)
{
	static const enum px_role roles[] = { PX_ROLE_STAFF, PX_ROLE_PATIENT, PX_ROLE_SERVICE,
		PX_ROLE_ADMIN };
	bool is_new = token->role == 0;
	bool is_bound = is_waiting(token); /* what becomes of its place in the line is not ours */
	if (is_new) {
		pick_user(token->user);
		pick_name(token->name);
	}
	if (is_new || (!is_bound && chance(15))) {
		token->role = roles[dice(4)];
	}
	token->authenticated = true;
	unsigned count = 0;
	for (unsigned i = 0; i < token->held_count; i++) {
		if (is_bound || chance(80)) {
			token->held[count++] = token->held[i];
		}
	}
	token->held_count = count;
	for (unsigned tries = 2; tries > 0 && token->held_count < HELD; tries--) {
		unsigned practice = dice(PRACTICES);
		if (find_held(token, practice) < 0) {
			token->held[token->held_count++] = (struct held){ practice,
				practice_ids[practice][0] != 'p' && chance(50) };
		}
	}
	tokens_pick_expiry(token);
}

static void leave_lost(struct peer *peer, const struct peer *token)
{
	bool all = peer->role != token->role;
	/* In the order of its list, which is not ours to know. */
	sim.batch = (1u << 30) | (unsigned)(sim.tag & 0x3fffffff);
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *channel = &sim.channels[i];
		if (channel->exists && find_member(channel, peer) &&
				(all || find_held(token, channel->place % PRACTICES) < 0)) {
			model_leave(channel, peer, "removed");
		}
	}
	sim.batch = 0;
}

void tokens_become(struct peer *peer, const struct peer *token, bool tells)
{
	struct peer old = *peer;
	model_drop_lost(peer, token);
	leave_lost(peer, token);
	memcpy(peer->held, token->held, sizeof(peer->held));
	peer->held_count = token->held_count;
	peer->role = token->role;
	peer->authenticated = true;
	peer->expires_ms = token->expires_ms;
	peer->is_noticed = false;
	peer->due_ms = -1;
	strcpy(peer->user, token->user);
	strcpy(peer->name, token->name);
	peer->opened = old.role == peer->role ? peer->opened : 0;
	if (tells) {
		expect_line(peer, words_line(words_begin("auth_ok"), 1024));
	}
	for (unsigned i = 0; i < peer->held_count; i++) {
		if (find_held(&old, peer->held[i].practice) < 0) {
			model_enter(peer, peer->held[i].practice, peer->opened);
		}
	}
	model_attach(peer);
	sim.done[55 + (old.role == 0)]++;
}

static void renew(struct said *said, bool is_own)
{
	struct peer *peer = said->peer;
	struct peer token = *peer;
	struct who_words words;
	struct fake_who who;
	tokens_invent(&token);
	struct peer *detached = is_own && peer->role == 0 ? find_reattachable(&token) : NULL;
	if (detached) {
		/* With another token it would be reattached, and renewed, at once. */
		memcpy(token.held, detached->held, sizeof(token.held));
		token.held_count = detached->held_count;
		token.role = detached->role;
		token.has_rooms = detached->has_rooms;
		strcpy(token.user, detached->user);
		strcpy(token.name, detached->name);
	}
	if (!is_own) {
		strcpy(token.user, "\"somebody else\"");
	}
	tokens_who(&token, &words, &who);
	next.verdict = PX_VERDICT_GOOD;
	if (fake_identity(sim.fake, &who, &next.identity) < 0) {
		sim_fail("there is no identity");
	}
	if (!say_raw(peer, said->text, said->len)) {
		px_identity_destroy(sim.fake->broker, next.identity);
	} else if (detached) {
		detached->expires_ms = token.expires_ms;
		reattach_by_auth(detached, peer);
		said->peer = detached;
		said_ack(said, 0);
	} else if (is_own) {
		tokens_become(peer, &token, true);
		said_ack(said, 0);
	} else {
		said_fail(said, PX_E_FORBIDDEN, "");
	}
}

static void fail(struct said *said)
{
	static const struct {
		enum px_verdict verdict;
		enum px_error code;
		bool ends; /* an unauthenticated session */
	} ways[] = {
		{ PX_VERDICT_BAD, PX_E_UNAUTHENTICATED, true },
		{ PX_VERDICT_EXPIRED, PX_E_TOKEN_EXPIRED, true },
		{ PX_VERDICT_THROTTLED, PX_E_RATE_LIMITED, true },
		{ PX_VERDICT_UNAVAILABLE, PX_E_UNAVAILABLE, false },
		{ PX_VERDICT_NO_TOKENS, PX_E_UNAVAILABLE, false },
	};
	struct peer *peer = said->peer;
	unsigned way = peer->role == 0 || peer->authenticated ? dice(4) : 4;
	next = (struct px_authentication){ .verdict = ways[way].verdict, .sentence = "No." };
	if (!say_raw(peer, said->text, said->len)) {
		return;
	}
	said_fail(said, ways[way].code, "");
	if (ways[way].ends && peer->role == 0) {
		model_close(peer, PX_CLOSE_UNAUTHENTICATED);
	}
}

void say_auth(struct peer *peer)
{
	struct said said;
	bool proves = peer->role == 0 || peer->authenticated;
	bool bad_token = chance(3);
	said_begin(&said, peer, -1, "auth", PX_ROLES_ALL);
	said_add(&said, "token", "%s", bad_token ? "7" : "\"" TOKEN "\"");
	said.len += (size_t)sprintf(said.text + said.len, "}");
	if (said.bad_id || tokens_would_be_over(peer) || bad_token) {
		if (!say_raw(peer, said.text, said.len)) {
			return;
		}
		if (!tokens_over_rate(&said)) {
			said_fail(&said, PX_E_BAD_MESSAGE, said.bad_id ? "id" : "token");
		}
		return;
	}
	if (peer->phase == PX_SESSION_OPEN) {
		(void)tokens_over_rate(&said); /* it is not; counts it */
	}
	if (proves && chance(peer->role == 0 ? 80 : 60)) {
		renew(&said, true);
	} else if (proves && peer->role != 0 && chance(20)) {
		renew(&said, false);
	} else {
		fail(&said);
	}
}

bool tokens_would_be_over(const struct peer *peer)
{
	int64_t now_ms = sim.fake->mono_ms;
	int64_t each_ms = 1000 / RATE_PER_S;
	int64_t from_ms = peer->spent_until_ms > now_ms ? peer->spent_until_ms : now_ms;
	return from_ms + each_ms - now_ms > RATE_BURST * each_ms;
}
