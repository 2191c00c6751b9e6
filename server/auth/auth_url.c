/* SPDX-License-Identifier: MIT */
/*
 * auth-url: the application's back end identifies the client by its cookie. The request starts when
 * the upgrade is complete, with reading from the connection paused, so that the client may send at
 * once and nothing is lost; the answer opens the session or closes the connection.
 */
#include "core/server.h"
#include "access/lockout.h"
#include "address/address.h"
#include "audit/audit_events.h"
#include "auth_url.h"
#include "authenticator.h"
#include "base/log.h"
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

/* Minimum time between two log lines about a failing application of one vhost. */
#define FAILURE_QUIET_MS 60000

/* A request, and the connection that its answer is for. */
struct px_auth_request {
	struct px_peer *peer;
	struct lws *wsi;
	struct px_outgoing *outgoing; /* NULL: not in progress */
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

/* "" if there is none; NULL without memory, or if it is too long. */
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

/* ---- log and statistics ---- */

/* Neither the URL nor the answer is logged: both may contain secrets. */
static void tell_failure(struct px_vhost *vhost, enum px_auth_answer kind,
		const struct px_http_client_answer *answer)
{
	int64_t now_ms = (int64_t)uv_now(&vhost->server->loop);
	vhost->auth_unheard = vhost->auth_failing ? vhost->auth_unheard + 1 : 1;
	vhost->auth_failing = true;
	if (vhost->auth_failing_told || now_ms < vhost->auth_quiet_ms) {
		return;
	}
	vhost->auth_failing_told = true;
	vhost->auth_quiet_ms = now_ms + FAILURE_QUIET_MS;
	if (kind == PX_AUTH_BUSY) {
		px_log(PX_LOG_WARNING, "auth-url of vhost %s: auth-max (%u) requests are in progress; "
				"further clients are closed with 1013", vhost->config->name,
				vhost->config->auth_max);
	} else if (answer->fault) {
		px_log(PX_LOG_WARNING, "auth-url of vhost %s: %s; clients are closed with 1013",
				vhost->config->name, answer->fault);
	} else {
		px_log(PX_LOG_WARNING, "auth-url of vhost %s: the answer is %d%s; clients are closed "
				"with 1013", vhost->config->name, answer->status,
				answer->status == 200 ? ", without usable claims" : "");
	}
}

static void tell_success(struct px_vhost *vhost)
{
	vhost->auth_failing = false;
	if (vhost->auth_failing_told) {
		vhost->auth_failing_told = false;
		px_log(PX_LOG_NOTICE, "auth-url of vhost %s: the application answers again; %llu clients "
				"were closed", vhost->config->name,
				(unsigned long long)vhost->auth_unheard);
	}
}

static void note(struct px_vhost *vhost, enum px_auth_answer kind,
		const struct px_http_client_answer *answer)
{
	if (answer && answer->cached) {
		return;
	}
	vhost->server->auth_answers[kind]++;
	if (kind == PX_AUTH_ACCEPTED || kind == PX_AUTH_REFUSED) {
		tell_success(vhost);
	} else {
		tell_failure(vhost, kind, answer);
	}
}

/* ---- verdicts ---- */

static enum px_auth_answer take_claims(struct px_peer *peer, struct px_span text,
		struct px_authentication *ret_authentication)
{
	struct json_object *body;
	struct px_token *token;
	enum px_auth_answer kind = PX_AUTH_UNUSABLE;
	if (px_strict_json_parse(text, &body) < 0) {
		return kind;
	}
	if (px_authenticator_read_claims(peer->vhost, body, &token, NULL) == 0) {
		kind = PX_AUTH_ACCEPTED;
		px_authenticator_bound(peer, token);
		px_authenticator_admit(peer, token, ret_authentication);
		px_token_destroy(token);
	}
	json_object_put(body);
	return kind;
}

/* 200 is claims, 401 and 403 are invalid credentials, anything else is a failure. */
static void judge(struct px_peer *peer, const struct px_http_client_answer *answer,
		struct px_authentication *ret_authentication)
{
	enum px_auth_answer kind = answer->status == 0 ? PX_AUTH_FAILED : PX_AUTH_UNUSABLE;
	*ret_authentication = (struct px_authentication){
		.verdict = PX_VERDICT_UNAVAILABLE,
		.sentence = "The application cannot identify this client at the moment.",
		.retry_after_ms = answer->retry_after_s > 0 && answer->retry_after_s < HOUR_S ?
				answer->retry_after_s * 1000 : 0,
	};
	if (answer->status == 401 || answer->status == 403) {
		kind = PX_AUTH_REFUSED;
		peer->vhost->server->bad_tokens++;
		px_lockout_charge(peer, PX_LOCKOUT_QUESTION_NS);
		px_audit_events_refused(peer->vhost->server, peer, "auth_url");
		ret_authentication->verdict = PX_VERDICT_BAD;
		ret_authentication->sentence = "The application rejects this client.";
	} else if (answer->status == 200) {
		kind = take_claims(peer, answer->body, ret_authentication);
	}
	note(peer->vhost, kind, answer);
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
	peer->retry_after_ms = (uint32_t)authentication.retry_after_ms;
	switch (authentication.verdict) {
	case PX_VERDICT_GOOD:
		peer->identity = authentication.identity;
		break;
	case PX_VERDICT_BAD:
	case PX_VERDICT_THROTTLED:
		peer->identity = px_authenticator_unauthenticated(peer);
		break;
	default:
		/* If there is a time to retry, the client must be told. */
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
	int rc = px_http_client_ask(peer->vhost->server->http_client,
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
	if (rc == -EBUSY) {
		note(peer->vhost, PX_AUTH_BUSY, NULL);
	}
	return rc;
}
