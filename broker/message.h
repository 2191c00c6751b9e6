/* SPDX-License-Identifier: MIT */
/* The inside of a message: for queues, which write its frame. */
#ifndef PX_MESSAGE_H
#define PX_MESSAGE_H

#include <praxis/message.h>

enum px_opcode {
	PX_OPCODE_TEXT = 1,
	PX_OPCODE_PING = 9,
};

struct px_message {
	uint32_t refs;
	uint32_t len; /* of the whole frame */
	uint8_t header_len;
	bool uncounted; /* has no number among the messages of a session: see resume.h */
	uint8_t frame[];
};

/* Any frame; else as px_message_create(). */
struct px_message *px_message_frame(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload);

#endif
