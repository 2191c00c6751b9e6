/* SPDX-License-Identifier: MIT */
/*
 * Between libwebsockets and the broker: lws's callbacks become session events, queues become
 * writes. The host makes one px_lws, gives it to lws as the context's user pointer, and calls
 * px_lws_end_turn() when all events of a loop turn were handled; what is HTTP comes back to
 * it through the hooks.
 */
#ifndef PRAXIS_HOST_ADAPTER_H
#define PRAXIS_HOST_ADAPTER_H

#include <praxis/host/broker.h>

struct lws;
struct px_lws;

/* What the host decides. Every hook is called on the loop's thread, from within lws. */
struct px_lws_hooks {
	void *user;

	/* The first event of a turn: tell the broker what time it is. */
	void (*begin_turn)(void *user);

	/* As px_broker_host.pressed, and mostly the same function. */
	bool (*over_budget)(void *user, enum px_work work);

	/*
	 * A request to upgrade. 0: let it in; 1: an answer was written; -1: drop it. Must read
	 * the headers with lws_hdr_copy() alone (CVE-2025-11677); `header` is where lws keeps
	 * Upgrade, if it still does, and only its place may be looked at.
	 */
	int (*upgrade)(void *user, struct lws *wsi, const void *header);

	/*
	 * It was upgraded: who it is. `conn` is the adapter's to fill. -EINPROGRESS: that is not
	 * known yet; nothing is read from it until px_lws_admit(). Other -errno: close with 1013.
	 */
	int (*accept)(void *user, struct lws *wsi, struct px_session_params *ret_params);

	/*
	 * Its session has begun, or an earlier one continues; -errno: neither, and it is closed.
	 */
	void (*opened)(void *user, struct lws *wsi, int rc);

	/* A plain HTTP request; the return value is lws's. */
	int (*http)(void *user, struct lws *wsi, const char *path);

	/* A piece of its body, and its end; the return value is lws's. */
	int (*http_body)(void *user, struct lws *wsi, const void *piece, size_t len);
	int (*http_body_end)(void *user, struct lws *wsi);

	/* The connection takes more of a streaming answer; the return value is lws's. */
	int (*http_writable)(void *user, struct lws *wsi);

	/* A file that lws sent is out; the return value is lws's. */
	int (*http_done)(void *user, struct lws *wsi);

	/* The connection is gone for good, whatever it was. */
	void (*gone)(void *user, struct lws *wsi);
};

/* The broker's transport over lws. */
PX_PUBLIC extern const struct px_transport px_lws_transport;

/*
 * `max_message_bytes` limits what is assembled of one message. The broker and the hooks
 * must outlive it. -ENOMEM.
 */
PX_PUBLIC int px_lws_create(struct px_broker *broker, const struct px_lws_hooks *hooks,
		size_t max_message_bytes, struct px_lws **ret_lws);

/* Holds from the next piece of a message on. */
PX_PUBLIC void px_lws_set_max_message_bytes(struct px_lws *lws, size_t max_message_bytes);

/* The lws context is about to be destroyed, which ends all connections. */
PX_PUBLIC void px_lws_stop(struct px_lws *lws);

/* After the lws context is destroyed. NULL is fine. */
PX_PUBLIC void px_lws_destroy(struct px_lws *lws);

/*
 * Opens the session of a connection whose `accept` said -EINPROGRESS, or, with params NULL,
 * closes it with that code. Not from within lws's callbacks of that connection.
 */
PX_PUBLIC void px_lws_admit(struct lws *wsi, const struct px_session_params *params,
		enum px_close code);

/* The connection behind a session's `conn`. */
PX_PUBLIC struct lws *px_lws_wsi(void *conn);

/*
 * Reads what is left in the sockets that were read from, lets the broker write and reap,
 * and closes what it wants closed. Call it with no lws function on the stack. True: there is
 * work left, and the next turn must follow at once.
 */
PX_PUBLIC bool px_lws_end_turn(struct px_lws *lws);

/* Messages deferred to a later turn so far. */
PX_PUBLIC uint64_t px_lws_deferred(const struct px_lws *lws);

#endif
