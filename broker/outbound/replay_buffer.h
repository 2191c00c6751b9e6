/* SPDX-License-Identifier: MIT */
/*
 * What a session needs to outlive its connection (docs/protocol.md, section 6): message numbers,
 * unconfirmed messages, its resume token, and, while it has no connection, its place in the list of
 * detached sessions.
 *
 * A session with praxis.v1 has this from its beginning. One without has it only while it is
 * detached, and is not sent what it misses.
 *
 * A message gets its number when it is first written, and moves from the queue to `kept`. Queued
 * messages have no numbers yet, so they may still be replaced or dropped. When a client returns
 * with n messages, `kept` without the first n is put before the queue again, and numbered anew from
 * n + 1.
 */
#ifndef PX_OUTBOUND_REPLAY_BUFFER_H
#define PX_OUTBOUND_REPLAY_BUFFER_H

#include "core/session.h"

#include <string.h>

#define PX_RESUME_SECRET 16

/* A client id, and the secret in hex; with the terminator. */
#define PX_RESUME_TOKEN_SIZE (PX_CLIENT_ID_SIZE + 2 * PX_RESUME_SECRET)

/*
 * A token is valid once, which means: for one connection on which the client showed a sign of life.
 * Until then, `resumed` may have been lost with the network, and the new token with it, so the
 * former one is still valid.
 */
struct px_resume_secrets {
	uint8_t now[PX_RESUME_SECRET];
	uint8_t former[PX_RESUME_SECRET]; /* zeroed: none */
};

struct px_resume {
	struct px_table_link link; /* in broker->reattachable */
	struct px_session *session;
	struct px_queue kept; /* written and not confirmed; the last one has the number `sent` */
	uint64_t sent;
	uint64_t received;    /* text messages of the client that were handled */
	struct px_resume_secrets secrets;

	/* neighbours in the list of detached sessions */
	struct px_session *older;
	struct px_session *newer;
	uint64_t order; /* grows with the time of detaching */
};

/* ---- replay_buffer.c ---- */

/* For a session with praxis.v1. -ENOMEM. */
int px_resume_create(struct px_session *session);

/* Frees the replay buffer, too. No effect on a session without one. */
void px_resume_destroy(struct px_session *session);

/* Writes the member `resume` of a message: the token, and the grace. */
void px_resume_write(const struct px_session *session, struct px_json *json);

/* `token` was used: makes a new one. The caller may restore the former secrets. */
void px_resume_renew(struct px_session *session, struct px_span token);

/* The client shows a sign of life: the former token becomes invalid. */
static inline void px_resume_settle(struct px_resume *resume)
{
	memset(resume->secrets.former, 0, sizeof(resume->secrets.former));
}

static inline bool px_resume_has_former(const struct px_resume_secrets *secrets)
{
	static const uint8_t none[PX_RESUME_SECRET];
	return memcmp(secrets->former, none, sizeof(none)) != 0;
}

/* A secret in hexadecimal: writes and reads it; false: malformed. */
#define PX_RESUME_SECRET_SIZE (2 * PX_RESUME_SECRET + 1)
void px_resume_write_secret(const uint8_t secret[PX_RESUME_SECRET],
		char text[PX_RESUME_SECRET_SIZE]);
bool px_resume_read_secret(struct px_span text, uint8_t ret_secret[PX_RESUME_SECRET]);

/* Numbers a message that was just written, and keeps it. */
void px_resume_wrote(struct px_session *session, struct px_message *message);

/* The client has received the first n. -ERANGE: more than were sent. */
int px_resume_confirm(struct px_session *session, uint64_t n);

/* Whether all messages after the first n are kept. */
bool px_resume_covers(const struct px_session *session, uint64_t n);

/* Drops the oldest kept message. There must be one. */
void px_resume_drop_oldest(struct px_session *session);

/* Queues the kept messages again, behind `first`. */
void px_resume_rewind(struct px_session *session, struct px_queue *first);

/* The session with that token, in any state; NULL. */
struct px_session *px_resume_find(struct px_broker *broker, const struct px_realm *realm,
		struct px_span token);

#endif
