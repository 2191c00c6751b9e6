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

/* http/http.c: a hook of the adapter, and how answers look */
int px_http_done(void *user, struct lws *wsi);
int px_http_refuse(struct lws *wsi, int status, const char *code, const char *sentence);

/*
 * The same with all that a refusal may say. `wait_ms`: when it is worth to try again; 0: nobody
 * knows, which 429 and 503 tell as PX_RETRY_UNKNOWN_MS; PX_RETRY_NEVER: it is not.
 */
struct px_http_refusal {
	int status;
	const char *code;
	const char *field; /* NULL: none */
	const char *sentence;
	int64_t wait_ms;
	const char *challenge; /* of 401 and 403: RFC 6750's error and error_description; NULL: none */
	const char *reason;    /* of what may end by itself: a word; NULL: none */
	bool for_any_page;     /* may be read by pages of any origin */
};
int px_http_refuse_as(struct lws *wsi, const struct px_http_refusal *refusal);

int px_http_refuse_field(struct lws *wsi, int status, const char *code, const char *field,
		const char *sentence); /* field may be NULL */
int px_http_redirect(struct lws *wsi, const char *location); /* 1, or -1 */

/*
 * The vhost's headers as lines, and those of ours that it has none of the same name for;
 * their length, or -1: they do not fit.
 */
enum px_http_kind {
	PX_HTTP_DATA,
	PX_HTTP_PAGE, /* a file, which may be one */
};
int px_http_headers(const struct px_vhost *vhost, enum px_http_kind kind, const char *caching,
		char *buf, size_t size);
int px_http_answer(struct lws *wsi, int status, const char *type, struct px_span body);
/* An answer that lws has no part in; its length. Of `head` as much counts as was read. */
size_t px_http_compose_error(const struct px_vhost *vhost, const struct px_http_head *head,
		const struct px_http_fault *fault, char *buf, size_t size);
/* A GET or HEAD that has to be repeated there. */
int px_http_answer_moved(struct lws *wsi, const char *location);
/* A page that was put together. */
int px_http_answer_page(struct lws *wsi, const char *caching, struct px_span body);
/* The head of an answer that goes on until the connection ends. -1: it is lost. */
int px_http_begin(struct lws *wsi, const char *type);

#endif
