/* SPDX-License-Identifier: MIT */
/*
 * What a connection brings to resume a session. Opened by the upgrade that reads it, and by whoever
 * counts connections. It never decides whether one may: the broker does.
 */
#ifndef PX_NET_RESUME_QUERY_H
#define PX_NET_RESUME_QUERY_H

#include <praxis/types.h>
#include <stdbool.h>
#include <stdint.h>

struct px_peer;
struct px_session;
struct px_session_params;

#define PX_RESUME_TOKEN_MAX 64

/*
 * Replaces what was set before; copies the token, up to the maximum length of one. `received` -1:
 * none, or invalid. -ENOMEM.
 */
int px_resume_query_set(struct px_peer *peer, struct px_span token, int64_t received);

void px_resume_query_drop(struct px_peer *peer);

/*
 * The session that it would resume; the broker's, valid until this turn of the loop ends. NULL:
 * none.
 */
const struct px_session *px_resume_query_session(const struct px_peer *peer);

/* Whether it identifies the client; *ret_old: the session's current connection, or NULL. */
bool px_resume_query_is_good(struct px_peer *peer, struct px_peer **ret_old);

void px_resume_query_params(const struct px_peer *peer, struct px_session_params *params);

#endif
