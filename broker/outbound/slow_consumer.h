/* SPDX-License-Identifier: MIT */
/*
 * Readers that are behind. Opened by whoever finds a queue too long or too old. It never gives up a
 * reader itself.
 */
#ifndef PX_OUTBOUND_SLOW_CONSUMER_H
#define PX_OUTBOUND_SLOW_CONSUMER_H

#include "core/session.h"

/*
 * Takes out of the queue what a later message with the same key, `next` (or NULL) the latest,
 * makes superfluous; returns how many bytes.
 */
uint32_t px_session_replace(struct px_session *session, const struct px_message *next);
/* The same; whether that was worth it for a queue that may hold `limit` bytes. */
bool px_session_is_relieved(struct px_session *session, const struct px_message *next,
		uint32_t limit);
void px_session_count_slow(struct px_session *session, bool by_age);

#endif
