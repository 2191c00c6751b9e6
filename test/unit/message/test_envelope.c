/* SPDX-License-Identifier: MIT */
/*
 * Envelopes: what is an envelope at all, where its fields lie, names and strings with
 * escapes, ids, and reading with json-c.
 */
#include "message/envelope.h"

#include "fake.h"
#include "message/scan.h"

#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct px_envelope envelope;
static char *bytes; /* of the envelope, in a block of just their size */

static enum px_envelope_fault parse_span(const char *text, size_t len)
{
	px_envelope_reset(&envelope);
	free(bytes);
	bytes = malloc(len > 0 ? len : 1);
	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, text, len);
	return px_envelope_parse(&envelope, (struct px_span){ bytes, len });
}

static enum px_envelope_fault parse(const char *text)
{
	return parse_span(text, strlen(text));
}

static void done(void)
{
	px_envelope_reset(&envelope);
	free(bytes);
	bytes = NULL;
}

static void expect_span(struct px_span span, const char *text)
{
	ck_assert_msg(px_span_equal(span, px_span(text)), "wanted %s, got %.*s", text,
			(int)span.len, span.data);
}

START_TEST(tells_what_is_wrong)
{
	ck_assert_int_eq(parse(""), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("  "), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{} x"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{}{}"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{\"a\":1"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{\"a\":1,}"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{'a':1}"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{\"a\":\"\xff\"}"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse_span("{}\0", 3), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("[]"), PX_ENVELOPE_NO_OBJECT);
	ck_assert_int_eq(parse(" \"a\" "), PX_ENVELOPE_NO_OBJECT);
	ck_assert_int_eq(parse("null"), PX_ENVELOPE_NO_OBJECT);
	ck_assert_int_eq(parse("[1"), PX_ENVELOPE_NO_JSON);
	ck_assert_int_eq(parse("{}"), PX_ENVELOPE_FINE);
	ck_assert_int_eq(parse(" \r\n\t{ } "), PX_ENVELOPE_FINE);
	ck_assert_uint_eq(envelope.field_count, 0);
	done();
}
END_TEST

START_TEST(ends_at_its_depth)
{
	/* The envelope itself is the first level. */
	char text[256] = "{\"a\":";
	for (int i = 1; i < PX_SCAN_DEPTH; i++) {
		strcat(text, "[");
	}
	for (int i = 1; i < PX_SCAN_DEPTH; i++) {
		strcat(text, "]");
	}
	strcat(text, "}");
	ck_assert_int_eq(parse(text), PX_ENVELOPE_FINE);
	/* json-c must read whatever the scan lets through. */
	ck_assert_ptr_nonnull(px_envelope_json(&envelope, "a"));
	memmove(text + 6, text + 5, strlen(text) - 4);
	ck_assert_int_eq(parse(text), PX_ENVELOPE_TOO_DEEP);
	done();
}
END_TEST

START_TEST(a_scalar_may_lie_at_the_depth)
{
	char text[256] = "{\"a\":";
	for (int i = 1; i < PX_SCAN_DEPTH; i++) {
		strcat(text, "[");
	}
	strcat(text, "\"x\"");
	for (int i = 1; i < PX_SCAN_DEPTH; i++) {
		strcat(text, "]");
	}
	strcat(text, "}");
	ck_assert_int_eq(parse(text), PX_ENVELOPE_FINE);
	ck_assert_ptr_nonnull(px_envelope_json(&envelope, "a"));
	done();
}
END_TEST

START_TEST(notes_where_fields_lie)
{
	ck_assert_int_eq(parse(" { \"a\" : \"x\\n\" ,\"b\":[1, 2],\n\"c\":1.0 ,"
			"\"d\":null,\"e\":{}} "), PX_ENVELOPE_FINE);
	ck_assert_uint_eq(envelope.field_count, 5);
	const struct px_field *a = px_envelope_field(&envelope, "a");
	expect_span(a->name, "a");
	expect_span(a->value, "\"x\\n\"");
	expect_span(a->member, "\"a\" : \"x\\n\"");
	ck_assert(a->escaped && a->kind == PX_STRING);
	const struct px_field *b = px_envelope_field(&envelope, "b");
	expect_span(b->value, "[1, 2]");
	expect_span(b->member, "\"b\":[1, 2]");
	ck_assert_int_eq(px_envelope_kind(&envelope, "b"), PX_ARRAY);
	expect_span(px_envelope_field(&envelope, "c")->value, "1.0");
	ck_assert_int_eq(px_envelope_kind(&envelope, "c"), PX_NUMBER);
	ck_assert_int_eq(px_envelope_kind(&envelope, "d"), PX_NULL);
	ck_assert_int_eq(px_envelope_kind(&envelope, "e"), PX_OBJECT);
	ck_assert_int_eq(px_envelope_kind(&envelope, "f"), PX_ABSENT);
	ck_assert_ptr_null(px_envelope_field(&envelope, "A"));
	ck_assert_ptr_null(px_envelope_field(&envelope, ""));
	done();
}
END_TEST

START_TEST(of_doubles_the_last_counts)
{
	ck_assert_int_eq(parse("{\"a\":1,\"b\":2,\"a\":\"x\",\"\\u0061\":true}"), PX_ENVELOPE_FINE);
	ck_assert_uint_eq(envelope.field_count, 4);
	ck_assert_int_eq(px_envelope_kind(&envelope, "a"), PX_BOOL);
	ck_assert(px_envelope_bool(&envelope, "a"));
	/* json-c must come to the same end. */
	ck_assert(json_object_get_boolean(px_envelope_json(&envelope, "a")));
	done();
}
END_TEST

/* All of one slot: the same first and last letter, and the same length. */
START_TEST(names_that_collide_are_told_apart)
{
	char text[PX_ENVELOPE_FIELDS * 16 + 2] = "{";
	char name[8];
	for (unsigned i = 0; i < PX_ENVELOPE_FIELDS; i++) {
		(void)snprintf(text + strlen(text), 16, "%s\"x%03uz\":%u", i > 0 ? "," : "", i / 2, i);
	}
	strcat(text, "}");
	ck_assert_int_eq(parse(text), PX_ENVELOPE_FINE);
	for (unsigned i = 0; i < PX_ENVELOPE_FIELDS; i++) {
		char value[8];
		(void)snprintf(name, sizeof(name), "x%03uz", i / 2);
		(void)snprintf(value, sizeof(value), "%u", i | 1);
		ck_assert_uint_eq(px_name_slot(name, 5), px_name_slot("x000z", 5));
		expect_span(px_envelope_field(&envelope, name)->value, value);
		ck_assert_int_eq(envelope.places[i].superseded, i % 2 == 0);
	}
	ck_assert_ptr_null(px_envelope_field(&envelope, "x999z"));
	ck_assert_ptr_null(PX_ENVELOPE_FIND(&envelope, "x999z"));
	done();
}
END_TEST

START_TEST(the_protocols_names_hardly_collide)
{
	static const char *const names[] = { "type", "id", "practiceId", "roomId", "appointmentId",
		"message", "from", "fromUserId", "userId", "userName", "clientId", "timestamp", "seq",
		"key", "data", "to", "offer", "answer", "candidate", "role", "media", "n", "t" };
	unsigned in_slot[PX_NAME_SLOTS] = { 0 };
	unsigned collisions = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		collisions += in_slot[px_name_slot(names[i], strlen(names[i]))]++;
	}
	ck_assert_uint_le(collisions, 1);
}
END_TEST

/* Nothing of an earlier message is found in a later one. */
START_TEST(an_envelope_forgets)
{
	ck_assert_int_eq(parse("{\"type\":\"a\",\"id\":1}"), PX_ENVELOPE_FINE);
	ck_assert_int_eq(parse("{\"type\":2}"), PX_ENVELOPE_FINE);
	ck_assert_ptr_null(px_envelope_field(&envelope, "id"));
	ck_assert_int_eq(parse("[]"), PX_ENVELOPE_NO_OBJECT);
	ck_assert_ptr_null(px_envelope_field(&envelope, "type"));
	ck_assert_int_eq(parse("{\"type\":2}"), PX_ENVELOPE_FINE);
	done();
	ck_assert_ptr_null(px_envelope_field(&envelope, "type"));
	ck_assert_ptr_null(px_envelope_field(&envelope, ""));
}
END_TEST

START_TEST(names_are_read_through_their_escapes)
{
	ck_assert_int_eq(parse("{\"client\\u0049d\":1,\"\\u0074\\u0079\\u0070\\u0065\":2,"
			"\"\\/\\\"\\\\\\b\\f\\n\\r\\t\":3,\"\\ud83d\\ude00\":4,\"\":5}"),
			PX_ENVELOPE_FINE);
	expect_span(px_envelope_field(&envelope, "clientId")->value, "1");
	expect_span(px_envelope_field(&envelope, "type")->value, "2");
	expect_span(px_envelope_field(&envelope, "/\"\\\b\f\n\r\t")->value, "3");
	expect_span(px_envelope_field(&envelope, "\xf0\x9f\x98\x80")->value, "4");
	expect_span(px_envelope_field(&envelope, "")->value, "5");
	done();
}
END_TEST

START_TEST(names_that_cannot_be_resolved_are_nobodys)
{
	ck_assert_int_eq(parse("{\"\\ud800type\":2,\"\\udc00\":3}"), PX_ENVELOPE_FINE);
	ck_assert_ptr_null(px_envelope_field(&envelope, "type"));
	ck_assert_uint_eq(envelope.field_count, 2);
	done();
	/* What json-c would end there, and take for another name. */
	ck_assert_int_eq(parse("{\"type\\u0000\":1}"), PX_ENVELOPE_BAD_NAME);
	done();
	ck_assert_int_eq(parse("{\"type\":\"x\",\"a\":[{\"b\\u0000\":1}]}"), PX_ENVELOPE_FINE);
	ck_assert_ptr_null(px_envelope_json(&envelope, "a"));
	done();
	ck_assert_int_eq(parse("{\"a\\\\u0000\":1}"), PX_ENVELOPE_FINE);
	done();
	/* 64 letters, one of them escaped: longer than any name that is looked for. */
	char text[256] = "{\"\\u0061";
	memset(text + 8, 'a', 63);
	strcpy(text + 71, "\":1}");
	ck_assert_int_eq(parse(text), PX_ENVELOPE_FINE);
	ck_assert_uint_eq(envelope.field_count, 1);
	done();
}
END_TEST

static enum px_envelope_fault parse_fields(size_t count, const char *name, const char *value)
{
	static char text[PX_ENVELOPE_FIELDS * 512];
	size_t len = (size_t)sprintf(text, "{");
	for (size_t i = 0; i < count; i++) {
		len += (size_t)sprintf(text + len, "%s\"%s%zu\":%s", i > 0 ? "," : "", name, i,
				value);
	}
	len += (size_t)sprintf(text + len, "}");
	return parse_span(text, len);
}

START_TEST(counts_its_fields)
{
	ck_assert_int_eq(parse_fields(PX_ENVELOPE_FIELDS, "f", "1"), PX_ENVELOPE_FINE);
	ck_assert_uint_eq(envelope.field_count, PX_ENVELOPE_FIELDS);
	ck_assert_int_eq(parse_fields(PX_ENVELOPE_FIELDS + 1, "f", "1"),
			PX_ENVELOPE_TOO_MANY_FIELDS);
	/* What lies deeper is not counted. */
	ck_assert_int_eq(parse_fields(PX_ENVELOPE_FIELDS, "f", "{\"a\":1,\"b\":{\"c\":2}}"),
			PX_ENVELOPE_FINE);
	/* Escaped names need room of ours: 4096 bytes of it. */
	const char *name = "\\u0061bcdefghijklmnopqrstuvwxyz0123456789_____________";
	ck_assert_int_eq(parse_fields(60, name, "1"), PX_ENVELOPE_FINE);
	ck_assert_int_eq(parse_fields(100, name, "1"), PX_ENVELOPE_TOO_MANY_FIELDS);
	done();
}
END_TEST

static void expect_string(const char *name, int rc, const char *text)
{
	char buf[8];
	size_t len = 99;
	ck_assert_int_eq(px_envelope_string(&envelope, name, buf, sizeof(buf), &len), rc);
	if (rc == 0) {
		ck_assert_str_eq(buf, text);
		ck_assert_uint_eq(len, strlen(text));
	} else {
		ck_assert_uint_eq(len, 99);
	}
}

START_TEST(reads_strings)
{
	ck_assert_int_eq(parse("{\"a\":\"1234567\",\"b\":\"12345678\","
			"\"c\":\"\\u00e9\\ud83d\\ude00\",\"d\":\"x\\u0000\",\"e\":\"\\ud800\","
			"\"f\":7,\"g\":\"\",\"h\":\"\\udc00\\ud800\",\"i\":\"1234\\u00e9\\u00e9\","
			"\"j\":\"\\ud800\\u0041\",\"k\":\"\\\"\\\\\\/\\n\"}"), PX_ENVELOPE_FINE);
	expect_string("a", 0, "1234567");
	expect_string("b", -E2BIG, NULL);
	expect_string("c", 0, "\xc3\xa9\xf0\x9f\x98\x80");
	expect_string("d", -EINVAL, NULL);
	expect_string("e", -EINVAL, NULL);
	expect_string("f", -EINVAL, NULL);
	expect_string("g", 0, "");
	expect_string("h", -EINVAL, NULL);
	expect_string("i", -E2BIG, NULL);
	expect_string("j", -EINVAL, NULL);
	expect_string("k", 0, "\"\\/\n");
	expect_string("none", -ENOENT, NULL);
	done();
}
END_TEST

static void expect_id(const char *name, int rc, const char *text, bool number)
{
	char buf[PX_ID_MAX + 1];
	struct px_id id;
	ck_assert_int_eq(px_envelope_id(&envelope, name, buf, &id), rc);
	if (rc == 0) {
		expect_span(id.text, text);
		ck_assert_int_eq(id.number, number);
	}
	const struct px_field *field = px_envelope_field(&envelope, name);
	ck_assert(!field || px_field_is_id(field) == (rc == 0));
}

START_TEST(reads_ids)
{
	ck_assert_int_eq(parse("{\"a\":7,\"b\":\"7\",\"c\":\"\\u0037\",\"d\":7.0,\"e\":\"\","
			"\"f\":null,\"g\":12345678901234567890,\"h\":-3,\"i\":[7],\"j\":1e3,"
			"\"k\":\"x y\"}"), PX_ENVELOPE_FINE);
	expect_id("a", 0, "7", true);
	expect_id("b", 0, "7", false);
	expect_id("c", 0, "7", false);
	expect_id("d", -EINVAL, NULL, false);
	expect_id("e", -EINVAL, NULL, false);
	expect_id("f", -EINVAL, NULL, false);
	expect_id("g", 0, "12345678901234567890", true);
	expect_id("h", 0, "-3", true);
	expect_id("i", -EINVAL, NULL, false);
	expect_id("j", -EINVAL, NULL, false);
	expect_id("k", 0, "x y", false);
	expect_id("none", -ENOENT, NULL, false);
	done();
}
END_TEST

START_TEST(ids_have_a_length)
{
	char digits[PX_ID_MAX + 2];
	char text[3 * PX_ID_MAX];
	memset(digits, '7', sizeof(digits) - 1);
	digits[PX_ID_MAX + 1] = '\0';
	(void)snprintf(text, sizeof(text), "{\"a\":%s,\"b\":\"%s\"}", digits, digits);
	ck_assert_int_eq(parse(text), PX_ENVELOPE_FINE);
	expect_id("a", -E2BIG, NULL, false);
	expect_id("b", -E2BIG, NULL, false);
	digits[PX_ID_MAX] = '\0';
	(void)snprintf(text, sizeof(text), "{\"a\":%s,\"b\":\"%s\"}", digits, digits);
	ck_assert_int_eq(parse(text), PX_ENVELOPE_FINE);
	expect_id("a", 0, digits, true);
	expect_id("b", 0, digits, false);
	done();
}
END_TEST

START_TEST(reads_booleans)
{
	ck_assert_int_eq(parse("{\"a\":true,\"b\":false,\"c\":\"true\",\"d\":1}"),
			PX_ENVELOPE_FINE);
	ck_assert(px_envelope_bool(&envelope, "a"));
	ck_assert(!px_envelope_bool(&envelope, "b"));
	ck_assert(!px_envelope_bool(&envelope, "c"));
	ck_assert(!px_envelope_bool(&envelope, "d"));
	ck_assert(!px_envelope_bool(&envelope, "none"));
	done();
}
END_TEST

START_TEST(json_c_reads_what_lies_deeper)
{
	ck_assert_int_eq(parse(" {\"since\":{\"epoch\":\"x\",\"seq\":7},\"n\":null,\"s\":\"t\"} "),
			PX_ENVELOPE_FINE);
	struct json_object *since = px_envelope_json(&envelope, "since");
	struct json_object *seq;
	ck_assert(json_object_object_get_ex(since, "seq", &seq));
	ck_assert_int_eq(json_object_get_int(seq), 7);
	ck_assert_ptr_eq(since, px_envelope_json(&envelope, "since"));
	ck_assert_ptr_null(px_envelope_json(&envelope, "n"));
	ck_assert_ptr_null(px_envelope_json(&envelope, "none"));
	ck_assert_str_eq(json_object_get_string(px_envelope_json(&envelope, "s")), "t");
	done();
}
END_TEST

START_TEST(unescapes_by_itself)
{
	char buf[5];
	size_t len = 0;
	ck_assert_int_eq(px_json_unescape(px_span("\\u20ac"), buf, sizeof(buf), &len), 0);
	ck_assert_str_eq(buf, "\xe2\x82\xac");
	ck_assert_int_eq(px_json_unescape(px_span("\\ud83d\\ude00"), buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 4);
	ck_assert_int_eq(px_json_unescape(px_span("\\ud83d\\ude00"), buf, 4, &len), -E2BIG);
	ck_assert_int_eq(px_json_unescape(px_span("\\uDBFF\\uDFFF"), buf, sizeof(buf), &len), 0);
	ck_assert_str_eq(buf, "\xf4\x8f\xbf\xbf");
	ck_assert_int_eq(px_json_unescape(px_span("\\u007f\\u07FF"), buf, sizeof(buf), &len), 0);
	ck_assert_str_eq(buf, "\x7f\xdf\xbf");
	ck_assert_int_eq(px_json_unescape(px_span("\\u0000"), buf, sizeof(buf), &len), -EINVAL);
	ck_assert_int_eq(px_json_unescape(px_span("\\ud83d"), buf, sizeof(buf), &len), -EINVAL);
	ck_assert_int_eq(px_json_unescape(px_span("\\ud83dab\\u0041"), buf, sizeof(buf), &len),
			-EINVAL);
	ck_assert_int_eq(px_json_unescape(px_span(""), buf, sizeof(buf), &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(px_json_unescape(px_span("abcde"), buf, sizeof(buf), &len), -E2BIG);
}
END_TEST

RUN_TESTS("envelope", tells_what_is_wrong, ends_at_its_depth, a_scalar_may_lie_at_the_depth,
		notes_where_fields_lie, of_doubles_the_last_counts,
		names_that_collide_are_told_apart, the_protocols_names_hardly_collide,
		an_envelope_forgets,
		names_are_read_through_their_escapes, names_that_cannot_be_resolved_are_nobodys,
		counts_its_fields, reads_strings, reads_ids, ids_have_a_length, reads_booleans,
		json_c_reads_what_lies_deeper, unescapes_by_itself);
