/* SPDX-License-Identifier: MIT */
/* See history.h. */
#include "history.h"
#include "core/message.h"

#include <praxis/message.h>

#include <errno.h>
#include <stdlib.h>

static void drop_oldest(struct px_history *history, struct px_broker *broker)
{
	struct px_history_entry *entry = &history->entries[history->first];
	history->bytes -= (uint32_t)px_message_cost(entry->message);
	px_message_unref(broker, entry->message);
	history->first = (history->first + 1) % history->size;
	history->count--;
}

static void drop_all(struct px_history *history, struct px_broker *broker)
{
	while (history->count > 0) {
		drop_oldest(history, broker);
	}
}

static int grow(struct px_history *history, uint32_t limit)
{
	uint32_t size = history->size ? history->size * 2 : 8;
	if (size > limit) {
		size = limit;
	}
	struct px_history_entry *entries = malloc(size * sizeof(*entries));
	if (!entries) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < history->count; i++) {
		entries[i] = *px_history_at(history, i);
	}
	free(history->entries);
	history->entries = entries;
	history->size = size;
	history->first = 0;
	return 0;
}

void px_history_push(struct px_history *history, struct px_broker *broker,
		const struct px_channel_limits *limits, const struct px_history_entry *entry)
{
	uint32_t cost = (uint32_t)px_message_cost(entry->message);
	px_history_expire(history, broker, limits, entry->at_ms);
	while (history->count > 0 && (history->count >= limits->history_count ||
			(uint64_t)history->bytes + cost > limits->history_bytes)) {
		drop_oldest(history, broker);
	}
	if (limits->history_count == 0 || limits->history_age_ms <= 0 ||
			cost > limits->history_bytes) {
		return;
	}
	if (history->count == history->size && grow(history, limits->history_count) < 0) {
		drop_all(history, broker);
		return;
	}
	uint32_t at = (history->first + history->count) % history->size;
	history->entries[at] = *entry;
	px_message_ref(entry->message);
	history->count++;
	history->bytes += cost;
}

void px_history_expire(struct px_history *history, struct px_broker *broker,
		const struct px_channel_limits *limits, int64_t now_ms)
{
	while (history->count > 0 &&
			px_history_at(history, 0)->at_ms + limits->history_age_ms <= now_ms) {
		drop_oldest(history, broker);
	}
}

const struct px_history_entry *px_history_at(const struct px_history *history, uint32_t index)
{
	return &history->entries[(history->first + index) % history->size];
}

void px_history_finish(struct px_history *history, struct px_broker *broker)
{
	drop_all(history, broker);
	free(history->entries);
	*history = (struct px_history){ 0 };
}
