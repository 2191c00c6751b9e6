/* SPDX-License-Identifier: MIT */
/*
 * When something becomes of sessions by itself: deadlines of each, and what concerns all of them
 * and is done over several turns. For session/, and for the broker whose turns these are. It never
 * waits.
 */
#ifndef PX_SESSION_DEADLINES_H
#define PX_SESSION_DEADLINES_H

#include "core/session.h"

/* session_deadlines.c: heartbeats, time to authenticate, expiry */
int px_session_arm(struct px_session *session);
void px_session_deadlines(struct px_session *session);

/* session_deadlines.c: its transport takes nothing, and there is something in its queue */
void px_session_watch_queue(struct px_session *session);

/* session_sweep.c: goes on with what concerns all sessions; and without this one, which goes */
void px_broker_walk(struct px_broker *broker);
void px_broker_rearm(struct px_broker *broker);
void px_broker_skip(struct px_broker *broker, const struct px_session *session);

#endif
