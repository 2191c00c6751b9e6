/* SPDX-License-Identifier: MIT */
/* For the tests of tokens: what becomes of one. Time is NOW throughout. */
#ifndef TEST_VERDICT_H
#define TEST_VERDICT_H

#include "token/test_token_util.h"

#define NOW INT64_C(1700000000)
#define CLAIMS "{'sub':'7','role':'staff','practices':[1],'exp':1700000060}"
#define HS "{'alg':'HS256'}"

#define GOOD (-1)

static struct px_token_rules rules;

/* What becomes of a token: GOOD (and *ret_token, if asked for), or its fault. */
UNUSED static int verdict_of(const struct px_jwks *keys, struct px_span text,
		struct px_token **ret_token)
{
	struct px_token *token = NULL;
	enum px_token_fault fault = PX_TOKEN_FAULTS;
	int rc = px_token_verify(keys, &rules, text, NOW, &token, &fault);
	if (rc == 0) {
		ck_assert_ptr_nonnull(token);
		ck_assert_int_eq(fault, PX_TOKEN_FAULTS);
		if (ret_token) {
			*ret_token = token;
		} else {
			px_token_destroy(token);
		}
		return GOOD;
	}
	ck_assert_int_eq(rc, -EACCES);
	ck_assert_ptr_null(token);
	ck_assert_int_lt(fault, PX_TOKEN_FAULTS);
	return (int)fault;
}

/* Frees the token. */
UNUSED static int verdict(const struct px_jwks *keys, char *token)
{
	int result = verdict_of(keys, px_span(token), NULL);
	free(token);
	return result;
}

UNUSED static struct px_jwks *secret_keys(void)
{
	return keys_of(false, true, "");
}

/* The verdict on claims that were signed with SECRET. */
UNUSED static int verdict_on_claims(const char *claims)
{
	struct px_jwks *keys = secret_keys();
	int result = verdict(keys, token_of(NULL, HS, claims));
	px_jwks_destroy(keys);
	return result;
}

UNUSED static int verdict_on_header(const char *header)
{
	struct px_jwks *keys = secret_keys();
	int result = verdict(keys, token_of(NULL, header, CLAIMS));
	px_jwks_destroy(keys);
	return result;
}

/* What is read of claims ("'" for the quotes) that are good. */
UNUSED static struct px_token *read_claims(const char *claims)
{
	struct px_jwks *keys = secret_keys();
	struct px_token *token = NULL;
	char *text = token_of(NULL, HS, claims);
	ck_assert_msg(verdict_of(keys, px_span(text), &token) == GOOD, "%s", claims);
	free(text);
	px_jwks_destroy(keys);
	return token;
}

UNUSED static void use_rules(void)
{
	rules = px_token_rules_default;
	rules.leeway_s = 0;
}

UNUSED static void ck_span(struct px_span span, const char *text)
{
	ck_assert_msg(px_span_equal(span, px_span(text)), "\"%.*s\", not \"%s\"", (int)span.len,
			span.data ? span.data : "", text);
}

#endif
