/* SPDX-License-Identifier: MIT */
/*
 * Checking a JSON Web Token (RFC 7519, 7515): shape, signature, times, issuer, audience,
 * and the claims that Praxis needs, in that order. What has no valid signature is looked into
 * no further than its header.
 *
 * What may stand in a header is a list of what is allowed (RFC 8725 section 3), not of known
 * attacks: four algorithms, "typ" JWT or at+jwt, no "crit" at all.
 */
#ifndef PX_TOKEN_H
#define PX_TOKEN_H

#include "claims.h"
#include "jwks.h"

/* Why a token was refused. The order is that of px_token_fault_text(). */
enum px_token_fault {
	PX_TOKEN_MALFORMED,
	PX_TOKEN_ALGORITHM,
	PX_TOKEN_UNKNOWN_KEY,
	PX_TOKEN_SIGNATURE,
	PX_TOKEN_PAYLOAD,
	PX_TOKEN_EXPIRED,
	PX_TOKEN_NOT_YET,
	PX_TOKEN_ISSUER,
	PX_TOKEN_AUDIENCE,
	PX_TOKEN_NO_EXPIRY,
	PX_TOKEN_CLAIMS,
	PX_TOKEN_TOO_LONG,
	PX_TOKEN_FAULTS,
};

/* What is asked of a token. The strings are the caller's. */
struct px_token_rules {
	const char *issuer;        /* must be "iss"; NULL: any or none */
	const char *audience;      /* must be "aud" or in it; NULL: any or none */
	int64_t leeway_s;          /* for clocks that differ; not negative */
	bool require_exp;
	size_t max_bytes;          /* at most PX_TOKEN_BYTES_MAX */
	enum px_role default_role; /* of a token without a role; 0: it needs one */
	struct px_claim_names names;
};

#define PX_TOKEN_BYTES_MAX (1024 * 1024)

/* 30 s, an expiry required, 16 KiB, no default role, the names of the protocol. */
extern const struct px_token_rules px_token_rules_default;

/*
 * Checks `token` at the time now_s (seconds since 1970). 0, and *ret_token is the caller's
 * until px_token_destroy(); -EACCES, and *ret_fault says why; -ENOMEM.
 * It is valid until expires_s + leeway_s, not included; a session that it let in ends then.
 */
int px_token_verify(const struct px_jwks *keys, const struct px_token_rules *rules,
		struct px_span token, int64_t now_s, struct px_token **ret_token,
		enum px_token_fault *ret_fault);

/* A sentence for the client and the log, static, with nothing of the token in it. */
const char *px_token_fault_text(enum px_token_fault fault);

/* A word for the audit log and for metrics: "expired". Static. */
const char *px_token_fault_name(enum px_token_fault fault);

/*
 * Whether it may have been made up: there was no signature that is right. What was signed by
 * whoever may sign, and is no good all the same, is nobody's attempt to guess one.
 */
bool px_token_fault_is_guess(enum px_token_fault fault);

#endif
