/* SPDX-License-Identifier: MIT */
/*
 * The header lines of a request for which libwebsockets has no token of its own, all of them and
 * in their order. What it has a token for is read with lws_hdr_copy().
 *
 * lws can be asked for such a line by its name only, and then shows the first of that name: where
 * a proxy adds its line behind the client's, that is the client's. And a line whose name is the
 * beginning of a name that lws knows ("Vi: x"), or that has no colon, takes the next one into its
 * name (4.1.6, 4.3.5), so that a client could hide the line that a proxy puts behind its own. So
 * the lines are read where lws stored them, and a request with such a line is refused.
 *
 * Rejected: a parser of our own for the head, for which the bytes would have to be had before lws
 * has them, TLS or not; lws_hdr_custom_name_foreach(), which 4.1.6 has not, and which tells no
 * values.
 */
#ifndef PX_HEAD_H
#define PX_HEAD_H

#include <libwebsockets.h>
#include <praxis/types.h>
#include <stdbool.h>

/*
 * The name in lower case, without its colon; the value as it came. Both are lws's, and end with
 * the request. `within` is what lws's callback got (the path, or the header Upgrade). -EPROTO: the
 * head cannot be read, whatever was told of it before.
 */
int px_head_walk(struct lws *wsi, const void *within,
		void (*on_line)(void *user, struct px_span name, struct px_span value), void *user);

/* Whether there is such a line, be it empty. */
bool px_head_has(struct lws *wsi, enum lws_token_indexes token);

#endif
