/* SPDX-License-Identifier: MIT */
/*
 * The URLs of a vhost: "auth-url", "webhook-url", and "origins", which are URLs without a path.
 *
 * Both are kept the way that browsers write them (RFC 6454, and the URL Standard of WHATWG),
 * so that an Origin header can be compared as text. Names with other than ASCII letters must
 * be given in Punycode, as browsers send them. Rejected: lws_parse_uri(), which takes almost
 * anything for a host.
 */
#include "config_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 253
#define LABEL_MAX 63
#define DIGITS "0123456789"
#define LABEL_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "-_"

struct url {
	bool is_https;
	bool wildcard; /* "*." stood before the host */
	char host[HOST_MAX + 1];
	uint16_t port; /* 0: the scheme's own */
	const char *rest;
};

/* ---- from text; each moves *text behind what it has read ---- */

static bool parse_scheme(const char **text, struct url *url)
{
	url->is_https = strncasecmp(*text, "https://", 8) == 0;
	if (!url->is_https && strncasecmp(*text, "http://", 7) != 0) {
		return false;
	}
	*text += url->is_https ? 8 : 7;
	return true;
}

/* Brackets and all. */
static bool parse_v6(const char **text, struct url *url)
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

static bool parse_name(const char **text, struct url *url)
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
	if (length > HOST_MAX) {
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

static bool parse_port(const char **text, struct url *url)
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

static bool parse(const char *text, struct url *ret_url)
{
	struct url url = { 0 };
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

/* As a browser writes it. NULL without memory. */
static char *print(const struct url *url)
{
	char port[8] = "";
	size_t size = strlen(url->host) + strlen(url->rest) + 32;
	char *text = malloc(size);
	if (url->port != 0) {
		(void)snprintf(port, sizeof(port), ":%u", (unsigned)url->port);
	}
	if (text) {
		(void)snprintf(text, size, "%s://%s%s%s%s%s", url->is_https ? "https" : "http",
				url->wildcard ? "*." : "", url->host, port,
				*url->rest == '?' ? "/" : "", url->rest);
	}
	return text;
}

/* ---- URLs of the application's back end ---- */

/* A path and a query; "" is neither. */
static bool is_path(const char *rest)
{
	if (*rest != '\0' && *rest != '/' && *rest != '?') {
		return false;
	}
	for (; *rest != '\0'; rest++) {
		if (*rest <= ' ' || *rest >= 0x7f || strchr("#\\\"<>", *rest)) {
			return false;
		}
	}
	return true;
}

static bool is_loopback(const char *host)
{
	struct in_addr address;
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
			(inet_pton(AF_INET, host, &address) == 1 &&
			ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

int px_config_http_url_copy(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_url, bool *ret_exposed)
{
	struct url url;
	const char *text = px_options_string(options, key);
	*ret_url = NULL;
	*ret_exposed = false;
	if (!text) {
		return 0;
	}
	if (!parse(text, &url) || url.wildcard || !is_path(url.rest)) {
		/* not repeated: somebody may have put a password into it */
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object, key,
				": expected https:// or http://, a host, and if need be :port, a "
				"path and a query");
		return 0;
	}
	if (*url.rest == '\0') {
		url.rest = "/";
	}
	*ret_exposed = !url.is_https && !is_loopback(url.host);
	*ret_url = print(&url);
	return *ret_url ? 0 : -ENOMEM;
}

int px_config_auth_url_read(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		struct px_config_vhost *vhost)
{
	bool exposed;
	vhost->auth_timeout_ms = px_options_int(options, "auth-timeout-ms");
	vhost->auth_max = (uint32_t)px_options_int(options, "auth-max");
	vhost->auth_cache_s = (uint32_t)px_options_int(options, "auth-cache-s");
	return px_config_http_url_copy(loader, object, options, "auth-url", &vhost->auth_url,
			&exposed);
}

/* ---- origins ---- */

/* NULL, also without memory. */
static char *normalise_origin(const char *text, bool *ret_is_origin)
{
	struct url url;
	*ret_is_origin = true;
	if (strcmp(text, "*") == 0) {
		return strdup(text);
	}
	/* who can answer for a name in http answers for all names below it */
	if (!parse(text, &url) || *url.rest != '\0' || (url.wildcard && !url.is_https)) {
		*ret_is_origin = false;
		return NULL;
	}
	return print(&url);
}

static int add_origin(struct px_config_loader *loader, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	struct px_config_vhost *vhost = user;
	bool is_origin;
	char *origin = normalise_origin(text, &is_origin);
	if (!is_origin || vhost->origin_count == PX_CONFIG_ITEMS_MAX) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				is_origin ? "\"origins\": \"%.64s\" is one too many" :
				"\"origins\": \"%.64s\" is no origin: expected https://host or "
				"http://host, with or without :port, https://*.host, or *", text);
		free(origin);
		return 0;
	}
	char **grown = origin ? px_config_grow(vhost->origins, vhost->origin_count,
			sizeof(*grown)) : NULL;
	if (!grown) {
		free(origin);
		return -ENOMEM;
	}
	vhost->origins = grown;
	grown[vhost->origin_count++] = origin;
	if (strcmp(origin, "*") == 0) {
		px_config_complain(&loader->reporter, PX_CONFIG_WARNING, file, line,
				"\"origins\": a wildcard origin: with \"*\" the pages of every "
				"site may connect");
	}
	return 0;
}

int px_config_origins_read(struct px_config_loader *loader,
		const struct px_config_object *object, struct px_config_vhost *vhost)
{
	return px_config_strings(loader, object, "origins", NULL, add_origin, vhost);
}
