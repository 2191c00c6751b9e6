/* SPDX-License-Identifier: MIT */
/*
 * Plain HTTP requests: health, readiness, statistics, static files, the API, and why an upgrade
 * would be refused. A row of ifs instead of a table, since each path has its own access rule.
 */
#include "request.h"
#include "access/origin.h"
#include "address/address.h"
#include "api/api.h"
#include "auth/open_mode.h"
#include "core/answers.h"
#include "core/clock.h"
#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"
#include "files/files.h"
#include "http/http.h"
#include "metrics/metrics.h"
#include "metrics/prometheus.h"
#include "metrics/readiness.h"
#include "net/peer.h"
#include "upgrade.h"

#include <string.h>

/* An error ends the connection: the rest of the request is not read. */
static int fail(struct lws *wsi, int status, const char *code, const char *sentence)
{
	px_http_refuse(wsi, status, code, sentence);
	return -1;
}

/*
 * A request that is not an upgrade, at the path of upgrades. A page cannot read why an upgrade was
 * refused, so it asks here, with POST: then browsers send Origin even for pages of the same server.
 * (Rejected: accepting refused origins to tell them. Then any page gets a connection.)
 */
static int answer_why_not(const struct px_peer *peer, struct lws *wsi)
{
	bool reads = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0 ||
			lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
	const char *fault = px_upgrade_page_fault(peer, wsi);
	struct px_http_refusal refusal = {
		.status = 405,
		.code = "bad_request",
		.sentence = "Only GET and HEAD are supported here.",
		.for_any_page = true,
	};
	if (peer->vhost->server->draining) {
		refusal.status = 503;
		refusal.code = "unavailable";
		refusal.sentence = "The server is shutting down.";
		refusal.wait_ms = px_server_ends_in_ms(peer->vhost->server);
	} else if (fault) {
		refusal.status = 403;
		refusal.code = "origin";
		refusal.sentence = fault;
	} else if (reads) {
		refusal.status = 426;
		refusal.sentence = "This path accepts WebSocket connections only.";
	}
	(void)px_http_refuse_as(wsi, &refusal);
	return -1;
}

static int answer_statistics(struct px_server *server, struct lws *wsi)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_stats_write(server, &json);
	px_json_end(&json);
	int rc = json.failed ? -1 : px_http_answer(wsi, 200, "application/json",
			(struct px_span){ json.data, json.len });
	px_json_finish(&json);
	return rc;
}

static int answer_metrics(struct px_server *server, struct lws *wsi)
{
	struct px_prometheus out = { 0 };
	px_metrics_write(server, &out);
	int rc = out.failed ? -1 : px_http_answer(wsi, 200, "text/plain; version=0.0.4; charset=utf-8",
			(struct px_span){ out.text, out.len });
	px_prometheus_finish(&out);
	return rc;
}

/* A page of another site whose name now resolves to this machine (DNS rebinding); see upgrade.c. */
static bool is_rebound(const struct px_peer *peer, struct lws *wsi)
{
	char host[256] = "";
	return px_address_is_loopback(&peer->address) &&
			(lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST) < 0 ||
			!px_origin_host_is_loopback(host));
}

/*
 * Whether "metrics-allow" permits the client. An untrusted proxy says nothing about its client; and
 * a loopback address named by a trusted proxy is on the proxy's machine, which may be another.
 */
static bool may_see_figures(const struct px_peer *peer, struct lws *wsi)
{
	const struct px_config_vhost *config = peer->vhost->config;
	bool is_elsewhere = peer->is_forwarded && px_address_is_loopback(&peer->address);
	return !peer->is_masked && !is_elsewhere && !is_rebound(peer, wsi) &&
			px_config_shows_metrics(config, &peer->address);
}

/* Statistics are for listed addresses, and for tokens with all practices. */
static int answer_figures(struct px_server *server, struct px_peer *peer, struct lws *wsi,
		int (*answer)(struct px_server *server, struct lws *wsi))
{
	if (may_see_figures(peer, wsi)) {
		return answer(server, wsi);
	}
	struct px_http_refusal refusal;
	if (px_api_judge(peer, wsi, &refusal)) {
		return answer(server, wsi);
	}
	(void)px_http_refuse_as(wsi, &refusal);
	return -1;
}

static int answer_ready(const struct px_server *server, struct lws *wsi)
{
	enum px_unready reason;
	const char *sentence = px_unready_sentence(server, &reason);
	if (!sentence) {
		return px_http_answer(wsi, 200, "application/json", px_span("{\"ready\":true}"));
	}
	(void)px_http_refuse_as(wsi, &(struct px_http_refusal){
		.status = 503,
		.code = "unavailable",
		.sentence = sentence,
		.reason = px_unready_names[reason],
		.wait_ms = server->draining ? px_server_ends_in_ms(server) : PX_RETRY_UNKNOWN_MS,
	});
	return -1;
}

/* The query of a file belongs to the page in it, which may read it. */
static bool is_own_page(const char *path)
{
	static const char *const pages[] = { "/health", "/ready", "/stats", "/metrics" };
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(path, pages[i]) == 0) {
			return true;
		}
	}
	return false;
}

int px_router_request(void *user, struct lws *wsi, const char *path)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	if (!peer) {
		return -1;
	}
	int64_t wait_ms = px_peer_take_request(peer);
	if (wait_ms > 0) {
		(void)px_http_refuse_as(wsi, &(struct px_http_refusal){
			.status = 429,
			.code = "rate_limited",
			.sentence = "This address sends requests too fast.",
			.wait_ms = wait_ms,
		});
		return -1;
	}
	if (px_api_concerns(path)) {
		return px_api_begin(peer, wsi, path);
	}
	if (strcmp(path, peer->vhost->config->path) == 0) {
		return answer_why_not(peer, wsi);
	}
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0 &&
			lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) == 0) {
		return fail(wsi, 405, "bad_request", "Only GET and HEAD are supported here.");
	}
	if (is_own_page(path) && !px_query_is_only(wsi, &(const char *){ NULL })) {
		return fail(wsi, 400, "bad_request",
				"The query has an unknown parameter.");
	}
	if (strcmp(path, "/health") == 0) {
		return px_http_answer(wsi, 200, "application/json", px_span("{\"healthy\":true}"));
	}
	if (strcmp(path, "/ready") == 0) {
		return answer_ready(server, wsi);
	}
	if (strcmp(path, "/stats") == 0) {
		return answer_figures(server, peer, wsi, answer_statistics);
	}
	if (strcmp(path, "/metrics") == 0) {
		return answer_figures(server, peer, wsi, answer_metrics);
	}
	int rc = px_files_serve(server, peer->vhost, wsi, path);
	if (rc == 1) {
		rc = px_dashboard_serve(server, peer->vhost, wsi, path);
	}
	return rc == 1 ? fail(wsi, 404, "not_found", "There is nothing at this path.") : rc;
}
