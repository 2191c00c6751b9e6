/* SPDX-License-Identifier: MIT */
/*
 * HTTP requests to the application's back end, on the loop: asking whether a client may come in
 * (`auth-url`, a GET with the client's credentials; docs/protocol.md, section 1), and reporting
 * events (`webhook-url`, a POST; docs/webhooks.md). The caller interprets the answer; this limits
 * its time, size and number, and caches it for a few seconds if requested.
 *
 * Uses libcurl's multi interface, driven by the server's loop. Not lws's client: in Debian's
 * builds, it resolves names on the calling thread, so a hanging name server would stop all
 * messages; and time limits, size limits, reuse of connections and cancelling would have to be
 * written here, on the context that serves the clients.
 *
 * Used on the loop's thread only. SIGPIPE must be ignored in the process. Nothing is logged here.
 */
#ifndef PX_HTTP_CLIENT_H
#define PX_HTTP_CLIENT_H

#include <praxis/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* Maximum length of a body, in bytes; and of all headers. */
#define PX_HTTP_CLIENT_ANSWER_MAX (64 * 1024)

/* One per process. */
struct px_http_client;

/*
 * A request in progress. The requester has one pointer to it, which is set to NULL when the request
 * is over, for whatever reason: so what is destroyed later (a client's connection, when the process
 * ends) cannot cancel what is gone. (Rejected: relying on the order of destruction; it is also
 * libwebsockets' and libuv's, and differs by version.)
 */
struct px_outgoing;

struct px_http_client_answer {
	int status;          /* of HTTP; 0: no answer, see fault */
	const char *fault;   /* why not: static, nothing of request or answer in it; NULL: status */
	struct px_span body; /* of a GET with status 200; valid until `done` returns */
	int64_t retry_after_s; /* from Retry-After; 0: none */
	bool cached;
};

struct px_http_client_request {
	const char *url; /* http: or https: */
	/* The client's headers; empty ones are not sent. */
	struct px_span cookie;
	struct px_span authorization;
	struct px_span origin;
	const char *address;    /* the client's, for X-Forwarded-For; NULL: not sent */
	/*
	 * JSON to POST; data NULL: a GET. The request has succeeded once a status arrives, even if the
	 * rest of the answer is lost.
	 */
	struct px_span body;
	struct px_span signature; /* for Praxis-Signature */
	long timeout_ms;        /* for the whole request, from now on; above 0 */
	unsigned cache_s;       /* how long the answer may be reused; 0: not at all */
	unsigned max_in_flight; /* requests to this URL */
	/*
	 * Called once, from the loop, unless the request is cancelled or the client destroyed; may
	 * start and cancel requests, and destroy the client.
	 */
	void (*done)(void *user, const struct px_http_client_answer *answer);
	void *user;
};

/* -ENOMEM. */
int px_http_client_create(uv_loop_t *loop, struct px_http_client **ret_backend);

/*
 * Cancels all requests, and sets their pointers to NULL. Its handles close over the next turns of
 * the loop, which must run for that; the last one frees the memory. NULL is permitted.
 */
void px_http_client_destroy(struct px_http_client *http_client);

/*
 * Copies what it is given, and never calls `done` itself: neither for a cached answer, nor if it
 * fails. -EINVAL: the URL is not HTTP, a value contains control characters, there is no time limit,
 * or the answer to a POST is to be cached; -EBUSY: too many in flight; -ENOMEM. *ret_outgoing must
 * stay at its address until it is NULL again: cancel before that.
 */
int px_http_client_ask(struct px_http_client *http_client,
		const struct px_http_client_request *request, struct px_outgoing **ret_outgoing);

/*
 * Where the TLS library looks for the system's certificates, a file or a directory, if there are
 * none: then no https back end is trusted. NULL: it finds some. Static.
 */
const char *px_http_client_missing_certificates(void);

/* A blocking request, of a process that does nothing else. */
struct px_http_client_probe {
	const char *url;
	long timeout_ms;
	bool says_proxy; /* begins with a PROXY header with its own address */
	/* over TLS: a closed connection counts as an answer, for lack of a client certificate */
	bool may_want_certificate;
};

/*
 * GETs the URL and waits; does not verify certificates. 0: *ret_status is that of the answer, or 0
 * if there was none (may_want_certificate); -EIO: `fault` says why there is none; -ENOMEM.
 */
int px_http_client_probe(const struct px_http_client_probe *probe, int *ret_status, char *fault,
		size_t size);

/* `done` will not be called, and the requester's pointer is NULL. NULL is permitted. */
void px_http_client_cancel(struct px_outgoing *outgoing);

#endif
