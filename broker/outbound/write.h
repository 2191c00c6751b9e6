/* SPDX-License-Identifier: MIT */
/*
 * The write path: a session's queue, and when it is written. Opened by whoever sends to a session.
 * It never ends a session: it calls hooks.
 */
#ifndef PX_OUTBOUND_WRITE_H
#define PX_OUTBOUND_WRITE_H

#include "core/session.h"

/* What a queue reports to session/, which decides what becomes of the session. */
struct px_outbound_hooks {
	/* The connection broke. True: the session was detached from it and lives on. */
	bool (*detach)(struct px_session *session, bool wants_back);

	/* A message was queued for a detached session: checks its limits. */
	void (*trim)(struct px_session *session);

	/* Its transport takes nothing, and its queue is not empty. */
	void (*watch_queue)(struct px_session *session);

	void (*close)(struct px_session *session, enum px_close code);
};

void px_session_flush(struct px_session *session);
/* Counts a message that was queued for it. */
void px_session_count_out(struct px_session *session, const struct px_message *message);
void px_session_mark_dirty(struct px_session *session);
void px_session_drop_queue(struct px_session *session);
void px_session_mark_ending(struct px_session *session);
/* Closes a slow consumer with 4408 and drops its queue. */
void px_session_part_slow(struct px_session *session, bool by_age);
void px_broker_flush(struct px_broker *broker);

/*
 * As px_session_send(), for a session that may get messages, and a message that is not blocked and
 * that does not wait for its turn to be accepted.
 */
void px_session_push(struct px_session *session, struct px_message *message);

#endif
