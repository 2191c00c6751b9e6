/* SPDX-License-Identifier: MIT */
/*
 * How addresses are grouped for counting. An IPv6 client has a network of 2^64 addresses (RFC 6177,
 * RFC 7421), so limits by address apply to the network; an IPv4 address counts on its own.
 *
 * Some IPv6 addresses are not networks of one client, and count individually: those that begin with
 * 64 zeros (the unspecified address, loopback, and IPv4 mapped, RFC 4291 section 2.5), NAT64
 * (64:ff9b::/96, RFC 6052), and link-local addresses (fe80::/10).
 */
#ifndef PX_ADDRESS_GROUP_H
#define PX_ADDRESS_GROUP_H

#include "address.h"

/*
 * Text of a group, with its terminator: an address, or a network with its length ("2001:db8::/64").
 */
#define PX_ADDRESS_GROUP_SIZE (PX_ADDRESS_SIZE + 4)

/* The first address of the group; `prefix` is its length in bits, 1 to 128. */
struct in6_addr px_address_group(const struct in6_addr *address, unsigned prefix);

/* Writes a result of px_address_group(). */
void px_address_group_format(const struct in6_addr *group, unsigned prefix,
		char buf[PX_ADDRESS_GROUP_SIZE]);

/* Reads an address of the group, or its text. False: it is neither. */
bool px_address_group_parse(const char *text, unsigned prefix, struct in6_addr *ret_group);

#endif
