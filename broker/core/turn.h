/* SPDX-License-Identifier: MIT */
/*
 * A practice's turn: what its services send and change between two waits of the event loop. While
 * they run, `broker->at` is their practice. Everything that runs a service's code for a practice
 * brackets it: a message's handler with its receipt, `enter`, `left`, `woken` and `closed` hooks, a
 * publication, and what a returning session missed. Brackets nest, because a hook of one practice
 * may end a membership in another.
 *
 * A journal registers hooks. It gets what is sent in a turn, to keep it until the turn has been
 * accepted elsewhere, and is told what changed. Without a journal (broker->turn_hooks is NULL)
 * messages are queued at once.
 *
 * Changes are told in two ways. The channel area knows exactly what it changes. Changes that a
 * service makes to its own state are invisible. A service that asks for a pointer to it in a turn
 * is presumed to have written, and the journal compares records to find out.
 */
#ifndef PX_CORE_TURN_H
#define PX_CORE_TURN_H

#include "broker.h"
#include "session.h"

struct px_channel;
struct px_value;
struct px_member;

/* Something to be told when a turn is accepted; its owner's, which `settle` gives back. */
struct px_deferred {
	struct px_deferred *next;
	/* Called once; false: the turn was not accepted, and never will be. */
	void (*settle)(struct px_deferred *deferred, bool accepted);
};

/* None is NULL. None but `over` may call into a service. */
struct px_turn_hooks {
	/* In place of px_session_push() and px_session_close(), while px_turn_catches_for(). */
	void (*send)(struct px_session *session, struct px_message *message);
	void (*close)(struct px_session *session, enum px_close code);

	/* It is kept from now on; or no more, and about to be freed. */
	void (*value_changed)(struct px_value *value);
	void (*value_gone)(struct px_value *value);
	/* It is new, or its seq, its history or its service's state changed. */
	void (*channel_changed)(struct px_channel *channel);
	/* It is about to be freed, and has no members. */
	void (*channel_gone)(struct px_channel *channel);
	void (*member_changed)(struct px_member *member);
	/* It has left its channel, and is about to be freed. */
	void (*member_gone)(struct px_member *member);
	/* It has another identity. */
	void (*session_changed)(struct px_session *session, const struct px_identity *old);
	/* It has left all its channels for good. May be called twice. */
	void (*session_gone)(struct px_session *session);

	/*
	 * Whether the practice can run now a message of the session, or (empty text) what its services
	 * do when the session arrives. 0: it can; 1: the journal keeps that, and runs it when it can,
	 * here or at the practice's home; -EAGAIN, -ENOMEM: neither.
	 */
	int (*admit)(struct px_session *session, struct px_practice *practice, struct px_span text);
	/* Whether the practice can run now. If not, it is sought. */
	bool (*is_home)(struct px_broker *broker, struct px_practice *practice);

	/*
	 * Whether the session is in practices whose home is elsewhere: what it misses without a
	 * connection could not be sent to it later.
	 */
	bool (*is_away)(const struct px_session *session);

	/* Settles that with the practice's turn, after what was sent so far. */
	void (*defer)(struct px_practice *practice, struct px_deferred *deferred);

	/* The loop turn ends. True: there is work left that does not wait for anything. */
	bool (*over)(struct px_broker *broker);
};

/* That practice's services run from now on (NULL: none). Returns the previous practice. */
static inline struct px_practice *px_turn_begin(struct px_broker *broker,
		struct px_practice *practice)
{
	struct px_practice *before = broker->at;
	broker->at = practice;
	return before;
}

/* `before` is what px_turn_begin() returned. */
static inline void px_turn_end(struct px_broker *broker, struct px_practice *before)
{
	broker->at = before;
}

/* Whether the practice can run now. */
static inline bool px_turn_can_begin(struct px_broker *broker, struct px_practice *practice)
{
	return !broker->turn_hooks || broker->turn_hooks->is_home(broker, practice);
}

/* Whether a journal keeps what is sent now, or all that is sent to that session. */
static inline bool px_turn_catches_for(const struct px_session *session)
{
	const struct px_broker *broker = session->broker;
	return broker->turn_hooks && (broker->at || session->phase == PX_SESSION_GUEST);
}

/* Whether a journal keeps what is sent now. */
static inline bool px_turn_catches(const struct px_broker *broker)
{
	return broker->turn_hooks && broker->at;
}

#endif
