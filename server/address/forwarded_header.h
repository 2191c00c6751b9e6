/* SPDX-License-Identifier: MIT */
/*
 * X-Forwarded-For and Forwarded (RFC 7239): a proxy's statement about its client. Both are lists to
 * which each proxy appends. They are read from the end, as long as the writer is a trusted proxy;
 * earlier elements may come from anybody. No lws here: the input is untrusted, and all of it runs
 * in a test and in a fuzzer.
 *
 * Empty elements are ignored (RFC 9110 section 5.6.1). An unreadable one is an unknown client
 * (address.h), instead of the proxy that wrote it: otherwise all its clients would count as one,
 * with the permissions of the proxy's own address.
 */
#ifndef PX_FORWARDED_HEADER_H
#define PX_FORWARDED_HEADER_H

#include "address.h"

struct px_config_vhost;

/* A client as described by the proxy nearest to it. */
struct px_forwarded_client {
	struct in6_addr address;
	char proto[8];  /* from Forwarded; "": not given */
	char host[264]; /* with the port; the same */
};

/*
 * Finds the client behind the vhost's trusted proxies, of which `nearest` is the last. `list` is
 * the header's lines joined with commas, in their order. Without elements, the client is unknown.
 */
void px_forwarded_for_read(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest, struct px_forwarded_client *ret_client);
void px_forwarded_read(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest, struct px_forwarded_client *ret_client);

#endif
