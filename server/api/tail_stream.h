/* SPDX-License-Identifier: MIT */
/*
 * Onlookers: requests whose answer goes on, a line of JSON for each message of a practice
 * (POST /api/v1/tail). Each has a buffer of a fixed size; what an onlooker is too slow for is left
 * out, and counted in its stream. Who takes nothing at all is cut off.
 */
#ifndef PX_ONLOOKER_H
#define PX_ONLOOKER_H

#include "server.h"
#include "net/peer.h"

#include <praxis/tail.h>

/* Lines that wait for one of them, bytes. */
#define PX_ONLOOKER_BYTES 65536

/*
 * From now on the connection is an onlooker's, which is its request's: behind the head, which is yours
 * to write, lines follow until it ends. `expires_ms`: of its token, since 1970; 0: never. 0; -1: denied.
 */
int px_onlooker_begin(struct px_peer *peer, struct lws *wsi, const struct px_operator *operator,
		const struct px_tail_wish *wish, int64_t expires_ms,
		struct px_onlooker **ret_onlooker, struct px_denial *ret_denial);

/* The connection is gone, and with it its request. NULL is fine. */
void px_onlooker_drop(struct px_onlooker *onlooker);

#endif
