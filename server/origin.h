/* SPDX-License-Identifier: MIT */
/*
 * Whether a page of that origin may open a WebSocket (RFC 6455 section 10.2, RFC 6454). A
 * browser sends `Origin` and a page cannot forge it; so the list keeps other sites' pages from
 * using a visitor's cookie. Clients that are no browsers send none, and pass.
 */
#ifndef PX_ORIGIN_H
#define PX_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `list` holds exact origins ("https://app.example.org"), subdomains (a star and a dot before the
 * host)
 * or "*"; empty: only pages of the same host as `host` (the request's Host header).
 */
bool px_origin_allowed(const char *origin, const char *host, char *const *list, size_t count);

#endif
