/* SPDX-License-Identifier: MIT */
/*
 * A session: one client's logical connection, as a service sees it. Sessions belong
 * to the broker. A pointer to one is good from the service's `open` until its `close`
 * returned, and may be kept that long. Everything here is called on the broker's
 * thread, and nothing here blocks.
 */
#ifndef PRAXIS_SESSION_H
#define PRAXIS_SESSION_H

#include <praxis/types.h>

struct px_broker;
struct px_json;
struct px_message;
struct px_practice;
struct px_session;

/* Bytes of a client id's text, with the terminator. */
#define PX_CLIENT_ID_SIZE 18

PX_PUBLIC struct px_broker *px_session_broker(const struct px_session *session);

/* The public id of the session, as others see it in `clientId`. Terminated. */
PX_PUBLIC void px_session_client_id(const struct px_session *session, char buf[PX_CLIENT_ID_SIZE]);

/* Whether this text is the session's client id. */
PX_PUBLIC bool px_session_is(const struct px_session *session, struct px_span client_id);

/* What its identity says; empty text where it says nothing. Lives as long as the session. */
PX_PUBLIC enum px_role px_session_role(const struct px_session *session);
PX_PUBLIC bool px_session_authenticated(const struct px_session *session);
PX_PUBLIC struct px_id px_session_user(const struct px_session *session);
PX_PUBLIC struct px_span px_session_user_name(const struct px_session *session);

/*
 * Queues a message for the session; the reference stays yours. Never blocks and never
 * frees a session: one whose queue is over its limit is closed with 4408 when the turn
 * ends. NULL, or a session that is closing: nothing happens.
 */
PX_PUBLIC void px_session_send(struct px_session *session, struct px_message *message);

/* Frames what was written and queues it; the writer is given back. */
PX_PUBLIC void px_session_send_json(struct px_session *session, struct px_json *json);

/*
 * Closes the session with that code when the turn ends, after what is queued for it.
 * The services' `close` hooks run then, not now.
 */
PX_PUBLIC void px_session_close(struct px_session *session, enum px_close code);

/* A practice's id as text; terminated, lives as long as a session or channel of it. */
PX_PUBLIC const char *px_practice_id(const struct px_practice *practice);
PX_PUBLIC const char *px_practice_tenant(const struct px_practice *practice);

/* The practice's id in the spelling that this session knows it by. */
PX_PUBLIC struct px_id px_session_practice_id(const struct px_session *session,
		const struct px_practice *practice);

#endif
