/* SPDX-License-Identifier: MIT */
/*
 * The broker's events about sessions, passed to everything that needs them. Opened by the start of
 * the process, which makes it the broker's hook. It never changes a session.
 */
#ifndef PX_SESSION_EVENTS_H
#define PX_SESSION_EVENTS_H

struct px_event;

/* A hook of the broker; `user` is the server. -errno: the event is forbidden. */
int px_session_events_note(void *user, const struct px_event *event);

#endif
