/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tokens and key sets share: keys, and tokens signed with them, by libcrypto
 * alone, so that the library under test never checks its own work. Keys are made anew for
 * each test process; none lies in the repository.
 */
#ifndef TEST_TOKEN_UTIL_H
#define TEST_TOKEN_UTIL_H

#include "token/token.h"

#include <check.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

#define SECRET "0123456789abcdef0123456789abcdef"

/* Made of "'" where JSON wants a quote, so that tests can be read. */
UNUSED static char *quoted(const char *text)
{
	char *copy = strdup(text);
	for (char *at = copy; *at != '\0'; at++) {
		*at = *at == '\'' ? '"' : *at;
	}
	return copy;
}

UNUSED static char *PX_PRINTF(1, 2) format(const char *pattern, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, pattern);
	ck_assert_int_ge(vasprintf(&text, pattern, args), 0);
	va_end(args);
	return text;
}

/* ---- base64url ---- */

UNUSED static char *b64(const void *bytes, size_t len)
{
	char *text = malloc((len + 2) / 3 * 4 + 1);
	int n = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	while (n > 0 && text[n - 1] == '=') {
		n--;
	}
	text[n] = '\0';
	for (char *at = text; *at != '\0'; at++) {
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	}
	return text;
}

/* ---- keys ---- */

UNUSED static EVP_PKEY *new_rsa(unsigned bits)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	ck_assert_ptr_nonnull(key);
	return key;
}

UNUSED static EVP_PKEY *new_ec(const char *curve)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
	ck_assert_ptr_nonnull(key);
	return key;
}

UNUSED static EVP_PKEY *new_ed25519(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ck_assert_ptr_nonnull(key);
	return key;
}

static char *number_b64(EVP_PKEY *key, const char *name, int width)
{
	unsigned char bytes[2048];
	BIGNUM *number = NULL;
	ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
	int len = width > 0 ? width : BN_num_bytes(number);
	ck_assert_int_eq(BN_bn2binpad(number, bytes, len), len);
	BN_free(number);
	return b64(bytes, (size_t)len);
}

/* The JWK's members, without braces and without a kid. */
static char *jwk_members(EVP_PKEY *key, bool private)
{
	char *text;
	if (EVP_PKEY_is_a(key, "RSA")) {
		char *n = number_b64(key, OSSL_PKEY_PARAM_RSA_N, 0);
		char *e = number_b64(key, OSSL_PKEY_PARAM_RSA_E, 0);
		char *d = number_b64(key, OSSL_PKEY_PARAM_RSA_D, 0);
		text = format("\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s%s%s", n, e,
				private ? ",\"d\":\"" : "", private ? d : "", private ? "\"" : "");
		free(n);
		free(e);
		free(d);
	} else if (EVP_PKEY_is_a(key, "EC")) {
		int width = (EVP_PKEY_get_bits(key) + 7) / 8;
		char *x = number_b64(key, OSSL_PKEY_PARAM_EC_PUB_X, width);
		char *y = number_b64(key, OSSL_PKEY_PARAM_EC_PUB_Y, width);
		char *d = number_b64(key, OSSL_PKEY_PARAM_PRIV_KEY, width);
		text = format("\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\",\"y\":\"%s\"%s%s%s",
				EVP_PKEY_get_bits(key), x, y, private ? ",\"d\":\"" : "",
				private ? d : "", private ? "\"" : "");
		free(x);
		free(y);
		free(d);
	} else {
		unsigned char raw[32];
		size_t len = sizeof(raw);
		ck_assert_int_eq(EVP_PKEY_get_raw_public_key(key, raw, &len), 1);
		char *x = b64(raw, len);
		ck_assert_int_eq(EVP_PKEY_get_raw_private_key(key, raw, &len), 1);
		char *d = b64(raw, len);
		text = format("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s%s%s", x,
				private ? ",\"d\":\"" : "", private ? d : "", private ? "\"" : "");
		free(x);
		free(d);
	}
	return text;
}

/* A public key as a JWK; `kid` NULL: without. */
UNUSED static char *jwk(EVP_PKEY *key, const char *kid)
{
	char *members = jwk_members(key, false);
	char *text = kid ? format("{%s,\"kid\":\"%s\"}", members, kid) : format("{%s}", members);
	free(members);
	return text;
}

UNUSED static char *private_jwk(EVP_PKEY *key, const char *kid)
{
	char *members = jwk_members(key, true);
	char *text = format("{%s,\"kid\":\"%s\"}", members, kid);
	free(members);
	return text;
}

UNUSED static char *secret_jwk(const char *secret, const char *kid)
{
	char *k = b64(secret, strlen(secret));
	char *text = format("{\"kty\":\"oct\",\"k\":\"%s\",\"kid\":\"%s\"}", k, kid);
	free(k);
	return text;
}

/* ---- signatures, as JWS has them ---- */

static size_t hmac_sign(const char *secret, size_t secret_len, const char *input,
		unsigned char *signature)
{
	unsigned len = 0;
	ck_assert_ptr_nonnull(HMAC(EVP_sha256(), secret, (int)secret_len,
			(const unsigned char *)input, strlen(input), signature, &len));
	return len;
}

/* DER of two integers, into as many bytes for each as the curve has. */
static size_t unpack_ecdsa(EVP_PKEY *key, unsigned char *signature, size_t len)
{
	int width = (EVP_PKEY_get_bits(key) + 7) / 8;
	const unsigned char *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
	ck_assert_ptr_nonnull(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, width);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + width, width);
	ECDSA_SIG_free(pair);
	return 2 * (size_t)width;
}

static size_t key_sign(EVP_PKEY *key, const char *digest, const char *input,
		unsigned char signature[2048])
{
	size_t len = 2048;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const char *used = EVP_PKEY_is_a(key, "ED25519") ? NULL : digest;
	ck_assert_int_eq(EVP_DigestSignInit_ex(context, NULL, used, NULL, NULL, key, NULL), 1);
	ck_assert_int_eq(EVP_DigestSign(context, signature, &len, (const unsigned char *)input,
			strlen(input)), 1);
	EVP_MD_CTX_free(context);
	return EVP_PKEY_is_a(key, "EC") ? unpack_ecdsa(key, signature, len) : len;
}

/* A token of these two JSON texts ("'" for the quotes); `key` NULL: HMAC with SECRET. */
UNUSED static char *token_of(EVP_PKEY *key, const char *header, const char *claims)
{
	unsigned char signature[2048];
	char *header_json = quoted(header);
	char *claims_json = quoted(claims);
	char *header_b64 = b64(header_json, strlen(header_json));
	char *claims_b64 = b64(claims_json, strlen(claims_json));
	char *input = format("%s.%s", header_b64, claims_b64);
	size_t len = key ? key_sign(key, "SHA256", input, signature) :
			hmac_sign(SECRET, strlen(SECRET), input, signature);
	char *signature_b64 = b64(signature, len);
	char *token = format("%s.%s", input, signature_b64);
	free(header_json);
	free(claims_json);
	free(header_b64);
	free(claims_b64);
	free(input);
	free(signature_b64);
	return token;
}

/* ---- key sets ---- */

static char complaints[16384]; /* "E sentence\n", with FILE for the file */
static char jwks_path[64];

static void on_complaint(void *user, bool error, const char *text)
{
	(void)user;
	size_t used = strlen(complaints);
	size_t path = strlen(jwks_path);
	bool own = path > 0 && strncmp(text, jwks_path, path) == 0;
	(void)snprintf(complaints + used, sizeof(complaints) - used, "%c %s%s\n",
			error ? 'E' : 'W', own ? "FILE" : "", own ? text + path : text);
}

static const struct px_jwks_sink sink = { .on_complaint = on_complaint };

UNUSED static void remove_jwks(void)
{
	(void)unlink(jwks_path);
}

/* A file of its own for this process, which goes away with it. */
UNUSED static void use_jwks_file(void)
{
	if (jwks_path[0] == '\0') {
		strcpy(jwks_path, "/tmp/praxis-test-jwks-XXXXXX");
		int fd = mkstemp(jwks_path);
		ck_assert_int_ge(fd, 0);
		(void)close(fd);
		(void)atexit(remove_jwks);
	}
}

UNUSED static void write_jwks(const char *text)
{
	use_jwks_file();
	FILE *file = fopen(jwks_path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), file), strlen(text));
	ck_assert_int_eq(fclose(file), 0);
}

/* Writes {"keys":[…]} of up to three JWKs, which it frees. */
UNUSED static void write_keys(char *a, char *b, char *c)
{
	char *text = format("{\"keys\":[%s%s%s%s%s]}", a ? a : "", b ? "," : "", b ? b : "",
			c ? "," : "", c ? c : "");
	write_jwks(text);
	free(text);
	free(a);
	free(b);
	free(c);
}

/* The keys of the file, and SECRET if that is wanted; NULL if `expected` has an error. */
UNUSED static struct px_jwks *keys_of(bool file, bool secret, const char *expected)
{
	struct px_jwks *keys = NULL;
	struct px_jwks_source source = {
		.secret = px_span(secret ? SECRET : NULL),
		.jwks_file = file ? jwks_path : NULL,
	};
	complaints[0] = '\0';
	int rc = px_jwks_create(&source, &sink, &keys);
	ck_assert_str_eq(complaints, expected);
	bool error = expected[0] == 'E' || strstr(expected, "\nE ");
	ck_assert_int_eq(rc, error ? -EINVAL : 0);
	ck_assert(error == !keys);
	return keys;
}

#endif
