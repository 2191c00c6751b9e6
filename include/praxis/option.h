/* SPDX-License-Identifier: MIT */
/*
 * Options: the keys of a configuration object, declared once in a table. The server describes its
 * own objects this way, and services their options (px_service.options); checking, defaults, error
 * messages and the documentation follow from it.
 *
 * A table instead of a parse function in every service: so a wrong key fails at start, before
 * anything runs, and always with the same words.
 */
#ifndef PRAXIS_OPTION_H
#define PRAXIS_OPTION_H

#include <praxis/types.h>

struct json_object;

enum px_option_type {
	PX_OPTION_STRING,
	PX_OPTION_INT,  /* an integer; may be written as a string: 256, "256" */
	PX_OPTION_BOOL, /* true false 1 0, and "true" "false" "yes" "no" "on" "off" "1" "0" */
	PX_OPTION_JSON, /* any value except null, unchanged */
};

struct px_option {
	const char *key; /* NULL ends the table */
	enum px_option_type type;

	/*
	 * The default, written as in the configuration (for a JSON option: its JSON text). NULL: unset,
	 * which reads as NULL, 0 or false.
	 */
	const char *fallback;

	/* INT: minimum and maximum; STRING: length in bytes. Both 0: any. */
	int64_t min;
	int64_t max;

	const char *help;

	/* STRING: the permitted words, "loopback|insecure". NULL: any text. */
	const char *choices;
};

/*
 * Validated values with defaults filled in. Strings and JSON values are valid as long as the
 * px_options. Asking for a key that is not in the table, or for another type, is a bug in the
 * program (assert; NULL, 0 or false).
 */
struct px_options;

/* Whether the key sounds like a secret, so that its value must not be shown. */
PX_PUBLIC bool px_option_is_secret(const char *key);

/* NULL: not configured, and no default. */
PX_PUBLIC const char *px_options_string(const struct px_options *options, const char *key);

PX_PUBLIC int64_t px_options_int(const struct px_options *options, const char *key);

PX_PUBLIC bool px_options_bool(const struct px_options *options, const char *key);

/* NULL: not configured, and no default. Take a reference to keep it; do not change it. */
PX_PUBLIC struct json_object *px_options_json(const struct px_options *options, const char *key);

/* Whether the key was configured, even with the value of the default. */
PX_PUBLIC bool px_options_given(const struct px_options *options, const char *key);

/* A key and value to be checked. The caller keeps ownership; keys are unique. */
struct px_option_entry {
	const char *key;
	struct json_object *value;
	bool secret;        /* the value must not be repeated in messages */
	bool void_value;    /* already reported: the check fails without another message */
	const void *origin; /* the caller's own, such as its position */
};

/*
 * Checks `count` entries against a table (NULL: no options). Each error is passed to on_error, as a
 * sentence without line end that begins with the key; `entry` is the entry concerned, or NULL if a
 * default of the table itself is invalid. Values whose key sounds like a secret ("secret", "pass",
 * "token", "key", "credential") are not repeated.
 *
 * 0; -EINVAL after at least one error (or for a void value); -ENOMEM. The table must outlive
 * *ret_options, which the caller owns until px_options_destroy().
 */
PX_PUBLIC int px_options_create(const struct px_option *table,
		const struct px_option_entry *entries, size_t count,
		void (*on_error)(void *user, const struct px_option_entry *entry, const char *text),
		void *user, struct px_options **ret_options);

PX_PUBLIC void px_options_destroy(struct px_options *options);

#endif
