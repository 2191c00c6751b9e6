/* SPDX-License-Identifier: MIT */
/*
 * Where messages are reported to taps (include/praxis/host/message_tap.h). Usually there are none,
 * so each caller first checks broker->taps.
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

/* A message from the session is about to be handled or refused. `practice` NULL: unknown. */
void px_message_tap_came(struct px_session *session, struct px_practice *practice,
		const struct px_service *service, const char *type, size_t bytes);

/* A message was queued for one session; it belongs to broker->concern's practice. */
void px_message_tap_went(const struct px_session *session, const struct px_message *message);

/*
 * A message was queued for that many members of a channel; `room` is empty if that is not a room.
 */
void px_message_tap_published(const struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, struct px_span room,
		const struct px_message *message, uint32_t receivers);

#endif
