/* SPDX-License-Identifier: MIT */
/*
 * Limits of sessions, and kinds of limits that were reached. Opened by whoever sets limits or
 * counts them. Limits of connections are the host's.
 */
#ifndef PRAXIS_HOST_LIMITS_H
#define PRAXIS_HOST_LIMITS_H

#include <praxis/types.h>

/* Limits; each has a configuration key (docs/configuration.md). 0: no limit. */
struct px_limits {
	uint32_t queue_bytes;
	int64_t queue_age_ms; /* how long the first message of a queue may wait for its reader */
	uint32_t rooms_per_session;
	uint32_t channels;
	uint32_t practices;
	uint32_t message_bytes;
	uint32_t rooms_per_practice;
	uint32_t messages_per_s; /* per session, in the long run, and the burst */
	uint32_t messages_burst;
	uint32_t bytes_per_s;
	uint32_t bytes_burst;
	uint32_t acts_per_s; /* what is written to the audit log: auth, and px_command.acts */
	uint32_t acts_burst;
	int64_t heartbeat_ms; /* 0: no pings */
	int64_t slow_close_ms;
	int64_t auth_notice_ms; /* expiry notice: so long before, at most a fifth of its life */

	/* Sessions that outlive their connections. */
	int64_t grace_ms;           /* how long; 0: none does */
	uint32_t detached_sessions; /* maximum number; beyond it, the longest detached one ends */
	uint32_t resume_messages;   /* kept for one session until the client confirms them … */
	uint32_t resume_bytes;
};

/* Why the broker did not open or create something; each is a limit of px_limits or of a channel. */
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
