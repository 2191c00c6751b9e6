/* SPDX-License-Identifier: MIT */
/*
 * What happened, as the host is told it. Opened by whoever keeps a trail, counts or tells others.
 * It never carries what was said.
 */
#ifndef PRAXIS_HOST_EVENT_H
#define PRAXIS_HOST_EVENT_H

#include <praxis/channel.h>
#include <praxis/types.h>

struct px_operator;
struct px_practice;
struct px_service;
struct px_session;

/* Events for the host: the audit log, webhooks. */
enum px_event_kind {
	PX_EVENT_CONNECTED,     /* a session begins; it may be unauthenticated */
	PX_EVENT_AUTHENTICATED, /* it authenticated, or renewed its token */
	PX_EVENT_REFUSED,       /* it tried what it may not; `error` says which way */
	PX_EVENT_JOINED,        /* a counted channel (a room) */
	PX_EVENT_LEFT,          /* `reason` says why; `actor` who removed it, if somebody did */
	PX_EVENT_WAITING,       /* in the waiting room before one */
	PX_EVENT_ADMITTED,      /* joined a room, let in by `actor` */
	PX_EVENT_DENIED,        /* not let in by `actor` */
	PX_EVENT_WAITED,        /* waits no more and is not let in; `reason` and `actor` as LEFT */
	PX_EVENT_DETACHED,      /* its connection, `conn`, broke; it lives on without one for a while */
	PX_EVENT_RESUMED,       /* it continues with `conn`; its own is the old one, or NULL */
	PX_EVENT_DISCONNECTED,  /* it ended; `close_code`, or 0 if the server did not close it */
	PX_EVENT_ADMINISTERED,  /* an operator acts; see below */
};

/*
 * Lives during the call. `channel` for what happens in one. Those behind `operator` only for
 * ADMINISTERED: who acts (`session` is NULL for one that comes over HTTP), the act as a word, and
 * where and to whom, as far as that applies.
 */
struct px_event {
	enum px_event_kind kind;
	const struct px_session *session;
	const struct px_session *actor;
	const struct px_channel *channel;
	enum px_leave_reason reason;
	enum px_error error;
	uint16_t close_code;
	const struct px_operator *operator;
	const char *act;
	const struct px_practice *practice;
	const struct px_service *service;
	struct px_span room;
	struct px_span target;
	void *conn;
};

#endif
