/* SPDX-License-Identifier: MIT */
/*
 * The client of a request, determined for each request: behind a proxy, requests on one connection
 * may come from different clients.
 */
#ifndef PX_FORWARDED_H
#define PX_FORWARDED_H

#include "address/forwarded_header.h"
#include "core/peer.h"

#include <libwebsockets.h>

struct px_peer;

/* A request as the client made it, according to trusted proxies. */
struct px_forwarded {
	struct in6_addr address; /* unspecified if unknown */
	bool is_shown;           /* any proxy, trusted or not, has left a sign */
	bool is_masked;          /* an untrusted one has: the address is not the client's */
	bool is_https;
	char host[264];          /* with the port; "": none, or unreadable */
};

/* -EPROTO: the request's header is invalid. */
int px_forwarded_find(const struct px_peer *peer, struct lws *wsi,
		struct px_forwarded *ret_forwarded);

/* Sets the connection's address to that of the request's client. -EPROTO as above. */
int px_peer_read_head(struct px_peer *peer, struct lws *wsi);

#endif
