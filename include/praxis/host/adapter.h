/* SPDX-License-Identifier: MIT */
/*
 * Between libwebsockets and the broker: callbacks of lws become session events, queues become
 * writes. The host creates one px_lws, gives it to lws as the context's user pointer, and calls
 * px_lws_end_turn() when all events of a loop turn were handled. HTTP reaches the host through the
 * hooks.
 */
#ifndef PRAXIS_HOST_ADAPTER_H
#define PRAXIS_HOST_ADAPTER_H

#include <praxis/host/broker.h>

struct lws;
struct px_lws;

/* The host's decisions. Hooks are called on the loop's thread, from within lws. */
struct px_lws_hooks {
	void *user;

	/* The first event of a turn: set the broker's time. */
	void (*begin_turn)(void *user);

	/* As px_broker_host.over_budget, usually the same function. */
	bool (*over_budget)(void *user, enum px_work work);

	/*
	 * A request to upgrade. 0: accept; 1: an answer was written; -1: drop. Headers must be read
	 * with lws_hdr_copy() only (CVE-2025-11677). `header` is where lws keeps Upgrade, if it still
	 * does; only its address may be used.
	 */
	int (*upgrade)(void *user, struct lws *wsi, const void *header);

	/*
	 * The connection was upgraded: fill in the session's parameters, except `conn`. -EINPROGRESS:
	 * not known yet; nothing is read until px_lws_admit(). Other -errno: close with 1013.
	 */
	int (*accept)(void *user, struct lws *wsi, struct px_session_params *ret_params);

	/* rc 0: the session was opened or resumed; -errno: it was not, and the connection is closed. */
	void (*opened)(void *user, struct lws *wsi, int rc);

	/* A plain HTTP request; the return value is lws's. */
	int (*http)(void *user, struct lws *wsi, const char *path);

	/* A piece of its body, and its end; the return value is lws's. */
	int (*http_body)(void *user, struct lws *wsi, const void *piece, size_t len);
	int (*http_body_end)(void *user, struct lws *wsi);

	/* The connection takes more of a streaming answer; the return value is lws's. */
	int (*http_writable)(void *user, struct lws *wsi);

	/* lws has sent a file; the return value is lws's. */
	int (*http_done)(void *user, struct lws *wsi);

	/* The connection has ended, whatever it was. */
	void (*gone)(void *user, struct lws *wsi);
};

/* The broker's transport over lws. */
PX_PUBLIC extern const struct px_transport px_lws_transport;

/*
 * Creates the adapter. `max_message_bytes` limits what is assembled of one message. The broker and
 * the hooks must outlive it. The caller owns it until px_lws_destroy(). -ENOMEM.
 */
PX_PUBLIC int px_lws_create(struct px_broker *broker, const struct px_lws_hooks *hooks,
		size_t max_message_bytes, struct px_lws **ret_lws);

/* Effective from the next piece of a message on. */
PX_PUBLIC void px_lws_set_max_message_bytes(struct px_lws *lws, size_t max_message_bytes);

/* Call it before destroying the lws context, which ends all connections. */
PX_PUBLIC void px_lws_stop(struct px_lws *lws);

/* Call it after destroying the lws context. NULL is permitted. */
PX_PUBLIC void px_lws_destroy(struct px_lws *lws);

/*
 * Opens the session of a connection whose `accept` returned -EINPROGRESS; with params NULL, closes
 * it with that code. Not from within lws's callbacks of that connection.
 */
PX_PUBLIC void px_lws_admit(struct lws *wsi, const struct px_session_params *params,
		enum px_close code);

/* The lws connection behind a session's `conn`. */
PX_PUBLIC struct lws *px_lws_wsi(void *conn);

/*
 * Reads what is left in the sockets that were read from, lets the broker write and free, and closes
 * connections. No lws function may be on the stack. True: there is work left, and the next turn
 * must follow at once.
 */
PX_PUBLIC bool px_lws_end_turn(struct px_lws *lws);

/* Messages deferred to a later turn so far. */
PX_PUBLIC uint64_t px_lws_deferred(const struct px_lws *lws);

#endif
