/* SPDX-License-Identifier: MIT */
/*
 * Whether a page of that origin may open a WebSocket (RFC 6455 section 10.2, RFC 6454). A browser
 * sends `Origin` and a page cannot forge it; so the list prevents other sites' pages from using a
 * visitor's cookie. Clients that are not browsers send none, and pass.
 */
#ifndef PX_ORIGIN_H
#define PX_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* The request that a page sent. */
struct px_origin_request {
	const char *origin;
	const char *host;  /* with the port, as the client uses it; "": unknown */
	bool is_https;     /* the client uses TLS */
	bool is_on_loopback; /* the vhost listens on loopback only, and no proxy is involved */
};

/*
 * `list` has exact origins ("https://app.example.org"), subdomains (a star and a dot before the
 * host) or "*". Empty: pages with the scheme, host and port of the request; and on loopback, pages
 * of loopback names and addresses with any port, for development.
 */
bool px_origin_allowed(const struct px_origin_request *request, char *const *list, size_t count);

/* Whether `host` always means this machine, whatever a name server says (open mode). */
bool px_origin_host_is_loopback(const char *host);

#endif
