/* SPDX-License-Identifier: MIT */
/*
 * See include/praxis/message.h. The frame header (RFC 6455 section 5.2) takes 2, 4 or 10
 * bytes; it ends where the payload begins, so that a frame is one run of bytes.
 */
#include "message.h"

#include "broker.h"

#include <stdlib.h>
#include <string.h>

#define FIN 0x80

static size_t put_header(uint8_t *header, enum px_opcode opcode, size_t len)
{
	header[0] = (uint8_t)(FIN | opcode);
	if (len < 126) {
		header[1] = (uint8_t)len;
		return 2;
	}
	if (len < 65536) {
		header[1] = 126;
		header[2] = (uint8_t)(len >> 8);
		header[3] = (uint8_t)len;
		return 4;
	}
	header[1] = 127;
	for (int i = 0; i < 8; i++) {
		header[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	}
	return 10;
}

static struct px_message *make(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload, size_t key_len)
{
	uint8_t header[10];
	size_t header_len = put_header(header, opcode, payload.len);
	size_t len = header_len + payload.len;
	struct px_message *message = malloc(sizeof(*message) + len + key_len);
	if (!message) {
		return NULL;
	}
	message->refs = 1;
	message->len = (uint32_t)len;
	message->header_len = (uint8_t)header_len;
	message->key_len = (uint16_t)key_len;
	message->traffic = PX_TRAFFIC_OTHER;
	message->uncounted = opcode != PX_OPCODE_TEXT;
	memcpy(message->frame, header, header_len);
	if (payload.len > 0) {
		memcpy(message->frame + header_len, payload.data, payload.len);
	}
	broker->stats.messages_live++;
	return message;
}

struct px_message *px_message_frame(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload)
{
	return make(broker, opcode, payload, 0);
}

struct px_message *px_message_create(struct px_broker *broker, struct px_span text)
{
	return make(broker, PX_OPCODE_TEXT, text, 0);
}

struct px_message *px_message_from_json(struct px_broker *broker, struct px_json *json)
{
	struct px_message *message = NULL;
	if (!json->failed) {
		message = px_message_create(broker, (struct px_span){ json->data, json->len });
	}
	if (message) {
		message->traffic = px_traffic_place(broker, json->type);
	}
	px_json_finish(json);
	return message;
}

/* ---- keys ---- */

/* Service and tenant are terminated, the practice's id has its length before it. */
static size_t scope_len(const struct px_practice *practice, const struct px_service *service)
{
	return strlen(service->name) + strlen(practice->tenant) + 3 + practice->id_len;
}

static void put_scope(uint8_t *at, const struct px_practice *practice,
		const struct px_service *service)
{
	at = (uint8_t *)stpcpy((char *)at, service->name) + 1;
	at = (uint8_t *)stpcpy((char *)at, practice->tenant) + 1;
	*at++ = (uint8_t)practice->id_len;
	memcpy(at, practice->id, practice->id_len);
}

struct px_message *px_message_text_keyed(struct px_broker *broker, struct px_span text,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span key)
{
	if (key.len == 0) {
		return px_message_create(broker, text);
	}
	size_t scope = scope_len(practice, service);
	struct px_message *message = make(broker, PX_OPCODE_TEXT, text, scope + key.len);
	if (message) {
		put_scope(message->frame + message->len, practice, service);
		memcpy(message->frame + message->len + scope, key.data, key.len);
	}
	return message;
}

struct px_message *px_message_keyed(struct px_broker *broker, struct px_json *json,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span key)
{
	struct px_message *message = NULL;
	if (!json->failed) {
		message = px_message_text_keyed(broker, (struct px_span){ json->data, json->len },
				practice, service, key);
	}
	px_json_finish(json);
	return message;
}

struct px_span px_message_scoped_key(const struct px_message *message)
{
	return (struct px_span){ (const char *)message->frame + message->len, message->key_len };
}

struct px_span px_message_key(const struct px_message *message)
{
	struct px_span key = px_message_scoped_key(message);
	if (key.len > 0) {
		const char *tenant = key.data + strlen(key.data) + 1;
		const char *id = tenant + strlen(tenant) + 1;
		const char *own = id + 1 + (uint8_t)*id;
		key = (struct px_span){ own, key.len - (size_t)(own - key.data) };
	}
	return key;
}

/* ---- */

struct px_message *px_message_ref(struct px_message *message)
{
	message->refs++;
	return message;
}

void px_message_unref(struct px_broker *broker, struct px_message *message)
{
	if (message && --message->refs == 0) {
		broker->stats.messages_live--;
		free(message);
	}
}

struct px_span px_message_text(const struct px_message *message)
{
	return (struct px_span){ (const char *)message->frame + message->header_len,
		message->len - message->header_len };
}

size_t px_message_cost(const struct px_message *message)
{
	return sizeof(*message) + message->len + message->key_len;
}
