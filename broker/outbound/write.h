/* SPDX-License-Identifier: MIT */
/*
 * The way out: what waits for a session, and when it is written. Opened by whoever has something to
 * say to one. It never ends a session: what has to is told by hooks.
 */
#ifndef PX_OUTBOUND_WRITE_H
#define PX_OUTBOUND_WRITE_H

#include "core/session.h"

/* What a queue finds out, for those who decide what becomes of its session; of session/. */
struct px_outbound_hooks {
	/* The connection broke. True: the session lives on without it. */
	bool (*detach)(struct px_session *session, bool wants_back);

	/* Something more waits for a detached session: whether that is too much. */
	void (*trim)(struct px_session *session);

	/* Its transport takes nothing, and something waits. */
	void (*watch_queue)(struct px_session *session);

	void (*close)(struct px_session *session, enum px_close code);
};

void px_session_flush(struct px_session *session);
/* One message more was queued for it. */
void px_session_count_out(struct px_session *session, const struct px_message *message);
void px_session_mark_dirty(struct px_session *session);
void px_session_drop_queue(struct px_session *session);
void px_session_mark_ending(struct px_session *session);
/* Too slow a reader is told so; what it was owed is dropped. */
void px_session_part_slow(struct px_session *session, bool by_age);
void px_broker_flush(struct px_broker *broker);

/* As px_session_send(), to one that hears, and a message that its services do not mute. */
void px_session_push(struct px_session *session, struct px_message *message);

#endif
