/* SPDX-License-Identifier: MIT */
/*
 * Configuration text: strict JSON (RFC 8259) with # and // comments to the end of the line.
 *
 * Structure and places are read here; json-c decodes each string and number, and holds the
 * tree. Rejected: blanking out the comments and giving the whole text to json-c. It keeps no
 * lines, so that a second scan would have to agree with it about every value; and what it
 * calls strict lets through NaN, 'single quotes', "1." and raw control characters.
 */
#include "json.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <praxis/hex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES_MAX 64

struct reader {
	const char *at;
	const char *end;
	unsigned line;
	struct json_tokener *tokener;
	struct px_config_json json;
	void (*on_error)(void *user, unsigned line, const char *text);
	void *user;
};

static int fail(struct reader *reader, unsigned line, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

static int fail(struct reader *reader, unsigned line, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reader->on_error(reader->user, line, text);
	return -EINVAL;
}

static bool is_at(const struct reader *reader, const char *word)
{
	size_t length = strlen(word);
	return (size_t)(reader->end - reader->at) >= length &&
			memcmp(reader->at, word, length) == 0;
}

static bool is_digit(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end) {
		if (is_at(reader, "#") || is_at(reader, "//")) {
			while (reader->at < reader->end && *reader->at != '\n') {
				reader->at++;
			}
			continue;
		}
		if (!strchr(" \t\r\n", *reader->at)) {
			return;
		}
		reader->line += *reader->at == '\n';
		reader->at++;
	}
}

static int add_node(struct reader *reader, unsigned line, size_t *ret_node)
{
	struct px_config_json *json = &reader->json;
	size_t count = json->node_count;
	if ((count & (count - 1)) == 0) { /* full at every power of two */
		size_t room = count > 0 ? 2 * count : 1;
		struct px_config_node *grown = realloc(json->nodes, room * sizeof(*grown));
		if (!grown) {
			return -ENOMEM;
		}
		json->nodes = grown;
	}
	json->nodes[count] = (struct px_config_node){ .line = line, .next = (unsigned)count + 1 };
	json->node_count++;
	*ret_node = count;
	return 0;
}

/* Strings and numbers were checked before: json-c refuses one for want of memory alone. */
static int decode(struct reader *reader, const char *text, size_t length,
		struct json_object **ret_value)
{
	json_tokener_reset(reader->tokener);
	struct json_object *value = json_tokener_parse_ex(reader->tokener, text, (int)length);
	if (!value) {
		enum json_tokener_error error = json_tokener_get_error(reader->tokener);
		return fail(reader, reader->line, "%s", json_tokener_error_desc(error));
	}
	*ret_value = value;
	return 0;
}

static bool is_escape(const struct reader *reader)
{
	const char *at = reader->at + 1;
	if (at == reader->end) {
		return false;
	}
	if (*at != 'u') {
		return *at != '\0' && strchr("\"\\/bfnrt", *at);
	}
	for (int i = 1; i <= 4; i++) {
		if (at + i == reader->end || px_hex_digit(at[i]) < 0) {
			return false;
		}
	}
	return true;
}

/* At its opening quote. */
static int read_string(struct reader *reader, struct json_object **ret_value)
{
	const char *start = reader->at++;
	while (!is_at(reader, "\"")) {
		if (reader->at == reader->end || *reader->at == '\n') {
			return fail(reader, reader->line, "a string without its closing quote");
		}
		if ((unsigned char)*reader->at < 0x20) {
			return fail(reader, reader->line,
					"a control character in a string (write \\t, \\n, …)");
		}
		if (is_at(reader, "\\u0000")) {
			return fail(reader, reader->line, "a NUL character in a string");
		}
		if (*reader->at == '\\') {
			if (!is_escape(reader)) {
				return fail(reader, reader->line, "a \\ that begins no JSON escape "
						"(write \\\\ for one backslash)");
			}
			reader->at++;
		}
		reader->at++;
	}
	reader->at++;
	return decode(reader, start, (size_t)(reader->at - start), ret_value);
}

static void skip_digits(struct reader *reader)
{
	while (is_digit(reader)) {
		reader->at++;
	}
}

/* Moves behind a number that is spelled as JSON wants it. NULL, or what is wrong with it. */
static const char *skip_number(struct reader *reader, bool *ret_whole)
{
	bool whole = true;
	reader->at += is_at(reader, "-");
	const char *digits = reader->at;
	skip_digits(reader);
	if (reader->at == digits) {
		return "a number without digits";
	}
	if (*digits == '0' && reader->at - digits > 1) {
		return "a number that begins with 0";
	}
	if (is_at(reader, ".")) {
		whole = false;
		reader->at++;
		if (!is_digit(reader)) {
			return "a number that ends with its point";
		}
		skip_digits(reader);
	}
	if (is_at(reader, "e") || is_at(reader, "E")) {
		whole = false;
		reader->at++;
		reader->at += is_at(reader, "+") || is_at(reader, "-");
		if (!is_digit(reader)) {
			return "a number without digits in its exponent";
		}
		skip_digits(reader);
	}
	*ret_whole = whole;
	return NULL;
}

static int read_number(struct reader *reader, struct json_object **ret_value)
{
	const char *start = reader->at;
	bool whole;
	const char *wrong = skip_number(reader, &whole);
	if (wrong) {
		return fail(reader, reader->line, "%s", wrong);
	}
	size_t length = (size_t)(reader->at - start);
	char text[NUMBER_BYTES_MAX + 1];
	if (length > NUMBER_BYTES_MAX) {
		return fail(reader, reader->line, "a number of more than %d characters",
				NUMBER_BYTES_MAX);
	}
	memcpy(text, start, length);
	text[length] = '\0';
	errno = 0;
	if (whole) {
		(void)strtoll(text, NULL, 10);
	}
	if (errno != 0) {
		return fail(reader, reader->line, "a number beyond 64 bits (write it as a string)");
	}
	struct json_object *value = NULL;
	/* with the NUL: a number has no other end */
	int r = decode(reader, text, length + 1, &value);
	if (r < 0) {
		return r;
	}
	if (!whole && !isfinite(json_object_get_double(value))) {
		json_object_put(value);
		return fail(reader, reader->line, "a number that is too large");
	}
	*ret_value = value;
	return 0;
}

static int read_word(struct reader *reader, struct json_object **ret_value)
{
	bool truth = is_at(reader, "true");
	const char *word = truth ? "true" : is_at(reader, "false") ? "false" : "null";
	if (!is_at(reader, word)) {
		return fail(reader, reader->line, "expected a value: an object, an array, "
				"\"a string\", a number, true, false or null");
	}
	reader->at += strlen(word);
	*ret_value = NULL;
	if (*word == 'n') {
		return 0;
	}
	*ret_value = json_object_new_boolean(truth);
	return *ret_value ? 0 : -ENOMEM;
}

static int read_value(struct reader *reader, unsigned depth, unsigned line,
		struct json_object **ret_value);

static int read_element(struct reader *reader, struct json_object *array, unsigned depth)
{
	struct json_object *value;
	int r = read_value(reader, depth, reader->line, &value);
	if (r < 0) {
		return r;
	}
	if (json_object_array_add(array, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

/* The value of a key, at the colon. */
static int read_member_value(struct reader *reader, struct json_object *object, const char *key,
		unsigned line, unsigned depth)
{
	skip_space(reader);
	if (!is_at(reader, ":")) {
		return fail(reader, reader->line, "expected \":\" after the key \"%.64s\"", key);
	}
	reader->at++;
	skip_space(reader);
	size_t mark = reader->json.node_count;
	struct json_object *value;
	int r = read_value(reader, depth, line, &value);
	if (r < 0) {
		return r;
	}
	if (json_object_object_get_ex(object, key, NULL)) {
		json_object_put(value);
		reader->json.node_count = mark;
		(void)fail(reader, line, "the key \"%.64s\" is here twice", key);
		return 0;
	}
	if (json_object_object_add(object, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int read_member(struct reader *reader, struct json_object *object, unsigned depth)
{
	if (!is_at(reader, "\"")) {
		return fail(reader, reader->line, "expected a key in double quotes");
	}
	struct json_object *key;
	unsigned line = reader->line;
	int r = read_string(reader, &key);
	if (r < 0) {
		return r;
	}
	r = read_member_value(reader, object, json_object_get_string(key), line, depth);
	json_object_put(key);
	return r;
}

/* An object or an array, behind its bracket. */
static int read_container(struct reader *reader, unsigned depth, struct json_object *container)
{
	bool is_object = json_object_is_type(container, json_type_object);
	const char *close = is_object ? "}" : "]";
	unsigned opened = reader->line;
	for (bool first = true;; first = false) {
		skip_space(reader);
		if (first && is_at(reader, close)) {
			break;
		}
		int r = is_object ? read_member(reader, container, depth) :
				read_element(reader, container, depth);
		if (r < 0) {
			return r;
		}
		skip_space(reader);
		if (is_at(reader, close)) {
			break;
		}
		if (!is_at(reader, ",")) {
			return fail(reader, reader->line,
					"expected \",\" or the \"%s\" that closes the \"%s\" "
					"of line %u",
					close, is_object ? "{" : "[", opened);
		}
		reader->at++;
	}
	reader->at++;
	return 0;
}

static int read_bracket(struct reader *reader, unsigned depth, struct json_object **ret_value)
{
	if (depth >= PX_CONFIG_JSON_DEPTH) {
		return fail(reader, reader->line, "deeper than %d objects and arrays",
				PX_CONFIG_JSON_DEPTH);
	}
	struct json_object *container =
			is_at(reader, "{") ? json_object_new_object() : json_object_new_array();
	if (!container) {
		return -ENOMEM;
	}
	reader->at++;
	int r = read_container(reader, depth + 1, container);
	if (r < 0) {
		json_object_put(container);
		return r;
	}
	*ret_value = container;
	return 0;
}

/* `line` is where the value is said to stand: at its key. */
static int read_value(struct reader *reader, unsigned depth, unsigned line,
		struct json_object **ret_value)
{
	size_t node;
	int r = add_node(reader, line, &node);
	if (r < 0) {
		return r;
	}
	if (is_at(reader, "{") || is_at(reader, "[")) {
		r = read_bracket(reader, depth, ret_value);
	} else if (is_at(reader, "\"")) {
		r = read_string(reader, ret_value);
	} else if (is_at(reader, "-") || is_digit(reader)) {
		r = read_number(reader, ret_value);
	} else {
		r = read_word(reader, ret_value);
	}
	reader->json.nodes[node].next = (unsigned)reader->json.node_count;
	return r;
}

static int read_text(struct reader *reader)
{
	if (is_at(reader, "\xef\xbb\xbf")) { /* some editors begin a file so */
		reader->at += 3;
	}
	skip_space(reader);
	if (reader->at == reader->end) {
		return fail(reader, reader->line, "nothing here: expected an object, { … }");
	}
	struct json_object *root = NULL;
	int r = read_value(reader, 0, reader->line, &root);
	if (r < 0) {
		return r;
	}
	reader->json.root = root;
	skip_space(reader);
	if (reader->at != reader->end) {
		return fail(reader, reader->line, "expected nothing after the object");
	}
	return 0;
}

static unsigned line_at(const char *text, size_t offset)
{
	unsigned line = 1;
	for (size_t i = 0; i < offset; i++) {
		line += text[i] == '\n';
	}
	return line;
}

int px_config_json_parse(const char *text, size_t length,
		void (*on_error)(void *user, unsigned line, const char *text), void *user,
		struct px_config_json *ret_json)
{
	struct reader reader = {
		.at = text,
		.end = text + length,
		.line = 1,
		.on_error = on_error,
		.user = user,
	};
	size_t at;
	if (!px_config_text_ok(text, length, &at)) {
		return fail(&reader, line_at(text, at), "this is not UTF-8 text");
	}
	reader.tokener = json_tokener_new();
	if (!reader.tokener) {
		return -ENOMEM;
	}
	/* JSON_TOKENER_STRICT is left out: json-c 0.18 then refuses every é in a string */
	int r = read_text(&reader);
	json_tokener_free(reader.tokener);
	if (r < 0) {
		px_config_json_finish(&reader.json);
		return r;
	}
	*ret_json = reader.json;
	return 0;
}

void px_config_json_finish(struct px_config_json *json)
{
	json_object_put(json->root);
	free(json->nodes);
	*json = (struct px_config_json){ 0 };
}

/* The bytes of the UTF-8 sequence there; 0: none. Neither overlong nor a surrogate. */
static size_t sequence_bytes(const unsigned char *at, size_t left)
{
	if (at[0] < 0x80) {
		return at[0] != 0;
	}
	if (at[0] < 0xc2 || at[0] > 0xf4) {
		return 0;
	}
	size_t bytes = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (bytes > left) {
		return 0;
	}
	for (size_t i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
			(at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)) {
		return 0;
	}
	return bytes;
}

bool px_config_text_ok(const char *text, size_t length, size_t *ret_at)
{
	size_t at = 0;
	while (at < length) {
		size_t bytes = sequence_bytes((const unsigned char *)text + at, length - at);
		if (bytes == 0) {
			*ret_at = at;
			return false;
		}
		at += bytes;
	}
	return true;
}

void px_config_walk_start(struct px_config_walk *walk, const struct px_config_json *json,
		struct json_object *container, size_t node)
{
	*walk = (struct px_config_walk){ .json = json, .container = container, .node = node + 1 };
	if (json_object_is_type(container, json_type_object)) {
		walk->member = json_object_iter_begin(container);
	}
}

/* The next member or element, left out or not. */
static bool walk_on(struct px_config_walk *walk, struct px_config_item *ret_item)
{
	struct px_config_item item = { .node = walk->node };
	if (json_object_is_type(walk->container, json_type_object)) {
		struct json_object_iterator end = json_object_iter_end(walk->container);
		if (json_object_iter_equal(&walk->member, &end)) {
			return false;
		}
		item.key = json_object_iter_peek_name(&walk->member);
		item.value = json_object_iter_peek_value(&walk->member);
		json_object_iter_next(&walk->member);
	} else if (json_object_is_type(walk->container, json_type_array) &&
			walk->index < json_object_array_length(walk->container)) {
		item.value = json_object_array_get_idx(walk->container, walk->index++);
	} else {
		return false;
	}
	const struct px_config_node *node = &walk->json->nodes[walk->node];
	item.line = node->line;
	item.void_value = node->void_value;
	item.substituted = node->substituted;
	walk->node = node->next;
	*ret_item = item;
	return true;
}

bool px_config_walk_next(struct px_config_walk *walk, struct px_config_item *ret_item)
{
	struct px_config_item item;
	do {
		if (!walk_on(walk, &item)) {
			return false;
		}
	} while (walk->json->nodes[item.node].left_out);
	*ret_item = item;
	return true;
}
