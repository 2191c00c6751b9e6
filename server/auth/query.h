/* SPDX-License-Identifier: MIT */
/*
 * What of a request's query is ours. lws takes it apart and decodes it; what comes here is one
 * "name=value" at a time, bytes of a stranger's choice. No lws here, for tests and fuzzers.
 */
#ifndef PX_QUERY_H
#define PX_QUERY_H

#include <praxis/host/identity.h>

/* The value, if the pair has that name; len 0, with data NULL, else. */
struct px_span px_query_value(struct px_span pair, const char *name);

/* Who a client of open mode says it is. Zeroed: nobody in particular. */
struct px_query_identity {
	char practice[PX_ID_MAX];
	char user[PX_ID_MAX];
	char name[PX_NAME_MAX];
	char role[16];
	struct px_span given[4]; /* private: what of these was there */
};

/* Notes a pair, if it is one that counts; the first of a name does. -EINVAL: it is too long. */
int px_query_note(struct px_query_identity *query, struct px_span pair);

/*
 * Fills in the user, the name, the role, and the practice (*ret_practice, which must live as
 * long as the claims). All point into `query`. -EINVAL: there is no such role.
 */
int px_query_claims(const struct px_query_identity *query, struct px_claims *claims,
		struct px_id *ret_practice);

#endif
