/* SPDX-License-Identifier: MIT */
/* The inside of a message: for queues, which write its frame. */
#ifndef PX_MESSAGE_H
#define PX_MESSAGE_H

#include <praxis/message.h>

struct px_practice;
struct px_service;

enum px_opcode {
	PX_OPCODE_TEXT = 1,
	PX_OPCODE_PING = 9,
};

struct px_message {
	uint32_t refs;
	uint32_t len; /* of the whole frame */
	uint8_t header_len;
	bool uncounted; /* has no number among the messages of a session: see resume.h */
	uint16_t key_len; /* 0: it has none */
	uint16_t traffic; /* place of its type: see traffic.h */
	uint8_t frame[]; /* len bytes, then those of the key */
};

/* Any frame; else as px_message_create(). */
struct px_message *px_message_frame(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload);

/*
 * The message of a finished writer, which is given back, with a key: of those with the same
 * key in the same service of the same practice only the latest matters to a reader that is
 * behind. An empty key is none. NULL as px_message_from_json().
 */
struct px_message *px_message_keyed(struct px_broker *broker, struct px_json *json,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span key);

/* The same of a text. */
struct px_message *px_message_text_keyed(struct px_broker *broker, struct px_span text,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span key);

/* The key with what it is a key of, for comparing; len 0: it has none. */
struct px_span px_message_scoped_key(const struct px_message *message);

/* The key alone. */
struct px_span px_message_key(const struct px_message *message);

#endif
