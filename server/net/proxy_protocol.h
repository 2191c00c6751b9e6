/* SPDX-License-Identifier: MIT */
/*
 * Connections that begin with a PROXY header (address/proxy_header.h): waits for the header for a
 * limited time, then passes the connection on.
 */
#ifndef PX_PROXY_PROTOCOL_H
#define PX_PROXY_PROTOCOL_H

struct px_peer;
struct px_server;

/*
 * Waits for the header, then hands peer and descriptor to `adopt`. Takes both over, if it returns
 * 0; -ENOMEM, -errno.
 */
int px_pending_proxy_begin(struct px_peer *peer, int fd,
		void (*adopt)(struct px_peer *peer, int fd));

/* Closes connections that are still waiting. */
void px_pending_proxies_drop(struct px_server *server);

#endif
