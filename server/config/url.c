/* SPDX-License-Identifier: MIT */
/*
 * The URLs of a vhost: "auth-url", "webhook-url", and "origins", which are URLs without a path.
 *
 * Both are kept the way that browsers write them.
 */
#include "config_internal.h"
#include "config/value/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As a browser writes it. NULL without memory. */
static char *print(const struct px_url *url)
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

int px_config_http_url_copy(struct px_config_loader *loader,
		const struct px_config_object *object, const struct px_options *options,
		const char *key, char **ret_url, bool *ret_exposed)
{
	struct px_url url;
	const char *text = px_options_string(options, key);
	*ret_url = NULL;
	*ret_exposed = false;
	if (!text) {
		return 0;
	}
	if (!px_url_parse(text, &url) || url.wildcard || !is_path(url.rest)) {
		/* not repeated: somebody may have put a password into it */
		px_config_object_complain(&loader->reporter, PX_CONFIG_ERROR, object, key,
				": expected https:// or http://, a host, and optionally :port, a path and a query");
		return 0;
	}
	if (*url.rest == '\0') {
		url.rest = "/";
	}
	*ret_exposed = !url.is_https && !px_url_is_loopback(&url);
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
	vhost->identity_ttl_s = px_options_int(options, "identity-ttl-s");
	vhost->auth_cache_s = (uint32_t)px_options_int(options, "auth-cache-s");
	return px_config_http_url_copy(loader, object, options, "auth-url", &vhost->auth_url,
			&exposed);
}

/* ---- origins ---- */

/* NULL, also without memory. */
static char *normalise_origin(const char *text, bool *ret_is_origin)
{
	struct px_url url;
	*ret_is_origin = true;
	if (strcmp(text, "*") == 0) {
		return strdup(text);
	}
	/* who can answer for a name in http answers for all names below it */
	if (!px_url_parse(text, &url) || *url.rest != '\0' || (url.wildcard && !url.is_https)) {
		*ret_is_origin = false;
		return NULL;
	}
	return print(&url);
}

static int add_origin(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	struct px_config_vhost *vhost = user;
	bool is_origin;
	char *origin = normalise_origin(text, &is_origin);
	if (!is_origin || vhost->origin_count == PX_CONFIG_ITEMS_MAX) {
		px_config_complain(reporter, PX_CONFIG_ERROR, file, line,
				is_origin ? "\"origins\": too many entries at \"%.64s\"" :
				"\"origins\": \"%.64s\" is not an origin: expected https://host or http://host, "
				"with or without :port, https://*.host, or *", text);
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
		px_config_complain(reporter, PX_CONFIG_WARNING, file, line,
				"\"origins\": with \"*\", pages of every web site may connect");
	}
	return 0;
}

int px_config_origins_read(struct px_config_loader *loader,
		const struct px_config_object *object, struct px_config_vhost *vhost)
{
	return px_config_words(&loader->reporter, object, "origins", NULL, add_origin, vhost);
}
