/* SPDX-License-Identifier: MIT */
/* Addresses of clients: all are IPv6, those of IPv4 mapped (RFC 4291 section 2.5.5.2). */
#ifndef PX_ADDRESS_H
#define PX_ADDRESS_H

#include <netinet/in.h>
#include <praxis/identity.h>
#include <stdbool.h>

struct px_config_vhost;

/* Text of an address, with its terminator. */
#define PX_ADDRESS_SIZE (PX_ADDRESS_MAX + 1)

/* False: it is none, and *ret_address is undefined. */
bool px_address_parse(const char *text, struct in6_addr *ret_address);

void px_address_format(const struct in6_addr *address, char buf[PX_ADDRESS_SIZE]);

/*
 * Who is behind the vhost's trusted proxies. *address is the nearest, and becomes the client's;
 * `list` is X-Forwarded-For, and is taken apart.
 */
void px_address_behind(const struct px_config_vhost *vhost, char *list, struct in6_addr *address);

#endif
