/* SPDX-License-Identifier: MIT */
/*
 * An outgoing message: immutable, reference-counted, allocated once, already framed (RFC 6455
 * section 5.2: server frames are not masked, so one frame serves all receivers). Queues, a room's
 * chat and a practice's history hold references to the same bytes.
 */
#ifndef PRAXIS_MESSAGE_H
#define PRAXIS_MESSAGE_H

#include <praxis/types.h>

struct px_broker;
struct px_json;
struct px_message;

/*
 * A text message of these bytes, which are copied and must be JSON. The caller owns one reference.
 * NULL without memory.
 */
PX_PUBLIC struct px_message *px_message_create(struct px_broker *broker, struct px_span text);

/* The same from a finished writer, which is freed. NULL if the writer or memory failed. */
PX_PUBLIC struct px_message *px_message_from_json(struct px_broker *broker, struct px_json *json);

/* Adds a reference; returns message. */
PX_PUBLIC struct px_message *px_message_ref(struct px_message *message);

/* Drops a reference; the last one frees the message. NULL is permitted. */
PX_PUBLIC void px_message_unref(struct px_broker *broker, struct px_message *message);

/* The JSON inside the frame. Valid as long as the message. */
PX_PUBLIC struct px_span px_message_text(const struct px_message *message);

/* Memory that the message occupies, in bytes. */
PX_PUBLIC size_t px_message_cost(const struct px_message *message);

#endif
