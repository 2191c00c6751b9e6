/* SPDX-License-Identifier: MIT */
/*
 * The writer of include/praxis/json.h. Most messages fit into its own buffer; longer ones are
 * allocated. Whether a comma is due follows from the last byte, so there is no stack of states.
 */
#include "json.h"

#include "plain.h"

#include <praxis/hex.h>
#include <stdlib.h>
#include <string.h>

/* Makes room where there is none; false: no memory, now or before. */
static bool grow(struct px_json *json, size_t len)
{
	if (json->failed) {
		return false;
	}
	bool is_own = json->data == json->own || json->borrowed;
	size_t size = json->size * 2;
	while (size < json->len + len) {
		size *= 2;
	}
	char *data = is_own ? malloc(size) : realloc(json->data, size);
	if (!data) {
		json->failed = true;
		json->size = 0; /* from now on each byte comes by here */
		return false;
	}
	if (is_own) {
		memcpy(data, json->data, json->len);
	}
	json->data = data;
	json->size = size;
	json->borrowed = false;
	return true;
}

/* Where the next `len` bytes go; NULL: nowhere. Who puts them there adds to json->len. */
static inline char *room(struct px_json *json, size_t len)
{
	bool fits = len <= json->size && json->len <= json->size - len;
	return fits || grow(json, len) ? json->data + json->len : NULL;
}

static inline void append(struct px_json *json, const char *bytes, size_t len)
{
	char *at = room(json, len);
	if (at) {
		memcpy(at, bytes, len);
		json->len += len;
	}
}

void px_json_append(struct px_json *json, const char *bytes, size_t len)
{
	append(json, bytes, len);
}

static void append_char(struct px_json *json, char c)
{
	char *at = room(json, 1);
	if (at) {
		*at = c;
		json->len++;
	}
}

static void append_escape(struct px_json *json, char c)
{
	switch (c) {
	case '"': px_json_append(json, "\\\"", 2); return;
	case '\\': px_json_append(json, "\\\\", 2); return;
	case '\n': px_json_append(json, "\\n", 2); return;
	case '\r': px_json_append(json, "\\r", 2); return;
	case '\t': px_json_append(json, "\\t", 2); return;
	default: break;
	}
	char code[6] = { '\\', 'u', '0', '0', PX_HEX_DIGITS[(unsigned char)c >> 4],
		PX_HEX_DIGITS[c & 15] };
	px_json_append(json, code, sizeof(code));
}

/* The inside of a string that needs escapes. */
static void append_escaped(struct px_json *json, struct px_span text)
{
	size_t done = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"' || c == '\\' || (unsigned char)c < 0x20) {
			append(json, text.data + done, i - done);
			append_escape(json, c);
			done = i + 1;
		}
	}
	append(json, text.data + done, text.len - done);
}

/* Whether each byte stands for itself; letters beyond ASCII do, too. */
static bool needs_no_escapes(struct px_span text)
{
	if (text.len == 0) {
		return true;
	}
	const uint8_t *at = (const uint8_t *)text.data;
	const uint8_t *const end = at + text.len;
	at = px_plain_end(at, end);
	while (at < end && *at >= 0x80) {
		at = px_plain_end(at + 1, end);
	}
	return at == end;
}

void px_json_comma(struct px_json *json)
{
	char last = json->len > 0 ? json->data[json->len - 1] : '{';
	if (last != '{' && last != '[') {
		append_char(json, ',');
	}
}

/*
 * Comma and name, and room for `len` bytes of a value behind them: where these go. NULL: nowhere.
 * The names are ours and need no escapes.
 */
static inline char *begin_value(struct px_json *json, const char *key, size_t len)
{
	size_t key_len = key ? strlen(key) : 0;
	char *at = room(json, key_len + 4 + len);
	if (!at) {
		return NULL;
	}
	char last = json->len > 0 ? at[-1] : '{';
	if (last != '{' && last != '[') {
		*at++ = ',';
	}
	if (key) {
		*at++ = '"';
		memcpy(at, key, key_len);
		at += key_len;
		*at++ = '"';
		*at++ = ':';
	}
	json->len = (size_t)(at - json->data);
	return at;
}

/* A value that is JSON already. */
static inline void append_value(struct px_json *json, const char *key, struct px_span value)
{
	char *at = begin_value(json, key, value.len);
	if (at) {
		memcpy(at, value.data, value.len);
		json->len += value.len;
	}
}

void px_json_begin(struct px_json *json, const char *type)
{
	json->data = json->own;
	json->size = sizeof(json->own);
	json->len = 0;
	json->failed = false;
	json->borrowed = false;
	json->type = type;
	json->practice = NULL;
	json->room = NULL;
	append_char(json, '{');
	if (type) {
		px_json_text(json, "type", type);
	}
}

void px_json_begin_at(struct px_json *json, char *data, size_t size)
{
	json->data = data;
	json->size = size;
	json->len = 0;
	json->failed = false;
	json->borrowed = true;
	json->type = NULL;
	json->practice = NULL;
	json->room = NULL;
	append_char(json, '{');
}

void px_json_end(struct px_json *json)
{
	append_char(json, '}');
}

void px_json_finish(struct px_json *json)
{
	if (json->data != json->own && !json->borrowed) {
		free(json->data);
	}
	json->data = json->own;
	json->borrowed = false;
	json->size = sizeof(json->own);
	json->len = 0;
}

void px_json_string(struct px_json *json, const char *key, struct px_span text)
{
	char *at = begin_value(json, key, text.len + 2);
	if (!at) {
		return;
	}
	if (needs_no_escapes(text)) {
		*at++ = '"';
		if (text.len > 0) {
			memcpy(at, text.data, text.len);
		}
		at[text.len] = '"';
		json->len += text.len + 2;
		return;
	}
	append_char(json, '"');
	append_escaped(json, text);
	append_char(json, '"');
}

void px_json_text(struct px_json *json, const char *key, const char *text)
{
	px_json_string(json, key, px_span(text));
}

void px_json_int(struct px_json *json, const char *key, int64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0) {
		digits[--at] = '-';
	}
	append_value(json, key, (struct px_span){ digits + at, sizeof(digits) - at });
}

void px_json_bool(struct px_json *json, const char *key, bool value)
{
	px_json_raw(json, key, px_span(value ? "true" : "false"));
}

void px_json_id(struct px_json *json, const char *key, struct px_id id)
{
	if (id.number) {
		px_json_raw(json, key, id.text);
	} else {
		px_json_string(json, key, id.text);
	}
}

void px_json_raw(struct px_json *json, const char *key, struct px_span value)
{
	append_value(json, key, value);
}

void px_json_open_object(struct px_json *json, const char *key)
{
	append_value(json, key, (struct px_span){ "{", 1 });
}

void px_json_close_object(struct px_json *json)
{
	append_char(json, '}');
}

void px_json_open_array(struct px_json *json, const char *key)
{
	append_value(json, key, (struct px_span){ "[", 1 });
}

void px_json_close_array(struct px_json *json)
{
	append_char(json, ']');
}
