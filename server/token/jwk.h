/* SPDX-License-Identifier: MIT */
/*
 * One key that tokens are checked with. Its type fixes the one algorithm that it is for:
 * a token cannot have an RSA key taken for the secret of an HMAC.
 */
#ifndef PX_JWK_H
#define PX_JWK_H

#include <praxis/types.h>

struct json_object;
struct px_jose_key;

enum px_jwk_type {
	PX_KEY_HS256, /* kty oct */
	PX_KEY_RS256, /* kty RSA, 2048 to 8192 bits */
	PX_KEY_ES256, /* kty EC, P-256 */
	PX_KEY_EDDSA, /* kty OKP, Ed25519 */
};

#define PX_ED25519_BYTES 32

/* Longest "kid", in bytes. */
#define PX_KID_MAX 256

/* Secrets shorter than the hash are weak (RFC 7518 section 3.2). */
#define PX_SECRET_BYTES_GOOD 32

/* Zeroed is a key that px_jwk_finish() takes. */
struct px_jwk {
	enum px_jwk_type type;
	char *kid; /* NULL: none */
	uint8_t *secret;
	size_t secret_len;
	struct px_jose_key *public_key; /* of RSA and EC */
	uint8_t point[PX_ED25519_BYTES]; /* of OKP */
};

/* A token in compact form (RFC 7515 section 7.1). */
struct px_signed {
	struct px_span token;
	size_t signed_len; /* of header and payload, with the dot between them */
	const uint8_t *signature;
	size_t signature_len;
};

/* What came out of a JWK besides the key. */
struct px_jwk_notes {
	const char *reason; /* why it cannot be used, static text; NULL: it can */
	bool reduced;       /* it was a private key, of which only the public part was taken */
};

/* The type for a JWA name of an algorithm ("ES256"). -EINVAL: none of ours. */
int px_jwk_type_parse(struct px_span alg, enum px_jwk_type *ret_type);

/* A secret for HS256. `kid` may be NULL. -EINVAL: an empty one; -ENOMEM. */
int px_jwk_from_secret(struct px_span secret, const char *kid, struct px_jwk *ret_key);

/* Of a JWK only the members that its type needs are looked at. -EINVAL, and why; -ENOMEM. */
int px_jwk_from_jwk(struct json_object *jwk, struct px_jwk *ret_key,
		struct px_jwk_notes *ret_notes);

/* Wipes the secret. */
void px_jwk_finish(struct px_jwk *key);

/* 0; -EBADMSG: signed with another key, or not this. */
int px_jwk_verify(const struct px_jwk *key, const struct px_signed *message);

#endif
