/* SPDX-License-Identifier: MIT */
/*
 * A message on its way out: immutable, counted, allocated once, already framed
 * (RFC 6455 section 5.2: server frames are not masked, so one frame serves every
 * receiver). Queues, a room's chat and a practice's history all hold references
 * to the same bytes.
 */
#ifndef PRAXIS_MESSAGE_H
#define PRAXIS_MESSAGE_H

#include <praxis/types.h>

struct px_broker;
struct px_json;
struct px_message;

/*
 * A text message of these bytes, copied; they must be JSON. You own one reference.
 * NULL without memory.
 */
PX_PUBLIC struct px_message *px_message_create(struct px_broker *broker, struct px_span text);

/* The same from a finished writer, which is given back. NULL if the writer or memory failed. */
PX_PUBLIC struct px_message *px_message_from_json(struct px_broker *broker, struct px_json *json);

/* One reference more; returns message. */
PX_PUBLIC struct px_message *px_message_ref(struct px_message *message);

/* One reference less; with the last one it is freed. NULL is fine. */
PX_PUBLIC void px_message_unref(struct px_broker *broker, struct px_message *message);

/* The JSON inside the frame. Lives as long as the message. */
PX_PUBLIC struct px_span px_message_text(const struct px_message *message);

/* What it costs to keep one: its allocation, in bytes. */
PX_PUBLIC size_t px_message_cost(const struct px_message *message);

#endif
