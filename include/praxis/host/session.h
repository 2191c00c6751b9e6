/* SPDX-License-Identifier: MIT */
/*
 * Sessions as their host has them: opened, resumed, fed with messages, lost. Opened by whoever has
 * connections. What a session may do depends on its identity, not on this.
 */
#ifndef PRAXIS_HOST_SESSION_H
#define PRAXIS_HOST_SESSION_H

#include <praxis/host/authentication.h>
#include <praxis/host/identity.h>
#include <praxis/session.h>
#include <praxis/types.h>

struct px_broker;
struct px_realm;
struct px_session;

struct px_session_params {
	struct px_realm *realm;
	struct px_identity *identity; /* the broker's if the call succeeds */
	void *conn;                   /* the transport's; valid until px_session_lost() */
	int service;                  /* index of the only service, or -1: all (the unified session) */
	bool versioned;               /* the client offered praxis.v1 */
	/*
	 * Other than GOOD: its token was rejected, so it gets the error and is closed with 4401
	 * (UNAVAILABLE, which could not verify it: with 1013). GOOD: no token, or a valid one.
	 */
	enum px_verdict verdict;
	const char *sentence;
	int64_t retry_after_ms; /* 0: not said */

	/*
	 * With praxis.v1: the token of the session to be resumed (len 0: none), and the number of
	 * messages that the client has of it; -1: not said.
	 */
	struct px_span resume;
	int64_t received;
};

/*
 * The session that this token would resume in the realm now, so that its client needs no other
 * credentials and `identity` may be unauthenticated; valid until the end of this turn. NULL: none.
 */
PX_PUBLIC const struct px_session *px_broker_resumable(struct px_broker *broker,
		const struct px_realm *realm, struct px_span token, int64_t received);

/*
 * Whether a client with these parameters (except `identity`) and that user would get a detached
 * session: by resume token, or as that user.
 */
PX_PUBLIC bool px_broker_awaits(struct px_broker *broker, const struct px_session_params *params,
		struct px_span tenant, struct px_span user);

/* Calls `visit` for each detached session, longest detached first. */
PX_PUBLIC void px_broker_visit_detached(const struct px_broker *broker,
		void (*visit)(void *user, const struct px_session *session), void *user);

/* Sets a mark of the host's on a session, initially false: the host counts it somewhere. */
PX_PUBLIC void px_session_hold(const struct px_session *session, bool held);
PX_PUBLIC bool px_session_is_held(const struct px_session *session);

/* Whether the client with that id is in the room; false if it only waits for admission. */
PX_PUBLIC bool px_broker_is_in_room(const struct px_broker *broker, struct px_span client_id,
		struct px_span tenant, struct px_span practice, struct px_span service,
		struct px_span room);

/*
 * A client has connected. Queues `connection_established`, or resumes or reattaches to a session
 * that lost its connection (docs/protocol.md, section 6), which is *ret_session then. That session
 * takes `identity` if it is authenticated (it is of the same user), otherwise only its address. On
 * success the broker owns the identity. -ENOMEM, or the host's error for the event: nothing
 * changed, and the caller keeps the identity.
 */
PX_PUBLIC int px_session_open(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session);

/*
 * Its identity, and what a host needs for its audit log. Texts are valid as long as the session's
 * identity.
 */
PX_PUBLIC struct px_span px_session_address(const struct px_session *session);
PX_PUBLIC struct px_span px_session_tenant(const struct px_session *session);
PX_PUBLIC void *px_session_conn(const struct px_session *session);
PX_PUBLIC const struct px_realm *px_session_realm(const struct px_session *session);

/* Milliseconds since it was opened, including earlier processes. */
PX_PUBLIC int64_t px_session_age_ms(const struct px_session *session);

/* Whether it waits for its greeting, with several servers: until then nothing should be read. */
PX_PUBLIC bool px_session_is_greeting(const struct px_session *session);

/* The practices that it holds, in its own spelling; index below the count. */
PX_PUBLIC uint32_t px_session_practice_count(const struct px_session *session);
PX_PUBLIC struct px_id px_session_practice(const struct px_session *session, uint32_t index);

/* One whole text message. The bytes are the caller's and are not kept. */
PX_PUBLIC void px_session_receive(struct px_session *session, const uint8_t *bytes, size_t len);

/* Another sign of life. */
PX_PUBLIC void px_session_alive(struct px_session *session);

/* A pong: a sign of life, which is charged, since it may be unsolicited. */
PX_PUBLIC void px_session_ponged(struct px_session *session);

PX_PUBLIC void px_session_writable(struct px_session *session);

/* How a connection ended. */
enum px_loss {
	PX_LOSS_BROKEN,  /* without a close frame, or with one that does not mean the end */
	PX_LOSS_GOODBYE, /* the client's close frame, 1000 or 1001; or a violation of RFC 6455 */
};

/*
 * The connection has ended, for whatever reason. If it broke, the session may be detached and live
 * on; otherwise it is freed when the turn ends.
 */
PX_PUBLIC void px_session_lost(struct px_session *session, enum px_loss loss);

/* Ends the detached sessions; they are freed when the turn ends. */
PX_PUBLIC void px_broker_end_detached(struct px_broker *broker);

#endif
