/* SPDX-License-Identifier: MIT */
/*
 * Seeing and steering a running server, for those who run it: the service `admin` and the
 * host's HTTP API say the same things in two languages, and this is what they share.
 *
 * Isolation is checked here, once: an operator sees and touches the practices that its identity
 * holds, or all of its tenant where the identity says so. Of what belongs to other practices
 * it learns nothing, not even that it is there.
 *
 * A list is read page by page and a page is bounded: by what was asked for, by what is looked at
 * for it, and by its bytes. So it may be short, or empty, and not the last: there is
 * more for as long as it has `next`.
 *
 * What goes wrong is a px_error_detail, which both languages can tell. What an operator does is
 * told to the host as PX_EVENT_ADMINISTERED before it is done; where the host refuses, it is
 * not done.
 */
#ifndef PRAXIS_OPERATE_H
#define PRAXIS_OPERATE_H

#include <praxis/identity.h>
#include <praxis/json.h>
#include <praxis/types.h>

struct px_broker;
struct px_channel;
struct px_envelope;
struct px_message;
struct px_practice;
struct px_service;
struct px_session;
struct px_realm;

/* Who operates. Lives as long as what it points to. */
struct px_operator {
	struct px_broker *broker;
	const struct px_identity *identity;
	const struct px_realm *realm;
	const struct px_session *session; /* NULL: a request over HTTP */
};

/* Why something was not done. Static texts; `field` may be NULL. */
struct px_error_detail {
	enum px_error code;
	const char *field;
	const char *sentence;
};

PX_PUBLIC struct px_operator px_session_operator(const struct px_session *session);

/*
 * Whether it may see and steer the server as a whole: it has all practices, and of the tenant
 * that the vhost itself belongs to. Another tenant's administrator of everything has
 * everything of that tenant.
 */
PX_PUBLIC bool px_operator_is_server_admin(const struct px_operator *operator);

/* ---- lists ---- */

/* Rows of a page at most, and where it is not said how many. */
#define PX_PAGE_MAX 500
#define PX_PAGE_DEFAULT 100

/* Sessions or channels that are looked at for a page, and its bytes, about. */
#define PX_PAGE_LOOKS 2000
#define PX_PAGE_BYTES 131072

/* Which page of which list. Empty texts: of any. */
struct px_page {
	struct px_span service;
	struct px_span practice;
	uint64_t after; /* `next` of the page before; 0: from the oldest on */
	uint32_t limit; /* 0: PX_PAGE_DEFAULT; more than PX_PAGE_MAX counts as that */
};

/*
 * Write the members "clients" or "rooms" and, if there is more, "next" into an object that is
 * open. The order is that of their coming. 0; -1: denied, and nothing was written.
 */
PX_PUBLIC int px_operate_clients(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail);
PX_PUBLIC int px_operate_rooms(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail);

/* ---- the whole: members of an object that is open ---- */

/* "server": version, uptimeMs, draining, time. */
PX_PUBLIC void px_operate_write_server(const struct px_operator *operator, struct px_json *json);

/*
 * "scope", "totals" and, of one who does not rule, "practices". Scope "server": totals are those
 * of GET /stats; "practices": clients, rooms and published of the practices that the operator
 * holds, summed up, and of the first hundred of them one by one.
 */
PX_PUBLIC void px_operate_write_totals(const struct px_operator *operator, struct px_json *json);

/* "services": those of the operator's vhost, with their options for one who rules. */
PX_PUBLIC void px_operate_write_services(const struct px_operator *operator,
		struct px_json *json);

/* "config": as in force, without secrets, for one who rules; -1: denied. */
PX_PUBLIC int px_operate_write_config(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail);

/* "everyMs", "fields", "samples": the server's figures of the last hour, for one who rules. */
PX_PUBLIC int px_operate_write_history(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail);

/* "locks", "total": addresses that too many guesses came from, for one who rules; -1: denied. */
PX_PUBLIC int px_operate_write_locks(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail);

/* ---- acts; 0, or -1: denied ---- */

/*
 * Closes a session with 4410 (one that does not know praxis.v1 with 1000, lest it come back),
 * told why where `reason` is not empty. All of its practices must be the operator's.
 */
PX_PUBLIC int px_operate_disconnect(const struct px_operator *operator, struct px_span client_id,
		struct px_span reason, struct px_error_detail *ret_detail);

/* Ends a room for all that are in it. */
PX_PUBLIC int px_operate_end_room(const struct px_operator *operator, struct px_span service,
		struct px_span practice, struct px_span room, struct px_error_detail *ret_detail);

/* Switches a service of the operator's vhost; for those who rule. */
PX_PUBLIC int px_operate_switch(const struct px_operator *operator, struct px_span service,
		bool enabled, struct px_error_detail *ret_detail);

/* Lifts the lock of an address; for those who rule. */
PX_PUBLIC int px_operate_unlock(const struct px_operator *operator, struct px_span address,
		struct px_error_detail *ret_detail);

/* ---- publishing ---- */

/*
 * A message of a service that no session sent: the application's back end did, or an
 * administrator. It lives while the service's `publish` runs.
 */
struct px_publication {
	struct px_broker *broker;
	struct px_practice *practice;
	struct px_envelope *message; /* its "type" begins with the service's name */
	const struct px_service *service;
	void *service_state;
	const char *type;
	struct px_id practice_id; /* as whoever sent it spells it */

	/* for `publish` to set */
	struct px_span key; /* as px_call.key; before px_publication_message() */
	uint64_t seq;       /* 0: it has none */
	uint32_t delivered; /* sessions that it reached */
	struct px_error_detail detail;
};

/*
 * The message as clients are to see it: the bytes that were sent, but for `timestamp`, `clientId`
 * ("server"), `practiceId` as it was spelled, and `seq`, unless that is 0. You own the
 * reference. NULL without memory.
 */
PX_PUBLIC struct px_message *px_publication_message(const struct px_publication *publication,
		uint64_t seq);

/* The practice's channel of that name, of the service; NULL: there is none now. */
PX_PUBLIC struct px_channel *px_publication_channel(const struct px_publication *publication,
		struct px_span name);

/* Sends it to all members, and sets `delivered`. */
PX_PUBLIC void px_publication_announce(struct px_publication *publication,
		struct px_channel *channel, struct px_message *message);

/* Says what is wrong; returns -1, for `publish` to return. */
PX_PUBLIC int px_publication_fail(struct px_publication *publication, enum px_error code,
		const char *field, const char *sentence);

struct px_published {
	uint64_t seq;
	uint32_t delivered;
};

/*
 * One JSON object with "type", for the practice of that id, or (NULL) for that of its own
 * "practiceId". 0; -1: denied.
 */
PX_PUBLIC int px_operate_publish(const struct px_operator *operator, const struct px_id *practice,
		struct px_span text, struct px_published *ret_published,
		struct px_error_detail *ret_detail);

/*
 * Which practice that would be, of those that the operator may publish to; *ret_practice is in buf.
 * 0; -1: denied.
 */
PX_PUBLIC int px_operate_publish_where(const struct px_operator *operator, struct px_span text,
		char buf[PX_ID_MAX + 1], struct px_id *ret_practice,
		struct px_error_detail *ret_detail);

/* ---- for administrators' sessions ---- */

/* What a broadcast came to. */
struct px_broadcasted {
	uint64_t practices; /* that it was published to */
	uint64_t delivered; /* sessions that it reached */
	uint64_t failed;    /* practices whose publication was denied */
};

/*
 * Publishes an object of that service to one practice; or to all that are the operator's and that
 * anybody is in. The latter takes some turns of the loop, one broadcast at a time, and ends with
 * `done`; or early, and without it, with the session. 0; -1: denied.
 */
PX_PUBLIC int px_operate_broadcast_to(const struct px_operator *operator,
		const struct px_service *service, const struct px_id *practice, struct px_span text,
		struct px_broadcasted *ret_result, struct px_error_detail *ret_detail);
PX_PUBLIC int px_operate_broadcast(const struct px_operator *operator,
		const struct px_service *service, struct px_span text,
		void (*done)(struct px_session *session, const struct px_broadcasted *result),
		struct px_error_detail *ret_detail);

/* How a service did with its own test message. */
struct px_probed {
	bool ok;     /* it was not refused; if it was, the session got the error */
	uint64_t ns; /* from reading to the handler's end; 0: the host has no clock for it */
};

/* Sends the service's `probe` through the session. 0; -1: denied. */
PX_PUBLIC int px_operate_probe(struct px_session *session, struct px_span service,
		const struct px_id *practice, struct px_probed *ret_probed,
		struct px_error_detail *ret_detail);

/*
 * The session is sent `admin_event` messages from now on, of its practices; with `since` first what
 * is kept after that number. Ends with px_operate_unwatch(), at the latest when the session
 * closes. 0; -1: denied.
 */
PX_PUBLIC int px_operate_watch(struct px_session *session, const uint64_t *since,
		struct px_error_detail *ret_detail);
PX_PUBLIC void px_operate_unwatch(const struct px_session *session);

/* An event as the host puts it into words: `entry` is a JSON object. */
struct px_sighting {
	const struct px_session *session;   /* whose practices it concerns, if no … */
	const struct px_practice *practice; /* … single one is named */
	struct px_span tenant;
	struct px_span entry;
};

/* Keeps it, and shows it to those who watch and may see it. Where no service operates: nothing. */
PX_PUBLIC void px_broker_show(struct px_broker *broker, const struct px_sighting *sighting);

#endif
