/* SPDX-License-Identifier: MIT */
/*
 * TCP connections, counted in total, by address and by user, from accept() until they end.
 */
#include "core/server.h"
#include "address/address_group.h"
#include "core/counters.h"
#include "core/hooks.h"
#include "core/vhost.h"
#include "limiter.h"
#include "peer.h"
#include "resume_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int64_t now_of(const struct px_server *server)
{
	return (int64_t)uv_now(&server->loop);
}

/* Descriptors besides connections: the loop's, listening sockets, the audit log, curl's. */
#define SPARE_DESCRIPTORS 24

bool px_has_descriptors(const struct px_server *server)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && server->connections +
			2 * (server->relays + 1) + server->plugin_count + SPARE_DESCRIPTORS <=
			limit.rlim_cur;
}

struct in6_addr px_peer_address_group(const struct px_peer *peer)
{
	return px_address_group(&peer->address,
			peer->vhost->server->config->global.address_prefix);
}

struct px_limiter_entry *px_peer_address_entry(struct px_peer *peer)
{
	struct px_server *server = peer->vhost->server;
	struct in6_addr group = px_peer_address_group(peer);
	return px_limiter_get(server->addresses, &group, sizeof(group), now_of(server));
}

/*
 * Whether a session of that user is detached and will get this connection: it is counted already.
 */
static bool is_awaited(const struct px_peer *peer, struct px_span tenant, struct px_span user)
{
	struct px_session_params params = {
		.realm = &peer->vhost->realm,
		.service = peer->service,
		.versioned = peer->versioned,
	};
	px_resume_query_params(peer, &params);
	return px_broker_awaits(peer->vhost->server->broker, &params, tenant, user);
}

/* Whether it takes over a connection that is counted there, so that the number stays the same. */
static bool takes_place(struct px_peer *peer, const struct px_limiter_entry *address,
		const struct px_limiter_entry *user)
{
	struct px_peer *old;
	return px_resume_query_is_good(peer, &old) && old &&
			((address && old->address_entry == address) ||
			(user && old->user_entry == user));
}

/*
 * Behind a proxy, requests on one connection may come from different clients; the one that becomes
 * a WebSocket counts.
 */
int px_peer_count_address(struct px_peer *peer, int64_t *ret_wait_ms)
{
	struct px_server *server = peer->vhost->server;
	const struct px_config_global *limits = &server->config->global;
	*ret_wait_ms = 0;
	if (peer->address_entry) {
		return 0;
	}
	struct px_limiter_entry *entry = px_peer_address_entry(peer);
	if (!entry) {
		return -ENOSPC;
	}
	uint32_t most = limits->max_connections_per_address;
	uint32_t per_s = limits->connections_per_second_per_address;
	if (most > 0 && entry->open >= most && !takes_place(peer, entry, NULL)) {
		server->limits[PX_LIMIT_PER_ADDRESS]++;
		return -EMFILE;
	}
	*ret_wait_ms = px_bucket_take(&entry->coming, per_s, 2 * per_s, 1, now_of(server));
	if (*ret_wait_ms > 0) {
		server->limits[PX_LIMIT_ADDRESS_RATE]++;
		return -EAGAIN;
	}
	px_limiter_hold(server->addresses, entry);
	peer->address_entry = entry;
	return 0;
}

int64_t px_peer_take_request(struct px_peer *peer)
{
	struct px_server *server = peer->vhost->server;
	uint32_t per_s = server->config->global.requests_per_second_per_address;
	struct px_limiter_entry *entry = px_peer_address_entry(peer);
	/* A trusted proxy's own requests are health checks. */
	if (!entry || px_config_is_trusted_proxy(peer->vhost->config, &peer->address)) {
		return 0;
	}
	int64_t wait_ms = px_bucket_take(&entry->requests, per_s, 2 * per_s, 1, now_of(server));
	server->limits[PX_LIMIT_REQUESTS] += wait_ms > 0;
	return wait_ms;
}

static void forget(struct px_limiter *limiter, struct px_limiter_entry **entry)
{
	if (*entry) {
		px_limiter_release(limiter, *entry);
		*entry = NULL;
	}
}

static size_t make_key(struct px_span tenant, struct px_span user, char key[2 * PX_ID_MAX + 1])
{
	memcpy(key, tenant.data, tenant.len);
	key[tenant.len] = '\0';
	if (user.len > 0) {
		memcpy(key + tenant.len + 1, user.data, user.len);
	}
	return tenant.len + 1 + user.len;
}

struct px_limiter_entry *px_user_entry(struct px_server *server, struct px_span tenant,
		struct px_span user)
{
	char key[2 * PX_ID_MAX + 1];
	size_t len = make_key(tenant, user, key);
	return px_limiter_get(server->users, key, len, now_of(server));
}

/* ---- sessions without a connection ---- */

void px_user_hold(struct px_server *server, const struct px_session *session,
		struct px_peer *peer)
{
	struct px_limiter_entry *entry = peer ? peer->user_entry : NULL;
	if (entry) {
		peer->user_entry = NULL; /* from the connection to the session */
	} else if (px_session_authenticated(session)) {
		entry = px_user_entry(server, px_session_tenant(session),
				px_session_user(session).text);
		if (entry) {
			px_limiter_hold(server->users, entry);
		}
	}
	px_session_hold(session, entry != NULL);
}

void px_user_release(struct px_server *server, const struct px_session *session,
		struct px_peer *peer)
{
	char key[2 * PX_ID_MAX + 1];
	if (!px_session_is_held(session)) {
		return;
	}
	size_t len = make_key(px_session_tenant(session), px_session_user(session).text, key);
	struct px_limiter_entry *entry = px_limiter_find(server->users, key, len);
	px_session_hold(session, false);
	if (entry && peer && !peer->user_entry) {
		peer->user_entry = entry;
	} else if (entry) {
		px_limiter_release(server->users, entry);
	}
}

/* ---- */

static int64_t take_session(struct px_server *server, struct px_limiter_entry *entry)
{
	const struct px_config_global *limits = &server->config->global;
	return px_bucket_take(&entry->sessions, limits->acts_per_second, limits->acts_burst, 1,
			now_of(server));
}

int64_t px_user_take_session(struct px_server *server, struct px_span tenant,
		struct px_span user)
{
	struct px_limiter_entry *entry = px_user_entry(server, tenant, user);
	int64_t wait_ms = entry ? take_session(server, entry) : 0;
	server->sessions_limited += wait_ms > 0;
	return wait_ms;
}

int64_t px_peer_take_session(struct px_peer *peer)
{
	struct px_limiter_entry *entry = px_peer_address_entry(peer);
	return entry ? take_session(peer->vhost->server, entry) : 0;
}

int px_peer_count_user(struct px_peer *peer, struct px_span tenant, struct px_span user,
		int64_t *ret_wait_ms)
{
	bool begins = !peer->user_entry;
	int rc = px_peer_keep_user(peer, tenant, user);
	*ret_wait_ms = rc == 0 && begins ?
			px_user_take_session(peer->vhost->server, tenant, user) : 0;
	if (*ret_wait_ms > 0) {
		forget(peer->vhost->server->users, &peer->user_entry);
		return -EAGAIN;
	}
	return rc;
}

/* Counts a connection of the user of an identity that the connection is about to get. -EMFILE. */
int px_peer_keep_user(struct px_peer *peer, struct px_span tenant, struct px_span user)
{
	struct px_server *server = peer->vhost->server;
	uint32_t most = server->config->global.max_connections_per_user;
	struct px_limiter_entry *entry = px_user_entry(server, tenant, user);
	if (!entry) {
		return -ENOSPC;
	}
	if (peer->user_entry) {
		return 0; /* a session that renews its token keeps its user, or is refused */
	}
	if (most > 0 && entry->open >= most && !takes_place(peer, NULL, entry) &&
			!is_awaited(peer, tenant, user)) {
		server->limits[PX_LIMIT_PER_USER]++;
		return -EMFILE;
	}
	px_limiter_hold(server->users, entry);
	peer->user_entry = entry;
	return 0;
}

void px_peer_uncount(struct px_peer *peer)
{
	struct px_server *server = peer->vhost->server;
	forget(server->addresses, &peer->address_entry);
	forget(server->users, &peer->user_entry);
}

void px_peer_set_unauthenticated(struct px_peer *peer, bool unauthenticated)
{
	if (peer->unauthenticated != unauthenticated) {
		peer->unauthenticated = unauthenticated;
		peer->vhost->server->unauthenticated_count += unauthenticated ? 1 : -1;
	}
}

void px_peer_session_params(struct px_peer *peer, struct px_session_params *ret_params)
{
	ret_params->realm = &peer->vhost->realm;
	ret_params->identity = peer->identity;
	ret_params->service = peer->service;
	ret_params->versioned = peer->versioned;
	ret_params->verdict = peer->verdict;
	ret_params->sentence = peer->sentence;
	ret_params->retry_after_ms = peer->retry_after_ms;
	px_resume_query_params(peer, ret_params);
	peer->identity = NULL;
}

struct px_peer *px_peer_create(struct px_vhost *vhost, const struct in6_addr *address)
{
	struct px_peer *peer = calloc(1, sizeof(*peer));
	if (peer) {
		peer->vhost = vhost;
		peer->holders = 1;
		peer->own_address = *address;
		peer->address = *address;
		vhost->server->connections++;
		vhost->peers++;
	}
	return peer;
}

void px_peer_ref(struct px_peer *peer)
{
	peer->holders++;
}

void px_peer_destroy(struct px_peer *peer)
{
	struct px_server *server = peer->vhost->server;
	if (--peer->holders > 0) {
		return;
	}
	px_peer_set_unauthenticated(peer, false);
	server->hooks->drop(peer);
	px_resume_query_drop(peer);
	px_identity_destroy(server->broker, peer->identity);
	px_peer_uncount(peer);
	server->connections--;
	peer->vhost->peers--;
	free(peer);
}

void px_peer_gone(void *user, struct lws *wsi)
{
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	(void)user;
	if (peer) {
		lws_set_opaque_user_data(wsi, NULL);
		if (peer->frontend) {
			peer->vhost->server->hooks->released(peer);
		}
		px_peer_destroy(peer);
	}
}
