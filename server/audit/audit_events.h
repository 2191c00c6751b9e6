/* SPDX-License-Identifier: MIT */
/*
 * What of the host goes into the audit log, and when it must not happen without. Opened by
 * whoever lets in, refuses or operates. It never writes a payload, a token or a name.
 */
#ifndef PX_AUDIT_AUDIT_EVENTS_H
#define PX_AUDIT_AUDIT_EVENTS_H

#include <praxis/host/event.h>

struct px_event;
struct px_operator;
struct px_peer;
struct px_server;

/* -errno: what happens must not. 0 of what has happened already, written or not. */
int px_audit_events_record(struct px_server *server, const struct px_event *event);
/*
 * The same of a session that begins or ends and is counted by its address alone: one of many,
 * without proof of who it is.
 */
int px_audit_events_count(struct px_server *server, const struct px_event *event);
void px_audit_events_refused(struct px_server *server, const struct px_peer *peer,
		const char *reason);
void px_audit_events_denied(struct px_server *server, const struct px_operator *operator,
		const char *reason);
int px_audit_events_note(struct px_server *server, const char *event, const char *reason);
/* Of what is in the trail already, or in none: for administrators who watch. */
void px_audit_events_show(struct px_server *server, const char *event);

#endif
