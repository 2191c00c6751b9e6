/* SPDX-License-Identifier: MIT */
/*
 * The HTTP API under /api/v1/, as the rest of the server sees it. Opened by the router, which
 * passes requests to it, and by the lws context. It answers only its own paths.
 */
#ifndef PX_API_API_H
#define PX_API_API_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

struct px_http_refusal;
struct px_peer;
struct px_server;

/* api/api.c: whether the path is under /api/v1/, and its methods for Allow */
bool px_api_concerns(const char *path);
const char *px_api_allow(const char *path);
int px_api_begin(struct px_peer *peer, struct lws *wsi, const char *path);
int px_api_body(void *user, struct lws *wsi, const void *piece, size_t len);
int px_api_end(void *user, struct lws *wsi);
void px_request_drop(struct px_peer *peer);
/* A hook of the adapter: an answer that goes on can do so. */
int px_api_writable(void *user, struct lws *wsi);
/* Whether the request has a token of a server administrator; if not, *ret_refusal is the answer. */
bool px_api_judge(struct px_peer *peer, struct lws *wsi, struct px_http_refusal *ret_refusal);

/* api/tail_stream.c: the end of all of them, who are told why */
void px_tail_streams_end(struct px_server *server, const char *reason);

#endif
