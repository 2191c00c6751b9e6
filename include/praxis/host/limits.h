/* SPDX-License-Identifier: MIT */
/*
 * What sessions may cost, and which limit somebody ran into. Opened by whoever sets limits or
 * counts them. It never limits a connection: the host does.
 */
#ifndef PRAXIS_HOST_LIMITS_H
#define PRAXIS_HOST_LIMITS_H

#include <praxis/types.h>

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
	uint32_t acts_per_s; /* what is written to the audit log: auth, and px_command.acts */
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

#endif
