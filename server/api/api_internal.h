/* SPDX-License-Identifier: MIT */
/*
 * The application's HTTP API under /api/v1/ (docs/api.md). The caller is authenticated and the body
 * read before a route's handler runs, so a handler has an operator, fields, and an answer to write.
 */
#ifndef PX_API_INTERNAL_H
#define PX_API_INTERNAL_H

#include "core/peer.h"
#include "core/server.h"
#include "idempotency.h"

struct json_object;
struct px_token;

/* Why a request is refused; static texts. `status` 0: the default for `code`. */
struct px_api_error {
	int status;
	struct px_error_detail detail;
};

/* One request being handled. Valid until `handle` returns. */
struct px_api_call {
	struct px_server *server;
	struct px_peer *peer;
	struct lws *wsi;
	const struct px_token *caller;
	struct px_operator operator;
	struct px_span name;        /* the part of the path after the route's */
	struct px_span body;
	struct json_object *fields; /* of the body; NULL: the handler parses it, or there is none */
	struct px_span idempotency_key; /* len 0: none */
	struct px_json *json;       /* the answer: an open object */
	/* … or instead: a stream of lines, then owned by the request */
	struct px_tail_stream *stream;
	struct px_api_error error;
};

/* 0: the answer is written; -1: px_api_call.error is set. */
typedef int (*px_api_handler)(struct px_api_call *call);

/* error.c: say what is wrong; both return -1. */
int px_api_fail(struct px_api_call *call, int status, enum px_error code, const char *field,
		const char *sentence);
int px_api_deny(struct px_api_call *call, const struct px_error_detail *detail);
int px_api_status(enum px_error code); /* of the answer, if nothing else was said */

/* ---- fields of a body: 0, or -1 with the error set ---- */

/* Checks that there are no others; `names` ends with NULL. */
int px_api_only(struct px_api_call *call, const char *const *names);
int px_api_id(struct px_api_call *call, const char *name, struct px_id *ret_id);
/* `optional`: an empty text if it is missing. */
int px_api_text(struct px_api_call *call, const char *name, bool optional, size_t max,
		struct px_span *ret_text);
int px_api_bool(struct px_api_call *call, const char *name, bool *ret_value);

/* The page that the query requests; its texts point into `buf` */
#define PX_API_QUERY_BYTES (2 * (PX_ID_MAX + 1))
int px_api_page(struct px_api_call *call, char buf[PX_API_QUERY_BYTES], struct px_page *ret_page);

/* tickets.c */
int px_api_post_ticket(struct px_api_call *call);

/* rate.c: takes a request from the caller's rate; 0, or the milliseconds to wait */
int64_t px_api_take(struct px_peer *peer, const struct px_token *caller);
void px_api_charge(const struct px_peer *peer, const struct px_token *caller, size_t bytes);

/* locks.c */
int px_api_get_locks(struct px_api_call *call);
int px_api_post_unlock(struct px_api_call *call);

/* tail.c */
int px_api_post_tail(struct px_api_call *call);

/* operate.c */
int px_api_get_stats(struct px_api_call *call);
int px_api_get_services(struct px_api_call *call);
int px_api_get_clients(struct px_api_call *call);
int px_api_get_rooms(struct px_api_call *call);
int px_api_get_config(struct px_api_call *call);
int px_api_get_history(struct px_api_call *call);
int px_api_post_disconnect(struct px_api_call *call);
int px_api_post_end_room(struct px_api_call *call);
int px_api_post_service(struct px_api_call *call);
int px_api_post_publish(struct px_api_call *call);

#endif
