/* SPDX-License-Identifier: MIT */
/*
 * How answers over HTTP look. Opened by whoever answers over HTTP. It never reads a body: the API
 * does; and it never chooses what answers a path: the router does.
 */
#ifndef PX_HTTP_HTTP_H
#define PX_HTTP_HTTP_H

#include "config/config.h"
#include "core/answers.h"

#include <libwebsockets.h>
#include <praxis/types.h>

struct px_http_fault;
struct px_http_head;
struct px_peer;
struct px_server;
struct px_span;
struct px_vhost;

/* http/http.c: a hook of the adapter, and the format of answers */
int px_http_done(void *user, struct lws *wsi);
int px_http_refuse(struct lws *wsi, int status, const char *code, const char *sentence);

/*
 * The same with everything that a refusal may contain. `wait_ms`: when to retry; 0: unknown, which
 * 429 and 503 report as PX_RETRY_UNKNOWN_MS; PX_RETRY_NEVER: never.
 */
struct px_http_refusal {
	int status;
	const char *code;
	const char *field; /* NULL: none */
	const char *sentence;
	int64_t wait_ms;
	const char *challenge; /* for 401 and 403: RFC 6750's error and error_description; NULL: none */
	const char *reason;    /* for temporary conditions: a word; NULL: none */
	bool for_any_page;     /* may be read by pages of any origin */
};
int px_http_refuse_as(struct lws *wsi, const struct px_http_refusal *refusal);

int px_http_refuse_field(struct lws *wsi, int status, const char *code, const char *field,
		const char *sentence); /* field may be NULL */
int px_http_redirect(struct lws *wsi, const char *location); /* 1, or -1 */

/*
 * The vhost's headers as lines, and those of the server that it does not override; their length, or
 * -1: they do not fit.
 */
enum px_http_kind {
	PX_HTTP_DATA,
	PX_HTTP_PAGE, /* a file, which may be a page */
};
int px_http_headers(const struct px_vhost *vhost, enum px_http_kind kind, const char *caching,
		char *buf, size_t size);
int px_http_answer(struct lws *wsi, int status, const char *type, struct px_span body);
/* Composes an answer without lws; returns its length. What was parsed of `head` is used. */
size_t px_http_compose_error(const struct px_vhost *vhost, const struct px_http_head *head,
		const struct px_http_fault *fault, char *buf, size_t size);
/* Redirects a GET or HEAD. */
int px_http_answer_moved(struct lws *wsi, const char *location);
/* A generated page. */
int px_http_answer_page(struct lws *wsi, const char *caching, struct px_span body);
/* The head of a streaming answer. -1: the connection is lost. */
int px_http_begin(struct lws *wsi, const char *type);

#endif
