/* SPDX-License-Identifier: MIT */
/*
 * The text of one configuration file: JSON with comments, as common/strict_json.h reads it,
 * in a json-c tree that remembers the line of every value.
 */
#ifndef PX_CONFIG_JSON_H
#define PX_CONFIG_JSON_H

#include <json-c/json_object_iterator.h>
#include <stdbool.h>
#include <stddef.h>

/* A value's place; the values of a text in the order in which they stand there. */
struct px_config_node {
	unsigned line;   /* of its key, if it has one */
	unsigned next;   /* the node after this one and all that is in it */
	bool void_value; /* complained about already */
	bool substituted; /* a variable was in it */
	char *unset;     /* NAME, where "${NAME:-}" is left out for want of it; else NULL */
};

struct px_config_json {
	struct json_object *root;
	struct px_config_node *nodes;
	size_t node_count;
};

/*
 * 0, -EINVAL after a complaint, or -ENOMEM. A key that an object has twice is complained
 * about but does not fail: the first one counts.
 */
int px_config_json_parse(const char *text, size_t length,
		void (*on_error)(void *user, unsigned line, const char *text), void *user,
		struct px_config_json *ret_json);

void px_config_json_finish(struct px_config_json *json);

/* Whether these bytes are UTF-8 without NUL; if not, *ret_at is where it ends being that. */
bool px_config_text_ok(const char *text, size_t length, size_t *ret_at);

/* A member of an object or an element of an array. */
struct px_config_item {
	const char *key; /* NULL in an array */
	struct json_object *value;
	size_t node;
	unsigned line;
	bool void_value;
	bool substituted;
	const char *unset; /* as the node's; the node owns it */
};

/* Goes through what is not left out of an object or an array, with the places. */
struct px_config_walk {
	/* private state */
	const struct px_config_json *json;
	struct json_object *container;
	size_t node;
	size_t index;
	struct json_object_iterator member;
};

/* Of a scalar there is nothing to go through. `node` is the container's. */
void px_config_walk_start(struct px_config_walk *walk, const struct px_config_json *json,
		struct json_object *container, size_t node);

bool px_config_walk_next(struct px_config_walk *walk, struct px_config_item *ret_item);

/* The same through all of it, also what is left out. */
bool px_config_walk_on(struct px_config_walk *walk, struct px_config_item *ret_item);

#endif
