/* SPDX-License-Identifier: MIT */
/* What of a query counts: names in full, the first of several, bounds. */
#include "auth/query.h"

#include "fake.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int note(struct px_query_identity *query, const char *pair)
{
	return px_query_note(query, px_span(pair));
}

START_TEST(a_value_is_behind_its_name)
{
	static const struct {
		const char *pair;
		const char *value; /* NULL: not it */
	} cases[] = {
		{ "access_token=a.b.c", "a.b.c" }, { "access_token==", "=" }, { "access_token=", "" },
		{ "access_token", NULL }, { "access_tokens=a", NULL }, { "Access_token=a", NULL },
		{ "xaccess_token=a", NULL }, { "", NULL }, { "=", NULL }, { "access_toke=n=a", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct px_span value = px_query_value(px_span(cases[i].pair), "access_token");
		ck_assert_int_eq(value.data != NULL, cases[i].value != NULL);
		ck_assert(px_span_equal(value, px_span(cases[i].value)));
	}
}
END_TEST

START_TEST(the_first_of_each_counts)
{
	struct px_query_identity query = { .given = { { NULL, 0 } } };
	struct px_claims claims = { .authenticated = false };
	struct px_id practice;
	static const char *const pairs[] = { "practiceId=7", "practiceId=8", "userId=u", "userId=v",
		"userName=Dr Vet", "role=patient", "role=admin", "other=1", "" };
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ck_assert_int_eq(note(&query, pairs[i]), 0);
	}
	ck_assert_int_eq(px_query_claims(&query, &claims, &practice), 0);
	ck_assert(px_span_equal(practice.text, px_span("7")) && practice.number);
	ck_assert(px_span_equal(claims.user.text, px_span("u")) && !claims.user.number);
	ck_assert(px_span_equal(claims.name, px_span("Dr Vet")));
	ck_assert_uint_eq(claims.role, PX_ROLE_PATIENT);
}
END_TEST

START_TEST(nothing_of_it_has_to_be_there)
{
	struct px_query_identity query = { .given = { { NULL, 0 } } };
	struct px_claims claims = { .authenticated = false };
	struct px_id practice;
	ck_assert_int_eq(note(&query, "practiceId="), 0);
	ck_assert_int_eq(px_query_claims(&query, &claims, &practice), 0);
	ck_assert_uint_eq(practice.text.len, 0);
	ck_assert_uint_eq(claims.user.text.len, 0);
	ck_assert_uint_eq(claims.name.len, 0);
	ck_assert_uint_eq(claims.role, PX_ROLE_STAFF);
}
END_TEST

START_TEST(a_role_is_one_of_four)
{
	static const char *const wrong[] = { "role=root", "role=staff,admin", "role=Staff",
		"role=staf" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct px_query_identity query = { .given = { { NULL, 0 } } };
		struct px_claims claims = { .authenticated = false };
		struct px_id practice;
		ck_assert_int_eq(note(&query, wrong[i]), 0);
		ck_assert_int_eq(px_query_claims(&query, &claims, &practice), -EINVAL);
	}
}
END_TEST

START_TEST(values_have_a_length)
{
	static const struct {
		const char *name;
		int most;
	} cases[] = { { "practiceId", 128 }, { "userId", 128 }, { "userName", 256 }, { "role", 16 } };
	char pair[600];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int len = cases[i].most; len <= 512; len += len > cases[i].most ? 100 : 1) {
			struct px_query_identity query = { .given = { { NULL, 0 } } };
			(void)snprintf(pair, sizeof(pair), "%s=%0*d", cases[i].name, len, 1);
			ck_assert_int_eq(note(&query, pair), len == cases[i].most ? 0 : -EINVAL);
		}
	}
}
END_TEST

RUN_TESTS("query", a_value_is_behind_its_name, the_first_of_each_counts,
		nothing_of_it_has_to_be_there, a_role_is_one_of_four, values_have_a_length);
