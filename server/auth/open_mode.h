/* SPDX-License-Identifier: MIT */
/*
 * Identities of clients if no authentication is configured. Opened by the upgrade. Never used for a
 * vhost with tokens.
 */
#ifndef PX_AUTH_OPEN_MODE_H
#define PX_AUTH_OPEN_MODE_H

#include <libwebsockets.h>
#include <praxis/types.h>

struct px_identity;
struct px_peer;
struct px_span;

/* auth/open_mode.c: one parameter of the query; empty if absent. -EINVAL: too long for buf. */
int px_query_parameter(struct lws *wsi, const char *name, char *buf, size_t size,
		struct px_span *ret_value);

/* Whether the query has only parameters with these names; the list ends with NULL. */
bool px_query_is_only(struct lws *wsi, const char *const *names);

/* Makes an identity from the query. -EINVAL: the query is invalid. */
int px_open_mode_identify(const struct px_peer *peer, struct lws *wsi,
		struct px_identity **ret_identity);

#endif
