/* SPDX-License-Identifier: MIT */
/*
 * A session as data, and what is asked of it everywhere. Opened by whoever has one in hand. It
 * never changes one: session/ does, and outbound/ its queue.
 */
#ifndef PX_CORE_SESSION_H
#define PX_CORE_SESSION_H

#include "broker.h"
#include "identity.h"

#include <praxis/bucket.h>

enum px_session_phase {
	PX_SESSION_OPEN,
	PX_SESSION_CLOSING, /* hears no more; closes when its queue is written */
	PX_SESSION_CLOSED,  /* the transport was told; waits to be lost */
	PX_SESSION_DETACHED, /* without a connection, for a while: it may come back (replay_buffer.h) */
	PX_SESSION_LOST,     /* no connection any more; freed when the turn ends */
};

struct px_session {
	struct px_table_link link; /* among all clients; its hash is the client id */
	struct px_broker *broker;
	struct px_session *older;
	struct px_session *newer;
	struct px_realm *realm;
	struct px_identity *identity;
	void *conn;
	uint64_t number; /* on the broker's roll of sessions */
	uint32_t messages_in;
	uint32_t messages_out;

	struct px_member *members; /* its memberships */
	void *member_tree;         /* the same, to find one of many: channel/membership.c */
	void **service_states;     /* by index; NULL until a service wants some */
	uint32_t opened;           /* bit i: the service of index i was opened */
	uint32_t missed;           /* … something of it was not sent, while it was switched off */
	int8_t service;            /* the only one, or -1 */
	uint8_t phase;             /* enum px_session_phase */
	bool versioned : 1;
	bool is_dirty : 1;
	bool is_ending : 1;
	bool is_waiting : 1;       /* for a slow reader to take the rest, then the close frame */
	bool is_held : 1;          /* the host's own: see px_session_hold() */
	bool is_opening : 1;       /* its host does not know it yet: nothing is written */
	bool is_rejected : 1;      /* was turned away with the token that it came with */
	bool is_noticed : 1;       /* was told that its token expires soon */
	bool is_pinged : 1;        /* and has given no sign of life since */
	uint8_t bad_count;         /* unreadable messages since bad_since_ms */
	uint8_t floods;            /* messages over its rate since floods_since_ms */
	uint16_t close_code;
	uint16_t rooms;            /* that it is in, or waits before */
	uint16_t waits;            /* of these: that it waits before */
	uint32_t member_count;
	uint32_t pinged_ms;        /* the low bits of the clock */

	struct px_queue queue;     /* not written yet */
	struct px_resume *resume;  /* of a session that may come back; else NULL */
	struct px_session *next_dirty;
	struct px_session *next_ending;

	/*
	 * The next of session_deadlines.c's deadlines; closing: the reader's last chance; detached: its
	 * end.
	 */
	struct px_timer timer;
	int64_t alive_ms;      /* last sign of life */
	int64_t opened_ms;
	int64_t leave_ms;      /* closes with 1012 then; 0: it may stay */
	uint32_t bad_since_ms; /* the low bits of the clock: windows are seconds long */
	uint32_t floods_since_ms;
	struct px_bucket messages; /* what it may still send now */
	struct px_bucket bytes;
	struct px_bucket acts;
};

/* The client id as a number. */
static inline uint64_t px_session_own_id(const struct px_session *session)
{
	return session->link.hash;
}

/* The services that the session may use now, as a set of indexes. */
static inline uint32_t px_session_services(const struct px_session *session)
{
	uint32_t own = session->service < 0 ? UINT32_MAX : UINT32_C(1) << session->service;
	return session->realm->enabled & own;
}

/* The session of that client id; NULL. */
struct px_session *px_session_find(const struct px_broker *broker, struct px_span client_id);

/* Its client is told to come back: the server, or its way in, begins anew. */
static inline bool px_session_is_to_return(const struct px_session *session)
{
	return session->close_code == PX_CLOSE_RESTART && !session->realm->retired;
}

/*
 * Whether what is sent to it will reach it: now, or (praxis.v1) when its client comes back.
 */
static inline bool px_session_hears(const struct px_session *session)
{
	return session->phase == PX_SESSION_OPEN ||
			(session->versioned && session->resume &&
			(session->phase == PX_SESSION_DETACHED ||
			(session->phase < PX_SESSION_DETACHED &&
			px_session_is_to_return(session))));
}

/*
 * Whether the session is told of the service: that the server can be operated is nobody's
 * business who can not. One who is nobody yet may be about to become an administrator.
 */
static inline bool px_session_knows(const struct px_session *session, unsigned service)
{
	enum px_role role = session->identity->role;
	return role == 0 || role == PX_ROLE_ADMIN ||
			!session->broker->services[service].service->operates;
}

/* Whether there is anything in the service that its role may do: a patient has no whiteboard. */
static inline bool px_session_may_use(const struct px_session *session, unsigned service)
{
	return px_session_knows(session, service) &&
			session->broker->services[service].roles & session->identity->role;
}

/* A client id as text, and back again; false: it is none. */
void px_client_id_write(uint64_t id, char buf[PX_CLIENT_ID_SIZE]);
bool px_client_id_read(struct px_span text, uint64_t *ret_id);

#endif
