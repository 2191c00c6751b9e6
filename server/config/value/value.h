/* SPDX-License-Identifier: MIT */
/*
 * Values as they stand in files: keys, members, objects, and where complaints about them go. Opened
 * by the reader of the configuration, and by whoever checks options of its own. It never says what
 * a key means.
 */
#ifndef PX_CONFIG_VALUE_H
#define PX_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

enum px_config_level {
	PX_CONFIG_ERROR,
	PX_CONFIG_WARNING,
};

/* Errors shown of one load; the rest is counted. */
#define PX_CONFIG_ERRORS_MAX 20

/* Where complaints go: one line each, "conf.d/10-echo.json:12: sentence", without line end. */
struct px_config_sink {
	void (*on_complaint)(void *user, enum px_config_level level, const char *text);
	void *user;
};

/* A file that was read. */
struct px_config_file {
	char *name;      /* as complaints have it: "conf.d/10-echo.json" */
	char *directory; /* absolute; relative paths in the file start here */
};

/* One key and its value, after substitution, and where it stands. */
struct px_config_member {
	char *key;
	struct json_object *value; /* NULL is JSON's null */
	const struct px_config_file *file;
	unsigned line;

	/* private to the reader */
	size_t node;
	bool void_value;
	bool substituted; /* a variable of the environment was in it */
};

/* The members of one object, or of several merged ones. No key comes twice. */
struct px_config_object {
	struct px_config_member *members;
	size_t count;
};

#endif
