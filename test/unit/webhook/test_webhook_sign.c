/* SPDX-License-Identifier: MIT */
/* The signature, against what Python's hmac says of the same. */
#include "webhook/sign.h"

#include "fake.h"

#include <check.h>

#define SECRET "a secret of at least 32 random bytes"
#define BODY "{\"sentAt\":1,\"events\":[]}"

static char signature[PX_WEBHOOK_SIGNATURE_SIZE];

START_TEST(it_is_what_others_compute)
{
	ck_assert_int_eq(px_webhook_sign(px_span(SECRET), 1767225600, px_span(BODY), signature), 0);
	ck_assert_str_eq(signature, "t=1767225600,v1="
			"dfbe238565eb823dac2f5b8f00ae0760c8a18607fd6123456ddc6473280ebffe");
}
END_TEST

START_TEST(it_is_of_secret_time_and_body)
{
	char other[PX_WEBHOOK_SIGNATURE_SIZE];
	ck_assert_int_eq(px_webhook_sign(px_span(SECRET), 1, px_span(BODY), signature), 0);
	ck_assert_int_eq(px_webhook_sign(px_span(SECRET), 2, px_span(BODY), other), 0);
	ck_assert_str_ne(signature + 6, other + 6);
	ck_assert_int_eq(px_webhook_sign(px_span(SECRET "."), 1, px_span(BODY), other), 0);
	ck_assert_str_ne(signature, other);
	ck_assert_int_eq(px_webhook_sign(px_span(SECRET), 1, px_span(BODY " "), other), 0);
	ck_assert_str_ne(signature, other);
	ck_assert_int_eq(px_webhook_sign(px_span(SECRET), 1, px_span(BODY), other), 0);
	ck_assert_str_eq(signature, other);
}
END_TEST

START_TEST(the_latest_time_fits)
{
	ck_assert_int_eq(px_webhook_sign(px_span("s"), INT64_MAX, px_span(""), signature), 0);
	ck_assert_uint_eq(strlen(signature), 2 + 19 + 4 + 64);
	ck_assert_int_eq(px_webhook_sign(px_span("s"), INT64_MIN, px_span(""), signature), 0);
	ck_assert_uint_eq(strlen(signature), 2 + 20 + 4 + 64);
}
END_TEST

RUN_TESTS("webhook_sign", it_is_what_others_compute, it_is_of_secret_time_and_body,
		the_latest_time_fits);
