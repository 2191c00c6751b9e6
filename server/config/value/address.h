/* SPDX-License-Identifier: MIT */
/* What a vhost may listen on: addresses with their port, by the words of "interface". */
#ifndef PX_CONFIG_ADDRESS_H
#define PX_CONFIG_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct px_config_address {
	struct sockaddr_storage address; /* with the port in it */
	socklen_t length;

	/*
	 * One of the two families of "localhost" or "*": that this machine does not have it is
	 * no error, as long as one address of the vhost could be had. IPv6 "*" is meant without
	 * IPv4 in it (IPV6_V6ONLY), which has an entry of its own.
	 */
	bool optional;
};

/* Begins with all zero but for the port; the items are the caller's (free()). */
struct px_config_addresses {
	struct px_config_address *items;
	size_t count;
	uint16_t port;
};

/*
 * Adds the addresses of "localhost", "*", a literal, or a network interface, each once. -ENOENT: it
 * is none of these; -EADDRNOTAVAIL: an interface without an address; -E2BIG: too many; -ENOMEM.
 */
int px_config_addresses_add(struct px_config_addresses *list, const char *text);

bool px_config_address_is_loopback(const struct px_config_address *address);

/* The same address and port; never where the port is 0. */
bool px_config_address_equal(const struct px_config_address *a,
		const struct px_config_address *b);

/* "127.0.0.1", "::1". */
void px_config_address_print(const struct px_config_address *address, char *buf, size_t size);

#endif
