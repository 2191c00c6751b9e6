/* SPDX-License-Identifier: MIT */
/*
 * What the broker tells of sessions, on its way to all who have to know. Opened by the start of the
 * process, which makes it the broker's hook. It never changes a session.
 */
#ifndef PX_SESSION_EVENTS_H
#define PX_SESSION_EVENTS_H

struct px_event;

/* A hook of the broker; `user` is the server. -errno: what happens must not. */
int px_session_events_note(void *user, const struct px_event *event);

#endif
