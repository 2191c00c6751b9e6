/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of what clients send: the first byte of an input says which of six sessions sends
 * the rest as one message, to a broker with the real services. The sessions are of two
 * tenants and two practices, proven and not, staff and patient; they are kept from one input
 * to the next, and put back where they were (connected, in the room) before each.
 *
 * Whatever is sent, what others receive must be one JSON message, readable by json-c and by
 * our own scan, from whom it says it is from, and only for those of the sender's practice.
 */
#include "../unit/fake.h"
#include "channel/channel.h"
#include "core/practice.h"
#include "message/envelope.h"
#include "message/scan.h"
#include "core/session.h"

#include <json-c/json.h>
#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

#define JOIN "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1," \
	"\"userId\":\"u\",\"userName\":\"n\"}"
#define SUBSCRIBE(practice) "{\"type\":\"whiteboard_subscribe\",\"practiceId\":" practice "}"

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

enum {
	PATIENT = 3,
	PRACTICE_TWO = 4,
	SESSIONS = 6,
};

static const struct fake_who who[SESSIONS] = {
	{ .practices = "1", .user = "7", .name = "Ann", .authenticated = true },
	{ .practices = "\"1\"", .user = "\"u\"", .name = "Bob" },
	{ .practices = "1 2", .user = "8", .name = "Cat", .authenticated = true },
	{ .practices = "1", .user = "9", .role = PX_ROLE_PATIENT, .authenticated = true,
		.rooms = "\"r\" \"q\"" },
	{ .practices = "2", .user = "7", .name = "Ann", .authenticated = true },
	{ .tenant = "u", .practices = "1", .user = "7", .name = "Ann", .authenticated = true },
};

static struct fake *fake;
static struct fake_conn *conns[SESSIONS];

static void finish(void)
{
	fake_destroy(fake);
}

static void begin(void)
{
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 0;
	fake = fake_create(&limits);
	(void)fake_add_service(fake, svc_whiteboard.protocols[0].user, "{\"history\":8}");
	(void)fake_add_service(fake, svc_telemedicine.protocols[0].user, "{\"chat-history\":3}");
	(void)atexit(finish);
}

static void forget(struct fake_conn *conn)
{
	while (fake_next(conn)) {
		/* nobody reads this */
	}
	fake_forget(conn);
}

static const char *practice_of(size_t i)
{
	return i == PRACTICE_TWO ? "2" : "1";
}

static bool is_in(size_t i, const char *service, const char *name)
{
	const struct px_member *at = conns[i]->session->members;
	while (at && (strcmp(at->channel->service->name, service) != 0 ||
			strcmp(at->channel->practice->id, practice_of(i)) != 0 ||
			!px_span_equal(px_channel_name(at->channel), px_span(name)))) {
		at = at->next;
	}
	return at != NULL;
}

static bool is_restored(size_t i)
{
	return is_in(i, "telemedicine", "r") && (i == PATIENT || is_in(i, "whiteboard", ""));
}

static void leave(size_t i)
{
	fake_lose(conns[i]);
	fake_turn(fake);
	fake_forget_conn(conns[i]);
	conns[i] = NULL;
}

static void restore_one(size_t i)
{
	if (conns[i] && conns[i]->close_code != FAKE_OPEN) {
		leave(i);
	}
	for (int tries = 0; !conns[i] || !is_restored(i); tries++) {
		if (conns[i] && tries > 0) {
			leave(i); /* it is in too many rooms, perhaps */
		}
		if (tries > 2) {
			fake_fault("session %zu cannot join any more", i);
		}
		conns[i] = conns[i] ? conns[i] : fake_connect(fake, &who[i]);
		fake_send(conns[i], JOIN);
		fake_send(conns[i], i == PRACTICE_TWO ? SUBSCRIBE("2") : SUBSCRIBE("1"));
	}
}

/* All are connected, in the room and on the board; nobody is told anything more of that. */
static void restore(void)
{
	for (size_t i = 0; i < SESSIONS; i++) {
		restore_one(i);
	}
	fake_turn(fake);
	for (size_t i = 0; i < SESSIONS; i++) {
		forget(conns[i]);
	}
}

/* ---- one message by itself ---- */

static bool scan_accepts(const uint8_t *text, size_t len)
{
	struct px_scan scan = { .at = text, .end = text + len };
	enum px_kind kind;
	bool escaped;
	px_scan_space(&scan);
	if (px_scan_value(&scan, 0, &kind, &escaped) < 0) {
		return false;
	}
	px_scan_space(&scan);
	return scan.at == scan.end;
}

static struct json_object *json_c_reads(const char *text, size_t len, int flags)
{
	/* A scalar counts as a level for json-c. */
	struct json_tokener *tokener = json_tokener_new_ex(PX_SCAN_DEPTH + 3);
	char *copy = malloc(len + 1);
	if (!tokener || !copy) {
		abort();
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	json_tokener_set_flags(tokener, flags);
	struct json_object *object = json_tokener_parse_ex(tokener, copy, (int)len + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		fake_fault("json-c refuses what the scan accepts: %s",
				json_tokener_error_desc(json_tokener_get_error(tokener)));
	}
	free(copy);
	json_tokener_free(tokener);
	return object;
}

/* What we let in, the most widespread C parser lets in, too. */
static void compare_parsers(const uint8_t *text, size_t len)
{
	if (scan_accepts(text, len)) {
		json_object_put(json_c_reads((const char *)text, len, 0));
	}
}

/* ---- what others receive ---- */

static bool share_practice(const struct fake_conn *a, const struct fake_conn *b)
{
	const struct px_identity *identity = a->session->identity;
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		if (px_identity_holds(b->session->identity, identity->practices[i].practice)) {
			return true;
		}
	}
	return false;
}

static void must_be(struct json_object *object, const char *key, const char *wanted)
{
	if (strcmp(fake_member(object, key), wanted) != 0) {
		fake_fault("%s is %s, not %s: %s", key, fake_member(object, key), wanted,
				json_object_to_json_string(object));
	}
}

static void check_once(const struct px_envelope *envelope, const char *name)
{
	unsigned count = 0;
	for (size_t i = 0; i < envelope->field_count; i++) {
		count += px_span_equal(envelope->fields[i].name, px_span(name));
	}
	if (count != 1) {
		fake_fault("%s is there %u times: %.*s", name, count, (int)envelope->text.len,
				envelope->text.data);
	}
}

/*
 * No name at all is there twice, told without our own reading of names: json-c keeps one of
 * each. Not asked of names that json-c itself takes for others (U+0000, lone surrogates), or
 * that are longer than any of the protocol's.
 */
static void check_doubles(const struct px_envelope *envelope, const char *text,
		struct json_object *object)
{
	bool odd = strstr(text, "\\u0000") || strcasestr(text, "\\ud");
	for (size_t i = 0; i < envelope->field_count; i++) {
		odd = odd || envelope->fields[i].name.len > 60;
	}
	if (!odd && envelope->field_count != (size_t)json_object_object_length(object)) {
		fake_fault("a name is there twice: %s", text);
	}
}

/* The receiver must hold the practice that the message says it is of. */
static void check_practice(struct json_object *object, const struct fake_conn *receiver)
{
	const struct px_identity *identity = receiver->session->identity;
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		if (strcmp(fake_member(object, "practiceId"),
				px_practice_id(identity->practices[i].practice)) == 0) {
			return;
		}
	}
	fake_fault("a message of a strange practice: %s", json_object_to_json_string(object));
}

static void check_relayed(struct json_object *object, const struct px_envelope *envelope,
		size_t sender, const struct fake_conn *receiver)
{
	static const char *const once[] = { "clientId", "timestamp", "practiceId", "type" };
	must_be(object, "clientId", conns[sender]->client_id);
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		check_once(envelope, once[i]);
	}
	check_practice(object, receiver);
	if (who[sender].authenticated) {
		check_once(envelope, "userId");
		check_once(envelope, "userName");
		must_be(object, "userId", who[sender].user);
		must_be(object, "userName", who[sender].name ? who[sender].name : "");
		if (px_envelope_field(envelope, "fromUserId")) {
			must_be(object, "fromUserId", who[sender].user);
		}
	}
}

static bool has_type(struct json_object *object, const char *type)
{
	return strcmp(fake_member(object, "type"), type) == 0;
}

static void check_received(size_t sender, size_t receiver)
{
	static struct px_envelope envelope;
	struct fake_conn *conn = conns[receiver];
	const struct fake_frame *frame;
	unsigned relayed = 0;
	while ((frame = fake_next(conn))) {
		const char *text = fake_frame_text(conn, frame);
		struct json_object *object = json_c_reads(text, frame->len,
				JSON_TOKENER_VALIDATE_UTF8);
		if (px_envelope_parse(&envelope, (struct px_span){ text, frame->len }) !=
				PX_ENVELOPE_FINE) {
			fake_fault("the scan refuses what was sent: %s", text);
		}
		if (receiver != sender) {
			if (!share_practice(conns[sender], conn)) {
				fake_fault("crossed a practice: %s", text);
			}
			/* When a room ends each is told of several. */
			if (!has_type(object, "telemedicine_user_left")) {
				relayed++;
				check_relayed(object, &envelope, sender, conn);
				check_doubles(&envelope, text, object);
			}
		}
		px_envelope_reset(&envelope);
		json_object_put(object);
	}
	if (relayed > 1) {
		fake_fault("one message was relayed %u times", relayed);
	}
	fake_forget(conn);
}

/* Now and then: whatever was sent before, an honest message still gets where it should. */
static void check_honest(void)
{
	static const char update[] = "{\"type\":\"whiteboard_update\",\"practiceId\":1}";
	fake_say(conns[0], update);
	for (size_t i = 1; i < SESSIONS; i++) {
		size_t wanted = i < PATIENT ? 1 : 0;
		if (conns[i]->frame_count != wanted) {
			fake_fault("session %zu got %zu messages of an honest one", i,
					conns[i]->frame_count);
		}
		check_received(0, i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;
	if (size == 0) {
		return 0;
	}
	if (!fake) {
		begin();
	}
	size_t sender = (size_t)(data[0] - '0') % SESSIONS;
	restore();
	if (++inputs % 256 == 0) {
		check_honest();
	}
	compare_parsers(data + 1, size - 1);
	fake_send_bytes(conns[sender], data + 1, size - 1);
	fake_turn(fake);
	for (size_t i = 0; i < SESSIONS; i++) {
		check_received(sender, i);
	}
	if (fake_stats(fake).queue_bytes != 0) {
		fake_fault("something is queued still");
	}
	/* So slowly that nobody is closed for talking nonsense. */
	fake_advance(fake, 1100);
	return 0;
}
