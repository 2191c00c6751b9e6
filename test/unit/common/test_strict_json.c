/* SPDX-License-Identifier: MIT */
/* JSON as RFC 8259 has it, and not a byte of anything else. */
#include "token/test_token_util.h"

#include "fake.h"
#include "common/strict_json.h"

#include <json-c/json.h>

START_TEST(reads_strict_json)
{
	static const char *const good[] = {
		"{}", " \t\r\n{ } ", "{'a':-0.5e+3,'b':0,'c':-1,'d':1E9,'e':0.0}",
		"{'a':'\\u00e9\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t'}", "{'a':[[],{},[[]]]}",
		"{'':null}", "{'a':{'a':{'a':1}}}",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct json_object *object = NULL;
		char *text = quoted(good[i]);
		ck_assert_msg(px_strict_json_parse(px_span(text), &object) == 0, "%s", text);
		json_object_put(object);
		free(text);
	}
	static const char *const bad[] = {
		"{'a':NaN}", "{'a':Infinity}", "{'a':-}", "{'a':+1}", "{'a':01}", "{'a':1.}",
		"{'a':.5}", "{'a':1e}", "{'a':1e+}", "{'a':0x1}", "{'a':1 2}", "{'a':tru}",
		"{'a':True}", "{'a':nul}", "{'a':'\\x'}", "{'a':'\\u12'}", "{'a':'\\u12g4'}",
		"{'a':'\\ud800'}", "{'a':'\\ud800\\u0041'}", "{'a':'\\udc00'}", "{'a':'\\u0000'}",
		"{'a':'\n'}", "{'a':'\xff'}", "{'a':'\xc0\x80'}", "{'a':'\xed\xa0\x80'}",
		"{'a':'x}", "{'a':'\\", "{'a':'\\'", "{'a'}", "{'a':}", "{'a',1}", "{,}",
		"{'a':1,}", "{'a':[1,]}", "{'a':[,]}", "{'a':[1}", "{'a':1]", "{1:1}", "{a:1}",
		"{'a':1}x", "{'a':1}{}", "{", "}", "[]", "'a'", "1", "", " ", "/**/{}", "{}//",
		"\xef\xbb\xbf{}", "{'a':1;'b':2}", "{'a':1 'b':2}", "{'a':[1 2]}", "{'a':[1;2]}",
		"{'a':\f1}", "{'a':1,'a':1}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json_object *object = NULL;
		char *text = quoted(bad[i]);
		/* a copy without the NUL, for the sanitizer to watch its end */
		size_t len = strlen(text);
		char *exact = malloc(len > 0 ? len : 1);
		memcpy(exact, text, len);
		int rc = px_strict_json_parse((struct px_span){ exact, len }, &object);
		ck_assert_msg(rc == -EINVAL, "%s", text);
		ck_assert_ptr_null(object);
		free(exact);
		free(text);
	}
	struct json_object *object = NULL;
	ck_assert_int_eq(px_strict_json_parse((struct px_span){ "{\"a\0\":1}", 8 }, &object),
			-EINVAL);
	ck_assert_int_eq(px_strict_json_parse((struct px_span){ NULL, 0 }, &object), -EINVAL);
}
END_TEST

START_TEST(bounds_depth_and_numbers)
{
	for (int over = 0; over < 2; over++) {
		char text[128] = "{\"a\":";
		struct json_object *object = NULL;
		int depth = PX_STRICT_JSON_DEPTH - 1 + over;
		for (int i = 0; i < depth; i++) {
			strcat(text, "[");
		}
		for (int i = 0; i < depth; i++) {
			strcat(text, "]");
		}
		strcat(text, "}");
		ck_assert_int_eq(px_strict_json_parse(px_span(text), &object), over ? -EINVAL : 0);
		json_object_put(object);

		char digits[256];
		memset(digits, '1', sizeof(digits));
		char *number = format("{\"a\":%.*s}", PX_ID_MAX + over, digits);
		object = NULL;
		ck_assert_int_eq(px_strict_json_parse(px_span(number), &object),
				over ? -EINVAL : 0);
		json_object_put(object);
		free(number);
	}
}
END_TEST

RUN_TESTS("strict_json", reads_strict_json, bounds_depth_and_numbers);
