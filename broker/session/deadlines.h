/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of sessions, and sweeps over all sessions, which take several turns. For session/, and
 * for the broker that runs the turns. It never waits.
 */
#ifndef PX_SESSION_DEADLINES_H
#define PX_SESSION_DEADLINES_H

#include "core/session.h"

/* session_deadlines.c: heartbeats, time to authenticate, expiry */
int px_session_arm(struct px_session *session);
void px_session_deadlines(struct px_session *session);

/* session_deadlines.c: its transport takes nothing, and its queue is not empty */
void px_session_watch_queue(struct px_session *session);

/* session_sweep.c: continues the sweeps; removes a session from them that is about to be freed */
void px_broker_sweep(struct px_broker *broker);
void px_broker_rearm(struct px_broker *broker);
void px_broker_skip(struct px_broker *broker, const struct px_session *session);

#endif
