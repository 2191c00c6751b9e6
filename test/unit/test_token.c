/* SPDX-License-Identifier: MIT */
/*
 * Tokens: who is let in, and everything that must not get anybody in. Time is NOW throughout.
 */
#include "test_token_util.h"

#include "fake.h"
#include "strict_json.h"

#include <json-c/json.h>

#include "../../tools/token.h"

#define NOW INT64_C(1700000000)
#define CLAIMS "{'sub':'7','role':'staff','practices':[1],'exp':1700000060}"
#define HS "{'alg':'HS256'}"

#define GOOD (-1)

static struct px_token_rules rules;

/* What becomes of a token: GOOD (and *ret_token, if asked for), or its fault. */
static int verdict_of(const struct px_keys *keys, struct px_span text, struct px_token **ret_token)
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
static int verdict(const struct px_keys *keys, char *token)
{
	int result = verdict_of(keys, px_span(token), NULL);
	free(token);
	return result;
}

static struct px_keys *secret_keys(void)
{
	return keys_of(false, true, "");
}

/* The verdict on claims that were signed with SECRET. */
static int verdict_on_claims(const char *claims)
{
	struct px_keys *keys = secret_keys();
	int result = verdict(keys, token_of(NULL, HS, claims));
	px_keys_destroy(keys);
	return result;
}

static int verdict_on_header(const char *header)
{
	struct px_keys *keys = secret_keys();
	int result = verdict(keys, token_of(NULL, header, CLAIMS));
	px_keys_destroy(keys);
	return result;
}

/* What is read of claims ("'" for the quotes) that are good. */
static struct px_token *read_claims(const char *claims)
{
	struct px_keys *keys = secret_keys();
	struct px_token *token = NULL;
	char *text = token_of(NULL, HS, claims);
	ck_assert_msg(verdict_of(keys, px_span(text), &token) == GOOD, "%s", claims);
	free(text);
	px_keys_destroy(keys);
	return token;
}

static void use_rules(void)
{
	rules = px_token_rules_default;
	rules.leeway_s = 0;
}

static void ck_span(struct px_span span, const char *text)
{
	ck_assert_msg(px_span_equal(span, px_span(text)), "\"%.*s\", not \"%s\"", (int)span.len,
			span.data ? span.data : "", text);
}

/* ---- signatures ---- */

START_TEST(takes_each_algorithm)
{
	use_rules();
	static const char *const algs[] = { "RS256", "ES256", "EdDSA" };
	EVP_PKEY *made[] = { new_rsa(2048), new_ec("P-256"), new_ed25519() };
	write_keys(jwk(made[0], "r"), jwk(made[1], "e"), jwk(made[2], "d"));
	struct px_keys *keys = keys_of(true, true, "");
	ck_assert_uint_eq(px_keys_count(keys), 4);
	ck_assert_int_eq(verdict(keys, token_of(NULL, HS, CLAIMS)), GOOD);
	/* RFC 9864's name for it. */
	ck_assert_int_eq(verdict(keys, token_of(made[2], "{'alg':'Ed25519','kid':'d'}", CLAIMS)),
			GOOD);
	ck_assert_int_eq(verdict(keys, token_of(made[1], "{'alg':'Ed25519','kid':'e'}", CLAIMS)),
			PX_TOKEN_ALGORITHM);
	for (size_t i = 0; i < 3; i++) {
		static const char *const kids[] = { "r", "e", "d" };
		for (size_t k = 0; k < 4; k++) {
			char *header = k == 3 ? format("{'alg':'%s'}", algs[i]) :
						format("{'alg':'%s','kid':'%s','typ':'JWT'}",
								algs[i], kids[k]);
			int expected = k == 3 || k == i ? GOOD : PX_TOKEN_ALGORITHM;
			ck_assert_int_eq(verdict(keys, token_of(made[i], header, CLAIMS)),
					expected);
			free(header);
		}
		for (size_t k = 0; k < 3; k++) {
			char *header = format("{'alg':'%s'}", algs[k]);
			int expected = k == i ? GOOD : PX_TOKEN_SIGNATURE;
			ck_assert_int_eq(verdict(keys, token_of(made[i], header, CLAIMS)),
					expected);
			free(header);
		}
		EVP_PKEY_free(made[i]);
	}
	px_keys_destroy(keys);
}
END_TEST

START_TEST(refuses_other_keys)
{
	use_rules();
	EVP_PKEY *made[] = { new_rsa(2048), new_ec("P-256"), new_ed25519() };
	EVP_PKEY *others[] = { new_rsa(2048), new_ec("P-256"), new_ed25519() };
	static const char *const headers[] = { "{'alg':'RS256','kid':'k'}",
		"{'alg':'ES256','kid':'k'}", "{'alg':'EdDSA','kid':'k'}" };
	for (size_t i = 0; i < 3; i++) {
		write_keys(jwk(made[i], "k"), NULL, NULL);
		struct px_keys *keys = keys_of(true, false, "");
		ck_assert_int_eq(verdict(keys, token_of(made[i], headers[i], CLAIMS)), GOOD);
		ck_assert_int_eq(verdict(keys, token_of(others[i], headers[i], CLAIMS)),
				PX_TOKEN_SIGNATURE);
		px_keys_destroy(keys);
		EVP_PKEY_free(made[i]);
		EVP_PKEY_free(others[i]);
	}
}
END_TEST

START_TEST(refuses_unsigned_tokens)
{
	use_rules();
	struct px_keys *keys = secret_keys();
	static const char *const names[] = { "none", "None", "NONE", "nOnE", "HS384", "HS512",
		"RS512", "PS256", "ES384", "ES256K", "hs256", "HS256 ", "dir", "RSA1_5", "A128KW" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *header = format("{'alg':'%s'}", names[i]);
		char *token = token_of(NULL, header, CLAIMS);
		ck_assert_int_eq(verdict_of(keys, px_span(token), NULL), PX_TOKEN_ALGORITHM);
		*(strrchr(token, '.') + 1) = '\0';
		ck_assert_int_eq(verdict(keys, token), PX_TOKEN_ALGORITHM);
		free(header);
	}
	static const char *const broken[] = { "{}", "{'alg':''}", "{'alg':null}", "{'alg':1}",
		"{'alg':['HS256']}", "{'ALG':'HS256'}" };
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		ck_assert_int_eq(verdict(keys, token_of(NULL, broken[i], CLAIMS)),
				PX_TOKEN_MALFORMED);
	}
	/* the right header, and no signature */
	char *token = token_of(NULL, HS, CLAIMS);
	*(strrchr(token, '.') + 1) = '\0';
	ck_assert_int_eq(verdict(keys, token), PX_TOKEN_SIGNATURE);
	px_keys_destroy(keys);
}
END_TEST

/* A token with an HMAC of `secret`. */
static char *confused(const char *header, const void *secret, size_t len)
{
	unsigned char signature[64];
	char *token = token_of(NULL, header, CLAIMS);
	*strrchr(token, '.') = '\0';
	size_t n = hmac_sign(secret, len, token, signature);
	char *signature_b64 = b64(signature, n);
	char *result = format("%s.%s", token, signature_b64);
	free(signature_b64);
	free(token);
	return result;
}

START_TEST(refuses_a_public_key_as_secret)
{
	use_rules();
	EVP_PKEY *key = new_rsa(2048);
	char *text = jwk(key, "r");
	unsigned char *der = NULL;
	int der_len = i2d_PUBKEY(key, &der);
	ck_assert_int_gt(der_len, 0);
	for (int with_secret = 0; with_secret < 2; with_secret++) {
		write_keys(jwk(key, "r"), NULL, NULL);
		struct px_keys *keys = keys_of(true, with_secret, "");
		ck_assert_int_eq(verdict(keys, confused("{'alg':'HS256','kid':'r'}", text,
				strlen(text))), PX_TOKEN_ALGORITHM);
		ck_assert_int_eq(verdict(keys, confused("{'alg':'HS256','kid':'r'}", der,
				(size_t)der_len)), PX_TOKEN_ALGORITHM);
		ck_assert_int_eq(verdict(keys, confused(HS, der, (size_t)der_len)),
				with_secret ? PX_TOKEN_SIGNATURE : PX_TOKEN_ALGORITHM);
		px_keys_destroy(keys);
	}
	OPENSSL_free(der);
	free(text);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(refuses_other_curves)
{
	use_rules();
	EVP_PKEY *wide = new_ec("P-384");
	EVP_PKEY *good = new_ec("P-256");
	write_keys(jwk(wide, "w"), jwk(good, "g"), NULL);
	struct px_keys *keys = keys_of(true, false, "W FILE: key 1 (\"w\") is skipped: its "
			"\"crv\" is none of P-256 (EC) and Ed25519 (OKP)\n");
	ck_assert_int_eq(verdict(keys, token_of(wide, "{'alg':'ES384','kid':'w'}", CLAIMS)),
			PX_TOKEN_ALGORITHM);
	ck_assert_int_eq(verdict(keys, token_of(wide, "{'alg':'ES256','kid':'w'}", CLAIMS)),
			PX_TOKEN_UNKNOWN_KEY);
	ck_assert_int_eq(verdict(keys, token_of(wide, "{'alg':'ES256','kid':'g'}", CLAIMS)),
			PX_TOKEN_SIGNATURE);
	px_keys_destroy(keys);
	EVP_PKEY_free(wide);
	EVP_PKEY_free(good);
}
END_TEST

START_TEST(takes_no_key_from_the_token)
{
	use_rules();
	EVP_PKEY *ours = new_ec("P-256");
	EVP_PKEY *theirs = new_ec("P-256");
	write_keys(jwk(ours, "k"), NULL, NULL);
	struct px_keys *keys = keys_of(true, false, "");
	char *theirs_jwk = jwk(theirs, "k");
	char *headers[] = {
		format("{\"alg\":\"ES256\",\"kid\":\"k\",\"jwk\":%s}", theirs_jwk),
		format("{\"alg\":\"ES256\",\"jwk\":%s}", theirs_jwk),
		format("{'alg':'ES256','kid':'k','jku':'http://127.0.0.1:9/jwks'}"),
		format("{'alg':'ES256','kid':'k','x5u':'http://127.0.0.1:9/cert'}"),
		format("{'alg':'ES256','kid':'k','x5c':['AAAA']}"),
		format("{'alg':'ES256','kid':'k','x5c':{'a':[]},'jku':7,'jwk':null}"),
	};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		ck_assert_int_eq(verdict(keys, token_of(theirs, headers[i], CLAIMS)),
				PX_TOKEN_SIGNATURE);
		ck_assert_int_eq(verdict(keys, token_of(ours, headers[i], CLAIMS)), GOOD);
		free(headers[i]);
	}
	free(theirs_jwk);
	px_keys_destroy(keys);
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
}
END_TEST

START_TEST(finds_keys_by_their_kid)
{
	use_rules();
	write_keys(secret_jwk(SECRET, "a"), secret_jwk("another secret of 32 bytes, yes.", "b"),
			NULL);
	struct px_keys *keys = keys_of(true, false, "");
	ck_assert_int_eq(verdict(keys, token_of(NULL, HS, CLAIMS)), GOOD);
	static const struct {
		const char *kid;
		int verdict;
	} cases[] = {
		{ "'a'", GOOD },
		{ "'b'", PX_TOKEN_SIGNATURE },
		{ "'c'", PX_TOKEN_UNKNOWN_KEY },
		{ "'\\u0061'", GOOD },
		{ "'a '", PX_TOKEN_UNKNOWN_KEY },
		{ "'A'", PX_TOKEN_UNKNOWN_KEY },
		{ "''", PX_TOKEN_MALFORMED },
		{ "null", PX_TOKEN_MALFORMED },
		{ "1", PX_TOKEN_MALFORMED },
		{ "['a']", PX_TOKEN_MALFORMED },
		{ "'../../dev/null'", PX_TOKEN_UNKNOWN_KEY },
		{ "'a\\u0000'", PX_TOKEN_MALFORMED },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *header = format("{'alg':'HS256','kid':%s}", cases[i].kid);
		ck_assert_msg(verdict(keys, token_of(NULL, header, CLAIMS)) == cases[i].verdict,
				"%s", header);
		free(header);
	}
	char kid[300];
	memset(kid, 'k', sizeof(kid));
	char *header = format("{'alg':'HS256','kid':'%.*s'}", 257, kid);
	ck_assert_int_eq(verdict(keys, token_of(NULL, header, CLAIMS)), PX_TOKEN_MALFORMED);
	free(header);
	px_keys_destroy(keys);

	/* a secret of the configuration has no name unless it was given one */
	ck_assert_int_eq(verdict_on_header("{'alg':'HS256','kid':'a'}"), PX_TOKEN_UNKNOWN_KEY);
	struct px_keys_source source = { .secret = px_span(SECRET), .secret_kid = "main" };
	ck_assert_int_eq(px_keys_create(&source, &sink, &keys), 0);
	ck_assert_int_eq(verdict(keys, token_of(NULL, "{'alg':'HS256','kid':'main'}", CLAIMS)),
			GOOD);
	ck_assert_int_eq(verdict(keys, token_of(NULL, HS, CLAIMS)), GOOD);
	px_keys_destroy(keys);
}
END_TEST

/* ---- the header ---- */

START_TEST(checks_the_header)
{
	use_rules();
	static const char *const good[] = {
		"{'alg':'HS256','typ':'JWT'}", "{'alg':'HS256','typ':'jwt'}",
		"{'alg':'HS256','typ':'at+jwt'}", "{'alg':'HS256','typ':'application/at+jwt'}",
		"{'typ':'AT+JWT','alg':'HS256'}", "{'alg':'HS256','cty':'json'}",
		"{'alg':'HS256','x':{'y':[1,2,{}]}}", " {\t'alg'\n:\r'HS256' } ",
		"{'\\u0061lg':'HS\\u0032\\u0035\\u0036'}",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(verdict_on_header(good[i]) == GOOD, "%s", good[i]);
	}
	static const char *const bad[] = {
		"{'alg':'HS256','crit':['b64'],'b64':true}", "{'alg':'HS256','crit':['exp']}",
		"{'alg':'HS256','crit':[]}", "{'alg':'HS256','crit':null}",
		"{'alg':'HS256','b64':false}", "{'alg':'HS256','b64':true}",
		"{'alg':'HS256','zip':'DEF'}", "{'alg':'HS256','enc':'A128GCM'}",
		"{'alg':'HS256','cty':'JWT'}", "{'alg':'HS256','cty':'application/jwt'}",
		"{'alg':'HS256','typ':'JOSE'}", "{'alg':'HS256','typ':'jwt+x'}",
		"{'alg':'HS256','typ':''}", "{'alg':'HS256','typ':null}", "{'alg':'HS256','typ':1}",
		"{'alg':'HS256','typ':'JWT\\u0000'}",
		"{'alg':'HS256','alg':'HS256'}", "{'alg':'none','alg':'HS256'}",
		"{'alg':'HS256','\\u0061lg':'none'}", "{'alg':'HS256','x':{'y':1,'y':2}}",
		"[]", "'HS256'", "null", "{'alg':'HS256'}{}", "{'alg':'HS256'", "{'alg':'HS256',}",
		"{alg:'HS256'}", "{'alg':'HS256'} x", "", " ",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(verdict_on_header(bad[i]) == PX_TOKEN_MALFORMED, "%s", bad[i]);
	}
}
END_TEST

/* ---- shape ---- */

START_TEST(refuses_what_is_no_token)
{
	use_rules();
	struct px_keys *keys = secret_keys();
	static const char *const texts[] = { "", ".", "..", "...", "....", "a.b.c", "a.b.c.d.e",
		"x", "e30.e30.", "e30..e30", ".e30.e30", "{}",
		"{\"payload\":\"\",\"signatures\":[]}", "Bearer e30.e30.e30", "\xff\xfe" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_msg(verdict_of(keys, px_span(texts[i]), NULL) == PX_TOKEN_MALFORMED, "%s",
				texts[i]);
	}
	ck_assert_int_eq(verdict_of(keys, (struct px_span){ NULL, 0 }, NULL), PX_TOKEN_MALFORMED);
	px_keys_destroy(keys);
}
END_TEST

START_TEST(limits_the_length)
{
	use_rules();
	struct px_keys *keys = secret_keys();
	size_t len = 1024 * 1024;
	char *text = malloc(len + 1);
	memset(text, 'A', len);
	text[len] = '\0';
	ck_assert_int_eq(verdict_of(keys, px_span(text), NULL), PX_TOKEN_TOO_LONG);
	rules.max_bytes = len;
	ck_assert_int_eq(verdict_of(keys, px_span(text), NULL), PX_TOKEN_MALFORMED);
	text[1] = text[len / 2] = '.';
	ck_assert_int_eq(verdict_of(keys, px_span(text), NULL), PX_TOKEN_MALFORMED);
	rules.max_bytes = SIZE_MAX;
	free(text);

	/* one of 1 MB that is signed, of which nothing but the length is wrong */
	char *filler = malloc(len);
	memset(filler, 'x', len - 1);
	filler[len - 1] = '\0';
	char *claims = format("{'sub':'7','role':'staff','exp':1700000060,'x':'%s'}", filler);
	char *token = token_of(NULL, HS, claims);
	ck_assert_int_eq(verdict_of(keys, px_span(token), NULL), PX_TOKEN_TOO_LONG);
	rules.max_bytes = 16384;
	ck_assert_int_eq(verdict(keys, token), PX_TOKEN_TOO_LONG);
	free(claims);
	free(filler);

	token = token_of(NULL, HS, CLAIMS);
	rules.max_bytes = strlen(token);
	ck_assert_int_eq(verdict_of(keys, px_span(token), NULL), GOOD);
	rules.max_bytes--;
	ck_assert_int_eq(verdict(keys, token), PX_TOKEN_TOO_LONG);
	px_keys_destroy(keys);
}
END_TEST

/* Each prefix, and each with one bit of it flipped; all are refused. */
static void mangle(const struct px_keys *keys, char *token)
{
	size_t len = strlen(token);
	ck_assert_int_eq(verdict_of(keys, px_span(token), NULL), GOOD);
	for (size_t i = 0; i < len; i++) {
		ck_assert_msg(verdict_of(keys, (struct px_span){ token, i }, NULL) != GOOD,
				"the first %zu bytes", i);
	}
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			token[i] = (char)(token[i] ^ 1 << bit);
			struct px_span text = { token, len };
			ck_assert_msg(verdict_of(keys, text, NULL) != GOOD, "byte %zu, bit %d", i,
					bit);
			token[i] = (char)(token[i] ^ 1 << bit);
		}
	}
	char *longer = format("%sA", token);
	ck_assert_int_ne(verdict_of(keys, px_span(longer), NULL), GOOD);
	free(longer);
	free(token);
}

START_TEST(refuses_mangled_tokens)
{
	use_rules();
	EVP_PKEY *made[] = { new_rsa(2048), new_ec("P-256"), new_ed25519() };
	write_keys(jwk(made[0], NULL), jwk(made[1], NULL), jwk(made[2], NULL));
	struct px_keys *keys = keys_of(true, true, "");
	mangle(keys, token_of(NULL, HS, CLAIMS));
	mangle(keys, token_of(made[0], "{'alg':'RS256'}", CLAIMS));
	mangle(keys, token_of(made[1], "{'alg':'ES256'}", CLAIMS));
	mangle(keys, token_of(made[2], "{'alg':'EdDSA'}", CLAIMS));
	px_keys_destroy(keys);
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY_free(made[i]);
	}
}
END_TEST

START_TEST(takes_one_spelling_of_base64url)
{
	use_rules();
	struct px_keys *keys = secret_keys();
	char *token = token_of(NULL, HS, CLAIMS);
	char *dot = strchr(token, '.');
	char *second = strchr(dot + 1, '.');
	char *variants[] = {
		format("%.*s=%s", (int)(dot - token), token, dot),
		format("%.*s=%s", (int)(second - token), token, second),
		format("%s=", token),
		format("%s\n", token),
		format(" %s", token),
		format("%.*s\n%s", 4, token, token + 4),
	};
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		ck_assert_msg(verdict_of(keys, px_span(variants[i]), NULL) == PX_TOKEN_MALFORMED,
				"%zu", i);
		free(variants[i]);
	}
	/* 32 bytes leave two bits in the last of 43 characters */
	size_t last = strlen(token) - 1;
	token[last] = (char)(token[last] + 1);
	ck_assert_int_ne(verdict(keys, token), GOOD);
	px_keys_destroy(keys);
}
END_TEST

/* ---- times, issuer, audience ---- */

START_TEST(checks_times)
{
	use_rules();
	static const struct {
		const char *times;
		int64_t leeway_s;
		int verdict;
	} cases[] = {
		{ "'exp':1700000001", 0, GOOD },
		{ "'exp':1700000000", 0, PX_TOKEN_EXPIRED },
		{ "'exp':1699999999", 0, PX_TOKEN_EXPIRED },
		{ "'exp':1699999999", 1, PX_TOKEN_EXPIRED },
		{ "'exp':1699999999", 2, GOOD },
		{ "'exp':1699999970", 30, PX_TOKEN_EXPIRED },
		{ "'exp':1699999971", 30, GOOD },
		{ "'exp':1700000000.999", 0, PX_TOKEN_EXPIRED },
		{ "'exp':1700000001.5", 0, GOOD },
		{ "'exp':17e8", 0, PX_TOKEN_EXPIRED },
		{ "'exp':1.8e9", 0, GOOD },
		{ "'exp':0", 0, PX_TOKEN_EXPIRED },
		{ "'exp':0.5", 0, PX_TOKEN_EXPIRED },
		{ "'exp':-0", 0, PX_TOKEN_EXPIRED },
		{ "'exp':253402300799", 0, GOOD },
		{ "'exp':253402300800", 0, PX_TOKEN_CLAIMS },
		{ "'exp':-1", 0, PX_TOKEN_CLAIMS },
		{ "'exp':1e300", 0, PX_TOKEN_CLAIMS },
		{ "'exp':1e999", 0, PX_TOKEN_CLAIMS },
		{ "'exp':99999999999999999999", 0, PX_TOKEN_CLAIMS },
		{ "'exp':'1700000060'", 0, PX_TOKEN_CLAIMS },
		{ "'exp':null", 0, PX_TOKEN_CLAIMS },
		{ "'exp':true", 0, PX_TOKEN_CLAIMS },
		{ "'exp':[1700000060]", 0, PX_TOKEN_CLAIMS },
		{ "'x':1", 0, PX_TOKEN_NO_EXPIRY },
		{ "'exp':1700000060,'nbf':1700000000", 0, GOOD },
		{ "'exp':1700000060,'nbf':1700000001", 0, PX_TOKEN_NOT_YET },
		{ "'exp':1700000060,'nbf':1700000030", 30, GOOD },
		{ "'exp':1700000060,'nbf':1700000031", 30, PX_TOKEN_NOT_YET },
		{ "'exp':1700000060,'nbf':'x'", 0, PX_TOKEN_CLAIMS },
		{ "'exp':1700000060,'nbf':null", 0, PX_TOKEN_CLAIMS },
		{ "'exp':1700000060,'nbf':-5", 0, PX_TOKEN_CLAIMS },
		{ "'exp':1700000060,'iat':1700000000.123", 0, GOOD },
		{ "'exp':1700000060,'iat':1700000050", 0, GOOD },
		{ "'exp':1700000060,'iat':'now'", 0, PX_TOKEN_CLAIMS },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *claims = format("{'sub':'7','role':'staff',%s}", cases[i].times);
		rules.leeway_s = cases[i].leeway_s;
		ck_assert_msg(verdict_on_claims(claims) == cases[i].verdict, "%s, leeway %d",
				cases[i].times, (int)cases[i].leeway_s);
		free(claims);
	}
	ck_assert_int_eq(px_token_rules_default.leeway_s, 30);
	ck_assert(px_token_rules_default.require_exp);
	rules.require_exp = false;
	struct px_token *token = read_claims("{'sub':'7','role':'staff'}");
	ck_assert_int_eq(token->expires_s, 0);
	px_token_destroy(token);
	ck_assert_int_eq(verdict_on_claims("{'sub':'7','role':'staff','exp':1}"), PX_TOKEN_EXPIRED);
}
END_TEST

START_TEST(checks_issuer_and_audience)
{
	use_rules();
	static const struct {
		const char *claims;
		int verdict;
	} cases[] = {
		{ "'iss':'https://a','aud':'praxis'", GOOD },
		{ "'iss':'https://a','aud':['x','praxis']", GOOD },
		{ "'iss':'https://a','aud':['x',7,null,'praxis']", GOOD },
		{ "'iss':'https://b','aud':'praxis'", PX_TOKEN_ISSUER },
		{ "'iss':'https://a/','aud':'praxis'", PX_TOKEN_ISSUER },
		{ "'iss':'','aud':'praxis'", PX_TOKEN_ISSUER },
		{ "'iss':null,'aud':'praxis'", PX_TOKEN_ISSUER },
		{ "'iss':['https://a'],'aud':'praxis'", PX_TOKEN_ISSUER },
		{ "'aud':'praxis'", PX_TOKEN_ISSUER },
		{ "'iss':'https://a'", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':'Praxis'", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':'praxis2'", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':[]", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':['x']", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':[['praxis']]", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':{'praxis':1}", PX_TOKEN_AUDIENCE },
		{ "'iss':'https://a','aud':null", PX_TOKEN_AUDIENCE },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *claims = format("{'sub':'7','role':'staff','exp':1700000060,%s}",
				cases[i].claims);
		rules.issuer = "https://a";
		rules.audience = "praxis";
		ck_assert_msg(verdict_on_claims(claims) == cases[i].verdict, "%s", cases[i].claims);
		rules.issuer = NULL;
		rules.audience = NULL;
		ck_assert_msg(verdict_on_claims(claims) == GOOD, "%s", cases[i].claims);
		free(claims);
	}
}
END_TEST

/* ---- claims ---- */

START_TEST(reads_all_claims)
{
	use_rules();
	struct px_token *token = read_claims(
			"{'sub':'u-7','name':'Dr. M\xc3\xbcller',"
			"'tenant':'acme','role':'patient','practices':[1,'2','a b'],'practiceId':9,"
			"'rooms':['r1',22],'exp':1700000060.9,'jti':'j',"
			"'other':{'a':[1.5e3,true,null]}}");
	ck_span(token->user.text, "u-7");
	ck_assert(!token->user.number);
	ck_span(token->name, "Dr. M\xc3\xbcller");
	ck_span(token->tenant, "acme");
	ck_assert_int_eq(token->role, PX_ROLE_PATIENT);
	ck_assert(!token->all_practices);
	ck_assert_uint_eq(token->practice_count, 3);
	ck_span(token->practices[0].text, "1");
	ck_assert(token->practices[0].number);
	ck_span(token->practices[1].text, "2");
	ck_assert(!token->practices[1].number);
	ck_span(token->practices[2].text, "a b");
	ck_assert(token->has_rooms);
	ck_assert_uint_eq(token->room_count, 2);
	ck_span(token->rooms[1].text, "22");
	ck_assert_int_eq(token->expires_s, 1700000060);
	ck_span(token->jti, "j");
	px_token_destroy(token);

	token = read_claims("{'sub':7,'role':'admin','practiceId':'x','exp':1700000060}");
	ck_span(token->user.text, "7");
	ck_assert(token->user.number);
	ck_assert_uint_eq(token->name.len, 0);
	ck_assert_uint_eq(token->tenant.len, 0);
	ck_assert_uint_eq(token->practice_count, 1);
	ck_span(token->practices[0].text, "x");
	ck_assert(!token->has_rooms);
	ck_assert_uint_eq(token->jti.len, 0);
	px_token_destroy(token);

	token = read_claims("{'sub':'7','name':null,'role':'service','practices':null,"
			"'practiceId':null,'exp':1700000060,'rooms':[]}");
	ck_assert_uint_eq(token->practice_count, 0);
	ck_assert(!token->all_practices);
	ck_assert(token->has_rooms);
	ck_assert_uint_eq(token->room_count, 0);
	px_token_destroy(token);
}
END_TEST

START_TEST(keeps_the_digits_of_ids)
{
	use_rules();
	static const char *const numbers[] = { "0", "-7", "9007199254740993",
		"9223372036854775807", "9223372036854775808", "18446744073709551615",
		"123456789012345678901234567890" };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char *claims = format("{'sub':%s,'role':'staff','practices':[%s],'exp':1700000060}",
				numbers[i], numbers[i]);
		struct px_token *token = read_claims(claims);
		ck_span(token->user.text, numbers[i]);
		ck_span(token->practices[0].text, numbers[i]);
		ck_assert(token->practices[0].number);
		px_token_destroy(token);
		free(claims);
	}
}
END_TEST

START_TEST(refuses_what_json_c_clamped)
{
	static const char *const texts[] = {
		"{\"sub\":99999999999999999999999,\"role\":\"staff\"}",
		"{\"sub\":-99999999999999999999999,\"role\":\"staff\"}",
	};
	struct px_claim_names names = PX_CLAIM_NAMES_DEFAULT;
	for (size_t i = 0; i < 2; i++) {
		struct px_token *token = NULL;
		const char *claim = NULL;
		struct json_object *claims = json_tokener_parse(texts[i]);
		ck_assert_ptr_nonnull(claims);
		ck_assert_int_eq(px_claims_read(claims, &names, 0, &token, &claim), -EINVAL);
		ck_assert_str_eq(claim, "sub");
		json_object_put(claims);
	}
}
END_TEST

START_TEST(refuses_wrong_claims)
{
	use_rules();
	static const struct {
		const char *claims;
		const char *wrong;
	} cases[] = {
		{ "'role':'staff'", "sub" },
		{ "'sub':null,'role':'staff'", "sub" },
		{ "'sub':'','role':'staff'", "sub" },
		{ "'sub':true,'role':'staff'", "sub" },
		{ "'sub':1.0,'role':'staff'", "sub" },
		{ "'sub':1e3,'role':'staff'", "sub" },
		{ "'sub':-0,'role':'staff'", "sub" },
		{ "'sub':['7'],'role':'staff'", "sub" },
		{ "'sub':'a\\nb','role':'staff'", "sub" },
		{ "'sub':'7'", "role" },
		{ "'sub':'7','role':null", "role" },
		{ "'sub':'7','role':'root'", "role" },
		{ "'sub':'7','role':'Staff'", "role" },
		{ "'sub':'7','role':''", "role" },
		{ "'sub':'7','role':2", "role" },
		{ "'sub':'7','role':['staff']", "role" },
		{ "'sub':'7','role':'staff','name':7", "name" },
		{ "'sub':'7','role':'staff','name':'a\\tb'", "name" },
		{ "'sub':'7','role':'staff','tenant':null", "tenant" },
		{ "'sub':'7','role':'staff','tenant':''", "tenant" },
		{ "'sub':'7','role':'staff','tenant':7", "tenant" },
		{ "'sub':'7','role':'staff','practices':{'0':1,'length':1}", "practices" },
		{ "'sub':'7','role':'staff','practices':{}", "practices" },
		{ "'sub':'7','role':'staff','practices':'1'", "practices" },
		{ "'sub':'7','role':'staff','practices':1", "practices" },
		{ "'sub':'7','role':'staff','practices':[null]", "practices" },
		{ "'sub':'7','role':'staff','practices':[[1]]", "practices" },
		{ "'sub':'7','role':'staff','practices':[1,1.5]", "practices" },
		{ "'sub':'7','role':'staff','practices':['']", "practices" },
		{ "'sub':'7','role':'staff','practices':['a\\u0001']", "practices" },
		{ "'sub':'7','role':'staff','practices':['*',1]", "practices" },
		{ "'sub':'7','role':'staff','practices':['*','*']", "practices" },
		{ "'sub':'7','role':'patient','practices':['*']", "practices" },
		{ "'sub':'7','role':'staff','practiceId':'*'", "practiceId" },
		{ "'sub':'7','role':'staff','practiceId':[1]", "practiceId" },
		{ "'sub':'7','role':'staff','practiceId':''", "practiceId" },
		{ "'sub':'7','role':'staff','rooms':null", "rooms" },
		{ "'sub':'7','role':'staff','rooms':'r'", "rooms" },
		{ "'sub':'7','role':'staff','rooms':{}", "rooms" },
		{ "'sub':'7','role':'staff','rooms':[{}]", "rooms" },
		{ "'sub':'7','role':'staff','jti':7", "jti" },
		{ "'sub':'7','role':'staff','jti':null", "jti" },
	};
	struct px_claim_names names = PX_CLAIM_NAMES_DEFAULT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *claims = format("{%s,'exp':1700000060}", cases[i].claims);
		ck_assert_msg(verdict_on_claims(claims) == PX_TOKEN_CLAIMS, "%s", claims);

		struct px_token *token = NULL;
		const char *claim = NULL;
		struct json_object *object = NULL;
		char *text = quoted(claims);
		ck_assert_int_eq(px_strict_json_parse(px_span(text), &object), 0);
		ck_assert_int_eq(px_claims_read(object, &names, 0, &token, &claim), -EINVAL);
		ck_assert_str_eq(claim, cases[i].wrong);
		ck_assert_int_eq(px_claims_read(object, &names, 0, &token, NULL), -EINVAL);
		ck_assert_ptr_null(token);
		json_object_put(object);
		free(text);
		free(claims);
	}
}
END_TEST

START_TEST(refuses_duplicate_claims)
{
	use_rules();
	static const char *const cases[] = {
		"{'sub':'7','sub':'8','role':'staff','exp':1700000060}",
		"{'sub':'7','role':'staff','role':'admin','exp':1700000060}",
		"{'sub':'7','role':'staff','\\u0072ole':'admin','exp':1700000060}",
		"{'sub':'7','role':'staff','exp':1600000000,'exp':1700000060}",
		"{'sub':'7','role':'staff','exp':1700000060,'x':1,'x':1}",
		"{'sub':'7','role':'staff','exp':1700000060,'x':[{'y':{'z':1,'z':2}}]}",
		"{'sub':'7','role':'staff','exp':1700000060,'':1,'':2}",
		"{'sub\\u0000':'7','sub':'8','role':'staff','exp':1700000060}",
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(verdict_on_claims(cases[i]) == PX_TOKEN_MALFORMED, "%s", cases[i]);
	}
	static const char *const no_object[] = { "[]", "'x'", "1", "null", "", "{", "\xff" };
	for (size_t i = 0; i < sizeof(no_object) / sizeof(no_object[0]); i++) {
		ck_assert_msg(verdict_on_claims(no_object[i]) != GOOD, "%s", no_object[i]);
	}
}
END_TEST

/* Claims with `count` practices or rooms. */
static char *many(const char *list, size_t count, size_t id_len)
{
	size_t room = count * (id_len + 4) + 256;
	char *text = malloc(room);
	char *at = text + snprintf(text, room, "{'sub':'7','role':'staff','exp':1700000060,'%s':[",
			list);
	for (size_t i = 0; i < count; i++) {
		at += snprintf(at, 16, "%s'%0*zu'", i > 0 ? "," : "", 0, i);
	}
	strcpy(at, "]}");
	return text;
}

START_TEST(limits_practices_and_rooms)
{
	use_rules();
	rules.max_bytes = PX_TOKEN_BYTES_MAX;
	static const char *const lists[] = { "practices", "rooms" };
	for (size_t i = 0; i < 2; i++) {
		static const struct {
			size_t count;
			int verdict;
		} cases[] = { { 1000, GOOD }, { 1001, PX_TOKEN_CLAIMS },
			{ 10000, PX_TOKEN_CLAIMS } };
		for (size_t k = 0; k < 3; k++) {
			char *claims = many(lists[i], cases[k].count, 8);
			ck_assert_int_eq(verdict_on_claims(claims), cases[k].verdict);
			free(claims);
		}
	}
	rules.max_bytes = 16384;
	char *claims = many("practices", 10000, 8);
	ck_assert_int_eq(verdict_on_claims(claims), PX_TOKEN_TOO_LONG);
	free(claims);
}
END_TEST

START_TEST(limits_texts)
{
	use_rules();
	static const struct {
		const char *before;
		const char *after;
		int max;
	} cases[] = {
		{ "'role':'staff','sub':'", "'", PX_ID_MAX },
		{ "'role':'staff','sub':'7','name':'", "'", PX_NAME_MAX },
		{ "'role':'staff','sub':'7','tenant':'", "'", PX_ID_MAX },
		{ "'role':'staff','sub':'7','practices':['", "']", PX_ID_MAX },
		{ "'role':'staff','sub':'7','practiceId':'", "'", PX_ID_MAX },
		{ "'role':'staff','sub':'7','rooms':['", "']", PX_ID_MAX },
		{ "'role':'staff','sub':'7','jti':'", "'", PX_JTI_MAX },
	};
	char filler[512];
	memset(filler, 'x', sizeof(filler));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int over = 0; over < 2; over++) {
			char *claims = format("{'exp':1700000060,%s%.*s%s}", cases[i].before,
					cases[i].max + over, filler, cases[i].after);
			ck_assert_msg(verdict_on_claims(claims) == (over ? PX_TOKEN_CLAIMS : GOOD),
					"%s", claims);
			free(claims);
		}
	}
}
END_TEST

START_TEST(takes_all_practices)
{
	use_rules();
	struct px_token *token = read_claims(
			"{'sub':'7','role':'admin','practices':['*'],'exp':1700000060}");
	ck_assert(token->all_practices);
	ck_assert_uint_eq(token->practice_count, 0);
	px_token_destroy(token);
	token = read_claims("{'sub':'7','role':'admin','practices':[],'exp':1700000060}");
	ck_assert(!token->all_practices);
	px_token_destroy(token);
}
END_TEST

START_TEST(takes_other_names_and_a_default_role)
{
	use_rules();
	rules.names.practices = "https://example.org/practices";
	rules.names.role = "https://example.org/role";
	rules.names.sub = "uid";
	struct px_token *token = read_claims("{'sub':'x','uid':5,'role':'admin','practices':[9],"
			"'https://example.org/role':'patient','exp':1700000060,"
			"'https:\\/\\/example.org\\/practices':[1,2]}");
	ck_span(token->user.text, "5");
	ck_assert_int_eq(token->role, PX_ROLE_PATIENT);
	ck_assert_uint_eq(token->practice_count, 2);
	px_token_destroy(token);
	ck_assert_int_eq(verdict_on_claims("{'uid':5,'role':'admin','exp':1700000060}"),
			PX_TOKEN_CLAIMS);
	rules.default_role = PX_ROLE_STAFF;
	token = read_claims("{'uid':5,'role':'admin','exp':1700000060}");
	ck_assert_int_eq(token->role, PX_ROLE_STAFF);
	px_token_destroy(token);
	ck_assert_int_eq(verdict_on_claims("{'uid':5,'https://example.org/role':'x',"
			"'exp':1700000060}"), PX_TOKEN_CLAIMS);
}
END_TEST

/* ---- JSON ---- */

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

/* ---- minting ---- */

static char *minted(const struct px_mint *mint, const char *expected_wrong)
{
	char *token = NULL;
	const char *wrong = NULL;
	int rc = px_mint_token(mint, &token, &wrong);
	ck_assert_int_eq(rc, expected_wrong ? -EINVAL : 0);
	if (expected_wrong) {
		ck_assert_str_eq(wrong, expected_wrong);
		ck_assert_ptr_null(token);
	}
	return token;
}

START_TEST(mints_tokens)
{
	use_rules();
	static const char *const practices[] = { "1", "007", "12345678901234567890", "x" };
	static const char *const rooms[] = { "r" };
	struct px_mint mint = {
		.secret = px_span(SECRET),
		.user = "7",
		.role = "patient",
		.name = "M\xc3\xbcller \"A\"/B",
		.tenant = "acme",
		.issuer = "i",
		.audience = "a",
		.practices = practices,
		.practice_count = 4,
		.rooms = rooms,
		.room_count = 1,
		.now_s = NOW,
		.ttl_s = 60,
	};
	struct px_keys *keys = secret_keys();
	struct px_token *token = NULL;
	char *text = minted(&mint, NULL);
	rules.issuer = "i";
	rules.audience = "a";
	ck_assert_int_eq(verdict_of(keys, px_span(text), &token), GOOD);
	ck_span(token->user.text, "7");
	ck_assert(!token->user.number);
	ck_span(token->name, mint.name);
	ck_span(token->tenant, "acme");
	ck_assert_int_eq(token->role, PX_ROLE_PATIENT);
	ck_assert_uint_eq(token->practice_count, 4);
	ck_assert(token->practices[0].number);
	for (size_t i = 0; i < 4; i++) {
		ck_span(token->practices[i].text, practices[i]);
		ck_assert(i == 0 || !token->practices[i].number);
	}
	ck_assert_uint_eq(token->room_count, 1);
	ck_assert_int_eq(token->expires_s, NOW + 60);
	px_token_destroy(token);
	free(text);

	struct px_mint bare = { .secret = px_span(SECRET), .user = "u", .role = "admin",
		.kid = "k", .now_s = NOW };
	use_rules();
	ck_assert_int_eq(verdict(keys, minted(&bare, NULL)), PX_TOKEN_UNKNOWN_KEY);
	bare.kid = NULL;
	ck_assert_int_eq(verdict(keys, minted(&bare, NULL)), PX_TOKEN_NO_EXPIRY);
	rules.require_exp = false;
	ck_assert_int_eq(verdict(keys, minted(&bare, NULL)), GOOD);
	px_keys_destroy(keys);
}
END_TEST

START_TEST(mints_nothing_wrong)
{
	static const char *const bad_ids[] = { "a\nb" };
	struct px_mint good = { .secret = px_span(SECRET), .user = "u", .role = "admin",
		.now_s = NOW, .ttl_s = 1 };
	struct px_mint mint = good;
	mint.secret.len = 0;
	minted(&mint, "secret");
	mint = good;
	mint.kid = "\xff";
	minted(&mint, "kid");
	mint = good;
	mint.user = NULL;
	minted(&mint, "user");
	mint.user = "";
	minted(&mint, "user");
	mint.user = "\x01";
	minted(&mint, "user");
	mint = good;
	mint.role = NULL;
	minted(&mint, "role");
	mint.role = "root";
	minted(&mint, "role");
	mint = good;
	mint.practices = bad_ids;
	mint.practice_count = 1;
	minted(&mint, "practice");
	mint = good;
	mint.rooms = bad_ids;
	mint.room_count = 1;
	minted(&mint, "room");
	mint = good;
	mint.name = "\xff";
	minted(&mint, "name");
	mint = good;
	mint.tenant = "\n";
	minted(&mint, "tenant");
	mint = good;
	mint.issuer = "\n";
	minted(&mint, "issuer");
	mint = good;
	mint.audience = "\n";
	minted(&mint, "audience");
}
END_TEST

START_TEST(reads_ttls)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: refused */
	} cases[] = {
		{ "90s", 90 }, { "30m", 1800 }, { "1h", 3600 }, { "7d", 604800 },
		{ "3653d", 315619200 }, { "3654d", 0 }, { "0s", 0 }, { "", 0 }, { "s", 0 },
		{ "1", 0 }, { "-1h", 0 }, { "1h ", 0 }, { " 1h", 0 }, { "1hh", 0 }, { "1w", 0 },
		{ "1.5h", 0 }, { "1H", 0 }, { "99999999999999999999s", 0 }, { "0x1s", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds = 0;
		int rc = px_mint_parse_ttl(cases[i].text, &seconds);
		ck_assert_msg(rc == (cases[i].seconds ? 0 : -EINVAL), "%s", cases[i].text);
		ck_assert_int_eq(seconds, cases[i].seconds);
	}
}
END_TEST

/* ---- the rest ---- */

START_TEST(every_fault_has_its_words)
{
	for (int i = 0; i < PX_TOKEN_FAULTS; i++) {
		ck_assert_ptr_nonnull(px_token_fault_text(i));
		for (int k = 0; k < i; k++) {
			ck_assert_str_ne(px_token_fault_name(i), px_token_fault_name(k));
			ck_assert_str_ne(px_token_fault_text(i), px_token_fault_text(k));
		}
	}
	ck_assert_str_eq(px_token_fault_name(PX_TOKEN_EXPIRED), "expired");
}
END_TEST

START_TEST(destroys_nothing)
{
	px_token_destroy(NULL);
}
END_TEST

RUN_TESTS("token", takes_each_algorithm, refuses_other_keys, refuses_unsigned_tokens,
		refuses_a_public_key_as_secret, refuses_other_curves, takes_no_key_from_the_token,
		finds_keys_by_their_kid, checks_the_header, refuses_what_is_no_token,
		limits_the_length, refuses_mangled_tokens, takes_one_spelling_of_base64url,
		checks_times, checks_issuer_and_audience, reads_all_claims, keeps_the_digits_of_ids,
		refuses_what_json_c_clamped, refuses_wrong_claims, refuses_duplicate_claims,
		limits_practices_and_rooms, limits_texts, takes_all_practices,
		takes_other_names_and_a_default_role, reads_strict_json, bounds_depth_and_numbers,
		mints_tokens, mints_nothing_wrong, reads_ttls, every_fault_has_its_words,
		destroys_nothing);
