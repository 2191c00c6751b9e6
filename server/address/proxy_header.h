/* SPDX-License-Identifier: MIT */
/*
 * The header of HAProxy's PROXY protocol, versions 1 and 2, which says for whom a proxy comes.
 * No sockets here: these are a stranger's bytes, and all of it runs in a test and in a fuzzer.
 */
#ifndef PX_PROXY_HEADER_H
#define PX_PROXY_HEADER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* No header is longer; of version 2, what does not fit into this is not taken. */
#define PX_PROXY_HEADER_MAX 536

struct px_proxy_header {
	size_t len; /* in bytes; what follows is the client's */
	bool is_local; /* the proxy comes for itself, to see how we are */
	bool is_https; /* its client came with TLS, and it says so */
	struct in6_addr address; /* IPv4 mapped; nobody's (address.h): it does not say */
};

/*
 * What the first `len` bytes of a connection say: 0; -EAGAIN: that can be a header which is
 * not yet complete; -EPROTO: it is none. UNKNOWN, and families without an address of IP, are of
 * nobody: HAProxy's text leaves it to the receiver to take the proxy's own address, which is
 * trusted.
 */
int px_proxy_parse(const unsigned char *bytes, size_t len, struct px_proxy_header *ret_header);

#endif
