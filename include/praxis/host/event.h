/* SPDX-License-Identifier: MIT */
/*
 * Events that the broker reports to its host. Opened by the audit log, statistics and webhooks. It
 * never carries message contents.
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
	PX_EVENT_CONNECTED,     /* a session was opened; it may be unauthenticated */
	PX_EVENT_AUTHENTICATED, /* it authenticated, or renewed its token */
	PX_EVENT_REFUSED,       /* it was refused; `error` says why */
	PX_EVENT_JOINED,        /* a room */
	PX_EVENT_LEFT,          /* `reason` says why; `actor`: who removed it, if somebody did */
	PX_EVENT_WAITING,       /* joined a room's waiting room */
	PX_EVENT_ADMITTED,      /* joined a room, admitted by `actor` */
	PX_EVENT_DENIED,        /* denied by `actor` */
	PX_EVENT_WAITED,        /* stopped waiting without admission; `reason` and `actor` as LEFT */
	PX_EVENT_DETACHED,      /* its connection, `conn`, broke; it waits for its client */
	PX_EVENT_RESUMED,       /* it continues with `conn`; its own is the former one, or NULL */
	PX_EVENT_DISCONNECTED,  /* it ended; `close_code`, or 0 if the server did not close it */
	PX_EVENT_ADMINISTERED,  /* an operator acts; see below */
};

/*
 * Valid during the call. `channel` for events in one. The fields after `operator` are for
 * ADMINISTERED only: who acts (`session` is NULL for requests over HTTP), the act as a word, and
 * its place and target, where they apply.
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
