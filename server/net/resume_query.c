/* SPDX-License-Identifier: MIT */
/*
 * A client that comes back to its session (docs/protocol.md, section 6): what it brings for that.
 */
#include "core/server.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "resume_query.h"

#include <praxis/host/adapter.h>
#include <praxis/host/session.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct px_resume_query {
	int64_t received; /* -1: none, or invalid */
	size_t token_len;
	char token[PX_RESUME_TOKEN_MAX];
};

void px_resume_query_drop(struct px_peer *peer)
{
	if (peer->resume_query) {
		explicit_bzero(peer->resume_query, sizeof(*peer->resume_query));
		free(peer->resume_query);
		peer->resume_query = NULL;
	}
}

int px_resume_query_set(struct px_peer *peer, struct px_span token, int64_t received)
{
	struct px_resume_query *query = calloc(1, sizeof(*query));
	if (!query) {
		return -ENOMEM;
	}
	query->received = received;
	query->token_len = token.len < PX_RESUME_TOKEN_MAX ? token.len : PX_RESUME_TOKEN_MAX;
	memcpy(query->token, token.data, query->token_len);
	px_resume_query_drop(peer);
	peer->resume_query = query;
	return 0;
}

static struct px_peer *peer_of(void *conn)
{
	return conn ? lws_get_opaque_user_data(px_lws_wsi(conn)) : NULL;
}

static struct px_span token_of(const struct px_resume_query *resume_query)
{
	return (struct px_span){ resume_query->token, resume_query->token_len };
}

const struct px_session *px_resume_query_session(const struct px_peer *peer)
{
	return peer->resume_query ? px_broker_resumable(peer->vhost->server->broker,
			&peer->vhost->realm, token_of(peer->resume_query),
			peer->resume_query->received) : NULL;
}

bool px_resume_query_is_good(struct px_peer *peer, struct px_peer **ret_old)
{
	const struct px_session *session = px_resume_query_session(peer);
	if (!session) {
		return false;
	}
	*ret_old = peer_of(px_session_conn(session));
	return true;
}

void px_resume_query_params(const struct px_peer *peer, struct px_session_params *params)
{
	params->received = -1;
	if (peer->resume_query) {
		params->resume = token_of(peer->resume_query);
		params->received = peer->resume_query->received;
	}
}
