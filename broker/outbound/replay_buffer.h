/* SPDX-License-Identifier: MIT */
/*
 * What a session needs to outlive its connection (docs/protocol.md, section 6): the numbers of
 * its messages, those that the client has not confirmed, its token; and, while it has no
 * connection, its place among those that wait.
 *
 * A session of praxis.v1 has this from its beginning. One without it has it only while it is
 * detached, and is not sent what it misses.
 *
 * A message gets its number when it is written for the first time, and moves from the queue to
 * `kept`. What is not written has none yet, so it may still be replaced or dropped there. A
 * client that comes back with n messages is one to whom only n were written: `kept` behind n
 * is hung before the queue again, and numbered anew from n + 1.
 */
#ifndef PX_OUTBOUND_REPLAY_BUFFER_H
#define PX_OUTBOUND_REPLAY_BUFFER_H

#include "core/session.h"

#define PX_RESUME_SECRET 16

/* A client id, and the secret in hex; with the terminator. */
#define PX_RESUME_TOKEN_SIZE (PX_CLIENT_ID_SIZE + 2 * PX_RESUME_SECRET)

/*
 * A token is good once, which means for one connection that came to life. As long as the client
 * has shown no sign of life on it, `resumed` may have been lost with the network, and with it
 * the new token: the former one is still good.
 */
struct px_resume_secrets {
	uint8_t now[PX_RESUME_SECRET];
	uint8_t former[PX_RESUME_SECRET];
	bool has_former;
};

struct px_resume {
	struct px_table_link link; /* in healables */
	struct px_session *session;
	struct px_queue kept; /* written and not confirmed; the last of it is number `sent` */
	uint64_t sent;
	uint64_t received;    /* text messages of the client that were taken */
	struct px_resume_secrets secrets;

	/* detached */
	struct px_session *older;
	struct px_session *newer;
	uint64_t order; /* who began to wait later has more */
};

/* ---- replay_buffer.c ---- */

/* For a session of praxis.v1. -ENOMEM. */
int px_resume_create(struct px_session *session);

/* Drops what is kept, too. A session without one is fine. */
void px_resume_destroy(struct px_session *session);

/* The member `resume` of a message: the token, and the grace. */
void px_resume_write(const struct px_session *session, struct px_json *json);

/* It is used, so there is a new one. The caller may put the secrets back. */
void px_resume_renew(struct px_session *session, struct px_span token);

/* The client lives: a former token is good no more. */
static inline void px_resume_settle(struct px_resume *resume)
{
	resume->secrets.has_former = false;
}

/* A secret in hex, and back again; false: it is none. */
#define PX_RESUME_SECRET_SIZE (2 * PX_RESUME_SECRET + 1)
void px_resume_write_secret(const uint8_t secret[PX_RESUME_SECRET],
		char text[PX_RESUME_SECRET_SIZE]);
bool px_resume_read_secret(struct px_span text, uint8_t ret_secret[PX_RESUME_SECRET]);

/* Numbers and keeps what was written just now. */
void px_resume_wrote(struct px_session *session, struct px_message *message);

/* The client has the first n. -ERANGE: more than there are. */
int px_resume_confirm(struct px_session *session, uint64_t n);

/* Whether a client that has the first n can be given the rest. */
bool px_resume_covers(const struct px_session *session, uint64_t n);

/* One that was written, the oldest, will not be given again. There must be one. */
void px_resume_drop_oldest(struct px_session *session);

/* What was written and not confirmed is to be written again, behind `first`. */
void px_resume_rewind(struct px_session *session, struct px_queue *first);

/* The session of that token, whatever its state; NULL. */
struct px_session *px_resume_find(struct px_broker *broker, const struct px_realm *realm,
		struct px_span token);

#endif
