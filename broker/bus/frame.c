/* SPDX-License-Identifier: MIT */
/* See frame.h. */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

enum {
	FLAG_LAST = 1,
	FLAG_ASKING = 2,
};

enum {
	GIVEN_OF_PRACTICE = 1,
	GIVEN_PUBLICATION = 2,
	GIVEN_CONCERNED = 4,
};

/* ---- writing ---- */

void px_bytes_add(struct px_bytes *bytes, const void *data, size_t len)
{
	if (bytes->has_failed || len == 0) {
		return;
	}
	if (len > bytes->size - bytes->len) {
		size_t size = bytes->size ? bytes->size : 256;
		while (size - bytes->len < len) {
			size *= 2;
		}
		char *grown = realloc(bytes->data, size);
		if (!grown) {
			bytes->has_failed = true;
			return;
		}
		bytes->data = grown;
		bytes->size = size;
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

void px_bytes_finish(struct px_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct px_bytes){ .data = NULL };
}

/* The lowest `count` bytes of the number, the highest of them first. */
static void put(struct px_bytes *bytes, uint64_t number, unsigned count)
{
	uint8_t text[8];
	for (unsigned i = 0; i < count; i++) {
		text[i] = (uint8_t)(number >> (8 * (count - 1 - i)));
	}
	px_bytes_add(bytes, text, count);
}

static void put_text(struct px_bytes *bytes, struct px_span text, unsigned count)
{
	put(bytes, text.len, count);
	px_bytes_add(bytes, text.data, text.len);
}

/* ---- reading ---- */

/* What is left to read; `is_bad` once something was missing. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool is_bad;
};

static struct reader reader_of(struct px_span span)
{
	return (struct reader){ .at = (const uint8_t *)span.data, .left = span.len };
}

static const uint8_t *take(struct reader *reader, size_t len)
{
	const uint8_t *at = reader->at;
	if (reader->is_bad || len > reader->left) {
		reader->is_bad = true;
		return NULL;
	}
	reader->at += len;
	reader->left -= len;
	return at;
}

static uint64_t get(struct reader *reader, unsigned count)
{
	const uint8_t *at = take(reader, count);
	uint64_t number = 0;
	for (unsigned i = 0; at && i < count; i++) {
		number = number << 8 | at[i];
	}
	return number;
}

static struct px_span get_text(struct reader *reader, unsigned count, size_t max)
{
	size_t len = (size_t)get(reader, count);
	if (len > max) {
		reader->is_bad = true;
	}
	const uint8_t *at = take(reader, len);
	return (struct px_span){ at ? (const char *)at : "", at ? len : 0 };
}

static struct px_span rest_of(const struct reader *reader)
{
	return (struct px_span){ (const char *)reader->at, reader->left };
}

/* ---- frames ---- */

void px_frame_write(struct px_bytes *bytes, const struct px_frame *frame)
{
	put(bytes, VERSION, 1);
	put(bytes, frame->kind, 1);
	put(bytes, (frame->is_last ? FLAG_LAST : 0u) | (frame->is_asking ? FLAG_ASKING : 0u), 1);
	put(bytes, frame->part, 2);
	put_text(bytes, frame->place.tenant, 1);
	put_text(bytes, frame->place.practice, 1);
	put(bytes, frame->from, 8);
	put(bytes, frame->gen, 8);
	put(bytes, frame->rev, 8);
	put(bytes, frame->prev, 8);
	put(bytes, frame->base, 8);
	put(bytes, frame->number, 8);
	px_bytes_add(bytes, frame->body.data, frame->body.len);
}

static bool is_id(struct px_span text)
{
	return text.len > 0 && px_span_is_text(text);
}

bool px_frame_read(struct px_span bytes, struct px_frame *ret_frame)
{
	struct reader reader = reader_of(bytes);
	if (bytes.len > PX_BUS_FRAME_BYTES || get(&reader, 1) != VERSION) {
		return false;
	}
	unsigned kind = (unsigned)get(&reader, 1);
	unsigned flags = (unsigned)get(&reader, 1);
	*ret_frame = (struct px_frame){
		.kind = (enum px_frame_kind)kind,
		.is_last = flags & FLAG_LAST,
		.is_asking = flags & FLAG_ASKING,
	};
	ret_frame->part = (uint16_t)get(&reader, 2);
	ret_frame->place.tenant = get_text(&reader, 1, PX_ID_MAX);
	ret_frame->place.practice = get_text(&reader, 1, PX_ID_MAX);
	ret_frame->from = get(&reader, 8);
	ret_frame->gen = get(&reader, 8);
	ret_frame->rev = get(&reader, 8);
	ret_frame->prev = get(&reader, 8);
	ret_frame->base = get(&reader, 8);
	ret_frame->number = get(&reader, 8);
	ret_frame->body = rest_of(&reader);
	return !reader.is_bad && kind >= PX_FRAME_SAID && kind <= PX_FRAME_NOT_HOME &&
			ret_frame->from != 0 && is_id(ret_frame->place.tenant) &&
			is_id(ret_frame->place.practice);
}

/* ---- what an edge says ---- */

void px_said_write(struct px_bytes *body, const struct px_said *said)
{
	put(body, said->kind, 1);
	put(body, said->prev, 8);
	put(body, said->number, 8);
	put(body, said->client_id, 8);
	put(body, said->reason, 1);
	put_text(body, said->text, 4);
}

int px_said_read(struct px_span *body, struct px_said *ret_said)
{
	struct reader reader = reader_of(*body);
	if (body->len == 0) {
		return 0;
	}
	unsigned kind = (unsigned)get(&reader, 1);
	*ret_said = (struct px_said){ .kind = (enum px_said_kind)kind };
	ret_said->prev = get(&reader, 8);
	ret_said->number = get(&reader, 8);
	ret_said->client_id = get(&reader, 8);
	ret_said->reason = (uint8_t)get(&reader, 1);
	ret_said->text = get_text(&reader, 4, PX_FRAME_BODY_MAX);
	if (reader.is_bad || kind < PX_SAID_ENTER || kind > PX_SAID_NOTHING ||
			ret_said->prev >= ret_said->number) {
		return -EINVAL;
	}
	*body = rest_of(&reader);
	return 1;
}

/* ---- what a home gives ---- */

void px_given_write(struct px_bytes *body, const struct px_given *given, size_t clients)
{
	put(body, given->kind, 1);
	put(body, given->code, 2);
	put(body, (given->is_of_practice ? GIVEN_OF_PRACTICE : 0u) |
			(given->is_publication ? GIVEN_PUBLICATION : 0u) |
			(given->is_concerned ? GIVEN_CONCERNED : 0u), 1);
	put_text(body, given->service, 1);
	put_text(body, given->type, 1);
	put_text(body, given->room, 2);
	put_text(body, given->key, 2);
	put_text(body, given->concern, 1);
	put_text(body, given->text, 4);
	put(body, 8 * clients, 4);
}

void px_given_add_client(struct px_bytes *body, uint64_t client_id)
{
	put(body, client_id, 8);
}

int px_given_read(struct px_span *body, struct px_given *ret_given)
{
	struct reader reader = reader_of(*body);
	if (body->len == 0) {
		return 0;
	}
	unsigned kind = (unsigned)get(&reader, 1);
	*ret_given = (struct px_given){ .kind = (enum px_given_kind)kind };
	ret_given->code = (uint16_t)get(&reader, 2);
	unsigned flags = (unsigned)get(&reader, 1);
	ret_given->is_of_practice = flags & GIVEN_OF_PRACTICE;
	ret_given->is_publication = flags & GIVEN_PUBLICATION;
	ret_given->is_concerned = flags & GIVEN_CONCERNED;
	ret_given->service = get_text(&reader, 1, UINT8_MAX);
	ret_given->type = get_text(&reader, 1, UINT8_MAX);
	ret_given->room = get_text(&reader, 2, UINT16_MAX);
	ret_given->key = get_text(&reader, 2, UINT16_MAX);
	ret_given->concern = get_text(&reader, 1, UINT8_MAX);
	ret_given->text = get_text(&reader, 4, PX_FRAME_BODY_MAX);
	ret_given->clients = get_text(&reader, 4, PX_FRAME_BODY_MAX);
	if (reader.is_bad || kind < PX_GIVEN_MESSAGE || kind > PX_GIVEN_CLOSE ||
			ret_given->clients.len % 8 != 0) {
		return -EINVAL;
	}
	*body = rest_of(&reader);
	return 1;
}

size_t px_given_clients(const struct px_given *given)
{
	return given->clients.len / 8;
}

uint64_t px_given_client(const struct px_given *given, size_t index)
{
	struct reader reader = reader_of((struct px_span){ given->clients.data + 8 * index, 8 });
	return get(&reader, 8);
}
