/* SPDX-License-Identifier: MIT */
/*
 * Disconnecting sessions that the current configuration does not permit: all sessions of a retiring
 * vhost, and of a changed one those that could not connect again in the same way. Each is told when
 * to return (server_draining), and closed with 1012 within drain-ms.
 *
 * A retiring vhost keeps its configuration, which it holds, until nothing refers to it: no
 * connection, and no session, including detached ones.
 */
#include "core/server.h"
#include "auth/authenticator.h"
#include "base/log.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/listeners.h"
#include "net/tls.h"
#include "vhost.h"

#include <praxis/host/adapter.h>
#include <praxis/host/drain.h>
#include <praxis/host/session.h>
#include <praxis/session.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SWEEP_MS 100

void px_vhost_destroy(struct px_vhost *vhost)
{
	if (vhost) {
		px_tls_release(vhost->tls);
		px_authenticator_destroy(vhost->authenticator);
		px_config_destroy(vhost->kept);
		free(vhost->disabled);
		free(vhost);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	struct px_vhost **link = &server->retired;
	while (*link) {
		struct px_vhost *vhost = *link;
		if (vhost->peers > 0 || vhost->realm.sessions > 0) {
			link = &vhost->next_retired;
			continue;
		}
		*link = vhost->next_retired;
		px_log(PX_LOG_NOTICE, "vhost %s: the last session of the replaced vhost is gone",
				vhost->config->name);
		px_vhost_destroy(vhost);
	}
	if (!server->retired) {
		uv_timer_stop(timer);
	}
}

void px_vhost_retire(struct px_vhost *vhost, struct px_config *config)
{
	struct px_server *server = vhost->server;
	vhost->kept = px_config_share(config);
	vhost->is_retired = true;
	vhost->realm.retired = true;
	vhost->next_retired = server->retired;
	server->retired = vhost;
	px_log(PX_LOG_NOTICE, "vhost %s: closing its %llu sessions within %lld ms",
			vhost->config->name, (unsigned long long)vhost->realm.sessions,
			(long long)server->config->global.drain_ms);
	px_broker_drain_realm(server->broker, &vhost->realm, NULL, NULL,
			server->config->global.drain_ms);
	uv_timer_start(&server->sweep_timer, on_sweep, SWEEP_MS, SWEEP_MS);
}

/*
 * Whether it connected to an address on which its vhost still listens, with the TLS that is
 * required.
 */
static bool fits(const struct px_vhost *vhost, const struct px_session *session)
{
	struct sockaddr_storage local;
	socklen_t length = sizeof(local);
	void *conn = px_session_conn(session);
	if (!conn) {
		return true; /* it has no connection, and must connect anyway */
	}
	const struct px_peer *peer = lws_get_opaque_user_data(px_lws_wsi(conn));
	if (!peer || px_tls_fault(vhost, peer)) {
		return false;
	}
	return getsockname(peer->fd, (struct sockaddr *)&local, &length) < 0 ||
			px_vhost_listens_on(vhost, &local);
}

static bool is_misfit(void *user, const struct px_session *session)
{
	return !fits(user, session);
}

void px_vhosts_drain_misfits(struct px_server *server)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		struct px_vhost *vhost = server->vhosts[i];
		if (vhost->tightened) {
			vhost->tightened = false;
			px_broker_drain_realm(server->broker, &vhost->realm, is_misfit, vhost,
					server->config->global.drain_ms);
		}
	}
}

void px_retired_destroy(struct px_server *server)
{
	while (server->retired) {
		struct px_vhost *vhost = server->retired;
		server->retired = vhost->next_retired;
		px_vhost_destroy(vhost);
	}
}
