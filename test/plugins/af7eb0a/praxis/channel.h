/* SPDX-License-Identifier: MIT */
/*
 * A channel: who hears what. Its key is (tenant, practice, service, name). A practice's
 * whiteboard and a video call's room are both channels, with other kinds. Beside each there
 * may be another of the same key: the waiting room before it.
 *
 * Isolation is checked here, once, for every join and every publication: a session
 * reaches only channels of practices that its identity holds. A service cannot name a
 * channel by a practice's number; it needs the practice that the broker resolved for
 * the message in hand (px_call.practice), or a membership.
 *
 * A channel begins with its first member and ends with its last, or, where its kind
 * keeps history, when the history has expired. Members and channels belong to the
 * broker; a member is good until its kind's `left` returned, a channel until `closed`
 * returned. Nothing is freed while a publication walks the members.
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

/* Why a member is gone. On the wire it is the name in lower case. */
enum px_leave_reason {
	PX_LEFT,
	PX_DISCONNECTED,
	PX_REMOVED,
	PX_ENDED,
	PX_ADMITTED, /* out of a waiting room into the room */
	PX_DENIED,   /* … or not */
	PX_EXPIRED,  /* it waited too long */
	PX_REPLACED, /* by another session of the same user */
};

/* The name on the wire ("left"). Static text. */
PX_PUBLIC const char *px_leave_reason_name(enum px_leave_reason reason);

/* What a service's channels are like; const, one per kind, lives as long as the service. */
struct px_channel_kind {
	const char *name;   /* "room": for errors and statistics */
	size_t state_size;  /* bytes of the service's own in each channel, zeroed */
	size_t member_size; /* … and in each member */
	/*
	 * A room: open to whom the token names it, counted against max-rooms-per-session and
	 * -per-practice, in statistics and in the trail.
	 */
	union {
		bool is_room;
		bool counted; /* its name in older services */
	};
	/*
	 * With `is_room`: its members wait to be let into the room of the same name. Of a
	 * session that does both, only one counts against max-rooms-per-session.
	 */
	bool waiting;
	union {
		bool has_history; /* publications get a seq, and history is kept */
		bool sequenced;   /* its name in older services */
	};

	/*
	 * The member is out of the channel already; the channel and the member's own bytes
	 * are still whole. Not called for a join that failed.
	 */
	void (*left)(struct px_channel *channel, struct px_member *member,
			enum px_leave_reason reason);

	/* The last that is heard of a channel; no members are left. May be NULL. */
	void (*closed)(struct px_channel *channel);

	/* What px_channel_wake() asked for. Whatever it does, the channel outlives it. */
	void (*woken)(struct px_channel *channel);
};

/* Bounds of one channel: of a room those that it began with, of others those of the last join. */
struct px_channel_limits {
	uint32_t members;       /* 0: without a bound */
	uint32_t history_count; /* these three all hold; one of them 0: no history */
	uint32_t history_bytes;
	int64_t history_age_ms;
};

/*
 * Makes the session a member, and the channel if it does not exist. A member already:
 * 0, that membership, and *ret_new false. -EACCES: the session's identity does not hold
 * the practice, or may not join a room of that name; -ENOSPC: the channel is full; -EMFILE:
 * the session has too many rooms, -EDQUOT: the practice has, -ENFILE: the broker has too
 * many channels; -EROFS: the host does not let it happen; -EINVAL: the name; -ENOMEM.
 */
PX_PUBLIC int px_channel_join(struct px_session *session, const struct px_service *service,
		const struct px_channel_kind *kind, struct px_practice *practice,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_member **ret_member, bool *ret_new);

/* Whether its token lets the session join a room of that name. */
PX_PUBLIC bool px_session_admits(const struct px_session *session, struct px_span room);

/* Ends a membership; calls the kind's `left`. The last member's going ends the channel. */
PX_PUBLIC void px_member_leave(struct px_member *member, enum px_leave_reason reason);

/* Ends all memberships of a channel, and with them the channel; then those of its waiting room. */
PX_PUBLIC void px_channel_end(struct px_channel *channel, enum px_leave_reason reason);

/*
 * The session's membership of the channel of that name. `practice` NULL: of any practice
 * that the session holds. NULL where it is no member.
 */
PX_PUBLIC struct px_member *px_session_member(const struct px_session *session,
		const struct px_channel_kind *kind, const struct px_practice *practice,
		struct px_span name);

/*
 * The channel of that name, if it exists and the session may reach it; NULL else.
 * For services that publish without being a member.
 */
PX_PUBLIC struct px_channel *px_session_channel(const struct px_session *session,
		const struct px_service *service, struct px_practice *practice, struct px_span name);

/* The waiting room before the channel of that name, whether that exists or not; as above. */
PX_PUBLIC struct px_channel *px_session_waiting(const struct px_session *session,
		const struct px_service *service, struct px_practice *practice, struct px_span name);

/* The waiting room before a channel, and the channel that a waiting room is before; NULL. */
PX_PUBLIC struct px_channel *px_channel_waiting(const struct px_channel *channel);
PX_PUBLIC struct px_channel *px_channel_awaited(const struct px_channel *channel);

/*
 * Has the kind's `woken` called once, after so many milliseconds; a later call takes the
 * place of an earlier one. Not for sequenced kinds: their history has the timer. -ENOMEM.
 */
PX_PUBLIC int px_channel_wake(struct px_channel *channel, int64_t after_ms);

/*
 * Sends a message to every member but `except` (which may be NULL), in the order of the
 * publications. The reference stays yours. In a sequenced channel it enters the history
 * under the next seq. `sender` must hold the practice:
 * -EACCES else.
 */
PX_PUBLIC int px_channel_publish(struct px_channel *channel, const struct px_session *sender,
		struct px_message *message, const struct px_session *except);

/* The same for messages that the service makes itself. */
PX_PUBLIC void px_channel_announce(struct px_channel *channel, struct px_message *message,
		const struct px_session *except);

/* The seq of the latest publication, 0 before the first; the next one's is one more. */
PX_PUBLIC uint64_t px_channel_seq(const struct px_channel *channel);

/* Identifies this life of the channel's history. Terminated, lives as long as the channel. */
PX_PUBLIC const char *px_channel_epoch(const struct px_channel *channel);

/*
 * Whether a reader that has all up to `seq` of that epoch can be given the rest: nothing
 * that it missed has left the history. To have missed nothing counts as true.
 */
PX_PUBLIC bool px_channel_covers(struct px_channel *channel, struct px_span epoch, uint64_t seq);

/*
 * Queues for the member, in order, what the history has after `seq`: all up to `last`, what it
 * published itself, since that was never sent to it, and all that it missed while it was away. Of those with
 * the same key only the latest.
 */
PX_PUBLIC void px_member_replay(struct px_member *member, uint64_t seq, uint64_t last);

PX_PUBLIC uint32_t px_channel_member_count(const struct px_channel *channel);

/* The members in no promised order; index below px_channel_member_count(). */
PX_PUBLIC struct px_member *px_channel_member(const struct px_channel *channel, uint32_t index);

PX_PUBLIC void *px_channel_state(struct px_channel *channel);
PX_PUBLIC const struct px_service *px_channel_service(const struct px_channel *channel);
PX_PUBLIC struct px_practice *px_channel_practice(const struct px_channel *channel);
PX_PUBLIC struct px_span px_channel_name(const struct px_channel *channel);
PX_PUBLIC struct px_broker *px_channel_broker(const struct px_channel *channel);

PX_PUBLIC void *px_member_state(struct px_member *member);
PX_PUBLIC struct px_channel *px_member_channel(const struct px_member *member);
PX_PUBLIC struct px_session *px_member_session(const struct px_member *member);

/* Grows by one with each membership of the broker: who came later has more. */
PX_PUBLIC uint64_t px_member_order(const struct px_member *member);

#endif
