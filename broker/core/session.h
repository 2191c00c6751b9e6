/* SPDX-License-Identifier: MIT */
/*
 * A session as data, and the questions that everybody asks of it. Opened by whoever handles one. It
 * never changes a session: session/ does, and outbound/ its queue.
 */
#ifndef PX_CORE_SESSION_H
#define PX_CORE_SESSION_H

#include "broker.h"
#include "identity.h"

#include <praxis/bucket.h>

enum px_session_phase {
	PX_SESSION_OPEN,
	PX_SESSION_CLOSING, /* gets no more messages; closes when its queue is written */
	PX_SESSION_CLOSED,  /* the transport was told; waits for px_session_lost() */
	PX_SESSION_DETACHED, /* without a connection; may be resumed (replay_buffer.h) */
	PX_SESSION_LOST,     /* without a connection for good; freed when the turn ends */
	PX_SESSION_GUEST,    /* of another node, at its practice's home: see bus/ */
};

struct px_session_state;

struct px_session {
	struct px_table_link link; /* in the table of all clients; its hash is the client id */
	struct px_broker *broker;
	struct px_session *older;
	struct px_session *newer;
	struct px_realm *realm;
	struct px_identity *identity;
	void *conn;
	uint64_t number; /* in the broker's paged index of sessions */
	uint32_t messages_in;
	uint32_t messages_out;

	struct px_member *members; /* its memberships */
	void *member_tree;         /* the same as an index: channel/membership.c */
	struct px_session_state *service_states; /* one for each open service with a state */
	uint32_t opened;           /* bit i: service i was opened */
	uint32_t missed;           /* … messages of it were not sent while it was disabled */
	int8_t service;            /* index of the only service, or -1: all */
	uint8_t phase;             /* enum px_session_phase */
	bool versioned : 1;
	bool is_dirty : 1;
	bool is_ending : 1;
	bool is_waiting : 1;       /* for a slow reader to take the rest before the close frame */
	bool is_held : 1;          /* the host's: see px_session_hold() */
	bool is_opening : 1;       /* the host does not know it yet: nothing is written */
	bool is_rejected : 1;      /* its token was rejected on connecting */
	bool is_noticed : 1;       /* was sent the expiry notice */
	bool is_pinged : 1;        /* and has shown no sign of life since */
	bool is_greeting : 1;      /* it is greeted when it has arrived in all its practices */
	bool is_anew : 1;          /* … and told that it was not resumed */
	uint8_t waiting;           /* messages that wait for their practice: bus/ */
	uint32_t waiting_bytes;    /* … and what they hold of memory */
	uint16_t arriving;         /* practices that wait for the session to arrive in them: bus/ */
	uint8_t bad_count;         /* unreadable messages since bad_since_ms */
	uint8_t floods;            /* messages over its rate since floods_since_ms */
	uint16_t close_code;
	uint16_t rooms;            /* joined or waited for */
	uint16_t waits;            /* of these, waited for */
	uint32_t member_count;
	uint32_t pinged_ms;        /* the low bits of the clock */

	struct px_queue queue;     /* not written yet */
	struct px_resume *resume;  /* of a session that may be resumed; otherwise NULL */
	struct px_session *next_dirty;
	struct px_session *next_ending;

	/*
	 * The next of session_deadlines.c's deadlines; when closing: the limit for the reader; when
	 * detached: the end of the grace.
	 */
	struct px_timer timer;
	int64_t alive_ms;      /* last sign of life */
	int64_t opened_ms;
	int64_t leave_ms;      /* when it is closed with 1012; 0: never */
	uint32_t bad_since_ms; /* the low bits of the clock: windows are seconds long */
	uint32_t floods_since_ms;
	struct px_bucket messages; /* its remaining rate */
	struct px_bucket bytes;
	struct px_bucket acts;
};

/* The client id as a number. */
static inline uint64_t px_session_own_id(const struct px_session *session)
{
	return session->link.hash;
}

/* The services that the session may use now, as a bit set of indexes. */
static inline uint32_t px_session_services(const struct px_session *session)
{
	uint32_t own = session->service < 0 ? UINT32_MAX : UINT32_C(1) << session->service;
	return session->realm->enabled & own;
}

/* The session with that client id; NULL. */
struct px_session *px_session_find(const struct px_broker *broker, struct px_span client_id);

/* Whether its client is told to connect again: the server or the vhost restarts. */
static inline bool px_session_is_to_return(const struct px_session *session)
{
	return session->close_code == PX_CLOSE_RESTART && !session->realm->retired;
}

/* Whether messages can still reach it: now, or (praxis.v1) when it is resumed. */
static inline bool px_session_hears(const struct px_session *session)
{
	return session->phase == PX_SESSION_OPEN || session->phase == PX_SESSION_GUEST ||
			(session->versioned && session->resume &&
			(session->phase == PX_SESSION_DETACHED ||
			(session->phase < PX_SESSION_DETACHED &&
			px_session_is_to_return(session))));
}

/*
 * Whether the session is told about the service: one with `operates` is hidden from sessions that
 * are not administrators. An unauthenticated session may become one.
 */
static inline bool px_session_knows(const struct px_session *session, unsigned service)
{
	enum px_role role = session->identity->role;
	return role == 0 || role == PX_ROLE_ADMIN ||
			!session->broker->services[service].service->operates;
}

/* Whether the service has commands that its role may send: patients have no whiteboard. */
static inline bool px_session_may_use(const struct px_session *session, unsigned service)
{
	return px_session_knows(session, service) &&
			session->broker->services[service].roles & session->identity->role;
}

/* Writes a client id as text, and reads it; false: not a client id. */
void px_client_id_write(uint64_t id, char buf[PX_CLIENT_ID_SIZE]);
bool px_client_id_read(struct px_span text, uint64_t *ret_id);

#endif
