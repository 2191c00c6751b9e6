/* SPDX-License-Identifier: MIT */
/*
 * A channel: a set of members, and what is published to them. Its key is (tenant, practice,
 * service, name). A practice's whiteboard and a video call's room are both channels, of different
 * kinds. A channel may have a waiting room, which is a channel with the same key.
 *
 * Isolation is checked here, for every join and every publication: a session reaches only channels
 * of practices that its identity holds. A service cannot name a channel by a practice's number; it
 * needs the practice that the broker resolved for the current message (px_call.practice), or a
 * membership.
 *
 * A channel exists from its first member to its last, or, if its kind keeps a history, until the
 * history has expired. The broker owns members and channels; a member is valid until its kind's
 * `left` has returned, a channel until `closed` has returned. Nothing is freed while a publication
 * iterates over the members.
 */
#ifndef PRAXIS_CHANNEL_H
#define PRAXIS_CHANNEL_H

#include <praxis/types.h>

struct px_broker;
struct px_channel;
struct px_member;
struct px_message;
struct px_practice;
struct px_service;
struct px_session;
struct px_value;

/* Why a membership ended. On the wire it is the name in lower case. */
enum px_leave_reason {
	PX_LEFT,
	PX_DISCONNECTED,
	PX_REMOVED,
	PX_ENDED,
	PX_ADMITTED, /* let into the room, from its waiting room */
	PX_DENIED,   /* refused, likewise */
	PX_EXPIRED,  /* waited too long */
	PX_REPLACED, /* by another session of the same user */
};

/* The name on the wire ("left"). Static. */
PX_PUBLIC const char *px_leave_reason_name(enum px_leave_reason reason);

/* Properties of a service's channels; const, one for each kind, must outlive the service. */
struct px_channel_kind {
	const char *name;   /* "room": for errors and statistics */
	size_t state_size;  /* bytes of the service's state in each channel, zeroed */
	size_t member_size; /* … and in each member */
	/*
	 * A room: joined only by sessions whose token permits its name; counted for
	 * max-rooms-per-session and -per-practice, in statistics and in the audit log.
	 */
	union {
		bool is_room;
		bool counted; /* its name in older services */
	};
	/*
	 * With `is_room`: members wait for admission to the room with the same name. A session in both
	 * counts once for max-rooms-per-session.
	 */
	bool waiting;
	union {
		bool has_history; /* publications are numbered (seq), and a history is kept */
		bool sequenced;   /* its name in older services */
	};

	/*
	 * A member left. It is not in the channel any more; the channel and the member's state are
	 * still valid. Not called for a join that failed.
	 */
	void (*left)(struct px_channel *channel, struct px_member *member,
			enum px_leave_reason reason);

	/* The channel ends; it has no members. The last call for it. May be NULL. */
	void (*closed)(struct px_channel *channel);

	/* The time set by px_channel_wake() has come. The channel is not freed during the call. */
	void (*woken)(struct px_channel *channel);
};

/*
 * Limits of one channel: those of a room when it began, of other channels those of the last join.
 */
struct px_channel_limits {
	uint32_t members;       /* 0: no limit */
	uint32_t history_count; /* all three apply; one of them 0: no history */
	uint32_t history_bytes;
	int64_t history_age_ms;
};

/*
 * Makes the session a member, and creates the channel if it does not exist. If the session is a
 * member already: 0, that membership, and *ret_new false. The broker owns the membership. -EACCES:
 * the session's identity does not hold the practice, or may not join a room with that name;
 * -ENOSPC: the channel is full; -EMFILE: the session has too many rooms; -EDQUOT: the practice has;
 * -ENFILE: the broker has too many channels; -EROFS: the host forbids it; -EINVAL: the name,
 * or a channel of another kind has it; -ENOMEM.
 */
PX_PUBLIC int px_channel_join(struct px_session *session, const struct px_service *service,
		const struct px_channel_kind *kind, struct px_practice *practice,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_member **ret_member, bool *ret_new);

/* Whether the session's token permits joining a room with that name. */
PX_PUBLIC bool px_session_admits(const struct px_session *session, struct px_span room);

/* Ends a membership; calls the kind's `left`. When the last member leaves, the channel ends. */
PX_PUBLIC void px_member_leave(struct px_member *member, enum px_leave_reason reason);

/* Ends all memberships of a channel, and with them the channel; then those of its waiting room. */
PX_PUBLIC void px_channel_end(struct px_channel *channel, enum px_leave_reason reason);

/*
 * The session's membership of the channel with that name. `practice` NULL: of any practice that the
 * session holds. NULL: it is not a member.
 */
PX_PUBLIC struct px_member *px_session_member(const struct px_session *session,
		const struct px_channel_kind *kind, const struct px_practice *practice,
		struct px_span name);

/*
 * The channel with that name; NULL: it does not exist, or the session may not reach it. For
 * services that publish without being a member.
 */
PX_PUBLIC struct px_channel *px_session_channel(const struct px_session *session,
		const struct px_service *service, struct px_practice *practice, struct px_span name);

/*
 * The waiting room of the channel with that name, whether that channel exists or not; NULL as
 * above.
 */
PX_PUBLIC struct px_channel *px_session_waiting(const struct px_session *session,
		const struct px_service *service, struct px_practice *practice, struct px_span name);

/* The waiting room of a channel, and the channel of a waiting room; NULL: none. */
PX_PUBLIC struct px_channel *px_channel_waiting(const struct px_channel *channel);
PX_PUBLIC struct px_channel *px_channel_awaited(const struct px_channel *channel);

/*
 * Calls the kind's `woken` once, after so many milliseconds; replaces an earlier call. Not for
 * kinds with a history, which uses the timer. -ENOMEM.
 */
PX_PUBLIC int px_channel_wake(struct px_channel *channel, int64_t after_ms);

/*
 * Sends a message to every member except `except` (may be NULL), in the order of publication. The
 * caller keeps its reference. If the kind keeps a history, the message enters it under the next
 * seq. -EACCES: `sender` does not hold the practice.
 */
PX_PUBLIC int px_channel_publish(struct px_channel *channel, const struct px_session *sender,
		struct px_message *message, const struct px_session *except);

/* The same for messages that the service makes itself, without a sender. */
PX_PUBLIC void px_channel_announce(struct px_channel *channel, struct px_message *message,
		const struct px_session *except);

/* The seq of the latest publication; 0 before the first. The next one is one more. */
PX_PUBLIC uint64_t px_channel_seq(const struct px_channel *channel);

/* Identifies this lifetime of the channel's history. Terminated, valid as long as the channel. */
PX_PUBLIC const char *px_channel_epoch(const struct px_channel *channel);

/*
 * Whether a reader with everything up to `seq` of that epoch can get the rest: nothing after it has
 * left the history. True if there is nothing after it.
 */
PX_PUBLIC bool px_channel_covers(struct px_channel *channel, struct px_span epoch, uint64_t seq);

/*
 * Queues for the member, in order, what the history has after `seq`: everything up to `last`; and
 * after that, what the member itself published (which it was not sent) and what it missed while it
 * was detached. Of updates with the same key only the latest.
 */
PX_PUBLIC void px_member_replay(struct px_member *member, uint64_t seq, uint64_t last);

PX_PUBLIC uint32_t px_channel_member_count(const struct px_channel *channel);

/* The members in unspecified order; index below px_channel_member_count(). */
PX_PUBLIC struct px_member *px_channel_member(const struct px_channel *channel, uint32_t index);

PX_PUBLIC void *px_channel_state(struct px_channel *channel);
PX_PUBLIC const struct px_service *px_channel_service(const struct px_channel *channel);
PX_PUBLIC struct px_practice *px_channel_practice(const struct px_channel *channel);
PX_PUBLIC struct px_span px_channel_name(const struct px_channel *channel);
PX_PUBLIC struct px_broker *px_channel_broker(const struct px_channel *channel);

PX_PUBLIC void *px_member_state(struct px_member *member);
PX_PUBLIC struct px_channel *px_member_channel(const struct px_member *member);
PX_PUBLIC struct px_session *px_member_session(const struct px_member *member);

/* Grows with each membership of the broker, so later members have larger values. */
PX_PUBLIC uint64_t px_member_order(const struct px_member *member);

/*
 * Values: state that clients load as a whole. Of each key (px_call.key) a channel holds the latest
 * message that its service kept. Values survive what the channel survives, and it exists as long as
 * it has any. For kinds with a history only.
 */
struct px_value_limits {
	uint32_t count; /* 0: no values */
	uint32_t bytes; /* of memory */
	int64_t age_ms; /* since it was kept */
};

/*
 * Sets the limits, and drops what exceeds them, the oldest first. Initially nothing is kept, so
 * call it for a channel that was joined, and in `restore` of px_snapshot_ops. -ENOMEM: unchanged.
 */
PX_PUBLIC int px_channel_limit_values(struct px_channel *channel,
		const struct px_value_limits *limits);

/*
 * Keeps a message that is published next, in place of what was kept of its key. Takes a reference
 * of its own. -EINVAL: it has no key; -ENOSPC: a limit; -ENOMEM.
 */
PX_PUBLIC int px_channel_keep_value(struct px_channel *channel, struct px_message *message);

/* Keeps nothing of that key any more; false: nothing was kept. */
PX_PUBLIC bool px_channel_drop_value(struct px_channel *channel, struct px_span key);

PX_PUBLIC uint32_t px_channel_value_count(const struct px_channel *channel);

/*
 * The values, in the order in which they were kept; NULL after the last. Valid until one is kept or
 * dropped.
 */
PX_PUBLIC const struct px_value *px_channel_first_value(struct px_channel *channel);
PX_PUBLIC const struct px_value *px_value_next(const struct px_value *value);

/* Valid as long as the value. */
PX_PUBLIC struct px_message *px_value_message(const struct px_value *value);

#endif
