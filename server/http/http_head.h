/* SPDX-License-Identifier: MIT */
/*
 * The head of an HTTP/1.x request, parsed as strictly as RFC 9112 permits: a request that two
 * readers could read differently is refused. No sockets here: the input is untrusted, and all of it
 * runs in a test and in a fuzzer.
 */
#ifndef PX_HTTP_HEAD_H
#define PX_HTTP_HEAD_H

#include <praxis/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Maximum length, including the empty line. */
#define PX_HTTP_HEAD_MAX 16384

/* libwebsockets has about 90 slots for known fields and parameters, together. */
#define PX_HTTP_FIELDS_MAX 64
#define PX_HTTP_PARAMETERS_MAX 16

/* px_http_head_write() omits or rewrites hop-by-hop fields. */
struct px_http_head {
	size_t len; /* in bytes; the body begins there */
	struct px_span method;
	struct px_span authority; /* of a target in absolute form; data NULL: none */
	struct px_span path;      /* normalized, still percent-encoded */
	struct px_span query;     /* without the "?"; data NULL: none */
	struct px_span fields;    /* the lines after the first */
	uint64_t content_length;  /* 0: no body */
	bool is_10;               /* HTTP/1.0 */
	bool is_head;             /* HEAD: its answer has no body */
	bool closes;              /* no other request follows */
	bool upgrades;            /* to a WebSocket … */
	bool offers_more; /* … or to something else: libwebsockets accepts only a single offer */
};

/* Why it was refused. */
struct px_http_fault {
	int status;
	const char *code;     /* as in docs/protocol.md */
	const char *sentence;
	const char *reason; /* why it is unavailable, a word; NULL: none */
};

/*
 * 0; -EAGAIN: it may be an incomplete head; -EPROTO: it is refused, *ret_fault says why, and
 * ret_head->path is set if it was read.
 */
int px_http_head_parse(const char *bytes, size_t len, struct px_http_head *ret_head,
		struct px_http_fault *ret_fault);

/*
 * Writes a head for the same request, in origin form, without hop-by-hop fields except those of an
 * upgrade to a WebSocket, which is then the only offer. Returns its length; 0: it does not fit into
 * `size`, which cannot happen with PX_HTTP_HEAD_MAX + 64.
 */
size_t px_http_head_write(const struct px_http_head *head, char *buf, size_t size);

#endif
