/* SPDX-License-Identifier: MIT */
/* X-Forwarded-For, taken out of lws. */
#include "server.h"

#include <stdlib.h>

void px_peer_read_forwarded(struct px_peer *peer, struct lws *wsi)
{
	/* Bounded by what lws takes of headers; the end is what counts, so none of it is cut off. */
	int len = lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR);
	char *list = len > 0 ? malloc((size_t)len + 1) : NULL;
	if (list && lws_hdr_copy(wsi, list, len + 1, WSI_TOKEN_X_FORWARDED_FOR) > 0) {
		px_address_behind(peer->vhost->config, list, &peer->address);
	}
	free(list);
}
