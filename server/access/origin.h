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

/* What a page asks for. */
struct px_origin_request {
	const char *origin;
	const char *host;  /* with the port, as the client sees it; "": unknown */
	bool is_https;     /* the client came with TLS */
	bool is_on_loopback; /* the vhost listens there alone, and no proxy is on the way */
};

/*
 * `list` holds exact origins ("https://app.example.org"), subdomains (a star and a dot before
 * the host) or "*". Empty: pages of the same scheme, host and port as the request; and on
 * loopback pages of loopback names and addresses of any port, which is where applications are
 * developed.
 */
bool px_origin_allowed(const struct px_origin_request *request, char *const *list, size_t count);

/* Whether `host` is of this machine for whoever asks, whatever a name server says (open mode). */
bool px_origin_host_is_loopback(const char *host);

#endif
