/* SPDX-License-Identifier: MIT */
/* See origin.h. Scheme and host are compared without regard to case, as URLs are. */
#include "origin.h"

#include <string.h>
#include <strings.h>

static const char host_characters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:";

/* "host:port" of "https://host:port"; NULL: it has none, as "null". */
static const char *host_of(const char *origin)
{
	const char *at = strstr(origin, "://");
	return at && at[3] != '\0' ? at + 3 : NULL;
}

/* Whether `origin` is a subdomain of what stands behind the star of `pattern`. */
static bool is_under(const char *origin, const char *pattern)
{
	const char *star = strstr(pattern, "://*.");
	if (!star) {
		return false;
	}
	size_t scheme = (size_t)(star - pattern) + 3;
	const char *suffix = star + 4; /* ".example.org" */
	size_t origin_len = strlen(origin);
	size_t suffix_len = strlen(suffix);
	/* At least one character for what the star stands for, and nothing but a host. */
	return origin_len > scheme + suffix_len && strncasecmp(origin, pattern, scheme) == 0 &&
			strcasecmp(origin + origin_len - suffix_len, suffix) == 0 &&
			strspn(origin + scheme, host_characters) == origin_len - scheme;
}

bool px_origin_allowed(const char *origin, const char *host, char *const *list, size_t count)
{
	if (count == 0) {
		const char *own = host_of(origin);
		return own && strcasecmp(own, host) == 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], "*") == 0 || strcasecmp(list[i], origin) == 0 ||
				is_under(origin, list[i])) {
			return true;
		}
	}
	return false;
}
