/* SPDX-License-Identifier: MIT */
/*
 * JSON as RFC 8259 has it, and not a byte of anything else: one verdict for configuration and
 * credentials.
 */
#include "token/test_token_util.h"

#include "fake.h"
#include "common/strict_json.h"
#include "config/value/json.h"

#include <json-c/json.h>

static const char *const good[] = {
	"{}", " \t\r\n{ } ", "{'a':-0.5e+3,'b':0,'c':-1,'d':1E9,'e':0.0}",
	"{'a':'\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t'}", "{'a':[[],{},[[]]]}",
	"{'':null}", "{'a':{'a':{'a':1}}}", "{'a':'\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'}",
	"{'a':'# // /*'}", "{'a':1e308}", "{'a':'\\\\u0000'}",
};

static const char *const bad[] = {
	"{'a':NaN}", "{'a':Infinity}", "{'a':-}", "{'a':+1}", "{'a':01}", "{'a':1.}",
	"{'a':.5}", "{'a':1e}", "{'a':1e+}", "{'a':0x1}", "{'a':1 2}", "{'a':tru}",
	"{'a':True}", "{'a':nul}", "{'a':'\\x'}", "{'a':'\\u12'}", "{'a':'\\u12g4'}",
	"{'a':'\\ud800'}", "{'a':'\\ud800\\u0041'}", "{'a':'\\udc00'}", "{'a':'\\u0000'}",
	"{'a':'\n'}", "{'a':'\xff'}", "{'a':'\xc0\x80'}", "{'a':'\xed\xa0\x80'}",
	"{'a':'x}", "{'a':'\\", "{'a':'\\'", "{'a'}", "{'a':}", "{'a',1}", "{,}",
	"{'a':1,}", "{'a':[1,]}", "{'a':[,]}", "{'a':[1}", "{'a':1]", "{1:1}", "{a:1}",
	"{'a':1}x", "{'a':1}{}", "{", "}", "", " ", "/**/{}", "{'a':1;'b':2}",
	"{'a':1 'b':2}", "{'a':[1 2]}", "{'a':[1;2]}", "{'a':\f1}", "{'a':-01}",
	"{'a':'\x01'}", "{'a':'\t'}", "{'a':'\x7f'}", "{'a':'\xf4\x90\x80\x80'}",
	"{'a':'\xe2\x82'}", "{'a':'\x80'}", "{'\xff':1}", "{'\\u0000':1}", "{'\\ud800':1}",
	"{'a':1}\xc2\xa0", "{'a':\xe2\x80\xa8 1}", "{'a':1e999}", "{'a':-1e999}",
	/* names that are there already */
	"{'a':1,'a':1}", "{'a':1,'b':2,'a':null}", "{'a':1,'\\u0061':1}", "{'':1,'':2}",
	"{'x':{'a':1,'a':1}}", "{'x':[{'y':[{'a':1,'b':2,'a':1}]}]}",
	"{'\xc3\xa9':1,'\\u00e9':2}", "{'\xf0\x9f\x98\x80':1,'\\ud83d\\uDE00':2}",
	"{'/':1,'\\/':2}",
};

/* What only people write, and what only machines write. */
static const struct {
	const char *text;
	int credentials;
	int configuration;
} apart[] = {
	{ "{}//", -EINVAL, 0 },
	{ "# a\n{ // b\n} # c", -EINVAL, 0 },
	{ "\xef\xbb\xbf{}", -EINVAL, 0 },
	{ "[]", -EINVAL, 0 },
	{ "'a'", -EINVAL, 0 },
	{ "1", -EINVAL, 0 },
	{ "null", -EINVAL, 0 },
	{ "{'a':9223372036854775808}", 0, -EINVAL },
};

/* A copy without the NUL, for the sanitizer to watch its end. */
static char *exact_copy(const char *text, size_t len)
{
	char *exact = malloc(len > 0 ? len : 1);
	memcpy(exact, text, len);
	return exact;
}

/* As tokens, key sets and answers of the back end are read. */
static int read_credentials(const char *text, size_t len)
{
	char *exact = exact_copy(text, len);
	struct json_object *object = NULL;
	int rc = px_strict_json_parse((struct px_span){ exact, len }, &object);
	ck_assert(rc == 0 || (rc == -EINVAL && !object));
	json_object_put(object);
	free(exact);
	return rc;
}

static void on_error(void *user, unsigned line, const char *text)
{
	ck_assert_uint_ge(line, 1);
	ck_assert_uint_gt(strlen(text), 0);
	++*(unsigned *)user;
}

/* As files of the configuration are: they are good if nothing was said of them. */
static int read_configuration(const char *text, size_t len)
{
	char *exact = exact_copy(text, len);
	unsigned errors = 0;
	struct px_config_json json = { 0 };
	int rc = px_config_json_parse(exact, len, on_error, &errors, &json);
	ck_assert(rc == 0 || (rc == -EINVAL && !json.root && errors == 1));
	px_config_json_finish(&json);
	free(exact);
	return errors == 0 ? 0 : -EINVAL;
}

static void expect_both(const char *pattern, int expected)
{
	char *text = quoted(pattern);
	int credentials = read_credentials(text, strlen(text));
	int configuration = read_configuration(text, strlen(text));
	ck_assert_msg(credentials == expected && configuration == expected,
			"%s: expected %d, credentials %d, configuration %d", text, expected,
			credentials, configuration);
	free(text);
}

START_TEST(both_users_get_one_verdict)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		expect_both(good[i], 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_both(bad[i], -EINVAL);
	}
	expect_both("{'a':9223372036854775807}", 0);
	expect_both("{'a':-9223372036854775808}", 0);
	static const struct px_span nul[] = {
		{ "{\"a\0\":1}", 8 }, { "{\"a\":\"\0\"}", 9 }, { "{}\0", 3 }, { "\0{}", 3 },
	};
	for (size_t i = 0; i < sizeof(nul) / sizeof(nul[0]); i++) {
		ck_assert_int_eq(read_credentials(nul[i].data, nul[i].len), -EINVAL);
		ck_assert_int_eq(read_configuration(nul[i].data, nul[i].len), -EINVAL);
	}
	struct json_object *object = NULL;
	ck_assert_int_eq(px_strict_json_parse((struct px_span){ NULL, 0 }, &object), -EINVAL);
}
END_TEST

/* Of each good text each beginning, and each with one byte changed for a nasty one. */
START_TEST(both_users_get_one_verdict_of_broken_texts)
{
	static const char nasty[] = "\"\\{}[]:,0-.eEu\n\t\x7f\xc3\xa9 ";
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *text = quoted(good[i]);
		size_t len = strlen(text);
		for (size_t at = 0; at < len; at++) {
			ck_assert_int_eq(read_credentials(text, at), read_configuration(text, at));
			char kept = text[at];
			for (size_t j = 0; j < sizeof(nasty); j++) {
				text[at] = nasty[j];
				/* a first byte may make another value of it, which only a file may be */
				ck_assert_msg((text[0] != '{' && text[0] != ' ') ||
						read_credentials(text, len) ==
						read_configuration(text, len), "%s", text);
			}
			text[at] = kept;
		}
		free(text);
	}
}
END_TEST

START_TEST(they_differ_in_what_the_header_says)
{
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		char *text = quoted(apart[i].text);
		ck_assert_int_eq(read_credentials(text, strlen(text)), apart[i].credentials);
		ck_assert_int_eq(read_configuration(text, strlen(text)), apart[i].configuration);
		free(text);
	}
}
END_TEST

START_TEST(bounds_depth_and_numbers)
{
	for (int over = 0; over < 2; over++) {
		char text[128] = "{'a':";
		int depth = PX_STRICT_JSON_DEPTH - 1 + over;
		for (int i = 0; i < depth; i++) {
			strcat(text, "[");
		}
		for (int i = 0; i < depth; i++) {
			strcat(text, "]");
		}
		strcat(text, "}");
		expect_both(text, over ? -EINVAL : 0);

		char digits[256];
		memset(digits, '1', sizeof(digits));
		char *fraction = format("{'a':0.%.*s}", PX_ID_MAX - 2 + over, digits);
		expect_both(fraction, over ? -EINVAL : 0);
		free(fraction);
		char *number = format("{\"a\":%.*s}", PX_ID_MAX + over, digits);
		ck_assert_int_eq(read_credentials(number, strlen(number)), over ? -EINVAL : 0);
		free(number);
	}
}
END_TEST

RUN_TESTS("strict_json", both_users_get_one_verdict, both_users_get_one_verdict_of_broken_texts,
		they_differ_in_what_the_header_says, bounds_depth_and_numbers);
