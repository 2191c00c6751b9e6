/* SPDX-License-Identifier: MIT */
/*
 * The values of a channel: of each key the latest message that its service kept, limited by number,
 * bytes and age. They are in the order in which they were kept, so that what is too old is at the
 * beginning, and what clients load begins with it.
 */
#ifndef PX_VALUES_H
#define PX_VALUES_H

#include "core/broker.h"

#include <praxis/channel.h>

struct px_value {
	struct px_table_link link;
	struct px_channel *channel;
	struct px_value *older;
	struct px_value *newer;
	struct px_message *message; /* has the key */
	uint64_t seq;               /* of the publication that it is */
	int64_t at_ms;
};

struct px_values {
	struct px_table table;
	struct px_value *oldest;
	struct px_value *newest;
	uint64_t bytes; /* memory of values and messages */
	struct px_value_limits limits;
};

/* The value with that key; NULL: none is kept. */
struct px_value *px_values_find(const struct px_channel *channel, struct px_span key);

/*
 * Adds a value that was kept before, without looking at the limits: of a state file or a journal.
 * Takes a reference. -EINVAL: the message has no key, or its key or seq is another value's;
 * -ENOMEM.
 */
int px_values_restore(struct px_channel *channel, struct px_message *message, uint64_t seq,
		int64_t at_ms);

/* Drops what exceeds the limits of now, the oldest first. */
void px_values_fit(struct px_channel *channel);

/* When the oldest expires; 0: there is none. */
int64_t px_values_expire_at(const struct px_channel *channel);

/* Drops all of them. */
void px_values_finish(struct px_channel *channel);

#endif
