/* SPDX-License-Identifier: MIT */
/*
 * "trusted-proxies" of a vhost: whose word is taken for the address of a client.
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

bool px_config_is_trusted_proxy(const struct px_config_vhost *vhost,
		const struct in6_addr *address)
{
	for (size_t i = 0; i < vhost->trusted_proxy_count; i++) {
		const struct px_config_proxy *proxy = &vhost->trusted_proxies[i];
		struct in6_addr network = network_of(address, proxy->prefix);
		if (is_same(&network, &proxy->address)) {
			return true;
		}
	}
	return false;
}

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
static bool check(struct px_config_loader *loader, const struct px_config_file *file,
		unsigned line, const char *text, struct px_config_proxy *ret_proxy)
{
	bool is_v4;
	if (!parse(text, ret_proxy, &is_v4)) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				"\"trusted-proxies\": \"%.64s\" is no address: expected an IPv4 or "
				"IPv6 address, or ADDRESS/BITS", text);
		return false;
	}
	struct in6_addr network = network_of(&ret_proxy->address, ret_proxy->prefix);
	if (!is_same(&network, &ret_proxy->address)) {
		char expected[INET6_ADDRSTRLEN + 8];
		print_network(&network, ret_proxy->prefix, is_v4, expected, sizeof(expected));
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				"\"trusted-proxies\": \"%.64s\" goes on behind its prefix: "
				"expected %s, or an address alone", text, expected);
		return false;
	}
	if (ret_proxy->prefix == (is_v4 ? MAPPED_BITS : 0)) {
		px_config_complain(&loader->reporter, PX_CONFIG_WARNING, file, line,
				"\"trusted-proxies\": with \"%.64s\" everybody may say from where "
				"he comes", text);
	}
	return true;
}

static int add_proxy(struct px_config_loader *loader, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	struct px_config_vhost *vhost = user;
	struct px_config_proxy proxy;
	if (vhost->trusted_proxy_count == PX_CONFIG_ITEMS_MAX) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				"\"trusted-proxies\": \"%.64s\" is one too many", text);
		return 0;
	}
	if (!check(loader, file, line, text, &proxy)) {
		return 0;
	}
	struct px_config_proxy *grown = px_config_grow(vhost->trusted_proxies,
			vhost->trusted_proxy_count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	vhost->trusted_proxies = grown;
	grown[vhost->trusted_proxy_count++] = proxy;
	return 0;
}

int px_config_proxies_read(struct px_config_loader *loader,
		const struct px_config_object *object, struct px_config_vhost *vhost)
{
	return px_config_strings(loader, object, "trusted-proxies", NULL, add_proxy, vhost);
}
