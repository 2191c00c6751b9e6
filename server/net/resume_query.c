/* SPDX-License-Identifier: MIT */
/*
 * A client that comes back to its session (docs/protocol.md, section 6): what its query says,
 * and what becomes of the counts of connections when a session changes from one to another.
 */
#include "core/server.h"
#include "auth/open_mode.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "peer.h"
#include "router/upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 64

struct px_resume_query {
	int64_t received; /* -1: none that makes sense */
	size_t token_len;
	char token[TOKEN_MAX];
};

void px_resume_query_drop(struct px_peer *peer)
{
	if (peer->resume_query) {
		explicit_bzero(peer->resume_query, sizeof(*peer->resume_query));
		free(peer->resume_query);
		peer->resume_query = NULL;
	}
}

static int64_t read_count(struct px_span text)
{
	int64_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') {
			return -1;
		}
		count = count * 10 + (text.data[i] - '0');
	}
	return text.len > 0 ? count : -1;
}

/* A token of another length than ours is none: what counts is that one was brought. */
int px_resume_query_read(struct px_peer *peer, struct lws *wsi)
{
	char token[TOKEN_MAX + 1];
	char count[18];
	struct px_span value;
	px_resume_query_drop(peer);
	int rc = peer->versioned ? px_query_parameter(wsi, "resume", token, sizeof(token), &value) : 0;
	if (!peer->versioned || (rc == 0 && value.len == 0)) {
		return 0;
	}
	peer->resume_query = calloc(1, sizeof(*peer->resume_query));
	if (!peer->resume_query) {
		return -ENOMEM;
	}
	peer->resume_query->token_len = rc == 0 ? value.len : 1;
	memcpy(peer->resume_query->token, rc == 0 ? value.data : "?",
			peer->resume_query->token_len);
	explicit_bzero(token, sizeof(token));
	peer->resume_query->received = px_query_parameter(wsi, "received", count, sizeof(count),
			&value) == 0 ? read_count(value) : -1;
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

bool px_resume_query_is_good(struct px_peer *peer, struct px_peer **ret_old)
{
	void *conn;
	if (!peer->resume_query ||
			!px_broker_resumable(peer->vhost->server->broker, &peer->vhost->realm,
					token_of(peer->resume_query), peer->resume_query->received,
					&conn)) {
		return false;
	}
	*ret_old = peer_of(conn);
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

int px_resume_query_done(const struct px_session *session, void *conn)
{
	struct px_peer *peer = peer_of(conn);
	struct px_peer *old = peer_of(px_session_conn(session));
	int rc = 0;
	if (!peer) {
		return -EINVAL;
	}
	if (old && !peer->user_entry) {
		peer->user_entry = old->user_entry;
		old->user_entry = NULL;
	}
	px_user_release(peer->vhost->server, session, peer);
	if (!peer->user_entry && px_session_authenticated(session)) {
		rc = px_peer_count_user(peer, px_session_tenant(session),
				px_session_user(session).text);
	}
	if (rc < 0) {
		return rc;
	}
	if (old) {
		px_peer_uncount(old);
	}
	px_peer_set_unauthenticated(peer, false);
	return 0;
}
