/* SPDX-License-Identifier: MIT */
/*
 * Detached sessions, which have no connection: how one is detached, gets a connection again, and
 * ends. For session/ and snapshot/. It never keeps a message: outbound/replay_buffer.h does.
 */
#ifndef PX_SESSION_DETACHED_H
#define PX_SESSION_DETACHED_H

#include "outbound/replay_buffer.h"

struct px_session_params;

/* ---- session_detached.c ---- */

/*
 * Detaches the session from its connection, which is not told. `is_unresponsive`: what was written
 * since its last sign of life has probably not arrived. False: the session must end.
 */
bool px_session_detach(struct px_session *session, bool is_unresponsive);

/* Adds it to the detached sessions. -ENOMEM: unchanged. */
int px_session_wait(struct px_session *session);

/* Drops queued messages that were for the connection only: pings and greetings. */
void px_session_drop_uncounted(struct px_session *session);

/* Limits what is kept for a detached session; may end it. */
void px_session_trim(struct px_session *session);

/* Removes it from the detached sessions: it has a connection again, or has ended. */
void px_session_unwait(struct px_session *session);

/* Its timer: the grace or its token has expired. */
void px_session_wait_over(struct px_session *session);

/* Whether the token that it was opened with has expired. */
bool px_session_expired(const struct px_session *session);

/*
 * The detached session without praxis.v1 that this client reattaches to: the longest detached one;
 * NULL.
 */
struct px_session *px_session_find_reattachable(const struct px_broker *broker,
		const struct px_session_params *params, struct px_span tenant, struct px_span user);

/* ---- session_reattach.c ---- */

/*
 * An unauthenticated session has authenticated. If a detached session waits for that user, it gets
 * the connection of `unauthenticated`, which ends; returns it. NULL: there is none, and the
 * identity is still the caller's.
 */
struct px_session *px_session_reattach(struct px_session *unauthenticated,
		struct px_identity *identity);

/*
 * Resumes or reattaches to an existing session, which gets the params' connection. False: there is
 * none.
 */
bool px_session_resume_or_reattach(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session);

#endif
