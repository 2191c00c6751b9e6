/* SPDX-License-Identifier: MIT */
/*
 * What happens to clients without their saying anything: they come and go, their sockets
 * fill up and break, clocks move, and somebody switches services off and on.
 */
#include "say.h"

#include <stdio.h>
#include <string.h>

/* Makes up somebody. */
static void invent(struct peer *peer)
{
	static const enum px_role roles[] = { PX_ROLE_STAFF, PX_ROLE_STAFF, PX_ROLE_PATIENT,
		PX_ROLE_STAFF, PX_ROLE_PATIENT, PX_ROLE_SERVICE, PX_ROLE_ADMIN, PX_ROLE_PATIENT };
	*peer = (struct peer){ .pinged_ms = -1, .cut_ms = -1, .close_code = FAKE_OPEN };
	peer->tenant = chance(40) ? 0 : dice(TENANTS);
	peer->realm = chance(80) ? 0 : 1;
	peer->service = chance(92) ? -1 : (int)dice(SERVICES);
	peer->role = roles[dice(8)];
	peer->authenticated = chance(60);
	peer->versioned = peer->service < 0 && chance(45);
	peer->has_rooms = peer->authenticated && chance(70);
	unsigned count = chance(peer->authenticated ? 3 : 30) ? 0 : 1 + dice(chance(30) ? HELD : 2);
	for (unsigned i = 0; i < count; i++) {
		unsigned practice = chance(40) ? 0 : dice(PRACTICES);
		if (find_held(peer, practice) < 0) {
			peer->held[peer->held_count++] = (struct held){ practice,
				practice_ids[practice][0] != 'p' && chance(50) };
		}
	}
	pick_name(peer->name);
	tokens_pick_expiry(peer);
	if (chance(6)) {
		peer->role = 0; /* has yet to say who it is */
		peer->authenticated = peer->has_rooms = false;
		peer->held_count = 0;
		peer->expires_ms = 0;
		return;
	}
	if (chance(peer->authenticated ? 90 : 50)) {
		pick_user(peer->user);
	}
	if (peer->role == PX_ROLE_PATIENT && peer->user[0] != '\0' && chance(60)) {
		/* Many windows of few patients: they take each other's place in the line. */
		strcpy(peer->user, chance(50) ? "1" : "\"1\"");
	}
}

void expect_greeting(struct peer *peer, bool not_resumed)
{
	static const char *const names[] = { "whiteboard", "telemedicine", "probe" };
	char list[64] = "";
	for (unsigned i = 0; i < SERVICES; i++) {
		if (model_services(peer) & 1u << i) {
			strcat(strcat(strcat(list, list[0] != '\0' ? ",\"" : "\""), names[i]),
					"\"");
		}
	}
	struct words *words = words_begin("connection_established");
	words_add(words, "clientId", "\"%s\"", peer->conn->client_id);
	if (not_resumed) {
		words_add(words, "resumed", "false");
	}
	words_add(words, "services", "[%s]", list);
	struct line *line = words_line(words, 1024);
	line->uncounted = true;
	expect_line(peer, line);
}

struct fake_conn *connect_as(const struct peer *peer, const char *token, int64_t received,
		bool unauthenticated)
{
	struct who_words words;
	struct fake_who who;
	tokens_who(peer, &words, &who);
	if (unauthenticated) {
		who = (struct fake_who){ .unauthenticated = true, .practices = "", .tenant = who.tenant,
			.realm = who.realm };
	}
	who.versioned = peer->versioned;
	who.resume = token;
	who.received = received;
	return fake_connect(sim.fake, &who);
}

static void come(void)
{
	struct peer *peer = &sim.peers[dice(PEERS)];
	if (peer->conn) {
		return;
	}
	invent(peer);
	struct peer *detached = find_reattachable(peer);
	if (detached) {
		*peer = (struct peer){ 0 };
		reattach(detached);
		return;
	}
	peer->conn = connect_as(peer, NULL, 0, false);
	peer->session = peer->conn->session;
	peer->opened_ms = sim.fake->mono_ms;
	peer->alive_ms = sim.fake->mono_ms;
	sim.opened++;
	expect_greeting(peer, false);
	model_attach(peer);
}

static void lose(struct peer *peer)
{
	if (chance(15)) {
		fake_leave(peer->conn);
	} else {
		fake_lose(peer->conn);
		if (model_may_live(peer)) {
			model_detach(peer, false);
			return;
		}
	}
	peer->phase = PX_SESSION_LOST;
	model_clear(peer);
}

/* Those who were told to go, as a transport does; and now and then anybody. */
static void lose_some(struct peer *any)
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->is_told && peer->phase < PX_SESSION_DETACHED && chance(50)) {
			lose(peer);
		}
	}
	if (any->phase < PX_SESSION_DETACHED && chance(35)) {
		lose(any);
	}
}

static void close_one(struct peer *peer)
{
	static const enum px_close codes[] = { PX_CLOSE_NORMAL, PX_CLOSE_RESTART, PX_CLOSE_BINARY,
		PX_CLOSE_TOO_BIG, PX_CLOSE_REMOVED, PX_CLOSE_GOING_AWAY };
	enum px_close code = codes[dice(6)];
	px_session_close(peer->session, code);
	model_close(peer, code);
}

/* Who has missed something of what is on again cannot go on as if nothing was. */
static void notice_switch(struct peer *peer)
{
	bool lives = peer->phase == PX_SESSION_OPEN || peer->phase == PX_SESSION_DETACHED;
	model_drop_muted(peer);
	if (!(peer->missed & sim.realms[peer->realm].enabled)) {
		if (lives) {
			model_attach(peer);
		}
		return;
	}
	sim.done[63]++;
	if (lives) {
		model_close(peer, PX_CLOSE_TRY_LATER);
	} else if (peer->returns) {
		/* It is not to come back to this session any more. */
		peer->returns = false;
		if (peer->phase == PX_SESSION_CLOSING) {
			peer->close_code = PX_CLOSE_TRY_LATER;
		}
	}
}

static void switch_service(void)
{
	struct px_realm *realm = &sim.realms[dice(REALMS)];
	/* Off seldom, on often. */
	if (chance(85)) {
		realm->enabled = (1u << SERVICES) - 1;
	} else {
		realm->enabled ^= 1u << dice(SERVICES);
	}
	px_broker_realm_changed(sim.fake->broker, realm);
	/* In the order of their coming: limits may meet the later ones. */
	for (const struct px_session *at = sim.fake->broker->oldest; at; at = at->newer) {
		for (size_t i = 0; i < PEERS; i++) {
			struct peer *peer = &sim.peers[i];
			if (peer->conn && peer->session == at &&
					&sim.realms[peer->realm] == realm) {
				notice_switch(peer);
			}
		}
	}
}

static void drain(void)
{
	px_broker_announce_drain(sim.fake->broker, 1000);
	for (size_t i = 0; i < PEERS; i++) {
		if (sim.peers[i].conn && sim.peers[i].phase == PX_SESSION_OPEN) {
			expect_line(&sim.peers[i], words_line(words_begin("server_draining"), 128));
		}
	}
}

static void switch_board(void)
{
	sim.board = chance(70) ? 0 : 1 + dice(2);
	if (px_broker_configure(sim.fake->broker, WHITEBOARD, sim.boards[sim.board]) < 0) {
		sim_fail("the whiteboard does not take its options");
	}
}

static void switch_waiting(void)
{
	sim.waiting = chance(80);
	if (px_broker_configure(sim.fake->broker, TELEMEDICINE, sim.calls[sim.waiting]) < 0) {
		sim_fail("telemedicine does not take its options");
	}
}

void happen(void)
{
	unsigned way = dice(100);
	struct peer *peer = pick_peer();
	if (way < 22 || !peer) {
		come();
	} else if (way < 32) {
		reconnect();
	} else if (way < 40) {
		lose_some(peer);
	} else if (way < 55) {
		peer->conn->busy = true;
	} else if (way < 78) {
		if (peer->conn->busy || chance(10)) {
			fake_unblock(peer->conn);
		}
	} else if (way < 82) {
		peer->conn->busy_after = 1 + dice(3);
	} else if (way < 83) {
		peer->conn->fails = true;
	} else if (way < 84) {
		close_one(peer);
	} else if (way < 97) {
		px_session_alive(peer->session);
		peer->is_former_good = false;
		peer->alive_ms = sim.fake->mono_ms;
		peer->pinged_ms = -1;
	} else if (way < 99) {
		switch_service();
	} else if (chance(20)) {
		drain();
	} else if (chance(50)) {
		switch_board();
	} else {
		switch_waiting();
	}
}

/* ---- time ---- */

static void cut(struct peer *peer)
{
	if (model_may_live(peer) && peer->phase == PX_SESSION_OPEN) {
		sim.cuts++;
		model_detach(peer, true);
		return;
	}
	peer->phase = PX_SESSION_CLOSED;
	peer->close_code = 0;
	if (!model_may_live(peer)) {
		model_clear(peer);
	}
}

/* A silent client is asked, and dropped if it does not answer. */
static void check_heartbeat(struct peer *peer)
{
	int64_t now_ms = sim.fake->mono_ms;
	const struct px_session *session = peer->session;
	/* What another timer brought was too much, before this one: check_action() sees to it. */
	bool slow = session->phase == PX_SESSION_CLOSING && session->close_code == PX_CLOSE_SLOW;
	if (peer->pinged_ms >= 0) {
		if (now_ms >= peer->pinged_ms + HEARTBEAT_MS && !slow) {
			sim.silent++;
			cut(peer);
		}
	} else if (now_ms >= peer->alive_ms + HEARTBEAT_MS) {
		peer->pinged_ms = now_ms;
		peer->ping_ms = peer->pings_due > 0 ? peer->ping_ms : now_ms;
		peer->pings_due++;
		peer->added += 4;
	}
}

static int64_t pick_ms(void)
{
	unsigned way = dice(1000);
	if (way < 990) {
		return dice(60);
	}
	if (way < 996) {
		return dice(4000);
	}
	return way < 999 ? 10000 + dice(70000) : INT64_C(3600) * 1000 * (1 + dice(100));
}

void pass_time(void)
{
	struct fake *fake = sim.fake;
	int64_t ms = pick_ms();
	fake->mono_ms += ms;
	/* The wall's clock is set now and then, back as well as forth. */
	fake->wall_ms += chance(1) ? (int64_t)dice(20000) - 10000 : ms;
	px_broker_set_time(fake->broker, fake->mono_ms, fake->wall_ms);
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->phase == PX_SESSION_OPEN) {
			check_heartbeat(peer);
			if (peer->phase == PX_SESSION_OPEN) {
				tokens_pass_time(peer);
			}
		} else if (peer->conn && peer->phase == PX_SESSION_CLOSING && peer->cut_ms >= 0 &&
				fake->mono_ms >= peer->cut_ms) {
			cut(peer);
		} else if (peer->conn && peer->phase == PX_SESSION_DETACHED &&
				fake->mono_ms >= peer->end_ms) {
			model_close(peer, 0);
		}
	}
	model_expire();
	/* In the order of their timers, which may be due at once. */
	sim.batch = (unsigned)sim.turn + 1 + (1u << 31);
	model_wake();
	model_wake_presence();
	sim.batch = 0;
}

void lose_all(void)
{
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *peer = &sim.peers[i];
		if (peer->conn && peer->phase < PX_SESSION_DETACHED) {
			fake_leave(peer->conn);
			peer->phase = PX_SESSION_LOST;
			model_clear(peer);
		} else if (peer->conn) {
			model_close(peer, 0);
		}
	}
	px_broker_end_detached(sim.fake->broker);
}
