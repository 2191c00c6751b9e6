/* SPDX-License-Identifier: MIT */
/*
 * The writer of include/praxis/json.h. Most messages fit into its own buffer; longer ones are
 * allocated. Whether a comma is due follows from the last byte, so there is no stack of states.
 */
#include "json.h"

#include <praxis/hex.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct px_json *json, size_t len)
{
	if (json->failed) {
		return false;
	}
	if (json->len + len <= json->size) {
		return true;
	}
	size_t size = json->size * 2;
	while (size < json->len + len) {
		size *= 2;
	}
	char *data = json->data == json->own ? malloc(size) : realloc(json->data, size);
	if (!data) {
		json->failed = true;
		return false;
	}
	if (json->data == json->own) {
		memcpy(data, json->own, json->len);
	}
	json->data = data;
	json->size = size;
	return true;
}

void px_json_append(struct px_json *json, const char *bytes, size_t len)
{
	if (reserve(json, len)) {
		memcpy(json->data + json->len, bytes, len);
		json->len += len;
	}
}

static void append_char(struct px_json *json, char c)
{
	px_json_append(json, &c, 1);
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

static void append_quoted(struct px_json *json, struct px_span text)
{
	append_char(json, '"');
	size_t done = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '"' || c == '\\' || (unsigned char)c < 0x20) {
			px_json_append(json, text.data + done, i - done);
			append_escape(json, c);
			done = i + 1;
		}
	}
	px_json_append(json, text.data + done, text.len - done);
	append_char(json, '"');
}

void px_json_comma(struct px_json *json)
{
	char last = json->len > 0 ? json->data[json->len - 1] : '{';
	if (last != '{' && last != '[') {
		append_char(json, ',');
	}
}

/* Writes comma and name; names are literals and need no escapes. */
static void begin_value(struct px_json *json, const char *key)
{
	px_json_comma(json);
	if (key) {
		append_char(json, '"');
		px_json_append(json, key, strlen(key));
		px_json_append(json, "\":", 2);
	}
}

void px_json_begin(struct px_json *json, const char *type)
{
	json->data = json->own;
	json->size = sizeof(json->own);
	json->len = 0;
	json->failed = false;
	json->type = type;
	json->practice = NULL;
	json->room = NULL;
	append_char(json, '{');
	if (type) {
		px_json_text(json, "type", type);
	}
}

void px_json_end(struct px_json *json)
{
	append_char(json, '}');
}

void px_json_finish(struct px_json *json)
{
	if (json->data != json->own) {
		free(json->data);
	}
	json->data = json->own;
	json->size = sizeof(json->own);
	json->len = 0;
}

void px_json_string(struct px_json *json, const char *key, struct px_span text)
{
	begin_value(json, key);
	append_quoted(json, text);
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
	begin_value(json, key);
	px_json_append(json, digits + at, sizeof(digits) - at);
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
	begin_value(json, key);
	px_json_append(json, value.data, value.len);
}

void px_json_open_object(struct px_json *json, const char *key)
{
	begin_value(json, key);
	append_char(json, '{');
}

void px_json_close_object(struct px_json *json)
{
	append_char(json, '}');
}

void px_json_open_array(struct px_json *json, const char *key)
{
	begin_value(json, key);
	append_char(json, '[');
}

void px_json_close_array(struct px_json *json)
{
	append_char(json, ']');
}
