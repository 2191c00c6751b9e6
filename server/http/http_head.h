/* SPDX-License-Identifier: MIT */
/*
 * The head of an HTTP/1.x request, read as strictly as RFC 9112 allows: a request that two readers
 * could read differently is refused. No sockets here: these are a stranger's bytes, and all of it
 * runs in a test and in a fuzzer.
 */
#ifndef PX_HTTP_HEAD_H
#define PX_HTTP_HEAD_H

#include <praxis/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No head is longer, its empty line included. */
#define PX_HTTP_HEAD_MAX 16384

/* libwebsockets has about 90 places for fields that it knows and for parameters, together. */
#define PX_HTTP_FIELDS_MAX 64
#define PX_HTTP_PARAMETERS_MAX 16

/* What of it is for one hop alone, or made anew, is left out by px_http_head_write(). */
struct px_http_head {
	size_t len; /* in bytes; the body begins there */
	struct px_span method;
	struct px_span authority; /* of a target in absolute form; data NULL: none */
	struct px_span path;      /* in its normal form, still percent-encoded */
	struct px_span query;     /* without the "?"; data NULL: none */
	struct px_span fields;    /* the lines behind the first */
	uint64_t content_length;  /* 0: no body */
	bool is_10;               /* HTTP/1.0 */
	bool is_head;             /* HEAD: its answer has no body */
	bool closes;              /* no other request follows */
	bool upgrades;            /* to a WebSocket … */
	bool offers_more; /* … or to something else: libwebsockets wants it to be the one offer */
};

/* Why it is refused. */
struct px_http_fault {
	int status;
	const char *code;     /* as in docs/protocol.md */
	const char *sentence;
	const char *reason; /* why it is unavailable, a word; NULL: not said */
};

/*
 * 0; -EAGAIN: so far it can be a head that is not yet complete; -EPROTO: it is none that is taken,
 * *ret_fault says why, and of *ret_head the path is set where it was read.
 */
int px_http_head_parse(const char *bytes, size_t len, struct px_http_head *ret_head,
		struct px_http_fault *ret_fault);

/*
 * Writes a head that asks for the same, in origin form, without fields that concern the connection
 * alone, but for those of an upgrade to a WebSocket, which is then all that it offers. Its length;
 * 0: it does not fit into `size`, which never happens with PX_HTTP_HEAD_MAX + 64.
 */
size_t px_http_head_write(const struct px_http_head *head, char *buf, size_t size);

#endif
