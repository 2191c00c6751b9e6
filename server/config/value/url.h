/* SPDX-License-Identifier: MIT */
/*
 * The beginning of a URL (RFC 3986, and the URL Standard of WHATWG): scheme, host and port, as they
 * stand in the configuration, in Origin and in Host, and what makes two of them the same
 * (RFC 6454). Names with other than ASCII letters must be given in Punycode, as browsers send
 * them. Rejected: lws_parse_uri(), which takes almost anything for a host.
 */
#ifndef PX_URL_H
#define PX_URL_H

#include <stdbool.h>
#include <stdint.h>

#define PX_URL_HOST_MAX 253

struct px_url {
	bool is_https;
	bool wildcard;                  /* "*." stood before the host */
	char host[PX_URL_HOST_MAX + 1]; /* lower case; IPv6 in brackets, in its short form */
	uint16_t port;                  /* 0: the scheme's own */
	const char *rest;               /* of the text: path, query … */
};

/* "https://host:port…". False: it is none. */
bool px_url_parse(const char *text, struct px_url *ret_url);

/* "host:port" and nothing more, as of that scheme. */
bool px_url_parse_host(const char *text, bool is_https, struct px_url *ret_url);

/* Scheme, host and port are the same. */
bool px_url_same_origin(const struct px_url *a, const struct px_url *b);

/* localhost or a name below it (RFC 6761), 127.0.0.0/8, ::1. */
bool px_url_is_loopback(const struct px_url *url);

#endif
