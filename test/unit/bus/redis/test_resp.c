/* SPDX-License-Identifier: MIT */
/* RESP3: values are found whole, however they come in pieces, and what is none is refused. */
#include "keys.h"
#include "resp.h"
#include "run.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const values[] = {
	"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$0\r\n\r\n", "$5\r\na\r\nbc\r\n", "$-1\r\n", "_\r\n", "#t\r\n",
	",1.5\r\n", "(123456789012345678901234567890\r\n", "!3\r\nERR\r\n", "=5\r\ntxt:a\r\n", "*0\r\n", "*-1\r\n",
	"*2\r\n:1\r\n*2\r\n+a\r\n*0\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n:2\r\n", ">2\r\n+a\r\n$1\r\nb\r\n",
};

START_TEST(finds_the_end_of_each_value_byte_by_byte)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct px_resp_scan scan = { 0 };
		size_t len = strlen(values[i]);
		char *exact = malloc(len);
		memcpy(exact, values[i], len);
		for (size_t at = 0; at < len; at++) {
			ck_assert_int_eq(px_resp_scan(&scan, exact, at), 0);
		}
		ck_assert_int_eq(px_resp_scan(&scan, exact, len), (ssize_t)len);
		free(exact);
	}
}
END_TEST

START_TEST(takes_one_value_of_several)
{
	struct px_resp_scan scan = { 0 };
	ck_assert_int_eq(px_resp_scan(&scan, "*1\r\n:1\r\n+next\r\n", 15), 8);
	ck_assert_int_eq(px_resp_scan(&scan, "+next\r\n", 7), 7);
}
END_TEST

static int scan_all(const char *text)
{
	struct px_resp_scan scan = { 0 };
	return (int)px_resp_scan(&scan, text, strlen(text));
}

START_TEST(refuses_what_is_no_value)
{
	static const char *const bad[] = {
		"HTTP/1.1 400 Bad Request\r\n", "\r\n", "+OK\n", ":\r\n", ":1x\r\n", "$x\r\n", "$-2\r\n", "$3\r\nabcd\r\n",
		"*-2\r\n", "|1\r\n", "$99999999999\r\n", "*99999999999999999999\r\n", "*4194305\r\n",
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(scan_all(bad[i]) == -EBADMSG, "%s", bad[i]);
	}
}
END_TEST

START_TEST(refuses_a_line_without_an_end)
{
	char line[8192];
	memset(line, 'x', sizeof(line));
	line[0] = '+';
	struct px_resp_scan scan = { 0 };
	ck_assert_int_eq(px_resp_scan(&scan, line, 4000), 0);
	ck_assert_int_eq(px_resp_scan(&scan, line, sizeof(line)), -EBADMSG);
}
END_TEST

START_TEST(reads_what_a_value_has)
{
	static const char text[] = "*6\r\n:7\r\n$2\r\n17\r\n_\r\n*2\r\n+a\r\n+b\r\n-ERR\r\n+end\r\n";
	struct px_resp resp = { text, text + sizeof(text) - 1 };
	uint64_t number = 0;
	struct px_resp_value head = px_resp_next(&resp);
	ck_assert_int_eq(head.type, PX_RESP_ARRAY);
	ck_assert_uint_eq(head.count, 6);
	ck_assert(px_resp_number(&resp, &number) && number == 7);
	ck_assert(px_resp_number(&resp, &number) && number == 17);
	ck_assert(!px_resp_number(&resp, &number));
	px_resp_skip(&resp);
	struct px_resp_value error = px_resp_next(&resp);
	ck_assert(error.type == PX_RESP_ERROR && px_resp_is_error(error.text, "ERR"));
	ck_assert_int_eq((int)px_resp_text(&resp).len, 3);
	ck_assert_int_eq(px_resp_next(&resp).type, PX_RESP_END);
	ck_assert_uint_eq(px_resp_text(&resp).len, 0);
}
END_TEST

START_TEST(an_array_where_a_text_belongs_is_passed_over)
{
	static const char text[] = "*3\r\n*2\r\n:1\r\n:2\r\n:3\r\n:4\r\n";
	struct px_resp resp = { text, text + sizeof(text) - 1 };
	uint64_t number = 0;
	(void)px_resp_next(&resp);
	ck_assert_uint_eq(px_resp_text(&resp).len, 0);
	ck_assert(px_resp_number(&resp, &number) && number == 3);
}
END_TEST

START_TEST(writes_commands)
{
	struct px_resp_out out = { .data = NULL };
	px_resp_words(&out, "GET key");
	px_resp_command(&out, 2);
	px_resp_put_number(&out, 12);
	px_resp_put(&out, (struct px_span){ "a\0b", 3 });
	static const char wanted[] = "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n*2\r\n$2\r\n12\r\n$3\r\na\0b\r\n";
	ck_assert_uint_eq(out.len, sizeof(wanted) - 1);
	ck_assert_mem_eq(out.data, wanted, out.len);
	px_resp_out_finish(&out);
}
END_TEST

static struct px_bus_place place_of(const char *tenant, const char *practice)
{
	return (struct px_bus_place){ { tenant, strlen(tenant) }, { practice, strlen(practice) } };
}

START_TEST(names_of_practices_are_read_back)
{
	static const char *const names[][2] = { { "a", "7" }, { "a/b", ":{c}%\n\xc3\xa4" }, { "%2F", "." } };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct px_name name = { .data = NULL };
		struct px_bus_place place = place_of(names[i][0], names[i][1]), read;
		px_name_member(&name, &place);
		ck_assert_ptr_null(memchr(name.data, '{', name.len));
		ck_assert(px_name_place(name.data, name.len, &read));
		ck_assert_uint_eq(read.tenant.len, place.tenant.len);
		ck_assert_mem_eq(read.tenant.data, place.tenant.data, place.tenant.len);
		ck_assert_uint_eq(read.practice.len, place.practice.len);
		ck_assert_mem_eq(read.practice.data, place.practice.data, place.practice.len);
		px_name_finish(&name);
	}
}
END_TEST

START_TEST(what_is_no_name_of_a_practice_is_none)
{
	static const char *const bad[] = { "", "a", "a/", "/a", "a/b/c", "a/%", "a/%4", "a/%zz", "a/b c", "a/%4a" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct px_bus_place place;
		char *text = strdup(bad[i]);
		ck_assert_msg(!px_name_place(text, strlen(text), &place), "%s", bad[i]);
		free(text);
	}
}
END_TEST

START_TEST(keys_of_a_practice_have_the_tag_of_its_partition)
{
	struct px_name meta = { .data = NULL }, homes = { .data = NULL };
	struct px_bus_place place = place_of("default", "12");
	unsigned partition = px_redis_partition(&place);
	char tag[8];
	(void)snprintf(tag, sizeof(tag), "{%02x}", partition);
	px_name_meta(&meta, "px", &place);
	px_name_homes(&homes, "px", partition, 0xabc);
	ck_assert_mem_eq(meta.data, "px:", 3);
	ck_assert_mem_eq(meta.data + 3, tag, 4);
	ck_assert_mem_eq(homes.data + 3, tag, 4);
	ck_assert_int_eq((int)homes.len, 8 + 6 + 16);
	px_name_finish(&meta);
	px_name_finish(&homes);
}
END_TEST

START_TEST(numbers_of_nodes_are_read_strictly)
{
	uint64_t node;
	char text[PX_REDIS_NODE_LEN + 1];
	px_node_text(UINT64_C(0xfedcba9876543210), text);
	ck_assert(px_node_read((struct px_span){ text, 16 }, &node));
	ck_assert(node == UINT64_C(0xfedcba9876543210));
	ck_assert(!px_node_read((struct px_span){ text, 15 }, &node));
	ck_assert(!px_node_read((struct px_span){ "0000000000000000", 16 }, &node));
	ck_assert(!px_node_read((struct px_span){ "FEDCBA9876543210", 16 }, &node));
}
END_TEST

RUN_TESTS("redis/resp", finds_the_end_of_each_value_byte_by_byte, takes_one_value_of_several,
		refuses_what_is_no_value, refuses_a_line_without_an_end, reads_what_a_value_has,
		an_array_where_a_text_belongs_is_passed_over, writes_commands,
		names_of_practices_are_read_back, what_is_no_name_of_a_practice_is_none,
		keys_of_a_practice_have_the_tag_of_its_partition, numbers_of_nodes_are_read_strictly);
