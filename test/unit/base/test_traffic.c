/* SPDX-License-Identifier: MIT */
/*
 * Indexes of types: each keeps its own, also where the hash is the same, and a type that is not
 * there is not found.
 */
#include "base/traffic.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct px_traffic traffic;

/* The hash looks at 24 bytes; these differ in the others. */
static void write_alike(char name[PX_TRAFFIC_NAME], unsigned i)
{
	(void)snprintf(name, PX_TRAFFIC_NAME, "telemedi%03ucandidat%03udisabled", i, i);
}

START_TEST(types_of_one_hash_are_told_apart)
{
	char name[PX_TRAFFIC_NAME];
	memset(&traffic, 0, sizeof(traffic));
	for (unsigned i = 0; i < 100; i++) {
		write_alike(name, i);
		ck_assert_uint_eq(px_traffic_find(&traffic, name, strlen(name)), PX_TRAFFIC_OTHER);
		ck_assert_uint_eq(px_traffic_place(&traffic, name), i + 1);
	}
	for (unsigned i = 0; i < 100; i++) {
		write_alike(name, i);
		ck_assert_uint_eq(px_traffic_find(&traffic, name, strlen(name)), i + 1);
		ck_assert_uint_eq(px_traffic_place(&traffic, name), i + 1);
		ck_assert_str_eq(traffic.counts[i + 1].type, name);
	}
	ck_assert_uint_eq(traffic.last, 100);
}
END_TEST

START_TEST(a_type_may_have_any_length)
{
	char name[PX_TRAFFIC_NAME + 1];
	memset(&traffic, 0, sizeof(traffic));
	for (size_t len = 1; len <= PX_TRAFFIC_NAME; len++) {
		memset(name, 'a', len);
		name[len] = '\0';
		uint16_t place = px_traffic_place(&traffic, name);
		ck_assert_uint_eq(place, len < PX_TRAFFIC_NAME ? len : PX_TRAFFIC_OTHER);
		ck_assert_uint_eq(px_traffic_find(&traffic, name, len), place);
	}
	ck_assert_uint_eq(px_traffic_find(&traffic, "b", 1), PX_TRAFFIC_OTHER);
}
END_TEST

START_TEST(a_full_table_finds_what_it_has)
{
	char name[PX_TRAFFIC_NAME];
	memset(&traffic, 0, sizeof(traffic));
	for (unsigned i = 1; i < 2 * PX_TRAFFIC_TYPES; i++) {
		(void)snprintf(name, sizeof(name), "t_%u", i);
		uint16_t wanted = i < PX_TRAFFIC_TYPES ? (uint16_t)i : PX_TRAFFIC_OTHER;
		ck_assert_uint_eq(px_traffic_place(&traffic, name), wanted);
		ck_assert_uint_eq(px_traffic_find(&traffic, name, strlen(name)), wanted);
	}
}
END_TEST

RUN_TESTS("traffic", types_of_one_hash_are_told_apart, a_type_may_have_any_length,
		a_full_table_finds_what_it_has);
