/* SPDX-License-Identifier: MIT */
/*
 * Onlookers: requests whose answer goes on, a line of JSON for each message of a practice
 * (POST /api/v1/tail). Each has a buffer of a fixed size; what an onlooker is too slow for is left
 * out, and counted in its stream. Who takes nothing at all is cut off.
 */
#ifndef PX_TAIL_STREAM_H
#define PX_TAIL_STREAM_H

#include "core/peer.h"
#include "core/server.h"

#include <praxis/host/message_tap.h>

/* Lines that wait for one of them, bytes. */
#define PX_TAIL_STREAM_BYTES 65536

/*
 * From now on the connection is an onlooker's, which is its request's: behind the head, which is
 * yours to write, lines follow until it ends. `expires_ms`: of its token, since 1970; 0: never. 0;
 * -1: denied.
 */
int px_tail_stream_begin(struct px_peer *peer, struct lws *wsi, const struct px_operator *operator,
		const struct px_message_tap_filter *wish, int64_t expires_ms,
		struct px_tail_stream **ret_stream, struct px_error_detail *ret_detail);

/* The connection takes more: what waits goes out. 0; -1: the stream is over. */
int px_tail_stream_write(struct px_tail_stream *stream);

/* The connection is gone, and with it its request. NULL is fine. */
void px_tail_stream_drop(struct px_tail_stream *stream);

#endif
