/* SPDX-License-Identifier: MIT */
/*
 * The header lines of a request for which libwebsockets has no token, all of them, in order. Those
 * with a token are read with lws_hdr_copy().
 *
 * lws finds such a line only by name, and returns the first one with that name: if a proxy appends
 * its line after the client's, that is the client's. And a line whose name is the beginning of a
 * name that lws knows ("Vi: x"), or that has no colon, swallows the next one (4.1.6, 4.3.5), so
 * that a client could hide the line that a proxy adds. So the lines are read from lws's memory, and
 * a request with such a line is refused.
 *
 * Rejected: a parser of the head, which would need the bytes before lws has them, even over TLS;
 * lws_hdr_custom_name_foreach(), which 4.1.6 lacks, and which returns no values.
 */
#ifndef PX_HEAD_H
#define PX_HEAD_H

#include <libwebsockets.h>
#include <praxis/types.h>
#include <stdbool.h>

/*
 * The name in lower case, without its colon; the value unchanged. Both are lws's, and valid until
 * the request ends. `within` is what lws's callback got (the path, or the header Upgrade). -EPROTO:
 * the header is invalid; ignore earlier calls.
 */
int px_head_walk(struct lws *wsi, const void *within,
		void (*on_line)(void *user, struct px_span name, struct px_span value), void *user);

/* Whether there is such a line, even an empty one. */
bool px_head_has(struct lws *wsi, enum lws_token_indexes token);

#endif
