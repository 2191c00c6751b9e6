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

/* Of the server itself, which everybody hears; of a service that there is none of any more. */
#define PX_SERVICE_NONE 255
#define PX_SERVICE_GONE 254

/* The name of a room, held by its channel and by what was said in it. */
struct px_label {
	uint32_t refs;
	uint32_t len;
	char text[];
};

/*
 * What a message is of, so that it can be held against the rights of whoever it waits for
 * (outbound/rights.h). Both pointers may be NULL.
 */
struct px_origin {
	struct px_practice *practice;
	struct px_label *room;
	uint8_t service; /* index, or one of the above */
};

struct px_message {
	/*
	 * The practice's on the broker's roll, or 0. Not a reference: who may hear it holds the
	 * practice, and a message must not keep one alive that everybody has left.
	 */
	uint64_t practice_number;
	struct px_label *room; /* counted; NULL: none */
	uint32_t refs;
	uint32_t len; /* of the whole frame */
	uint16_t key_len; /* 0: it has none */
	uint16_t traffic; /* place of its type: see base/traffic.h */
	uint8_t service;  /* see px_origin */
	uint8_t header_len;
	/* has no number among the messages of a session: see outbound/replay_buffer.h */
	bool uncounted : 1;
	bool is_control : 1;   /* a frame of WebSocket's own */
	bool is_keepalive : 1; /* that, or the answer to a message of that kind: see px_stats */
	uint8_t frame[]; /* len bytes, then those of the key */
};

/* NULL without memory. */
struct px_label *px_label_create(struct px_span text);
struct px_label *px_label_ref(struct px_label *label);
void px_label_unref(struct px_label *label); /* NULL is fine */

/* From now on it is of that; what it was of before counts no more. */
void px_message_set_origin(struct px_message *message, const struct px_origin *origin);

/* The practice that it is of; NULL: of none, or of one that is gone. */
struct px_practice *px_message_practice(const struct px_broker *broker,
		const struct px_message *message);

/* Any frame; else as px_message_create(). */
struct px_message *px_message_frame(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload);

/*
 * The message of a finished writer, which is given back, with a key: of those with the same
 * key in the same service of the same practice only the latest matters to a reader that is
 * behind. An empty key is none. NULL as px_message_from_json().
 */
struct px_message *px_message_keyed(struct px_broker *broker, struct px_json *json,
		struct px_practice *practice, const struct px_service *service,
		struct px_span key);

/* The same of a text. */
struct px_message *px_message_text_keyed(struct px_broker *broker, struct px_span text,
		struct px_practice *practice, const struct px_service *service,
		struct px_span key);

/* The key with what it is a key of, for comparing; len 0: it has none. */
struct px_span px_message_scoped_key(const struct px_message *message);

/* The key alone. */
struct px_span px_message_key(const struct px_message *message);

#endif
