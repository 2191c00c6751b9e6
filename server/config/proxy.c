/* SPDX-License-Identifier: MIT */
/*
 * Lists of addresses: "trusted-proxies" of a vhost, whose word is taken for the address of a
 * client, and "metrics-allow", who may read its figures without a token.
 *
 * Bits behind the prefix are an error and not cut off: "10.1.2.3/8" may have been meant as
 * one proxy or as sixteen million.
 */
#include "config_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 32
#define V6_BITS 128
#define MAPPED_BITS (V6_BITS - V4_BITS)

/* The first `prefix` bits of an address; the others 0. */
static struct in6_addr network_of(const struct in6_addr *address, unsigned prefix)
{
	struct in6_addr network = { 0 };
	memcpy(network.s6_addr, address->s6_addr, prefix / 8);
	if (prefix % 8 != 0) {
		network.s6_addr[prefix / 8] =
				(uint8_t)(address->s6_addr[prefix / 8] & (0xff00 >> prefix % 8));
	}
	return network;
}

static bool is_same(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a->s6_addr, b->s6_addr, sizeof(a->s6_addr)) == 0;
}

/* The unspecified address stands for nobody (address/address.h), who is on no list. */
static bool has(const struct px_config_proxy *list, size_t count, const struct in6_addr *address)
{
	if (IN6_IS_ADDR_UNSPECIFIED(address)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct in6_addr network = network_of(address, list[i].prefix);
		if (is_same(&network, &list[i].address)) {
			return true;
		}
	}
	return false;
}

bool px_config_is_trusted_proxy(const struct px_config_vhost *vhost,
		const struct in6_addr *address)
{
	return has(vhost->trusted_proxies, vhost->trusted_proxy_count, address);
}

bool px_config_shows_metrics(const struct px_config_vhost *vhost, const struct in6_addr *address)
{
	return has(vhost->metrics_allow, vhost->metrics_allow_count, address);
}

/* A list that is being read. */
struct list {
	const char *key;
	const char *warning; /* of one that is everybody */
	struct px_config_proxy **items;
	size_t *count;
};

/* The number of bits behind the slash. */
static bool parse_prefix(const char *text, unsigned max, unsigned *ret_prefix)
{
	size_t length = strspn(text, "0123456789");
	if (length == 0 || length > 3 || text[length] != '\0') {
		return false;
	}
	unsigned prefix = (unsigned)strtoul(text, NULL, 10);
	*ret_prefix = prefix;
	return prefix <= max;
}

static bool parse(const char *text, struct px_config_proxy *ret_proxy, bool *ret_is_v4)
{
	char host[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");
	struct in_addr v4;
	struct in6_addr v6 = { 0 };
	if (length >= sizeof(host)) {
		return false;
	}
	memcpy(host, text, length);
	host[length] = '\0';
	bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
	unsigned max = is_v4 ? V4_BITS : V6_BITS;
	unsigned prefix = max;
	if (is_v4) {
		v6.s6_addr[10] = 0xff;
		v6.s6_addr[11] = 0xff;
		memcpy(&v6.s6_addr[12], &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, host, &v6) != 1) {
		return false;
	}
	if (text[length] == '/' && !parse_prefix(text + length + 1, max, &prefix)) {
		return false;
	}
	ret_proxy->address = v6;
	ret_proxy->prefix = (uint8_t)(prefix + (is_v4 ? MAPPED_BITS : 0));
	*ret_is_v4 = is_v4;
	return true;
}

/* "10.0.0.0/8". */
static void print_network(const struct in6_addr *network, unsigned prefix, bool is_v4, char *buf,
		size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";
	(void)inet_ntop(is_v4 ? AF_INET : AF_INET6, &network->s6_addr[is_v4 ? 12 : 0], host,
			sizeof(host));
	(void)snprintf(buf, size, "%s/%u", host, prefix - (is_v4 ? MAPPED_BITS : 0));
}

/* Complains, or warns, of what it is; whether it may stay. */
static bool check(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, const struct list *list,
		struct px_config_proxy *ret_proxy)
{
	bool is_v4;
	if (!parse(text, ret_proxy, &is_v4)) {
		px_config_complain(reporter, PX_CONFIG_ERROR, file, line,
				"\"%s\": \"%.64s\" is not an address: expected an IPv4 or IPv6 address, or "
				"ADDRESS/BITS", list->key, text);
		return false;
	}
	struct in6_addr network = network_of(&ret_proxy->address, ret_proxy->prefix);
	if (!is_same(&network, &ret_proxy->address)) {
		char expected[INET6_ADDRSTRLEN + 8];
		print_network(&network, ret_proxy->prefix, is_v4, expected, sizeof(expected));
		px_config_complain(reporter, PX_CONFIG_ERROR, file, line,
				"\"%s\": \"%.64s\" has bits set behind its prefix: expected %s, or an address "
				"alone", list->key, text, expected);
		return false;
	}
	if (ret_proxy->prefix == (is_v4 ? MAPPED_BITS : 0)) {
		px_config_complain(reporter, PX_CONFIG_WARNING, file, line,
				"\"%s\": \"%.64s\" lets everybody %s", list->key, text,
				list->warning);
	}
	return true;
}

static int add(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	const struct list *list = user;
	struct px_config_proxy proxy;
	if (*list->count == PX_CONFIG_ITEMS_MAX) {
		px_config_complain(reporter, PX_CONFIG_ERROR, file, line,
				"\"%s\": too many entries at \"%.64s\"", list->key, text);
		return 0;
	}
	if (!check(reporter, file, line, text, list, &proxy)) {
		return 0;
	}
	struct px_config_proxy *grown = px_config_grow(*list->items, *list->count,
			sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	*list->items = grown;
	grown[(*list->count)++] = proxy;
	return 0;
}

static int add_loopback(struct px_config_reporter *reporter, struct list *list)
{
	int r = add(reporter, NULL, 0, "127.0.0.0/8", list);
	return r < 0 ? r : add(reporter, NULL, 0, "::1", list);
}

int px_config_proxies_read(struct px_config_loader *loader,
		const struct px_config_object *object, struct px_config_vhost *vhost)
{
	struct list proxies = { "trusted-proxies", "choose the address that the server sees",
		&vhost->trusted_proxies, &vhost->trusted_proxy_count };
	struct list readers = { "metrics-allow", "read the statistics",
		&vhost->metrics_allow, &vhost->metrics_allow_count };
	int r = px_config_words(&loader->reporter, object, proxies.key, NULL, add, &proxies);
	if (r < 0) {
		return r;
	}
	return px_config_object_given(object, readers.key) ?
			px_config_words(&loader->reporter, object, readers.key, NULL, add, &readers) :
			add_loopback(&loader->reporter, &readers);
}
