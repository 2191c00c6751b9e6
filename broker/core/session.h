/* SPDX-License-Identifier: MIT */
/* The inside of a session, for the files that make up its life. */
#ifndef PX_SESSION_H
#define PX_SESSION_H

#include "broker.h"
#include "identity.h"
#include "message.h"

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

	/* The next of session_deadlines.c's deadlines; closing: the reader's last chance; detached: its end. */
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

/* outbound/write.c: queues and what becomes of them */
void px_session_flush(struct px_session *session);
/* One message more was queued for it. */
void px_session_count_out(struct px_session *session, const struct px_message *message);
void px_session_mark_dirty(struct px_session *session);
void px_session_drop_queue(struct px_session *session);
void px_session_mark_ending(struct px_session *session);
/* Too slow a reader is told so; what it was owed is dropped. */
void px_session_part_slow(struct px_session *session, bool by_age);
void px_broker_flush(struct px_broker *broker);

/* As px_session_send(), to one that hears, and a message that its services do not mute. */
void px_session_push(struct px_session *session, struct px_message *message);

/* rights.c: it is of a service that the session does without now; noted, if it missed something. */
bool px_session_is_muted(struct px_session *session, const struct px_message *message);

/* The same. All services are on, mostly, and this is asked for each member of a fan-out. */
static inline bool px_session_mutes(struct px_session *session, const struct px_message *message)
{
	return (message->service == PX_SERVICE_GONE || (message->service < PX_SERVICES_MAX &&
			session->broker->muted >> message->service & 1)) &&
			px_session_is_muted(session, message);
}

/* session_deadlines.c: heartbeats, time to authenticate, expiry */
int px_session_arm(struct px_session *session);
void px_session_deadlines(struct px_session *session);

/* authenticate.c */
/*
 * Who the token says: the session; or, for one who was nobody, the session that waited for it,
 * which has its connection now. NULL: it was told why not.
 */
struct px_session *px_session_authenticate(struct px_session *session,
		const struct px_envelope *message, const struct px_field *id);
/* Says why a token is no good; one who was nobody is closed with 4401. */
void px_session_reject(struct px_session *session, const struct px_authentication *authentication,
		const struct px_field *id);
void px_session_write_user(const struct px_session *session, struct px_json *json);

/* Puts the new identity in the place of the old one, which is destroyed; `tells`: with auth_ok. */
void px_session_become(struct px_session *session, struct px_identity *identity, bool tells);

/* session.c */
/* Tells the transport; 0 cuts the connection. */
void px_session_shut(struct px_session *session, uint16_t code);
/* The connection is no good any more: cut; the session may live on without it. */
void px_session_break(struct px_session *session);
void px_session_greet(struct px_session *session, bool not_resumed);
/*
 * A session of before the restart, which waits for its client; takes the identity over if it
 * succeeds. Nobody is told. -ENOMEM.
 */
int px_session_restore(struct px_broker *broker, const struct px_session_params *params,
		uint64_t client_id, struct px_session **ret_session);
/* A client id as text, and back again; false: it is none. */
void px_client_id_write(uint64_t id, char buf[PX_CLIENT_ID_SIZE]);
bool px_client_id_read(struct px_span text, uint64_t *ret_id);
/* The session is without a connection, for good; freed when the turn ends. */
void px_session_finish(struct px_session *session);

/* rate.c: what a session may cost. Taking: 0, or the milliseconds until there is enough. */
int64_t px_session_take(struct px_session *session, size_t bytes); /* for one message */
int64_t px_session_act_wait(const struct px_session *session); /* may it act? It has: */
void px_session_acted(struct px_session *session);
void px_session_charge(struct px_session *session, uint64_t answered); /* bytes sent to it */
void px_session_count_flood(struct px_session *session); /* one more over its rate: it may be closed */

/* session/dispatch.c */
void px_session_dispatch(struct px_session *session, struct px_span text);

/* outbound/slow_consumer.c */
/*
 * Takes out of the queue what a later message with the same key, `next` (or NULL) the latest,
 * makes superfluous; returns how many bytes.
 */
uint32_t px_session_replace(struct px_session *session, const struct px_message *next);
/* The same; whether that was worth it for a queue that may hold `limit` bytes. */
bool px_session_is_relieved(struct px_session *session, const struct px_message *next,
		uint32_t limit);
void px_session_count_slow(struct px_session *session, bool by_age);

/* session_deadlines.c: its transport takes nothing, and there is something in its queue */
void px_session_watch_queue(struct px_session *session);

/* session_sweep.c: goes on with what concerns all sessions; and without this one, which goes */
void px_broker_walk(struct px_broker *broker);
void px_broker_rearm(struct px_broker *broker);
void px_broker_skip(struct px_broker *broker, const struct px_session *session);

/*
 * A message that the server itself sends in the session's name, read into an envelope that is
 * not in use. True: it was handled; false: refused, as the session was told.
 */
bool px_session_try(struct px_session *session, struct px_envelope *scratch, struct px_span text);

/* session_services.c: services begin and end in a session */
/* Opens those that it has not got yet; returns which of them took it. */
uint32_t px_session_open_services(struct px_session *session);
void px_session_enter_services(struct px_session *session, uint32_t services);
void px_session_attach(struct px_session *session); /* both */
void px_session_enter(struct px_session *session, struct px_practice *practice);
void px_session_close_services(struct px_session *session);
/* Begins one that the session had before the restart, without entering anything. */
void px_session_reopen_service(struct px_session *session, unsigned index);
void *px_session_state(const struct px_session *session, unsigned service);

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
