/* SPDX-License-Identifier: MIT */
/* See origin.h. */
#include "origin.h"

#include "config/value/url.h"

#include <string.h>

/* Whether it is a subdomain of what follows the star of `entry`. */
static bool is_under(const struct px_url *origin, const struct px_url *entry)
{
	size_t len = strlen(origin->host);
	size_t suffix_len = strlen(entry->host);
	return origin->is_https == entry->is_https && origin->port == entry->port &&
			len > suffix_len + 1 && origin->host[len - suffix_len - 1] == '.' &&
			strcmp(origin->host + len - suffix_len, entry->host) == 0;
}

static bool is_listed(const struct px_url *origin, const char *text)
{
	struct px_url entry;
	return px_url_parse(text, &entry) && *entry.rest == '\0' && (entry.wildcard ?
			is_under(origin, &entry) : px_url_same_origin(origin, &entry));
}

/* The check without a list. */
static bool is_own(const struct px_url *origin, const struct px_origin_request *request)
{
	struct px_url own;
	if (!px_url_parse_host(request->host, request->is_https, &own)) {
		return false;
	}
	return px_url_same_origin(origin, &own) || (request->is_on_loopback &&
			px_url_is_loopback(&own) && px_url_is_loopback(origin));
}

bool px_origin_allowed(const struct px_origin_request *request, char *const *list, size_t count)
{
	struct px_url origin;
	bool is_one = px_url_parse(request->origin, &origin) && !origin.wildcard &&
			*origin.rest == '\0';
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], "*") == 0 || (is_one && is_listed(&origin, list[i]))) {
			return true;
		}
	}
	return count == 0 && is_one && is_own(&origin, request);
}

bool px_origin_host_is_loopback(const char *host)
{
	struct px_url url;
	return px_url_parse_host(host, false, &url) && px_url_is_loopback(&url);
}
