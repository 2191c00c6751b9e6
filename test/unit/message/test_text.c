/* SPDX-License-Identifier: MIT */
/*
 * The words of types.h: every code has a name of its own, every role can be read back, and
 * what counts as text and as an integer.
 */
#include <praxis/types.h>

#include "fake.h"

#include <check.h>
#include <string.h>

START_TEST(every_error_has_its_name)
{
	for (unsigned i = 0; i < PX_E_COUNT; i++) {
		ck_assert_ptr_nonnull(px_error_name(i));
		for (unsigned j = 0; j < i; j++) {
			ck_assert_str_ne(px_error_name(i), px_error_name(j));
		}
	}
	ck_assert_str_eq(px_error_name(PX_E_BAD_JSON), "bad_json");
	ck_assert_str_eq(px_error_name(PX_E_INTERNAL), "internal");
}
END_TEST

START_TEST(every_close_code_is_counted_once)
{
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		ck_assert_uint_ge(px_close_code(i), 1000);
		for (unsigned j = 0; j < i; j++) {
			ck_assert_uint_lt(px_close_code(j), px_close_code(i));
		}
	}
}
END_TEST

START_TEST(roles_are_read_back)
{
	static const char *const names[] = { "staff", "patient", "service", "admin" };
	unsigned all = 0;
	for (size_t i = 0; i < 4; i++) {
		enum px_role role = px_role_parse(px_span(names[i]));
		ck_assert_str_eq(px_role_name(role), names[i]);
		all |= role;
	}
	ck_assert_uint_eq(all, PX_ROLES_ALL);
	ck_assert_uint_eq(px_role_parse(px_span("Staff")), 0);
	ck_assert_uint_eq(px_role_parse(px_span("staf")), 0);
	ck_assert_uint_eq(px_role_parse(px_span("")), 0);
	ck_assert_str_eq(px_role_name(0), "none");
}
END_TEST

START_TEST(spans_are_compared_by_bytes)
{
	ck_assert(px_span_equal(px_span("ab"), (struct px_span){ "abc", 2 }));
	ck_assert(!px_span_equal(px_span("ab"), px_span("aB")));
	ck_assert(!px_span_equal(px_span("ab"), px_span("abc")));
	ck_assert(px_span_equal(px_span(NULL), px_span("")));
	ck_assert(!px_span_equal((struct px_span){ "a\0b", 3 }, (struct px_span){ "a\0c", 3 }));
}
END_TEST

START_TEST(text_has_no_controls_and_is_utf8)
{
	ck_assert(px_span_is_text(px_span("")));
	ck_assert(px_span_is_text(px_span("Dr. M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x90\x95")));
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[] = { 'a', (char)byte, 'b' };
		ck_assert_msg(px_span_is_text((struct px_span){ text, 3 }) ==
				(byte >= 0x20 && byte < 0x7f), "byte %u", byte);
	}
	ck_assert(!px_span_is_text((struct px_span){ "\xe2\x82\xac", 2 }));
	ck_assert(!px_span_is_text(px_span("\xed\xa0\x80")));
}
END_TEST

START_TEST(integers_are_those_of_json)
{
	static const char *const yes[] = { "0", "7", "-7", "10", "123456789012345678901234567890" };
	static const char *const no[] = { "", "-", "+1", "01", "00", "-0", "-01", "1.0", "1e3",
		" 1", "1 ", "x", "0x1" };
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		ck_assert_msg(px_id_is_integer(px_span(yes[i])), "%s", yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		ck_assert_msg(!px_id_is_integer(px_span(no[i])), "%s", no[i]);
	}
}
END_TEST

RUN_TESTS("text", every_error_has_its_name, every_close_code_is_counted_once, roles_are_read_back,
		spans_are_compared_by_bytes, text_has_no_controls_and_is_utf8,
		integers_are_those_of_json);
