/* SPDX-License-Identifier: MIT */
/*
 * The options of include/praxis/option.h: checks entries against a table, fills in defaults,
 * returns values.
 *
 * Values are converted once, here, and kept in an array beside the table. Rejected: keeping the
 * JSON and converting in the accessors, which could then fail long after the start; a hash by key,
 * since a table has a dozen rows and is read at start.
 *
 * Messages say what was expected and what was found; the value is left out if it may be a secret.
 */
#define _DEFAULT_SOURCE 1 /* explicit_bzero */

#include <praxis/option.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer keys and values are truncated in messages. */
#define SHOWN_BYTES 64

struct option_value {
	char *string;
	int64_t integer; /* of a BOOL: 0 or 1 */
	struct json_object *json;
	bool given;
};

struct px_options {
	const struct px_option *table;
	size_t count;
	struct option_value values[];
};

struct check {
	const struct px_option *option; /* NULL while the key is unknown */
	const struct px_option_entry *entry;
	void (*on_error)(void *user, const struct px_option_entry *entry, const char *text);
	void *user;
};

static void complain(const struct check *check, const char *format, ...) PX_PRINTF(2, 3);

static void complain(const struct check *check, const char *format, ...)
{
	char text[2048];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	check->on_error(check->user, check->entry, text);
}

static size_t table_count(const struct px_option *table)
{
	size_t count = 0;
	while (table && table[count].key) {
		count++;
	}
	return count;
}

/* ---- secrets ---- */

static bool contains_ignoring_case(const char *text, const char *word)
{
	for (; *text != '\0'; text++) {
		size_t i = 0;
		while (word[i] != '\0' && (text[i] | 0x20) == word[i]) {
			i++;
		}
		if (word[i] == '\0') {
			return true;
		}
	}
	return false;
}

bool px_option_is_secret(const char *key)
{
	static const char *const words[] = { "secret", "pass", "token", "key", "credential" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (contains_ignoring_case(key, words[i])) {
			return true;
		}
	}
	return false;
}

static bool is_secret(const struct px_option_entry *entry)
{
	return entry->secret || px_option_is_secret(entry->key);
}

/* ---- sentences ---- */

static void describe_choices(const char *choices, char *buf, size_t size)
{
	size_t used = (size_t)snprintf(buf, size, "one of ");
	for (; *choices != '\0' && used + 3 < size; choices++) {
		buf[used++] = *choices == '|' ? ',' : *choices;
		if (*choices == '|') {
			buf[used++] = ' ';
		}
	}
	buf[used] = '\0';
}

static void describe_expected(const struct px_option *option, char *buf, size_t size)
{
	char range[64] = "";
	bool is_string = option->type == PX_OPTION_STRING;
	if (option->min != 0 || option->max != 0) {
		(void)snprintf(range, sizeof(range), " %s %" PRId64 " to %" PRId64 "%s",
				is_string ? "of" : "from", option->min, option->max,
				is_string ? " bytes" : "");
	}
	switch (option->type) {
	case PX_OPTION_STRING:
		if (option->choices) {
			describe_choices(option->choices, buf, size);
		} else {
			(void)snprintf(buf, size, "a string%s", range);
		}
		break;
	case PX_OPTION_INT:
		(void)snprintf(buf, size, "a whole number%s", range);
		break;
	case PX_OPTION_BOOL:
		(void)snprintf(buf, size, "true or false");
		break;
	case PX_OPTION_JSON:
		(void)snprintf(buf, size, "a value");
		break;
	}
}

static void describe_got(const struct px_option *option, struct json_object *value, char *buf,
		size_t size)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		(void)snprintf(buf, size, "null");
		break;
	case json_type_array:
		(void)snprintf(buf, size, "an array");
		break;
	case json_type_object:
		(void)snprintf(buf, size, "an object");
		break;
	case json_type_string:
		if (option->type == PX_OPTION_STRING && !option->choices) {
			(void)snprintf(buf, size, "one of %d", json_object_get_string_len(value));
		} else {
			(void)snprintf(buf, size, "\"%.*s\"", SHOWN_BYTES,
					json_object_get_string(value));
		}
		break;
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
		(void)snprintf(buf, size, "%.*s", SHOWN_BYTES, json_object_to_json_string(value));
		break;
	}
}

static void complain_of_value(const struct check *check)
{
	char expected[256];
	char got[SHOWN_BYTES + 8];
	describe_expected(check->option, expected, sizeof(expected));
	if (check->entry && is_secret(check->entry)) {
		complain(check, "\"%s\": expected %s", check->entry->key, expected);
		return;
	}
	if (!check->entry) {
		complain(check, "\"%s\": its default is not %s", check->option->key, expected);
		return;
	}
	describe_got(check->option, check->entry->value, got, sizeof(got));
	complain(check, "\"%s\": expected %s, got %s", check->entry->key, expected, got);
}

/* ---- unknown keys ---- */

/* Levenshtein's; `b` has at most SHOWN_BYTES. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[SHOWN_BYTES + 1];
	size_t length = strlen(b);
	for (size_t j = 0; j <= length; j++) {
		row[j] = j;
	}
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t best = diagonal + (a[i] != b[j]);
			diagonal = row[j + 1];
			best = best < diagonal + 1 ? best : diagonal + 1;
			row[j + 1] = best < row[j] + 1 ? best : row[j] + 1;
		}
	}
	return row[length];
}

static const char *nearest_key(const struct px_option *table, const char *key)
{
	const char *nearest = NULL;
	size_t nearest_distance = 3;
	size_t length = strlen(key);
	for (size_t i = 0; table && table[i].key; i++) {
		size_t other = strlen(table[i].key);
		size_t gap = other > length ? other - length : length - other;
		if (gap >= nearest_distance || other > SHOWN_BYTES) {
			continue;
		}
		size_t distance = edit_distance(key, table[i].key);
		/* "ab" is not a misspelling of "cd" */
		if (distance < nearest_distance && distance < other && distance < length) {
			nearest = table[i].key;
			nearest_distance = distance;
		}
	}
	return nearest;
}

static void complain_of_key(const struct check *check, const struct px_option *table)
{
	const char *key = check->entry->key;
	const char *nearest = nearest_key(table, key);
	if (nearest) {
		complain(check, "unknown key \"%.*s\" (did you mean \"%s\"?)", SHOWN_BYTES, key,
				nearest);
		return;
	}
	if (table_count(table) == 0) {
		complain(check, "unknown key \"%.*s\" (there are none here)", SHOWN_BYTES, key);
		return;
	}
	char list[1536] = "";
	size_t used = 0;
	for (size_t i = 0; table[i].key && used < sizeof(list); i++) {
		int n = snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "",
				table[i].key);
		used += (size_t)n;
	}
	complain(check, "unknown key \"%.*s\" (expected: %s)", SHOWN_BYTES, key, list);
}

/* ---- conversion: 0, -EINVAL (not reported yet), -ENOMEM ---- */

static int convert_int(const struct px_option *option, struct json_object *value,
		int64_t *ret_integer)
{
	int64_t integer;
	if (json_object_is_type(value, json_type_int)) {
		integer = json_object_get_int64(value);
	} else if (json_object_is_type(value, json_type_string)) {
		const char *text = json_object_get_string(value);
		size_t sign = text[0] == '-' ? 1 : 0;
		if (text[sign] == '\0' || text[sign + strspn(text + sign, "0123456789")] != '\0') {
			return -EINVAL;
		}
		errno = 0;
		integer = strtoll(text, NULL, 10);
		if (errno != 0) {
			return -EINVAL;
		}
	} else {
		return -EINVAL;
	}
	bool ranged = option->min != 0 || option->max != 0;
	if (ranged && (integer < option->min || integer > option->max)) {
		return -EINVAL;
	}
	*ret_integer = integer;
	return 0;
}

static int convert_bool(struct json_object *value, int64_t *ret_bool)
{
	static const char *const words[] = {
		"false", "true", "no", "yes", "off", "on", "0", "1",
	};
	if (json_object_is_type(value, json_type_array) ||
			json_object_is_type(value, json_type_object)) {
		return -EINVAL;
	}
	const char *text = json_object_get_string(value);
	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_bool = (int64_t)(i % 2);
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);
	for (;;) {
		size_t word = strcspn(choices, "|");
		if (word == length && memcmp(choices, text, length) == 0) {
			return true;
		}
		if (choices[word] == '\0') {
			return false;
		}
		choices += word + 1;
	}
}

static int convert_string(const struct px_option *option, struct json_object *value,
		char **ret_string)
{
	if (!json_object_is_type(value, json_type_string)) {
		return -EINVAL;
	}
	const char *text = json_object_get_string(value);
	int64_t length = json_object_get_string_len(value);
	bool ranged = option->min != 0 || option->max != 0;
	if (strlen(text) != (size_t)length ||
			(ranged && (length < option->min || length > option->max)) ||
			(option->choices && !is_choice(option->choices, text))) {
		return -EINVAL;
	}
	char *copy = strdup(text);
	if (!copy) {
		return -ENOMEM;
	}
	*ret_string = copy;
	return 0;
}

static int convert(const struct px_option *option, struct json_object *value,
		struct option_value *slot)
{
	switch (option->type) {
	case PX_OPTION_STRING:
		return convert_string(option, value, &slot->string);
	case PX_OPTION_INT:
		return convert_int(option, value, &slot->integer);
	case PX_OPTION_BOOL:
		return convert_bool(value, &slot->integer);
	case PX_OPTION_JSON:
		if (!value) {
			return -EINVAL;
		}
		slot->json = json_object_get(value);
		return 0;
	}
	return -EINVAL;
}

/* ---- px_options ---- */

/* The index of the key's row, or options->count. */
static size_t find_row(const struct px_options *options, const char *key)
{
	size_t row = 0;
	while (row < options->count && strcmp(options->table[row].key, key) != 0) {
		row++;
	}
	return row;
}

static int take_entry(struct px_options *options, struct check *check)
{
	size_t row = find_row(options, check->entry->key);
	if (row == options->count) {
		complain_of_key(check, options->table);
		return -EINVAL;
	}
	options->values[row].given = true;
	if (check->entry->void_value) {
		return -EINVAL;
	}
	check->option = &options->table[row];
	int r = convert(check->option, check->entry->value, &options->values[row]);
	if (r == -EINVAL) {
		complain_of_value(check);
	}
	return r;
}

static int take_default(const struct check *check, struct option_value *slot)
{
	const char *text = check->option->fallback;
	if (!text) {
		return 0;
	}
	bool is_json = check->option->type == PX_OPTION_JSON;
	struct json_object *value =
			is_json ? json_tokener_parse(text) : json_object_new_string(text);
	if (!value && !is_json) {
		return -ENOMEM;
	}
	int r = convert(check->option, value, slot);
	json_object_put(value);
	if (r == -EINVAL) {
		complain_of_value(check);
	}
	return r;
}

int px_options_create(const struct px_option *table, const struct px_option_entry *entries,
		size_t count,
		void (*on_error)(void *user, const struct px_option_entry *entry, const char *text),
		void *user, struct px_options **ret_options)
{
	size_t rows = table_count(table);
	struct px_options *options =
			calloc(1, sizeof(*options) + rows * sizeof(options->values[0]));
	if (!options) {
		return -ENOMEM;
	}
	options->table = table;
	options->count = rows;
	struct check check = { .on_error = on_error, .user = user };
	int result = 0;
	for (size_t i = 0; i < count && result != -ENOMEM; i++) {
		check.entry = &entries[i];
		int r = take_entry(options, &check);
		result = r < 0 ? r : result;
	}
	check.entry = NULL;
	for (size_t i = 0; i < rows && result != -ENOMEM; i++) {
		check.option = &table[i];
		int r = options->values[i].given ? 0 : take_default(&check, &options->values[i]);
		result = r < 0 ? r : result;
	}
	if (result < 0) {
		px_options_destroy(options);
		return result;
	}
	*ret_options = options;
	return 0;
}

void px_options_destroy(struct px_options *options)
{
	if (!options) {
		return;
	}
	for (size_t i = 0; i < options->count; i++) {
		char *string = options->values[i].string;
		if (string) { /* it may be a secret */
			explicit_bzero(string, strlen(string));
		}
		free(string);
		json_object_put(options->values[i].json);
	}
	free(options);
}

static const struct option_value *get(const struct px_options *options, const char *key,
		enum px_option_type type)
{
	static const struct option_value nothing;
	size_t row = find_row(options, key);
	bool fits = row < options->count && options->table[row].type == type;
	assert(fits);
	return fits ? &options->values[row] : &nothing;
}

const char *px_options_string(const struct px_options *options, const char *key)
{
	return get(options, key, PX_OPTION_STRING)->string;
}

int64_t px_options_int(const struct px_options *options, const char *key)
{
	return get(options, key, PX_OPTION_INT)->integer;
}

bool px_options_bool(const struct px_options *options, const char *key)
{
	return get(options, key, PX_OPTION_BOOL)->integer != 0;
}

struct json_object *px_options_json(const struct px_options *options, const char *key)
{
	return get(options, key, PX_OPTION_JSON)->json;
}

bool px_options_given(const struct px_options *options, const char *key)
{
	size_t row = find_row(options, key);
	assert(row < options->count);
	return row < options->count && options->values[row].given;
}
