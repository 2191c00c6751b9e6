/* SPDX-License-Identifier: MIT */
/*
 * Finds, in a sequence of messages, the last one for each key: the others may be left out for a
 * slow reader. The table exists for one pass over the sequence.
 */
#ifndef PX_CONFLATION_H
#define PX_CONFLATION_H

#include "core/broker.h"

struct px_conflation {
	struct px_hash_key hash_key;
	const struct px_message **slots; /* the latest message for each key; NULL: free */
	size_t slot_count;               /* a power of two, at least twice the number of messages */
};

/* Allocates for that many messages. -ENOMEM. */
int px_conflation_begin(struct px_conflation *conflation, const struct px_broker *broker,
		size_t most);

/* Adds the next message, which must outlive the table. */
void px_conflation_add(struct px_conflation *conflation, const struct px_message *message);

/* Whether it is the last one with its key. Always true without a key. */
bool px_conflation_is(const struct px_conflation *conflation, const struct px_message *message);

void px_conflation_finish(struct px_conflation *conflation);

#endif
