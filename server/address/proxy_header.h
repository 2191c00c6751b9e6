/* SPDX-License-Identifier: MIT */
/*
 * The header of HAProxy's PROXY protocol, versions 1 and 2, in which a proxy names its client. No
 * sockets here: the input is untrusted, and all of it runs in a test and in a fuzzer.
 */
#ifndef PX_PROXY_HEADER_H
#define PX_PROXY_HEADER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Maximum length of a header; a longer one of version 2 is refused. */
#define PX_PROXY_HEADER_MAX 536

struct px_proxy_header {
	size_t len; /* in bytes; the client's data follows */
	bool is_local; /* the proxy's own connection, such as a health check */
	bool is_https; /* the client used TLS, according to the proxy */
	struct in6_addr address; /* IPv4 mapped; unspecified (address.h): not given */
};

/*
 * Parses the first `len` bytes of a connection. 0; -EAGAIN: it may be an incomplete header;
 * -EPROTO: it is not a header. UNKNOWN, and families other than IP, are unknown clients: HAProxy's
 * specification permits using the proxy's own address, but that one is trusted.
 */
int px_proxy_parse(const unsigned char *bytes, size_t len, struct px_proxy_header *ret_header);

#endif
