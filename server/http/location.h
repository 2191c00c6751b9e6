/* SPDX-License-Identifier: MIT */
/*
 * Where a redirect leads to, put together from pieces of the request.
 *
 * lws hands out paths and queries decoded only, so a redirect encodes them anew: what
 * arrives means the same, if it is not spelled the same. (A "+" in a path becomes a space,
 * as lws decodes it.)
 */
#ifndef PX_LOCATION_H
#define PX_LOCATION_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

#define PX_LOCATION_MAX (2 * 4096)

/* Built from untrusted pieces; `failed` where one does not fit. Begin with all zero. */
struct px_location {
	char text[PX_LOCATION_MAX];
	size_t len;
	bool failed;
};

/* As it is. */
void px_location_add(struct px_location *location, const char *text, size_t len);

/*
 * Percent-encodes all but what may stand as it is (RFC 3986): letters, digits, "-._~" and
 * `besides`.
 */
void px_location_encode(struct px_location *location, const char *text, size_t len,
		const char *besides);

/* The query of the request with its question mark, if it has one. */
void px_location_add_query(struct px_location *location, struct lws *wsi);

#endif
