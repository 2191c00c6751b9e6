/* SPDX-License-Identifier: MIT */
/*
 * Tokens: who is let in, and everything that must not get anybody in.
 */
#include "test_verdict.h"

#include "fake.h"

/* ---- signatures ---- */

START_TEST(takes_each_algorithm)
{
	use_rules();
	static const char *const algs[] = { "RS256", "ES256", "EdDSA" };
	EVP_PKEY *made[] = { new_rsa(2048), new_ec("P-256"), new_ed25519() };
	write_keys(jwk(made[0], "r"), jwk(made[1], "e"), jwk(made[2], "d"));
	struct px_jwks *keys = keys_of(true, true, "");
	ck_assert_uint_eq(px_jwks_count(keys), 4);
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
	px_jwks_destroy(keys);
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
		struct px_jwks *keys = keys_of(true, false, "");
		ck_assert_int_eq(verdict(keys, token_of(made[i], headers[i], CLAIMS)), GOOD);
		ck_assert_int_eq(verdict(keys, token_of(others[i], headers[i], CLAIMS)),
				PX_TOKEN_SIGNATURE);
		px_jwks_destroy(keys);
		EVP_PKEY_free(made[i]);
		EVP_PKEY_free(others[i]);
	}
}
END_TEST

START_TEST(refuses_unsigned_tokens)
{
	use_rules();
	struct px_jwks *keys = secret_keys();
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
	px_jwks_destroy(keys);
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
		struct px_jwks *keys = keys_of(true, with_secret, "");
		ck_assert_int_eq(verdict(keys, confused("{'alg':'HS256','kid':'r'}", text,
				strlen(text))), PX_TOKEN_ALGORITHM);
		ck_assert_int_eq(verdict(keys, confused("{'alg':'HS256','kid':'r'}", der,
				(size_t)der_len)), PX_TOKEN_ALGORITHM);
		ck_assert_int_eq(verdict(keys, confused(HS, der, (size_t)der_len)),
				with_secret ? PX_TOKEN_SIGNATURE : PX_TOKEN_ALGORITHM);
		px_jwks_destroy(keys);
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
	struct px_jwks *keys = keys_of(true, false, "W FILE: key 1 (\"w\") is skipped: its \"crv\" "
			"is not P-256 (EC) or Ed25519 (OKP)\n");
	ck_assert_int_eq(verdict(keys, token_of(wide, "{'alg':'ES384','kid':'w'}", CLAIMS)),
			PX_TOKEN_ALGORITHM);
	ck_assert_int_eq(verdict(keys, token_of(wide, "{'alg':'ES256','kid':'w'}", CLAIMS)),
			PX_TOKEN_UNKNOWN_KEY);
	ck_assert_int_eq(verdict(keys, token_of(wide, "{'alg':'ES256','kid':'g'}", CLAIMS)),
			PX_TOKEN_SIGNATURE);
	px_jwks_destroy(keys);
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
	struct px_jwks *keys = keys_of(true, false, "");
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
	px_jwks_destroy(keys);
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
}
END_TEST

START_TEST(finds_keys_by_their_kid)
{
	use_rules();
	write_keys(secret_jwk(SECRET, "a"), secret_jwk("another secret of 32 bytes, yes.", "b"),
			NULL);
	struct px_jwks *keys = keys_of(true, false, "");
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
	px_jwks_destroy(keys);

	/* a secret of the configuration has no name unless it was given one */
	ck_assert_int_eq(verdict_on_header("{'alg':'HS256','kid':'a'}"), PX_TOKEN_UNKNOWN_KEY);
	struct px_jwks_source source = { .secret = px_span(SECRET), .secret_kid = "main" };
	ck_assert_int_eq(px_jwks_create(&source, &sink, &keys), 0);
	ck_assert_int_eq(verdict(keys, token_of(NULL, "{'alg':'HS256','kid':'main'}", CLAIMS)),
			GOOD);
	ck_assert_int_eq(verdict(keys, token_of(NULL, HS, CLAIMS)), GOOD);
	px_jwks_destroy(keys);
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
	struct px_jwks *keys = secret_keys();
	static const char *const texts[] = { "", ".", "..", "...", "....", "a.b.c", "a.b.c.d.e",
		"x", "e30.e30.", "e30..e30", ".e30.e30", "{}",
		"{\"payload\":\"\",\"signatures\":[]}", "Bearer e30.e30.e30", "\xff\xfe" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_msg(verdict_of(keys, px_span(texts[i]), NULL) == PX_TOKEN_MALFORMED, "%s",
				texts[i]);
	}
	ck_assert_int_eq(verdict_of(keys, (struct px_span){ NULL, 0 }, NULL), PX_TOKEN_MALFORMED);
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(limits_the_length)
{
	use_rules();
	struct px_jwks *keys = secret_keys();
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
	px_jwks_destroy(keys);
}
END_TEST

/* Each prefix, and each with one bit of it flipped; all are refused. */
static void mangle(const struct px_jwks *keys, char *token)
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
	struct px_jwks *keys = keys_of(true, true, "");
	mangle(keys, token_of(NULL, HS, CLAIMS));
	mangle(keys, token_of(made[0], "{'alg':'RS256'}", CLAIMS));
	mangle(keys, token_of(made[1], "{'alg':'ES256'}", CLAIMS));
	mangle(keys, token_of(made[2], "{'alg':'EdDSA'}", CLAIMS));
	px_jwks_destroy(keys);
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY_free(made[i]);
	}
}
END_TEST

START_TEST(takes_one_spelling_of_base64url)
{
	use_rules();
	struct px_jwks *keys = secret_keys();
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
	px_jwks_destroy(keys);
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
		{ "'exp':1e999", 0, PX_TOKEN_PAYLOAD },
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

START_TEST(what_is_signed_is_no_guess)
{
	for (int i = 0; i < PX_TOKEN_FAULTS; i++) {
		bool is_signed = i == PX_TOKEN_PAYLOAD || i == PX_TOKEN_EXPIRED || i == PX_TOKEN_NOT_YET ||
				i == PX_TOKEN_ISSUER || i == PX_TOKEN_AUDIENCE ||
				i == PX_TOKEN_NO_EXPIRY || i == PX_TOKEN_CLAIMS;
		ck_assert_int_eq(px_token_fault_is_guess(i), !is_signed);
		ck_assert_ptr_nonnull(px_token_fault_name(i));
		ck_assert_ptr_nonnull(px_token_fault_text(i));
	}
}
END_TEST

RUN_TESTS("token", takes_each_algorithm, refuses_other_keys, refuses_unsigned_tokens,
		refuses_a_public_key_as_secret, refuses_other_curves, takes_no_key_from_the_token,
		finds_keys_by_their_kid, checks_the_header, refuses_what_is_no_token, limits_the_length,
		refuses_mangled_tokens, takes_one_spelling_of_base64url, checks_times,
		checks_issuer_and_audience, every_fault_has_its_words, destroys_nothing,
		what_is_signed_is_no_guess);
