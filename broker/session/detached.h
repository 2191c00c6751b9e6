/* SPDX-License-Identifier: MIT */
/*
 * Sessions without a connection: how one begins to wait, how a client gets it back, how it ends.
 * For session/ and snapshot/. It never keeps a message: outbound/replay_buffer.h does.
 */
#ifndef PX_SESSION_DETACHED_H
#define PX_SESSION_DETACHED_H

#include "outbound/replay_buffer.h"

struct px_session_params;

/* ---- session_detached.c ---- */

/*
 * Lets it live on without its connection, which is not told. `deaf`: what was written since
 * its last sign of life is not likely to have arrived. False: it has to end.
 */
bool px_session_detach(struct px_session *session, bool deaf);

/* It waits for its client from now on. -ENOMEM: it is as it was. */
int px_session_wait(struct px_session *session);

/* Drops what was queued for the connection alone: pings and greetings. */
void px_session_drop_uncounted(struct px_session *session);

/* Bounds what is kept for a detached session; may end it. */
void px_session_trim(struct px_session *session);

/* It has a connection again, or none any more for good: no longer among those that wait. */
void px_session_unwait(struct px_session *session);

/* Its timer: its time is over, or its token's. */
void px_session_wait_over(struct px_session *session);

/* The token that it was let in with is over. */
bool px_session_expired(const struct px_session *session);

/* One without praxis.v1 that waits for just this client, longest; NULL. */
struct px_session *px_session_find_healable(const struct px_broker *broker,
		const struct px_session_params *params, struct px_span tenant, struct px_span user);

/* ---- session_reattach.c ---- */

/*
 * One who was nobody has become that user: where a session waits for it, the connection of
 * `nobody` is that one's, and `nobody` ends. NULL: none waits, and the identity is still yours.
 */
struct px_session *px_session_reattach(struct px_session *unauthenticated,
		struct px_identity *identity);

/* Gives the connection of the params a session that there is. False: there is none for it. */
bool px_session_come_back(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session);

#endif
