/* SPDX-License-Identifier: MIT */
/*
 * The hooks of connections and of libwebsockets, implemented with the areas that answer. All calls
 * up are in this place: net/ and http/ know none of these areas.
 */
#include "router.h"
#include "api/api.h"
#include "auth/auth_url.h"
#include "core/clock.h"
#include "core/peer.h"
#include "frontend/frontend.h"
#include "http/http.h"
#include "net/peer.h"
#include "request.h"
#include "upgrade.h"

static void released(struct px_peer *peer)
{
	px_request_drop(peer);
	px_frontend_released(peer->frontend);
}

static void drop(struct px_peer *peer)
{
	px_auth_request_drop(peer);
	px_request_drop(peer);
}

/* "GET, HEAD" also for paths that do not exist. */
static const char *allow(const char *path)
{
	return px_api_concerns(path) ? px_api_allow(path) : "GET, HEAD";
}

const struct px_hooks px_router_hooks = {
	.begin = px_frontend_begin,
	.released = released,
	.drop = drop,
	.allow = allow,
};

static void on_begin_turn(void *user)
{
	px_server_begin_turn(user);
}

/*
 * lws 4.1.6 also calls this for a request that it refused itself, without its header. After a
 * refusal the connection ends, as the answer says: lws would take what follows for another request.
 */
static int on_upgrade(void *user, struct lws *wsi, const void *header)
{
	int rc = lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0 ? -1 :
			px_precheck_pass(wsi, header);
	rc = rc != 0 ? rc : px_upgrade_decide(user, wsi);
	return rc == 0 ? 0 : -1;
}

static int on_http(void *user, struct lws *wsi, const char *path)
{
	return px_precheck_pass(wsi, path) != 0 ? -1 : px_router_request(user, wsi, path);
}

const struct px_lws_hooks px_router_lws_hooks = {
	.begin_turn = on_begin_turn,
	.over_budget = px_server_over_budget,
	.upgrade = on_upgrade,
	.accept = px_upgrade_accept,
	.opened = px_upgrade_opened,
	.http = on_http,
	.http_writable = px_api_writable,
	.http_done = px_http_done,
	.http_body = px_api_body,
	.http_body_end = px_api_end,
	.gone = px_peer_gone,
};
