/* SPDX-License-Identifier: MIT */
/*
 * Looking on: what is said in a practice, message by message, but for what it says. For operators
 * who want to know whether anything arrives, and what becomes of it. There is no payload in a
 * header, no name and no text of a client's, so that none can leak by it.
 */
#ifndef PRAXIS_HOST_MESSAGE_TAP_H
#define PRAXIS_HOST_MESSAGE_TAP_H

#include <praxis/operate.h>
#include <praxis/types.h>

struct px_message_tap;

enum px_direction {
	PX_CAME, /* a client sent it */
	PX_WENT, /* to one client, or to all of a channel */
};

/* Lives during the call. */
struct px_header {
	enum px_direction direction;
	const struct px_service *service; /* NULL: none is known */
	const char *type; /* NULL: unreadable, or unknown to the program */
	const struct px_session *session; /* who sent it, or got it; NULL: all of a channel */
	struct px_span room; /* len 0: it went to no room */
	size_t bytes;        /* of the JSON */
	uint32_t receivers;  /* WENT */
	enum px_error error; /* of a WENT that refuses something; PX_E_COUNT: none */
};

/*
 * `note` is called for each message of that practice from now on: of what came before it is
 * handled, of what went when it was queued. It may be called in the middle of a publication, and
 * must not call the broker. What comes is a practice's if it names it or the session has no other;
 * what a client is sent beside publications is shown if it answers something of the practice.
 * `service` empty: of all. The operator need not live longer than the call. 0; -1: denied.
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

/* Not from within `note`. NULL is fine. */
PX_PUBLIC void px_message_tap_close(struct px_message_tap *tap);

#endif
