/* SPDX-License-Identifier: MIT */
/*
 * Messages in a state. One that went to a thousand members is kept for each of them and is one
 * message all the same: its text is written where it comes first, and from then on the number
 * of that place (1 for the first text of all). So the file and the next server's memory stay
 * as small as this one's.
 */
#include "message.h"
#include "state.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/identity.h>
#include <stdlib.h>

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

/* Without memory it is written once more, should it come again. */
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

void px_state_put_message(struct px_state_save *save, struct px_json *json, const char *key,
		const struct px_message *message)
{
	uint64_t number = message->refs > 1 ? find(save, message) : 0;
	if (number > 0) {
		px_json_int(json, key, (int64_t)number);
		return;
	}
	px_json_string(json, key, px_message_text(message));
	save->message_count++;
	if (message->refs > 1) {
		remember(save, message);
	}
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
	if (!messages) {
		return -ENOMEM;
	}
	load->messages = messages;
	load->message_size = size;
	return 0;
}

/* An update of a channel may have a key. */
static struct px_message *make(const struct px_state_load *load, struct px_span text,
		struct px_span key)
{
	const struct px_channel *channel = load->channel;
	return channel ? px_message_text_keyed(load->broker, text, channel->practice,
			channel->service, key) : px_message_create(load->broker, text);
}

static int add(struct px_state_load *load, struct json_object *line, struct px_span text,
		struct px_message **ret_message)
{
	struct px_span key = { "", 0 };
	if (!is_object(text) || (json_object_object_get_ex(line, "key", NULL) &&
			(!px_json_get_text(line, "key", &key) || key.len > PX_NAME_MAX))) {
		return -EINVAL;
	}
	if (load->message_count == load->message_size && grow(load) < 0) {
		return -ENOMEM;
	}
	struct px_message *message = make(load, text, key);
	if (!message) {
		return -ENOMEM;
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
		return add(load, line, text, ret_message);
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
	}
	free(load->messages);
}
