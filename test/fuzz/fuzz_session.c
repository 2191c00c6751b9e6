/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of whole sessions: an input is a little play, one line each, in which several clients
 * come, talk, fall silent and go, against a broker with the real services. A line begins with
 * who acts, `a` to `i`:
 *
 *     a+           connects, if it is not there
 *     a{"type":…   sends the rest of the line, where @d is the clientId of d
 *     a-           its connection breaks
 *     a=           its socket takes nothing more; a~ takes again
 *     a!           its next write fails
 *     .            the turn of the loop ends
 *     >5           so many times a second goes by: 2^5
 *     %0           the service of that index is switched off, or on again; %2: the waiting room
 *
 * What is asked of it: the sanitizers and the contract that test/unit/fake.c holds the broker to;
 * every message that anybody gets is one JSON object, from somebody who shares a practice with
 * the receiver and of such a practice; updates of one board come in rising order; and after
 * everybody has left nothing remains.
 */
#include "../unit/fake.h"
#include "message/envelope.h"
#include "core/session.h"

#include <json-c/json.h>
#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 400
#define COMINGS_MAX 64

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

enum { PEOPLE = 9 };

static const struct fake_who who[PEOPLE] = {
	{ .practices = "1", .user = "7", .name = "Ann", .authenticated = true },
	{ .practices = "\"1\"", .user = "\"u\"", .name = "Bob" },
	{ .practices = "1 2", .user = "8", .name = "Cat", .authenticated = true },
	{ .practices = "1", .user = "9", .role = PX_ROLE_PATIENT, .authenticated = true,
		.rooms = "\"r\" \"q\"" },
	{ .practices = "2", .user = "7", .name = "Ann", .authenticated = true },
	{ .tenant = "u", .practices = "1", .user = "7", .name = "Ann", .authenticated = true },
	{ .practices = "", .user = "x" },
	{ .practices = "1", .service = "whiteboard" },
	{ .practices = "1", .user = "5", .role = PX_ROLE_PATIENT },
};

/* A session that was there once: others may hear of it after it has gone. */
struct coming {
	char client_id[PX_CLIENT_ID_SIZE];
	unsigned who;
};

/* What one client has seen of the boards, by the practice's id. */
struct board {
	char practice[8];
	uint64_t seq;
};

struct play {
	struct fake *fake;
	struct fake_conn *conns[PEOPLE];
	struct board boards[PEOPLE][4];
	struct coming comings[COMINGS_MAX];
	unsigned coming_count;
	bool waiting;
};

static const char *const call_options[2] = {
	"{\"chat-history\":3,\"room-members\":3}",
	"{\"chat-history\":3,\"room-members\":3,\"waiting-room\":1,\"waiting-max\":2,"
	"\"waiting-timeout\":60}",
};

/* ---- what is received ---- */

static bool holds(unsigned person, const char *practice)
{
	const char *list = who[person].practices;
	size_t len = strlen(practice);
	if (person == 6) {
		return true; /* takes the practice of its first message */
	}
	for (const char *at = list; (at = strstr(at, practice)); at++) {
		char end = at[len];
		if (end == '\0' || end == ' ' || end == '"') {
			return true;
		}
	}
	return false;
}

static const char *tenant_of(unsigned person)
{
	return who[person].tenant ? who[person].tenant : "t";
}

static void check_origin(const struct play *play, unsigned receiver, struct json_object *message)
{
	const char *client_id = fake_member(message, "clientId");
	const char *practice = fake_member(message, "practiceId");
	if (practice[0] != '\0' && !holds(receiver, practice)) {
		fake_fault("a message of a strange practice: %s",
				json_object_to_json_string(message));
	}
	for (unsigned i = 0; i < play->coming_count; i++) {
		const struct coming *coming = &play->comings[i];
		if (strcmp(coming->client_id, client_id) == 0 &&
				strcmp(tenant_of(coming->who), tenant_of(receiver)) != 0) {
			fake_fault("crossed a tenant: %s", json_object_to_json_string(message));
		}
	}
}

static struct board *board_of(struct play *play, unsigned person, const char *practice)
{
	for (size_t i = 0; i < 4; i++) {
		struct board *board = &play->boards[person][i];
		if (board->practice[0] == '\0') {
			(void)snprintf(board->practice, sizeof(board->practice), "%s", practice);
		}
		if (strcmp(board->practice, practice) == 0) {
			return board;
		}
	}
	return NULL;
}

static void check_order(struct play *play, unsigned receiver, struct json_object *message)
{
	const char *type = fake_member(message, "type");
	struct board *board = board_of(play, receiver, fake_member(message, "practiceId"));
	if (!board) {
		return;
	}
	if (strcmp(type, "whiteboard_subscribed") == 0) {
		board->seq = 0; /* what is replayed comes next */
	} else if (strcmp(type, "whiteboard_update") == 0) {
		uint64_t seq = strtoull(fake_member(message, "seq"), NULL, 10);
		if (seq <= board->seq) {
			fake_fault("update %llu after %llu", (unsigned long long)seq,
					(unsigned long long)board->seq);
		}
		board->seq = seq;
	}
}

static void check_received(struct play *play, unsigned receiver)
{
	static struct px_envelope envelope;
	struct fake_conn *conn = play->conns[receiver];
	const struct fake_frame *frame;
	while ((frame = fake_next(conn))) {
		const char *text = fake_frame_text(conn, frame);
		if (frame->opcode == FAKE_PING) {
			continue;
		}
		if (px_envelope_parse(&envelope, (struct px_span){ text, frame->len }) !=
				PX_ENVELOPE_FINE) {
			fake_fault("the scan refuses what was sent: %s", text);
		}
		px_envelope_reset(&envelope);
		struct json_object *message = json_tokener_parse(text);
		if (!json_object_is_type(message, json_type_object)) {
			fake_fault("json-c refuses what was sent: %s", text);
		}
		check_origin(play, receiver, message);
		check_order(play, receiver, message);
		json_object_put(message);
	}
	fake_forget(conn);
}

/* ---- the acts ---- */

static void come(struct play *play, unsigned person)
{
	if (play->conns[person] || play->coming_count == COMINGS_MAX) {
		return;
	}
	struct fake_conn *conn = fake_connect(play->fake, &who[person]);
	struct coming *coming = &play->comings[play->coming_count++];
	memcpy(coming->client_id, conn->client_id, sizeof(coming->client_id));
	coming->who = person;
	memset(play->boards[person], 0, sizeof(play->boards[person]));
	play->conns[person] = conn;
}

static void end_turn(struct play *play)
{
	fake_turn(play->fake);
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct fake_conn *conn = play->conns[i];
		if (!conn) {
			continue;
		}
		check_received(play, i);
		if (conn->session && (conn->close_code != FAKE_OPEN || conn->failed)) {
			fake_lose(conn);
		} else if (!conn->session) {
			fake_forget_conn(conn);
			play->conns[i] = NULL;
		}
	}
}

/* The line with the clientIds that it asks for; @ and a letter, of somebody who is there. */
static void say(struct play *play, struct fake_conn *conn, const char *line, size_t len)
{
	char *text = malloc(len * PX_CLIENT_ID_SIZE);
	size_t at = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned person = i + 1 < len ? (unsigned)(line[i + 1] - 'a') : PEOPLE;
		if (line[i] == '@' && person < PEOPLE && play->conns[person]) {
			memcpy(text + at, play->conns[person]->client_id, PX_CLIENT_ID_SIZE - 1);
			at += PX_CLIENT_ID_SIZE - 1;
			i++;
		} else {
			text[at++] = line[i];
		}
	}
	fake_send_bytes(conn, text, at);
	free(text);
}

static void act(struct play *play, unsigned person, const char *line, size_t len)
{
	struct fake_conn *conn = play->conns[person];
	if (len == 0) {
		return;
	}
	if (*line == '+') {
		come(play, person);
	} else if (!conn || !conn->session) {
		return;
	} else if (*line == '-') {
		fake_lose(conn);
	} else if (*line == '=') {
		conn->busy = true;
	} else if (*line == '~' && conn->busy) {
		fake_unblock(conn);
	} else if (*line == '!') {
		conn->fails = true;
	} else if (conn->close_code == FAKE_OPEN) {
		say(play, conn, line, len);
	}
}

/* A fake keeps the options of as many services as there may be, and no more. */
static void switch_waiting(struct play *play)
{
	const struct px_service *service = svc_telemedicine.protocols[0].user;
	if (play->fake->option_count < PX_SERVICES_MAX) {
		play->waiting = !play->waiting;
		(void)px_broker_configure(play->fake->broker, 1, fake_options(play->fake,
				service->options, call_options[play->waiting]));
	}
}

static void perform(struct play *play, const char *line, size_t len)
{
	unsigned digit = len > 1 ? (unsigned char)line[1] % 16u : 0;
	switch (line[0]) {
	case '.':
		end_turn(play);
		return;
	case '>':
		fake_advance(play->fake, 1000 * (INT64_C(1) << digit));
		return;
	case '%':
		if (digit == 2) {
			switch_waiting(play);
			return;
		}
		play->fake->realm.enabled ^= 1u << digit % 2;
		px_broker_realm_changed(play->fake->broker, &play->fake->realm);
		return;
	default:
		act(play, (unsigned)(line[0] - 'a') % PEOPLE, line + 1, len - 1);
	}
}

static void begin(struct play *play)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 4096;
	limits.rooms_per_session = 3;
	limits.rooms_per_practice = 4;
	limits.channels = 10;
	limits.practices = 6;
	play->fake = fake_create(&limits);
	(void)fake_add_service(play->fake, svc_whiteboard.protocols[0].user,
			"{\"history\":4,\"history-bytes\":2000}");
	(void)fake_add_service(play->fake, svc_telemedicine.protocols[0].user, call_options[0]);
	play->fake->realm.auth_ms = 10000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play play;
	const char *at = (const char *)data;
	const char *end = at + size;
	memset(&play, 0, sizeof(play));
	begin(&play);
	for (unsigned i = 0; i < LINES_MAX && at < end; i++) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line_end ? line_end : end) - at);
		if (len > 0) {
			perform(&play, at, len);
		}
		at += len + 1;
	}
	end_turn(&play);
	fake_destroy(play.fake);
	return 0;
}
