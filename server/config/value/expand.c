/* SPDX-License-Identifier: MIT */
/*
 * ${NAME} and ${NAME:-default} in the strings of a file, from the environment.
 *
 * Done in the tree and not in the text, so that a variable can never change the structure of
 * a file: a password with a quote in it stays a password. A lone $ is an error and not a
 * dollar, because "$HOME" is a mistake that would otherwise pass in silence.
 */
#define _DEFAULT_SOURCE 1 /* explicit_bzero */

#include "reader.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 64
#define NAME_FIRST "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

struct expansion {
	struct px_config_reporter *reporter;
	const struct px_config_source *source;
	const char *key; /* the nearest one, for complaints */
	unsigned line;
	char *text;      /* PX_CONFIG_VALUE_BYTES_MAX + 1 bytes */
	size_t length;
	bool substituted; /* there was a variable in it */
};

/* The functions from here to expand_text(): 0, or -EINVAL after a complaint. */

static int fail(struct expansion *expansion, const char *sentence, const char *name)
{
	px_config_complain(expansion->reporter, PX_CONFIG_ERROR, &expansion->source->file,
			expansion->line, "\"%.64s\": %s%s", expansion->key, sentence, name);
	return -EINVAL;
}

static int append(struct expansion *expansion, const char *text, size_t length)
{
	if (length > PX_CONFIG_VALUE_BYTES_MAX - expansion->length) {
		return fail(expansion, "longer than 65536 bytes with its variables", "");
	}
	memcpy(expansion->text + expansion->length, text, length);
	expansion->length += length;
	return 0;
}

/* "NAME" or "NAME:-default", as it stands between the braces. */
static int append_variable(struct expansion *expansion, const char *inner, size_t length)
{
	char name[NAME_BYTES_MAX + 1];
	size_t name_length = strspn(inner, NAME_FIRST "0123456789");
	bool has_default = strncmp(inner + name_length, ":-", 2) == 0;
	size_t end = name_length + (has_default ? 2 : 0);
	if (name_length == 0 || name_length > NAME_BYTES_MAX || !strchr(NAME_FIRST, inner[0]) ||
			(!has_default && end != length)) {
		return fail(expansion, "expected ${NAME} or ${NAME:-default}", "");
	}
	memcpy(name, inner, name_length);
	name[name_length] = '\0';
	const char *value = getenv(name);
	if (has_default && (!value || *value == '\0')) {
		return append(expansion, inner + end, length - end);
	}
	if (!value) {
		return fail(expansion, "there is no environment variable ", name);
	}
	size_t at;
	if (!px_config_text_ok(value, strlen(value), &at)) {
		return fail(expansion, "not UTF-8: the environment variable ", name);
	}
	return append(expansion, value, strlen(value));
}

/* Moves *text behind what begins with a dollar there. */
static int expand_dollar(struct expansion *expansion, const char **text)
{
	const char *at = *text;
	if (at[1] == '$') {
		*text += 2;
		return append(expansion, "$", 1);
	}
	if (at[1] != '{') {
		return fail(expansion, "a single \"$\": write ${NAME} for an environment variable, $$ "
				"for a dollar sign", "");
	}
	const char *close = strchr(at, '}');
	if (!close) {
		return fail(expansion, "\"${\" without \"}\"", "");
	}
	const char *nested = strstr(at + 2, "${");
	if (nested && nested < close) {
		return fail(expansion, "nested variables", "");
	}
	*text = close + 1;
	expansion->substituted = true;
	return append_variable(expansion, at + 2, (size_t)(close - at) - 2);
}

static int expand_text(struct expansion *expansion, const char *text)
{
	int r = 0;
	expansion->length = 0;
	expansion->substituted = false;
	while (r == 0 && *text != '\0') {
		size_t plain = strcspn(text, "$");
		r = append(expansion, text, plain);
		text += plain;
		if (r == 0 && *text == '$') {
			r = expand_dollar(expansion, &text);
		}
	}
	return r;
}

/* Whether the author says that the value may be missing: one variable, and "" for its default. */
static bool may_be_left_out(const char *text)
{
	size_t length = strlen(text);
	return strncmp(text, "${", 2) == 0 && length > 3 && strcmp(text + length - 3, ":-}") == 0 &&
			strchr(text, '}') == text + length - 1;
}

static int expand_string(struct expansion *expansion, struct json_object *value,
		struct px_config_node *node)
{
	const char *text = json_object_get_string(value);
	if (!strchr(text, '$')) {
		return 0;
	}
	expansion->line = node->line;
	if (expand_text(expansion, text) < 0) {
		node->void_value = true;
		return 0;
	}
	node->substituted = expansion->substituted;
	if (expansion->length == 0 && may_be_left_out(text)) {
		node->unset = strndup(text + 2, strlen(text) - strlen("${:-}"));
		if (!node->unset) {
			return -ENOMEM;
		}
	}
	return json_object_set_string_len(value, expansion->text, (int)expansion->length) ? 0 :
			-ENOMEM;
}

/* As deep as the parser lets a file be. */
static int expand_tree(struct expansion *expansion, struct px_config_source *source,
		struct json_object *value, size_t node)
{
	if (json_object_is_type(value, json_type_string)) {
		return expand_string(expansion, value, &source->json.nodes[node]);
	}
	int r = 0;
	const char *outer_key = expansion->key;
	struct px_config_walk walk;
	struct px_config_item item;
	px_config_walk_start(&walk, &source->json, value, node);
	while (r == 0 && px_config_walk_next(&walk, &item)) {
		expansion->key = item.key ? item.key : outer_key;
		r = expand_tree(expansion, source, item.value, item.node);
	}
	expansion->key = outer_key;
	return r;
}

int px_config_expand(struct px_config_reporter *reporter, struct px_config_source *source)
{
	struct expansion expansion = {
		.reporter = reporter,
		.source = source,
		.key = "",
		.text = malloc(PX_CONFIG_VALUE_BYTES_MAX + 1),
	};
	if (!expansion.text) {
		return -ENOMEM;
	}
	int r = expand_tree(&expansion, source, source->json.root, 0);
	explicit_bzero(expansion.text, PX_CONFIG_VALUE_BYTES_MAX + 1);
	free(expansion.text);
	return r;
}
