/* SPDX-License-Identifier: MIT */
/*
 * Checks queued messages against a session's current rights. A message is permitted when it is
 * queued; before it is sent, its session may lose the practice, the room or its role (a renewed
 * token, a client that returns with a smaller one), or the service may be disabled. Such a message
 * is never sent.
 *
 * Messages that were written and are not confirmed (replay_buffer.h) would be sent again, so they
 * are checked as well. Their positions are numbers, so each is replaced by a message that counts
 * but is not sent.
 *
 * Rejected: checking each message when it is written: rights change once in an hour, and a message
 * to a thousand members is written a thousand times. Rejected: ending the session when its rights
 * shrink: changing duty from two practices to one would end a call.
 */
#ifndef PX_RIGHTS_H
#define PX_RIGHTS_H

#include "core/session.h"

/* Before the session gets that identity: drops all messages that it may no longer get. */
void px_session_drop_lost(struct px_session *session, const struct px_identity *identity);

/*
 * Drops queued messages of services that are disabled for the session, and those that must not be
 * sent again.
 */
void px_session_drop_muted(struct px_session *session);

/*
 * Adds the practices that `from`, with all_practices, has named to another identity with
 * all_practices.
 */
void px_rights_carry_over(struct px_broker *broker, const struct px_identity *old,
		struct px_identity *identity);

/* Whether the message's service is disabled for the session; records that it missed one. */
bool px_session_is_muted(struct px_session *session, const struct px_message *message);

/* The same, inline: usually all services are enabled, and fan-out asks for each member. */
static inline bool px_session_mutes(struct px_session *session, const struct px_message *message)
{
	return (message->service == PX_SERVICE_GONE || (message->service < PX_SERVICES_MAX &&
			session->broker->muted >> message->service & 1)) &&
			px_session_is_muted(session, message);
}

#endif
