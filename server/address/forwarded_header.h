/* SPDX-License-Identifier: MIT */
/*
 * X-Forwarded-For and Forwarded (RFC 7239): for whom proxies come. Both are lists that each proxy
 * adds to at the end. They are read from there, as long as it is a trusted proxy that wrote; what
 * stands before, anybody may have written. No lws here: these are a stranger's bytes, and all of
 * it runs in a test and in a fuzzer.
 *
 * Elements that are empty count for nothing (RFC 9110 section 5.6.1). One that cannot be read is
 * nobody's (address.h): not the proxy's that wrote it, which would make its clients all one, and
 * let them do what the proxy's own address may.
 */
#ifndef PX_FORWARDED_HEADER_H
#define PX_FORWARDED_HEADER_H

#include "address.h"

struct px_config_vhost;

/* A client, as the proxy tells of it to which it spoke. */
struct px_forwarded_client {
	struct in6_addr address;
	char proto[8];  /* in Forwarded; "": not told */
	char host[264]; /* with the port; the same */
};

/*
 * Who is behind the vhost's trusted proxies, of which `nearest` is the last. `list` has the
 * header's lines joined with commas, in their order. With no element in it the client is nobody.
 */
void px_forwarded_for_read(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest, struct px_forwarded_client *ret_client);
void px_forwarded_read(const struct px_config_vhost *vhost, struct px_span list,
		const struct in6_addr *nearest, struct px_forwarded_client *ret_client);

#endif
