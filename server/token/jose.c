/* SPDX-License-Identifier: MIT */
/*
 * librhonabwy, kept small: r_global_init() is never called, since it only sets up curl for
 * fetching keys, which is never wanted; and yder, its log, is silent until someone calls
 * y_init_logs(). HS256 and EdDSA do not come here (see jwk.c).
 *
 * Rejected: its r_jwt_* layer, which would also read the claims: it takes the last of two
 * claims of one name, and knows times as integers only.
 */
#include "jose.h"

#include <errno.h>
#include <rhonabwy.h>

/* The struct is never defined: it stands for the library's jwk_t in a header without it. */
static struct px_jose_key *to_key(jwk_t *jwk)
{
	return (struct px_jose_key *)jwk;
}

static jwk_t *to_jwk(const struct px_jose_key *key)
{
	return (jwk_t *)key;
}

static jwa_alg alg_of(enum px_jose_alg alg)
{
	switch (alg) {
	case PX_JOSE_RS256: return R_JWA_ALG_RS256;
	case PX_JOSE_ES256: return R_JWA_ALG_ES256;
	}
	return R_JWA_ALG_UNKNOWN;
}

int px_jose_key_create(const struct px_jose_member *members, size_t count,
		struct px_jose_key **ret_key)
{
	jwk_t *jwk = NULL;
	if (r_jwk_init(&jwk) != RHN_OK) {
		return -ENOMEM;
	}
	int rc = RHN_OK;
	for (size_t i = 0; rc == RHN_OK && i < count; i++) {
		rc = r_jwk_set_property_str(jwk, members[i].name, members[i].value);
	}
	if (rc != RHN_OK || r_jwk_is_valid(jwk) != RHN_OK ||
			!(r_jwk_key_type(jwk, NULL, R_FLAG_IGNORE_REMOTE) & R_KEY_TYPE_PUBLIC)) {
		r_jwk_free(jwk);
		return rc == RHN_ERROR_MEMORY ? -ENOMEM : -EINVAL;
	}
	*ret_key = to_key(jwk);
	return 0;
}

void px_jose_key_destroy(struct px_jose_key *key)
{
	r_jwk_free(to_jwk(key));
}

int px_jose_verify(const struct px_jose_key *key, enum px_jose_alg alg, struct px_span token)
{
	jws_t *jws = NULL;
	if (r_jws_init(&jws) != RHN_OK) {
		return -EBADMSG;
	}
	bool good = r_jws_advanced_compact_parsen(jws, token.data, token.len, R_PARSE_NONE,
					R_FLAG_IGNORE_REMOTE) == RHN_OK &&
			r_jws_get_alg(jws) == alg_of(alg) &&
			r_jws_verify_signature(jws, to_jwk(key), R_FLAG_IGNORE_REMOTE) == RHN_OK;
	r_jws_free(jws);
	return good ? 0 : -EBADMSG;
}
