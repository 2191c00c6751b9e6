/* SPDX-License-Identifier: MIT */
/*
 * A recursive descent over the grammar of RFC 8259; the depth is bounded, so the recursion
 * is. Strings are wiped from the heap before they are given back: a key set may hold
 * secrets.
 */
#include "strict_json.h"

#include <praxis/envelope.h>
#include <praxis/hex.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at;
	const char *end;
	unsigned depth;
};

/* A string with its escapes resolved, terminated. */
struct text {
	char *data;
	size_t len;
	size_t size;
};

static int read_value(struct reader *reader, struct json_object **ret_value);

static void text_finish(struct text *text)
{
	if (text->data) {
		explicit_bzero(text->data, text->size);
	}
	free(text->data);
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
			*reader->at == '\n' || *reader->at == '\r')) {
		reader->at++;
	}
}

/* The next character that is no white space; '\0' at the end. It stays where it is. */
static char peek(struct reader *reader)
{
	skip_space(reader);
	return reader->at < reader->end ? *reader->at : '\0';
}

static bool take(struct reader *reader, char c)
{
	if (peek(reader) != c || reader->at == reader->end) {
		return false;
	}
	reader->at++;
	return true;
}

/* Moves behind an escape. */
static int skip_escape(struct reader *reader)
{
	reader->at++;
	if (reader->at == reader->end) {
		return -EINVAL;
	}
	char c = *reader->at++;
	if (c != 'u') {
		return c != '\0' && strchr("\"\\/bfnrt", c) ? 0 : -EINVAL;
	}
	for (int i = 0; i < 4; i++) {
		if (reader->at == reader->end || px_hex_digit(*reader->at++) < 0) {
			return -EINVAL;
		}
	}
	return 0;
}

static int read_text(struct reader *reader, struct text *ret_text)
{
	if (!take(reader, '"')) {
		return -EINVAL;
	}
	const char *start = reader->at;
	while (reader->at < reader->end && *reader->at != '"') {
		if (*reader->at != '\\') {
			reader->at++;
		} else if (skip_escape(reader) < 0) {
			return -EINVAL;
		}
	}
	struct px_span raw = { start, (size_t)(reader->at - start) };
	if (reader->at == reader->end || !px_span_is_text(raw)) {
		return -EINVAL;
	}
	reader->at++;
	struct text text = { .data = malloc(raw.len + 1), .size = raw.len + 1 };
	if (!text.data) {
		return -ENOMEM;
	}
	/* resolved it is never longer */
	if (px_json_unescape(raw, text.data, text.size, &text.len) < 0) {
		text_finish(&text);
		return -EINVAL;
	}
	*ret_text = text;
	return 0;
}

static int read_string(struct reader *reader, struct json_object **ret_value)
{
	struct text text;
	int rc = read_text(reader, &text);
	if (rc < 0) {
		return rc;
	}
	struct json_object *value = json_object_new_string_len(text.data, (int)text.len);
	text_finish(&text);
	if (!value) {
		return -ENOMEM;
	}
	*ret_value = value;
	return 0;
}

/* Whether there was at least one. */
static bool skip_digits(struct reader *reader)
{
	const char *start = reader->at;
	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
		reader->at++;
	}
	return reader->at > start;
}

static bool skip_one(struct reader *reader, const char *characters)
{
	if (reader->at == reader->end || *reader->at == '\0' || !strchr(characters, *reader->at)) {
		return false;
	}
	reader->at++;
	return true;
}

static bool skip_number(struct reader *reader)
{
	(void)skip_one(reader, "-");
	if (!skip_one(reader, "0") && !skip_digits(reader)) {
		return false;
	}
	if (skip_one(reader, ".") && !skip_digits(reader)) {
		return false;
	}
	if (skip_one(reader, "eE")) {
		(void)skip_one(reader, "+-");
		return skip_digits(reader);
	}
	return true;
}

static int read_number(struct reader *reader, struct json_object **ret_value)
{
	char text[PX_ID_MAX + 1];
	const char *start = reader->at;
	bool number = skip_number(reader);
	size_t len = (size_t)(reader->at - start);
	if (!number || len > PX_ID_MAX) {
		return -EINVAL;
	}
	memcpy(text, start, len);
	text[len] = '\0';

	bool whole = px_id_is_integer((struct px_span){ text, len });
	errno = 0;
	long long integer = whole ? strtoll(text, NULL, 10) : 0;
	*ret_value = whole && errno == 0 ? json_object_new_int64(integer) :
			json_object_new_double_s(strtod(text, NULL), text);
	return *ret_value ? 0 : -ENOMEM;
}

static int read_word(struct reader *reader, const char *word, struct json_object *value,
		struct json_object **ret_value)
{
	size_t len = strlen(word);
	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0) {
		json_object_put(value);
		return -EINVAL;
	}
	reader->at += len;
	*ret_value = value;
	return 0;
}

static int read_element(struct reader *reader, struct json_object *array)
{
	struct json_object *value = NULL;
	int rc = read_value(reader, &value);
	if (rc == 0 && json_object_array_add(array, value) != 0) {
		json_object_put(value);
		rc = -ENOMEM;
	}
	return rc;
}

static int read_member(struct reader *reader, struct json_object *object)
{
	struct json_object *value = NULL;
	struct text name;
	int rc = read_text(reader, &name);
	if (rc < 0) {
		return rc;
	}
	if (!take(reader, ':') || json_object_object_get_ex(object, name.data, NULL)) {
		rc = -EINVAL;
	} else {
		rc = read_value(reader, &value);
	}
	if (rc == 0 && json_object_object_add(object, name.data, value) != 0) {
		json_object_put(value);
		rc = -ENOMEM;
	}
	text_finish(&name);
	return rc;
}

/* At the opening bracket of an array or an object. */
static int read_container(struct reader *reader, char closing,
		int (*read_item)(struct reader *, struct json_object *),
		struct json_object *container, struct json_object **ret_value)
{
	int rc = !container ? -ENOMEM : reader->depth == PX_STRICT_JSON_DEPTH ? -EINVAL : 0;
	reader->at++;
	reader->depth++;
	bool over = take(reader, closing);
	while (rc == 0 && !over) {
		rc = read_item(reader, container);
		over = rc == 0 && take(reader, closing);
		if (rc == 0 && !over && !take(reader, ',')) {
			rc = -EINVAL;
		}
	}
	reader->depth--;
	if (rc < 0) {
		json_object_put(container);
		return rc;
	}
	*ret_value = container;
	return 0;
}

static int read_value(struct reader *reader, struct json_object **ret_value)
{
	switch (peek(reader)) {
	case '{':
		return read_container(reader, '}', read_member, json_object_new_object(),
				ret_value);
	case '[':
		return read_container(reader, ']', read_element, json_object_new_array(),
				ret_value);
	case '"': return read_string(reader, ret_value);
	case 't': return read_word(reader, "true", json_object_new_boolean(1), ret_value);
	case 'f': return read_word(reader, "false", json_object_new_boolean(0), ret_value);
	case 'n': return read_word(reader, "null", NULL, ret_value);
	default: return read_number(reader, ret_value);
	}
}

int px_strict_json_parse(struct px_span text, struct json_object **ret_object)
{
	if (text.len == 0) {
		return -EINVAL;
	}
	struct reader reader = { .at = text.data, .end = text.data + text.len };
	struct json_object *object = NULL;
	if (peek(&reader) != '{') {
		return -EINVAL;
	}
	int rc = read_value(&reader, &object);
	if (rc < 0) {
		return rc;
	}
	skip_space(&reader);
	if (reader.at != reader.end) {
		json_object_put(object);
		return -EINVAL;
	}
	*ret_object = object;
	return 0;
}
