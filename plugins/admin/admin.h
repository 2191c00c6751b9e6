/* SPDX-License-Identifier: MIT */
/*
 * admin, split by what its messages are about (docs/protocol.md, section 5): stats.c the figures
 * that are sent again and again, lists.c clients and rooms, acts.c what an administrator does,
 * subscription.c who is sent them, console.c testing, broadcasting and the live events.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <praxis/alarm.h>
#include <praxis/operate.h>
#include <praxis/service.h>

/*
 * A session that asked for figures or events. Apart, and not as state in each session: there are
 * thousands of these, and a handful of administrators. In a search tree of libc's, since each
 * session that ends is looked for in it.
 */
struct admin_subscription {
	struct px_session *session;
	struct px_alarm *alarm; /* the next figures; NULL: none were asked for yet */
	int64_t interval_ms;    /* 0: none are wanted */
	bool watches;
};

#define ADMIN_INTERVAL_MAX_MS 60000

struct admin {
	void *subscriptions;
};

extern const struct px_service admin_service;

/* subscription.c: the session's, a new one if need be; NULL without memory. */
struct admin_subscription *admin_subscription_get(struct admin *admin,
		struct px_session *session);
/* The session's; NULL: it has none. */
struct admin_subscription *admin_subscription_find(const struct admin *admin,
		const struct px_session *session);
void admin_subscription_end(struct admin *admin, const struct px_session *session);
/* Figures every so often; 0: no more. -ENOMEM. */
int admin_subscription_set(struct admin_subscription *subscription, int64_t interval_ms);

/* … what of it goes on after a restart */
void admin_save(void *state, const struct px_session *session, const void *session_state,
		struct px_json *json);
int admin_restore(void *state, struct px_session *session, void *session_state,
		struct json_object *saved);

/* Answers a call with what was denied; returns -1. */
int admin_deny(struct px_call *call, const struct px_error_detail *detail);

/* A text or an integer of the message; `fallback` where it has none. */
struct px_span admin_text(const struct px_call *call, const char *name, char *buf, size_t size);

/* An integer of the message within bounds; false: there is one, and it was refused. */
bool admin_integer(struct px_call *call, const char *name, int64_t fallback, int64_t min,
		int64_t max, int64_t *ret_value);

/* stats.c */
void admin_send_stats(struct px_session *session);
int admin_handle_subscribe(struct px_call *call);
int admin_handle_services(struct px_call *call);
int admin_handle_history(struct px_call *call);

/* lists.c */
int admin_handle_clients(struct px_call *call);
int admin_handle_rooms(struct px_call *call);

/* acts.c */
int admin_handle_disconnect(struct px_call *call);
int admin_handle_end_room(struct px_call *call);
int admin_handle_service(struct px_call *call);

/* locks.c */
int admin_handle_locks(struct px_call *call);
int admin_handle_unlock(struct px_call *call);

/* console.c */
int admin_handle_broadcast(struct px_call *call);
int admin_handle_test(struct px_call *call);
int admin_handle_events(struct px_call *call);

#endif
