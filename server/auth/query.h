/* SPDX-License-Identifier: MIT */
/*
 * The query parameters of open mode. lws splits and decodes the query; this gets one "name=value"
 * at a time, untrusted. No lws here, for tests and fuzzers.
 */
#ifndef PX_QUERY_H
#define PX_QUERY_H

#include <praxis/host/identity.h>

/* The value, if the parameter has that name; otherwise len 0, with data NULL. */
struct px_span px_query_value(struct px_span pair, const char *name);

/* The identity that a client of open mode claims. Zeroed: empty. */
struct px_query_identity {
	char practice[PX_ID_MAX];
	char user[PX_ID_MAX];
	char name[PX_NAME_MAX];
	char role[16];
	struct px_span given[4]; /* private: which of these were given */
};

/* Stores a parameter if it is one of these; the first of a name counts. -EINVAL: too long. */
int px_query_note(struct px_query_identity *query, struct px_span pair);

/*
 * Fills in user, name, role, and practice (*ret_practice must live as long as the claims). All
 * point into `query`. -EINVAL: no such role.
 */
int px_query_claims(const struct px_query_identity *query, struct px_claims *claims,
		struct px_id *ret_practice);

#endif
