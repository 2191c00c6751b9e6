/* SPDX-License-Identifier: MIT */
/*
 * A recursive descent over the grammar of RFC 8259; the depth is bounded, so the recursion
 * is. Strings are wiped from the heap before they are given back: a key set and a file of the
 * configuration may hold secrets.
 *
 * Rejected: blanking out the comments and giving the text to json-c. It keeps no lines, so
 * that a second scan would have to agree with it about every value.
 */
#include "strict_json.h"

#include <praxis/envelope.h>
#include <praxis/hex.h>

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at;
	const char *end;
	unsigned line;
	unsigned depth;
	struct px_json_report *report; /* NULL: no person reads it, and it has no comments */
};

/* A string with its escapes resolved, terminated. */
struct text {
	char *data;
	size_t len;
	size_t size;
};

static int fail(const struct reader *reader, unsigned line, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

static int fail(const struct reader *reader, unsigned line, const char *format, ...)
{
	if (reader->report) {
		char text[256];
		va_list args;
		va_start(args, format);
		(void)vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		reader->report->on_error(reader->report->user, line, text);
	}
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

static bool is_comment(const struct reader *reader)
{
	return reader->report && (is_at(reader, "#") || is_at(reader, "//"));
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end) {
		if (is_comment(reader)) {
			while (reader->at < reader->end && *reader->at != '\n') {
				reader->at++;
			}
			continue;
		}
		char c = *reader->at;
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
			return;
		}
		reader->line += c == '\n';
		reader->at++;
	}
}

static int add_place(struct reader *reader, unsigned line, size_t *ret_index)
{
	struct px_json_report *report = reader->report;
	if (!report) {
		return 0;
	}
	size_t count = report->place_count;
	if ((count & (count - 1)) == 0) { /* full at every power of two */
		size_t room = count > 0 ? 2 * count : 1;
		struct px_json_place *grown = realloc(report->places, room * sizeof(*grown));
		if (!grown) {
			return -ENOMEM;
		}
		report->places = grown;
	}
	report->places[count] = (struct px_json_place){ .line = line };
	report->place_count++;
	*ret_index = count;
	return 0;
}

/* ---- strings ---- */

static void text_finish(struct text *text)
{
	if (text->data) {
		explicit_bzero(text->data, text->size);
	}
	free(text->data);
}

/* Moves behind the escape at the backslash there. */
static bool skip_escape(struct reader *reader)
{
	reader->at++;
	if (reader->at == reader->end) {
		return false;
	}
	char c = *reader->at++;
	if (c != 'u') {
		return c != '\0' && strchr("\"\\/bfnrt", c);
	}
	for (int i = 0; i < 4; i++) {
		if (reader->at == reader->end || px_hex_digit(*reader->at++) < 0) {
			return false;
		}
	}
	return true;
}

/* Moves to the quote that ends a string. */
static int skip_characters(struct reader *reader)
{
	while (!is_at(reader, "\"")) {
		if (reader->at == reader->end || *reader->at == '\n') {
			return fail(reader, reader->line, "a string without its closing quote");
		}
		if ((unsigned char)*reader->at < 0x20 || *reader->at == 0x7f) {
			return fail(reader, reader->line,
					"a control character in a string (write \\t, \\n, …)");
		}
		if (is_at(reader, "\\u0000")) {
			return fail(reader, reader->line, "a NUL character in a string");
		}
		if (*reader->at != '\\') {
			reader->at++;
		} else if (!skip_escape(reader)) {
			return fail(reader, reader->line, "a \\ that begins no JSON escape "
					"(write \\\\ for one backslash)");
		}
	}
	return 0;
}

/* At its opening quote. */
static int read_text(struct reader *reader, struct text *ret_text)
{
	const char *start = ++reader->at;
	int rc = skip_characters(reader);
	if (rc < 0) {
		return rc;
	}
	struct px_span raw = { start, (size_t)(reader->at - start) };
	reader->at++;
	if (!px_span_is_text(raw)) {
		return fail(reader, reader->line, "a string that is not UTF-8");
	}
	struct text text = { .data = malloc(raw.len + 1), .size = raw.len + 1 };
	if (!text.data) {
		return -ENOMEM;
	}
	/* resolved it is never longer */
	if (px_json_unescape(raw, text.data, text.size, &text.len) < 0) {
		text_finish(&text);
		return fail(reader, reader->line, "half of a surrogate pair in a string");
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

/* ---- numbers and words ---- */

/* Whether there was at least one. */
static bool skip_digits(struct reader *reader)
{
	const char *start = reader->at;
	while (is_digit(reader)) {
		reader->at++;
	}
	return reader->at > start;
}

/* Moves behind a number that is spelled as JSON wants it. NULL, or what is wrong with it. */
static const char *skip_number(struct reader *reader)
{
	reader->at += is_at(reader, "-");
	const char *digits = reader->at;
	if (!skip_digits(reader)) {
		return "a number without digits";
	}
	if (*digits == '0' && reader->at - digits > 1) {
		return "a number that begins with 0";
	}
	if (is_at(reader, ".")) {
		reader->at++;
		if (!skip_digits(reader)) {
			return "a number that ends with its point";
		}
	}
	if (is_at(reader, "e") || is_at(reader, "E")) {
		reader->at++;
		reader->at += is_at(reader, "+") || is_at(reader, "-");
		if (!skip_digits(reader)) {
			return "a number without digits in its exponent";
		}
	}
	return NULL;
}

static int read_number(struct reader *reader, struct json_object **ret_value)
{
	const char *start = reader->at;
	const char *wrong = skip_number(reader);
	if (wrong) {
		return fail(reader, reader->line, "%s", wrong);
	}
	char text[PX_ID_MAX + 1];
	size_t len = (size_t)(reader->at - start);
	if (len > PX_ID_MAX) {
		return fail(reader, reader->line, "a number of more than %d characters", PX_ID_MAX);
	}
	memcpy(text, start, len);
	text[len] = '\0';

	bool whole = px_id_is_integer((struct px_span){ text, len });
	errno = 0;
	long long integer = whole ? strtoll(text, NULL, 10) : 0;
	if (whole && errno == 0) {
		*ret_value = json_object_new_int64(integer);
		return *ret_value ? 0 : -ENOMEM;
	}
	if (whole && reader->report) {
		return fail(reader, reader->line, "a number beyond 64 bits (write it as a string)");
	}
	double number = strtod(text, NULL);
	if (!isfinite(number)) {
		return fail(reader, reader->line, "a number that is too large");
	}
	*ret_value = json_object_new_double_s(number, text);
	return *ret_value ? 0 : -ENOMEM;
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

/* ---- objects and arrays ---- */

static int read_value(struct reader *reader, unsigned line, struct json_object **ret_value);

static int read_element(struct reader *reader, struct json_object *array)
{
	struct json_object *value = NULL;
	int rc = read_value(reader, reader->line, &value);
	if (rc == 0 && json_object_array_add(array, value) != 0) {
		json_object_put(value);
		rc = -ENOMEM;
	}
	return rc;
}

/* A name that is there already: its value is read as well, if a person wants all errors. */
static int read_again(struct reader *reader, const char *name, unsigned line)
{
	struct px_json_report *report = reader->report;
	if (!report) {
		return -EINVAL;
	}
	size_t mark = report->place_count;
	struct json_object *value = NULL;
	int rc = read_value(reader, line, &value);
	if (rc == 0) {
		json_object_put(value);
		report->place_count = mark;
		(void)fail(reader, line, "the key \"%.64s\" is here twice", name);
	}
	return rc;
}

/* The value of a name, at the colon. */
static int read_member_value(struct reader *reader, struct json_object *object, const char *name,
		unsigned line)
{
	skip_space(reader);
	if (!is_at(reader, ":")) {
		return fail(reader, reader->line, "expected \":\" after the key \"%.64s\"", name);
	}
	reader->at++;
	if (json_object_object_get_ex(object, name, NULL)) {
		return read_again(reader, name, line);
	}
	struct json_object *value = NULL;
	int rc = read_value(reader, line, &value);
	if (rc == 0 && json_object_object_add(object, name, value) != 0) {
		json_object_put(value);
		rc = -ENOMEM;
	}
	return rc;
}

static int read_member(struct reader *reader, struct json_object *object)
{
	if (!is_at(reader, "\"")) {
		return fail(reader, reader->line, "expected a key in double quotes");
	}
	unsigned line = reader->line;
	struct text name;
	int rc = read_text(reader, &name);
	if (rc < 0) {
		return rc;
	}
	rc = read_member_value(reader, object, name.data, line);
	text_finish(&name);
	return rc;
}

/* Members or elements and the bracket behind them. */
static int read_items(struct reader *reader, struct json_object *container)
{
	bool is_object = json_object_is_type(container, json_type_object);
	const char *close = is_object ? "}" : "]";
	unsigned opened = reader->line;
	for (bool first = true;; first = false) {
		skip_space(reader);
		if (first && is_at(reader, close)) {
			break;
		}
		int rc = is_object ? read_member(reader, container) :
				read_element(reader, container);
		if (rc < 0) {
			return rc;
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

/* At the opening bracket of an object or an array. */
static int read_container(struct reader *reader, struct json_object **ret_value)
{
	if (reader->depth == PX_STRICT_JSON_DEPTH) {
		return fail(reader, reader->line, "deeper than %d objects and arrays",
				PX_STRICT_JSON_DEPTH);
	}
	struct json_object *container =
			is_at(reader, "{") ? json_object_new_object() : json_object_new_array();
	if (!container) {
		return -ENOMEM;
	}
	reader->at++;
	reader->depth++;
	int rc = read_items(reader, container);
	reader->depth--;
	if (rc < 0) {
		json_object_put(container);
		return rc;
	}
	*ret_value = container;
	return 0;
}

/* `line` is where the value is said to stand: at its name. */
static int read_value(struct reader *reader, unsigned line, struct json_object **ret_value)
{
	skip_space(reader);
	size_t place = 0;
	int rc = add_place(reader, line, &place);
	if (rc < 0) {
		return rc;
	}
	if (is_at(reader, "{") || is_at(reader, "[")) {
		rc = read_container(reader, ret_value);
	} else if (is_at(reader, "\"")) {
		rc = read_string(reader, ret_value);
	} else if (is_at(reader, "-") || is_digit(reader)) {
		rc = read_number(reader, ret_value);
	} else {
		rc = read_word(reader, ret_value);
	}
	if (reader->report) {
		reader->report->places[place].next = (unsigned)reader->report->place_count;
	}
	return rc;
}

/* The value that a text is, and nothing behind it. */
static int read_all(struct reader *reader, struct json_object **ret_value)
{
	struct json_object *value = NULL;
	int rc = read_value(reader, reader->line, &value);
	if (rc < 0) {
		return rc;
	}
	skip_space(reader);
	if (reader->at != reader->end) {
		json_object_put(value);
		return fail(reader, reader->line, "expected nothing after the object");
	}
	*ret_value = value;
	return 0;
}

int px_strict_json_parse(struct px_span text, struct json_object **ret_object)
{
	if (text.len == 0) {
		return -EINVAL;
	}
	struct reader reader = { .at = text.data, .end = text.data + text.len };
	skip_space(&reader);
	return is_at(&reader, "{") ? read_all(&reader, ret_object) : -EINVAL;
}

int px_strict_json_parse_commented(struct px_span text, struct px_json_report *report,
		struct json_object **ret_value)
{
	struct reader reader = {
		.at = text.data,
		.end = text.data + text.len,
		.line = 1,
		.report = report,
	};
	report->places = NULL;
	report->place_count = 0;
	if (is_at(&reader, "\xef\xbb\xbf")) { /* some editors begin a file so */
		reader.at += 3;
	}
	skip_space(&reader);
	int rc = reader.at == reader.end ?
			fail(&reader, reader.line, "nothing here: expected an object, { … }") :
			read_all(&reader, ret_value);
	if (rc < 0) {
		free(report->places);
		report->places = NULL;
		report->place_count = 0;
	}
	return rc;
}
