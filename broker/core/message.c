/* SPDX-License-Identifier: MIT */
/*
 * See include/praxis/message.h. The frame header (RFC 6455 section 5.2) takes 2, 4 or 10
 * bytes; it ends where the payload begins, so that a frame is one run of bytes.
 */
#include "message.h"

#include "broker.h"
#include "message/json.h"
#include "practice.h"
#include "service.h"

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

/* All but the frame. */
static void init(struct px_broker *broker, struct px_message *message, enum px_opcode opcode)
{
	message->practice_number = 0;
	message->room = NULL;
	message->service = PX_SERVICE_NONE;
	message->refs = 1;
	message->traffic = PX_TRAFFIC_OTHER;
	message->is_control = opcode != PX_OPCODE_TEXT;
	message->is_keepalive = message->is_control;
	message->uncounted = message->is_control;
	broker->stats.messages_live++;
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
	init(broker, message, opcode);
	message->len = (uint32_t)len;
	message->header_len = (uint8_t)header_len;
	message->key_len = (uint16_t)key_len;
	memcpy(message->frame, header, header_len);
	if (payload.len > 0) {
		memcpy(message->frame + header_len, payload.data, payload.len);
	}
	return message;
}

struct px_message *px_message_frame(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload)
{
	return make(broker, opcode, payload, 0);
}

/* ---- origin ---- */

struct px_label *px_label_create(struct px_span text)
{
	struct px_label *label = malloc(sizeof(*label) + text.len);
	if (label) {
		label->refs = 1;
		label->len = (uint32_t)text.len;
		memcpy(label->text, text.data, text.len);
	}
	return label;
}

struct px_label *px_label_ref(struct px_label *label)
{
	label->refs++;
	return label;
}

void px_label_unref(struct px_label *label)
{
	if (label && --label->refs == 0) {
		free(label);
	}
}

void px_message_set_origin(struct px_message *message, const struct px_origin *origin)
{
	struct px_label *room = message->room;
	message->service = origin->service;
	message->practice_number = origin->practice ? origin->practice->number : 0;
	message->room = origin->room ? px_label_ref(origin->room) : NULL;
	px_label_unref(room);
}

struct px_practice *px_message_practice(const struct px_broker *broker,
		const struct px_message *message)
{
	const struct px_paged_index *paged = &broker->practice_index;
	uint64_t number = message->practice_number;
	size_t at = number > 0 ? px_paged_index_seek(paged, number - 1) : paged->count;
	bool is_there = at < paged->count && paged->entries[at].number == number;
	return is_there ? paged->entries[at].item : NULL;
}

/* The origin that was set for it, or else that of the running service. */
static void set_origin(struct px_broker *broker, struct px_message *message,
		const struct px_json *json)
{
	const struct px_origin *hand = &broker->in_hand;
	struct px_origin origin = { json->practice, json->room,
		px_broker_service_of_traffic(broker, message->traffic, json->type) };
	if (origin.service == PX_SERVICE_NONE) {
		return;
	}
	if (!origin.practice && hand->service == origin.service) {
		origin.practice = hand->practice;
		origin.room = hand->room;
	}
	px_message_set_origin(message, &origin);
}

struct px_message *px_message_create(struct px_broker *broker, struct px_span text)
{
	struct px_message *message = make(broker, PX_OPCODE_TEXT, text, 0);
	if (message) {
		px_message_set_origin(message, &broker->in_hand);
	}
	return message;
}

struct px_message *px_message_from_json(struct px_broker *broker, struct px_json *json)
{
	struct px_message *message = NULL;
	if (!json->failed) {
		message = make(broker, PX_OPCODE_TEXT, (struct px_span){ json->data, json->len },
				0);
	}
	if (message) {
		message->traffic = px_traffic_place(&broker->traffic, json->type);
		set_origin(broker, message, json);
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

static void put_key(struct px_message *message, const struct px_practice *practice,
		const struct px_service *service, struct px_span key)
{
	uint8_t *at = message->frame + message->len;
	put_scope(at, practice, service);
	memcpy(at + message->key_len - key.len, key.data, key.len);
}

struct px_message *px_message_text_keyed(struct px_broker *broker, struct px_span text,
		struct px_practice *practice, const struct px_service *service,
		struct px_span key)
{
	size_t scope = key.len > 0 ? scope_len(practice, service) : 0;
	struct px_message *message = make(broker, PX_OPCODE_TEXT, text, scope + key.len);
	if (message) {
		px_message_set_origin(message, &(struct px_origin){
			.practice = practice,
			.service = px_broker_service_index(broker, service),
		});
	}
	if (message && key.len > 0) {
		put_key(message, practice, service, key);
	}
	return message;
}

struct px_message *px_message_keyed(struct px_broker *broker, struct px_json *json,
		struct px_practice *practice, const struct px_service *service,
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

/* ---- composed in place ---- */

/* What may be left unused in a message that was composed in place, before it is cut. */
#define SPARE_MAX 64

struct px_message *px_message_begin(struct px_json *json, size_t bytes)
{
	size_t header_len = bytes < 126 ? 2 : bytes < 65536 ? 4 : 10;
	struct px_message *message = malloc(sizeof(*message) + header_len + bytes);
	if (message) {
		message->header_len = (uint8_t)header_len;
		px_json_begin_at(json, (char *)message->frame + header_len, bytes);
	}
	return message;
}

/* The text may be so short that its header is, too. */
static void put_frame(struct px_message *message, size_t text_len)
{
	uint8_t header[10];
	size_t header_len = put_header(header, PX_OPCODE_TEXT, text_len);
	if (header_len != message->header_len) {
		memmove(message->frame + header_len, message->frame + message->header_len, text_len);
		message->header_len = (uint8_t)header_len;
	}
	memcpy(message->frame, header, header_len);
	message->len = (uint32_t)(header_len + text_len);
}

struct px_message *px_message_end(struct px_broker *broker, struct px_message *message,
		struct px_json *json, struct px_practice *practice,
		const struct px_service *service, struct px_span key)
{
	if (json->failed || json->data != (char *)message->frame + message->header_len) {
		free(message);
		return px_message_keyed(broker, json, practice, service, key);
	}
	size_t scope = key.len > 0 ? scope_len(practice, service) : 0;
	size_t capacity = message->header_len + json->size;
	put_frame(message, json->len);
	px_json_finish(json);
	size_t needed = message->len + scope + key.len;
	if (needed > capacity || capacity - needed > SPARE_MAX) {
		struct px_message *fitting = realloc(message, sizeof(*message) + needed);
		if (!fitting && needed > capacity) {
			free(message);
			return NULL;
		}
		message = fitting ? fitting : message;
	}
	init(broker, message, PX_OPCODE_TEXT);
	message->key_len = (uint16_t)(scope + key.len);
	if (key.len > 0) {
		put_key(message, practice, service, key);
	}
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
		px_label_unref(message->room);
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
