/* SPDX-License-Identifier: MIT */
/*
 * The strict scan: a table of what is JSON and what is not, every byte that may and may not
 * stand in a string, UTF-8 against a second, naive decoder, and the limit of depth. Each
 * text lies in a block of just its size, so that a sanitizer sees a step past the end.
 */
#include "message/scan.h"

#include "fake.h"
#include "message/scan_portable.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	int rc;
	enum px_kind kind;
	bool escaped;
	size_t used;
};

static struct reading scan_bytes(const void *bytes, size_t len)
{
	struct reading reading = { .kind = PX_ABSENT };
	uint8_t *copy = malloc(len > 0 ? len : 1);
	ck_assert_ptr_nonnull(copy);
	if (len > 0) {
		memcpy(copy, bytes, len);
	}
	struct px_scan scan = { .at = copy, .end = copy + len };
	reading.rc = px_scan_value(&scan, 0, &reading.kind, &reading.escaped);
	ck_assert(scan.at >= copy && scan.at <= scan.end);
	reading.used = (size_t)(scan.at - copy);
	free(copy);
	return reading;
}

static bool is_value(const void *bytes, size_t len)
{
	struct reading reading = scan_bytes(bytes, len);
	return reading.rc == 0 && reading.used == len;
}

static const struct {
	const char *text;
	enum px_kind kind;
	bool escaped;
} good[] = {
	{ "null", PX_NULL, false }, { "true", PX_BOOL, false }, { "false", PX_BOOL, false },
	{ "0", PX_INTEGER, false }, { "-0", PX_INTEGER, false }, { "7", PX_INTEGER, false },
	{ "-12", PX_INTEGER, false }, { "123456789012345678901234567890", PX_INTEGER, false },
	{ "0.0", PX_NUMBER, false }, { "1.5", PX_NUMBER, false }, { "-0.25e-3", PX_NUMBER, false },
	{ "1e5", PX_NUMBER, false }, { "1E+5", PX_NUMBER, false }, { "0e0", PX_NUMBER, false },
	{ "1e999", PX_NUMBER, false },
	{ "\"\"", PX_STRING, false }, { "\"a b\"", PX_STRING, false },
	{ "\"\x7f\"", PX_STRING, false }, { "\"/\"", PX_STRING, false },
	{ "\"\\\"\"", PX_STRING, true }, { "\"\\\\\"", PX_STRING, true },
	{ "\"\\/\\b\\f\\n\\r\\t\"", PX_STRING, true }, { "\"\\u0000\"", PX_STRING, true },
	{ "\"\\uABcd\"", PX_STRING, true }, { "\"\\ud800\"", PX_STRING, true },
	{ "\"\\ud83d\\ude00\"", PX_STRING, true }, { "\"\xc3\xa9\"", PX_STRING, false },
	{ "[]", PX_ARRAY, false }, { "[ ]", PX_ARRAY, false }, { "[1]", PX_ARRAY, false },
	{ "[\"\\n\"]", PX_ARRAY, false },
	{ "[1,\t\"a\" ,\r\n[null]]", PX_ARRAY, false },
	{ "{}", PX_OBJECT, false }, { "{ \n}", PX_OBJECT, false },
	{ "{\"a\":1}", PX_OBJECT, false }, { "{ \"a\" : 1 , \"a\" : {} }", PX_OBJECT, false },
	{ "{\"\":\"\"}", PX_OBJECT, false }, { "{\"\\u0061\":[{},[]]}", PX_OBJECT, false },
};

START_TEST(takes_all_of_json)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct reading reading = scan_bytes(good[i].text, strlen(good[i].text));
		ck_assert_msg(reading.rc == 0 && reading.used == strlen(good[i].text) &&
				reading.kind == good[i].kind, "%s", good[i].text);
		/* What is told of escapes is told of strings alone; the rest is unspecified. */
		ck_assert_msg(good[i].kind != PX_STRING || reading.escaped == good[i].escaped, "%s",
				good[i].text);
	}
}
END_TEST

static const char *const bad[] = {
	"", " ", " 1", "x", "nul", "nulL", "True", "TRUE", "tru", "fals", "undefined", "NaN", "nan",
	"-NaN", "Infinity", "-Infinity", "inf", "-", "+1", "01", "00", "-01", "1.", ".5", "-.5",
	"1.e5", "1e", "1e+", "1E-", "1.5e", "0x10", "1_000", "--1", "1..2", "1,5", "0b1", "1f",
	"1 2", "'a'", "\"", "\"a", "\"\\\"", "\"\\", "\"\\x\"", "\"\\a\"", "\"\\'\"", "\"\\u\"",
	"\"\\u12\"", "\"\\u123\"", "\"\\u12g4\"", "\"\\u123", "\"\\U0041\"", "\"\\u+123\"",
	"\"a\nb\"", "\"\t\"", "[", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1;2]", "[1}", "]",
	"[1]]", "[\"a]", "[//\n1]", "[/**/1]", "[#\n1]", "[\f1]", "[\v1]", "[\xc2\xa0" "1]",
	"[\xef\xbb\xbf" "1]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
	"{,}", "{\"a\"}", "{\"a\":}", "{:1}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{\"a\" 1}",
	"{\"a\"=1}", "{\"a\":1 \"b\":2}", "{\"a\":1;\"b\":2}", "{\"a\":1]", "{\"a\"::1}",
	"{\"a\":1,,\"b\":2}", "{\"a\n\":1}", "}", "{}}", "{\"a\":1} x", "\xef\xbb\xbf{}",
};

START_TEST(takes_nothing_else)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!is_value(bad[i], strlen(bad[i])), "%s", bad[i]);
	}
	ck_assert(!is_value("1\0", 2));
	ck_assert(!is_value("[1\0]", 4));
	ck_assert(!is_value("\"a\0b\"", 5));
}
END_TEST

START_TEST(takes_nothing_that_is_cut)
{
	static const char text[] = "{\"a\":[1,-2.5e+3,true,null],"
			"\"b\\u00e9\":\"\xf0\x9f\x98\x80\\\\\",\"c\":{}}";
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		ck_assert_msg(scan_bytes(text, len).rc == -EINVAL, "%.*s", (int)len, text);
	}
	ck_assert(is_value(text, sizeof(text) - 1));
}
END_TEST

START_TEST(knows_every_byte_of_a_string)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[] = { '"', (char)byte, '"' };
		bool wanted = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
		ck_assert_msg(is_value(text, sizeof(text)) == wanted, "byte %u", byte);
		char escape[] = { '"', '\\', (char)byte, '"' };
		ck_assert_msg(is_value(escape, sizeof(escape)) ==
				(byte != 0 && strchr("\"\\/bfnrt", (int)byte)), "escape %u", byte);
	}
}
END_TEST

START_TEST(knows_every_hex_digit)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t at = 3; at < 7; at++) {
			char text[] = "\"\\u0000\"";
			text[at] = (char)byte;
			ck_assert_msg(is_value(text, 8) ==
					(byte != 0 && strchr("0123456789abcdefABCDEF", (int)byte)),
					"digit %u at %zu", byte, at);
		}
	}
}
END_TEST

/* Decodes by arithmetic alone, then asks whether this was the shortest way. */
static bool naive_utf8(const uint8_t *p, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = len == 2 ? p[0] & 0x1f : len == 3 ? p[0] & 0x0f : p[0] & 0x07;
	uint8_t mark = len == 2 ? 0xc0 : len == 3 ? 0xe0 : 0xf0;
	uint8_t mask = len == 2 ? 0xe0 : len == 3 ? 0xf0 : 0xf8;
	if ((p[0] & mask) != mark) {
		return false;
	}
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return false;
		}
		code = code << 6 | (p[i] & 0x3f);
	}
	return code >= least[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static void compare_utf8(const uint8_t *bytes, size_t len)
{
	struct px_scan scan = { .at = bytes, .end = bytes + len };
	bool taken = px_scan_utf8(&scan) == 0 && scan.at == scan.end;
	/* check writes down each assertion that it passes: too slow for eight million. */
	if (taken != naive_utf8(bytes, len)) {
		ck_abort_msg("%zu bytes: %02x %02x %02x %02x", len, bytes[0], bytes[1], bytes[2],
				bytes[3]);
	}
}

START_TEST(reads_utf8_as_a_naive_decoder_does)
{
	static const uint8_t edges[] = { 0x00, 0x22, 0x5c, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0,
		0xbe, 0xbf, 0xc0, 0xc2, 0xe0, 0xff };
	for (unsigned first = 0x80; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			uint8_t bytes[4] = { (uint8_t)first, (uint8_t)second };
			compare_utf8(bytes, 2);
			for (size_t i = 0; i < sizeof(edges); i++) {
				bytes[2] = edges[i];
				compare_utf8(bytes, 3);
				for (size_t j = 0; j < sizeof(edges); j++) {
					bytes[3] = edges[j];
					compare_utf8(bytes, 4);
				}
			}
		}
	}
}
END_TEST

START_TEST(takes_no_utf8_that_is_cut)
{
	static const char *const characters[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	for (size_t i = 0; i < 3; i++) {
		char text[8] = "\"";
		size_t len = strlen(characters[i]);
		for (size_t cut = 1; cut <= len; cut++) {
			memcpy(text + 1, characters[i], cut);
			text[1 + cut] = '"';
			ck_assert_int_eq(is_value(text, cut + 2), cut == len);
			ck_assert(!is_value(text, cut + 1));
		}
	}
}
END_TEST

static struct reading scan_nested(const char *opening, const char *closing, size_t depth)
{
	char text[1024] = "";
	for (size_t i = 0; i < depth; i++) {
		strcat(text, opening);
	}
	for (size_t i = 0; i < depth; i++) {
		strcat(text, closing);
	}
	return scan_bytes(text, strlen(text));
}

START_TEST(ends_at_its_depth)
{
	ck_assert_int_eq(scan_nested("[", "]", PX_SCAN_DEPTH).rc, 0);
	ck_assert_int_eq(scan_nested("[", "]", PX_SCAN_DEPTH + 1).rc, -ELOOP);
	ck_assert_int_eq(scan_nested("{\"a\":[", "]}", PX_SCAN_DEPTH / 2).rc, 0);
	ck_assert_int_eq(scan_nested("{\"a\":[", "]}", PX_SCAN_DEPTH / 2 + 1).rc, -ELOOP);
	/* Neighbours do not add up. */
	char text[PX_SCAN_DEPTH * 8] = "[";
	for (int i = 0; i < PX_SCAN_DEPTH; i++) {
		strcat(text, "[{}],");
	}
	strcat(text, "0]");
	ck_assert(is_value(text, strlen(text)));
	/* A far deeper text costs no more than the limit. */
	static char deep[200000];
	memset(deep, '[', sizeof(deep));
	ck_assert_int_eq(scan_bytes(deep, sizeof(deep)).rc, -ELOOP);
}
END_TEST

START_TEST(skips_the_four_spaces_of_json)
{
	static const uint8_t text[] = " \t\r\n\f";
	struct px_scan scan = { .at = text, .end = text + 5 };
	px_scan_space(&scan);
	ck_assert_ptr_eq(scan.at, text + 4);
	scan.at = scan.end;
	px_scan_space(&scan);
	ck_assert_ptr_eq(scan.at, scan.end);
}
END_TEST

static void compare_copies(const uint8_t *text, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	compare_scans(copy, len);
	free(copy);
}

/* Each byte at each place of strings that end within one, two and three vectors. */
START_TEST(reads_by_vectors_what_it_reads_by_bytes)
{
	uint8_t text[56];
	for (size_t len = 2; len < sizeof(text); len++) {
		for (size_t at = 1; at < len; at++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				memset(text, 'a', len);
				text[0] = '"';
				text[len - 1] = '"';
				text[at] = (uint8_t)byte;
				compare_copies(text, len);
			}
		}
	}
}
END_TEST

/* Texts of pieces that mean something, most of them wrong somewhere. */
START_TEST(reads_by_vectors_what_it_reads_by_bytes_at_random)
{
	static const char *const pieces[] = { "\"", "\"", "\\", "\\\\", "\\n", "\\u0000",
		"\\u12aF", "{", "}", "[", "]", ",", ":", " ", "\n", "1", "-2.5e3", "true", "null",
		"\x1f", "\x7f", "\x80", "\xc3\xb6", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\xed\xa0\x80", "\"a\":", "abcdefg", "abcdefghijklmnopqrstuvwxyz", "\"abc\"", "" };
	uint64_t random = 1;
	for (unsigned round = 0; round < 200000; round++) {
		char text[512] = "\"";
		size_t count = fake_random(&random) % 14;
		for (size_t i = 0; i < count; i++) {
			strcat(text, pieces[fake_random(&random) %
					(sizeof(pieces) / sizeof(pieces[0]))]);
		}
		compare_copies((const uint8_t *)text + round % 2, strlen(text + round % 2));
	}
}
END_TEST

RUN_TESTS("scan", reads_by_vectors_what_it_reads_by_bytes,
		reads_by_vectors_what_it_reads_by_bytes_at_random,
		takes_all_of_json, takes_nothing_else, takes_nothing_that_is_cut,
		knows_every_byte_of_a_string, knows_every_hex_digit,
		reads_utf8_as_a_naive_decoder_does, takes_no_utf8_that_is_cut, ends_at_its_depth,
		skips_the_four_spaces_of_json);
