/* SPDX-License-Identifier: MIT */
/*
 * Message taps: headers of a practice's messages, for operators who want to know whether messages
 * arrive and where they go. A header contains no payload, no name and no text from a client.
 */
#ifndef PRAXIS_HOST_MESSAGE_TAP_H
#define PRAXIS_HOST_MESSAGE_TAP_H

#include <praxis/operate.h>
#include <praxis/types.h>

struct px_message_tap;

enum px_direction {
	PX_CAME, /* received from a client */
	PX_WENT, /* sent to one client, or to all members of a channel */
};

/* Valid during the call. */
struct px_header {
	enum px_direction direction;
	const struct px_service *service; /* NULL: unknown */
	const char *type; /* NULL: unreadable or unknown */
	const struct px_session *session; /* its sender or receiver; NULL: all members of a channel */
	struct px_span room; /* len 0: no room */
	size_t bytes;        /* of the JSON */
	uint32_t receivers;  /* WENT */
	enum px_error error; /* WENT: of an error message; PX_E_COUNT: none */
};

/*
 * `note` is called for each message of that practice from now on: for received ones before they are
 * handled, for sent ones when they are queued. It may be called during a publication, and must not
 * call the broker. A received message belongs to the practice if it names it, or if the session has
 * no other. Messages to one client are shown if they answer a message of the practice. `service`
 * empty: all services. The operator need not outlive the call. 0; -1: denied, *ret_detail says why.
 * The caller owns the tap until px_message_tap_close().
 */
struct px_message_tap_filter {
	struct px_span practice;
	struct px_span service;
	void (*note)(void *user, const struct px_header *header);
	void *user;
};
PX_PUBLIC int px_message_tap_open(const struct px_operator *operator,
		const struct px_message_tap_filter * wish, struct px_message_tap **ret_tap,
		struct px_error_detail *ret_detail);

/* Not from within `note`. NULL is permitted. */
PX_PUBLIC void px_message_tap_close(struct px_message_tap *tap);

#endif
