/* SPDX-License-Identifier: MIT */
/*
 * The inside of looking on (include/praxis/tail.h): where messages come and go, the broker says so.
 * Mostly nobody looks, so each of these places first asks whether broker->tails is NULL.
 */
#ifndef PX_MESSAGE_TAP_H
#define PX_MESSAGE_TAP_H

#include "core/broker.h"

#include <praxis/tail.h>

/* A message of the session's is about to be handled, or refused. `practice` NULL: it is not known. */
void px_message_tap_came(struct px_session *session, struct px_practice *practice,
		const struct px_service *service, const char *type, size_t bytes);

/* Something was queued for one session, of the practice in hand (broker->concern). */
void px_message_tap_went(const struct px_session *session, const struct px_message *message);

/* Something was queued for so many members of a channel. */
void px_message_tap_published(const struct px_channel *channel, const struct px_message *message,
		uint32_t receivers);

#endif
