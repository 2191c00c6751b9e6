/* SPDX-License-Identifier: MIT */
/*
 * See fake.h. The frames are parsed as RFC 6455 wants them of a server: unmasked, no
 * reserved bits, the shortest length, never cut.
 */
#include "fake.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

void fake_fault(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)fputs("fake: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	abort();
}

/* xorshift64* after Vigna. */
uint64_t fake_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static void *grown(void *memory, size_t *size, size_t need, size_t item)
{
	if (need > *size) {
		*size = need * 2;
		memory = realloc(memory, *size * item);
		if (!memory) {
			fake_fault("out of memory");
		}
	}
	return memory;
}

/* ---- transport ---- */

static uint64_t read_length(const uint8_t *at, const uint8_t *end, size_t *ret_header)
{
	size_t bytes = at[1] == 127 ? 8 : at[1] == 126 ? 2 : 0;
	uint64_t len = bytes > 0 ? 0 : at[1];
	if ((size_t)(end - at) < 2 + bytes) {
		fake_fault("a frame's header is cut");
	}
	for (size_t i = 0; i < bytes; i++) {
		len = len << 8 | at[2 + i];
	}
	if ((bytes == 2 && len < 126) || (bytes == 8 && len < 65536)) {
		fake_fault("a length of %zu bytes for %llu", bytes, (unsigned long long)len);
	}
	*ret_header = 2 + bytes;
	return len;
}

static void keep_frame(struct fake_conn *conn, unsigned opcode, const uint8_t *payload, size_t len)
{
	conn->frames = grown(conn->frames, &conn->frame_size, conn->frame_count + 1,
			sizeof(*conn->frames));
	conn->data = grown(conn->data, &conn->data_size, conn->data_len + len + 1, 1);
	conn->frames[conn->frame_count++] = (struct fake_frame){ opcode, conn->data_len, len };
	memcpy(conn->data + conn->data_len, payload, len);
	conn->data[conn->data_len + len] = '\0';
	conn->data_len += len + 1;
}

static const uint8_t *take_frame(struct fake_conn *conn, const uint8_t *at, const uint8_t *end)
{
	size_t header;
	if (end - at < 2) {
		fake_fault("half a frame's header");
	}
	unsigned opcode = at[0] & 0x0f;
	if ((at[0] & 0xf0) != 0x80 || (at[1] & 0x80) != 0) {
		fake_fault("a frame that is fragmented, masked or has reserved bits");
	}
	if (opcode != FAKE_TEXT && opcode != FAKE_PING) {
		fake_fault("a frame of opcode %u", opcode);
	}
	uint64_t len = read_length(at, end, &header);
	if (len > (uint64_t)(end - at) - header || (opcode == FAKE_PING && len > 125)) {
		fake_fault("a frame that is cut or too long");
	}
	keep_frame(conn, opcode, at + header, (size_t)len);
	return at + header + len;
}

static int fake_on_write(void *user, const uint8_t *bytes, size_t len)
{
	struct fake_conn *conn = user;
	if (!conn->session) {
		fake_fault("a write after the connection was lost");
	}
	if (conn->busy || conn->failed || conn->close_code != FAKE_OPEN) {
		fake_fault("a write to a connection that is busy, broken or closed");
	}
	if (conn->fails) {
		conn->failed = true;
		return -1;
	}
	const uint8_t *at = bytes;
	while (at < bytes + len) {
		at = take_frame(conn, at, bytes + len);
	}
	conn->writes++;
	conn->bytes += len;
	conn->fake->bytes_out += len;
	conn->busy = conn->busy_after > 0 && --conn->busy_after == 0;
	return 0;
}

static bool fake_on_busy(void *user)
{
	const struct fake_conn *conn = user;
	if (!conn->session) {
		fake_fault("a question after the connection was lost");
	}
	return conn->busy;
}

static void fake_on_close(void *user, uint16_t code)
{
	struct fake_conn *conn = user;
	if (!conn->session || conn->close_code != FAKE_OPEN) {
		fake_fault("a close after the connection was closed or lost");
	}
	if (code != 0 && conn->busy) {
		fake_fault("a close frame behind what was not sent yet");
	}
	conn->close_code = code;
}

static void fake_on_bind(void *user, struct px_session *session)
{
	struct fake_conn *conn = user;
	conn->session = session;
}

/* ---- host ---- */

static void fake_on_random(void *user, void *buf, size_t len)
{
	struct fake *fake = user;
	uint8_t *at = buf;
	for (size_t i = 0; i < len; i++) {
		at[i] = (uint8_t)(fake_random(&fake->random) >> 32);
	}
}

static bool fake_on_over_budget(void *user, enum px_work work)
{
	const struct fake *fake = user;
	(void)work;
	return fake->over_budget;
}

static void fake_on_log(void *user, int level, const char *line)
{
	struct fake *fake = user;
	(void)level;
	fake->log_count++;
	(void)snprintf(fake->log, sizeof(fake->log), "%s", line);
}

struct px_limits fake_limits(void)
{
	return (struct px_limits){
		.queue_bytes = 1 << 20,
		.rooms_per_session = 16,
		.channels = 1000,
		.practices = 1000,
		.message_bytes = 65536,
		.heartbeat_ms = 25000,
		.slow_close_ms = 5000,
	};
}

struct fake *fake_create(const struct px_limits *limits)
{
	static const struct px_transport transport = { fake_on_write, fake_on_busy,
		fake_on_close, fake_on_bind };
	struct px_limits generous = fake_limits();
	struct fake *fake = calloc(1, sizeof(*fake));
	if (!fake) {
		fake_fault("out of memory");
	}
	fake->random = 88172645463325252;
	fake->realm.name = "default";
	struct px_broker_host host = { .user = fake,
		.over_budget = fake_on_over_budget,
		.random = fake_on_random,
		.log = fake_on_log };
	if (px_broker_create(&transport, &host, limits ? limits : &generous, &fake->broker) < 0) {
		fake_fault("no broker");
	}
	fake->mono_ms = 1000000;
	fake->wall_ms = INT64_C(1700000000000);
	px_broker_set_time(fake->broker, fake->mono_ms, fake->wall_ms);
	return fake;
}

static void assert_empty(const struct fake *fake)
{
	struct px_stats s = fake_stats(fake);
	if (s.sessions || s.detached || s.kept_messages || s.kept_bytes || s.channels || s.rooms ||
			s.practices || s.members || s.messages_live || s.queue_bytes) {
		fake_fault("left over: %llu sessions, %llu detached, %llu messages kept (%llu "
				"bytes), %llu channels, %llu rooms, %llu practices, "
				"%llu members, %llu messages, %llu bytes queued",
				(unsigned long long)s.sessions, (unsigned long long)s.detached,
				(unsigned long long)s.kept_messages,
				(unsigned long long)s.kept_bytes, (unsigned long long)s.channels,
				(unsigned long long)s.rooms, (unsigned long long)s.practices,
				(unsigned long long)s.members, (unsigned long long)s.messages_live,
				(unsigned long long)s.queue_bytes);
	}
	if (s.bytes_out != fake->bytes_out) {
		fake_fault("bytes_out is %llu, but %llu were written",
				(unsigned long long)s.bytes_out,
				(unsigned long long)fake->bytes_out);
	}
}

static void free_conn(struct fake_conn *conn)
{
	free(conn->frames);
	free(conn->data);
	free(conn);
}

static void lose_all(struct fake *fake)
{
	for (struct fake_conn *conn = fake->conns; conn; conn = conn->next) {
		fake_lose(conn);
	}
	px_broker_end_detached(fake->broker);
	fake_turn(fake);
}

void fake_abandon(struct fake *fake)
{
	lose_all(fake);
	px_broker_destroy(fake->broker);
	while (fake->conns) {
		struct fake_conn *conn = fake->conns;
		fake->conns = conn->next;
		free_conn(conn);
	}
	for (unsigned i = 0; i < fake->option_count; i++) {
		px_options_destroy(fake->options[i]);
	}
	json_object_put(fake->json);
	free(fake);
}

void fake_destroy(struct fake *fake)
{
	lose_all(fake);
	fake_advance(fake, DAY_MS);
	fake_turn(fake);
	assert_empty(fake);
	fake_abandon(fake);
}

/* ---- services ---- */

static void fake_on_option_error(void *user, const struct px_option_entry *entry, const char *text)
{
	(void)user;
	(void)entry;
	fake_fault("%s", text);
}

struct px_options *fake_options(struct fake *fake, const struct px_option *table, const char *text)
{
	struct px_option_entry entries[16];
	struct px_options *options;
	size_t count = 0;
	struct json_object *object = json_tokener_parse(text ? text : "{}");
	if (!object || fake->option_count == PX_SERVICES_MAX) {
		fake_fault("options that are no JSON, or too many of them");
	}
	json_object_object_foreach(object, key, value) {
		entries[count++] = (struct px_option_entry){ .key = key, .value = value };
	}
	if (px_options_create(table, entries, count, fake_on_option_error, NULL, &options) < 0) {
		fake_fault("options refused");
	}
	json_object_put(object);
	fake->options[fake->option_count++] = options;
	return options;
}

unsigned fake_add_service(struct fake *fake, const struct px_service *service, const char *options)
{
	unsigned index;
	int rc = px_broker_add_service(fake->broker, service,
			fake_options(fake, service->options, options), &index);
	/* More than nothing is no success, either: the host asks for less than 0. */
	if (rc != 0) {
		fake_fault("service %s: %d, %s", service->name, rc, fake->log);
	}
	fake->realm.enabled |= UINT32_C(1) << index;
	return index;
}

/* ---- connections ---- */

/* One word of `*text` as an id; moves on behind it. */
static struct px_id read_id(const char **text)
{
	const char *at = *text;
	size_t len = strcspn(at, " ");
	*text = at + len + strspn(at + len, " ");
	if (len >= 2 && at[0] == '"') {
		return (struct px_id){ { at + 1, len - 2 }, false };
	}
	struct px_span span = { at, len };
	return (struct px_id){ span, px_id_is_integer(span) };
}

static size_t read_ids(const char *list, struct px_id ids[64])
{
	size_t count = 0;
	while (list && *list != '\0') {
		ids[count++] = read_id(&list);
	}
	return count;
}

int fake_identity(struct fake *fake, const struct fake_who *who, struct px_identity **ret_identity)
{
	struct px_id practices[64];
	struct px_id rooms[64];
	const char *user = who->user ? who->user : "";
	enum px_role role = who->role ? who->role : PX_ROLE_STAFF;
	struct px_claims claims = {
		.tenant = px_span(who->tenant ? who->tenant : "t"),
		.practices = practices,
		.practice_count = read_ids(who->practices ? who->practices : "1", practices),
		.has_rooms = who->rooms != NULL,
		.rooms = rooms,
		.room_count = read_ids(who->rooms, rooms),
		.user = read_id(&user),
		.name = px_span(who->name ? who->name : ""),
		.role = who->unauthenticated ? 0 : role,
		.authenticated = who->authenticated,
		.all_practices = who->all_practices,
		.expires_ms = who->expires_ms,
		.address = px_span(who->address ? who->address : ""),
	};
	return px_identity_create(fake->broker, &claims, ret_identity);
}

static int service_index(const struct fake *fake, const char *name)
{
	unsigned index;
	if (!name) {
		return -1;
	}
	if (!px_broker_find_service(fake->broker, px_span(name), &index)) {
		fake_fault("there is no service %s", name);
	}
	return (int)index;
}

struct fake_conn *fake_connect(struct fake *fake, const struct fake_who *who)
{
	struct fake_conn *conn = calloc(1, sizeof(*conn));
	struct px_session_params params = {
		.realm = who->realm ? who->realm : &fake->realm,
		.conn = conn,
		.service = service_index(fake, who->service),
		.versioned = who->versioned,
		.resume = px_span(who->resume ? who->resume : ""),
		.received = who->received,
	};
	if (!conn || fake_identity(fake, who, &params.identity) < 0) {
		fake_fault("no identity");
	}
	conn->fake = fake;
	conn->close_code = FAKE_OPEN;
	conn->next = fake->conns;
	fake->conns = conn;
	if (px_session_open(fake->broker, &params, &conn->session) < 0) {
		fake_fault("no session");
	}
	px_session_client_id(conn->session, conn->client_id);
	return conn;
}

static void keep_token(struct fake_conn *conn, struct json_object *message)
{
	struct json_object *resume;
	conn->token[0] = '\0';
	if (json_object_object_get_ex(message, "resume", &resume)) {
		(void)snprintf(conn->token, sizeof(conn->token), "%s",
				fake_member(resume, "token"));
	}
}

struct fake_conn *fake_open(struct fake *fake, const struct fake_who *who)
{
	struct fake_conn *conn = fake_connect(fake, who);
	fake_turn(fake);
	keep_token(conn, fake_expect(conn, "{'type':'connection_established','protocol':1}"));
	return conn;
}

struct fake_conn *fake_resume(struct fake *fake, const struct fake_who *who)
{
	struct fake_conn *conn = fake_connect(fake, who);
	fake_turn(fake);
	keep_token(conn, fake_expect(conn, "{'type':'resumed'}"));
	return conn;
}

void fake_send_bytes(struct fake_conn *conn, const void *bytes, size_t len)
{
	/* A block of just that size: reading past its end is noticed. */
	uint8_t *copy = malloc(len > 0 ? len : 1);
	if (!copy || !conn->session) {
		fake_fault("nothing can be sent here");
	}
	if (len > 0) {
		memcpy(copy, bytes, len);
	}
	px_session_receive(conn->session, copy, len);
	/* What the broker kept of it by mistake will not look right. */
	memset(copy, '#', len);
	free(copy);
}

void fake_send(struct fake_conn *conn, const char *text)
{
	fake_send_bytes(conn, text, strlen(text));
}

bool fake_turn(struct fake *fake)
{
	return px_broker_end_turn(fake->broker);
}

void fake_say(struct fake_conn *conn, const char *text)
{
	fake_send(conn, text);
	fake_turn(conn->fake);
}

void fake_lose(struct fake_conn *conn)
{
	if (conn->session) {
		px_session_lost(conn->session, PX_LOSS_BROKEN);
		conn->session = NULL;
	}
}

void fake_leave(struct fake_conn *conn)
{
	px_session_lost(conn->session, PX_LOSS_GOODBYE);
	conn->session = NULL;
}

void fake_forget_conn(struct fake_conn *conn)
{
	struct fake_conn **at = &conn->fake->conns;
	while (*at != conn) {
		at = &(*at)->next;
	}
	*at = conn->next;
	free_conn(conn);
}

void fake_settle(struct fake *fake)
{
	bool again = true;
	while (again) {
		again = false;
		fake_turn(fake);
		for (struct fake_conn *conn = fake->conns; conn; conn = conn->next) {
			if (conn->session && (conn->close_code != FAKE_OPEN || conn->failed)) {
				fake_lose(conn);
				again = true;
			}
		}
	}
}

void fake_unblock(struct fake_conn *conn)
{
	conn->busy = false;
	px_session_writable(conn->session);
}

void fake_advance(struct fake *fake, int64_t ms)
{
	fake->mono_ms += ms;
	fake->wall_ms += ms;
	px_broker_set_time(fake->broker, fake->mono_ms, fake->wall_ms);
}

struct px_stats fake_stats(const struct fake *fake)
{
	struct px_stats stats;
	px_broker_stats(fake->broker, &stats);
	return stats;
}

/* ---- reading ---- */

const struct fake_frame *fake_next(struct fake_conn *conn)
{
	return conn->next_frame < conn->frame_count ? &conn->frames[conn->next_frame++] : NULL;
}

const char *fake_frame_text(const struct fake_conn *conn, const struct fake_frame *frame)
{
	return conn->data + frame->at;
}

const char *fake_text(struct fake_conn *conn)
{
	const struct fake_frame *frame = fake_next(conn);
	while (frame && frame->opcode == FAKE_PING) {
		frame = fake_next(conn);
	}
	return frame ? fake_frame_text(conn, frame) : "";
}

void fake_forget(struct fake_conn *conn)
{
	if (conn->next_frame == conn->frame_count) {
		conn->next_frame = 0;
		conn->frame_count = 0;
		conn->data_len = 0;
	}
}

static bool has_all(struct json_object *object, struct json_object *pattern)
{
	struct json_object *value;
	if (!json_object_is_type(object, json_type_object)) {
		return false;
	}
	json_object_object_foreach(pattern, key, wanted) {
		if (!json_object_object_get_ex(object, key, &value) ||
				!json_object_equal(value, wanted)) {
			return false;
		}
	}
	return true;
}

struct json_object *fake_expect(struct fake_conn *conn, const char *pattern)
{
	struct fake *fake = conn->fake;
	const char *text = fake_text(conn);
	struct json_object *wanted = json_tokener_parse(pattern);
	if (!wanted) {
		fake_fault("no pattern: %s", pattern);
	}
	json_object_put(fake->json);
	fake->json = json_tokener_parse(text);
	if (!has_all(fake->json, wanted)) {
		fake_fault("wanted %s, got %s", pattern, text[0] != '\0' ? text : "nothing");
	}
	json_object_put(wanted);
	return fake->json;
}

void fake_expect_nothing(struct fake_conn *conn)
{
	const char *text = fake_text(conn);
	if (text[0] != '\0') {
		fake_fault("wanted nothing, got %s", text);
	}
}

const char *fake_member(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

void fake_give(struct fake_conn *conn, unsigned number, size_t bytes)
{
	char *text = malloc(bytes + 64);
	struct px_json json;
	memset(text, 'x', bytes);
	px_json_begin(&json, "given");
	px_json_int(&json, "n", number);
	px_json_string(&json, "pad", (struct px_span){ text, bytes });
	px_json_end(&json);
	px_session_send_json(conn->session, &json);
	free(text);
}
