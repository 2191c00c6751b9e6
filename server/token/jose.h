/* SPDX-License-Identifier: MIT */
/*
 * All that Praxis has of librhonabwy: a public key, and whether it signed a token. Nothing
 * else includes its header, for two reasons: it brings jansson, whose json_object_get() is
 * another function than json-c's of that name; and the library could be replaced here
 * (docs/architecture.md says why one might want to).
 *
 * Only checked tokens go in: px_token_verify() has by then read the header strictly. What
 * the library does of its own with a header (fetch keys from URLs in it, inflate payloads,
 * take the last of two "alg") is switched off or has nothing left to work on.
 */
#ifndef PX_JOSE_H
#define PX_JOSE_H

#include <praxis/types.h>

struct px_jose_key;

enum px_jose_alg {
	PX_JOSE_RS256,
	PX_JOSE_ES256,
};

/* A member of a JWK (RFC 7517); base64url where that says so. */
struct px_jose_member {
	const char *name;
	const char *value;
};

/*
 * A public key of these members, which are checked but for whether the point is on its
 * curve: a key that is not verifies nothing. -EINVAL: no key that the library takes; -ENOMEM.
 */
int px_jose_key_create(const struct px_jose_member *members, size_t count,
		struct px_jose_key **ret_key);

void px_jose_key_destroy(struct px_jose_key *key);

/*
 * Whether the key made the signature of a token in compact form, all three parts of which
 * are canonical base64url and whose "alg" is `alg`. 0, or -EBADMSG for any other outcome.
 */
int px_jose_verify(const struct px_jose_key *key, enum px_jose_alg alg, struct px_span token);

#endif
