/* SPDX-License-Identifier: MIT */
/*
 * Reading values: files, variables, objects and their options, and complaining of what is wrong
 * with them. Opened by the reader of the configuration alone. It never knows a key: tables are
 * passed in.
 */
#ifndef PX_CONFIG_READER_H
#define PX_CONFIG_READER_H

#include "json.h"
#include "value.h"

#include <praxis/option.h>

/* Bounds of what a value may make the reader allocate, and compare with one another. */
#define PX_CONFIG_VALUE_BYTES_MAX (64 * 1024)
#define PX_CONFIG_ITEMS_MAX 256 /* vhosts, members of an object, services, addresses … */

struct px_config_reporter {
	const struct px_config_sink *sink;
	unsigned error_count;
};

/* A file while it is read. Its address is that of `file`, which the configuration keeps. */
struct px_config_source {
	struct px_config_file file;
	char *path;     /* NULL: the text was given */
	unsigned order; /* later files win */
	struct px_config_json json;
};

/* ---- complaint.c ---- */

/* `file` may be NULL (the whole), and `line` 0 (the whole file). */
void px_config_complain(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_file *file, unsigned line, const char *format, ...)
		PX_PRINTF(5, 6);

/* Tells how many errors were too many to be shown. */
void px_config_complain_end(struct px_config_reporter *reporter);

/* array[count] zeroed after the elements there are; NULL without memory, array unchanged. */
void *px_config_grow(void *array, size_t count, size_t size);

/* ---- file.c ---- */

/* A regular file's bytes, with a NUL behind them. -EFBIG: more than `max`. */
int px_config_file_read(const char *path, size_t max, char **ret_text, size_t *ret_length);

/* Whether px_config_file_read() could read it, of whatever size: 0, or -errno as there. */
int px_config_file_check(const char *path);

#define PX_CONFIG_FAULT_SIZE 1536

/*
 * What hinders px_config_file_read() or _check(), which returned `rc`, as the end of a sentence.
 * For lack of rights it names the path, its owner and what to do. Otherwise not, since what stands
 * in place of a path may be the secret itself.
 */
const char *px_config_file_fault(const char *path, int rc, char *buf, size_t size);

/* `path`, or where it leads from `directory`. NULL without memory. */
char *px_config_path_join(const char *directory, const char *path);

/* ---- expand.c ---- */

/* Substitutes ${NAME} in every string of a source, and marks what is to be left out. */
int px_config_expand(struct px_config_reporter *reporter, struct px_config_source *source);

/* ---- object.c ---- */

/* The members of the object `item`. 0; -EINVAL after the complaint that it is none; -ENOMEM. */
int px_config_object_read(struct px_config_reporter *reporter,
		const struct px_config_source *source, const struct px_config_item *item,
		const char *what, struct px_config_object *ret_object);

void px_config_object_finish(struct px_config_object *object);

const struct px_config_member *px_config_object_find(const struct px_config_object *object,
		const char *key);

/* The member that gives an option, as "key" or as "key-file". */
const struct px_config_member *px_config_object_given(const struct px_config_object *object,
		const char *key);

/* Says `sentence` of "key", which the object has. */
void px_config_object_complain(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_object *object, const char *key, const char *sentence);

/* Adds a copy of a member, or puts it in place of the one with its key. */
int px_config_object_set(struct px_config_object *object, const struct px_config_member *member);

/* Names as a sentence has them, "A, B"; cut off where they are too many. */
struct px_config_names {
	char text[320];
	size_t count;
};

/* Adds the variables for want of which these keys of an object, NULL behind them, are left out. */
void px_config_unset_variables(const struct px_config_source *source,
		const struct px_config_item *object, const char *const *keys,
		struct px_config_names *names);

/*
 * Whether the object that a member has is meant for an environment that gives one of these keys,
 * NULL behind them, and this one gives none. Keys that are not even left out are forgotten, and an
 * error.
 */
bool px_config_section_left_out(const struct px_config_member *member, const char *const *keys);

/* A member as an item, to walk into it. */
struct px_config_item px_config_member_item(const struct px_config_member *member);

/*
 * Checks an object against a table, reading the files of <key>-file. `what` (or NULL) begins
 * each complaint. 0, -EINVAL after complaints, -ENOMEM.
 */
int px_config_object_check(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_option *table,
		const char *what, struct px_options **ret_options);

/* Both in one: an object, and what its table makes of it. */
struct px_config_section {
	struct px_config_object object;
	struct px_options *options;
};

/* 0; -EINVAL after complaints; -ENOMEM. To be finished in each case. */
int px_config_section_read(struct px_config_reporter *reporter,
		const struct px_config_source *source, const struct px_config_item *item,
		const char *what, const struct px_option *table,
		struct px_config_section *ret_section);
void px_config_section_finish(struct px_config_section *section);

/* A copy of a string option; NULL where it is unset. 0 or -ENOMEM. */
int px_config_string_copy(const struct px_options *options, const char *key, char **ret_string);

/*
 * The same for the path of a file, made absolute; complains where the file cannot be read,
 * without a word of the path. `object` is what the options were checked from.
 */
int px_config_path_copy(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_path);

/* The same for a secret: warns of one that is too short, and wipes what the file had of it. */
int px_config_secret_copy(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_secret);

/* Wipes and frees; NULL-safe. */
void px_config_secret_destroy(char *secret);

/*
 * Hands `each` the strings of "key": "string" or ["string", …], and complains of anything
 * else. Without the member: the fallback; if that is NULL, there may be none, also as [].
 * Ends with the first value below 0 of `each`.
 */
int px_config_strings(struct px_config_reporter *reporter, const struct px_config_object *object,
		const char *key, const char *fallback,
		int (*each)(struct px_config_reporter *reporter, const struct px_config_file *file,
				unsigned line, const char *text, void *user),
		void *user);

/*
 * The same of strings that have no spaces and no commas: each may be several, with these between
 * them, since a variable of the environment has one string for all.
 */
int px_config_words(struct px_config_reporter *reporter, const struct px_config_object *object,
		const char *key, const char *fallback,
		int (*each)(struct px_config_reporter *reporter, const struct px_config_file *file,
				unsigned line, const char *text, void *user),
		void *user);

#endif
