/* SPDX-License-Identifier: MIT */
/*
 * A writer for messages of the server itself. It exists beside json-c because it can insert a
 * client's spelling of a value (px_json_raw, px_json_id), and because a message is written once,
 * into the bytes that are then framed.
 *
 * Usage: px_json_begin, fields, px_json_end. A failed allocation is remembered and reported only by
 * px_message_from_json(). The writer places commas and escapes. `key` is NULL for elements of an
 * array.
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
	const char *type; /* `type` of px_json_begin() */
	struct px_practice *practice; /* set by px_session_stamp() */
	struct px_label *room;
	char own[464];
};

/* Starts an object: {"type":"…". `type` NULL: without that member. */
PX_PUBLIC void px_json_begin(struct px_json *json, const char *type);

/* Ends the object. The text is json->data, json->len bytes, valid until px_json_finish(). */
PX_PUBLIC void px_json_end(struct px_json *json);

/* Frees what the writer allocated. May be called twice. */
PX_PUBLIC void px_json_finish(struct px_json *json);

PX_PUBLIC void px_json_string(struct px_json *json, const char *key, struct px_span text);
PX_PUBLIC void px_json_text(struct px_json *json, const char *key, const char *text);
PX_PUBLIC void px_json_int(struct px_json *json, const char *key, int64_t value);
PX_PUBLIC void px_json_bool(struct px_json *json, const char *key, bool value);
PX_PUBLIC void px_json_id(struct px_json *json, const char *key, struct px_id id);

/* `value` must be JSON: a client's bytes, or json-c's. */
PX_PUBLIC void px_json_raw(struct px_json *json, const char *key, struct px_span value);

PX_PUBLIC void px_json_open_object(struct px_json *json, const char *key);
PX_PUBLIC void px_json_close_object(struct px_json *json);
PX_PUBLIC void px_json_open_array(struct px_json *json, const char *key);
PX_PUBLIC void px_json_close_array(struct px_json *json);

/*
 * Reads a member of an object that json-c parsed. False: it is missing, has another type, or is not
 * between min and max; *ret is unchanged then. A text is valid as long as the object.
 */
PX_PUBLIC bool px_json_get_text(struct json_object *object, const char *key,
		struct px_span *ret_text);
PX_PUBLIC bool px_json_get_int(struct json_object *object, const char *key, int64_t min,
		int64_t max, int64_t *ret_value);
PX_PUBLIC bool px_json_get_bool(struct json_object *object, const char *key, bool *ret_value);

/* Whether it is exactly one JSON value (RFC 8259), as px_json_raw() requires. */
PX_PUBLIC bool px_json_is_value(struct px_span text);

#endif
