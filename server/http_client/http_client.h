/* SPDX-License-Identifier: MIT */
/*
 * Talking to the application's back end while the loop goes on: asking it whether a client may
 * come in (`auth-url`, protocol.md section 1), a GET with the client's own credentials; and
 * telling it what happened (`webhook-url`, section 7), a POST. What the answer means is the
 * caller's to say; here it is only fetched, bounded in time, size and number, and kept for a few
 * seconds where that is wanted.
 *
 * Over libcurl's multi interface, driven by the server's loop. Not over lws's client: as Debian
 * builds it, it looks up names on the calling thread, so that a name server that hangs would
 * stop everybody's messages; and total time limits, bounds on what comes, reuse of connections
 * and cancelling would all be ours to write, on the context that serves the clients.
 *
 * One thread: the loop's. SIGPIPE must be ignored in the process. Nothing is logged here.
 */
#ifndef PX_HTTP_CLIENT_H
#define PX_HTTP_CLIENT_H

#include <praxis/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* The longest body, in bytes; and the most of headers, too. */
#define PX_HTTP_CLIENT_ANSWER_MAX (64 * 1024)

/* One per process. */
struct px_http_client;

/*
 * A question under way. Whoever asked has one pointer to it, which the back end knows, and makes
 * NULL when the question is over, whoever ended it: so what is left to take apart later (a client's
 * connection, when the process ends) cannot cancel what is gone. (Rejected: to leave the order of
 * taking apart to be right; it is libwebsockets' and libuv's, too, and differs by version.)
 */
struct px_outgoing;

struct px_http_client_answer {
	int status;          /* of HTTP; 0: there is no answer, see fault */
	const char *fault;   /* why not: static, and nothing of request or answer; NULL: status */
	struct px_span body; /* of a GET with status 200; valid until `done` returns */
	int64_t retry_after_s; /* what its Retry-After comes to; 0: none */
	bool cached;
};

struct px_http_client_request {
	const char *url; /* http: or https: */
	/* The client's own headers; those that are empty are not sent. */
	struct px_span cookie;
	struct px_span authorization;
	struct px_span origin;
	const char *address;    /* the client's, for X-Forwarded-For; NULL: not sent */
	/*
	 * JSON to POST; data NULL: a GET. It was told when a status came, whatever becomes of the
	 * rest of the answer.
	 */
	struct px_span body;
	struct px_span signature; /* for Praxis-Signature */
	long timeout_ms;        /* for all of it, from now on; above 0 */
	unsigned cache_s;       /* how long the answer may stand for the next one; 0: not at all */
	unsigned max_in_flight; /* questions to this URL */
	/*
	 * Once, from the loop, unless it is cancelled or the back end is destroyed; may ask, cancel
	 * others and destroy the back end.
	 */
	void (*done)(void *user, const struct px_http_client_answer *answer);
	void *user;
};

/* -ENOMEM. */
int px_http_client_create(uv_loop_t *loop, struct px_http_client **ret_backend);

/*
 * Cancels all, and those who asked have NULL then. Its handles close over the next turns of the
 * loop, which has to be run on for that; the memory goes with the last of them. NULL is fine.
 */
void px_http_client_destroy(struct px_http_client *http_client);

/*
 * Copies what it is given, and never calls `done` itself: not with a cached answer, and not at
 * all where it fails. -EINVAL: the URL is not HTTP, a value has control characters in it, there
 * is no time limit, or the answer to a POST is to be kept; -EBUSY: too many in flight; -ENOMEM.
 * *ret_inquiry has to stay where it is until it is NULL again: cancel before it goes.
 */
int px_http_client_ask(struct px_http_client *http_client,
		const struct px_http_client_request *request, struct px_outgoing **ret_outgoing);

/*
 * Where the TLS library looks for the system's certificates, a file or a directory, if there are
 * none: then no https back end is trusted. NULL: it finds some. Static.
 */
const char *px_http_client_missing_certificates(void);

/* A request of a process that does nothing else meanwhile. */
struct px_http_client_probe {
	const char *url;
	long timeout_ms;
	bool says_proxy; /* begins with a PROXY header, of its own address */
	/* Over TLS: that it is hung up on is an answer, for want of a client's certificate. */
	bool may_want_certificate;
};

/*
 * GETs the URL and waits. Of whoever answers no certificate is checked. 0: *ret_status is that of
 * the answer, or 0 where there was none (may_want_certificate); -EIO: `fault` says why there
 * is none; -ENOMEM.
 */
int px_http_client_probe(const struct px_http_client_probe *probe, int *ret_status, char *fault,
		size_t size);

/* `done` is not called any more, and the asker's pointer is NULL. NULL is fine. */
void px_http_client_cancel(struct px_outgoing *outgoing);

#endif
