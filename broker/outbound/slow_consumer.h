/* SPDX-License-Identifier: MIT */
/*
 * Slow consumers. Opened by whoever finds a queue too long or too old. It never closes a session.
 */
#ifndef PX_OUTBOUND_SLOW_CONSUMER_H
#define PX_OUTBOUND_SLOW_CONSUMER_H

#include "core/session.h"

/*
 * Removes from the queue what later messages with the same key replace, `next` (or NULL) being the
 * latest; returns the bytes freed.
 */
uint32_t px_session_conflate(struct px_session *session, const struct px_message *next);
/* The same; whether it freed enough for a queue that may hold `limit` bytes. */
bool px_session_conflate_to_fit(struct px_session *session, const struct px_message *next,
		uint32_t limit);
void px_session_count_slow(struct px_session *session, bool by_age);

#endif
