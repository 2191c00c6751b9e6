/* SPDX-License-Identifier: MIT */
/*
 * Addresses of clients. All are IPv6; IPv4 addresses are mapped (RFC 4291 section 2.5.5.2). The
 * unspecified address stands for an unknown client: its proxy named none, or unreadably. An unknown
 * client is on no list of addresses.
 */
#ifndef PX_ADDRESS_H
#define PX_ADDRESS_H

#include <netinet/in.h>
#include <praxis/host/identity.h>
#include <stdbool.h>

/* Text of an address, with its terminator. */
#define PX_ADDRESS_SIZE (PX_ADDRESS_MAX + 1)

/* False: not an address, and *ret_address is undefined. */
bool px_address_parse(const char *text, struct in6_addr *ret_address);

/*
 * The same for a node as proxies write it (RFC 7239 section 6): also with a port, in brackets, in
 * quotes, with a zone, which is meaningful on the proxy's machine only. The unspecified address is
 * refused.
 */
bool px_address_parse_node(struct px_span text, struct in6_addr *ret_address);

bool px_address_is_unknown(const struct in6_addr *address);
bool px_address_is_loopback(const struct in6_addr *address);

/* The unspecified address is written as "unknown", as in RFC 7239. */
void px_address_format(const struct in6_addr *address, char buf[PX_ADDRESS_SIZE]);

#endif
