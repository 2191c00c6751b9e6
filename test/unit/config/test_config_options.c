/* SPDX-License-Identifier: MIT */
/*
 * Options: tables, conversions and complaints, and how the server checks those of a service.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "test_config_util.h"

#include <json-c/json.h>
#include <praxis/option.h>

static const struct px_option table[] = {
	{ .key = "title", .type = PX_OPTION_STRING, .fallback = "none", .max = 8, .help = "" },
	{ .key = "mode", .type = PX_OPTION_STRING, .fallback = "fast", .choices = "fast|slow" },
	{ .key = "note", .type = PX_OPTION_STRING },
	{ .key = "history", .type = PX_OPTION_INT, .fallback = "256", .min = 0, .max = 1000 },
	{ .key = "offset", .type = PX_OPTION_INT },
	{ .key = "trace", .type = PX_OPTION_BOOL },
	{ .key = "record", .type = PX_OPTION_BOOL, .fallback = "yes" },
	{ .key = "servers", .type = PX_OPTION_JSON, .fallback = "[\"stun:x\"]" },
	{ .key = "extra", .type = PX_OPTION_JSON },
	{ .key = "turn-secret", .type = PX_OPTION_STRING, .min = 4, .max = 64 },
	{ .key = "log-file", .type = PX_OPTION_STRING },
	{ .key = "log", .type = PX_OPTION_STRING },
	{ .key = NULL },
};

/* The options of {"s": {…}}, checked; NULL if `expected` has complaints. */
static struct px_options *check_service(const struct px_option *options_table,
		const char *members, const char *expected)
{
	char protocols[4096];
	(void)snprintf(protocols, sizeof(protocols), ", \"ws-protocols\": [{\"s\": {%s}}]",
			members);
	struct px_config *config = load_vhost(protocols, "");
	const struct px_config_service *service = px_config_find_service(config, "s");
	ck_assert_ptr_nonnull(service);
	struct px_options *options = NULL;
	complaints[0] = '\0';
	int r = px_config_check_options(service, options_table, &sink, &options);
	ck_assert_str_eq(complaints, expected);
	ck_assert_int_eq(r, expected[0] != '\0' ? -EINVAL : 0);
	ck_assert((r == 0) == (options != NULL));
	px_config_destroy(config);
	return options;
}

static void expect_service(const char *members, const char *expected)
{
	px_options_destroy(check_service(table, members, expected));
}

START_TEST(fills_in_defaults)
{
	struct px_options *options = check_service(table, "", "");
	ck_assert_str_eq(px_options_string(options, "title"), "none");
	ck_assert_str_eq(px_options_string(options, "mode"), "fast");
	ck_assert_ptr_null(px_options_string(options, "note"));
	ck_assert_int_eq(px_options_int(options, "history"), 256);
	ck_assert_int_eq(px_options_int(options, "offset"), 0);
	ck_assert(!px_options_bool(options, "trace"));
	ck_assert(px_options_bool(options, "record"));
	ck_assert_str_eq(json_object_to_json_string_ext(px_options_json(options, "servers"),
			JSON_C_TO_STRING_PLAIN), "[\"stun:x\"]");
	ck_assert_ptr_null(px_options_json(options, "extra"));
	ck_assert(!px_options_given(options, "history"));
	px_options_destroy(options);
}
END_TEST

START_TEST(outlives_the_configuration)
{
	struct px_options *options = check_service(table,
			"\"title\": \"a\", \"mode\": \"slow\","
			"\"history\": \"0010\", \"offset\": -5, \"trace\": true, \"record\": "
			"\"off\","
			"\"extra\": {\"a\": [1, 2.50]}, \"servers\": \"text\", \"status\": \"ok\"",
			"");
	ck_assert_str_eq(px_options_string(options, "title"), "a");
	ck_assert_str_eq(px_options_string(options, "mode"), "slow");
	ck_assert_int_eq(px_options_int(options, "history"), 10);
	ck_assert(px_options_given(options, "history"));
	ck_assert_int_eq(px_options_int(options, "offset"), -5);
	ck_assert(px_options_bool(options, "trace"));
	ck_assert(!px_options_bool(options, "record"));
	ck_assert_str_eq(json_object_to_json_string_ext(px_options_json(options, "extra"),
			JSON_C_TO_STRING_PLAIN), "{\"a\":[1,2.50]}");
	ck_assert_str_eq(json_object_get_string(px_options_json(options, "servers")), "text");
	px_options_destroy(options);
}
END_TEST

START_TEST(spells_booleans_and_numbers)
{
	static const char *const yes[] = { "true", "1", "\"true\"", "\"yes\"", "\"on\"", "\"1\"" };
	static const char *const no[] = { "false", "0", "\"false\"", "\"no\"", "\"off\"", "\"0\"" };
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		char members[64];
		(void)snprintf(members, sizeof(members), "\"trace\": %s, \"record\": %s", yes[i],
				no[i]);
		struct px_options *options = check_service(table, members, "");
		ck_assert(px_options_bool(options, "trace"));
		ck_assert(!px_options_bool(options, "record"));
		px_options_destroy(options);
	}
	expect_service("\"offset\": \"-9223372036854775808\"", "");
	expect_service("\"offset\": \"9223372036854775807\"", "");
	expect_service("\"history\": 1000, \"title\": \"12345678\"", "");
}
END_TEST

START_TEST(complains_of_wrong_values)
{
	expect_service("\"trace\": \"True\"",
			"E f.json:1: s: \"trace\": expected true or false, got \"True\"\n");
	expect_service("\"trace\": 2", "E f.json:1: s: \"trace\": expected true or false, got 2\n");
	expect_service("\"trace\": []",
			"E f.json:1: s: \"trace\": expected true or false, got an array\n");
	expect_service("\"trace\": null",
			"E f.json:1: s: \"trace\": expected true or false, got null\n");
	static const char *const numbers[] = {
		"1001",
		"-1",
		"1.0",
		"1e2",
		"true",
		"\"\"",
		"\"-\"",
		"\"1x\"",
		"\" 1\"",
		"\"+1\"",
		"\"1.0\"",
		"\"0x10\"",
		"\"9223372036854775808\"",
		"\"99999999999999999999\"",
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char members[64];
		char expected[160];
		(void)snprintf(members, sizeof(members), "\"history\": %s", numbers[i]);
		(void)snprintf(expected, sizeof(expected),
				"E f.json:1: s: \"history\": expected a whole "
				"number from 0 to 1000, got %s\n",
				numbers[i]);
		expect_service(members, expected);
	}
	expect_service("\"offset\": \"9223372036854775808\"",
			"E f.json:1: s: \"offset\": expected a "
			"whole number, got \"9223372036854775808\"\n");
	expect_service("\"history\": {}",
			"E f.json:1: s: \"history\": expected a whole number from 0 "
			"to 1000, got an object\n");
	expect_service("\"title\": \"123456789\"",
			"E f.json:1: s: \"title\": expected a string of 0 to 8 bytes, got one of "
			"9\n");
	expect_service("\"note\": 5", "E f.json:1: s: \"note\": expected a string, got 5\n");
	expect_service("\"note\": 5.50", "E f.json:1: s: \"note\": expected a string, got 5.50\n");
	expect_service("\"note\": false",
			"E f.json:1: s: \"note\": expected a string, got false\n");
	expect_service("\"mode\": \"fas\"",
			"E f.json:1: s: \"mode\": expected one of fast, slow, got \"fas\"\n");
	expect_service("\"mode\": \"fast|slow\"",
			"E f.json:1: s: \"mode\": expected one of fast, slow, got \"fast|slow\"\n");
	expect_service("\"mode\": \"\"",
			"E f.json:1: s: \"mode\": expected one of fast, slow, got \"\"\n");
	expect_service("\"mode\": 1",
			"E f.json:1: s: \"mode\": expected one of fast, slow, got 1\n");
	expect_service("\"servers\": null",
			"E f.json:1: s: \"servers\": expected a value, got null\n");
}
END_TEST

START_TEST(complains_of_unknown_keys)
{
	expect_service("\"histroy\": 1",
			"E f.json:1: s: unknown key \"histroy\" (did you mean \"history\"?)\n");
	expect_service("\"hist\": 1",
			"E f.json:1: s: unknown key \"hist\" (expected: title, mode, note, "
			"history, offset, trace, record, servers, extra, turn-secret, log-file, "
			"log)\n");
	expect_service("\"it\": 1",
			"E f.json:1: s: unknown key \"it\" (expected: title, mode, note, "
			"history, offset, trace, record, servers, extra, turn-secret, log-file, "
			"log)\n");
	expect_service("\"lg\": 1", "E f.json:1: s: unknown key \"lg\" (did you mean \"log\"?)\n");
	struct px_options *none = check_service(NULL, "", "");
	px_options_destroy(none);
	check_service(NULL, "\"a\": 1", "E f.json:1: s: unknown key \"a\" (there are none here)\n");
	check_service(&table[12], "\"a\": 1",
			"E f.json:1: s: unknown key \"a\" (there are none here)\n");
}
END_TEST

START_TEST(complains_of_all_with_their_lines)
{
	expect_service("\n\"trace\": 5,\n\"histori\": 1,\n\"note\": [\n1\n]\n",
			"E f.json:2: s: \"trace\": expected true or false, got 5\n"
			"E f.json:3: s: unknown key \"histori\" (did you mean \"history\"?)\n"
			"E f.json:4: s: \"note\": expected a string, got an array\n");
}
END_TEST

START_TEST(shows_no_secrets)
{
	expect_service("\"turn-secret\": \"abc\"",
			"E f.json:1: s: \"turn-secret\": expected a string of 4 to 64 bytes\n");
	expect_service("\"turn-secret\": 12345",
			"E f.json:1: s: \"turn-secret\": expected a string of 4 to 64 bytes\n");
	put("short", "abc");
	expect_service("\"turn-secret-file\": \"short\"",
			"E f.json:1: s: \"turn-secret\": expected a string of 4 to 64 bytes\n");
	expect_service("\"mode-file\": \"short\"",
			"E f.json:1: s: \"mode\": expected one of fast, slow\n");
	static const struct px_option keys[] = {
		{ .key = "wordPass", .type = PX_OPTION_INT },
		{ .key = "API_TOKEN", .type = PX_OPTION_INT },
		{ .key = "signing-keys", .type = PX_OPTION_BOOL },
		{ .key = "credential", .type = PX_OPTION_STRING, .choices = "a|b" },
		{ .key = NULL },
	};
	check_service(keys, "\"wordPass\": \"x1\", \"API_TOKEN\": \"x2\", \"signing-keys\": \"x3\","
			"\"credential\": \"x4\"",
			"E f.json:1: s: \"wordPass\": expected a whole number\n"
			"E f.json:1: s: \"API_TOKEN\": expected a whole number\n"
			"E f.json:1: s: \"signing-keys\": expected true or false\n"
			"E f.json:1: s: \"credential\": expected one of a, b\n");
}
END_TEST

START_TEST(reads_options_from_files)
{
	put("secret", "s3cret\n");
	struct px_options *options = check_service(table, "\"turn-secret-file\": \"secret\","
			"\"log-file\": \"not/read\", \"note-file\": \"secret\"", "");
	ck_assert_str_eq(px_options_string(options, "turn-secret"), "s3cret");
	ck_assert(px_options_given(options, "turn-secret"));
	/* a key of the table is never the file form of another */
	ck_assert_str_eq(px_options_string(options, "log-file"), "not/read");
	ck_assert_ptr_null(px_options_string(options, "log"));
	px_options_destroy(options);
	expect_service("\"note\": \"a\", \"note-file\": \"secret\"",
			"E f.json:1: s: \"note\" and \"note-file\" exclude each other\n");
	expect_service("\"history-file\": \"secret\"",
			"E f.json:1: s: unknown key \"history-file\" "
			"(expected: title, mode, note, history, offset, trace, record, servers, "
			"extra, "
			"turn-secret, log-file, log)\n");
	expect_service("\"note-file\": \"none\", \"trace\": 3",
			"E f.json:1: s: \"note-file\": cannot read the file that it names: "
			"No such file or directory\n"
			"E f.json:1: s: \"trace\": expected true or false, got 3\n");
}
END_TEST

START_TEST(lets_the_later_file_win_over_the_other_form)
{
	make_directory("conf.d");
	put("secret", "from-file");
	put("conf.d/1.json",
			"{\"vhosts\": [{\"name\": \"a\", \"port\": 0, \"ws-protocols\": ["
			"{\"s\": {\"turn-secret\": \"from-json\", \"note-file\": "
			"\"../secret\"}}]}]}");
	put("conf.d/2.json",
			"{\"vhost\": \"a\", \"ws-protocols\": ["
			"{\"s\": {\"turn-secret-file\": \"../secret\", \"note\": "
			"\"from-json\"}}]}");
	struct px_config *config = load("");
	struct px_options *options;
	ck_assert_int_eq(px_config_check_options(px_config_find_service(config, "s"), table, &sink,
			&options), 0);
	ck_assert_str_eq(px_options_string(options, "turn-secret"), "from-file");
	ck_assert_str_eq(px_options_string(options, "note"), "from-json");
	px_options_destroy(options);
	px_config_destroy(config);
}
END_TEST

static void count_errors(void *user, const struct px_option_entry *entry, const char *text)
{
	++*(int *)user;
	ck_assert_ptr_null(entry);
	ck_assert_str_eq(text, "\"x\": its default is not a whole number from 1 to 3");
}

START_TEST(complains_of_a_wrong_default)
{
	static const struct px_option wrong[] = {
		{ .key = "x", .type = PX_OPTION_INT, .fallback = "4", .min = 1, .max = 3 },
		{ .key = NULL },
	};
	struct px_options *options;
	int errors = 0;
	ck_assert_int_eq(px_options_create(wrong, NULL, 0, count_errors, &errors, &options),
			-EINVAL);
	ck_assert_int_eq(errors, 1);
	check_service(wrong, "", "E s: \"x\": its default is not a whole number from 1 to 3\n");
	px_options_destroy(NULL);
}
END_TEST

RUN("config_options", fills_in_defaults, outlives_the_configuration, spells_booleans_and_numbers,
		complains_of_wrong_values, complains_of_unknown_keys,
		complains_of_all_with_their_lines, shows_no_secrets, reads_options_from_files,
		lets_the_later_file_win_over_the_other_form, complains_of_a_wrong_default);
