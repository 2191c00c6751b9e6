/* SPDX-License-Identifier: MIT */
/*
 * Observing and controlling a running server, for operators: the common part of the service `admin`
 * and the host's HTTP API.
 *
 * Isolation is checked here: an operator reaches the practices that its identity holds, or all of
 * its tenant if the identity says so. It learns nothing about other practices, not even whether
 * they exist.
 *
 * A list is read page by page. A page is limited by the number requested, by the number of entries
 * visited, and by its bytes. So it may be short, or empty, without being the last: there is more as
 * long as it has `next`.
 *
 * Errors are a px_error_detail, which both interfaces can report. Acts are reported to the host as
 * PX_EVENT_ADMINISTERED before they are done; if the host forbids one, it is not done.
 */
#ifndef PRAXIS_OPERATE_H
#define PRAXIS_OPERATE_H

#include <praxis/host/identity.h>
#include <praxis/json.h>
#include <praxis/types.h>

struct px_broker;
struct px_channel;
struct px_channel_kind;
struct px_channel_limits;
struct px_envelope;
struct px_message;
struct px_practice;
struct px_service;
struct px_session;
struct px_realm;

/* Who operates. Valid as long as what it points to. */
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
 * Whether it is a server administrator: it has all practices of the vhost's own tenant. An
 * administrator of another tenant has only that tenant's practices.
 */
PX_PUBLIC bool px_operator_is_server_admin(const struct px_operator *operator);

/* ---- lists ---- */

/* Maximum and default number of rows of a page. */
#define PX_PAGE_MAX 500
#define PX_PAGE_DEFAULT 100

/* Sessions or channels that are visited for a page, and its approximate bytes. */
#define PX_PAGE_LOOKS 2000
#define PX_PAGE_BYTES 131072

/* Which page of which list. Empty texts: no filter. */
struct px_page {
	struct px_span service;
	struct px_span practice;
	uint64_t after; /* `next` of the previous page; 0: from the beginning */
	uint32_t limit; /* 0: PX_PAGE_DEFAULT; more than PX_PAGE_MAX counts as that */
};

/*
 * Write the members "clients" or "rooms" and, if there is more, "next" into an open object; oldest
 * first. 0; -1: denied, and nothing was written.
 */
PX_PUBLIC int px_operate_clients(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail);
PX_PUBLIC int px_operate_rooms(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail);

/* ---- the server: members of an open object ---- */

/* "server": version, uptimeMs, draining, time. */
PX_PUBLIC void px_operate_write_server(const struct px_operator *operator, struct px_json *json);

/*
 * "scope", "totals" and, for operators that are not server administrators, "practices". Scope
 * "server": totals are those of GET /stats. Scope "practices": clients, rooms and publications of
 * the operator's practices, summed up, and individually for the first hundred.
 */
PX_PUBLIC void px_operate_write_totals(const struct px_operator *operator, struct px_json *json);

/* "services": those of the operator's vhost, with their options for server administrators. */
PX_PUBLIC void px_operate_write_services(const struct px_operator *operator,
		struct px_json *json);

/* "config": in force, without secrets, for server administrators; -1: denied. */
PX_PUBLIC int px_operate_write_config(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail);

/*
 * "everyMs", "fields", "samples": statistics of the last hour, for server administrators; -1:
 * denied.
 */
PX_PUBLIC int px_operate_write_history(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail);

/* "locks", "total": locked addresses, for server administrators; -1: denied. */
PX_PUBLIC int px_operate_write_locks(const struct px_operator *operator, struct px_json *json,
		struct px_error_detail *ret_detail);

/* ---- acts; 0, or -1: denied ---- */

/*
 * Closes a session with 4410 (one without praxis.v1 with 1000, so that it does not reconnect),
 * after sending `reason` if that is not empty. The operator must have all of its practices.
 */
PX_PUBLIC int px_operate_disconnect(const struct px_operator *operator, struct px_span client_id,
		struct px_span reason, struct px_error_detail *ret_detail);

/* Ends a room for all members. */
PX_PUBLIC int px_operate_end_room(const struct px_operator *operator, struct px_span service,
		struct px_span practice, struct px_span room, struct px_error_detail *ret_detail);

/* Enables or disables a service of the operator's vhost; for server administrators. */
PX_PUBLIC int px_operate_switch(const struct px_operator *operator, struct px_span service,
		bool enabled, struct px_error_detail *ret_detail);

/* Unlocks an address; for server administrators. */
PX_PUBLIC int px_operate_unlock(const struct px_operator *operator, struct px_span address,
		struct px_error_detail *ret_detail);

/* ---- publishing ---- */

/*
 * A message of a service without a session: from the application's back end or an administrator.
 * Valid during the service's `publish`.
 */
struct px_publication {
	struct px_broker *broker;
	struct px_practice *practice;
	struct px_envelope *message; /* its "type" has a prefix of the service */
	const struct px_service *service;
	void *service_state;
	const char *type;
	struct px_id practice_id; /* in the sender's spelling */

	/* set by `publish` */
	struct px_span key; /* as px_call.key; set it before px_publication_message() */
	uint64_t seq;       /* 0: none */
	uint32_t delivered; /* number of sessions that it reached */
	struct px_error_detail detail;
};

/*
 * The message as clients get it: the sender's bytes, with `timestamp`, `clientId` ("server"),
 * `practiceId` in its spelling, and `seq` unless that is 0. The caller owns the reference. NULL
 * without memory.
 */
PX_PUBLIC struct px_message *px_publication_message(const struct px_publication *publication,
		uint64_t seq);

/* The practice's channel with that name, of the service; NULL: there is none now. */
PX_PUBLIC struct px_channel *px_publication_channel(const struct px_publication *publication,
		struct px_span name);

/*
 * The same, created if there is none: for a publication of which something is kept. The kind must
 * have a history. -ENFILE: the broker has too many channels; -ENOMEM.
 */
PX_PUBLIC int px_publication_open(const struct px_publication *publication,
		const struct px_channel_kind *kind, struct px_span name,
		const struct px_channel_limits *limits, struct px_channel **ret_channel);

/* Sends it to all members, and sets `delivered`. */
PX_PUBLIC void px_publication_announce(struct px_publication *publication,
		struct px_channel *channel, struct px_message *message);

/* Sets the error; returns -1, for `publish` to return. */
PX_PUBLIC int px_publication_fail(struct px_publication *publication, enum px_error code,
		const char *field, const char *sentence);

struct px_published {
	uint64_t seq;
	uint32_t delivered;
};

/*
 * Publishes one JSON object with "type" to the practice with that id, or (NULL) to that of its
 * "practiceId". 0; -1: denied.
 */
PX_PUBLIC int px_operate_publish(const struct px_operator *operator, const struct px_id *practice,
		struct px_span text, struct px_published *ret_published,
		struct px_error_detail *ret_detail);

/*
 * The practice that px_operate_publish() would use, if the operator may publish there;
 * *ret_practice points into buf. 0; -1: denied.
 */
PX_PUBLIC int px_operate_publish_where(const struct px_operator *operator, struct px_span text,
		char buf[PX_ID_MAX + 1], struct px_id *ret_practice,
		struct px_error_detail *ret_detail);

/* ---- for administrators' sessions ---- */

/* The result of a broadcast. */
struct px_broadcasted {
	uint64_t practices; /* practices that it was published to */
	uint64_t delivered; /* number of sessions that it reached */
	uint64_t failed;    /* practices whose publication was denied */
};

/*
 * Publishes an object of that service to one practice, or to all of the operator's practices that
 * have clients. The latter takes several turns of the loop, one broadcast at a time, and calls
 * `done` at the end, unless the session ends before. 0; -1: denied.
 */
PX_PUBLIC int px_operate_broadcast_to(const struct px_operator *operator,
		const struct px_service *service, const struct px_id *practice, struct px_span text,
		struct px_broadcasted *ret_result, struct px_error_detail *ret_detail);
PX_PUBLIC int px_operate_broadcast(const struct px_operator *operator,
		const struct px_service *service, struct px_span text,
		void (*done)(struct px_session *session, const struct px_broadcasted *result),
		struct px_error_detail *ret_detail);

/* The result of a service's test message. */
struct px_probed {
	bool ok;     /* not refused; if it was, the session got the error */
	uint64_t ns; /* from parsing to the handler's end; 0: the host has no clock for it */
};

/* Handles the service's `probe` in the session. 0; -1: denied. */
PX_PUBLIC int px_operate_probe(struct px_session *session, struct px_span service,
		const struct px_id *practice, struct px_probed *ret_probed,
		struct px_error_detail *ret_detail);

/*
 * Sends the session `admin_event` messages from now on, of its practices; with `since` first the
 * stored events after that number. Ends with px_operate_unwatch(), or when the session closes. 0;
 * -1: denied.
 */
PX_PUBLIC int px_operate_watch(struct px_session *session, const uint64_t *since,
		struct px_error_detail *ret_detail);
PX_PUBLIC void px_operate_unwatch(const struct px_session *session);

/* An event in the host's words: `entry` is a JSON object. */
struct px_sighting {
	const struct px_session *session;   /* whose practices it concerns … */
	const struct px_practice *practice; /* … unless a single one is named */
	struct px_span tenant;
	struct px_span entry;
};

/*
 * Stores the event, and sends it to the watchers that may see it. Nothing if no service has
 * `operates`.
 */
PX_PUBLIC void px_broker_show(struct px_broker *broker, const struct px_sighting *sighting);

/* The service with that name; NULL. *ret_index (may be NULL): its index. */
PX_PUBLIC const struct px_service *px_broker_find_service(const struct px_broker *broker,
		struct px_span name, unsigned *ret_index);

#endif
