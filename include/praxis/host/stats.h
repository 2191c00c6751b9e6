/* SPDX-License-Identifier: MIT */
/*
 * Statistics of the broker. Opened by whoever shows figures. They never refer to a person.
 */
#ifndef PRAXIS_HOST_STATS_H
#define PRAXIS_HOST_STATS_H

#include <praxis/host/limits.h>
#include <praxis/types.h>

struct px_broker;

/* Results of attempts to resume. */
enum px_resume_result {
	PX_RESUME_DONE,
	PX_RESUME_UNKNOWN,    /* no such token: expired, used, or another realm's */
	PX_RESUME_BEHIND,     /* messages that it lacks are not kept any more */
	PX_RESUME_BAD_COUNT,  /* no number of messages, or more than were sent */
	PX_RESUME_OTHER_USER, /* its credentials belong to another user */
	PX_RESUME_REFUSED,    /* the host forbade it, or no memory */
	PX_RESUME_COUNT,
};

/* Messages of one type; unreadable ones have type NULL. */
struct px_traffic_count {
	const char *type;
	uint64_t messages_in, messages_out, bytes_in, bytes_out;
};

/* Counters since the start, except the first group, which are current values. */
struct px_stats {
	uint64_t sessions; /* with a connection */
	uint64_t detached; /* detached */
	uint64_t channels, rooms, members, messages_live, queue_bytes;
	uint64_t practices; /* with sessions */
	uint64_t room_members; /* of the members, those in rooms */
	uint64_t waiting;      /* … and in waiting rooms */
	uint64_t kept_messages, kept_bytes; /* written, and not confirmed by the client */
	uint64_t sessions_opened, messages_in, messages_out, deliveries, bytes_in, bytes_out;
	uint64_t keepalives_in;  /* `ping` and `received`; not in messages_in */
	uint64_t keepalives_out; /* their answers, and WebSocket pings; not in messages_out */
	uint64_t writes, slow_readers, silent_peers, rate_limited, acts_limited, published;
	uint64_t slow_by_age;      /* of slow_readers: closed because a message waited for too long */
	uint64_t limited_by_bytes; /* of rate_limited: too many bytes, not messages */
	uint64_t turns_cut; /* turns that left work for the next one */
	uint64_t replaced, replaced_bytes; /* left out: a later one has the same key */
	uint64_t dropped, dropped_bytes;   /* … queued for slow consumers when they were closed */
	uint64_t withheld; /* … queued, and not sent because a right or a service was lost */
	uint64_t errors[PX_E_COUNT];
	uint64_t bounds[PX_LIMIT_KIND_COUNT];
	uint64_t recovered, unrecovered; /* whether the history had what they missed */
	uint64_t closes[PX_CLOSES_COUNT]; /* by px_close_code(); whether sent or not */
	uint64_t cuts; /* connections that the server cut without a close frame */
	uint64_t breaks; /* sessions that were detached */
	uint64_t resumes[PX_RESUME_COUNT];
	uint64_t takeovers; /* resumes of sessions that still had a connection */
	uint64_t healed;
};

/* The counters of type number `index`, from 0; NULL: no more. */
PX_PUBLIC const struct px_traffic_count *px_broker_traffic(const struct px_broker *broker,
		unsigned index);

/* Number of messages that were queued, for all sessions together; only grows. */
PX_PUBLIC uint64_t px_broker_queued(const struct px_broker *broker);

/* A transport closes a connection without a session. */
PX_PUBLIC void px_broker_count_close(struct px_broker *broker, uint16_t code);

PX_PUBLIC void px_broker_stats(const struct px_broker *broker, struct px_stats *ret_stats);

#endif
