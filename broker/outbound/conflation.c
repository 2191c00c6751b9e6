/* SPDX-License-Identifier: MIT */
/*
 * See conflation.h. Open addressing; entries are never removed.
 */
#include "conflation.h"

#include "core/message.h"
#include "core/broker.h"

#include <errno.h>
#include <stdlib.h>

int px_conflation_begin(struct px_conflation *conflation, const struct px_broker *broker,
		size_t most)
{
	size_t count = 8;
	while (count < 2 * most) {
		count *= 2;
	}
	*conflation = (struct px_conflation){ .hash_key = broker->hash_key, .slot_count = count };
	conflation->slots = calloc(count, sizeof(const struct px_message *));
	return conflation->slots ? 0 : -ENOMEM;
}

/* The slot of the latest message with that key, or the free one for it. */
static const struct px_message **find(const struct px_conflation *conflation, struct px_span key)
{
	size_t at = px_hash(conflation->hash_key, key.data, key.len) & (conflation->slot_count - 1);
	while (conflation->slots[at] &&
			!px_span_equal(px_message_scoped_key(conflation->slots[at]), key)) {
		at = (at + 1) & (conflation->slot_count - 1);
	}
	return &conflation->slots[at];
}

void px_conflation_add(struct px_conflation *conflation, const struct px_message *message)
{
	struct px_span key = px_message_scoped_key(message);
	if (key.len > 0) {
		*find(conflation, key) = message;
	}
}

bool px_conflation_is(const struct px_conflation *conflation, const struct px_message *message)
{
	struct px_span key = px_message_scoped_key(message);
	return key.len == 0 || *find(conflation, key) == message;
}

void px_conflation_finish(struct px_conflation *conflation)
{
	free(conflation->slots);
	conflation->slots = NULL;
}
