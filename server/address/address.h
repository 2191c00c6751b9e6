/* SPDX-License-Identifier: MIT */
/*
 * Addresses of clients: all are IPv6, those of IPv4 mapped (RFC 4291 section 2.5.5.2). The
 * unspecified one is nobody's: of a client whose proxy does not say, or not so that it can be
 * read, who it is. Nothing that an address allows is allowed to nobody.
 */
#ifndef PX_ADDRESS_H
#define PX_ADDRESS_H

#include <netinet/in.h>
#include <praxis/host/identity.h>
#include <stdbool.h>

/* Text of an address, with its terminator. */
#define PX_ADDRESS_SIZE (PX_ADDRESS_MAX + 1)

/* False: it is none, and *ret_address is undefined. */
bool px_address_parse(const char *text, struct in6_addr *ret_address);

/*
 * The same of a node as proxies write it (RFC 7239 section 6): besides with a port, in brackets,
 * in quotes, with a zone, which says something on the proxy's machine only. Nobody's is none.
 */
bool px_address_parse_node(struct px_span text, struct in6_addr *ret_address);

bool px_address_is_nobody(const struct in6_addr *address);
bool px_address_is_loopback(const struct in6_addr *address);

/* Nobody's is "unknown", as RFC 7239 has it. */
void px_address_format(const struct in6_addr *address, char buf[PX_ADDRESS_SIZE]);

#endif
