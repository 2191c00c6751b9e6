/* SPDX-License-Identifier: MIT */
/*
 * From the "interface" of a vhost to the addresses that it listens on.
 *
 * Names of hosts are not resolved: what a server listens on must not depend on an answer from
 * the network. "localhost" is always both loopback addresses, and "*" both families apart, so
 * that the host need not know how the system treats IPv4 on an IPv6 socket.
 */
#define _DEFAULT_SOURCE 1 /* getifaddrs */

#include "address.h"
#include "reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sockaddr_in *as_v4(const struct px_config_address *address)
{
	return (const struct sockaddr_in *)&address->address;
}

static const struct sockaddr_in6 *as_v6(const struct px_config_address *address)
{
	return (const struct sockaddr_in6 *)&address->address;
}

static bool is_same_host(const struct px_config_address *a, const struct px_config_address *b)
{
	if (a->address.ss_family != b->address.ss_family) {
		return false;
	}
	if (a->address.ss_family == AF_INET) {
		return as_v4(a)->sin_addr.s_addr == as_v4(b)->sin_addr.s_addr;
	}
	return memcmp(&as_v6(a)->sin6_addr, &as_v6(b)->sin6_addr, sizeof(struct in6_addr)) == 0 &&
			as_v6(a)->sin6_scope_id == as_v6(b)->sin6_scope_id;
}

bool px_config_address_equal(const struct px_config_address *a, const struct px_config_address *b)
{
	/* the port stands at the same place in both families */
	return as_v4(a)->sin_port != 0 && as_v4(a)->sin_port == as_v4(b)->sin_port &&
			is_same_host(a, b);
}

bool px_config_address_is_loopback(const struct px_config_address *address)
{
	if (address->address.ss_family == AF_INET) {
		return (ntohl(as_v4(address)->sin_addr.s_addr) >> 24) == 127;
	}
	const struct in6_addr *v6 = &as_v6(address)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

void px_config_address_print(const struct px_config_address *address, char *buf, size_t size)
{
	if (getnameinfo((const struct sockaddr *)&address->address, address->length, buf,
			(socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0) {
		(void)snprintf(buf, size, "?");
	}
}

static int add(struct px_config_addresses *list, const struct sockaddr *sockaddr, socklen_t length,
		bool optional)
{
	struct px_config_address address = { .length = length, .optional = optional };
	memcpy(&address.address, sockaddr, length);
	((struct sockaddr_in *)&address.address)->sin_port = htons(list->port);
	for (size_t i = 0; i < list->count; i++) {
		if (is_same_host(&list->items[i], &address)) {
			list->items[i].optional = list->items[i].optional && optional;
			return 0;
		}
	}
	if (list->count == PX_CONFIG_ITEMS_MAX) {
		return -E2BIG;
	}
	struct px_config_address *grown =
			px_config_grow(list->items, list->count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	list->items = grown;
	grown[list->count++] = address;
	return 0;
}

static int add_both(struct px_config_addresses *list, in_addr_t v4, const struct in6_addr *v6)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(v4) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = *v6 };
	int r = add(list, (const struct sockaddr *)&in, sizeof(in), true);
	return r < 0 ? r : add(list, (const struct sockaddr *)&in6, sizeof(in6), true);
}

/* getaddrinfo() alone would take "9002" for 0.0.35.42. */
static int add_literal(struct px_config_addresses *list, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		return add(list, (const struct sockaddr *)&in, sizeof(in), false);
	}
	if (!strchr(text, ':')) {
		return -ENOENT;
	}
	struct addrinfo hints = {
		.ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	int r = getaddrinfo(text, NULL, &hints, &found);
	if (r != 0) {
		return r == EAI_MEMORY ? -ENOMEM : -ENOENT;
	}
	r = add(list, found->ai_addr, found->ai_addrlen, false);
	freeaddrinfo(found);
	return r;
}

static int add_interface(struct px_config_addresses *list, const char *name)
{
	struct ifaddrs *all;
	if (if_nametoindex(name) == 0) {
		return -ENOENT;
	}
	if (getifaddrs(&all) < 0) {
		return errno == ENOMEM ? -ENOMEM : -EADDRNOTAVAIL;
	}
	int r = -EADDRNOTAVAIL;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		if (r < 0 && r != -EADDRNOTAVAIL) {
			break;
		}
		int family = at->ifa_addr ? at->ifa_addr->sa_family : AF_UNSPEC;
		if (strcmp(at->ifa_name, name) != 0 || (family != AF_INET && family != AF_INET6)) {
			continue;
		}
		size_t length = family == AF_INET ? sizeof(struct sockaddr_in) :
				sizeof(struct sockaddr_in6);
		r = add(list, at->ifa_addr, (socklen_t)length, false);
	}
	freeifaddrs(all);
	return r;
}

int px_config_addresses_add(struct px_config_addresses *list, const char *text)
{
	if (strcmp(text, "localhost") == 0) {
		return add_both(list, INADDR_LOOPBACK, &in6addr_loopback);
	}
	if (strcmp(text, "*") == 0) {
		return add_both(list, INADDR_ANY, &in6addr_any);
	}
	int r = add_literal(list, text);
	return r == -ENOENT ? add_interface(list, text) : r;
}
