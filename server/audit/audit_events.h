/* SPDX-License-Identifier: MIT */
/*
 * The host's events in the audit log, and whether they are permitted. Opened by whoever lets in,
 * refuses or operates. It never writes a payload, a token or a name.
 */
#ifndef PX_AUDIT_AUDIT_EVENTS_H
#define PX_AUDIT_AUDIT_EVENTS_H

#include <praxis/host/event.h>

struct px_event;
struct px_operator;
struct px_peer;
struct px_server;

/* -errno: the event is forbidden. 0 for events that have happened already, written or not. */
int px_audit_events_record(struct px_server *server, const struct px_event *event);
/*
 * The same for the begin or end of a session that is only counted, by its address: one of many
 * unauthenticated ones.
 */
int px_audit_events_count(struct px_server *server, const struct px_event *event);
void px_audit_events_refused(struct px_server *server, const struct px_peer *peer,
		const char *reason);
void px_audit_events_denied(struct px_server *server, const struct px_operator *operator,
		const char *reason);
int px_audit_events_note(struct px_server *server, const char *event, const char *reason);
/* For watching administrators only: the event is in the audit log already, or in none. */
void px_audit_events_show(struct px_server *server, const char *event);

#endif
