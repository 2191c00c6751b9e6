/* SPDX-License-Identifier: MIT */
/*
 * A message of a client: what it may cost, which command it is, and what it is told where it is
 * refused. Opened by whoever lets a message act in a session's name. It never relays one: services
 * do.
 */
#ifndef PX_SESSION_DISPATCH_H
#define PX_SESSION_DISPATCH_H

#include "core/session.h"

void px_session_dispatch(struct px_session *session, struct px_span text);

/* rate.c: what a session may cost. Taking: 0, or the milliseconds until there is enough. */
int64_t px_session_take(struct px_session *session, size_t bytes); /* for one message */
int64_t px_session_act_wait(const struct px_session *session); /* may it act? It has: */
void px_session_acted(struct px_session *session);
void px_session_charge(struct px_session *session, uint64_t answered); /* bytes sent to it */
/* One more over its rate: it may be closed. */
void px_session_count_flood(struct px_session *session);

/*
 * A message that the server itself sends in the session's name, read into an envelope that is
 * not in use. True: it was handled; false: refused, as the session was told.
 */
bool px_session_try(struct px_session *session, struct px_envelope *scratch, struct px_span text);

/* An `error` that answers nothing in particular, or the message of that type and id. */
struct px_refusal {
	enum px_error code;
	const char *field;
	const char *sentence;
	struct px_span ref;          /* the type refused; len 0: unknown */
	const struct px_field *id;   /* the receipt asked for, or NULL */
	int64_t retry_after_ms;      /* 0: not said */
};
void px_session_refuse(struct px_session *session, const struct px_refusal *refusal);

#endif
