/* SPDX-License-Identifier: MIT */
/*
 * Messages in a snapshot. A message that is queued for a thousand members is one message: its text
 * is written where it comes first, and afterwards as the number of that place (1 for the first
 * text). So the file and the next server's memory stay as small as this server's.
 */
#include "core/message.h"
#include "channel/channel.h"
#include "core/broker.h"
#include "core/practice.h"
#include "snapshot.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/host/identity.h>
#include <praxis/host/registry.h>
#include <praxis/operate.h>
#include <stdlib.h>
#include <string.h>

struct numbered {
	struct px_table_link link;
	const struct px_message *message;
	uint64_t number;
};

static uint64_t hash_of(const struct px_state_save *save, const struct px_message *message)
{
	return px_hash(save->broker->hash_key, &message, sizeof(message));
}

static uint64_t find(const struct px_state_save *save, const struct px_message *message)
{
	uint64_t hash = hash_of(save, message);
	struct px_table_link *link = px_table_find(&save->numbered, hash);
	while (link && ((struct numbered *)link)->message != message) {
		link = link->next;
	}
	return link ? ((struct numbered *)link)->number : 0;
}

/* Without memory, the text is written again the next time. */
static void remember(struct px_state_save *save, const struct px_message *message)
{
	struct numbered *numbered = malloc(sizeof(*numbered));
	if (!numbered) {
		return;
	}
	numbered->message = message;
	numbered->number = save->message_count;
	if (px_table_insert(&save->numbered, &numbered->link, hash_of(save, message)) < 0) {
		free(numbered);
	}
}

/* Writes the message's origin; nothing if every session may get it. */
static void put_origin(const struct px_broker *broker, struct px_json *json,
		const struct px_message *message)
{
	if (message->service == PX_SERVICE_NONE) {
		return;
	}
	px_json_text(json, "service", message->service < broker->service_count ?
			broker->services[message->service].service->name : "");
	const struct px_practice *practice = px_message_practice(broker, message);
	if (practice) {
		px_json_text(json, "tenant", practice->tenant);
		px_json_text(json, "practice", practice->id);
	}
	if (message->room) {
		px_json_string(json, "room", (struct px_span){ message->room->text,
			message->room->len });
	}
}

static void put(struct px_state_save *save, struct px_json *json, const char *key,
		const struct px_message *message, bool with_origin)
{
	uint64_t number = message->refs > 1 ? find(save, message) : 0;
	if (number > 0) {
		px_json_int(json, key, (int64_t)number);
		return;
	}
	px_json_string(json, key, px_message_text(message));
	if (with_origin) {
		put_origin(save->broker, json, message);
	}
	save->message_count++;
	if (message->refs > 1) {
		remember(save, message);
	}
}

void px_state_put_update(struct px_state_save *save, struct px_json *json,
		const struct px_message *message)
{
	put(save, json, "text", message, false);
}

void px_state_put_message(struct px_state_save *save, struct px_json *json, const char *key,
		const struct px_message *message)
{
	put(save, json, key, message, true);
}

void px_state_save_finish(struct px_state_save *save)
{
	px_table_settle(&save->numbered);
	for (size_t i = 0; i < save->numbered.slot_count; i++) {
		while (save->numbered.slots[i]) {
			struct px_table_link *link = save->numbered.slots[i];
			px_table_remove(&save->numbered, link);
			free(link);
		}
	}
	px_table_finish(&save->numbered);
}

/* ---- reading ---- */

static bool is_object(struct px_span text)
{
	return text.len > 0 && text.data[0] == '{' && px_json_is_value(text);
}

static int grow(struct px_state_load *load)
{
	size_t size = load->message_size ? 2 * load->message_size : 64;
	struct px_message **messages = realloc(load->messages, size * sizeof(*messages));
	load->messages = messages ? messages : load->messages;
	struct px_practice **practices = realloc(load->practices, size * sizeof(*practices));
	load->practices = practices ? practices : load->practices;
	if (!messages || !practices) {
		return -ENOMEM;
	}
	load->message_size = size;
	return 0;
}

static bool get_optional(struct json_object *line, const char *key, size_t max,
		struct px_span *ret_text)
{
	*ret_text = (struct px_span){ "", 0 };
	return !json_object_object_get_ex(line, key, NULL) ||
			(px_json_get_text(line, key, ret_text) && ret_text->len <= max);
}

/* The load holds a reference to the practice until all sessions are loaded. */
static int hold_practice(struct px_state_load *load, struct px_span tenant, struct px_span id,
		struct px_practice **ret_practice)
{
	struct px_practice **held = &load->practices[load->message_count];
	int rc = px_practice_get(load->broker, tenant, id, held);
	*ret_practice = rc < 0 ? NULL : *held;
	return rc;
}

static int set_origin(struct px_state_load *load, struct px_message *message,
		struct px_span service, struct px_span tenant, struct px_span practice,
		struct px_span room)
{
	struct px_origin origin = { .service = PX_SERVICE_GONE };
	unsigned index;
	int rc = 0;
	if (px_broker_find_service(load->broker, service, &index)) {
		origin.service = (uint8_t)index;
	}
	if (practice.len > 0) {
		rc = hold_practice(load, tenant, practice, &origin.practice);
	}
	if (rc == 0 && room.len > 0) {
		origin.room = px_label_create(room);
		rc = origin.room ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		px_message_set_origin(message, &origin);
	}
	px_label_unref(origin.room);
	return rc;
}

static int read_origin(struct px_state_load *load, struct json_object *line,
		struct px_message *message)
{
	struct px_span service;
	struct px_span tenant;
	struct px_span practice;
	struct px_span room;
	if (!json_object_object_get_ex(line, "service", NULL)) {
		return 0;
	}
	if (!px_json_get_text(line, "service", &service) ||
			!get_optional(line, "tenant", PX_ID_MAX, &tenant) ||
			!get_optional(line, "practice", PX_ID_MAX, &practice) ||
			!get_optional(line, "room", PX_ID_MAX, &room) ||
			(tenant.len == 0) != (practice.len == 0) || !px_span_is_text(tenant) ||
			!px_span_is_text(practice)) {
		return -EINVAL;
	}
	return set_origin(load, message, service, tenant, practice, room);
}

/* An update belongs to its channel, and may have a key; without the channel it is dropped. */
static int make_update(struct px_state_load *load, struct json_object *line, struct px_span text,
		struct px_message **ret_message)
{
	const struct px_channel *channel = load->channel;
	struct px_span key;
	if (!get_optional(line, "key", PX_KEY_MAX, &key)) {
		return -EINVAL;
	}
	*ret_message = channel ? px_message_text_keyed(load->broker, text, channel->practice,
			channel->service, key) : px_message_create(load->broker, text);
	if (*ret_message && !channel) {
		(*ret_message)->service = PX_SERVICE_GONE;
	}
	return *ret_message ? 0 : -ENOMEM;
}

static int make(struct px_state_load *load, struct json_object *line, struct px_span text,
		struct px_message **ret_message)
{
	*ret_message = px_message_create(load->broker, text);
	int rc = *ret_message ? read_origin(load, line, *ret_message) : -ENOMEM;
	if (rc < 0) {
		px_message_unref(load->broker, *ret_message);
	}
	return rc;
}

static void drop_practice(const struct px_state_load *load, size_t at)
{
	if (load->practices[at]) {
		px_practice_unref(load->broker, load->practices[at]);
	}
}

static int add(struct px_state_load *load, struct json_object *line, bool is_update,
		struct px_span text, struct px_message **ret_message)
{
	if (!is_object(text)) {
		return -EINVAL;
	}
	if (load->message_count == load->message_size && grow(load) < 0) {
		return -ENOMEM;
	}
	struct px_message *message;
	load->practices[load->message_count] = NULL;
	int rc = is_update ? make_update(load, line, text, &message) :
			make(load, line, text, &message);
	if (rc < 0) {
		drop_practice(load, load->message_count);
		return rc;
	}
	load->messages[load->message_count++] = message;
	*ret_message = message;
	return 0;
}

int px_state_get_message(struct px_state_load *load, struct json_object *line, const char *key,
		struct px_message **ret_message)
{
	struct px_span text;
	int64_t number;
	if (px_json_get_text(line, key, &text)) {
		return add(load, line, strcmp(key, "text") == 0, text, ret_message);
	}
	if (!px_json_get_int(line, key, 1, (int64_t)load->message_count, &number)) {
		return -EINVAL;
	}
	*ret_message = load->messages[number - 1];
	return 0;
}

void px_state_load_finish(struct px_state_load *load)
{
	for (size_t i = 0; i < load->message_count; i++) {
		px_message_unref(load->broker, load->messages[i]);
		drop_practice(load, i);
	}
	free(load->messages);
	free(load->practices);
}
