/* SPDX-License-Identifier: MIT */
/*
 * admin, split by what its messages are about (docs/protocol.md, section 5): stats.c the figures
 * that are sent again and again, lists.c clients and rooms, acts.c what an administrator does,
 * console.c testing, broadcasting and the live events.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <praxis/alarm.h>
#include <praxis/operate.h>
#include <praxis/service.h>

/* In each session that may use the service. */
struct admin_session {
	struct px_session *session;
	struct px_alarm *alarm; /* the next figures; NULL: none were asked for yet */
	int64_t interval_ms;
	bool watches;
};

extern const struct px_service admin_service;

/* stats.c: what of it goes on after a restart */
void admin_save(void *state, const struct px_session *session, const void *session_state,
		struct px_json *json);
int admin_restore(void *state, struct px_session *session, void *session_state,
		struct json_object *saved);

/* Answers a call with what was denied; returns -1. */
int admin_deny(struct px_call *call, const struct px_denial *denial);

/* A text or an integer of the message; `fallback` where it has none. */
struct px_span admin_text(const struct px_call *call, const char *name, char *buf, size_t size);

/* An integer of the message within bounds; false: there is one, and it was refused. */
bool admin_integer(struct px_call *call, const char *name, int64_t fallback, int64_t min, int64_t max,
		int64_t *ret_value);

/* stats.c */
int admin_handle_subscribe(struct px_call *call);
int admin_handle_services(struct px_call *call);

/* lists.c */
int admin_handle_clients(struct px_call *call);
int admin_handle_rooms(struct px_call *call);

/* acts.c */
int admin_handle_disconnect(struct px_call *call);
int admin_handle_end_room(struct px_call *call);
int admin_handle_service(struct px_call *call);

/* console.c */
int admin_handle_broadcast(struct px_call *call);
int admin_handle_test(struct px_call *call);
int admin_handle_events(struct px_call *call);

#endif
