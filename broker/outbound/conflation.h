/* SPDX-License-Identifier: MIT */
/*
 * Of messages in a row, which are the last with their key: what may be left out for a reader
 * that is behind. A table that lives as long as one pass over the row.
 */
#ifndef PX_NEWEST_H
#define PX_NEWEST_H

#include "broker.h"

struct px_newest {
	struct px_hash_key hash_key;
	const struct px_message **slots; /* the latest with its key each; NULL: free */
	size_t slot_count;               /* a power of two, twice as many as messages at least */
};

/* Room for that many messages. -ENOMEM. */
int px_newest_begin(struct px_newest *newest, const struct px_broker *broker, size_t most);

/* The next of the row; it must outlive the table. */
void px_newest_add(struct px_newest *newest, const struct px_message *message);

/* Whether none with its key was added after it. Without a key, always. */
bool px_newest_is(const struct px_newest *newest, const struct px_message *message);

void px_newest_finish(struct px_newest *newest);

#endif
