/* SPDX-License-Identifier: MIT */
/*
 * Sessions as their host has them: opened, resumed, fed, lost. Opened by whoever has connections.
 * It never says what a session may do: its identity does.
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
	struct px_identity *identity; /* taken over if the call succeeds */
	void *conn;                   /* the transport's; good until px_session_lost() */
	int service;                  /* index of the one service, -1: all (unified) */
	bool versioned;               /* offered praxis.v1 */
	/*
	 * Its token was rejected: it gets the error, and is closed with 4401 (UNAVAILABLE: it
	 * could not be verified, with 1013). GOOD: none, or a good one.
	 */
	enum px_verdict verdict;
	const char *sentence;
	int64_t retry_after_ms; /* 0: not said */

	/*
	 * versioned: the token of the session that it wants to resume (len 0: none), and how many
	 * messages of that session it has; -1: it did not say.
	 */
	struct px_span resume;
	int64_t received;
};

/*
 * Whether that token would resume a session of the realm now: then its client needs no other
 * credentials, and `identity` may be unauthenticated. NULL: it would not; else that session, the
 * broker's, until this turn of the loop ends.
 */
PX_PUBLIC const struct px_session *px_broker_resumable(struct px_broker *broker,
		const struct px_realm *realm, struct px_span token, int64_t received);

/*
 * Whether a client that comes with these (`identity` does not matter) as that user would be given a
 * session that waits without a connection: by its token, or by being that user.
 */
PX_PUBLIC bool px_broker_awaits(struct px_broker *broker, const struct px_session_params *params,
		struct px_span tenant, struct px_span user);

/* Shows each session that waits without a connection to `visit`, the longest first. */
PX_PUBLIC void px_broker_visit_detached(const struct px_broker *broker,
		void (*visit)(void *user, const struct px_session *session), void *user);

/* A mark of the host's on a session: it is counted somewhere. False at first. */
PX_PUBLIC void px_session_hold(const struct px_session *session, bool held);
PX_PUBLIC bool px_session_is_held(const struct px_session *session);

/* Whether the client of that id is in the room, and not only before its door. */
PX_PUBLIC bool px_broker_is_in_room(const struct px_broker *broker, struct px_span client_id,
		struct px_span tenant, struct px_span practice, struct px_span service,
		struct px_span room);

/*
 * A client has connected. Queues `connection_established`, or resumes a session that lost its
 * connection (docs/protocol.md, section 6), which then is *ret_session. A resumed session takes
 * `identity` if that is authenticated (it is of the same user), else only its address.
 * -ENOMEM, or what the host returned for the event: nothing happened.
 */
PX_PUBLIC int px_session_open(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session);

/*
 * Its identity, as far as known, and what a host needs for its audit log. Texts live as
 * long as the session's identity.
 */
PX_PUBLIC struct px_span px_session_address(const struct px_session *session);
PX_PUBLIC struct px_span px_session_tenant(const struct px_session *session);
PX_PUBLIC void *px_session_conn(const struct px_session *session);
PX_PUBLIC const struct px_realm *px_session_realm(const struct px_session *session);

/* Since it was opened, by whichever process. */
PX_PUBLIC int64_t px_session_age_ms(const struct px_session *session);

/* The practices that it holds, as it spells them; index below the count. */
PX_PUBLIC uint32_t px_session_practice_count(const struct px_session *session);
PX_PUBLIC struct px_id px_session_practice(const struct px_session *session, uint32_t index);

/* One whole text message. The bytes are the caller's and are not kept. */
PX_PUBLIC void px_session_receive(struct px_session *session, const uint8_t *bytes, size_t len);

/* Some other sign of life. */
PX_PUBLIC void px_session_alive(struct px_session *session);

/* A pong: a sign of life, and charged, since it may be unsolicited. */
PX_PUBLIC void px_session_ponged(struct px_session *session);

PX_PUBLIC void px_session_writable(struct px_session *session);

/* How a connection ended. */
enum px_loss {
	PX_LOSS_BROKEN,  /* without a word, or with one that does not mean it */
	PX_LOSS_GOODBYE, /* the client's close frame, 1000 or 1001; or a violation of RFC 6455 */
};

/*
 * The connection is gone, whoever ended it. The session may live on without it, if it broke;
 * else it is freed when the turn ends.
 */
PX_PUBLIC void px_session_lost(struct px_session *session, enum px_loss loss);

/* Ends the sessions that have no connection; they are freed when the turn ends. */
PX_PUBLIC void px_broker_end_detached(struct px_broker *broker);

#endif
