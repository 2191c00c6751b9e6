/* SPDX-License-Identifier: MIT */
/*
 * Keys: what may be one, and checking a signature with one.
 *
 * A JWK (RFC 7517) is rebuilt from the members that its type needs, each checked. Everything
 * else it may hold (the private part, x5u and jku to fetch from, certificates) thereby never
 * reaches the library; deleting what is known to be dangerous would have been the other way.
 *
 * HS256 is computed here: Debian 12's librhonabwy (1.1.11) compares the MAC with strcmp
 * (CVE-2024-25714), whose time tells how much of a guess is right. RSA, ECDSA and EdDSA compare
 * nothing secret. EdDSA is here, too, since the library does not know it as "Ed25519", which
 * RFC 9864 has made its name.
 */
#include "jwk.h"

#include "base64url.h"
#include "jose.h"

#include <errno.h>
#include <json-c/json.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define CURVE_BYTES 32
#define SIGNATURE_BYTES 64 /* of ES256 and EdDSA */
#define SECRET_BYTES_MAX 1024

static const struct kind {
	const char *kty;
	const char *crv;
	const char *alg;
	const char *alias; /* another name of the same; NULL: none */
	enum px_jwk_type type;
} kinds[] = {
	{ "oct", NULL, "HS256", NULL, PX_KEY_HS256 },
	{ "RSA", NULL, "RS256", NULL, PX_KEY_RS256 },
	{ "EC", "P-256", "ES256", NULL, PX_KEY_ES256 },
	{ "OKP", "Ed25519", "EdDSA", "Ed25519", PX_KEY_EDDSA },
};

int px_jwk_type_parse(struct px_span alg, enum px_jwk_type *ret_type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (px_span_equal(alg, px_span(kinds[i].alg)) || (kinds[i].alias &&
				px_span_equal(alg, px_span(kinds[i].alias)))) {
			*ret_type = kinds[i].type;
			return 0;
		}
	}
	return -EINVAL;
}

/* A member that is text; NULL where there is none or it is none. */
static const char *text_of(struct json_object *jwk, const char *name)
{
	struct json_object *value = json_object_object_get(jwk, name);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool is_text(struct json_object *jwk, const char *name, const char *wanted)
{
	const char *text = text_of(jwk, name);
	return text && strcmp(text, wanted) == 0;
}

static bool has(struct json_object *jwk, const char *name)
{
	return json_object_object_get_ex(jwk, name, NULL);
}

/* Whether the member is absent, or the text that is wanted. */
static bool agrees(struct json_object *jwk, const char *name, const char *wanted)
{
	return !has(jwk, name) || is_text(jwk, name, wanted);
}

/* A private key may say "sign" alone; its public part is for verifying. */
static bool is_for_signatures(struct json_object *jwk)
{
	struct json_object *ops = json_object_object_get(jwk, "key_ops");
	if (!has(jwk, "key_ops")) {
		return true;
	}
	if (!json_object_is_type(ops, json_type_array)) {
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(ops); i++) {
		struct json_object *op = json_object_array_get_idx(ops, i);
		const char *text = json_object_is_type(op, json_type_string) ?
				json_object_get_string(op) : "";
		if (strcmp(text, "verify") == 0 || strcmp(text, "sign") == 0) {
			return true;
		}
	}
	return false;
}

static const struct kind *kind_of(struct json_object *jwk, const char **ret_reason)
{
	if (!json_object_is_type(jwk, json_type_object)) {
		*ret_reason = "it is not an object";
		return NULL;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *kind = &kinds[i];
		if (!is_text(jwk, "kty", kind->kty)) {
			continue;
		}
		if (kind->crv && !is_text(jwk, "crv", kind->crv)) {
			*ret_reason = "its \"crv\" is not P-256 (EC) or Ed25519 (OKP)";
			return NULL;
		}
		if (!agrees(jwk, "alg", kind->alg) &&
				!(kind->alias && is_text(jwk, "alg", kind->alias))) {
			*ret_reason = "its \"alg\" is not HS256 (oct), RS256 (RSA), ES256 (EC), "
					"EdDSA or Ed25519 (OKP)";
			return NULL;
		}
		return kind;
	}
	*ret_reason = "its \"kty\" is not oct, RSA, EC or OKP";
	return NULL;
}

/* Decodes a member of at most `max` bytes into `bytes`, which has room for two more. */
static int decode(struct json_object *jwk, const char *name, uint8_t *bytes, size_t max,
		size_t *ret_len)
{
	struct px_span text = px_span(text_of(jwk, name));
	size_t len;
	if (text.len == 0 || PX_BASE64URL_DECODED(text.len) > max + 2 ||
			px_base64url_decode(text, bytes, &len) < 0 || len > max) {
		return -EINVAL;
	}
	*ret_len = len;
	return 0;
}

static int read_secret(struct json_object *jwk, struct px_jwk *key, const char **ret_reason)
{
	uint8_t bytes[SECRET_BYTES_MAX + 2];
	size_t len = 0;
	int rc = decode(jwk, "k", bytes, SECRET_BYTES_MAX, &len);
	if (rc < 0) {
		*ret_reason = "its \"k\" is not base64url of 1 to 1024 bytes";
	} else {
		rc = px_jwk_from_secret((struct px_span){ (char *)bytes, len }, NULL, key);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

static unsigned bits_of(const uint8_t *bytes, size_t len)
{
	while (len > 0 && *bytes == 0) {
		bytes++;
		len--;
	}
	unsigned bits = (unsigned)len * 8;
	for (unsigned top = len > 0 ? *bytes : 0x80; top < 0x80; top <<= 1) {
		bits--;
	}
	return bits;
}

static int read_rsa(struct json_object *jwk, struct px_jwk *key, const char **ret_reason)
{
	uint8_t n[RSA_BITS_MAX / 8 + 2];
	uint8_t e[8 + 2];
	size_t n_len = 0;
	size_t e_len = 0;
	if (decode(jwk, "n", n, RSA_BITS_MAX / 8, &n_len) < 0 ||
			bits_of(n, n_len) < RSA_BITS_MIN || n[n_len - 1] % 2 == 0) {
		*ret_reason = "its \"n\" is not a modulus of 2048 to 8192 bits";
		return -EINVAL;
	}
	/* with an exponent of 1 everything is its own signature */
	if (decode(jwk, "e", e, 8, &e_len) < 0 || bits_of(e, e_len) < 2 || e[e_len - 1] % 2 == 0) {
		*ret_reason = "its \"e\" is not an odd number from 3";
		return -EINVAL;
	}
	struct px_jose_member members[] = {
		{ "kty", "RSA" },
		{ "n", text_of(jwk, "n") },
		{ "e", text_of(jwk, "e") },
	};
	return px_jose_key_create(members, 3, &key->public_key);
}

/* A coordinate; `bytes` has room for two more. */
static int read_point(struct json_object *jwk, const char *name, uint8_t *bytes,
		const char **ret_reason)
{
	size_t len = 0;
	if (decode(jwk, name, bytes, CURVE_BYTES, &len) < 0 || len != CURVE_BYTES) {
		*ret_reason = "its \"x\" or \"y\" is not base64url of 32 bytes";
		return -EINVAL;
	}
	return 0;
}

static int read_ec(struct json_object *jwk, struct px_jwk *key, const char **ret_reason)
{
	uint8_t bytes[CURVE_BYTES + 2];
	if (read_point(jwk, "x", bytes, ret_reason) < 0 ||
			read_point(jwk, "y", bytes, ret_reason) < 0) {
		return -EINVAL;
	}
	struct px_jose_member members[] = {
		{ "kty", "EC" },
		{ "crv", "P-256" },
		{ "x", text_of(jwk, "x") },
		{ "y", text_of(jwk, "y") },
	};
	return px_jose_key_create(members, 4, &key->public_key);
}

static int read_edwards(struct json_object *jwk, struct px_jwk *key, const char **ret_reason)
{
	uint8_t bytes[PX_ED25519_BYTES + 2];
	int rc = read_point(jwk, "x", bytes, ret_reason);
	if (rc == 0) {
		memcpy(key->point, bytes, sizeof(key->point));
	}
	return rc;
}

static int read_kid(struct json_object *jwk, struct px_jwk *key, const char **ret_reason)
{
	const char *kid = text_of(jwk, "kid");
	if (!has(jwk, "kid")) {
		return 0;
	}
	if (!kid || *kid == '\0' || strlen(kid) > PX_KID_MAX || !px_span_is_text(px_span(kid))) {
		*ret_reason = "its \"kid\" is not a string of 1 to 256 bytes";
		return -EINVAL;
	}
	key->kid = strdup(kid);
	return key->kid ? 0 : -ENOMEM;
}

static int read_material(struct json_object *jwk, const struct kind *kind, struct px_jwk *key,
		const char **ret_reason)
{
	switch (kind->type) {
	case PX_KEY_HS256: return read_secret(jwk, key, ret_reason);
	case PX_KEY_RS256: return read_rsa(jwk, key, ret_reason);
	case PX_KEY_ES256: return read_ec(jwk, key, ret_reason);
	case PX_KEY_EDDSA: return read_edwards(jwk, key, ret_reason);
	}
	return -EINVAL;
}

int px_jwk_from_secret(struct px_span secret, const char *kid, struct px_jwk *ret_key)
{
	if (secret.len == 0) {
		return -EINVAL;
	}
	struct px_jwk key = {
		.type = PX_KEY_HS256,
		.kid = kid ? strdup(kid) : NULL,
		.secret = malloc(secret.len),
		.secret_len = secret.len,
	};
	if (!key.secret || (kid && !key.kid)) {
		key.secret_len = 0;
		px_jwk_finish(&key);
		return -ENOMEM;
	}
	memcpy(key.secret, secret.data, secret.len);
	*ret_key = key;
	return 0;
}

int px_jwk_from_jwk(struct json_object *jwk, struct px_jwk *ret_key,
		struct px_jwk_notes *ret_notes)
{
	struct px_jwk key = { .type = PX_KEY_HS256 };
	const char *reason = NULL;
	const struct kind *kind = kind_of(jwk, &reason);
	int rc = kind ? 0 : -EINVAL;
	if (rc == 0 && (!agrees(jwk, "use", "sig") || !is_for_signatures(jwk))) {
		reason = "its \"use\" or \"key_ops\" is not for signatures";
		rc = -EINVAL;
	}
	if (rc == 0) {
		rc = read_material(jwk, kind, &key, &reason);
	}
	if (rc == 0) {
		key.type = kind->type;
		rc = read_kid(jwk, &key, &reason);
	}
	if (rc < 0) {
		px_jwk_finish(&key);
		ret_notes->reason = reason ? reason : "it is not a valid key";
		return rc;
	}
	*ret_key = key;
	*ret_notes = (struct px_jwk_notes){
		.reduced = key.type != PX_KEY_HS256 && has(jwk, "d"),
	};
	return 0;
}

void px_jwk_finish(struct px_jwk *key)
{
	if (key->secret) {
		explicit_bzero(key->secret, key->secret_len);
	}
	free(key->secret);
	free(key->kid);
	px_jose_key_destroy(key->public_key);
	*key = (struct px_jwk){ .type = PX_KEY_HS256 };
}

static int verify_hmac(const struct px_jwk *key, const struct px_signed *message)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	const unsigned char *text = (const unsigned char *)message->token.data;
	if (!HMAC(EVP_sha256(), key->secret, (int)key->secret_len, text, message->signed_len, mac,
			&len)) {
		return -EBADMSG;
	}
	bool same = len == message->signature_len &&
			CRYPTO_memcmp(mac, message->signature, len) == 0;
	explicit_bzero(mac, sizeof(mac));
	return same ? 0 : -EBADMSG;
}

/* A point that is not on the curve verifies nothing. */
static int verify_edwards(const struct px_jwk *key, const struct px_signed *message)
{
	EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->point,
			sizeof(key->point));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const unsigned char *text = (const unsigned char *)message->token.data;
	bool good = public_key && context &&
			EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
			EVP_DigestVerify(context, message->signature, message->signature_len, text,
			message->signed_len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public_key);
	return good ? 0 : -EBADMSG;
}

int px_jwk_verify(const struct px_jwk *key, const struct px_signed *message)
{
	switch (key->type) {
	case PX_KEY_HS256:
		return verify_hmac(key, message);
	case PX_KEY_RS256:
		return px_jose_verify(key->public_key, PX_JOSE_RS256, message->token);
	case PX_KEY_ES256:
		/* the library would also take the lengths of other curves */
		return message->signature_len != SIGNATURE_BYTES ? -EBADMSG :
				px_jose_verify(key->public_key, PX_JOSE_ES256, message->token);
	case PX_KEY_EDDSA:
		return verify_edwards(key, message);
	}
	return -EBADMSG;
}
