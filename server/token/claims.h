/* SPDX-License-Identifier: MIT */
/*
 * Claims: what a token, a ticket or the answer of the application's back end says of a
 * user, read into what Praxis needs to make an identity of it (docs/protocol.md, section 1).
 *
 * Read strictly and all at once: a claim that is there but wrong refuses the whole, because
 * half of somebody's rights is a guess at what was meant. JSON's null counts as not given
 * where that gives no more rights than leaving the claim out would (name, role, practices,
 * practiceId); elsewhere it is wrong.
 */
#ifndef PX_CLAIMS_H
#define PX_CLAIMS_H

#include <praxis/host/identity.h>
#include <praxis/types.h>

struct json_object;

/* Latest time that a claim may tell: the end of the year 9999. */
#define PX_CLAIMS_TIME_MAX INT64_C(253402300799)

/* Longest "jti", in bytes. */
#define PX_JTI_MAX 256

/* How the claims are called; none is NULL. Namespaces are usual: "https://example.org/role". */
struct px_claim_names {
	const char *sub;
	const char *name;
	const char *tenant;
	const char *practices;
	const char *practice_id;
	const char *role;
	const char *rooms;
};

/* An initialiser: the names of the protocol. */
#define PX_CLAIM_NAMES_DEFAULT { \
	.sub = "sub", \
	.name = "name", \
	.tenant = "tenant", \
	.practices = "practices", \
	.practice_id = "practiceId", \
	.role = "role", \
	.rooms = "rooms", \
}

/* What somebody was proven to be. The spans live as long as the token. */
struct px_token {
	struct px_id user;     /* "sub"; never empty */
	struct px_span name;   /* len 0: none */
	struct px_span tenant; /* len 0: the vhost's */
	enum px_role role;     /* never 0 */

	/* "practices": ["*"] sets all_practices; for role admin and service alone */
	bool all_practices;
	struct px_id *practices;
	size_t practice_count; /* may be 0 */

	bool has_rooms; /* may join only these, be they none */
	struct px_id *rooms;
	size_t room_count;

	/* "exp", seconds since 1970, rounded down; 0: never. Leeway comes on top. */
	int64_t expires_s;
	struct px_span jti; /* len 0: none */

	/* private: holds the text of all the above */
	struct json_object *claims;
};

/*
 * Reads an object that px_strict_json_parse() made (an id beyond 64 bits keeps its digits;
 * json-c's own reader would have clamped it, so that such a value is refused). It gets a
 * reference, and must not be changed while the token lives. `default_role` is for claims
 * without a role; 0: they need one. Only "exp" is read of the times, and not compared with any
 * clock.
 *
 * 0, and *ret_token is the caller's until px_token_destroy(); -EINVAL, and *ret_claim (may be
 * NULL) is the name of the claim that is missing or wrong, as `names` has it; -ENOMEM.
 */
int px_claims_read(struct json_object *claims, const struct px_claim_names *names,
		enum px_role default_role, struct px_token **ret_token, const char **ret_claim);

void px_token_destroy(struct px_token *token);

/*
 * A time (RFC 7519 section 2, NumericDate), rounded down; the smallest is 1. -ENOENT: not
 * there; -EINVAL: no number, negative, or beyond PX_CLAIMS_TIME_MAX.
 */
int px_claims_time(struct json_object *claims, const char *name, int64_t *ret_s);

#endif
