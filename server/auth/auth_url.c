/* SPDX-License-Identifier: MIT */
/*
 * auth-url: the application's back end decides from the client's cookie who it is. It is asked
 * once the upgrade is done, with the connection's reading held back, so that the client can
 * send at once and nothing of it is lost; the answer opens the session or closes the
 * connection.
 */
#include "core/server.h"
#include "access/lockout.h"
#include "address/address.h"
#include "audit/audit_events.h"
#include "auth_url.h"
#include "authenticator.h"
#include "common/strict_json.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http_client/http_client.h"
#include "net/peer.h"
#include "token/token.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 16384
#define HOUR_S 3600

/* What is asked, and where the answer goes. */
struct px_auth_request {
	struct px_peer *peer;
	struct lws *wsi;
	struct px_outgoing *outgoing; /* NULL: not under way */
	char *cookie;
	char *authorization;
	char *origin;
};

static void wipe(char *text)
{
	if (text) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
}

static void destroy(struct px_auth_request *auth_request)
{
	wipe(auth_request->cookie);
	wipe(auth_request->authorization);
	wipe(auth_request->origin);
	free(auth_request);
}

void px_auth_request_drop(struct px_peer *peer)
{
	if (peer->auth_request) {
		px_http_client_cancel(peer->auth_request->outgoing);
		destroy(peer->auth_request);
		peer->auth_request = NULL;
	}
}

/* "" where there is none; NULL without memory, or if it is too long. */
static char *copy_header(struct lws *wsi, enum lws_token_indexes header)
{
	int len = lws_hdr_total_length(wsi, header);
	if (len < 0 || len > HEADER_MAX) {
		return NULL;
	}
	char *text = calloc(1, (size_t)len + 1);
	if (text && len > 0 && lws_hdr_copy(wsi, text, len + 1, header) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

int px_auth_request_prepare(struct px_peer *peer, struct lws *wsi)
{
	struct px_auth_request *auth_request = calloc(1, sizeof(*auth_request));
	if (!auth_request) {
		return -ENOMEM;
	}
	auth_request->peer = peer;
	auth_request->cookie = copy_header(wsi, WSI_TOKEN_HTTP_COOKIE);
	auth_request->authorization = copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	auth_request->origin = copy_header(wsi, WSI_TOKEN_ORIGIN);
	if (!auth_request->cookie || !auth_request->authorization || !auth_request->origin) {
		destroy(auth_request);
		return -ENOMEM;
	}
	px_auth_request_drop(peer);
	peer->auth_request = auth_request;
	return 0;
}

/* 200 is claims, 401 and 403 are bad tokens, anything else is no answer. */
static void judge(struct px_peer *peer, const struct px_http_client_answer *answer,
		struct px_authentication *ret_authentication)
{
	struct json_object *body;
	struct px_token *token;
	*ret_authentication = (struct px_authentication){
		.verdict = PX_VERDICT_UNAVAILABLE,
		.sentence = "The application does not say now who this client is.",
		.retry_after_ms = answer->retry_after_s > 0 && answer->retry_after_s < HOUR_S ?
				answer->retry_after_s * 1000 : 0,
	};
	if (answer->status == 401 || answer->status == 403) {
		peer->vhost->server->bad_tokens++;
		px_lockout_charge(peer, PX_LOCKOUT_QUESTION_NS);
		px_audit_events_refused(peer->vhost->server, peer, "auth_url");
		ret_authentication->verdict = PX_VERDICT_BAD;
		ret_authentication->sentence = "The application does not let this client in.";
	} else if (answer->status == 200 && px_strict_json_parse(answer->body, &body) == 0) {
		if (px_authenticator_read_claims(peer->vhost, body, &token, NULL) == 0) {
			px_authenticator_bound(peer, token);
			px_authenticator_admit(peer, token, ret_authentication);
			px_token_destroy(token);
		}
		json_object_put(body);
	}
}

static void on_answer(void *user, const struct px_http_client_answer *answer)
{
	struct px_auth_request *auth_request = user;
	struct px_peer *peer = auth_request->peer;
	struct lws *wsi = auth_request->wsi;
	struct px_session_params params = { 0 };
	struct px_authentication authentication;
	peer->auth_request = NULL;
	destroy(auth_request);
	judge(peer, answer, &authentication);
	peer->verdict = (uint8_t)authentication.verdict;
	peer->sentence = authentication.sentence;
	peer->retry_after_ms = authentication.retry_after_ms;
	switch (authentication.verdict) {
	case PX_VERDICT_GOOD:
		peer->identity = authentication.identity;
		break;
	case PX_VERDICT_BAD:
	case PX_VERDICT_THROTTLED:
		peer->identity = px_authenticator_unauthenticated(peer);
		break;
	default:
		/* Where there is a time to tell, somebody has to be told it. */
		if (authentication.retry_after_ms > 0) {
			peer->identity = px_authenticator_unauthenticated(peer);
		}
		break;
	}
	if (peer->vhost->is_retired || !peer->identity) {
		px_lws_admit(wsi, NULL, peer->vhost->is_retired ? PX_CLOSE_RESTART :
				PX_CLOSE_TRY_LATER);
		return;
	}
	px_peer_session_params(peer, &params);
	px_lws_admit(wsi, &params, PX_CLOSE_TRY_LATER);
}

int px_auth_request_start(struct px_peer *peer, struct lws *wsi)
{
	const struct px_config_vhost *config = peer->vhost->config;
	struct px_auth_request *auth_request = peer->auth_request;
	char address[PX_ADDRESS_SIZE];
	px_address_format(&peer->address, address);
	auth_request->wsi = wsi;
	return px_http_client_ask(peer->vhost->server->http_client,
			&(struct px_http_client_request){
					.url = config->auth_url,
					.cookie = px_span(auth_request->cookie),
					.authorization = px_span(auth_request->authorization),
					.origin = px_span(auth_request->origin),
					.address = address,
					.timeout_ms = (long)config->auth_timeout_ms,
					.cache_s = config->auth_cache_s,
					.max_in_flight = config->auth_max,
					.done = on_answer,
					.user = auth_request,
			},
			&auth_request->outgoing);
}
