/* SPDX-License-Identifier: MIT */
/*
 * See session_events.h. First connections are counted, then the audit log records the event and may
 * refuse it; what it accepted is reported to webhooks.
 */
#include "session_events.h"
#include "audit/audit_events.h"
#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"
#include "net/peer.h"
#include "webhook/webhook.h"

#include <errno.h>

static struct px_peer *peer_of(void *conn)
{
	return conn ? lws_get_opaque_user_data(px_lws_wsi(conn)) : NULL;
}

/*
 * Maintains the number of unauthenticated sessions, which is limited. Returns whether the session
 * was one of them until now.
 */
static bool count_unauthenticated(const struct px_event *event)
{
	struct px_peer *peer = peer_of(px_session_conn(event->session));
	bool was_unauthenticated = peer && peer->unauthenticated;
	if (peer && (event->kind == PX_EVENT_CONNECTED || event->kind == PX_EVENT_AUTHENTICATED)) {
		px_peer_set_unauthenticated(peer, px_session_role(event->session) == 0);
	}
	return was_unauthenticated;
}

/*
 * An authenticated client has a rate of acts, and is refused beyond it. An unauthenticated one is
 * only known by its address, which a whole practice may share: it is accepted, and beyond the
 * address' rate its events are counted instead of recorded one by one.
 */
static bool is_counted(const struct px_event *event)
{
	if ((event->kind != PX_EVENT_CONNECTED && event->kind != PX_EVENT_DISCONNECTED) ||
			px_session_authenticated(event->session)) {
		return false;
	}
	struct px_peer *peer = peer_of(px_session_conn(event->session));
	return peer && px_peer_take_session(peer) > 0;
}

/* The session goes on with that connection, which counts in its old one's place. -errno: no. */
static int change_connection(const struct px_session *session, void *conn)
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
		rc = px_peer_keep_user(peer, px_session_tenant(session),
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

int px_session_events_note(void *user, const struct px_event *event)
{
	struct px_server *server = user;
	if (server->handed_on) {
		return 0; /* its end is not the session's */
	}
	if (event->kind == PX_EVENT_ADMINISTERED) {
		return px_audit_events_record(server, event);
	}
	bool was_unauthenticated = count_unauthenticated(event);
	if (event->kind == PX_EVENT_RESUMED) {
		int rc = change_connection(event->session, event->conn);
		if (rc < 0) {
			return rc;
		}
	}
	if (event->kind == PX_EVENT_DETACHED) {
		px_user_hold(server, event->session,
				peer_of(event->conn));
	} else if (event->kind == PX_EVENT_DISCONNECTED) {
		px_user_release(server, event->session, NULL);
	}
	int rc = is_counted(event) ? px_audit_events_count(server, event) :
			px_audit_events_record(server, event);
	if (rc == 0) {
		px_webhooks_event(event, was_unauthenticated);
	}
	return rc;
}
