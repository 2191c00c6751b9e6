/* SPDX-License-Identifier: MIT */
/*
 * What the broker counts. Opened by whoever shows figures. It never counts by person.
 */
#ifndef PRAXIS_HOST_STATS_H
#define PRAXIS_HOST_STATS_H

#include <praxis/host/limits.h>
#include <praxis/types.h>

struct px_broker;

/* What became of a client's wish to resume. */
enum px_resume_result {
	PX_RESUME_DONE,
	PX_RESUME_UNKNOWN,    /* no such token: expired, used, or another realm's */
	PX_RESUME_BEHIND,     /* what it lacks is not kept any more */
	PX_RESUME_BAD_COUNT,  /* no count, or more messages than were sent */
	PX_RESUME_OTHER_USER, /* its credentials are of another user */
	PX_RESUME_REFUSED,    /* the host, or no memory */
	PX_RESUME_COUNT,
};

/* Messages of one type; unreadable ones have type NULL. */
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

/* The counts of the type of that index, from 0; NULL: there are no more. */
PX_PUBLIC const struct px_traffic_count *px_broker_traffic(const struct px_broker *broker,
		unsigned index);

/* How many messages have been queued, for all sessions together; grows. */
PX_PUBLIC uint64_t px_broker_queued(const struct px_broker *broker);

/* A transport closes a connection of its own accord, one that has no session. */
PX_PUBLIC void px_broker_count_close(struct px_broker *broker, uint16_t code);

PX_PUBLIC void px_broker_stats(const struct px_broker *broker, struct px_stats *ret_stats);

#endif
