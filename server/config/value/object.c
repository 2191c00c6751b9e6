/* SPDX-License-Identifier: MIT */
/*
 * The members of an object with their places: read, merged, and checked against a table.
 *
 * A value given as "<key>-file" is fetched here and not while parsing, because only the table
 * can tell whether "history-file" is the file form of a text "history" or a key of its own.
 * What such a file holds never gets into a complaint, and neither does its path: it may be
 * the secret itself, written into the wrong key.
 */
#define _DEFAULT_SOURCE 1 /* explicit_bzero */

#include "reader.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SUFFIX "-file"
#define SECRET_BYTES_MIN 32 /* shorter ones are warned of */

/* ---- members ---- */

static void finish_member(struct px_config_member *member)
{
	free(member->key);
	json_object_put(member->value);
}

void px_config_object_finish(struct px_config_object *object)
{
	for (size_t i = 0; i < object->count; i++) {
		finish_member(&object->members[i]);
	}
	free(object->members);
	*object = (struct px_config_object){ 0 };
}

const struct px_config_member *px_config_object_find(const struct px_config_object *object,
		const char *key)
{
	for (size_t i = 0; i < object->count; i++) {
		if (strcmp(object->members[i].key, key) == 0) {
			return &object->members[i];
		}
	}
	return NULL;
}

const struct px_config_member *px_config_object_given(const struct px_config_object *object,
		const char *key)
{
	const struct px_config_member *member = px_config_object_find(object, key);
	char in_file[64];
	(void)snprintf(in_file, sizeof(in_file), "%s" FILE_SUFFIX, key);
	return member ? member : px_config_object_find(object, in_file);
}

void px_config_object_complain(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_object *object, const char *key, const char *sentence)
{
	const struct px_config_member *member = px_config_object_given(object, key);
	px_config_complain(reporter, level, member ? member->file : NULL, member ? member->line : 0,
			"\"%s\"%s", key, sentence);
}

int px_config_object_set(struct px_config_object *object, const struct px_config_member *member)
{
	struct px_config_member copy = *member;
	copy.key = strdup(member->key);
	if (!copy.key) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < object->count; i++) {
		if (strcmp(object->members[i].key, member->key) == 0) {
			copy.value = json_object_get(member->value);
			finish_member(&object->members[i]);
			object->members[i] = copy;
			return 0;
		}
	}
	struct px_config_member *grown =
			px_config_grow(object->members, object->count, sizeof(*grown));
	if (!grown) {
		free(copy.key);
		return -ENOMEM;
	}
	object->members = grown;
	copy.value = json_object_get(member->value);
	grown[object->count++] = copy;
	return 0;
}

static bool is_one_of(const char *key, const char *const *keys)
{
	while (*keys && strcmp(*keys, key) != 0) {
		keys++;
	}
	return *keys;
}

void px_config_unset_variables(const struct px_config_source *source,
		const struct px_config_item *object, const char *const *keys,
		struct px_config_names *names)
{
	struct px_config_walk walk;
	struct px_config_item item;
	px_config_walk_start(&walk, &source->json, object->value, object->node);
	while (px_config_walk_on(&walk, &item)) {
		size_t used = strlen(names->text);
		if (item.key && item.unset && is_one_of(item.key, keys)) {
			(void)snprintf(names->text + used, sizeof(names->text) - used, "%s%s",
					names->count > 0 ? ", " : "", item.unset);
			names->count++;
		}
	}
}

bool px_config_section_left_out(const struct px_config_member *member, const char *const *keys)
{
	const struct px_config_source *source = (const struct px_config_source *)member->file;
	struct px_config_walk walk;
	struct px_config_item item;
	bool left_out = false;
	if (!json_object_is_type(member->value, json_type_object)) {
		return false;
	}
	px_config_walk_start(&walk, &source->json, member->value, member->node);
	while (px_config_walk_on(&walk, &item)) {
		if (is_one_of(item.key, keys) && !item.unset) {
			return false;
		}
		left_out |= is_one_of(item.key, keys);
	}
	return left_out;
}

struct px_config_item px_config_member_item(const struct px_config_member *member)
{
	return (struct px_config_item){
		.key = member->key,
		.value = member->value,
		.node = member->node,
		.line = member->line,
		.void_value = member->void_value,
		.substituted = member->substituted,
	};
}

int px_config_object_read(struct px_config_reporter *reporter,
		const struct px_config_source *source, const struct px_config_item *item,
		const char *what, struct px_config_object *ret_object)
{
	if (!json_object_is_type(item->value, json_type_object) ||
			json_object_object_length(item->value) > PX_CONFIG_ITEMS_MAX) {
		if (!item->void_value) {
			px_config_complain(reporter, PX_CONFIG_ERROR, &source->file, item->line,
					"%s: expected an object of at most %d keys", what,
					PX_CONFIG_ITEMS_MAX);
		}
		return -EINVAL;
	}
	struct px_config_object object = { 0 };
	struct px_config_walk walk;
	struct px_config_item member;
	int r = 0;
	px_config_walk_start(&walk, &source->json, item->value, item->node);
	while (r == 0 && px_config_walk_next(&walk, &member)) {
		r = px_config_object_set(&object, &(struct px_config_member){
			.key = (char *)member.key,
			.value = member.value,
			.file = &source->file,
			.line = member.line,
			.node = member.node,
			.void_value = member.void_value,
			.substituted = member.substituted,
		});
	}
	if (r < 0) {
		px_config_object_finish(&object);
		return r;
	}
	*ret_object = object;
	return 0;
}

/* ---- <key>-file ---- */

static const struct px_option *find_row(const struct px_option *table, const char *key,
		size_t length)
{
	for (; table && table->key; table++) {
		if (strncmp(table->key, key, length) == 0 && table->key[length] == '\0') {
			return table;
		}
	}
	return NULL;
}

/* The option that a member gives by way of a file; NULL: it is an ordinary member. */
static const struct px_option *option_of_file(const struct px_option *table, const char *key)
{
	size_t length = strlen(key);
	size_t suffix = sizeof(FILE_SUFFIX) - 1;
	if (length <= suffix || strcmp(key + length - suffix, FILE_SUFFIX) != 0 ||
			find_row(table, key, length)) {
		return NULL;
	}
	const struct px_option *row = find_row(table, key, length - suffix);
	return row && row->type == PX_OPTION_STRING ? row : NULL;
}

struct resolution {
	struct px_config_reporter *reporter;
	const struct px_config_object *object;
	const struct px_option *table;
	const char *what;
	struct px_option_entry *entries; /* each holds a reference to its value */
	size_t count;
};

static void complain_of(struct px_config_reporter *reporter, const char *what,
		const struct px_config_member *member, const char *text)
{
	px_config_complain(reporter, PX_CONFIG_ERROR, member->file, member->line, "%s%s%s",
			what ? what : "", what ? ": " : "", text);
}

static void complain_of_file(const struct resolution *resolution,
		const struct px_config_member *member, const char *problem, const char *cause)
{
	char text[PX_CONFIG_FAULT_SIZE + 128];
	(void)snprintf(text, sizeof(text), "\"%.64s\": %s%s", member->key, problem, cause);
	complain_of(resolution->reporter, resolution->what, member, text);
}

/* For a value that nobody else reads any more: json-c's own free leaves the bytes. */
static void wipe(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string)) {
		explicit_bzero((char *)json_object_get_string(value),
				(size_t)json_object_get_string_len(value));
	}
}

/* What the file holds, as a JSON string; NULL after a complaint. */
static int read_value_file(const struct resolution *resolution,
		const struct px_config_member *member, struct json_object **ret_value)
{
	*ret_value = NULL;
	if (!json_object_is_type(member->value, json_type_string)) {
		complain_of_file(resolution, member, "expected the path of a file", "");
		return 0;
	}
	char *path = px_config_path_join(member->file->directory,
			json_object_get_string(member->value));
	if (!path) {
		return -ENOMEM;
	}
	char *text;
	size_t size;
	size_t at;
	int r = px_config_file_read(path, PX_CONFIG_VALUE_BYTES_MAX, &text, &size);
	if (r < 0) {
		char fault[PX_CONFIG_FAULT_SIZE];
		complain_of_file(resolution, member, "cannot read the file that it names: ",
				px_config_file_fault(path, r, fault, sizeof(fault)));
		free(path);
		return 0;
	}
	free(path);
	size_t length = size;
	if (length > 0 && text[length - 1] == '\n') {
		length -= length > 1 && text[length - 2] == '\r' ? 2 : 1;
	}
	if (!px_config_text_ok(text, length, &at)) {
		complain_of_file(resolution, member, "the file that it names is not UTF-8 text",
				"");
	} else {
		*ret_value = json_object_new_string_len(text, (int)length);
		r = *ret_value ? 0 : -ENOMEM;
	}
	explicit_bzero(text, size);
	free(text);
	return r;
}

/* Whether another member gives the same option, and has the last word. */
static bool is_overruled(const struct resolution *resolution,
		const struct px_config_member *member, const struct px_config_member *other)
{
	if (!other) {
		return false;
	}
	unsigned mine = ((const struct px_config_source *)member->file)->order;
	unsigned theirs = ((const struct px_config_source *)other->file)->order;
	bool is_file = option_of_file(resolution->table, member->key);
	if (mine == theirs && is_file) {
		char text[192];
		(void)snprintf(text, sizeof(text), "\"%.64s\" and \"%.64s\" exclude each other",
				other->key, member->key);
		complain_of(resolution->reporter, resolution->what, member, text);
	}
	return mine == theirs ? is_file : mine < theirs;
}

/* The member that gives the same option in the other form. */
static const struct px_config_member *other_form(const struct resolution *resolution,
		const struct px_config_member *member)
{
	const struct px_option *row = option_of_file(resolution->table, member->key);
	if (row) {
		return px_config_object_find(resolution->object, row->key);
	}
	for (size_t i = 0; i < resolution->object->count; i++) {
		const struct px_config_member *other = &resolution->object->members[i];
		row = option_of_file(resolution->table, other->key);
		if (row && strcmp(row->key, member->key) == 0) {
			return other;
		}
	}
	return NULL;
}

static int resolve_member(struct resolution *resolution, const struct px_config_member *member)
{
	if (is_overruled(resolution, member, other_form(resolution, member))) {
		return 0;
	}
	struct px_option_entry entry = {
		.key = member->key,
		.value = member->value,
		.void_value = member->void_value,
		.origin = member,
	};
	const struct px_option *row = option_of_file(resolution->table, member->key);
	if (!row) {
		(void)json_object_get(entry.value);
	} else {
		entry.key = row->key;
		entry.secret = true;
		entry.value = NULL;
		int r = member->void_value ? 0 : read_value_file(resolution, member, &entry.value);
		if (r < 0) {
			return r;
		}
		entry.void_value = !entry.value;
	}
	resolution->entries[resolution->count++] = entry;
	return 0;
}

static void on_option_error(void *user, const struct px_option_entry *entry, const char *text)
{
	const struct resolution *resolution = user;
	if (entry) {
		complain_of(resolution->reporter, resolution->what, entry->origin, text);
	} else {
		px_config_complain(resolution->reporter, PX_CONFIG_ERROR, NULL, 0, "%s%s%s",
				resolution->what ? resolution->what : "",
				resolution->what ? ": " : "", text);
	}
}

int px_config_object_check(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_option *table,
		const char *what, struct px_options **ret_options)
{
	struct resolution resolution = {
		.reporter = reporter,
		.object = object,
		.table = table,
		.what = what,
		.entries = calloc(object->count + 1, sizeof(struct px_option_entry)),
	};
	if (!resolution.entries) {
		return -ENOMEM;
	}
	unsigned errors = reporter->error_count;
	struct px_options *options = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && i < object->count; i++) {
		r = resolve_member(&resolution, &object->members[i]);
	}
	if (r == 0) {
		r = px_options_create(table, resolution.entries, resolution.count, on_option_error,
				&resolution, &options);
	}
	if (r == 0 && reporter->error_count > errors) {
		px_options_destroy(options);
		r = -EINVAL;
	}
	for (size_t i = 0; i < resolution.count; i++) {
		if (resolution.entries[i].secret) { /* read from its file for this check alone */
			wipe(resolution.entries[i].value);
		}
		json_object_put(resolution.entries[i].value);
	}
	free(resolution.entries);
	if (r == 0) {
		*ret_options = options;
	}
	return r;
}

int px_config_section_read(struct px_config_reporter *reporter,
		const struct px_config_source *source, const struct px_config_item *item,
		const char *what, const struct px_option *table,
		struct px_config_section *ret_section)
{
	struct px_config_section *section = ret_section;
	*section = (struct px_config_section){ 0 };
	int r = px_config_object_read(reporter, source, item, what, &section->object);
	return r < 0 ? r : px_config_object_check(reporter, &section->object, table, NULL,
			&section->options);
}

void px_config_section_finish(struct px_config_section *section)
{
	px_options_destroy(section->options);
	px_config_object_finish(&section->object);
}

/* ---- copies of checked options ---- */

int px_config_string_copy(const struct px_options *options, const char *key, char **ret_string)
{
	const char *text = px_options_string(options, key);
	char *copy = text ? strdup(text) : NULL;
	if (text && !copy) {
		return -ENOMEM;
	}
	*ret_string = copy;
	return 0;
}

int px_config_path_copy(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_path)
{
	const char *text = px_options_string(options, key);
	if (!text) {
		*ret_path = NULL;
		return 0;
	}
	char *path = px_config_path_join(px_config_object_given(object, key)->file->directory,
			text);
	if (!path) {
		return -ENOMEM;
	}
	int r = px_config_file_check(path);
	if (r < 0) {
		char fault[PX_CONFIG_FAULT_SIZE];
		char sentence[sizeof(fault) + 64];
		(void)snprintf(sentence, sizeof(sentence),
				": cannot read the file that it names: %s",
				px_config_file_fault(path, r, fault, sizeof(fault)));
		px_config_object_complain(reporter, PX_CONFIG_ERROR, object, key, sentence);
	}
	*ret_path = path;
	return 0;
}

int px_config_secret_copy(struct px_config_reporter *reporter,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_secret)
{
	const struct px_config_member *member = px_config_object_find(object, key);
	int r = px_config_string_copy(options, key, ret_secret);
	if (member) {
		wipe(member->value);
	}
	if (r == 0 && *ret_secret && strlen(*ret_secret) < SECRET_BYTES_MIN) {
		px_config_object_complain(reporter, PX_CONFIG_WARNING, object, key,
				": a weak secret: expected at least 32 random bytes");
	}
	return r;
}

void px_config_secret_destroy(char *secret)
{
	if (secret) {
		explicit_bzero(secret, strlen(secret));
		free(secret);
	}
}

/* ---- a string or several ---- */

int px_config_strings(struct px_config_reporter *reporter, const struct px_config_object *object,
		const char *key, const char *fallback,
		int (*each)(struct px_config_reporter *reporter, const struct px_config_file *file,
				unsigned line, const char *text, void *user),
		void *user)
{
	const struct px_config_member *member = px_config_object_find(object, key);
	if (!member) {
		return fallback ? each(reporter, NULL, 0, fallback, user) : 0;
	}
	const struct px_config_source *source = (const struct px_config_source *)member->file;
	struct px_config_item item = px_config_member_item(member);
	struct px_config_walk walk;
	px_config_walk_start(&walk, &source->json, item.value, item.node);
	bool is_array = json_object_is_type(item.value, json_type_array);
	if (is_array && !px_config_walk_next(&walk, &item)) {
		if (!fallback) {
			return 0;
		}
		is_array = false;
		item.value = NULL;
	}
	int r = 0;
	do {
		if (item.void_value) {
			continue;
		}
		if (!json_object_is_type(item.value, json_type_string)) {
			px_config_complain(reporter, PX_CONFIG_ERROR, member->file,
					item.line,
					"\"%s\": expected a string or an array of strings", key);
			continue;
		}
		r = each(reporter, member->file, item.line, json_object_get_string(item.value), user);
	} while (r == 0 && is_array && px_config_walk_next(&walk, &item));
	return r;
}

/* What px_config_words() has to do with each string. */
struct words {
	int (*each)(struct px_config_reporter *reporter, const struct px_config_file *file,
			unsigned line, const char *text, void *user);
	void *user;
};

static int split(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	static const char separators[] = ", \t";
	const struct words *words = user;
	size_t length = strlen(text);
	/* With one before or behind it, it is as wrong as without any other. */
	if (strcspn(text, separators) == length || strspn(text, separators) > 0 ||
			strchr(separators, text[length - 1])) {
		return words->each(reporter, file, line, text, words->user);
	}
	int r = 0;
	for (; r == 0 && *text != '\0'; text += strspn(text, separators)) {
		size_t len = strcspn(text, separators);
		char *word = strndup(text, len);
		r = word ? words->each(reporter, file, line, word, words->user) : -ENOMEM;
		free(word);
		text += len;
	}
	return r;
}

int px_config_words(struct px_config_reporter *reporter, const struct px_config_object *object,
		const char *key, const char *fallback,
		int (*each)(struct px_config_reporter *reporter, const struct px_config_file *file,
				unsigned line, const char *text, void *user),
		void *user)
{
	struct words words = { each, user };
	return px_config_strings(reporter, object, key, fallback, split, &words);
}
