/* SPDX-License-Identifier: MIT */
/*
 * A session: one client's logical connection, as a service sees it. The broker owns sessions. A
 * pointer to one is valid from the service's `open` until its `close` has returned, and may be kept
 * for that time. Everything here is called on the broker's thread, and nothing here blocks.
 */
#ifndef PRAXIS_SESSION_H
#define PRAXIS_SESSION_H

#include <praxis/types.h>

struct px_broker;
struct px_json;
struct px_message;
struct px_practice;
struct px_session;

/* Size of a client id as text, with the terminator. */
#define PX_CLIENT_ID_SIZE 18

PX_PUBLIC struct px_broker *px_session_broker(const struct px_session *session);

/* The session's public id, which others see as `clientId`. Terminated. */
PX_PUBLIC void px_session_client_id(const struct px_session *session, char buf[PX_CLIENT_ID_SIZE]);

/* Whether this text is the session's client id. */
PX_PUBLIC bool px_session_is(const struct px_session *session, struct px_span client_id);

/* From its identity; empty texts if unknown. Valid as long as the session. */
PX_PUBLIC enum px_role px_session_role(const struct px_session *session);
PX_PUBLIC bool px_session_authenticated(const struct px_session *session);
PX_PUBLIC struct px_id px_session_user(const struct px_session *session);
PX_PUBLIC struct px_span px_session_user_name(const struct px_session *session);

/*
 * Queues a message for the session; the caller keeps its reference. Never blocks and never frees a
 * session: if its queue is over the limit, it is closed with 4408 when the turn ends. NULL, or a
 * session that is closing: no effect.
 */
PX_PUBLIC void px_session_send(struct px_session *session, struct px_message *message);

/* Frames what was written and queues it; frees the writer. */
PX_PUBLIC void px_session_send_json(struct px_session *session, struct px_json *json);

/*
 * Closes the session with that code when the turn ends, after writing its queue. The services'
 * `close` hooks run then, not now.
 */
PX_PUBLIC void px_session_close(struct px_session *session, enum px_close code);

/* A practice's id as text; terminated, valid as long as a session or channel of it. */
PX_PUBLIC const char *px_practice_id(const struct px_practice *practice);
PX_PUBLIC const char *px_practice_tenant(const struct px_practice *practice);

/* The practice's id in this session's spelling. */
PX_PUBLIC struct px_id px_session_practice_id(const struct px_session *session,
		const struct px_practice *practice);

#endif
