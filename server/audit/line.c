/* SPDX-License-Identifier: MIT */
/*
 * A line of the audit log: an entry becomes JSON, gets the hash of the line before and its own,
 * and goes to the file whole or not at all. The chain moves on only when the line is there, so
 * that a full disk leaves a log that verifies, and a count of what is not in it.
 */
#include "audit_internal.h"

#include <errno.h>
#include <praxis/json.h>
#include <praxis/service.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX 256 /* bytes of one text of an entry: ten of them, escaped, fit into a line */
#define TELL_EVERY_MS 10000

static const char *const gap_reasons[PX_AUDIT_GAP_COUNT] = {
	[PX_AUDIT_GAP_BROKEN] = "broken",
	[PX_AUDIT_GAP_MISSING] = "missing",
	[PX_AUDIT_GAP_TORN] = "torn",
	[PX_AUDIT_GAP_UNWRITTEN] = "unwritten",
};

int64_t px_audit_now(const struct px_audit *audit)
{
	struct timespec now;
	if (audit->settings.wall_ms) {
		return audit->settings.wall_ms(audit->settings.user);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void px_audit_say(const struct px_audit *audit, int level, const char *format, ...)
{
	char line[1024];
	int len = snprintf(line, sizeof(line), "audit log %.512s: ", audit->path);
	va_list args;
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
	va_end(args);
	audit->settings.log(audit->settings.user, level, line);
}

bool px_audit_may_tell(const struct px_audit *audit, int64_t *told_ms)
{
	int64_t now = px_audit_now(audit);
	/* After the clock was set back, it must not be silent for hours. */
	if (*told_ms != 0 && now >= *told_ms && now - *told_ms < TELL_EVERY_MS) {
		return false;
	}
	*told_ms = now;
	return true;
}

void px_audit_gap(struct px_audit *audit, enum px_audit_gap gap, uint64_t lost, uint64_t bytes)
{
	audit->gaps[gap].due = true;
	audit->gaps[gap].lost += lost;
	audit->gaps[gap].bytes += bytes;
}

static void format_time(int64_t wall_ms, char *buf, size_t size)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char date[32];
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(buf, size, "%s.%03dZ", date, (int)(wall_ms % 1000));
}

static void begin_line(struct px_audit *audit, struct px_json *json, const char *event)
{
	char at[48];
	format_time(px_audit_now(audit), at, sizeof(at));
	px_json_begin(json, NULL);
	px_json_int(json, "seq", (int64_t)audit->position.seq + 1);
	px_json_text(json, "at", at);
	px_json_text(json, "event", event);
}

static void advance(struct px_audit *audit, const char *hash)
{
	audit->position.seq++;
	memcpy(audit->position.hash, hash, sizeof(audit->position.hash));
	audit->stats.lines++;
	int rc = px_audit_head_put(&audit->head, &audit->position);
	if (rc < 0 && !audit->head_behind) {
		px_audit_say(audit, PX_LOG_WARNING, "cannot write its .head: %s; ignoring it",
				strerror(-rc));
	}
	audit->head_behind = rc < 0;
	uint64_t every = audit->settings.head_every;
	if (every > 0 && audit->position.seq % every == 0) {
		px_audit_say(audit, PX_LOG_NOTICE, "line %llu, head %s",
				(unsigned long long)audit->position.seq, audit->position.hash);
	}
}

static int append_line(struct px_audit *audit, const struct px_json *json, bool wait)
{
	static const char key[] = ",\"hash\":\"";
	char line[PX_AUDIT_LINE_MAX];
	char hash[PX_AUDIT_HASH_LEN + 1];
	struct px_span body = { json->data, json->len };
	if (json->failed) {
		return -ENOMEM;
	}
	if (body.len + sizeof(key) + PX_AUDIT_HASH_LEN + sizeof("\"}\n") > sizeof(line)) {
		return -EMSGSIZE;
	}
	int rc = px_audit_hash(audit->hasher, audit->position.hash, body, hash);
	if (rc < 0) {
		return rc;
	}
	memcpy(line, body.data, body.len);
	int end = snprintf(line + body.len, sizeof(line) - body.len, "%s%s\"}\n", key, hash);
	struct px_span bytes = { line, body.len + (size_t)end };
	rc = px_audit_file_append(&audit->file, bytes,
			wait && audit->settings.sync == PX_AUDIT_SYNC_LINE);
	if (rc == 0) {
		advance(audit, hash);
	}
	return rc;
}

static int end_line(struct px_audit *audit, struct px_json *json, bool wait)
{
	px_json_text(json, "prev", audit->position.hash);
	int rc = append_line(audit, json, wait);
	px_json_finish(json);
	return rc;
}

static int write_opening(struct px_audit *audit)
{
	struct px_json json;
	const char *key_id = px_audit_hasher_key_id(audit->hasher);
	begin_line(audit, &json, PX_AUDIT_OPENED);
	px_json_int(&json, "format", PX_AUDIT_FORMAT);
	px_json_text(&json, "algorithm", px_audit_hasher_algorithm(audit->hasher));
	if (key_id[0] != '\0') {
		px_json_text(&json, "keyId", key_id);
	}
	return end_line(audit, &json, true);
}

static int write_gap(struct px_audit *audit, enum px_audit_gap gap)
{
	struct px_json json;
	begin_line(audit, &json, PX_AUDIT_GAP);
	px_json_int(&json, "lost", (int64_t)audit->gaps[gap].lost);
	px_json_text(&json, "reason", gap_reasons[gap]);
	if (audit->gaps[gap].bytes > 0) {
		px_json_int(&json, "bytes", (int64_t)audit->gaps[gap].bytes);
	}
	int rc = end_line(audit, &json, true);
	if (rc == 0) {
		memset(&audit->gaps[gap], 0, sizeof(audit->gaps[gap]));
	}
	return rc;
}

int px_audit_write_due(struct px_audit *audit)
{
	int rc = audit->file.size == 0 ? write_opening(audit) : 0;
	for (int gap = 0; gap < PX_AUDIT_GAP_COUNT && rc == 0; gap++) {
		if (audit->gaps[gap].due) {
			rc = write_gap(audit, gap);
		}
	}
	return rc;
}

/* At most TEXT_MAX bytes; bytes that must not occur in a line become '?'. */
static void add_text(struct px_json *json, const char *key, struct px_span text)
{
	char clean[TEXT_MAX];
	if (text.len == 0) {
		return;
	}
	if (text.len > TEXT_MAX) {
		text.len = TEXT_MAX;
		while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0) == 0x80) {
			text.len--;
		}
	}
	if (!px_span_is_text(text)) {
		for (size_t i = 0; i < text.len; i++) {
			bool plain = text.data[i] >= 0x20 && text.data[i] < 0x7f;
			clean[i] = (char)(plain ? text.data[i] : '?');
		}
		text.data = clean;
	}
	px_json_string(json, key, text);
}

static void add_id(struct px_json *json, const char *key, struct px_id id)
{
	if (id.number && id.text.len <= TEXT_MAX && px_id_is_integer(id.text)) {
		px_json_id(json, key, id);
	} else {
		add_text(json, key, id.text);
	}
}

int px_audit_write_entry(struct px_audit *audit, const struct px_audit_entry *entry, bool wait)
{
	struct px_json json;
	begin_line(audit, &json, entry->event);
	add_id(&json, "user", entry->user);
	if (entry->role) {
		px_json_text(&json, "role", px_role_name(entry->role));
	}
	add_text(&json, "address", entry->address);
	add_text(&json, "clientId", entry->client);
	add_text(&json, "vhost", entry->vhost);
	add_text(&json, "tenant", entry->tenant);
	add_id(&json, "practice", entry->practice);
	add_text(&json, "service", entry->service);
	add_text(&json, "room", entry->room);
	add_text(&json, "target", entry->target);
	add_text(&json, "reason", entry->reason);
	if (entry->count > 0) {
		px_json_int(&json, "count", (int64_t)entry->count);
	}
	return end_line(audit, &json, wait);
}
