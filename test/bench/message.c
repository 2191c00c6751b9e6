/* SPDX-License-Identifier: MIT */
/*
 * What a message costs within the broker, piece by piece, in ns: without sockets, kernel and
 * libwebsockets, in one process.
 *
 *     bench-message [MESSAGES]
 *
 * Each piece is the difference between two loops that differ by it: only the scan; the whole
 * dispatch to a handler that does nothing; one that composes what is relayed; one that publishes
 * it to a channel of ten. What the ends of turns take is measured by itself. The best of five
 * rounds counts, since other load can only add. Every message that is published must be written to
 * each of the nine others, once.
 */
#include "message/envelope.h"

#include <praxis/host/broker.h>
#include <praxis/host/identity.h>
#include <praxis/host/realm.h>
#include <praxis/host/registry.h>
#include <praxis/host/session.h>
#include <praxis/host/stats.h>
#include <praxis/service.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMBERS 10
#define IN_FLIGHT 16
#define ROUNDS 5

enum work {
	WORK_NOTHING,
	WORK_STAMP,
	WORK_QUEUE,
};

static enum work work;
static struct px_broker *broker;
static struct px_session *sessions[MEMBERS];
static uint64_t bytes_written;
static unsigned messages = 50000; /* in each loop */

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "bench-message: %s\n", what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- host ---- */

static int on_write(void *user, const uint8_t *bytes, size_t len)
{
	(void)user;
	(void)bytes;
	bytes_written += len;
	return 0;
}

static bool on_busy(void *user)
{
	(void)user;
	return false;
}

static void on_close(void *user, uint16_t code)
{
	(void)user;
	(void)code;
	fail("a session was closed");
}

static void on_bind(void *user, struct px_session *session)
{
	(void)user;
	(void)session;
}

static void on_random(void *user, void *buf, size_t len)
{
	static uint64_t state = 88172645463325252u;
	(void)user;
	for (size_t i = 0; i < len; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		((uint8_t *)buf)[i] = (uint8_t)(state >> 56);
	}
}

static void on_log(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

/* ---- service ---- */

static const struct px_channel_kind kind = { .name = "bench" };
static const struct px_service service;

static void enter(void *state, struct px_session *session, struct px_practice *practice)
{
	static const struct px_channel_limits limits;
	struct px_member *member;
	bool is_new;
	(void)state;
	if (px_channel_join(session, &service, &kind, practice, px_span("room"), &limits, &member,
			&is_new) < 0) {
		fail("no channel");
	}
}

static int handle(struct px_call *call)
{
	if (work == WORK_NOTHING) {
		return 0;
	}
	struct px_message *message = px_call_forward(call, 0);
	if (!message) {
		fail("no memory");
	}
	if (work == WORK_QUEUE) {
		px_channel_publish(px_session_channel(call->session, &service, call->practice,
				px_span("room")), call->session, message, call->session);
	}
	px_message_unref(broker, message);
	return 0;
}

static const struct px_field_rule fields[] = {
	{ "roomId", PX_FIELD_ID, false }, { "appointmentId", PX_FIELD_ID, false },
	{ "message", PX_FIELD_STRING, false }, { "from", PX_FIELD_ID, false },
	{ "fromUserId", PX_FIELD_ID, false }, { NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = "bench_chat_message", .handle = handle, .roles = PX_ROLES_TEAM, .fields = fields },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "bench",
	.commands = commands,
	.command_count = 1,
	.enter = enter,
};

/* ---- loops ---- */

static void begin(void)
{
	static const struct px_transport transport = { on_write, on_busy, on_close, on_bind };
	static struct px_realm realm = { .name = "bench", .enabled = 1 };
	const struct px_broker_host host = { .random = on_random, .log = on_log };
	const struct px_limits limits = { .queue_bytes = 1 << 24, .channels = 10, .practices = 10,
		.rooms_per_session = 10, .message_bytes = 65536 };
	const struct px_id practice = { px_span("1"), true };
	unsigned index;
	if (px_broker_create(&transport, &host, &limits, &broker) < 0 ||
			px_broker_add_service(broker, &service, NULL, &index) < 0) {
		fail("no broker");
	}
	px_broker_set_time(broker, 1000, INT64_C(1700000000000));
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct px_claims claims = { .tenant = px_span("t"), .practices = &practice,
			.practice_count = 1, .user = { px_span("107"), true },
			.name = px_span("Ann Other"), .role = PX_ROLE_STAFF, .authenticated = true };
		struct px_session_params params = { .realm = &realm, .conn = &sessions[i],
			.service = -1 };
		if (px_identity_create(broker, &claims, &params.identity) < 0 ||
				px_session_open(broker, &params, &sessions[i]) < 0) {
			fail("no session");
		}
	}
	(void)px_broker_end_turn(broker);
}

static void end(void)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		px_session_lost(sessions[i], PX_LOSS_BROKEN);
	}
	(void)px_broker_end_turn(broker);
	px_broker_destroy(broker);
}

/* As long as libwebsockets gives it: not a byte more. */
static char *make_text(size_t payload, size_t *ret_len)
{
	static const char head[] = "{\"type\":\"bench_chat_message\",\"practiceId\":1,"
			"\"roomId\":\"room-1\",\"appointmentId\":1,\"message\":\"";
	static const char tail[] = "\",\"from\":\"u107\",\"fromUserId\":107}";
	size_t len = sizeof(head) - 1 + payload + sizeof(tail) - 1;
	char *text = malloc(len);
	if (!text) {
		fail("no memory");
	}
	memcpy(text, head, sizeof(head) - 1);
	memset(text + sizeof(head) - 1, 'x', payload);
	memcpy(text + sizeof(head) - 1 + payload, tail, sizeof(tail) - 1);
	*ret_len = len;
	return text;
}

static int64_t scan_ns(const char *text, size_t len)
{
	static struct px_envelope envelope;
	int64_t began_ns = now_ns();
	for (unsigned i = 0; i < messages; i++) {
		if (px_envelope_parse(&envelope, (struct px_span){ text, len }) != PX_ENVELOPE_FINE) {
			fail("the message is not read");
		}
		px_envelope_reset(&envelope);
	}
	return now_ns() - began_ns;
}

/* *ret_turns_ns: what of it the ends of turns took. */
static int64_t receive_ns(enum work doing, const char *text, size_t len, int64_t *ret_turns_ns)
{
	int64_t began_ns = now_ns();
	work = doing;
	*ret_turns_ns = 0;
	for (unsigned i = 0; i < messages; i += IN_FLIGHT) {
		for (unsigned k = 0; k < IN_FLIGHT; k++) {
			px_session_receive(sessions[k % MEMBERS], (const uint8_t *)text, len);
		}
		int64_t ended_ns = now_ns();
		(void)px_broker_end_turn(broker);
		*ret_turns_ns += now_ns() - ended_ns;
	}
	return now_ns() - began_ns - *ret_turns_ns;
}

static void keep_least(int64_t *least, int64_t value)
{
	*least = value < *least ? value : *least;
}

static uint64_t written_messages(void)
{
	struct px_stats stats;
	px_broker_stats(broker, &stats);
	return stats.messages_out;
}

static void measure(size_t payload)
{
	int64_t scan = INT64_MAX;
	int64_t received[] = { INT64_MAX, INT64_MAX, INT64_MAX };
	int64_t flush = INT64_MAX;
	size_t len;
	char *text = make_text(payload, &len);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t messages_before = written_messages();
		uint64_t bytes_before = bytes_written;
		int64_t turns;
		keep_least(&scan, scan_ns(text, len));
		for (enum work doing = WORK_NOTHING; doing <= WORK_QUEUE; doing++) {
			keep_least(&received[doing], receive_ns(doing, text, len, &turns));
		}
		keep_least(&flush, turns);
		uint64_t wanted = (uint64_t)messages * (MEMBERS - 1);
		if (written_messages() - messages_before != wanted ||
				bytes_written - bytes_before < wanted * len) {
			fail("not every message was written to everybody");
		}
	}
	(void)printf("%6zu %6.0f %8.0f %6.0f %6.0f %6.0f\n", len, (double)scan / messages,
			(double)(received[WORK_NOTHING] - scan) / messages,
			(double)(received[WORK_STAMP] - received[WORK_NOTHING]) / messages,
			(double)(received[WORK_QUEUE] - received[WORK_STAMP]) / messages,
			(double)flush / messages);
	free(text);
}

int main(int argc, char **argv)
{
	static const size_t payloads[] = { 64, 1024, 4096 };
	if (argc > 1) {
		messages = (unsigned)strtoul(argv[1], NULL, 10);
	}
	messages = (messages / IN_FLIGHT + 1) * IN_FLIGHT;
	begin();
	(void)printf("ns a message, in a room of ten\n bytes   scan dispatch  stamp  queue  flush\n");
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		measure(payloads[i]);
	}
	end();
	return 0;
}
