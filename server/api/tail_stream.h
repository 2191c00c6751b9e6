/* SPDX-License-Identifier: MIT */
/*
 * Tail streams: requests with a streaming answer, one line of JSON for each message of a practice
 * (POST /api/v1/tail). Each has a buffer of a fixed size; if the client is too slow, lines are
 * omitted and counted in the stream. A client that takes nothing at all is cut off.
 */
#ifndef PX_TAIL_STREAM_H
#define PX_TAIL_STREAM_H

#include "core/peer.h"
#include "core/server.h"

#include <praxis/host/message_tap.h>

/* Bytes of waiting lines of one stream. */
#define PX_TAIL_STREAM_BYTES 65536

/*
 * Makes the connection a tail stream, which belongs to its request. The caller writes the head;
 * lines follow until the stream ends. `expires_ms`: of the token, since 1970; 0: never. 0; -1:
 * denied.
 */
int px_tail_stream_begin(struct px_peer *peer, struct lws *wsi, const struct px_operator *operator,
		const struct px_message_tap_filter *wish, int64_t expires_ms,
		struct px_tail_stream **ret_stream, struct px_error_detail *ret_detail);

/* The connection takes more: what waits goes out. 0; -1: the stream is over. */
int px_tail_stream_write(struct px_tail_stream *stream);

/* The connection is gone, and its request with it. NULL is permitted. */
void px_tail_stream_drop(struct px_tail_stream *stream);

#endif
