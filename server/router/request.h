/* SPDX-License-Identifier: MIT */
/* Plain HTTP requests, for the router alone. */
#ifndef PX_ROUTER_REQUEST_H
#define PX_ROUTER_REQUEST_H

struct lws;
struct px_server;
struct px_vhost;

/* request.c: a hook of the adapter */
int px_router_request(void *user, struct lws *wsi, const char *path);

/* dashboard.c: the administrators' page. 1: the path is not its. */
int px_dashboard_serve(struct px_server *server, struct px_vhost *vhost, struct lws *wsi,
		const char *path);

#endif
