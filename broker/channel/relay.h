/* SPDX-License-Identifier: MIT */
/*
 * What is relayed of a sender's message, for messages without a session.
 */
#ifndef PX_CHANNEL_RELAY_H
#define PX_CHANNEL_RELAY_H

#include "message/envelope.h"
#include "message/json.h"

/*
 * Copies the message's fields, except those that the server writes; drop_seq: `seq` is one of
 * these.
 */
void px_relay_copy_fields(const struct px_envelope *message, bool drop_seq, struct px_json *json);

#endif
