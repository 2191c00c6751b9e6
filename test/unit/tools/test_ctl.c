/* SPDX-License-Identifier: MIT */
/* What praxisctl prints and asks for: strangers' texts, tables, paths, numbers and times. */
#include "terminal/grid.h"
#include "terminal/options.h"
#include "terminal/path.h"
#include "terminal/plain.h"
#include "client/secret.h"
#include "terminal/view.h"

#include "fake.h"
#include "pieces.h"

#include <check.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct px_ctl_target target = { .command = "test" };

static void assert_plain(struct px_span text, const char *expected, size_t columns)
{
	char *plain = px_plain(text);
	ck_assert_str_eq(plain, expected);
	ck_assert_uint_eq(px_plain_columns(plain), columns);
	free(plain);
}

START_TEST(what_is_harmless_stays)
{
	assert_plain(px_span(""), "", 0);
	assert_plain(px_span("Dr. Weber"), "Dr. Weber", 9);
	assert_plain(px_span("Müller-Łuk"), "Müller-Łuk", 10);
	assert_plain(px_span("日本語"), "日本語", 6);
	assert_plain(px_span("🐕"), "🐕", 2);
	assert_plain(px_span("e\xcc\x81t"), "e\xcc\x81t", 2); /* an accent on the e */
}
END_TEST

START_TEST(what_moves_a_cursor_is_shown)
{
	assert_plain(px_span("\x1b[2J"), "\\x1b[2J", 7);
	assert_plain(px_span("a\r\nb\tc"), "a\\x0d\\x0ab\\x09c", 15);
	assert_plain((struct px_span){ "a\0b", 3 }, "a\\x00b", 6);
	assert_plain(px_span("\x7f"), "\\x7f", 4);
	assert_plain(px_span("\xc2\x9b"), "\\u009b", 6); /* another way to begin ESC [ */
	assert_plain(px_span("\\x1b"), "\\\\x1b", 5);
}
END_TEST

START_TEST(what_is_not_seen_is_shown)
{
	assert_plain(px_span("a\xe2\x80\xae" "b"), "a\\u202eb", 8);
	assert_plain(px_span("a\xe2\x80\x8b" "b"), "a\\u200bb", 8);
	assert_plain(px_span("\xe2\x80\xa8"), "\\u2028", 6);
	assert_plain(px_span("\xf3\xa0\x80\x81"), "\\u{e0001}", 9);
}
END_TEST

START_TEST(what_is_no_utf8_is_shown)
{
	assert_plain(px_span("\xff"), "\\xff", 4);
	assert_plain(px_span("a\xc3"), "a\\xc3", 5);             /* cut off */
	assert_plain(px_span("\xc0\xaf"), "\\xc0\\xaf", 8);      /* longer than need be */
	assert_plain(px_span("\xed\xa0\x80"), "\\xed\\xa0\\x80", 12); /* half a pair */
	assert_plain(px_span("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", 16);
	assert_plain(px_span("\xe2\x28\xa1"), "\\xe2(\\xa1", 9);
}
END_TEST

/* Printed; the caller's. */
static char *printed(const struct px_grid *grid)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	ck_assert_int_eq(px_grid_print(grid, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(columns_are_as_wide_as_what_is_in_them)
{
	static const struct px_grid_column columns[] = {
		{ "WHO", false }, { "COUNT", true }, { "WHY", false },
	};
	struct px_grid *grid = px_grid_create(columns, 3);
	const char *const cells[] = { "日本", "7", "because", "x\n", "1234567", "-" };
	for (size_t i = 0; i < 6; i++) {
		px_grid_add(grid, px_span(cells[i]));
	}
	char *text = printed(grid);
	ck_assert_str_eq(text,
			"WHO      COUNT  WHY\n"
			"日本         7  because\n"
			"x\\x0a  1234567  -\n");
	ck_assert_uint_eq(px_grid_rows(grid), 2);
	free(text);
	px_grid_destroy(grid);
}
END_TEST

START_TEST(a_table_may_have_no_titles_and_many_rows)
{
	static const struct px_grid_column columns[] = { { NULL, false }, { NULL, true } };
	struct px_grid *grid = px_grid_create(columns, 2);
	for (int i = 0; i < 1000; i++) {
		px_grid_add(grid, px_span("a"));
		px_grid_add(grid, px_span("b"));
	}
	char *text = printed(grid);
	ck_assert_uint_eq(strlen(text), 5000);
	ck_assert_int_eq(strncmp(text, "a  b\na  b\n", 10), 0);
	free(text);
	px_grid_destroy(grid);
}
END_TEST

START_TEST(values_are_shown_as_they_are)
{
	static const struct px_grid_column columns[] = { { NULL, false } };
	static const char *const keys[] = { "text", "id", "list", "none", "yes", "gone" };
	struct px_grid *grid = px_grid_create(columns, 1);
	struct json_object *object = json_tokener_parse("{\"text\":\"a/b\",\"id\":7,"
			"\"list\":[1,\"zwei\"],\"none\":[],\"yes\":true}");
	for (size_t i = 0; i < 6; i++) {
		px_view_add(grid, object, keys[i]);
	}
	char *text = printed(grid);
	ck_assert_str_eq(text, "a/b\n7\n1,zwei\n-\nyes\n-\n");
	free(text);
	json_object_put(object);
	px_grid_destroy(grid);
}
END_TEST

START_TEST(durations_have_two_units)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0 s" }, { 59999, "59 s" }, { 61000, "1 min 1 s" },
		{ 3600000, "1 h 0 min" }, { 90061000, "1 d 1 h" },
	};
	char buf[32];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		px_view_duration(cases[i].ms, buf);
		ck_assert_str_eq(buf, cases[i].text);
	}
}
END_TEST

START_TEST(paths_are_encoded_and_bounded)
{
	struct px_ctl_path path;
	px_ctl_path_begin(&path, "clients");
	px_ctl_path_parameter(&path, "practiceId", "a b&c=ü/%");
	px_ctl_path_parameter(&path, "service", NULL);
	px_ctl_path_parameter(&path, "limit", "5");
	ck_assert_str_eq(path.text, "clients?practiceId=a%20b%26c%3D%C3%BC%2F%25&limit=5");
	ck_assert(!path.failed);
	px_ctl_path_begin(&path, "services");
	px_ctl_path_element(&path, "../stats?");
	ck_assert_str_eq(path.text, "services/..%2Fstats%3F");
	char much[PX_CTL_PATH_MAX + 1];
	memset(much, 'x', sizeof(much));
	much[PX_CTL_PATH_MAX] = '\0';
	px_ctl_path_element(&path, much);
	ck_assert(path.failed);
}
END_TEST

START_TEST(numbers_have_bounds)
{
	static const char *const wrong[] = { "", "x", "1x", "-1", " 1", "0", "11",
		"9999999999999999999999" };
	int64_t value = 0;
	ck_assert_int_eq(px_ctl_read_number(&target, "n", "10", 1, 10, &value), 0);
	ck_assert_int_eq(value, 10);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(px_ctl_read_number(&target, "n", wrong[i], 1, 10, &value), -1);
	}
	ck_assert_int_eq(value, 10);
}
END_TEST

START_TEST(seconds_may_have_a_fraction)
{
	static const char *const wrong[] = { "", ".", "x", "1.2.3", "1e3", "-1", "0", "0.0001",
		"61", "nan", "1 " };
	int64_t ms = 0;
	ck_assert_int_eq(px_ctl_read_seconds(&target, "t", "0.2", 1, 60000, &ms), 0);
	ck_assert_int_eq(ms, 200);
	ck_assert_int_eq(px_ctl_read_seconds(&target, "t", "60", 1, 60000, &ms), 0);
	ck_assert_int_eq(ms, 60000);
	ck_assert_int_eq(px_ctl_read_seconds(&target, "t", ".5", 1, 60000, &ms), 0);
	ck_assert_int_eq(ms, 500);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(px_ctl_read_seconds(&target, "t", wrong[i], 1, 60000, &ms), -1);
	}
}
END_TEST

struct asked {
	struct px_ctl_target target;
	const char *word;
	bool flag;
};

static const struct px_ctl_usage usage = {
	.command = "test",
	.arguments = "[options] NAME",
	.about = "It is a test.\n",
	.options = (const struct px_ctl_option[]){
		{ 'w', "word", "TEXT", offsetof(struct asked, word), "a word" },
		{ 0, "flag", NULL, offsetof(struct asked, flag), "a flag" },
		{ 0, NULL, NULL, 0, NULL },
	},
	.arguments_min = 1,
	.arguments_max = 1,
};

/* One reading a test: getopt_long() keeps where it is. */
static int read_words(struct asked *asked, int *first, const char *const *words)
{
	char *argv[16] = { NULL };
	int argc = 0;
	argv[argc++] = (char *)(uintptr_t)words[0];
	for (; words[argc]; argc++) {
		argv[argc] = strdup(words[argc]);
	}
	int code = px_ctl_read_options(&usage, argc, argv, asked, first);
	asked->word = asked->word ? strdup(asked->word) : NULL;
	for (int i = 1; i < argc; i++) {
		free(argv[i]);
	}
	return code;
}

START_TEST(options_may_stand_behind_the_arguments)
{
	static const char *const words[] = { "test", "name", "-w", "a word", "--flag", "--json",
		"--timeout", "2.5", NULL };
	struct asked asked = { .flag = false };
	int first;
	ck_assert_int_eq(read_words(&asked, &first, words), -1);
	ck_assert_str_eq(asked.word, "a word");
	free((void *)(uintptr_t)asked.word);
	ck_assert(asked.flag && asked.target.json && !asked.target.insecure);
	ck_assert_int_eq(asked.target.timeout_ms, 2500);
	ck_assert_int_eq(first, 7);
}
END_TEST

START_TEST(an_argument_too_few_is_refused)
{
	static const char *const words[] = { "test", "--flag", NULL };
	struct asked asked = { .flag = false };
	int first;
	ck_assert_int_eq(read_words(&asked, &first, words), 2);
}
END_TEST

START_TEST(an_argument_too_many_is_refused)
{
	static const char *const words[] = { "test", "a", "b", NULL };
	struct asked asked = { .flag = false };
	int first;
	ck_assert_int_eq(read_words(&asked, &first, words), 2);
}
END_TEST

START_TEST(an_unknown_option_is_refused)
{
	static const char *const words[] = { "test", "a", "--nonsense", "x", NULL };
	struct asked asked = { .flag = false };
	int first;
	ck_assert_int_eq(read_words(&asked, &first, words), 2);
}
END_TEST

START_TEST(a_secret_may_come_in_pieces)
{
	char path[] = "/tmp/praxis-test-secret-XXXXXX";
	struct px_span secret;
	int fd = mkstemp(path);
	ck_assert_int_eq(write(fd, "a secret of some bytes\r\n", 24), 24);
	(void)close(fd);
	pieces_begin(5, false);
	ck_assert_int_eq(px_secret_read(path, &secret), 0);
	ck_assert_uint_eq(pieces_end(), 5);
	ck_assert(px_span_equal(secret, px_span("a secret of some bytes")));
	px_secret_free(secret);
	(void)unlink(path);
}
END_TEST

RUN_TESTS("ctl", what_is_harmless_stays, what_moves_a_cursor_is_shown, what_is_not_seen_is_shown,
		what_is_no_utf8_is_shown, columns_are_as_wide_as_what_is_in_them,
		a_table_may_have_no_titles_and_many_rows, values_are_shown_as_they_are,
		durations_have_two_units, paths_are_encoded_and_bounded, numbers_have_bounds,
		seconds_may_have_a_fraction, options_may_stand_behind_the_arguments,
		an_argument_too_few_is_refused, an_argument_too_many_is_refused,
		an_unknown_option_is_refused, a_secret_may_come_in_pieces);
