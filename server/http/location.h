/* SPDX-License-Identifier: MIT */
/*
 * The target of a redirect, built from parts of the request.
 *
 * lws only provides decoded paths and queries, so a redirect encodes them again: the meaning is the
 * same, the spelling may differ. (A "+" in a path becomes a space, as lws decodes it.)
 */
#ifndef PX_LOCATION_H
#define PX_LOCATION_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

#define PX_LOCATION_MAX (2 * 4096)

/* Built from untrusted parts; `failed` if one does not fit. Start zeroed. */
struct px_location {
	char text[PX_LOCATION_MAX];
	size_t len;
	bool failed;
};

/* Adds it unchanged. */
void px_location_add(struct px_location *location, const char *text, size_t len);

/*
 * Percent-encodes everything except unreserved characters (RFC 3986): letters, digits, "-._~", and
 * `besides`.
 */
void px_location_encode(struct px_location *location, const char *text, size_t len,
		const char *besides);

/* The query of the request with its question mark, if it has one. */
void px_location_add_query(struct px_location *location, struct lws *wsi);

#endif
