/* SPDX-License-Identifier: MIT */
/* See url.h. */
#include "url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63
#define DIGITS "0123456789"
#define LABEL_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "-_"

/* ---- from text; each moves *text behind what it has read ---- */

static bool parse_scheme(const char **text, struct px_url *url)
{
	url->is_https = strncasecmp(*text, "https://", 8) == 0;
	if (!url->is_https && strncasecmp(*text, "http://", 7) != 0) {
		return false;
	}
	*text += url->is_https ? 8 : 7;
	return true;
}

/* Brackets and all. */
static bool parse_v6(const char **text, struct px_url *url)
{
	char inner[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t length = strcspn(*text + 1, "]");
	if ((*text)[length + 1] != ']' || length >= sizeof(inner)) {
		return false;
	}
	memcpy(inner, *text + 1, length);
	inner[length] = '\0';
	*text += length + 2;
	if (inet_pton(AF_INET6, inner, &address) != 1 ||
			!inet_ntop(AF_INET6, &address, inner, sizeof(inner))) {
		return false;
	}
	(void)snprintf(url->host, sizeof(url->host), "[%s]", inner);
	return true;
}

static bool parse_name(const char **text, struct px_url *url)
{
	const char *start = *text;
	const char *at = start;
	for (;;) {
		size_t length = strspn(at, LABEL_CHARACTERS);
		if (length == 0 || length > LABEL_MAX || at[0] == '-' || at[length - 1] == '-') {
			return false;
		}
		at += length;
		if (*at != '.') {
			break;
		}
		at++;
	}
	size_t length = (size_t)(at - start);
	if (length > PX_URL_HOST_MAX) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		bool upper = start[i] >= 'A' && start[i] <= 'Z';
		url->host[i] = (char)(upper ? start[i] | 0x20 : start[i]);
	}
	url->host[length] = '\0';
	*text = at;
	return true;
}

static bool parse_port(const char **text, struct px_url *url)
{
	if (**text != ':') {
		return true;
	}
	size_t length = strspn(*text + 1, DIGITS);
	if (length == 0 || length > 5) {
		return false;
	}
	unsigned long port = strtoul(*text + 1, NULL, 10);
	*text += length + 1;
	url->port = port == (url->is_https ? 443 : 80) ? 0 : (uint16_t)port;
	return port > 0 && port <= 65535;
}

bool px_url_parse(const char *text, struct px_url *ret_url)
{
	struct px_url url = { 0 };
	if (!parse_scheme(&text, &url)) {
		return false;
	}
	if (strncmp(text, "*.", 2) == 0) {
		url.wildcard = true;
		text += 2;
	}
	bool has_host = *text == '[' && !url.wildcard ? parse_v6(&text, &url) :
			parse_name(&text, &url);
	if (!has_host || !parse_port(&text, &url)) {
		return false;
	}
	url.rest = text;
	*ret_url = url;
	return true;
}

bool px_url_parse_host(const char *text, bool is_https, struct px_url *ret_url)
{
	struct px_url url = { .is_https = is_https };
	bool has_host = *text == '[' ? parse_v6(&text, &url) : parse_name(&text, &url);
	if (!has_host || !parse_port(&text, &url) || *text != '\0') {
		return false;
	}
	url.rest = text;
	*ret_url = url;
	return true;
}

bool px_url_same_origin(const struct px_url *a, const struct px_url *b)
{
	return a->is_https == b->is_https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* An IPv4 address as it is commonly written; browsers turn the other spellings into it. */
static bool is_v4_loopback(const char *host)
{
	struct in_addr address;
	return inet_pton(AF_INET, host, &address) == 1 &&
			ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_v6_loopback(const char *host)
{
	char inner[PX_URL_HOST_MAX + 1];
	struct in6_addr address;
	size_t len = strlen(host);
	if (host[0] != '[' || len < 3) {
		return false;
	}
	memcpy(inner, host + 1, len - 2);
	inner[len - 2] = '\0';
	return inet_pton(AF_INET6, inner, &address) == 1 && (IN6_IS_ADDR_LOOPBACK(&address) ||
			(IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127));
}

bool px_url_is_loopback(const struct px_url *url)
{
	static const char name[] = ".localhost";
	size_t len = strlen(url->host);
	return strcmp(url->host, name + 1) == 0 ||
			(len > sizeof(name) - 1 &&
			strcmp(url->host + len - (sizeof(name) - 1), name) == 0) ||
			is_v4_loopback(url->host) || is_v6_loopback(url->host);
}
