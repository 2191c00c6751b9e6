/* SPDX-License-Identifier: MIT */
/*
 * A client's message: its rate, its command, and the answer if it is refused. Opened by whoever
 * handles a message in a session's name. It never relays one: services do.
 */
#ifndef PX_SESSION_DISPATCH_H
#define PX_SESSION_DISPATCH_H

#include "core/session.h"

void px_session_dispatch(struct px_session *session, struct px_span text);

/* Dispatches a message that had to wait for its practice. It has been charged. */
void px_session_run(struct px_session *session, struct px_span text);

/*
 * rate.c: a session's rates. The first two return 0, or the milliseconds to wait; an act that
 * was permitted is charged by px_session_acted(), afterwards.
 */
int64_t px_session_take(struct px_session *session, size_t bytes); /* for one message */
int64_t px_session_act_wait(const struct px_session *session); /* for one act */
void px_session_acted(struct px_session *session);
void px_session_charge(struct px_session *session, uint64_t answered); /* bytes sent to it */
/* Counts a message over the rate; may close the session. */
void px_session_count_flood(struct px_session *session);

/*
 * Handles a message that the server sends in the session's name, parsed into `scratch`, which must
 * be unused. False: refused, and the session got the error.
 */
bool px_session_try(struct px_session *session, struct px_envelope *scratch, struct px_span text);

/* answer.c: an `error`: of no particular message, or of the one with that type and id. */
struct px_refusal {
	enum px_error code;
	const char *field;
	const char *sentence;
	struct px_span ref;          /* the refused message's type; len 0: unknown */
	const struct px_field *id;   /* the id of the requested receipt, or NULL */
	int64_t retry_after_ms;      /* 0: not sent */
};
void px_session_refuse(struct px_session *session, const struct px_refusal *refusal);

#endif
