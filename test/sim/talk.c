/* SPDX-License-Identifier: MIT */
/*
 * What clients say: which message comes next, and those that no service sees. Each function
 * makes one message, sends it to the broker, and tells the model what must have come of it.
 */
#include "say.h"

#include <stdio.h>
#include <string.h>

static void say_ping(struct peer *peer)
{
	struct said said;
	said_begin(&said, peer, -1, "ping", PX_ROLES_ALL);
	said_add(&said, "t", "%llu", (unsigned long long)said.tag);
	said.len += (size_t)sprintf(said.text + said.len, "}");
	if (!say_raw(peer, said.text, said.len)) {
		return;
	}
	sim.messages_in--;
	if (tokens_over_rate(&said)) {
		return;
	}
	if (said.bad_id) {
		said_fail(&said, PX_E_BAD_MESSAGE, "id");
		return;
	}
	struct words *words = words_begin("pong");
	words_add(words, "t", "%llu", (unsigned long long)said.tag);
	expect_line(peer, words_line(words, 128));
	said_ack(&said, 0);
}

static void say_received(struct peer *peer)
{
	struct said said;
	uint64_t n = peer->got;
	bool much = chance(5);
	if (much) {
		n += 1 + dice(3);
	} else if (n > 0 && chance(30)) {
		n -= dice(n < 20 ? (unsigned)n : 20);
	}
	said_begin(&said, peer, -1, "received", PX_ROLES_ALL);
	said_add(&said, "n", "%llu", (unsigned long long)n);
	said.len += (size_t)sprintf(said.text + said.len, "}");
	if (!say_raw(peer, said.text, said.len)) {
		return;
	}
	sim.messages_in--;
	if (tokens_over_rate(&said)) {
		return;
	}
	if (said.bad_id) {
		said_fail(&said, PX_E_BAD_MESSAGE, "id");
	} else if (!peer->versioned) {
		said_fail(&said, PX_E_UNKNOWN_TYPE, "type");
	} else if (much) {
		said_fail(&said, PX_E_BAD_MESSAGE, "n");
	} else {
		model_confirm(peer, n);
		said_ack(&said, 0);
	}
}

static void say_unknown(struct peer *peer)
{
	static const char *const types[] = { "whiteboard", "whiteboard_", "telemedicine_user",
		"admin_subscribe", "x", "whiteboard_updatf" };
	struct said said;
	said_begin(&said, peer, -1, types[dice(6)], PX_ROLES_ALL);
	(void)said_send(&said);
}

static void say_one_nonsense(struct peer *peer)
{
	static const struct {
		const char *text;
		enum px_error code;
		const char *field;
	} nonsense[] = {
		{ "", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\",}", PX_E_BAD_JSON, "" },
		{ "{'type':'ping'}", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\",\"t\":NaN}", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\",\"t\":\"\x80\"}", PX_E_BAD_JSON, "" },
		{ "{\"type\":\"ping\"} {}", PX_E_BAD_JSON, "" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
				PX_E_BAD_JSON, "" },
		{ "[]", PX_E_BAD_MESSAGE, "" },
		{ "{\"n\":1}", PX_E_BAD_MESSAGE, "type" },
		{ "{\"type\":\"Ping\"}", PX_E_BAD_MESSAGE, "type" },
	};
	unsigned i = dice(sizeof(nonsense) / sizeof(nonsense[0]));
	if (!say_raw(peer, nonsense[i].text, strlen(nonsense[i].text))) {
		return;
	}
	struct said said = { .peer = peer, .type = "" };
	if (tokens_over_rate(&said)) {
		return;
	}
	expect_error(peer, nonsense[i].code, "", nonsense[i].field, "");
	if (peer->bad_count == 0 || sim.fake->mono_ms - peer->bad_since_ms >= 10000) {
		peer->bad_since_ms = sim.fake->mono_ms;
		peer->bad_count = 0;
	}
	if (++peer->bad_count > 10) {
		model_close(peer, PX_CLOSE_POLICY);
	}
}

static void say_nonsense(struct peer *peer)
{
	unsigned count = chance(3) ? 15 : 1;
	while (count-- > 0) {
		say_one_nonsense(peer);
		check_action();
	}
}

/* One who cannot stop, until he is shown the door. */
static void say_flood(struct peer *peer)
{
	static struct peer *flooder;
	if (!flooder || !flooder->conn || flooder->phase != PX_SESSION_OPEN) {
		flooder = peer;
	}
	for (unsigned count = dice(25); count > 0; count--) {
		say_ping(flooder);
		check_action();
	}
}

static const struct {
	unsigned weight;
	void (*say)(struct peer *peer);
} talks[] = {
	{ 63, say_update }, { 3, say_drag }, { 24, say_subscribe }, { 8, say_unsubscribe },
	{ 14, say_presence }, { 8, say_seen },
	{ 50, say_join_room }, { 10, say_leave_room }, { 50, say_signal }, { 24, say_chat },
	{ 9, say_media }, { 7, say_typing }, { 5, say_ice }, { 5, say_remove },
	{ 2, say_end }, { 12, say_admit },
	{ 4, say_deny }, { 15, say_join_hall },
	{ 5, say_leave_hall }, { 8, say_kick }, { 1, say_bye }, { 8, say_cross }, { 6, say_ping },
	{ 12, say_received }, { 5, say_unknown }, { 6, say_nonsense }, { 8, say_auth },
	{ 5, say_flood },
};

void talk(void)
{
	struct peer *peer = pick_peer();
	unsigned all = 0;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
		all += talks[i].weight;
	}
	if (peer && peer->role == 0 && chance(50)) {
		say_auth(peer);
		return;
	}
	unsigned at = dice(all);
	for (size_t i = 0; peer; i++) {
		if (at < talks[i].weight) {
			sim.done[i]++;
			talks[i].say(peer);
			return;
		}
		at -= talks[i].weight;
	}
}
