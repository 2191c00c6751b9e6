/* SPDX-License-Identifier: MIT */
/*
 * A restart is not to be seen: the same random walk of clients through two worlds, of which one
 * has a server that ends now and then and is followed by another. What each client gets must be
 * the same in both, message by message, but for what only a server makes up (client ids, epochs).
 *
 * PRAXIS_WALK_SEED and PRAXIS_WALK_STEPS walk another way, or further; a failure names its seed.
 */
#include "core/session.h"
#include "state_text.h"

#include <check.h>
#include <praxis/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLIENTS = 9,
	WORLDS = 2,
	KEPT = 60, /* messages that a client may not have confirmed yet, at most */
};

#define MINUTE_MS 60000
#define GRACE_MS (60 * MINUTE_MS)

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

/* One client in one world. */
struct client {
	struct fake_conn *conn; /* NULL: it is away, or has not come yet */
	char token[64];         /* "": it has no session */
	char epoch[32];
	char *last[KEPT]; /* what came last, as a ring of lines */
	int64_t count;    /* messages that have a number */
	int64_t confirmed;
};

struct world {
	struct fake *fake;
	struct client clients[CLIENTS];
	uint64_t *ids; /* of all sessions that there were, in the order of their coming */
	unsigned id_count;
};

static struct world worlds[WORLDS];
static uint64_t dice_state;
static uint64_t seed;
static uint64_t step;
static uint64_t restarts;
static uint64_t lines;
static int64_t away_since_ms[CLIENTS];

static unsigned dice(unsigned sides)
{
	return (unsigned)(fake_random(&dice_state) >> 33) % sides;
}

static struct fake *begin(void)
{
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 0;
	limits.grace_ms = GRACE_MS;
	limits.resume_messages = 100000;
	limits.resume_bytes = 1 << 28;
	limits.detached_sessions = 100;
	struct fake *fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user, "{\"history\":20}");
	(void)fake_add_service(fake, svc_telemedicine.protocols[0].user,
			"{\"chat-history\":5,\"room-members\":4}");
	return fake;
}

/* ---- what a client gets, as a line that is the same in both worlds ---- */

/* The number of the session whose client id stands there, between quotes; -1: it is none. */
static int number_of(const struct world *world, const char *text)
{
	uint64_t id;
	if (!px_client_id_read((struct px_span){ text, strnlen(text, PX_CLIENT_ID_SIZE - 1) }, &id)) {
		return -1;
	}
	for (unsigned k = world->id_count; k > 0; k--) {
		if (world->ids[k - 1] == id) {
			return (int)k;
		}
	}
	return -1;
}

/* Of the same length: a client id becomes its session's number, an epoch nothing. */
static char *line_of(const struct world *world, const char *text)
{
	char *line = strdup(text);
	for (char *at = line; *at != '\0'; at++) {
		int number = *at == 'c' ? number_of(world, at) : -1;
		if (number > 0) {
			char digits[PX_CLIENT_ID_SIZE];
			(void)snprintf(digits, sizeof(digits), "#%016d", number);
			memcpy(at, digits, PX_CLIENT_ID_SIZE - 1);
		}
	}
	char *epoch = strstr(line, "\"epoch\":\"");
	if (epoch) {
		memset(epoch + strlen("\"epoch\":\""), 'e', 16);
	}
	return line;
}

static bool has_number(const char *text)
{
	return !strstr(text, "\"type\":\"connection_established\"") &&
			!strstr(text, "\"type\":\"resumed\"");
}

static void keep(struct client *client, char *line)
{
	char **slot = &client->last[client->count++ % KEPT];
	free(*slot);
	*slot = line;
}

/* Takes what is new, up to the number that the other world has. */
static unsigned take(struct world *world, unsigned i, char *fresh[KEPT])
{
	struct client *client = &world->clients[i];
	unsigned count = 0;
	const char *text;
	while (client->conn && *(text = fake_text(client->conn))) {
		const char *epoch = strstr(text, "\"epoch\":\"");
		if (epoch) {
			(void)snprintf(client->epoch, sizeof(client->epoch), "%.16s",
					epoch + strlen("\"epoch\":\""));
		}
		if (has_number(text)) {
			if (count == KEPT) {
				fake_fault("seed %llu, step %llu: too much at once",
						(unsigned long long)seed, (unsigned long long)step);
			}
			fresh[count++] = line_of(world, text);
		}
	}
	if (client->conn) {
		fake_forget(client->conn);
	}
	return count;
}

/* ---- moves ---- */

static void say(unsigned i, const char *format, ...) PX_PRINTF(2, 3);

/* The client says that in both worlds; EPOCH stands for the one that it knows there. */
static void say(unsigned i, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (unsigned w = 0; w < WORLDS; w++) {
		struct client *client = &worlds[w].clients[i];
		char own[512];
		strcpy(own, text);
		char *at = strstr(own, "EPOCHEPOCHEPOCHE");
		if (at && strlen(client->epoch) == 16) {
			memcpy(at, client->epoch, 16);
		}
		fake_say(client->conn, own);
	}
}

static const char *const users[CLIENTS] = { "0", "1", "\"2\"", "3", "4", "5", "6", "7", "8" };

static struct fake_who who_is(unsigned i)
{
	return (struct fake_who){ .versioned = true, .authenticated = i % 3 != 2, .user = users[i],
		.name = "N", .practices = i % 2 == 0 ? "1 2" : "1" };
}

static void come(unsigned i)
{
	struct fake_who who = who_is(i);
	for (unsigned w = 0; w < WORLDS; w++) {
		struct client *client = &worlds[w].clients[i];
		client->conn = fake_open(worlds[w].fake, &who);
		struct world *world = &worlds[w];
		world->ids = realloc(world->ids, (world->id_count + 1) * sizeof(*world->ids));
		ck_assert(px_client_id_read(px_span(client->conn->client_id),
				&world->ids[world->id_count++]));
		strcpy(client->token, client->conn->token);
		client->count = 0;
		client->confirmed = 0;
	}
}

static void lose(struct client *client)
{
	fake_lose(client->conn);
	fake_turn(client->conn->fake);
	fake_forget_conn(client->conn);
	client->conn = NULL;
}

static void come_back(struct world *world, unsigned i, int64_t received)
{
	struct client *client = &world->clients[i];
	struct fake_who who = who_is(i);
	who.resume = client->token;
	who.received = received;
	char token[64];
	strcpy(token, client->token);
	client->conn = fake_resume(world->fake, &who);
	strcpy(client->token, client->conn->token);
	ck_assert_str_ne(token, client->token);
	client->confirmed = received;
}

static void leave(unsigned i)
{
	for (unsigned w = 0; w < WORLDS; w++) {
		struct client *client = &worlds[w].clients[i];
		fake_leave(client->conn);
		fake_turn(worlds[w].fake);
		fake_forget_conn(client->conn);
		client->conn = NULL;
		client->token[0] = '\0';
	}
}

/* ---- the restart ---- */

static void follow(struct world *world)
{
	struct state_text text = { 0 };
	struct px_state_counts counts;
	struct fake *old = world->fake;
	px_broker_hold(old->broker);
	ck_assert_int_eq(state_text_save(old, &text), 0);
	world->fake = begin();
	world->fake->random = old->random + 1;
	world->fake->mono_ms = old->mono_ms;
	world->fake->wall_ms = old->wall_ms;
	px_broker_set_time(world->fake->broker, old->mono_ms, old->wall_ms);
	ck_assert_int_eq(state_text_load(world->fake, text.data, text.len, 0, &counts), 0);
	ck_assert_uint_eq(counts.dropped_channels + counts.dropped_members +
			counts.dropped_sessions, 0);
	free(text.data);
	fake_abandon(old);
}

/* Who was there comes back at once, and may have lost the last few messages on the way. */
static void restart(struct world *world)
{
	bool there[CLIENTS];
	for (unsigned i = 0; i < CLIENTS; i++) {
		there[i] = world->clients[i].conn != NULL;
		if (there[i]) {
			lose(&world->clients[i]);
		}
	}
	follow(world);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *client = &world->clients[i];
		if (!there[i]) {
			continue;
		}
		int64_t lost = client->count - client->confirmed;
		lost = lost > 0 ? dice((unsigned)(lost < KEPT / 2 ? lost : KEPT / 2)) : 0;
		come_back(world, i, client->count - lost);
		char *again[KEPT];
		unsigned count = take(world, i, again);
		ck_assert_uint_eq(count, (uint64_t)lost);
		for (unsigned k = 0; k < count; k++) {
			ck_assert_str_eq(again[k], client->last[(client->count - lost + k) % KEPT]);
			free(again[k]);
		}
	}
	restarts++;
}

/* ---- the walk ---- */

static void talk(unsigned i)
{
	unsigned room = dice(3);
	unsigned practice = i % 2 == 0 ? 1 + dice(2) : 1;
	switch (dice(9)) {
	case 0:
	case 1:
		say(i, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r%u\",\"appointmentId\":%u,"
				"\"practiceId\":%u,\"userId\":%u,\"userName\":\"u\"}", room, dice(3),
				practice, i);
		break;
	case 2:
		say(i, "{\"type\":\"telemedicine_user_left\",\"roomId\":\"r%u\",\"appointmentId\":1,"
				"\"userId\":1}", room);
		break;
	case 3:
	case 4:
		say(i, "{\"type\":\"telemedicine_chat_message\",\"roomId\":\"r%u\",\"appointmentId\":1,"
				"\"message\":\"%llu\",\"from\":\"f\",\"fromUserId\":1,\"id\":1}", room,
				(unsigned long long)step);
		break;
	case 5:
		say(i, "{\"type\":\"telemedicine_media_state\",\"roomId\":\"r%u\",\"audio\":%s,"
				"\"video\":%s,\"screen\":false}", room, dice(2) ? "true" : "false",
				dice(2) ? "true" : "false");
		break;
	case 6:
		say(i, "{\"type\":\"whiteboard_subscribe\",\"practiceId\":%u,\"since\":"
				"{\"epoch\":\"EPOCHEPOCHEPOCHE\",\"seq\":%u}}", practice,
				dice((unsigned)(step / 8 + 2)));
		break;
	case 7:
		say(i, "{\"type\":\"whiteboard_%s\",\"practiceId\":%u}",
				dice(2) && i > 0 ? "unsubscribe" : "subscribe", practice);
		break;
	default:
		say(i, "{\"type\":\"whiteboard_update\",\"practiceId\":%u,\"data\":%llu%s,\"id\":7}",
				practice, (unsigned long long)step, dice(2) ? "" : ",\"key\":\"k\"");
		break;
	}
}

static void confirm(unsigned i)
{
	for (unsigned w = 0; w < WORLDS; w++) {
		struct client *client = &worlds[w].clients[i];
		char text[64];
		client->confirmed = client->count;
		(void)snprintf(text, sizeof(text), "{\"type\":\"received\",\"n\":%lld}",
				(long long)client->count);
		fake_say(client->conn, text);
	}
}

/* Client 0 stays, so that no board ends with its last: its epoch would tell. */
static void move(unsigned i)
{
	struct client *client = &worlds[0].clients[i];
	bool away = !client->conn && client->token[0] != '\0';
	if (away) {
		for (unsigned w = 0; w < WORLDS; w++) {
			come_back(&worlds[w], i, worlds[w].clients[i].count);
		}
	} else if (!client->conn) {
		come(i);
	} else if (i > 0 && dice(20) == 0) {
		leave(i);
	} else if (i > 0 && dice(15) == 0) {
		away_since_ms[i] = worlds[0].fake->mono_ms;
		lose(&worlds[0].clients[i]);
		lose(&worlds[1].clients[i]);
	} else {
		talk(i);
	}
}

static void compare(unsigned i)
{
	char *fresh[WORLDS][KEPT];
	unsigned counts[WORLDS];
	for (unsigned w = 0; w < WORLDS; w++) {
		counts[w] = take(&worlds[w], i, fresh[w]);
	}
	for (unsigned k = 0; k < counts[0] || k < counts[1]; k++) {
		const char *one = k < counts[0] ? fresh[0][k] : "nothing";
		const char *two = k < counts[1] ? fresh[1][k] : "nothing";
		if (strcmp(one, two) != 0) {
			fake_fault("seed %llu, step %llu, after %llu restarts: client %u got\n%s\nand "
					"without a restart\n%s", (unsigned long long)seed,
					(unsigned long long)step, (unsigned long long)restarts, i, two,
					one);
		}
		keep(&worlds[0].clients[i], fresh[0][k]);
		keep(&worlds[1].clients[i], fresh[1][k]);
		lines++;
	}
	if (worlds[0].clients[i].conn &&
			worlds[0].clients[i].count - worlds[0].clients[i].confirmed > KEPT / 3) {
		confirm(i);
	}
}

static void pass_time(void)
{
	int64_t ms = dice(10) == 0 ? dice(5 * MINUTE_MS) : dice(1000);
	for (unsigned i = 1; i < CLIENTS; i++) {
		bool away = !worlds[0].clients[i].conn && worlds[0].clients[i].token[0] != '\0';
		if (away && worlds[0].fake->mono_ms - away_since_ms[i] > GRACE_MS / 3) {
			move(i);
			compare(i);
		}
	}
	for (unsigned w = 0; w < WORLDS; w++) {
		fake_advance(worlds[w].fake, ms);
		fake_turn(worlds[w].fake);
	}
}

static uint64_t from_environment(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : fallback;
}

START_TEST(a_restart_is_not_to_be_seen)
{
	seed = from_environment("PRAXIS_WALK_SEED", 1);
	dice_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	uint64_t steps = from_environment("PRAXIS_WALK_STEPS", 20000);
	for (unsigned w = 0; w < WORLDS; w++) {
		worlds[w].fake = begin();
	}
	for (step = 0; step < steps; step++) {
		if (dice(40) == 0) {
			restart(&worlds[1]);
		} else if (dice(8) == 0) {
			pass_time();
		} else {
			move(step == 0 ? 0 : dice(CLIENTS));
		}
		for (unsigned i = 0; i < CLIENTS; i++) {
			compare(i);
		}
	}
	ck_assert_uint_gt(restarts, steps / 100);
	ck_assert_uint_gt(lines, steps / 2);
	for (unsigned w = 0; w < WORLDS; w++) {
		for (unsigned i = 0; i < CLIENTS; i++) {
			for (unsigned k = 0; k < KEPT; k++) {
				free(worlds[w].clients[i].last[k]);
			}
		}
		free(worlds[w].ids);
		fake_destroy(worlds[w].fake);
	}
}
END_TEST

RUN_TESTS("snapshot_walk", a_restart_is_not_to_be_seen);
