/* SPDX-License-Identifier: MIT */
/*
 * The strict reader of common/ reads the text; here its values get the marks that loading
 * leaves on them.
 */
#include "json.h"

#include "common/strict_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/utf8.h>
#include <stdint.h>
#include <stdlib.h>

static unsigned line_at(const char *text, size_t offset)
{
	unsigned line = 1;
	for (size_t i = 0; i < offset; i++) {
		line += text[i] == '\n';
	}
	return line;
}

static int make_nodes(const struct px_json_report *report, struct px_config_json *json)
{
	json->nodes = calloc(report->place_count, sizeof(*json->nodes));
	if (!json->nodes) {
		return -ENOMEM;
	}
	json->node_count = report->place_count;
	for (size_t i = 0; i < json->node_count; i++) {
		json->nodes[i].line = report->places[i].line;
		json->nodes[i].next = report->places[i].next;
	}
	return 0;
}

int px_config_json_parse(const char *text, size_t length,
		void (*on_error)(void *user, unsigned line, const char *text), void *user,
		struct px_config_json *ret_json)
{
	struct px_json_report report = { .on_error = on_error, .user = user };
	size_t at;
	if (!px_config_text_ok(text, length, &at)) {
		on_error(user, line_at(text, at), "this is not UTF-8 text");
		return -EINVAL;
	}
	struct px_config_json json = { 0 };
	int r = px_strict_json_parse_commented((struct px_span){ text, length }, &report,
			&json.root);
	if (r < 0) {
		return r;
	}
	r = make_nodes(&report, &json);
	free(report.places);
	if (r < 0) {
		px_config_json_finish(&json);
		return r;
	}
	*ret_json = json;
	return 0;
}

void px_config_json_finish(struct px_config_json *json)
{
	json_object_put(json->root);
	for (size_t i = 0; i < json->node_count; i++) {
		free(json->nodes[i].unset);
	}
	free(json->nodes);
	*json = (struct px_config_json){ 0 };
}

bool px_config_text_ok(const char *text, size_t length, size_t *ret_at)
{
	const uint8_t *const begin = (const uint8_t *)text;
	const uint8_t *const end = begin + length;
	for (const uint8_t *at = begin; at < end;) {
		const uint8_t *next = *at == 0 ? NULL : *at < 0x80 ? at + 1 : px_utf8_end(at, end);
		if (!next) {
			*ret_at = (size_t)(at - begin);
			return false;
		}
		at = next;
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

bool px_config_walk_on(struct px_config_walk *walk, struct px_config_item *ret_item)
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
	item.unset = node->unset;
	walk->node = node->next;
	*ret_item = item;
	return true;
}

bool px_config_walk_next(struct px_config_walk *walk, struct px_config_item *ret_item)
{
	struct px_config_item item;
	do {
		if (!px_config_walk_on(walk, &item)) {
			return false;
		}
	} while (item.unset);
	*ret_item = item;
	return true;
}
