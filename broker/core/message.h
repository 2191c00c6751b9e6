/* SPDX-License-Identifier: MIT */
/*
 * Internals of a message, for queues, which write its frame.
 */
#ifndef PX_MESSAGE_H
#define PX_MESSAGE_H

#include <praxis/message.h>

struct px_practice;
struct px_service;

enum px_opcode {
	PX_OPCODE_TEXT = 1,
	PX_OPCODE_PING = 9,
};

/*
 * Messages of the server itself, which every session may get; messages of a service that was
 * unloaded.
 */
#define PX_SERVICE_NONE 255
#define PX_SERVICE_GONE 254

/*
 * The longest key of a message: a client's (PX_NAME_MAX), and what a service puts before it to tell
 * apart what must not replace each other.
 */
#define PX_KEY_MAX (PX_NAME_MAX + 1)

/* The name of a room, shared by its channel and the messages in it. */
struct px_label {
	uint32_t refs;
	uint32_t len;
	char text[];
};

/*
 * Where a message belongs, so that it can be checked against the rights of the sessions in whose
 * queues it waits (outbound/rights.h). Both pointers may be NULL.
 */
struct px_origin {
	struct px_practice *practice;
	struct px_label *room;
	uint8_t service; /* index, or one of the above */
};

struct px_message {
	/*
	 * Number in the broker's paged index of practices, or 0. Not a reference: a queued message must
	 * not keep a practice alive that everybody has left.
	 */
	uint64_t practice_number;
	struct px_label *room; /* reference-counted; NULL: none */
	uint32_t refs;
	uint32_t len; /* of the whole frame */
	uint16_t key_len; /* 0: no key */
	uint16_t traffic; /* index of its type: see base/traffic.h */
	uint8_t service;  /* see px_origin */
	uint8_t header_len;
	/* is not numbered in a session's stream: see outbound/replay_buffer.h */
	bool uncounted : 1;
	bool is_control : 1;   /* a control frame of WebSocket */
	bool is_keepalive : 1; /* keep-alive, or the answer to one: see px_stats */
	uint8_t frame[]; /* len bytes, followed by the key */
};

/* NULL without memory. */
struct px_label *px_label_create(struct px_span text);
struct px_label *px_label_ref(struct px_label *label);
void px_label_unref(struct px_label *label); /* NULL is fine */

/* Replaces the origin. */
void px_message_set_origin(struct px_message *message, const struct px_origin *origin);

/* The message's practice; NULL: none, or it no longer exists. */
struct px_practice *px_message_practice(const struct px_broker *broker,
		const struct px_message *message);

/* Any frame; otherwise as px_message_create(). */
struct px_message *px_message_frame(struct px_broker *broker, enum px_opcode opcode,
		struct px_span payload);

/*
 * Makes a message from a finished writer, which is freed, with a key: of messages with the same
 * key, service and practice, a slow consumer may get only the latest. An empty key is none. NULL as
 * px_message_from_json().
 */
struct px_message *px_message_keyed(struct px_broker *broker, struct px_json *json,
		struct px_practice *practice, const struct px_service *service,
		struct px_span key);

/*
 * Begins a message whose text `json` writes where it will lie, so that a long one is copied once:
 * an object of `bytes` bytes; it may take more, and is then copied. NULL: no memory. Only
 * px_message_end() may follow, whatever becomes of `json`.
 */
struct px_message *px_message_begin(struct px_json *json, size_t bytes);

/* Ends it and `json`, as px_message_keyed() without an origin. NULL: no memory; both are gone. */
struct px_message *px_message_end(struct px_broker *broker, struct px_message *message,
		struct px_json *json, struct px_practice *practice,
		const struct px_service *service, struct px_span key);

/* The same for a text. */
struct px_message *px_message_text_keyed(struct px_broker *broker, struct px_span text,
		struct px_practice *practice, const struct px_service *service,
		struct px_span key);

/* The key with its scope, for comparing; len 0: none. */
struct px_span px_message_scoped_key(const struct px_message *message);

/* The key alone. */
struct px_span px_message_key(const struct px_message *message);

#endif
