/* SPDX-License-Identifier: MIT */
/* See conflation.h. Open addressing; nothing is ever taken out. */
#include "conflation.h"

#include "message/message.h"

#include <errno.h>
#include <stdlib.h>

int px_newest_begin(struct px_newest *newest, const struct px_broker *broker, size_t most)
{
	size_t count = 8;
	while (count < 2 * most) {
		count *= 2;
	}
	*newest = (struct px_newest){ .hash_key = broker->hash_key, .slot_count = count };
	newest->slots = calloc(count, sizeof(const struct px_message *));
	return newest->slots ? 0 : -ENOMEM;
}

/* Where the latest with that key is, or would be. */
static const struct px_message **find(const struct px_newest *newest, struct px_span key)
{
	size_t at = px_hash(newest->hash_key, key.data, key.len) & (newest->slot_count - 1);
	while (newest->slots[at] &&
			!px_span_equal(px_message_scoped_key(newest->slots[at]), key)) {
		at = (at + 1) & (newest->slot_count - 1);
	}
	return &newest->slots[at];
}

void px_newest_add(struct px_newest *newest, const struct px_message *message)
{
	struct px_span key = px_message_scoped_key(message);
	if (key.len > 0) {
		*find(newest, key) = message;
	}
}

bool px_newest_is(const struct px_newest *newest, const struct px_message *message)
{
	struct px_span key = px_message_scoped_key(message);
	return key.len == 0 || *find(newest, key) == message;
}

void px_newest_finish(struct px_newest *newest)
{
	free(newest->slots);
	newest->slots = NULL;
}
