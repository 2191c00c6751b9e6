/* SPDX-License-Identifier: MIT */
/*
 * Key sets: which keys are taken, and a file that changes, breaks, vanishes and comes back
 * under a running server.
 */
#include "test_token_util.h"

#include "fake.h"
#include "leftover.h"
#include "pieces.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>

#define SECRET_B "another secret of 32 bytes, yes."
#define X32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define K32 "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"

/* The wall clock of the keys, in place of libc's: so much later than it is. */
static time_t later_s;

time_t time(time_t *ret_time)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += later_s;
	if (ret_time) {
		*ret_time = now.tv_sec;
	}
	return now.tv_sec;
}

static char *set_of(const char *jwks)
{
	return format("{\"keys\":[%s]}", jwks);
}

/* The file's times as they would be had it been written an hour ago. */
static void age_jwks(void)
{
	struct timeval then = { .tv_sec = time(NULL) - 3600 };
	struct timeval times[] = { then, then };
	ck_assert_int_eq(utimes(jwks_path, times), 0);
}

static int reload(struct px_jwks *keys, const char *expected)
{
	complaints[0] = '\0';
	int rc = px_jwks_reload_if_changed(keys, &sink);
	ck_assert_str_eq(complaints, expected);
	return rc;
}

/* What the set says of a message signed with `secret`, for a key called `kid`. */
static int verify(const struct px_jwks *keys, const char *secret, const char *kid)
{
	unsigned char mac[64];
	struct px_signed message = {
		.token = px_span("header.payload."),
		.signed_len = strlen("header.payload"),
		.signature = mac,
	};
	message.signature_len = hmac_sign(secret, strlen(secret), "header.payload", mac);
	return px_jwks_verify(keys, PX_KEY_HS256, px_span(kid), &message);
}

/* ---- which keys ---- */

START_TEST(takes_keys)
{
	static const char *const good[] = {
		"{'kty':'oct','k':'" K32 "'}",
		"{'kty':'oct','k':'" K32 "','alg':'HS256','use':'sig','key_ops':['sign','verify']}",
		"{'kty':'OKP','crv':'Ed25519','x':'" X32 "','alg':'EdDSA','kid':'\xc3\xa9'}",
		"{'kty':'OKP','crv':'Ed25519','x':'" X32 "','alg':'Ed25519'}",
		"{'kty':'OKP','crv':'Ed25519','x':'" X32 "','key_ops':['verify'],'foo':{'bar':1}}",
		"{'kty':'OKP','crv':'Ed25519','x':'" X32 "','x5u':'http://127.0.0.1:9/'}",
		"{'kty':'EC','crv':'P-256','x':'" X32 "','y':'" X32 "'}",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *jwks = quoted(good[i]);
		char *text = set_of(jwks);
		write_jwks(text);
		struct px_jwks *keys = keys_of(true, false, "");
		ck_assert_uint_eq(px_jwks_count(keys), 1);
		px_jwks_destroy(keys);
		free(text);
		free(jwks);
	}
}
END_TEST

#define NOT_CRV "its \"crv\" is not P-256 (EC) or Ed25519 (OKP)"
#define NOT_ALG "its \"alg\" is not HS256 (oct), RS256 (RSA), ES256 (EC), EdDSA or Ed25519 (OKP)"
#define NOT_KTY "its \"kty\" is not oct, RSA, EC or OKP"
#define NOT_USE "its \"use\" or \"key_ops\" is not for signatures"
#define NOT_K "its \"k\" is not base64url of 1 to 1024 bytes"
#define NOT_XY "its \"x\" or \"y\" is not base64url of 32 bytes"
#define NOT_N "its \"n\" is not a modulus of 2048 to 8192 bits"
#define NOT_E "its \"e\" is not an odd number from 3"
#define NOT_KID "its \"kid\" is not a string of 1 to 256 bytes"

START_TEST(skips_keys_of_no_use)
{
	static const struct {
		const char *jwk;
		const char *reason;
	} cases[] = {
		{ "null", "it is not an object" },
		{ "[]", "it is not an object" },
		{ "'oct'", "it is not an object" },
		{ "{}", NOT_KTY },
		{ "{'kty':'dsa'}", NOT_KTY },
		{ "{'kty':1}", NOT_KTY },
		{ "{'kty':'rsa'}", NOT_KTY },
		{ "{'kty':'OCT','k':'" K32 "'}", NOT_KTY },
		{ "{'kty':'EC'}", NOT_CRV },
		{ "{'kty':'EC','crv':'P-384','x':'" X32 "','y':'" X32 "'}", NOT_CRV },
		{ "{'kty':'EC','crv':'secp256k1','x':'" X32 "','y':'" X32 "'}", NOT_CRV },
		{ "{'kty':'EC','crv':'Ed25519','x':'" X32 "'}", NOT_CRV },
		{ "{'kty':'OKP','crv':'X25519','x':'" X32 "'}", NOT_CRV },
		{ "{'kty':'OKP','crv':'Ed448','x':'" X32 "'}", NOT_CRV },
		{ "{'kty':'OKP','crv':'P-256','x':'" X32 "'}", NOT_CRV },
		{ "{'kty':'oct','k':'" K32 "','alg':'HS512'}", NOT_ALG },
		{ "{'kty':'oct','k':'" K32 "','alg':null}", NOT_ALG },
		{ "{'kty':'oct','k':'" K32 "','alg':'Ed25519'}", NOT_ALG },
		{ "{'kty':'OKP','crv':'Ed25519','x':'" X32 "','alg':'Ed448'}", NOT_ALG },
		{ "{'kty':'RSA','alg':'RSA-OAEP','n':'AQAB','e':'AQAB'}", NOT_ALG },
		{ "{'kty':'RSA','alg':'HS256','n':'AQAB','e':'AQAB'}", NOT_ALG },
		{ "{'kty':'oct','k':'" K32 "','use':'enc'}", NOT_USE },
		{ "{'kty':'oct','k':'" K32 "','use':['sig']}", NOT_USE },
		{ "{'kty':'oct','k':'" K32 "','key_ops':[]}", NOT_USE },
		{ "{'kty':'oct','k':'" K32 "','key_ops':'verify'}", NOT_USE },
		{ "{'kty':'oct','k':'" K32 "','key_ops':['encrypt',7]}", NOT_USE },
		{ "{'kty':'oct'}", NOT_K },
		{ "{'kty':'oct','k':''}", NOT_K },
		{ "{'kty':'oct','k':5}", NOT_K },
		{ "{'kty':'oct','k':'AAAA='}", NOT_K },
		{ "{'kty':'oct','k':'a+b/'}", NOT_K },
		{ "{'kty':'oct','k':'A'}", NOT_K },
		{ "{'kty':'oct','k':'" K32 "','kid':''}", NOT_KID },
		{ "{'kty':'oct','k':'" K32 "','kid':7}", NOT_KID },
		{ "{'kty':'oct','k':'" K32 "','kid':null}", NOT_KID },
		{ "{'kty':'oct','k':'" K32 "','kid':'a\\n'}", NOT_KID },
		{ "{'kty':'RSA','n':'AQAB','e':'AQAB'}", NOT_N },
		{ "{'kty':'RSA','e':'AQAB'}", NOT_N },
		{ "{'kty':'OKP','crv':'Ed25519'}", NOT_XY },
		{ "{'kty':'OKP','crv':'Ed25519','x':'AAAA'}", NOT_XY },
		{ "{'kty':'OKP','crv':'Ed25519','x':'" X32 "A'}", NOT_XY },
		{ "{'kty':'EC','crv':'P-256','x':'" X32 "'}", NOT_XY },
		{ "{'kty':'EC','crv':'P-256','x':'" X32 "','y':'AAAA'}", NOT_XY },
		{ "{'kty':'EC','crv':'P-256','x':7,'y':'" X32 "'}", NOT_XY },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *jwk_text = quoted(cases[i].jwk);
		char *good = secret_jwk(SECRET, "good");
		char *both = format("%s,%s", good, jwk_text);
		char *text = set_of(both);
		char *expected = format("W FILE: key 2 is skipped: %s\n", cases[i].reason);
		write_jwks(text);
		struct px_jwks *keys = keys_of(true, false, expected);
		ck_assert_uint_eq(px_jwks_count(keys), 1);
		px_jwks_destroy(keys);
		free(expected);
		free(text);

		/* alone it is no key set at all */
		text = set_of(jwk_text);
		expected = format("W FILE: key 1 is skipped: %s\n"
				"E FILE: none of its keys can be used\n", cases[i].reason);
		write_jwks(text);
		keys_of(true, false, expected);
		free(expected);
		free(text);
		free(both);
		free(good);
		free(jwk_text);
	}
}
END_TEST

/* A JWK of a modulus of that many bytes, all 0xff but the first, and an exponent. */
static char *rsa_jwk(size_t len, unsigned first, const char *e)
{
	unsigned char bytes[2048];
	memset(bytes, 0xff, len);
	bytes[0] = (unsigned char)first;
	char *n = b64(bytes, len);
	char *text = format("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n, e);
	free(n);
	return text;
}

START_TEST(wants_good_rsa_keys)
{
	static const struct {
		size_t len;
		unsigned first;
		const char *e;
		const char *reason;
	} cases[] = {
		{ 256, 0x80, "AQAB", NULL },
		{ 256, 0x7f, "AQAB", NOT_N },
		{ 257, 0, "AQAB", NULL },
		{ 255, 0xff, "AQAB", NOT_N },
		{ 1024, 0xff, "AQAB", NULL },
		{ 1025, 0xff, "AQAB", NOT_N },
		{ 2048, 0xff, "AQAB", NOT_N },
		{ 256, 0xff, "Aw", NULL },
		{ 256, 0xff, "AQ", NOT_E },
		{ 256, 0xff, "AA", NOT_E },
		{ 256, 0xff, "", NOT_E },
		{ 256, 0xff, "AAAB", NOT_E },
		{ 256, 0xff, "BA", NOT_E },
		{ 256, 0xff, "__________8", NULL },
		{ 256, 0xff, "____________", NOT_E },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *expected = format(cases[i].reason ? "W FILE: key 1 is skipped: %s\n" : "%s",
				cases[i].reason ? cases[i].reason : "");
		write_keys(rsa_jwk(cases[i].len, cases[i].first, cases[i].e),
				secret_jwk(SECRET, "good"), NULL);
		struct px_jwks *keys = keys_of(true, false, expected);
		ck_assert_uint_eq(px_jwks_count(keys), cases[i].reason ? 1 : 2);
		px_jwks_destroy(keys);
		free(expected);
	}
}
END_TEST

START_TEST(takes_the_public_part_of_private_keys)
{
	EVP_PKEY *made[] = { new_rsa(2048), new_ec("P-256"), new_ed25519() };
	write_keys(private_jwk(made[0], "r"), private_jwk(made[1], "e"), private_jwk(made[2], "d"));
#define PRIVATE(number, kid) \
	"W FILE: key " number " (\"" kid "\") is a private key, which is not " \
	"needed to verify tokens; only its public part is used\n"
	struct px_jwks *keys = keys_of(true, false, PRIVATE("1", "r") PRIVATE("2", "e")
			PRIVATE("3", "d"));
	static const char *const headers[] = { "{'alg':'RS256','kid':'r'}",
		"{'alg':'ES256','kid':'e'}", "{'alg':'EdDSA','kid':'d'}" };
	for (size_t i = 0; i < 3; i++) {
		struct px_token *token = NULL;
		enum px_token_fault fault;
		char *text = token_of(made[i], headers[i], "{'sub':'7','role':'staff','exp':2}");
		int rc = px_token_verify(keys, &px_token_rules_default, px_span(text), 1, &token,
				&fault);
		ck_assert_int_eq(rc, 0);
		px_token_destroy(token);
		free(text);
		EVP_PKEY_free(made[i]);
	}
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(warns_of_weak_secrets)
{
	struct px_jwks *keys = NULL;
	struct px_jwks_source source = { .secret = px_span("short") };
	complaints[0] = '\0';
	ck_assert_int_eq(px_jwks_create(&source, &sink, &keys), 0);
	ck_assert_str_eq(complaints, "W the secret for tokens has fewer than 32 bytes and can be "
			"guessed\n");
	ck_assert_int_eq(verify(keys, "short", NULL), 0);
	px_jwks_destroy(keys);
	write_keys(secret_jwk("short", "s"), NULL, NULL);
	keys = keys_of(true, false,
			"W FILE: key 1 (\"s\") is a secret of fewer than 32 bytes, which "
			"can be guessed\n");
	px_jwks_destroy(keys);

	struct px_jwks_source none = { .secret = { NULL, 0 } };
	complaints[0] = '\0';
	ck_assert_int_eq(px_jwks_create(&none, &sink, &keys), -EINVAL);
	ck_assert_str_eq(complaints, "E verifying tokens requires a secret or a key set\n");
}
END_TEST

START_TEST(refuses_what_is_no_key_set)
{
#define NO_JSON "E FILE: not a key set: it is not valid JSON, not an object, or has duplicate names\n"
#define NO_KEYS "E FILE: not a key set: it has no array \"keys\"\n"
	static const struct {
		const char *text;
		const char *complaint;
	} cases[] = {
		{ "", NO_JSON }, { "rubbish", NO_JSON }, { "{", NO_JSON }, { "[]", NO_JSON },
		{ "{'keys':[]}x", NO_JSON }, { "{'keys':[],'keys':[]}", NO_JSON },
		{ "{'keys':[{'kty':'oct','kty':'oct'}]}", NO_JSON }, { "\xff", NO_JSON },
		{ "{}", NO_KEYS }, { "{'keys':{}}", NO_KEYS }, { "{'keys':null}", NO_KEYS },
		{ "{'kty':'oct','k':'" K32 "'}", NO_KEYS },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = quoted(cases[i].text);
		write_jwks(text);
		keys_of(true, false, cases[i].complaint);
		keys_of(true, true, cases[i].complaint);
		free(text);
	}
	write_jwks("{\"keys\":[]}");
	struct px_jwks *keys = keys_of(true, false, "W FILE: the key set is empty\n");
	ck_assert_uint_eq(px_jwks_count(keys), 0);
	ck_assert_int_eq(verify(keys, SECRET, NULL), -ENOTSUP);
	ck_assert_int_eq(verify(keys, SECRET, "a"), -ENOKEY);
	px_jwks_destroy(keys);
}
END_TEST

/* {"keys":[…]} of `count` secrets: "0", "1", … */
static void write_many(unsigned count)
{
	char *text = strdup("");
	for (unsigned i = 0; i < count; i++) {
		char name[16];
		char secret[48];
		(void)snprintf(name, sizeof(name), "%u", i);
		(void)snprintf(secret, sizeof(secret), "%032u", i);
		char *one = secret_jwk(secret, name);
		char *more = format("%s%s%s", text, i > 0 ? "," : "", one);
		free(one);
		free(text);
		text = more;
	}
	char *set = set_of(text);
	write_jwks(set);
	free(set);
	free(text);
}

START_TEST(limits_the_number_of_keys)
{
	char secret[48];
	write_many(PX_KEYS_MAX + 1);
	keys_of(true, false, "E FILE: the key set has 65 keys; 64 are permitted\n");
	write_many(PX_KEYS_MAX);
	struct px_jwks *keys = keys_of(true, true, "");
	ck_assert_uint_eq(px_jwks_count(keys), PX_KEYS_MAX + 1);
	(void)snprintf(secret, sizeof(secret), "%032u", PX_KEYS_MAX - 1);
	ck_assert_int_eq(verify(keys, secret, "63"), 0);
	ck_assert_int_eq(verify(keys, secret, "62"), -EBADMSG);
	ck_assert_int_eq(verify(keys, secret, NULL), -EBADMSG); /* too many to try */
	(void)snprintf(secret, sizeof(secret), "%032u", PX_KEYS_TRIES_MAX - 2);
	ck_assert_int_eq(verify(keys, secret, NULL), 0);
	(void)snprintf(secret, sizeof(secret), "%032u", PX_KEYS_TRIES_MAX - 1);
	ck_assert_int_eq(verify(keys, secret, NULL), -EBADMSG);
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(reads_nothing_but_files)
{
	use_jwks_file();
	(void)unlink(jwks_path);
	keys_of(true, false, "E FILE: No such file or directory\n");
	ck_assert_int_eq(mkfifo(jwks_path, 0600), 0);
	keys_of(true, false, "E FILE: not a regular file\n");
	(void)unlink(jwks_path);
	ck_assert_int_eq(mkdir(jwks_path, 0700), 0);
	keys_of(true, false, "E FILE: not a regular file\n");
	(void)rmdir(jwks_path);

	char *large = malloc(PX_KEYS_BYTES_MAX + 2);
	memset(large, ' ', PX_KEYS_BYTES_MAX + 1);
	large[PX_KEYS_BYTES_MAX + 1] = '\0';
	write_jwks(large);
	keys_of(true, false, "E FILE: larger than 1 MiB\n");
	memcpy(large, "{\"keys\":[]}", 11);
	large[PX_KEYS_BYTES_MAX] = '\0';
	write_jwks(large);
	px_jwks_destroy(keys_of(true, false, "W FILE: the key set is empty\n"));
	free(large);
}
END_TEST

START_TEST(reads_a_file_that_comes_in_pieces)
{
	write_many(3);
	pieces_begin(17, true);
	struct px_jwks *keys = keys_of(true, false, "");
	ck_assert_uint_gt(pieces_end(), 10);
	ck_assert_uint_eq(px_jwks_count(keys), 3);
	ck_assert_int_eq(verify(keys, "00000000000000000000000000000002", "2"), 0);
	px_jwks_destroy(keys);
}
END_TEST

/* ---- rotation ---- */

START_TEST(rotates_keys)
{
	write_keys(secret_jwk(SECRET, "old"), NULL, NULL);
	struct px_jwks *keys = keys_of(true, false, "");
	ck_assert_int_eq(reload(keys, ""), 0);
	ck_assert_int_eq(verify(keys, SECRET_B, "new"), -ENOKEY);
	write_keys(secret_jwk(SECRET, "old"), secret_jwk(SECRET_B, "new"), NULL);
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(reload(keys, ""), 0);
	ck_assert_int_eq(verify(keys, SECRET, "old"), 0);
	ck_assert_int_eq(verify(keys, SECRET_B, "new"), 0);
	ck_assert_int_eq(verify(keys, SECRET_B, NULL), 0);
	write_keys(secret_jwk(SECRET_B, "new"), NULL, NULL);
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(verify(keys, SECRET, "old"), -ENOKEY);
	ck_assert_int_eq(verify(keys, SECRET, "new"), -EBADMSG);
	ck_assert_int_eq(verify(keys, SECRET_B, "new"), 0);
	px_jwks_destroy(keys);
}
END_TEST

/* Written in place, as long as before, faster than a file system's clock ticks. */
START_TEST(sees_changes_within_a_tick)
{
	write_keys(secret_jwk(SECRET, "k"), NULL, NULL);
	struct px_jwks *keys = keys_of(true, false, "");
	for (int i = 0; i < 200; i++) {
		const char *now = i % 2 ? SECRET : SECRET_B;
		write_keys(secret_jwk(now, "k"), NULL, NULL);
		ck_assert_int_eq(reload(keys, ""), 1);
		ck_assert_int_eq(verify(keys, now, "k"), 0);
	}
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(sees_a_file_put_in_its_place)
{
	char other[80];
	write_keys(secret_jwk(SECRET, "k"), NULL, NULL);
	age_jwks();
	struct px_jwks *keys = keys_of(true, false, "");
	ck_assert_int_eq(reload(keys, ""), 0);
	(void)snprintf(other, sizeof(other), "%s.new", jwks_path);
	ck_assert_int_eq(rename(jwks_path, other), 0);
	write_keys(secret_jwk(SECRET_B, "k"), NULL, NULL);
	age_jwks();
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(rename(other, jwks_path), 0);
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(verify(keys, SECRET, "k"), 0);
	/* touched, but the same */
	age_jwks();
	ck_assert_int_eq(reload(keys, ""), 0);
	px_jwks_destroy(keys);
}
END_TEST

/* No descriptor, so that a look into it would fail. */
static int reload_unopened(struct px_jwks *keys)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit none = { 0, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	int rc = reload(keys, "");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return rc;
}

START_TEST(looks_no_more_into_a_file_that_stays)
{
	write_keys(secret_jwk(SECRET, "k"), NULL, NULL);
	later_s = 3600;
	struct px_jwks *keys = keys_of(true, false, "");
	ck_assert_int_eq(reload_unopened(keys), 0);
	write_keys(secret_jwk(SECRET, "k"), secret_jwk(SECRET_B, "b"), NULL);
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(verify(keys, SECRET_B, "b"), 0);
	ck_assert_int_eq(reload_unopened(keys), 0);
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(keeps_the_keys_where_the_file_is_rubbish)
{
	write_keys(secret_jwk(SECRET, "k"), NULL, NULL);
	struct px_jwks *keys = keys_of(true, false, "");
	write_jwks("rubbish");
	ck_assert_int_eq(reload(keys, NO_JSON), -EINVAL);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(reload(keys, ""), 0);
		ck_assert_int_eq(verify(keys, SECRET, "k"), 0);
	}
	write_jwks("other rubbish");
	ck_assert_int_eq(reload(keys, NO_JSON), -EINVAL);
	write_jwks("{\"keys\":[{\"kty\":\"x\"}]}");
	ck_assert_int_eq(reload(keys, "W FILE: key 1 is skipped: " NOT_KTY "\n"
			"E FILE: none of its keys can be used\n"), -EINVAL);
	ck_assert_int_eq(verify(keys, SECRET, "k"), 0);
	write_keys(secret_jwk(SECRET, "k"), NULL, NULL);
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(verify(keys, SECRET, "k"), 0);
	/* said so, a set may be empty */
	write_jwks("{\"keys\":[]}");
	ck_assert_int_eq(reload(keys, "W FILE: the key set is empty\n"), 1);
	ck_assert_int_eq(verify(keys, SECRET, "k"), -ENOKEY);
	px_jwks_destroy(keys);
}
END_TEST

START_TEST(keeps_the_keys_where_the_file_is_gone)
{
	write_keys(secret_jwk(SECRET, "k"), NULL, NULL);
	struct px_jwks *keys = keys_of(true, true, "");
	(void)unlink(jwks_path);
	ck_assert_int_eq(reload(keys, "E FILE: No such file or directory\n"), -ENOENT);
	ck_assert_int_eq(reload(keys, ""), 0);
	ck_assert_int_eq(reload(keys, ""), 0);
	ck_assert_int_eq(mkdir(jwks_path, 0700), 0);
	ck_assert_int_eq(reload(keys, "E FILE: not a regular file\n"), -ENOTSUP);
	ck_assert_int_eq(reload(keys, ""), 0);
	(void)rmdir(jwks_path);
	ck_assert_int_eq(verify(keys, SECRET, "k"), 0);
	ck_assert_int_eq(verify(keys, SECRET, NULL), 0);
	write_keys(secret_jwk(SECRET_B, "k"), NULL, NULL);
	ck_assert_int_eq(reload(keys, ""), 1);
	ck_assert_int_eq(verify(keys, SECRET_B, "k"), 0);
	ck_assert_int_eq(verify(keys, SECRET, NULL), 0);
	/* What comes back as it was is taken again: somebody waits to be told. */
	(void)unlink(jwks_path);
	ck_assert_int_eq(reload(keys, "E FILE: No such file or directory\n"), -ENOENT);
	write_keys(secret_jwk(SECRET_B, "k"), NULL, NULL);
	ck_assert_int_eq(reload(keys, ""), 1);
	px_jwks_destroy(keys);
}
END_TEST

/* In the file, in its JSON and as a key. */
START_TEST(leaves_no_secret_in_memory)
{
	char *encoded = b64(SECRET_B, strlen(SECRET_B));
	const char *const forms[] = { SECRET_B, encoded };
	for (size_t i = 0; i < 2; i++) {
		write_keys(secret_jwk(SECRET_B, "k"), NULL, NULL);
		leftover_watch(forms[i]);
		struct px_jwks *keys = keys_of(true, false, "");
		ck_assert_int_eq(verify(keys, SECRET_B, "k"), 0);
		px_jwks_destroy(keys);
		ck_assert_uint_eq(leftover_count(), 0);
		leftover_watch(NULL);
	}
	free(encoded);
}
END_TEST

START_TEST(has_nothing_to_reload_without_a_file)
{
	struct px_jwks *keys = keys_of(false, true, "");
	ck_assert_int_eq(reload(keys, ""), 0);
	ck_assert_uint_eq(px_jwks_count(keys), 1);
	px_jwks_destroy(keys);
	px_jwks_destroy(NULL);
}
END_TEST

RUN_TESTS("jwks", takes_keys, skips_keys_of_no_use, wants_good_rsa_keys,
		takes_the_public_part_of_private_keys, warns_of_weak_secrets,
		refuses_what_is_no_key_set, limits_the_number_of_keys, reads_nothing_but_files,
		reads_a_file_that_comes_in_pieces,
		rotates_keys, sees_changes_within_a_tick, sees_a_file_put_in_its_place,
		looks_no_more_into_a_file_that_stays,
		keeps_the_keys_where_the_file_is_rubbish, keeps_the_keys_where_the_file_is_gone,
		leaves_no_secret_in_memory, has_nothing_to_reload_without_a_file);
