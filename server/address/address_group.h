/* SPDX-License-Identifier: MIT */
/*
 * Under which name an address is counted. One who has IPv6 has a network of it, 2^64 addresses
 * that all are the same person's (RFC 6177, RFC 7421), so a limit by address means such a
 * network; an IPv4 address is itself.
 *
 * Some of IPv6 is no network of anybody's, and is counted address by address: what begins with 64
 * zeros (the unspecified address, loopback, and IPv4 mapped, RFC 4291 section 2.5), what NAT64
 * makes of IPv4 (64:ff9b::/96, RFC 6052), and what is on the link only (fe80::/10).
 */
#ifndef PX_ADDRESS_GROUP_H
#define PX_ADDRESS_GROUP_H

#include "address.h"

/* Text of one, with its terminator: an address, or a network with its length ("2001:db8::/64"). */
#define PX_ADDRESS_GROUP_SIZE (PX_ADDRESS_SIZE + 4)

/* The first of the addresses that are counted as one; `prefix` is how many bits count, 1 to 128. */
struct in6_addr px_address_group(const struct in6_addr *address, unsigned prefix);

/* Writes what px_address_group() returned. */
void px_address_group_format(const struct in6_addr *group, unsigned prefix,
		char buf[PX_ADDRESS_GROUP_SIZE]);

/* Reads an address of the group, or what was written. False: it is neither. */
bool px_address_group_parse(const char *text, unsigned prefix, struct in6_addr *ret_group);

#endif
