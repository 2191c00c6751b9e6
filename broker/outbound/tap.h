/* SPDX-License-Identifier: MIT */
/*
 * Where taps see messages come and go (include/praxis/host/message_tap.h): where messages come and
 * go, the broker says so. Mostly nobody looks, so each of these places first asks whether
 * broker->tails is NULL.
 */
#ifndef PX_OUTBOUND_TAP_H
#define PX_OUTBOUND_TAP_H

#include "core/session.h"

#include <praxis/host/message_tap.h>

/* Opened and closed by operate/message_tap.c. */
struct px_message_tap {
	struct px_message_tap *next;
	struct px_broker *broker;
	struct px_practice *practice;
	const struct px_service *service; /* NULL: all */
	void (*note)(void *user, const struct px_header *header);
	void *user;
};

/*
 * A message of the session's is about to be handled, or refused. `practice` NULL: it is not known.
 */
void px_message_tap_came(struct px_session *session, struct px_practice *practice,
		const struct px_service *service, const char *type, size_t bytes);

/* Something was queued for one session, of the practice in hand (broker->concern). */
void px_message_tap_went(const struct px_session *session, const struct px_message *message);

/* Something was queued for so many members of a channel; `room` is empty where that is none. */
void px_message_tap_published(const struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, struct px_span room,
		const struct px_message *message, uint32_t receivers);

#endif
