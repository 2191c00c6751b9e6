/* SPDX-License-Identifier: MIT */
/*
 * Of messages in a row, which are the last with their key: what may be left out for a reader
 * that is behind. A table that lives as long as one pass over the row.
 */
#ifndef PX_CONFLATION_H
#define PX_CONFLATION_H

#include "core/broker.h"

struct px_conflation {
	struct px_hash_key hash_key;
	const struct px_message **slots; /* the latest with its key each; NULL: free */
	size_t slot_count;               /* a power of two, twice as many as messages at least */
};

/* Room for that many messages. -ENOMEM. */
int px_conflation_begin(struct px_conflation *conflation, const struct px_broker *broker,
		size_t most);

/* The next of the row; it must outlive the table. */
void px_conflation_add(struct px_conflation *conflation, const struct px_message *message);

/* Whether none with its key was added after it. Without a key, always. */
bool px_conflation_is(const struct px_conflation *conflation, const struct px_message *message);

void px_conflation_finish(struct px_conflation *conflation);

#endif
