/* SPDX-License-Identifier: MIT */
/* See link.h: a connection's life, and whom its answers are for. */
#include "link.h"

#include "scripts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 3000
#define RETRY_MOST_MS 2000

/* The oldest that has what is needed: SSUBSCRIBE, and scripts that begin with #!lua. */
#define REDIS_MAJOR 7

static const char *const scripts[PX_SCRIPT_COUNT] = {
	[PX_SCRIPT_COMMIT] = px_redis_commit,
	[PX_SCRIPT_CLAIM] = px_redis_claim,
	[PX_SCRIPT_FETCH] = px_redis_fetch,
	[PX_SCRIPT_BEAT] = px_redis_beat,
	[PX_SCRIPT_BURY] = px_redis_bury,
};

int64_t px_link_now_ms(const struct px_bus_link *link)
{
	return (int64_t)uv_now(link->owner.loop);
}

void px_link_log(const struct px_bus_link *link, int level, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	link->owner.log(link->owner.user, level, line);
}

/* ---- the end of a connection ---- */

static void tell_fault(struct px_bus_link *link)
{
	if (strcmp(link->fault, link->told) != 0) {
		memcpy(link->told, link->fault, sizeof(link->told));
		px_link_log(link, PX_LOG_WARNING, "bus: %s:%u: %s", link->setup.host,
				link->setup.port, link->fault);
	}
}

static void forget_connection(struct px_bus_link *link)
{
	px_conn_drop(link->conn);
	link->conn = NULL;
	link->out.len = link->in_len = link->expect_count = 0;
	link->out.failed = false;
	link->scan = (struct px_resp_scan){ 0 };
	link->state = PX_LINK_WAITING;
	px_jobs_rewind(link);
}

void px_link_close(struct px_bus_link *link)
{
	bool was_up = link->state == PX_LINK_UP;
	forget_connection(link);
	link->retry_at_ms = 0;
	if (was_up) {
		px_broker_bus_down(link->owner.broker);
	}
}

void px_link_fail(struct px_bus_link *link, const char *format, ...)
{
	bool was_up = link->state == PX_LINK_UP;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(link->fault, sizeof(link->fault), format, args);
	va_end(args);
	forget_connection(link);
	link->attempts++;
	link->retry_at_ms = px_link_now_ms(link) + link->retry_ms;
	link->retry_ms = 2 * link->retry_ms < RETRY_MOST_MS ? 2 * link->retry_ms : RETRY_MOST_MS;
	tell_fault(link);
	if (was_up) {
		link->stats.lost++;
		link->owner.begin_turn(link->owner.user);
		px_broker_bus_down(link->owner.broker);
	}
}

/* What Redis says is not repeated: it may quote what it was sent. */
void px_link_fail_for(struct px_bus_link *link, struct px_span error)
{
	static const struct {
		const char *code;
		const char *sentence;
	} faults[] = {
		{ "BUSY", "Redis is busy with a script" },
		{ "CLUSTERDOWN", "the cluster is down" },
		{ "LOADING", "Redis is loading its data" },
		{ "MASTERDOWN", "Redis is a replica without its master" },
		{ "MISCONF", "Redis cannot save its data to its disk" },
		{ "MOVED", "Redis is a cluster, which is not supported yet" },
		{ "NOAUTH", "Redis asks for a password (bus-password-file)" },
		{ "NOPERM", "the user's ACL in Redis does not permit what is needed (docs/scaling.md)" },
		{ "NOREPLICAS", "Redis has not enough replicas to write" },
		{ "NOSCRIPT", "Redis has forgotten the scripts" },
		{ "OOM", "Redis is out of memory (maxmemory)" },
		{ "READONLY", "Redis is a replica, which cannot be written" },
		{ "WRONGPASS", "Redis does not accept the user's password (bus-password-file)" },
		{ "ERR", "Redis refuses what is needed: 7.0 or newer must be there" },
	};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (px_resp_is_error(error, faults[i].code)) {
			px_link_fail(link, "%s", faults[i].sentence);
			return;
		}
	}
	size_t len = 0;
	while (len < error.len && len < 20 && error.data[len] >= 'A' && error.data[len] <= 'Z') {
		len++;
	}
	px_link_fail(link, "Redis answers with the error %.*s", (int)len, error.data);
}

/* An error that any other job would meet as well. */
static bool concerns_all(struct px_span error)
{
	return !px_resp_is_error(error, "ERR") && !px_resp_is_error(error, "WRONGTYPE");
}

/* ---- commands ---- */

static bool grow_expects(struct px_bus_link *link)
{
	size_t size = link->expect_size ? 2 * link->expect_size : 256;
	struct px_expect *grown = size > PX_REDIS_EXPECT_MAX ? NULL : calloc(size, sizeof(*grown));
	if (!grown) {
		return false;
	}
	for (size_t i = 0; i < link->expect_count; i++) {
		grown[i] = link->expects[(link->expect_first + i) & (link->expect_size - 1)];
	}
	free(link->expects);
	link->expects = grown;
	link->expect_first = 0;
	link->expect_size = size;
	return true;
}

void px_link_expect(struct px_bus_link *link, enum px_expect_kind kind, uint64_t number)
{
	if (link->expect_count == link->expect_size && !grow_expects(link)) {
		link->out.failed = true; /* px_link_flush() sees it */
		return;
	}
	size_t at = (link->expect_first + link->expect_count++) & (link->expect_size - 1);
	link->expects[at] = (struct px_expect){ kind, number };
}

void px_link_call(struct px_bus_link *link, enum px_redis_script script, const struct px_name *key,
		size_t arguments)
{
	struct px_resp_out *out = &link->out;
	px_resp_command(out, 4 + arguments);
	px_resp_put(out, (struct px_span){ "EVALSHA", 7 });
	px_resp_put(out, (struct px_span){ link->shas[script], 40 });
	px_resp_put_number(out, 1);
	px_resp_put(out, px_name_text(key));
}

void px_link_flush(struct px_bus_link *link)
{
	if (link->state == PX_LINK_UP) {
		px_jobs_send(link);
		if (link->is_asked && !link->is_beating && !link->is_deposed) {
			px_nodes_beat(link);
		}
	}
	for (size_t i = 0; i < sizeof(link->names) / sizeof(link->names[0]); i++) {
		link->out.failed = link->out.failed || link->names[i].failed;
		link->names[i].failed = false;
	}
	if (link->out.failed) {
		px_link_fail(link, "not enough memory for what Redis does not take");
	} else if (link->conn && link->out.len > 0) {
		px_conn_write(link->conn);
	}
}

/* ---- the beginning of a connection ---- */

static struct px_span span_of(const char *text)
{
	return (struct px_span){ text, strlen(text) };
}

static void say_hello(struct px_bus_link *link)
{
	struct px_resp_out *out = &link->out;
	const struct px_bus_setup *setup = &link->setup;
	px_resp_command(out, setup->password ? 5 : 2);
	px_resp_put(out, span_of("HELLO"));
	px_resp_put(out, span_of("3"));
	if (setup->password) {
		px_resp_put(out, span_of("AUTH"));
		px_resp_put(out, span_of(setup->user ? setup->user : "default"));
		px_resp_put(out, span_of(setup->password));
	}
	px_link_expect(link, PX_EXPECT_HELLO, 0);
	if (setup->database > 0) {
		px_resp_command(out, 2);
		px_resp_put(out, span_of("SELECT"));
		px_resp_put_number(out, setup->database);
		px_link_expect(link, PX_EXPECT_DATABASE, 0);
	}
	px_resp_words(out, "INFO memory");
	px_link_expect(link, PX_EXPECT_MEMORY, 0);
}

static void load_scripts(struct px_bus_link *link)
{
	for (unsigned i = 0; i < PX_SCRIPT_COUNT; i++) {
		px_resp_command(&link->out, 3);
		px_resp_put(&link->out, span_of("SCRIPT"));
		px_resp_put(&link->out, span_of("LOAD"));
		px_resp_put(&link->out, span_of(scripts[i]));
		px_link_expect(link, PX_EXPECT_SCRIPT, i);
	}
}

/* Each channel is confirmed by a push, not by an answer. */
static void subscribe(struct px_bus_link *link)
{
	struct px_name *name = &link->names[0];
	const char *prefix = link->setup.prefix;
	px_resp_command(&link->out, 3 + PX_REDIS_PARTITIONS);
	px_resp_put(&link->out, span_of("SSUBSCRIBE"));
	px_name_common(name, prefix, "ctl");
	px_resp_put(&link->out, px_name_text(name));
	px_name_inbox(name, prefix, link->node);
	px_resp_put(&link->out, px_name_text(name));
	for (unsigned i = 0; i < PX_REDIS_PARTITIONS; i++) {
		px_name_outputs(name, prefix, i, link->node);
		px_resp_put(&link->out, px_name_text(name));
	}
	px_resp_words(&link->out, "PING");
	px_link_expect(link, PX_EXPECT_READY, 0);
}

void px_link_opened(struct px_bus_link *link)
{
	link->state = PX_LINK_GREETING;
	link->began_ms = px_link_now_ms(link);
	say_hello(link);
	load_scripts(link);
	subscribe(link);
	px_link_flush(link);
}

static void keep_server(struct px_bus_link *link, struct px_span name, struct px_span version)
{
	(void)snprintf(link->server, sizeof(link->server), "%.*s %.*s",
			(int)(name.len < 20 ? name.len : 20), name.data,
			(int)(version.len < 30 ? version.len : 30), version.data);
}

static bool is_old(struct px_span version)
{
	unsigned major = 0;
	for (size_t i = 0; i < version.len && i < 4 && version.data[i] != '.'; i++) {
		major = 10 * major + (unsigned)(version.data[i] - '0');
	}
	return major < REDIS_MAJOR;
}

static bool is_text(struct px_span text, const char *wanted)
{
	return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

static void on_hello(struct px_bus_link *link, struct px_resp resp)
{
	struct px_span server = { "", 0 }, version = { "", 0 }, role = { "", 0 }, mode = { "", 0 };
	struct px_resp_value map = px_resp_next(&resp);
	for (uint64_t i = 0; i + 1 < map.count; i += 2) {
		struct px_span key = px_resp_text(&resp);
		struct px_resp at = resp;
		struct px_span value = px_resp_text(&at);
		px_resp_skip(&resp);
		*(is_text(key, "server") ? &server : is_text(key, "version") ? &version :
				is_text(key, "role") ? &role : is_text(key, "mode") ? &mode : &value) = value;
	}
	keep_server(link, server, version);
	if (is_old(version)) {
		px_link_fail(link, "Redis is too old (%.*s): 7.0 or newer must be there",
				(int)(version.len < 30 ? version.len : 30), version.data);
	} else if (!is_text(mode, "standalone")) {
		px_link_fail(link, "Redis is no standalone server, which is not supported yet");
	} else if (!is_text(role, "master")) {
		px_link_fail(link, "Redis is a replica, which cannot be written");
	}
}

/* What is evicted would be lost without a word. */
static void on_memory(struct px_bus_link *link, struct px_resp resp)
{
	static const char key[] = "maxmemory_policy:";
	static const char wanted[] = "noeviction";
	struct px_span text = px_resp_text(&resp);
	const char *at = text.len > 0 ? memmem(text.data, text.len, key, sizeof(key) - 1) : NULL;
	size_t left = at ? text.len - (size_t)(at - text.data) - (sizeof(key) - 1) : 0;
	if (at && (left < sizeof(wanted) - 1 ||
			memcmp(at + sizeof(key) - 1, wanted, sizeof(wanted) - 1) != 0)) {
		px_link_fail(link, "Redis may evict keys: maxmemory-policy must be noeviction");
	}
}

static void on_script(struct px_bus_link *link, uint64_t number, struct px_resp resp)
{
	struct px_span sha = px_resp_text(&resp);
	if (sha.len == 40) {
		memcpy(link->shas[number], sha.data, sha.len);
	} else {
		px_link_fail(link, "Redis does not load the scripts");
	}
}

void px_link_is_up(struct px_bus_link *link)
{
	link->state = PX_LINK_UP;
	link->stats.connects++;
	link->retry_ms = PX_REDIS_RETRY_MS;
	link->attempts = 0;
	link->fault[0] = link->told[0] = '\0';
	px_link_log(link, PX_LOG_NOTICE, "bus: connected to %s at %s:%u", link->server,
			link->setup.host, link->setup.port);
	px_jobs_send(link);
	px_broker_bus_up(link->owner.broker);
}

/* ---- answers ---- */

static void on_error(struct px_bus_link *link, struct px_expect expect, struct px_span error)
{
	if (expect.kind == PX_EXPECT_JOB && !concerns_all(error)) {
		px_jobs_failed(link);
	} else {
		px_link_fail_for(link, error);
	}
}

static void on_answer(struct px_bus_link *link, struct px_expect expect, struct px_resp resp)
{
	switch (expect.kind) {
	case PX_EXPECT_HELLO: on_hello(link, resp); break;
	case PX_EXPECT_DATABASE: break;
	case PX_EXPECT_MEMORY: on_memory(link, resp); break;
	case PX_EXPECT_SCRIPT: on_script(link, expect.number, resp); break;
	case PX_EXPECT_READY: px_nodes_begin(link); break;
	case PX_EXPECT_BEAT: px_nodes_beaten(link, resp); break;
	case PX_EXPECT_BURY: px_nodes_buried(link, expect.number, resp); break;
	case PX_EXPECT_HOMES: px_nodes_orphans(link, expect.number, resp); break;
	case PX_EXPECT_JOB: px_jobs_answered(link, resp); break;
	case PX_EXPECT_TELL: px_jobs_told(link, expect.number, resp); break;
	}
}

/* What was published. Of subscriptions there are pushes, too. */
static void on_push(struct px_bus_link *link, struct px_resp resp)
{
	struct px_span kind = px_resp_text(&resp);
	struct px_span channel = px_resp_text(&resp);
	struct px_span text = px_resp_text(&resp);
	if (!is_text(kind, "smessage")) {
		return;
	}
	px_name_common(&link->names[0], link->setup.prefix, "ctl");
	struct px_span common = px_name_text(&link->names[0]);
	if (channel.len == common.len && memcmp(channel.data, common.data, common.len) == 0) {
		px_nodes_heard(link, text);
	} else if (text.len > PX_BUS_FRAME_BYTES) {
		link->stats.bad++;
	} else if (link->state == PX_LINK_UP) {
		px_broker_bus_heard(link->owner.broker, text);
	}
}

static void on_value(struct px_bus_link *link, struct px_resp resp)
{
	struct px_resp at = resp;
	struct px_resp_value head = px_resp_next(&at);
	if (head.type == PX_RESP_PUSH) {
		on_push(link, at);
		return;
	}
	if (link->expect_count == 0) {
		link->stats.bad++;
		px_link_fail(link, "Redis answers what nobody asked");
		return;
	}
	struct px_expect expect = link->expects[link->expect_first];
	link->expect_first = (link->expect_first + 1) & (link->expect_size - 1);
	link->expect_count--;
	if (head.type == PX_RESP_ERROR) {
		on_error(link, expect, head.text);
	} else {
		on_answer(link, expect, resp);
	}
}

static bool keep(struct px_bus_link *link, const char *data, size_t len)
{
	size_t size = link->in_size ? link->in_size : 65536;
	while (size - link->in_len < len) {
		size *= 2;
	}
	if (size != link->in_size) {
		char *grown = realloc(link->in, size);
		if (!grown) {
			px_link_fail(link, "not enough memory for an answer of Redis");
			return false;
		}
		link->in = grown;
		link->in_size = size;
	}
	memcpy(link->in + link->in_len, data, len);
	link->in_len += len;
	return true;
}

bool px_link_received(struct px_bus_link *link, const char *data, size_t len)
{
	const struct px_conn *conn = link->conn;
	size_t at = 0;
	ssize_t taken;
	if (!keep(link, data, len)) {
		return false;
	}
	link->owner.begin_turn(link->owner.user);
	while ((taken = px_resp_scan(&link->scan, link->in + at, link->in_len - at)) > 0) {
		const char *value = link->in + at;
		on_value(link, (struct px_resp){ value, value + taken });
		if (link->conn != conn) {
			return false;
		}
		at += (size_t)taken;
	}
	if (taken < 0) {
		link->stats.bad++;
		px_link_fail(link, "what answers is no Redis, or its answer is too large");
		return false;
	}
	memmove(link->in, link->in + at, link->in_len - at);
	link->in_len -= at;
	px_link_flush(link);
	return link->conn == conn;
}

/* ---- time ---- */

static void connect_now(struct px_bus_link *link, int64_t now_ms)
{
	link->state = PX_LINK_CONNECTING;
	link->began_ms = now_ms;
	link->conn = px_conn_open(link);
	if (!link->conn) {
		px_link_fail(link, "not enough memory to connect");
	}
}

void px_link_on_tick(uv_timer_t *tick)
{
	struct px_bus_link *link = tick->data;
	int64_t now_ms = px_link_now_ms(link);
	if (link->state == PX_LINK_WAITING) {
		if (now_ms >= link->retry_at_ms) {
			connect_now(link, now_ms);
		}
	} else if (link->state != PX_LINK_UP && now_ms - link->began_ms >= CONNECT_MS) {
		px_link_fail(link, "Redis does not answer");
	} else if (link->state == PX_LINK_UP) {
		px_nodes_tick(link, now_ms);
	}
}
