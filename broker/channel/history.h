/* SPDX-License-Identifier: MIT */
/*
 * The latest publications of a channel, bounded by number, bytes and age: a ring that
 * grows up to its bound.
 */
#ifndef PX_HISTORY_H
#define PX_HISTORY_H

#include <praxis/channel.h>

struct px_history_entry {
	struct px_message *message;
	uint64_t seq;
	uint64_t by; /* client_id of the session that published it; 0: none did */
	int64_t at_ms;
};

/* Zeroed: empty. */
struct px_history {
	struct px_history_entry *entries;
	uint32_t size;
	uint32_t first;
	uint32_t count;
	uint32_t bytes; /* what its messages cost */
};

/*
 * Keeps a message (its own reference), dropping what is over the limits. Without memory the
 * history is emptied: a gap would be worse than nothing, for it could not be told.
 */
void px_history_push(struct px_history *history, struct px_broker *broker,
		const struct px_channel_limits *limits, const struct px_history_entry *entry);

/* Drops what is older than the limit. */
void px_history_expire(struct px_history *history, struct px_broker *broker,
		const struct px_channel_limits *limits, int64_t now_ms);

/* The entry of that place, 0 being the oldest; index below count. */
const struct px_history_entry *px_history_at(const struct px_history *history, uint32_t index);

void px_history_finish(struct px_history *history, struct px_broker *broker);

#endif
