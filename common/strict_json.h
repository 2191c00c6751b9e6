/* SPDX-License-Identifier: MIT */
/*
 * JSON that rights hang on: the parts of a token, key sets, what an application's back end
 * says of its users. RFC 8259 to the letter, and no name twice in one object, at any depth
 * and however it is escaped: readers differ in which of two they believe, and whoever
 * signed may have checked the other (RFC 7515 section 4, RFC 7519 section 4).
 *
 * An own reader that builds json-c's tree, because json-c's lets the last of two names win
 * without a word, takes NaN and 'single quotes' in its strict mode, and clamps integers
 * beyond 64 bits. The broker's scan keeps no tree, config/value/json.h takes comments.
 */
#ifndef PX_STRICT_JSON_H
#define PX_STRICT_JSON_H

#include <praxis/types.h>

struct json_object;

/* How deep arrays and objects may lie in each other; the outermost is the first. */
#define PX_STRICT_JSON_DEPTH 16

/*
 * Reads an object. An integer that fits no int64_t becomes a json_type_double that still
 * prints its digits. Refused besides what is no JSON: numbers of more than PX_ID_MAX
 * characters, U+0000, U+007F as it is, and lone surrogates.
 *
 * 0, and *ret_object is the caller's (json_object_put); -EINVAL; -ENOMEM.
 */
int px_strict_json_parse(struct px_span text, struct json_object **ret_object);

#endif
