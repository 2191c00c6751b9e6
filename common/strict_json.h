/* SPDX-License-Identifier: MIT */
/*
 * The one reader of JSON that configuration and credentials hang on: files of the
 * configuration, the parts of a token, key sets, what an application's back end says of its
 * users, bodies of the API. RFC 8259 to the letter, and for all of them alike:
 *
 *	names      no name twice in one object, at any depth and however it is escaped: readers
 *	           differ in which of two they believe, and whoever signed may have checked the
 *	           other (RFC 7515 section 4, RFC 7519 section 4)
 *	depth      PX_STRICT_JSON_DEPTH
 *	strings    UTF-8 (RFC 3629) without U+0000 in any spelling, without control characters
 *	           and U+007F as they are, without lone surrogates
 *	numbers    at most PX_ID_MAX characters, and within the range of a double
 *	the end    nothing but white space behind the value
 *
 * An own reader that builds json-c's tree, because json-c's lets the last of two names win
 * without a word, takes NaN and 'single quotes' in its strict mode, clamps integers beyond 64
 * bits, and knows no lines. The broker's scan keeps no tree.
 */
#ifndef PX_STRICT_JSON_H
#define PX_STRICT_JSON_H

#include <praxis/types.h>

struct json_object;

/* How deep arrays and objects may lie in each other; the outermost is the first. */
#define PX_STRICT_JSON_DEPTH 16

/*
 * Reads an object. An integer that fits no int64_t becomes a json_type_double that still
 * prints its digits, for an id may be one.
 *
 * 0, and *ret_object is the caller's (json_object_put); -EINVAL; -ENOMEM.
 */
int px_strict_json_parse(struct px_span text, struct json_object **ret_object);

/* Where a value stands; places are in the order of their values in the text. */
struct px_json_place {
	unsigned line; /* of its name, if it has one; the first is 1 */
	unsigned next; /* index of the place after this one and all that is in it */
};

/* What a person wants to know of a text that persons write. */
struct px_json_report {
	/* What is wrong, a sentence without its end, valid during the call. */
	void (*on_error)(void *user, unsigned line, const char *text);
	void *user;
	struct px_json_place *places; /* on success the caller's: free() */
	size_t place_count;
};

/*
 * Reads any value from a text with comments: # and // up to the end of the line, wherever
 * white space may stand, and a byte order mark before everything. An integer that fits no
 * int64_t is an error. A name that an object has twice is reported, the first one counts, and
 * the rest is read for the sake of its errors: the text is good if nothing was reported.
 *
 * 0, and *ret_value is the caller's (json_object_put; NULL for null); -EINVAL after a report;
 * -ENOMEM. The caller sets on_error and user, and nothing else.
 */
int px_strict_json_parse_commented(struct px_span text, struct px_json_report *report,
		struct json_object **ret_value);

#endif
