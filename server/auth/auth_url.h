/* SPDX-License-Identifier: MIT */
/*
 * Asking the application who a client is (`auth-url`). Opened by the upgrade and by the
 * connection that ends. It never keeps a credential longer than the request lasts.
 */
#ifndef PX_AUTH_AUTH_URL_H
#define PX_AUTH_AUTH_URL_H

#include <libwebsockets.h>

struct px_peer;

/* auth/auth_url.c: auth-url. Prepared while the headers are there, started once it is upgraded. */
int px_auth_request_prepare(struct px_peer *peer, struct lws *wsi);
int px_auth_request_start(struct px_peer *peer, struct lws *wsi);
void px_auth_request_drop(struct px_peer *peer);

#endif
