/* SPDX-License-Identifier: MIT */
/*
 * Accepting clients. lws checks neither path, method, version nor the list of subprotocols, so all
 * of these are checked here, before the upgrade, and refused in JSON (docs/protocol.md, section 1).
 * The result waits in the connection until the session opens.
 *
 * Headers are read with lws_hdr_copy() only: lws 4.1.6 calls this hook with a dangling pointer
 * after it refused an upgrade itself (CVE-2025-11677).
 */
#include "core/server.h"
#include "access/lockout.h"
#include "access/origin.h"
#include "audit/audit_events.h"
#include "auth/auth_url.h"
#include "auth/authenticator.h"
#include "auth/credentials.h"
#include "auth/open_mode.h"
#include "base/log.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http/forwarded.h"
#include "http/http.h"
#include "http/lws_head.h"
#include "net/peer.h"
#include "net/resume_query.h"
#include "services/services.h"
#include "upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* lws has 127 bytes for the whole list and 63 for a name, and drops what is longer. */
#define SUBPROTOCOLS_MAX 126
#define SUBPROTOCOL_MAX 63
#define UNIFIED "praxis.v1"
#define NOTICE_EVERY_MS 60000

static enum px_handshake result_of(int status)
{
	switch (status) {
	case 403: return PX_HANDSHAKE_ORIGIN;
	case 404: return PX_HANDSHAKE_NOT_FOUND;
	case 429: return PX_HANDSHAKE_RATE_LIMITED;
	case 503: return PX_HANDSHAKE_UNAVAILABLE;
	default: return PX_HANDSHAKE_BAD_REQUEST;
	}
}

/* `wait_ms`: when to retry; 0: unknown. */
static int refuse_until(struct lws *wsi, const struct px_peer *peer, int status, const char *code,
		const char *sentence, int64_t wait_ms)
{
	px_log(PX_LOG_INFO, "vhost %s: refused an upgrade with %d: %s",
			peer->vhost->config->name, status, sentence);
	struct px_server *server = peer->vhost->server;
	server->refused++;
	server->handshakes[result_of(status)]++;
	server->refused_busy += status == 503;
	server->refused_often += status == 429;
	server->refused_origin += status == 403;
	px_audit_events_refused(server, peer, code);
	return px_http_refuse_as(wsi, &(struct px_http_refusal){
		.status = status,
		.code = code,
		.sentence = sentence,
		.wait_ms = wait_ms,
	});
}

static int refuse(struct lws *wsi, const struct px_peer *peer, int status, const char *code,
		const char *sentence)
{
	return refuse_until(wsi, peer, status, code, sentence, 0);
}

static bool header_is(struct lws *wsi, enum lws_token_indexes token, const char *wanted)
{
	char value[32];
	int len = lws_hdr_copy(wsi, value, sizeof(value), token);
	return len > 0 && strcasecmp(value, wanted) == 0;
}

/* One name of the list; true if lws would choose it. Sets what it stands for. */
static bool choose(struct px_peer *peer, const char *name)
{
	if (strcmp(name, UNIFIED) == 0) {
		peer->versioned = true;
		return true;
	}
	const struct px_config_vhost *config = peer->vhost->config;
	const struct px_plugin *plugin = px_plugin_find(peer->vhost->server, name);
	for (size_t i = 0; plugin && i < config->service_count; i++) {
		if (strcmp(config->services[i].name, name) == 0) {
			peer->service = (int8_t)plugin->index;
			return true;
		}
	}
	return false;
}

/* NULL: valid. The list is read as lws does: the first known name wins. */
static const char *subprotocol_fault(struct px_peer *peer, struct lws *wsi)
{
	char list[SUBPROTOCOLS_MAX + 1];
	int total = lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL);
	peer->service = -1;
	peer->versioned = false;
	if (total == 0) {
		return NULL;
	}
	if (total > SUBPROTOCOLS_MAX ||
			lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_PROTOCOL) < 0) {
		return "The list of subprotocols is longer than 126 characters.";
	}
	char *rest = list;
	char *name;
	while ((name = strtok_r(rest, ", \t", &rest))) {
		if (strlen(name) > SUBPROTOCOL_MAX) {
			return "A subprotocol's name is longer than 63 characters.";
		}
		if (choose(peer, name)) {
			return NULL;
		}
		if (px_plugin_find(peer->vhost->server, name)) {
			return "This vhost does not offer the requested service.";
		}
	}
	return "None of the subprotocols is supported.";
}

/* Also in absolute form, which lws turns into "http:/host/path". */
static bool path_is(struct lws *wsi, const char *wanted)
{
	char text[512];
	const char *path = text;
	int len = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_GET_URI);
	if (len > 0 && text[0] != '/') {
		path = strchr(text, '/');
		path = path ? strchr(path + 1, '/') : NULL;
	}
	return len > 0 && path && strcmp(path, wanted) == 0;
}

/* lws accepts any key. */
static bool key_makes_sense(struct lws *wsi)
{
	char key[32];
	int len = lws_hdr_copy(wsi, key, sizeof(key), WSI_TOKEN_KEY);
	return len == 24 && lws_hdr_fragment_length(wsi, WSI_TOKEN_KEY, 1) <= 0 &&
			strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
					== 22 && strcmp(key + 22, "==") == 0;
}

/* What is wrong with the request itself; NULL: nothing. */
static const char *request_fault(const struct px_peer *peer, struct lws *wsi, int *ret_status)
{
	static const char *const parameters[] = { "access_token", "practiceId", "received", "resume",
		"role", "userId", "userName", NULL };
	*ret_status = 400;
	if (!header_is(wsi, WSI_TOKEN_UPGRADE, "websocket")) {
		return "Only an upgrade to websocket is supported.";
	}
	*ret_status = 405;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0) {
		return "A WebSocket handshake must use GET.";
	}
	*ret_status = 404;
	if (!path_is(wsi, peer->vhost->config->path)) {
		return "There is no WebSocket at this path.";
	}
	*ret_status = 426;
	if (!header_is(wsi, WSI_TOKEN_VERSION, "13")) {
		return "Only WebSocket version 13 is supported.";
	}
	*ret_status = 400;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) == 0) {
		return "Sec-WebSocket-Key is missing.";
	}
	if (!key_makes_sense(wsi)) {
		return "Sec-WebSocket-Key must occur once, with 16 bytes in base64.";
	}
	if (header_is(wsi, WSI_TOKEN_HTTP, "HTTP/1.0")) {
		return "A WebSocket requires HTTP/1.1.";
	}
	if (!px_query_is_only(wsi, parameters)) {
		return "The query has an unknown parameter.";
	}
	return NULL;
}

/*
 * Clients that are not browsers send no Origin, and have no visitor's cookie that could be misused.
 */
static bool origin_is_allowed(const struct px_peer *peer, struct lws *wsi)
{
	const struct px_config_vhost *config = peer->vhost->config;
	struct px_forwarded forwarded;
	char origin[512];
	if (!px_head_has(wsi, WSI_TOKEN_ORIGIN)) {
		return true;
	}
	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) <= 0 ||
			px_forwarded_find(peer, wsi, &forwarded) < 0) {
		return false;
	}
	return px_origin_allowed(&(struct px_origin_request){
		.origin = origin,
		.host = forwarded.host,
		.is_https = forwarded.is_https,
		.is_on_loopback = !forwarded.is_shown && px_config_is_on_loopback(config),
	}, config->origins, config->origin_count);
}

/*
 * In open mode on loopback, only the address keeps others out, and pages of another site could come
 * from there once its name resolves to 127.0.0.1 (DNS rebinding). Their Host is that name.
 */
static bool host_is_allowed(const struct px_peer *peer, struct lws *wsi)
{
	struct px_forwarded forwarded;
	char host[256];
	if (peer->vhost->config->open_mode != PX_CONFIG_OPEN_LOOPBACK) {
		return true;
	}
	return lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST) > 0 &&
			px_forwarded_find(peer, wsi, &forwarded) == 0 &&
			px_origin_host_is_loopback(host) && px_origin_host_is_loopback(forwarded.host);
}

/* At most once a minute, since clients cause it; does not repeat what they sent. */
static void tell(const struct px_peer *peer, const char *sentence)
{
	struct px_server *server = peer->vhost->server;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	if (now_ms >= server->origin_notice_ms) {
		server->origin_notice_ms = now_ms + NOTICE_EVERY_MS;
		px_log(PX_LOG_NOTICE, "vhost %s: %s", peer->vhost->config->name, sentence);
	}
}

const char *px_upgrade_page_fault(const struct px_peer *peer, struct lws *wsi)
{
	if (!host_is_allowed(peer, wsi)) {
		return "In open mode, Host must be localhost or a loopback address.";
	}
	return origin_is_allowed(peer, wsi) ? NULL :
			"Pages of this origin may not connect: add it to the vhost's \"origins\" "
			"(PRAXIS_ORIGINS with the configuration as shipped).";
}

static int refuse_page(struct px_peer *peer, struct lws *wsi, const char *fault)
{
	if (!host_is_allowed(peer, wsi)) {
		tell(peer, "refused a client whose Host is not localhost: in open mode, DNS rebinding "
				"could connect any web site's pages; \"open-mode\": \"insecure\" permits it, "
				"\"tokens\" end open mode");
	} else {
		tell(peer, "refused a page of another origin: add its origin (https://host[:port]) to "
				"the vhost's \"origins\" (PRAXIS_ORIGINS with the configuration as shipped), and "
				"a TLS proxy to \"trusted-proxies\"");
	}
	return refuse(wsi, peer, 403, "forbidden", fault);
}

/* Answers a client that may not connect now; 0: it may. */
static int check_address(struct px_peer *peer, struct lws *wsi)
{
	int64_t wait_ms;
	switch (px_peer_count_address(peer, &wait_ms)) {
	case 0:
		return 0;
	case -EMFILE:
		return refuse(wsi, peer, 429, "rate_limited",
				"Too many connections are open from this address.");
	case -EAGAIN:
		return refuse_until(wsi, peer, 429, "rate_limited",
				"This address opens connections too fast.", wait_ms);
	default:
		return refuse(wsi, peer, 503, "unavailable", "The server is at its limit.");
	}
}

/* A valid token gives an identity; an invalid one is reported in-band: see px_upgrade_accept(). */
static int take_verdict(struct px_peer *peer, struct lws *wsi,
		const struct px_authentication *authentication)
{
	peer->verdict = (uint8_t)authentication->verdict;
	peer->sentence = authentication->sentence;
	peer->retry_after_ms = (uint32_t)authentication->retry_after_ms;
	switch (authentication->verdict) {
	case PX_VERDICT_GOOD:
		peer->identity = authentication->identity;
		return 0;
	case PX_VERDICT_THROTTLED:
		return refuse_until(wsi, peer, 429, "rate_limited", authentication->sentence,
				authentication->retry_after_ms);
	case PX_VERDICT_UNAVAILABLE:
		return refuse_until(wsi, peer, 503, "unavailable",
				authentication->sentence ? authentication->sentence :
				"The server is at its limit.", authentication->retry_after_ms);
	default:
		peer->identity = px_authenticator_unauthenticated(peer);
		return peer->identity ? 0 : -1;
	}
}

/* No credentials: auth-url is asked, or the client must send `auth`. */
static int take_unauthenticated(struct px_peer *peer, struct lws *wsi)
{
	struct px_server *server = peer->vhost->server;
	uint32_t most = server->config->global.max_unauthenticated;
	if (most > 0 && server->unauthenticated_count >= most) {
		server->limits[PX_LIMIT_UNAUTHENTICATED]++;
		return refuse(wsi, peer, 503, "unavailable",
				"Too many clients have not authenticated yet.");
	}
	peer->identity = px_authenticator_unauthenticated(peer);
	return peer->identity ? 0 : -1;
}

/* No credentials but a resume token, which identifies the client. */
static int take_resume_query(struct px_peer *peer, struct lws *wsi)
{
	const struct px_session *session = px_resume_query_session(peer);
	int64_t wait_ms = px_session_authenticated(session) ?
			px_user_take_session(peer->vhost->server, px_session_tenant(session),
					px_session_user(session).text) : 0;
	if (wait_ms > 0) {
		return refuse_until(wsi, peer, 429, "rate_limited",
				"This user resumes sessions too often.", wait_ms);
	}
	peer->identity = px_authenticator_unauthenticated(peer);
	return peer->identity ? 0 : -1;
}

static int identify_by_credentials(struct px_peer *peer, struct lws *wsi)
{
	const struct px_config_vhost *config = peer->vhost->config;
	struct px_credentials credentials = { 0 };
	int rc = px_credentials_read(wsi, config->tokens, &credentials);
	if (rc < 0) {
		px_credentials_finish(&credentials);
		return refuse(wsi, peer, 400, "bad_request",
				"The credentials are invalid: more than one, too long, or not a bearer token.");
	}
	struct px_authentication authentication = { .verdict = PX_VERDICT_NO_TOKENS };
	if (credentials.kind == PX_CREDENTIAL_TICKET) {
		px_authenticator_redeem(peer, credentials.text, &authentication);
	} else if (credentials.kind == PX_CREDENTIAL_TOKEN) {
		px_authenticator_judge(peer, credentials.text, &authentication);
	}
	bool nothing = credentials.kind == PX_CREDENTIAL_NONE;
	px_credentials_finish(&credentials);
	if (!nothing) {
		return take_verdict(peer, wsi, &authentication);
	}
	struct px_peer *old;
	if (px_resume_query_is_good(peer, &old)) {
		return take_resume_query(peer, wsi);
	}
	if (config->auth_url && px_lockout_puts_off(peer, &authentication)) {
		return take_verdict(peer, wsi, &authentication);
	}
	if (config->auth_url) {
		return px_auth_request_prepare(peer, wsi) < 0 ?
				refuse(wsi, peer, 503, "unavailable",
						"The server is at its limit.") :
				0;
	}
	return take_unauthenticated(peer, wsi);
}

static int identify_by_query(struct px_peer *peer, struct lws *wsi)
{
	switch (px_open_mode_identify(peer, wsi, &peer->identity)) {
	case 0:
		return 0;
	case -EINVAL:
		return refuse(wsi, peer, 400, "bad_request",
				"practiceId, userId, userName or role in the query is invalid.");
	default:
		return refuse(wsi, peer, 503, "unavailable", "The server is at its limit.");
	}
}

int px_upgrade_decide(void *user, struct lws *wsi)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	int status;
	if (!peer || lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0) {
		return -1;
	}
	const char *fault = request_fault(peer, wsi, &status);
	if (fault) {
		return refuse(wsi, peer, status, status == 404 ? "not_found" : "bad_request", fault);
	}
	if (server->draining) {
		return refuse_until(wsi, peer, 503, "unavailable", "The server is shutting down.",
				px_server_ends_in_ms(server));
	}
	if (server->renewing) {
		return refuse_until(wsi, peer, 503, "unavailable",
				"The server was cut off from the others, and begins anew.", PX_RETRY_UNKNOWN_MS);
	}
	fault = px_upgrade_page_fault(peer, wsi);
	if (fault) {
		return refuse_page(peer, wsi, fault);
	}
	fault = subprotocol_fault(peer, wsi);
	if (fault) {
		return refuse(wsi, peer, 400, "bad_request", fault);
	}
	if (px_resume_query_read(peer, wsi) < 0) {
		return -1;
	}
	int rc = check_address(peer, wsi);
	if (rc != 0) {
		return rc;
	}
	px_identity_destroy(server->broker, peer->identity);
	peer->identity = NULL;
	peer->verdict = PX_VERDICT_GOOD;
	return peer->vhost->authenticator ? identify_by_credentials(peer, wsi) :
			identify_by_query(peer, wsi);
}

void px_upgrade_opened(void *user, struct lws *wsi, int rc)
{
	struct px_server *server = user;
	const struct px_peer *peer = lws_get_opaque_user_data(wsi);
	bool good = peer && peer->verdict == PX_VERDICT_GOOD;
	server->handshakes[rc < 0 ? PX_HANDSHAKE_UNAVAILABLE :
			good ? PX_HANDSHAKE_ACCEPTED : PX_HANDSHAKE_BAD_TOKEN]++;
	if (rc < 0) {
		server->refused++;
		server->refused_busy++;
	}
}

int px_upgrade_accept(void *user, struct lws *wsi, struct px_session_params *ret_params)
{
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	(void)user;
	if (!peer) {
		return -EINVAL;
	}
	if (peer->auth_request) {
		return px_auth_request_start(peer, wsi) < 0 ? -EBUSY : -EINPROGRESS;
	}
	if (!peer->identity) {
		return -EINVAL;
	}
	px_peer_session_params(peer, ret_params);
	return 0;
}
