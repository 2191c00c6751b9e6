/* SPDX-License-Identifier: MIT */
/*
 * The writer: commas, escapes, numbers at their ends, its own bytes and the heap.
 */
#include "message/json.h"

#include "fake.h"
#include "message/scan.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct px_json json;

static void expect(const char *text)
{
	ck_assert(!json.failed);
	ck_assert_uint_eq(json.len, strlen(text));
	ck_assert_int_eq(memcmp(json.data, text, json.len), 0);
	px_json_finish(&json);
}

START_TEST(writes_objects_and_arrays)
{
	px_json_begin(&json, "t");
	px_json_text(&json, "a", "b");
	px_json_open_object(&json, "o");
	px_json_close_object(&json);
	px_json_open_array(&json, "l");
	px_json_int(&json, NULL, 1);
	px_json_open_object(&json, NULL);
	px_json_bool(&json, "y", true);
	px_json_bool(&json, "n", false);
	px_json_close_object(&json);
	px_json_open_array(&json, NULL);
	px_json_close_array(&json);
	px_json_text(&json, NULL, "");
	px_json_close_array(&json);
	px_json_raw(&json, "r", px_span("[1,  2]"));
	px_json_end(&json);
	expect("{\"type\":\"t\",\"a\":\"b\",\"o\":{},\"l\":[1,{\"y\":true,\"n\":false},[],\"\"],"
			"\"r\":[1,  2]}");
}
END_TEST

START_TEST(writes_an_object_without_type)
{
	px_json_begin(&json, NULL);
	px_json_end(&json);
	expect("{}");
	px_json_begin(&json, NULL);
	px_json_int(&json, "a", 1);
	px_json_int(&json, "b", 2);
	px_json_end(&json);
	expect("{\"a\":1,\"b\":2}");
}
END_TEST

/* A comma is due by the last byte; a string that ends in a bracket must not deceive it. */
START_TEST(brackets_in_strings_are_no_brackets)
{
	px_json_begin(&json, NULL);
	px_json_text(&json, "a", "{");
	px_json_text(&json, "b", "[");
	px_json_end(&json);
	expect("{\"a\":\"{\",\"b\":\"[\"}");
}
END_TEST

START_TEST(writes_integers)
{
	px_json_begin(&json, NULL);
	px_json_int(&json, "a", 0);
	px_json_int(&json, "b", INT64_MAX);
	px_json_int(&json, "c", INT64_MIN);
	px_json_int(&json, "d", -1);
	px_json_end(&json);
	expect("{\"a\":0,\"b\":9223372036854775807,\"c\":-9223372036854775808,\"d\":-1}");
}
END_TEST

START_TEST(writes_ids_as_they_came)
{
	px_json_begin(&json, NULL);
	px_json_id(&json, "a", (struct px_id){ px_span("12345678901234567890"), true });
	px_json_id(&json, "b", (struct px_id){ px_span("7\""), false });
	px_json_end(&json);
	expect("{\"a\":12345678901234567890,\"b\":\"7\\\"\"}");
}
END_TEST

START_TEST(escapes_what_json_cannot_hold)
{
	px_json_begin(&json, NULL);
	px_json_text(&json, "a", "\"\\/\b\f\n\r\t\x01\x1f\x7f");
	px_json_string(&json, "b", (struct px_span){ "x\0y", 3 });
	px_json_text(&json, "c", "\xc3\xa9");
	px_json_end(&json);
	expect("{\"a\":\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f\",\"b\":\"x\\u0000y\","
			"\"c\":\"\xc3\xa9\"}");
}
END_TEST

/* Every byte below 128, one by one and through json-c and back. */
START_TEST(strings_come_back)
{
	for (char c = 1; c != 127; c++) {
		char text[] = { c, 'x', c, '\0' };
		px_json_begin(&json, NULL);
		px_json_text(&json, "k", text);
		px_json_end(&json);
		px_json_append(&json, "", 1);
		struct json_object *object = json_tokener_parse(json.data);
		ck_assert_str_eq(fake_member(object, "k"), text);
		json_object_put(object);
		px_json_finish(&json);
	}
}
END_TEST

START_TEST(grows_at_every_size)
{
	static char text[5000];
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len < sizeof(text); len += len < 1100 ? 1 : 97) {
		px_json_begin(&json, "t");
		px_json_string(&json, "s", (struct px_span){ text, len });
		px_json_int(&json, "n", 7);
		px_json_end(&json);
		ck_assert(!json.failed);
		ck_assert_uint_eq(json.len, len + strlen("{\"type\":\"t\",\"s\":\"\",\"n\":7}"));
		ck_assert_int_eq(memcmp(json.data + json.len - 8, "\",\"n\":7}", 8), 0);
		ck_assert(json.len > sizeof(json.own) ? json.data != json.own :
				json.data == json.own);
		px_json_finish(&json);
		px_json_finish(&json);
		ck_assert_uint_eq(json.len, 0);
	}
}
END_TEST

START_TEST(writes_where_it_is_told)
{
	for (size_t size = 1; size < 64; size++) {
		char *place = malloc(size);
		px_json_begin_at(&json, place, size);
		px_json_text(&json, "name", "Ann \"Other\"");
		px_json_int(&json, "n", -7);
		px_json_end(&json);
		static const char text[] = "{\"name\":\"Ann \\\"Other\\\"\",\"n\":-7}";
		ck_assert(px_span_equal((struct px_span){ json.data, json.len }, px_span(text)));
		/* Before the value of a name is written there is room for both, and for a comma. */
		ck_assert(json.data == place || size <= sizeof(text) + 2);
		ck_assert(json.data != place || size >= sizeof(text) - 1);
		px_json_finish(&json);
		free(place);
	}
}
END_TEST

/* Escapes begin and end at each place of a text. */
START_TEST(escapes_at_each_place)
{
	for (size_t len = 1; len < 40; len++) {
		for (size_t at = 0; at < len; at++) {
			char text[40];
			char wanted[64];
			memset(text, 'a', len);
			text[at] = at % 3 == 0 ? '"' : at % 3 == 1 ? '\\' : '\t';
			(void)snprintf(wanted, sizeof(wanted), "{\"k\":\"%.*s%s%.*s\"}", (int)at, text,
					at % 3 == 0 ? "\\\"" : at % 3 == 1 ? "\\\\" : "\\t",
					(int)(len - at - 1), text + at + 1);
			px_json_begin(&json, NULL);
			px_json_string(&json, "k", (struct px_span){ text, len });
			px_json_end(&json);
			ck_assert(px_span_equal((struct px_span){ json.data, json.len },
					px_span(wanted)));
			px_json_finish(&json);
		}
	}
}
END_TEST

START_TEST(appends_bytes_as_they_are)
{
	px_json_begin(&json, NULL);
	px_json_comma(&json);
	px_json_append(&json, "\"a\" : 1", 7);
	px_json_comma(&json);
	px_json_append(&json, "\"b\":2", 5);
	px_json_end(&json);
	expect("{\"a\" : 1,\"b\":2}");
}
END_TEST

RUN_TESTS("json", writes_objects_and_arrays, writes_an_object_without_type,
		brackets_in_strings_are_no_brackets, writes_integers, writes_ids_as_they_came,
		escapes_what_json_cannot_hold, strings_come_back, grows_at_every_size,
		writes_where_it_is_told, escapes_at_each_place,
		appends_bytes_as_they_are);
