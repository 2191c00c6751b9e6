/* SPDX-License-Identifier: MIT */
/*
 * For whom a request comes, computed for each one from the connection's own address: behind a
 * proxy a connection's requests may be of different clients.
 */
#ifndef PX_FORWARDED_H
#define PX_FORWARDED_H

#include "address/forwarded_header.h"
#include "core/peer.h"

#include <libwebsockets.h>

struct px_peer;

/* A request as the client made it, as far as trusted proxies tell. */
struct px_forwarded {
	struct in6_addr address; /* nobody's, where they do not */
	bool is_shown;           /* any proxy, trusted or not, has left a sign */
	bool is_masked;          /* one that is not trusted has: the address is not the client's */
	bool is_https;
	char host[264];          /* with the port; "": there is none that can be read */
};

/* -EPROTO: the head of the request cannot be read. */
int px_forwarded_find(const struct px_peer *peer, struct lws *wsi,
		struct px_forwarded *ret_forwarded);

/* The peer's address becomes that of the request's client. -EPROTO as above. */
int px_peer_read_head(struct px_peer *peer, struct lws *wsi);

#endif
