/* SPDX-License-Identifier: MIT */
/*
 * Waiting events in the state file, after the broker's lines, each beginning with its vhost and
 * that one's tenant.
 *
 *   {"webhook":"default","of":"clinic","lane":"clinic\n7","age":1200,"event":"{…}"}
 *   {"webhook":"default","of":"clinic","room":{…}}
 *
 * `lane` is the partition. An event is a string so that its bytes are preserved: it contains ids of
 * twenty digits.
 */
#include "webhook.h"
#include "core/server.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/host/state.h>
#include <praxis/json.h>
#include <string.h>

#define PREFIX "{\"webhook\":"
#define AGE_MAX_MS INT64_C(3155760000000) /* a century */

struct saving {
	const struct px_state_writer *writer;
	const struct px_webhook *webhook;
	int64_t now_ms;
};

static int write_line(const struct saving *saving, struct px_json *json)
{
	px_json_end(json);
	int rc = json->failed ? -ENOMEM : saving->writer->line(saving->writer->user,
			(struct px_span){ json->data, json->len });
	px_json_finish(json);
	return rc;
}

static int save_event(void *user, struct px_span partition, struct px_span text, int64_t came_ms)
{
	const struct saving *saving = user;
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_text(&json, "webhook", saving->webhook->name);
	px_json_text(&json, "of", saving->webhook->tenant);
	px_json_string(&json, "lane", partition);
	px_json_int(&json, "age", saving->now_ms - came_ms);
	px_json_string(&json, "event", text);
	return write_line(saving, &json);
}

static int save_room(void *user, const struct px_webhook_room *room)
{
	const struct saving *saving = user;
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_text(&json, "webhook", saving->webhook->name);
	px_json_text(&json, "of", saving->webhook->tenant);
	px_json_open_object(&json, "room");
	px_webhook_room_save(room, &json, saving->now_ms);
	px_json_close_object(&json);
	return write_line(saving, &json);
}

int px_webhooks_save(struct px_server *server, const struct px_state_writer *writer)
{
	int rc = 0;
	for (const struct px_webhook *each = server->webhooks; rc == 0 && each; each = each->next) {
		struct saving saving = { writer, each, px_webhook_now_ms(server) };
		if (each->config) {
			rc = px_webhook_queue_each(each->queue, save_event, &saving);
			rc = rc < 0 ? rc : px_webhook_rooms_each(each->rooms, save_room, &saving);
		}
	}
	return rc;
}

bool px_webhooks_owns(struct px_span line)
{
	size_t len = strlen(PREFIX);
	return line.len > len && memcmp(line.data, PREFIX, len) == 0;
}

/* NULL for a vhost that has no webhook any more. */
static struct px_webhook *find(const struct px_server *server, struct px_span name,
		struct px_span tenant)
{
	struct px_webhook *each = server->webhooks;
	while (each && !(each->config && px_span_equal(px_span(each->name), name) &&
			px_span_equal(px_span(each->tenant), tenant))) {
		each = each->next;
	}
	return each;
}

static int load_room(struct px_webhook *webhook, struct json_object *object, int64_t then_ms)
{
	struct px_webhook_room *room;
	int rc = px_webhook_rooms_load(webhook->rooms, object, then_ms, &room);
	if (rc == 0) {
		px_webhook_settle(webhook, room);
	}
	return rc;
}

static int load_line(struct px_server *server, struct json_object *line, int64_t elapsed_ms)
{
	struct px_span name;
	struct px_span tenant;
	struct px_span partition;
	struct px_span text;
	struct json_object *room;
	int64_t age_ms;
	int64_t then_ms = px_webhook_now_ms(server) - elapsed_ms;
	if (!px_json_get_text(line, "webhook", &name) || !px_json_get_text(line, "of", &tenant)) {
		return -EINVAL;
	}
	struct px_webhook *webhook = find(server, name, tenant);
	if (!webhook) {
		return -ENOENT;
	}
	if (json_object_object_get_ex(line, "room", &room)) {
		return load_room(webhook, room, then_ms);
	}
	if (!px_json_get_text(line, "lane", &partition) ||
			!px_json_get_text(line, "event", &text) ||
			!px_json_get_int(line, "age", 0, AGE_MAX_MS, &age_ms) ||
			!px_json_is_value(text)) {
		return -EINVAL;
	}
	px_webhook_push(webhook, partition, text, then_ms - age_ms);
	return 0;
}

int px_webhooks_load(struct px_server *server, struct px_span text, int64_t elapsed_ms)
{
	struct json_object *line = NULL;
	struct json_tokener *tokener = text.len <= INT32_MAX ? json_tokener_new_ex(8) : NULL;
	if (!tokener) {
		return -ENOMEM;
	}
	line = json_tokener_parse_ex(tokener, text.data, (int)text.len);
	int rc = json_object_is_type(line, json_type_object) ?
			load_line(server, line, elapsed_ms) : -EINVAL;
	json_object_put(line);
	json_tokener_free(tokener);
	return rc;
}
