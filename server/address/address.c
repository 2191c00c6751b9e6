/* SPDX-License-Identifier: MIT */
/* See address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SPACE " \t"
#define DIGITS "0123456789"

bool px_address_parse(const char *text, struct in6_addr *ret_address)
{
	struct in_addr v4;
	if (inet_pton(AF_INET6, text, ret_address) == 1) {
		return true;
	}
	if (inet_pton(AF_INET, text, &v4) != 1) {
		return false;
	}
	*ret_address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&ret_address->s6_addr[12], &v4, sizeof(v4));
	return true;
}

bool px_address_is_unknown(const struct in6_addr *address)
{
	return IN6_IS_ADDR_UNSPECIFIED(address);
}

bool px_address_is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) ||
			(IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

void px_address_format(const struct in6_addr *address, char buf[PX_ADDRESS_SIZE])
{
	if (px_address_is_unknown(address)) {
		(void)snprintf(buf, PX_ADDRESS_SIZE, "unknown");
	} else if (IN6_IS_ADDR_V4MAPPED(address)) {
		inet_ntop(AF_INET, &address->s6_addr[12], buf, PX_ADDRESS_SIZE);
	} else {
		inet_ntop(AF_INET6, address, buf, PX_ADDRESS_SIZE);
	}
}

/* ---- nodes ---- */

static struct px_span trim(struct px_span text)
{
	while (text.len > 0 && strchr(SPACE, text.data[0]) && text.data[0] != '\0') {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && strchr(SPACE, text.data[text.len - 1]) &&
			text.data[text.len - 1] != '\0') {
		text.len--;
	}
	return text;
}

static struct px_span unquote(struct px_span text)
{
	if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"') {
		return trim((struct px_span){ text.data + 1, text.len - 2 });
	}
	return text;
}

/* "" or a colon and a port, which may be an obfuscated one (RFC 7239 section 6.3). */
static bool is_port(const char *text)
{
	if (*text == '\0') {
		return true;
	}
	size_t digits = strspn(text + 1, DIGITS);
	size_t obscure = text[1] == '_' ? strspn(text + 1, DIGITS "._-"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") : 0;
	return text[0] == ':' && ((digits >= 1 && digits <= 5 && text[1 + digits] == '\0') ||
			(obscure >= 2 && text[1 + obscure] == '\0'));
}

/* Removes the zone from an IPv6 address. False: the zone is empty. */
static bool drop_zone(char *text)
{
	char *zone = strchr(text, '%');
	if (!zone) {
		return true;
	}
	bool is_v6 = memchr(text, ':', (size_t)(zone - text)) != NULL;
	bool good = is_v6 && zone[1] != '\0' && strcspn(zone + 1, "%[]/ \t\"") == strlen(zone + 1);
	*zone = '\0';
	return good;
}

/* "[v6]" and an optional port. */
static bool parse_bracketed(char *text, struct in6_addr *ret_address)
{
	char *end = strchr(text, ']');
	if (!end || !is_port(end + 1)) {
		return false;
	}
	*end = '\0';
	/* In a URI, the percent sign before a zone is written as %25 (RFC 6874). */
	return strchr(text, ':') && drop_zone(text + 1) &&
			inet_pton(AF_INET6, text + 1, ret_address) == 1;
}

static bool parse_bare(char *text, struct in6_addr *ret_address)
{
	char *colon = strchr(text, ':');
	if (colon && !strchr(colon + 1, ':') && is_port(colon)) {
		*colon = '\0'; /* one colon: an IPv4 address with a port */
	}
	return drop_zone(text) && px_address_parse(text, ret_address);
}

/* Mapped or not, the unspecified address identifies no client. */
static bool is_somebody(const struct in6_addr *address)
{
	static const struct in6_addr v4_any = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	return !px_address_is_unknown(address) && memcmp(address, &v4_any, sizeof(v4_any)) != 0;
}

bool px_address_parse_node(struct px_span text, struct in6_addr *ret_address)
{
	char node[128];
	text = unquote(trim(text));
	if (text.len == 0 || text.len >= sizeof(node) || memchr(text.data, '\0', text.len)) {
		return false;
	}
	memcpy(node, text.data, text.len);
	node[text.len] = '\0';
	return (node[0] == '[' ? parse_bracketed(node, ret_address) :
			parse_bare(node, ret_address)) && is_somebody(ret_address);
}
