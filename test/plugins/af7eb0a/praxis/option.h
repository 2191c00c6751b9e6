/* SPDX-License-Identifier: MIT */
/*
 * Options: what an object of the configuration may hold, said once in a table. The server
 * describes its own objects so, and a service its options (px_service.options); checking,
 * defaults, the sentences of errors and the documentation all follow from it.
 *
 * A table instead of a parse function in every service: a wrong key then fails at start,
 * before anything runs, and always in the same words.
 */
#ifndef PRAXIS_OPTION_H
#define PRAXIS_OPTION_H

#include <praxis/types.h>

struct json_object;

enum px_option_type {
	PX_OPTION_STRING,
	PX_OPTION_INT,  /* a whole number; may be spelled as a string: 256, "256" */
	PX_OPTION_BOOL, /* true false 1 0, and "true" "false" "yes" "no" "on" "off" "1" "0" */
	PX_OPTION_JSON, /* any value but null, taken as it is */
};

struct px_option {
	const char *key; /* NULL ends the table */
	enum px_option_type type;

	/*
	 * The default, spelled as in the configuration (of a JSON option: its JSON text).
	 * NULL: unset, which reads as NULL, 0 or false.
	 */
	const char *fallback;

	/* INT: smallest and largest value; STRING: length in bytes. Both 0: any. */
	int64_t min;
	int64_t max;

	const char *help;

	/* STRING: the words that may stand here, "loopback|insecure". NULL: any text. */
	const char *choices;
};

/*
 * Checked values with the defaults filled in. For a reader the strings and JSON values
 * live as long as the px_options. Asking for a key that the table does not have, or for
 * another type than the table says, is a bug in the program (assert; NULL, 0 or false).
 */
struct px_options;

/* Whether a key sounds like a secret, so that its value is never to be repeated. */
PX_PUBLIC bool px_option_is_secret(const char *key);

/* NULL: neither given nor has it a default. */
PX_PUBLIC const char *px_options_string(const struct px_options *options, const char *key);

PX_PUBLIC int64_t px_options_int(const struct px_options *options, const char *key);

PX_PUBLIC bool px_options_bool(const struct px_options *options, const char *key);

/* NULL: neither given nor has it a default. Take a reference to keep it; do not change it. */
PX_PUBLIC struct json_object *px_options_json(const struct px_options *options, const char *key);

/* Whether the configuration gave it, be it with the value of the default. */
PX_PUBLIC bool px_options_given(const struct px_options *options, const char *key);

/* One key and value to be checked. All of it stays the caller's; no key comes twice. */
struct px_option_entry {
	const char *key;
	struct json_object *value;
	bool secret;        /* its value is never repeated in a complaint */
	bool void_value;    /* complained about already: the check fails without another word */
	const void *origin; /* the caller's own: where it stands */
};

/*
 * Checks `count` entries against a table (NULL: no options at all). Every complaint goes
 * to on_error, a sentence without line end that begins with the key; `entry` is what it is
 * about, or NULL where a default of the table itself is wrong. Values whose key sounds
 * like a secret ("secret", "pass", "token", "key", "credential") are not repeated.
 *
 * 0; -EINVAL after at least one complaint (or for a void value); -ENOMEM. The table must
 * outlive *ret_options, which is the caller's until px_options_destroy().
 */
PX_PUBLIC int px_options_create(const struct px_option *table,
		const struct px_option_entry *entries, size_t count,
		void (*on_error)(void *user, const struct px_option_entry *entry, const char *text),
		void *user, struct px_options **ret_options);

PX_PUBLIC void px_options_destroy(struct px_options *options);

#endif
