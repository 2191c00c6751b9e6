/* SPDX-License-Identifier: MIT */
/*
 * A writer for the messages that the server makes itself. It exists beside json-c
 * because it can place a client's own spelling of a value (px_json_raw, px_json_id)
 * and because a message is written once into the bytes that are then framed.
 *
 * Use: px_json_begin, fields, px_json_end; an allocation that failed is remembered
 * and told by px_message_from_json() alone. Commas and escapes are the writer's.
 * `key` is NULL for the elements of an array.
 */
#ifndef PRAXIS_JSON_H
#define PRAXIS_JSON_H

#include <praxis/types.h>

struct json_object;
struct px_label;
struct px_practice;

struct px_json {
	/* private state */
	char *data;
	size_t len;
	size_t size;
	bool failed;
	bool borrowed; /* `data` is somebody else's */
	const char *type; /* as it was begun with */
	struct px_practice *practice; /* that was stamped on it, and the room */
	struct px_label *room;
	char own[464];
};

/* Starts an object: {"type":"…". `type` NULL: an object without one. */
PX_PUBLIC void px_json_begin(struct px_json *json, const char *type);

/* Ends it. The text is json->data, json->len bytes, until px_json_finish(). */
PX_PUBLIC void px_json_end(struct px_json *json);

/* Gives back what the writer allocated. Safe to call twice. */
PX_PUBLIC void px_json_finish(struct px_json *json);

PX_PUBLIC void px_json_string(struct px_json *json, const char *key, struct px_span text);
PX_PUBLIC void px_json_text(struct px_json *json, const char *key, const char *text);
PX_PUBLIC void px_json_int(struct px_json *json, const char *key, int64_t value);
PX_PUBLIC void px_json_bool(struct px_json *json, const char *key, bool value);
PX_PUBLIC void px_json_id(struct px_json *json, const char *key, struct px_id id);

/* `value` is JSON already: a client's own bytes, or json-c's. */
PX_PUBLIC void px_json_raw(struct px_json *json, const char *key, struct px_span value);

PX_PUBLIC void px_json_open_object(struct px_json *json, const char *key);
PX_PUBLIC void px_json_close_object(struct px_json *json);
PX_PUBLIC void px_json_open_array(struct px_json *json, const char *key);
PX_PUBLIC void px_json_close_array(struct px_json *json);

/*
 * The other way, for what the writer has written and json-c has read: a member of an object.
 * False: it is not there, is of another type, or not between min and max; *ret is untouched.
 * A text lives as long as the object.
 */
PX_PUBLIC bool px_json_get_text(struct json_object *object, const char *key,
		struct px_span *ret_text);
PX_PUBLIC bool px_json_get_int(struct json_object *object, const char *key, int64_t min,
		int64_t max, int64_t *ret_value);
PX_PUBLIC bool px_json_get_bool(struct json_object *object, const char *key, bool *ret_value);

/* Whether it is one JSON value and nothing else (RFC 8259), so that px_json_raw() may have it. */
PX_PUBLIC bool px_json_is_value(struct px_span text);

#endif
