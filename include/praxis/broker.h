/* SPDX-License-Identifier: MIT */
/*
 * The broker as its host sees it: a machine without sockets, clock or threads of its own.
 * The host passes in what arrived and what time it is; the broker writes through a
 * transport. So the server runs it on libuv, a unit test by hand, and the simulation on a
 * clock that jumps.
 *
 * One turn of the host's loop: px_broker_set_time(), any number of events, then
 * px_broker_end_turn(), which writes what was queued, closes what is to be closed and
 * frees what is dead. Everything on one thread. A host that says that a turn has lasted long
 * enough (px_broker_host.pressed) gets the rest of the work in the turns that follow.
 */
#ifndef PRAXIS_BROKER_H
#define PRAXIS_BROKER_H

#include <praxis/identity.h>
#include <praxis/operate.h>
#include <praxis/service.h>
#include <praxis/types.h>

struct px_broker;
struct px_session;
struct px_realm;

/* How frames reach a client. `conn` is the transport's own, one per session. */
struct px_transport {
	/*
	 * Whole frames. 0: all were taken (and may be on their way still); -errno: the
	 * connection is lost, px_session_lost() follows when the turn is over, unless the
	 * session let go of it.
	 */
	int (*write)(void *conn, const uint8_t *bytes, size_t len);

	/* Whether it takes nothing now; px_session_writable() follows when it does again. */
	bool (*busy)(void *conn);

	/*
	 * Close with this code (RFC 6455 section 7), or cut where code is 0. All was written
	 * before, unless the reader was too slow. px_session_lost() follows, not from within.
	 */
	void (*close)(void *conn, uint16_t code);

	/*
	 * From now on the connection is that session's. NULL: nobody's; the broker is told
	 * nothing more of it, not even px_session_lost(). How a session outlives a connection,
	 * or comes to have another one.
	 */
	void (*bind)(void *conn, struct px_session *session);
};

/* What happened, for those who must know of it: the audit trail. */
enum px_event_kind {
	PX_EVENT_CONNECTED,     /* a session begins; its identity may still be nobody's */
	PX_EVENT_AUTHENTICATED, /* it became somebody, or renewed its token */
	PX_EVENT_REFUSED,       /* it tried what it may not; `error` says which way */
	PX_EVENT_JOINED,        /* a counted channel (a room) */
	PX_EVENT_LEFT,          /* `reason` says why; `actor` who removed it, if somebody did */
	PX_EVENT_WAITING,       /* in the waiting room before one */
	PX_EVENT_ADMITTED,      /* joined a room, let in by `actor` */
	PX_EVENT_DENIED,        /* not let in by `actor` */
	PX_EVENT_WAITED,        /* waits no more and is not let in; `reason` and `actor` as LEFT */
	PX_EVENT_DETACHED,      /* its connection, `conn`, broke; it lives on without one for a while */
	PX_EVENT_RESUMED,       /* it goes on with `conn`; its own is the old one, or NULL */
	PX_EVENT_DISCONNECTED,  /* it ended; `close_code`, or 0 if nobody asked it to go */
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

/* What a host says of a token. */
enum px_verdict {
	PX_VERDICT_GOOD,
	PX_VERDICT_BAD,
	PX_VERDICT_EXPIRED,
	PX_VERDICT_THROTTLED, /* too many bad ones from there, or too many connections; later */
	PX_VERDICT_NO_TOKENS, /* this vhost takes none */
	PX_VERDICT_UNAVAILABLE,
};

struct px_authentication {
	enum px_verdict verdict;
	struct px_identity *identity; /* GOOD: the broker's from here on */
	const char *sentence;         /* why, without a word of the token; static. NULL: see verdict */
	int64_t retry_after_ms;       /* THROTTLED, UNAVAILABLE: then another try; 0: not said */
};

/* What a turn is spent on; the host may give each a share of its time. */
enum px_work {
	PX_WORK_IN,  /* handling what arrived or is due */
	PX_WORK_OUT, /* writing, closing, freeing */
};

/* What a host is asked to describe to an operator: members of an object that is open. */
enum px_description {
	PX_DESCRIBE_SERVER,
	PX_DESCRIBE_TOTALS,
	PX_DESCRIBE_CONFIG,
	PX_DESCRIBE_HISTORY, /* figures of the last hour */
	PX_DESCRIBE_LOCKS,   /* addresses that too many guesses came from */
	PX_DESCRIBE_OPTIONS, /* of one service */
};

/* What the broker needs of its host; copied. */
struct px_broker_host {
	void *user;

	/*
	 * Whether this turn has lasted long enough for that kind of work. Asked between small
	 * pieces of it; what is left waits for the next turn. NULL: never.
	 */
	bool (*over_budget)(void *user, enum px_work work);

	/*
	 * Something happens; before CONNECTED, AUTHENTICATED, JOINED, WAITING, ADMITTED, RESUMED and
	 * ADMINISTERED are confirmed to anybody. -errno for one of these: it must not happen.
	 * NULL: nobody wants to know.
	 */
	int (*event)(void *user, const struct px_event *event);

	/* Judges a token of the `auth` message; conn is the session's. NULL: there are none. */
	void (*authenticate)(void *user, void *conn, const struct px_realm *realm,
			struct px_span token, struct px_authentication *ret_authentication);
	void (*random)(void *user, void *buf, size_t len);
	void (*log)(void *user, int level, const char *line);
	/* HMAC-SHA1 in base64, 28 bytes and the terminator; 0 or -errno. NULL: none. */
	int (*hmac_sha1)(void *user, struct px_span key, struct px_span text, char buf[29]);

	/*
	 * Switches a service of the operator's vhost. -ENOENT: it has none of that name; -EBUSY: it
	 * must stay on; -EIO: it cannot be loaded or started, as was logged; -EROFS: the trail
	 * does not take it. NULL: nothing is ever switched.
	 */
	int (*switch_service)(void *user, const struct px_operator *operator,
			struct px_span service, bool enabled);

	/*
	 * Lifts the lock of an address. -ENOENT: it has none; -EROFS: the trail does not take it.
	 * NULL: nothing is ever locked.
	 */
	int (*unlock)(void *user, const struct px_operator *operator, struct px_span address);

	/* A clock for durations. NULL: there is none. */
	uint64_t (*now_ns)(void *user);

	/* How long it took to write what one turn had for its sessions. NULL: it does not matter. */
	void (*flushed)(void *user, uint64_t ns);

	/* Never a secret. NULL: there is nothing to tell. */
	void (*describe)(void *user, const struct px_operator *operator,
			enum px_description what, const struct px_service *service,
			struct px_json *json);
};

/* Bounds; each has its key in the configuration (docs/configuration.md). 0: without. */
struct px_limits {
	uint32_t queue_bytes;
	int64_t queue_age_ms; /* how long the first message in a queue may wait for its reader */
	uint32_t rooms_per_session;
	uint32_t channels;
	uint32_t practices;
	uint32_t message_bytes;
	uint32_t rooms_per_practice;
	uint32_t messages_per_s; /* of a session, and how many it may save up */
	uint32_t messages_burst;
	uint32_t bytes_per_s;
	uint32_t bytes_burst;
	uint32_t acts_per_s; /* what is written to the trail: auth, and px_command.acts */
	uint32_t acts_burst;
	int64_t heartbeat_ms; /* 0: no pings */
	int64_t slow_close_ms;
	int64_t auth_notice_ms; /* before its token expires, it is told; at most a fifth of its life */

	/* Sessions that outlive their connections. */
	int64_t grace_ms;           /* for so long; 0: none does */
	uint32_t detached_sessions; /* at a time; the one that waits longest makes room */
	uint32_t resume_messages;   /* kept of one session until the client confirms them … */
	uint32_t resume_bytes;
};

/* What became of a client's wish to resume. */
enum px_resume_result {
	PX_RESUME_DONE,
	PX_RESUME_UNKNOWN,    /* no such token: over, used, or another site's */
	PX_RESUME_BEHIND,     /* what it lacks is not kept any more */
	PX_RESUME_BAD_COUNT,  /* it told no number, or of messages that it was never sent */
	PX_RESUME_OTHER_USER, /* it came with credentials of somebody else */
	PX_RESUME_REFUSED,    /* the host, or no memory */
	PX_RESUME_COUNT,
};

/* Why the broker did not let something begin; each is a limit of px_limits or of a channel. */
enum px_limit_kind {
	PX_LIMIT_KIND_CHANNELS,
	PX_LIMIT_KIND_PRACTICES,
	PX_LIMIT_KIND_ROOMS_PER_SESSION,
	PX_LIMIT_KIND_ROOMS_PER_PRACTICE,
	PX_LIMIT_KIND_ROOM_MEMBERS,
	PX_LIMIT_KIND_WAITING,
	PX_LIMIT_KIND_COUNT,
};

/* Messages of one type, those that nobody could read with type NULL. */
struct px_traffic_count {
	const char *type;
	uint64_t messages_in, messages_out, bytes_in, bytes_out;
};

/* Counted since the start, but for the first group, which is of now. */
struct px_stats {
	uint64_t sessions; /* with a connection */
	uint64_t detached; /* without */
	uint64_t channels, rooms, members, messages_live, queue_bytes;
	uint64_t practices; /* with a session in them */
	uint64_t room_members; /* of the members: in rooms */
	uint64_t waiting;      /* … and in waiting rooms */
	uint64_t kept_messages, kept_bytes; /* written, and not confirmed by the client */
	uint64_t sessions_opened, messages_in, messages_out, deliveries, bytes_in, bytes_out;
	uint64_t keepalives_in;  /* `ping` and `received`, which are no messages_in */
	uint64_t keepalives_out; /* what answers these, and pings of WebSocket; no messages_out */
	uint64_t writes, slow_readers, silent_peers, rate_limited, acts_limited, published;
	uint64_t slow_by_age;      /* of the slow readers: something had waited for too long */
	uint64_t limited_by_bytes; /* of the rate_limited: too many bytes, not messages */
	uint64_t turns_cut; /* ended with work left for the next one */
	uint64_t replaced, replaced_bytes; /* messages that later ones made superfluous */
	uint64_t dropped, dropped_bytes;   /* … that slow readers were owed */
	uint64_t withheld; /* … that waited, and were lost with a right or a service */
	uint64_t errors[PX_E_COUNT];
	uint64_t bounds[PX_LIMIT_KIND_COUNT];
	uint64_t recovered, unrecovered; /* readers of a history that held what they missed, or not */
	uint64_t closes[PX_CLOSES_COUNT]; /* by px_close_code(), whether or not the frame got out */
	uint64_t cuts; /* connections that the server ended without a close frame */
	uint64_t breaks; /* sessions that were detached */
	uint64_t resumes[PX_RESUME_COUNT];
	uint64_t takeovers; /* resumes of sessions that had a connection still */
	uint64_t healed;
};

PX_PUBLIC int px_broker_create(const struct px_transport *transport,
		const struct px_broker_host *host, const struct px_limits *limits,
		struct px_broker **ret_broker);

/*
 * All sessions must be gone: px_broker_end_detached() and px_broker_end_turn() after the last
 * px_session_lost().
 */
PX_PUBLIC void px_broker_destroy(struct px_broker *broker);

PX_PUBLIC void px_broker_set_limits(struct px_broker *broker, const struct px_limits *limits);

/* What time it is: a clock that never goes back, and that of the wall. Fires what is due. */
PX_PUBLIC void px_broker_set_time(struct px_broker *broker, int64_t mono_ms, int64_t wall_ms);

/*
 * When px_broker_set_time() is needed again at the latest, in mono_ms; INT64_MAX: never. Not
 * later than now where it was pressed.
 */
PX_PUBLIC int64_t px_broker_deadline(const struct px_broker *broker);

/* True: there is work left, and the next turn must follow at once. */
PX_PUBLIC bool px_broker_end_turn(struct px_broker *broker);

/* The counts of the type of that index, from 0; NULL: there are no more. */
PX_PUBLIC const struct px_traffic_count *px_broker_traffic(const struct px_broker *broker,
		unsigned index);

/* How many messages have been queued, for all sessions together; grows. */
PX_PUBLIC uint64_t px_broker_queued(const struct px_broker *broker);

/* A transport closes a connection of its own accord, one that has no session. */
PX_PUBLIC void px_broker_count_close(struct px_broker *broker, uint16_t code);

PX_PUBLIC void px_broker_stats(const struct px_broker *broker, struct px_stats *ret_stats);

/* At most this many services at once. */
#define PX_SERVICES_MAX 32

/*
 * Starts a service. The descriptor must outlive the broker; `options` are the caller's and
 * live as service.h says. *ret_index is its bit in px_realm.enabled. -EEXIST: the name, or
 * a prefix; -EINVAL: the descriptor (why is in the log); -ENOSPC; or what `start` returned.
 */
PX_PUBLIC int px_broker_add_service(struct px_broker *broker, const struct px_service *service,
		const struct px_options *options, unsigned *ret_index);

/*
 * Whether the descriptor can be used: 0, or -EINVAL with a sentence in `fault` that names the
 * type or prefix. What px_broker_add_service() asks first; it needs no broker.
 */
PX_PUBLIC int px_service_check(const struct px_service *service, char *fault, size_t size);

/* What both say that their types begin with, and no two services may; NULL: nothing. */
PX_PUBLIC const char *px_service_shared_prefix(const struct px_service *one,
		const struct px_service *two);

/* Gives a running service new options; -errno as its `configure`, -ENOTSUP without one. */
PX_PUBLIC int px_broker_configure(struct px_broker *broker, unsigned index,
		const struct px_options *options);

/*
 * Takes back the service that was added last, which no site may have had enabled yet: what
 * was to come with it failed. Its index is free again.
 */
PX_PUBLIC void px_broker_remove_last_service(struct px_broker *broker);

/* The service of that index, or of that name; NULL. */
PX_PUBLIC const struct px_service *px_broker_service(const struct px_broker *broker,
		unsigned index);
PX_PUBLIC const struct px_service *px_broker_find_service(const struct px_broker *broker,
		struct px_span name, unsigned *ret_index);

/* The service that messages of that type are of, by what stands before its first underscore; NULL. */
PX_PUBLIC const struct px_service *px_broker_service_of_type(const struct px_broker *broker,
		struct px_span type, unsigned *ret_index);

/* Which of a site's sessions are sent away, see px_broker_drain_realm(). */
struct px_realm_drain {
	bool is_wanted;
	bool (*concerns)(void *user, const struct px_session *session); /* NULL: all */
	void *user;
	int64_t spread_ms;
};

/*
 * What sessions of one vhost may use. The host's; it must outlive them, and a change of
 * `enabled` holds from the next message on: that is how a service is switched. Call
 * px_broker_realm_changed() after it.
 */
struct px_realm {
	const char *name; /* of the vhost; by it a session finds its site again after a restart */
	uint32_t enabled; /* bit i: the service of index i */
	const char *const *disabled; /* names of services that are known here and switched off */
	size_t disabled_count;
	int64_t auth_ms; /* in which a session must have authenticated */
	const char *tenant; /* the vhost's own; NULL: nobody rules here (operate.h) */
	bool wants_proof; /* nobody comes in whose identity is not authenticated, but to become so */
	bool retired; /* whose sessions are to come back to another one, as new ones */
	uint64_t sessions; /* the broker's count of those that hold on to it, in whatever state */
	uint32_t users[PX_SERVICES_MAX];   /* the broker's: sessions that have the service of that index */
	uint32_t members[PX_SERVICES_MAX]; /* … their memberships in its rooms and waiting rooms */
	struct px_realm_drain drain; /* the broker's */
};

/*
 * Opens the sessions of a site for services that were switched on; over several turns if there
 * are many, but none notices.
 */
PX_PUBLIC void px_broker_realm_changed(struct px_broker *broker, const struct px_realm *realm);

struct px_session_params {
	struct px_realm *realm;
	struct px_identity *identity; /* taken over if the call succeeds */
	void *conn;                   /* the transport's; good until px_session_lost() */
	int service;                  /* index of the one service, -1: all (unified) */
	bool versioned;               /* offered praxis.v1 */
	/*
	 * It brought a token that is no good: it is told so, and closed with 4401 (UNAVAILABLE: nobody
	 * could say, with 1013). GOOD: none, or a good one.
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
 * Whether that token would resume a session of the site now: then its client needs no other
 * credentials, and `identity` may be nobody's. NULL: it would not; else that session, the
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
 * A client has connected. Queues `connection_established`; or gives it a session that lost its
 * connection (docs/protocol.md, section 6), which then is *ret_session, with `identity` for what
 * it says: a newer one of the same user, or of nobody, but where it comes from.
 * -ENOMEM, or what the host said to the event: nothing happened.
 */
PX_PUBLIC int px_session_open(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session);

/*
 * Who it is, as far as it is known; and what a host may ask for its trail. Texts live as
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

/* A pong: a sign of life, too, and counted, since nobody need have asked for it. */
PX_PUBLIC void px_session_ponged(struct px_session *session);

PX_PUBLIC void px_session_writable(struct px_session *session);

/* How a connection ended. */
enum px_loss {
	PX_LOSS_BROKEN,  /* without a word, or with one that does not mean it */
	PX_LOSS_GOODBYE, /* the client's close frame with 1000 or 1001; or for a violation of RFC 6455 */
};

/*
 * The connection is gone, whoever ended it. The session may live on without it, if it broke;
 * else it is freed when the turn ends.
 */
PX_PUBLIC void px_session_lost(struct px_session *session, enum px_loss loss);

/* Ends the sessions that have no connection; they are freed when the turn ends. */
PX_PUBLIC void px_broker_end_detached(struct px_broker *broker);

/* Tells every client that it should come back in 0 to spread_ms; the oldest first. */
PX_PUBLIC void px_broker_announce_drain(struct px_broker *broker, int64_t spread_ms);

/*
 * Closes up to `count` sessions with `code`, the oldest first, but none that has yet to be told
 * that the server drains; returns how many are left open.
 */
PX_PUBLIC uint64_t px_broker_close_some(struct px_broker *broker, uint64_t count,
		enum px_close code);

/*
 * Sends the sessions of one site away, or those of them that `concerns` says yes to: each is
 * told (server_draining), and closed with 1012 at a moment of its own within spread_ms. Over
 * several turns if there are many; `user` has to live as long as the site, since they may be
 * looked at again when another site is drained. A later call for the same site takes this
 * one's place.
 */
PX_PUBLIC void px_broker_drain_realm(struct px_broker *broker, struct px_realm *realm,
		bool (*concerns)(void *user, const struct px_session *session), void *user,
		int64_t spread_ms);

#endif
