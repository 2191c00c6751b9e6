/* SPDX-License-Identifier: MIT */
/* What of a sender's message is relayed, for messages that no session sent. */
#ifndef PX_STAMP_H
#define PX_STAMP_H

#include "message/envelope.h"
#include "message/json.h"

/* The fields of the message but for those that the server writes; `seq` is one, or is not. */
void px_stamp_copy(const struct px_envelope *message, bool drop_seq, struct px_json *json);

#endif
