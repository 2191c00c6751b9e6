/* SPDX-License-Identifier: MIT */
/*
 * Internals of channels and memberships.
 */
#ifndef PX_CHANNEL_H
#define PX_CHANNEL_H

#include "core/broker.h"
#include "history.h"
#include "values.h"

#include <praxis/channel.h>

struct px_member {
	struct px_channel *channel;
	struct px_session *session;
	struct px_member *next; /* of the same session */
	struct px_member *previous;
	uint64_t order;
	uint32_t index : 31;    /* in the channel's array */
	uint32_t is_reattached : 1; /* and got the latest publication that it missed */
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
	uint64_t number;   /* in the broker's paged index of rooms and waiting rooms; 0: neither */
	int64_t opened_ms;
	struct px_history history;
	struct px_values *values; /* NULL: there were never any */
	/*
	 * The history's oldest entry or the oldest value expires, kept_until_ms is reached, or
	 * px_channel_wake()'s time.
	 */
	struct px_timer timer;
	int64_t kept_until_ms; /* without members and history: until then; 0: not kept */
	struct px_label *label; /* its name, for messages; NULL: not a room */
	char *name;
	size_t name_len;
	uint8_t service_index;
	max_align_t state[]; /* state_size of the kind, then the name */
};

/* The origin of messages that are published to the channel. */
static inline struct px_origin px_channel_origin(const struct px_channel *channel)
{
	return (struct px_origin){ channel->practice, channel->label, channel->service_index };
}

/* membership.c: adds a member to its session's memberships, and removes one. */
void px_membership_link(struct px_member *member);
void px_membership_unlink(struct px_member *member);

/* Leaves all channels of the session. */
void px_session_leave_all(struct px_session *session, enum px_leave_reason reason);

/*
 * The channel with that key, unless it is a waiting room; NULL. Does not check isolation: the
 * caller does.
 */
struct px_channel *px_channel_find(const struct px_broker *broker,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span name);

/* The same, or the waiting room with that key. */
struct px_channel *px_channel_find_kind(const struct px_broker *broker,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span name, bool waiting);

/*
 * Creates a channel without checking the broker's limits; there must be none with that key.
 * -ENOMEM.
 */
int px_channel_create(struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, const struct px_channel_kind *kind,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_channel **ret_channel);

/*
 * The channel with that key, created if there is none: within the broker's limits, and kept for as
 * long as a history lasts. The caller has checked isolation. -ENFILE, -EDQUOT, -ENOMEM.
 */
int px_channel_open(struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, const struct px_channel_kind *kind,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_channel **ret_channel);

/* Adds a member without checking the channel's limits or notifying anybody. -ENOMEM. */
int px_channel_add_member(struct px_channel *channel, struct px_session *session,
		struct px_member **ret_member);

/* Whether it would stay without being pinned. */
bool px_channel_is_wanted(const struct px_channel *channel);

/* A pinned channel is not freed, even if it ends. */
void px_channel_pin(struct px_channel *channel);
void px_channel_unpin(struct px_channel *channel);

/* Keeps a channel from a snapshot until its clients had time to return. -ENOMEM. */
int px_channel_keep(struct px_channel *channel);

/* channel_event.c: reports to the host. The host may forbid joining with -errno. */
int px_member_tell_joined(const struct px_member *member);
void px_member_tell_left(const struct px_member *member, enum px_leave_reason reason);
/*
 * While a session without praxis.v1 is detached: the number of the last publication that it
 * received; before that, the lower bound of what it may lack.
 */
static inline uint64_t px_member_mark(const struct px_member *member)
{
	uint64_t seq = member->channel->seq;
	return seq - (uint32_t)((uint32_t)seq - member->mark_seq);
}

/* From now on, publications count as missed by the session. */
void px_session_mark(struct px_session *session);

/*
 * Notes for each channel with a history how far the session has received it, while its queue is
 * complete: not beyond its mark, and nothing after unheard_since_ms.
 */
void px_session_note_heard(struct px_session *session, int64_t unheard_since_ms);

/* Sends the session the latest publication that it missed in each channel with a history. */
void px_session_catch_up(struct px_session *session);

/* Ends a channel without members and history, or one that must end. */
void px_channel_destroy(struct px_channel *channel);

/* Ends all channels, including those that are kept. */
void px_broker_end_channels(struct px_broker *broker);

#endif
