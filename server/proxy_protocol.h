/* SPDX-License-Identifier: MIT */
/*
 * The PROXY protocol of HAProxy, versions 1 and 2: a proxy's connection begins with a header
 * that says for whom it comes. px_proxy_parse() knows no socket; px_greeting_begin() waits
 * for a header to arrive, for a while, and hands the connection on.
 */
#ifndef PX_PROXY_PROTOCOL_H
#define PX_PROXY_PROTOCOL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct px_peer;
struct px_server;

/* No header is longer; of version 2, what does not fit into this is not taken. */
#define PX_PROXY_HEADER_MAX 536

struct px_proxy_header {
	size_t len; /* in bytes; what follows is the client's */
	bool has_address;
	struct in6_addr address; /* IPv4 mapped */
};

/*
 * What the first `len` bytes of a connection say: 0; -EAGAIN: that can be a header which is
 * not yet complete; -EPROTO: it is none. LOCAL and UNKNOWN have no address.
 */
int px_proxy_parse(const unsigned char *bytes, size_t len, struct px_proxy_header *ret_header);

/*
 * Waits for the header, then px_listener_adopt(). Takes peer and descriptor over, if it
 * returns 0; -ENOMEM, -errno.
 */
int px_greeting_begin(struct px_peer *peer, int fd);

/* Closes those that still wait. */
void px_greetings_drop(struct px_server *server);

#endif
