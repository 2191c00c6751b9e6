/* SPDX-License-Identifier: MIT */
/*
 * The latest publications of a channel, limited by number, bytes and age: a ring that grows up to
 * its limit.
 */
#ifndef PX_HISTORY_H
#define PX_HISTORY_H

#include <praxis/channel.h>

struct px_history_entry {
	struct px_message *message;
	uint64_t seq;
	uint64_t by; /* client_id of the publishing session; 0: none */
	int64_t at_ms;
};

/* Zeroed: empty. */
struct px_history {
	struct px_history_entry *entries;
	uint32_t size;
	uint32_t first;
	uint32_t count;
	uint32_t bytes; /* memory of its messages */
};

/*
 * Keeps a message (takes a reference of its own) and drops what exceeds the limits. Without memory,
 * the history is emptied: a gap within it could not be detected.
 */
void px_history_push(struct px_history *history, struct px_broker *broker,
		const struct px_channel_limits *limits, const struct px_history_entry *entry);

/* Drops entries older than the limit. */
void px_history_expire(struct px_history *history, struct px_broker *broker,
		const struct px_channel_limits *limits, int64_t now_ms);

/* The entry at that position, 0 being the oldest; index below count. */
const struct px_history_entry *px_history_at(const struct px_history *history, uint32_t index);

void px_history_finish(struct px_history *history, struct px_broker *broker);

#endif
