/* SPDX-License-Identifier: MIT */
/*
 * Asking the application to identify a client (`auth-url`). Opened by the upgrade, and by
 * connections that end. It never keeps a credential longer than the request lasts.
 */
#ifndef PX_AUTH_AUTH_URL_H
#define PX_AUTH_AUTH_URL_H

#include <libwebsockets.h>

struct px_peer;

/* auth/auth_url.c: prepared while the headers are available, started after the upgrade. */
int px_auth_request_prepare(struct px_peer *peer, struct lws *wsi);
int px_auth_request_start(struct px_peer *peer, struct lws *wsi);
void px_auth_request_drop(struct px_peer *peer);

#endif
