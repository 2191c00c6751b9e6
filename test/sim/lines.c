/* SPDX-License-Identifier: MIT */
/*
 * Messages as lines: the words of the protocol that the model predicts, in a fixed order.
 * What a message has besides (ICE servers, the words of an error) is not compared, so that
 * rewording something does not break the simulation.
 */
#include "message/envelope.h"
#include "sim.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of frames seen lately: a fan-out is parsed once. */
#define CACHE 64

static const char *const keys[] = {
	"type",
	"code",
	"ref",
	"field",
	"id",
	"t",
	"n",
	"clientId",
	"practiceId",
	"roomId",
	"userId",
	"userName",
	"from",
	"fromUserId",
	"reason",
	"seq",
	"epoch",
	"recovered",
	"received",
	"resumed",
	"timestamp",
	"services",
	"position",
	"since",
	"typing",
	"key",
	"keep",
	"state",
	"part",
	"parts",
	"count",
};

struct words *words_begin(const char *type)
{
	static struct words words;
	words.len = 0;
	words_add(&words, "type", "\"%s\"", type);
	return &words;
}

static void append(struct words *words, const char *format, va_list args)
{
	size_t left = sizeof(words->text) - words->len;
	int n = vsnprintf(words->text + words->len, left, format, args);
	if (n < 0 || (size_t)n >= left) {
		sim_fail("a line is too long");
	}
	words->len += (size_t)n;
}

/* More of the value that was added last. */
static void add_more(struct words *words, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	append(words, format, args);
	va_end(args);
}

void words_add(struct words *words, const char *key, const char *format, ...)
{
	va_list args;
	add_more(words, "%s%s=", words->len > 0 ? " " : "", key);
	va_start(args, format);
	append(words, format, args);
	va_end(args);
}

void words_add_if(struct words *words, const char *key, const char *value)
{
	if (value[0] != '\0') {
		words_add(words, key, "%s", value);
	}
}

static int service_of(const char *text)
{
	static const char *const begins[SERVICES] = { "type=\"whiteboard_",
		"type=\"telemedicine_", "type=\"probe_" };
	for (int i = 0; i < SERVICES; i++) {
		if (strncmp(text, begins[i], strlen(begins[i])) == 0) {
			return i;
		}
	}
	return -1;
}

/* An id may be a number or a string. */
static int practice_of(const char *text)
{
	const char *at = strstr(text, " practiceId=");
	if (!at) {
		return -1;
	}
	at += strlen(" practiceId=");
	at += *at == '"';
	for (int i = 0; i < PRACTICES; i++) {
		size_t len = strlen(practice_ids[i]);
		if (strncmp(at, practice_ids[i], len) == 0 && strchr(" \"", at[len])) {
			return i;
		}
	}
	return -1;
}

struct line *words_line(const struct words *words, size_t bytes_max)
{
	struct line *line = malloc(sizeof(*line) + words->len + 1);
	if (!line) {
		sim_fail("out of memory");
	}
	line->refs = 1;
	line->bytes_max = bytes_max;
	line->uncounted = false;
	line->is_gone = false;
	line->service = service_of(words->text);
	line->practice = line->service < 0 ? -1 : practice_of(words->text);
	line->key[0] = '\0';
	memcpy(line->text, words->text, words->len + 1);
	return line;
}

struct line *line_ref(struct line *line)
{
	line->refs++;
	return line;
}

void line_unref(struct line *line)
{
	if (line && --line->refs == 0) {
		free(line);
	}
}

/* ---- of a frame ---- */

static const char *text_of(struct json_object *value)
{
	return json_object_to_json_string_ext(value,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static const char *member_text(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) ? text_of(value) : "-";
}

static bool member_is_true(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) && json_object_get_boolean(value);
}

static void add_members(struct words *words, struct json_object *list)
{
	words_add(words, "members", "%s", "");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *member = json_object_array_get_idx(list, i);
		struct json_object *media = NULL;
		json_object_object_get_ex(member, "media", &media);
		add_more(words, "%s/%s/%s/%s/%d%d%d;",
				member_text(member, "clientId"), member_text(member, "userId"),
				member_text(member, "userName"), member_text(member, "role"),
				member_is_true(media, "audio"), member_is_true(media, "video"),
				member_is_true(media, "screen"));
	}
}

/* A list, and what is predicted of each of its objects, in this order. */
static const struct list {
	const char *key;
	const char *members[7]; /* NULL ends it */
} lists[] = {
	{ "chat", { "n", "clientId" } },
	{ "waiting", { "clientId", "userId", "userName", "since" } },
	{ "values", { "n", "clientId", "seq", "keep" } },
	{ "users", { "userId", "clientId", "userName", "role", "since", "seq" } },
};

static void add_list(struct words *words, const struct list *list, struct json_object *array)
{
	words_add(words, list->key, "%s", "");
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *object = json_object_array_get_idx(array, i);
		for (const char *const *member = list->members; *member; member++) {
			add_more(words, "%s%s", member_text(object, *member), member[1] ? "/" : ";");
		}
	}
}

static void describe(struct words *words, struct json_object *object)
{
	struct json_object *value;
	words->len = 0;
	words->text[0] = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (json_object_object_get_ex(object, keys[i], &value)) {
			words_add(words, keys[i], "%s", text_of(value));
		}
	}
	if (json_object_object_get_ex(object, "members", &value)) {
		if (json_object_is_type(value, json_type_array)) {
			add_members(words, value);
		} else {
			words_add(words, "members", "%s", text_of(value));
		}
	}
	if (json_object_object_get_ex(object, "participants", &value)) {
		words_add(words, "participants", "%s", text_of(value));
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (json_object_object_get_ex(object, lists[i].key, &value)) {
			add_list(words, &lists[i], value);
		}
	}
}

struct seen {
	size_t len;
	char *frame;
	char *line;
};

static void remember(struct seen *seen, const char *text, size_t len, const struct words *words)
{
	free(seen->frame);
	free(seen->line);
	seen->len = len;
	seen->frame = malloc(len);
	seen->line = malloc(words->len + 1);
	if (!seen->frame || !seen->line) {
		sim_fail("out of memory");
	}
	memcpy(seen->frame, text, len);
	memcpy(seen->line, words->text, words->len + 1);
}

/* Each name once: what a client makes of two is its own affair, and not to be relied on. */
static void check_doubles(const char *text, size_t len, struct json_object *object)
{
	static struct px_envelope envelope;
	if (px_envelope_parse(&envelope, (struct px_span){ text, len }) != PX_ENVELOPE_FINE ||
			envelope.field_count != (size_t)json_object_object_length(object)) {
		sim_fail("a frame has a name twice, or our own scan refuses it: %s", text);
	}
	px_envelope_reset(&envelope);
}

const char *line_of_frame(const char *text, size_t len)
{
	static struct seen cache[CACHE];
	static struct words words;
	static unsigned next;
	for (size_t i = 0; i < CACHE; i++) {
		if (cache[i].len == len && cache[i].frame &&
				memcmp(cache[i].frame, text, len) == 0) {
			return cache[i].line;
		}
	}
	struct json_tokener *tokener = json_tokener_new_ex(64);
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len + 1);
	if (!json_object_is_type(object, json_type_object)) {
		sim_fail("a frame is no JSON: %s", text);
	}
	json_tokener_free(tokener);
	check_doubles(text, len, object);
	describe(&words, object);
	json_object_put(object);
	remember(&cache[next], text, len, &words);
	next = (next + 1) % CACHE;
	return words.text;
}
