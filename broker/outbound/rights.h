/* SPDX-License-Identifier: MIT */
/*
 * What waits for a session, held against what it may still hear. A message is allowed when it is
 * queued; between then and the moment at which it leaves, its session may have lost the practice,
 * the room or its role (a renewed token, a client that came back with a smaller one), or the
 * service may have been switched off. Such a message is never given.
 *
 * What was written and is not confirmed (replay_buffer.h) waits as well: it would be given again.
 * Its place there is a number, so it is replaced by a message that counts and is not sent.
 *
 * Rejected: looking at each message when it is written. Rights change once in an hour, and a
 * message to a thousand members is written a thousand times. Rejected, too: ending the session
 * whose rights shrink: who changes duty from two practices to one would lose a call.
 */
#ifndef PX_RIGHTS_H
#define PX_RIGHTS_H

#include "core/session.h"

/* Before it becomes that identity: all that it loses with it goes. */
void px_session_drop_lost(struct px_session *session, const struct px_identity *identity);

/* What is queued of services that it does without now goes, and what must not be given again. */
void px_session_drop_muted(struct px_session *session);

/*
 * One that may have all practices of its tenant has named some; in its place comes another that may
 * have them, too.
 */
void px_rights_carry_over(struct px_broker *broker, const struct px_identity *old,
		struct px_identity *identity);

/* It is of a service that the session does without now; noted, if it missed something. */
bool px_session_is_muted(struct px_session *session, const struct px_message *message);

/* The same. All services are on, mostly, and this is asked for each member of a fan-out. */
static inline bool px_session_mutes(struct px_session *session, const struct px_message *message)
{
	return (message->service == PX_SERVICE_GONE || (message->service < PX_SERVICES_MAX &&
			session->broker->muted >> message->service & 1)) &&
			px_session_is_muted(session, message);
}

#endif
