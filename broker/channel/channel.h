/* SPDX-License-Identifier: MIT */
/* The inside of channels and memberships. */
#ifndef PX_CHANNEL_H
#define PX_CHANNEL_H

#include "core/broker.h"
#include "history.h"

#include <praxis/channel.h>

struct px_member {
	struct px_channel *channel;
	struct px_session *session;
	struct px_member *next; /* of the same session */
	struct px_member *previous;
	uint64_t order;
	uint32_t index : 31;    /* in the channel's array */
	uint32_t is_healed : 1; /* was away, and given the latest of what it missed */
	uint32_t mark_seq;      /* the low bits: see px_member_mark() */
	max_align_t state[];    /* member_size of the kind */
};

struct px_channel {
	struct px_table_link link;
	struct px_broker *broker;
	struct px_practice *practice;
	const struct px_service *service;
	const struct px_channel_kind *kind;
	struct px_member **members;
	uint32_t member_count;
	uint32_t member_size;
	uint16_t leaving; /* `left` hooks on the stack: it is not freed under them */
	bool is_ending;
	struct px_channel_limits limits;
	uint64_t seq;
	char epoch[17];
	uint64_t number;   /* on the broker's roll of rooms and waiting rooms; 0: it is neither */
	int64_t opened_ms;
	struct px_history history;
	/* The oldest in the history expires, or what it is kept for is over; or px_channel_wake()'s. */
	struct px_timer timer;
	int64_t kept_until_ms; /* without members and history; 0: no longer than these */
	struct px_label *label; /* its name, for messages; NULL: it is no room */
	char *name;
	size_t name_len;
	uint8_t service_index;
	max_align_t state[]; /* state_size of the kind, then the name */
};

/* What is said in it is of that. */
static inline struct px_origin px_channel_origin(const struct px_channel *channel)
{
	return (struct px_origin){ channel->practice, channel->label, channel->service_index };
}

/* membership.c: puts a new member among its session's, and takes one out. */
void px_membership_link(struct px_member *member);
void px_membership_unlink(struct px_member *member);

/* Leaves everything that the session is a member of. */
void px_session_leave_all(struct px_session *session, enum px_leave_reason reason);

/*
 * The channel of that key, unless it is a waiting room; NULL. Whether somebody may reach it is
 * the caller's to ask.
 */
struct px_channel *px_channel_find(const struct px_broker *broker,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span name);

/* The same, or the waiting room of that key. */
struct px_channel *px_channel_find_kind(const struct px_broker *broker,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span name, bool waiting);

/* A new one, whatever the broker's limits say; there must be none of that key. -ENOMEM. */
int px_channel_create(struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, const struct px_channel_kind *kind,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_channel **ret_channel);

/* A new membership, whatever the channel's limits say; nobody is told. -ENOMEM. */
int px_channel_add_member(struct px_channel *channel, struct px_session *session,
		struct px_member **ret_member);

/* Whatever leaves or ends: it is not freed before it is unpinned. */
void px_channel_pin(struct px_channel *channel);
void px_channel_unpin(struct px_channel *channel);

/* Gives one that was taken up from a state the time for its clients to come back. -ENOMEM. */
int px_channel_keep(struct px_channel *channel);

/* channel_event.c: to the host's trail. Joining it may forbid with -errno. */
int px_member_tell_joined(const struct px_member *member);
void px_member_tell_left(const struct px_member *member, enum px_leave_reason reason);
/*
 * How far the session has heard the channel, while it is detached and not sent what it misses
 * (it will be healed by identity); then, up to where it may lack something.
 */
static inline uint64_t px_member_mark(const struct px_member *member)
{
	uint64_t seq = member->channel->seq;
	return seq - (uint32_t)((uint32_t)seq - member->mark_seq);
}

/* It is sent nothing more: what is published from now on it will not have heard. */
void px_session_mark(struct px_session *session);

/*
 * For each sequenced channel: how far the session, whose queue is as yet whole, has heard it;
 * not beyond its mark, and nothing of what came after deaf_ms.
 */
void px_session_note_heard(struct px_session *session, int64_t deaf_ms);

/* Sends the session of each sequenced channel the latest that it missed, if it missed any. */
void px_session_catch_up(struct px_session *session);

/* Ends a channel that has neither members nor history, or has to go. */
void px_channel_destroy(struct px_channel *channel);

/* Ends all channels, whatever keeps them. */
void px_broker_end_channels(struct px_broker *broker);

#endif
