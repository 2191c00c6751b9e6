/* SPDX-License-Identifier: MIT */
/*
 * The back end's HTTP API (docs/protocol.md, section 5): requests with a body, from role
 * service or admin. A body has a length that was announced, a bound, and a time by which it
 * is there.
 */
#include "server.h"

#include "authority.h"
#include "credentials.h"
#include "strict_json.h"
#include "tickets.h"
#include "token.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 65536
#define BODY_TIME_MS 10000

/* A request whose body is being read. */
struct px_request {
	struct px_token *caller;
	int64_t started_ms;
	size_t announced;
	size_t len;
	char body[];
};

static int64_t now_of(const struct px_peer *peer)
{
	return (int64_t)uv_now(&peer->vhost->server->loop);
}

bool px_api_concerns(const char *path)
{
	return strncmp(path, "/api/v1/", strlen("/api/v1/")) == 0;
}

void px_request_drop(struct px_peer *peer)
{
	struct px_request *request = peer->request;
	if (request) {
		px_token_destroy(request->caller);
		explicit_bzero(request->body, request->len);
		free(request);
		peer->request = NULL;
	}
}

static int fail(struct px_peer *peer, struct lws *wsi, int status, const char *code,
		const char *sentence)
{
	px_request_drop(peer);
	px_http_refuse(wsi, status, code, sentence);
	return -1;
}

/* The announced length of the body; -ENOENT: none, or chunked; -EINVAL; -E2BIG. */
static int64_t body_length(struct lws *wsi)
{
	char text[16];
	char *end;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
			lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) == 0) {
		return -ENOENT;
	}
	if (lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) {
		return -EINVAL;
	}
	long long length = strtoll(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0') {
		return -EINVAL;
	}
	return length > BODY_MAX ? -E2BIG : length;
}

/* Who asks; NULL: it was answered, and *ret_rc is lws's. */
static struct px_token *identify(struct px_peer *peer, struct lws *wsi, int *ret_rc)
{
	struct px_credentials credentials = { 0 };
	struct px_authentication verdict = { .verdict = PX_VERDICT_BAD };
	struct px_token *token = NULL;
	if (px_credentials_read_bearer(wsi, &credentials) == 0) {
		token = px_authority_verify(peer, credentials.text, &verdict);
	}
	px_credentials_finish(&credentials);
	if (token && !(token->role & (PX_ROLE_SERVICE | PX_ROLE_ADMIN))) {
		px_token_destroy(token);
		px_trail_refused(peer->vhost->server, peer, "forbidden");
		*ret_rc = fail(peer, wsi, 403, "forbidden", "This is for role service or admin.");
		return NULL;
	}
	if (!token) {
		bool throttled = verdict.verdict == PX_VERDICT_THROTTLED;
		px_trail_refused(peer->vhost->server, peer, throttled ? "rate_limited" : "bad_token");
		*ret_rc = throttled ? fail(peer, wsi, 429, "rate_limited", verdict.sentence) :
				fail(peer, wsi, 401, "unauthenticated", "A bearer's token is needed.");
	}
	return token;
}

int px_api_begin(struct px_peer *peer, struct lws *wsi, const char *path)
{
	int rc;
	if (strcmp(path, "/api/v1/tickets") != 0) {
		return fail(peer, wsi, 404, "not_found", "There is nothing at this path.");
	}
	if (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) == 0) {
		return fail(peer, wsi, 405, "bad_request", "Only POST is known here.");
	}
	if (!peer->vhost->authority) {
		return fail(peer, wsi, 503, "unavailable", "This vhost runs in open mode.");
	}
	px_peer_read_forwarded(peer, wsi);
	struct px_token *caller = identify(peer, wsi, &rc);
	if (!caller) {
		return rc;
	}
	int64_t length = body_length(wsi);
	struct px_request *request = length < 0 ? NULL :
			calloc(1, sizeof(*request) + (size_t)length);
	if (!request) {
		px_token_destroy(caller);
		return length == -E2BIG ?
				fail(peer, wsi, 413, "bad_request", "The body is larger than 64 KiB.") :
				fail(peer, wsi, 411, "bad_request", "The body needs a length.");
	}
	px_request_drop(peer);
	request->caller = caller;
	request->announced = (size_t)length;
	request->started_ms = now_of(peer);
	peer->request = request;
	return length > 0 ? 0 : px_api_end(peer->vhost->server, wsi);
}

int px_api_body(void *user, struct lws *wsi, const void *piece, size_t len)
{
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	struct px_request *request = peer ? peer->request : NULL;
	(void)user;
	if (!request || len > request->announced - request->len ||
			now_of(peer) - request->started_ms > BODY_TIME_MS) {
		return -1;
	}
	memcpy(request->body + request->len, piece, len);
	request->len += len;
	return 0;
}

/* Whether the caller may speak for all that the ticket would. */
static bool covers(const struct px_peer *peer, const struct px_token *caller,
		const struct px_token *ticket)
{
	struct px_span own = px_span(peer->vhost->config->tenant);
	struct px_span tenant = caller->tenant.len > 0 ? caller->tenant : own;
	if (!px_span_equal(ticket->tenant.len > 0 ? ticket->tenant : own, tenant) ||
			(ticket->role == PX_ROLE_ADMIN && caller->role != PX_ROLE_ADMIN) ||
			(ticket->all_practices && !caller->all_practices)) {
		return false;
	}
	for (size_t i = 0; i < ticket->practice_count && !caller->all_practices; i++) {
		size_t k = 0;
		while (k < caller->practice_count &&
				!px_span_equal(caller->practices[k].text, ticket->practices[i].text)) {
			k++;
		}
		if (k == caller->practice_count) {
			return false;
		}
	}
	return true;
}

/* The claims in the body; NULL: *ret_field says what is wrong. */
static struct px_token *read_claims(const struct px_peer *peer, const struct px_request *request,
		const char **ret_claim)
{
	struct json_object *body;
	struct json_object *claims;
	struct px_token *token = NULL;
	struct px_span text = { request->body, request->len };
	*ret_claim = "claims";
	if (px_strict_json_parse(text, &body) < 0) {
		return NULL;
	}
	if (json_object_object_get_ex(body, "claims", &claims) &&
			json_object_is_type(claims, json_type_object) &&
			px_authority_read_claims(peer->vhost, claims, &token, ret_claim) < 0) {
		token = NULL;
	}
	json_object_put(body);
	return token;
}

static int answer_ticket(struct lws *wsi, const char *ticket)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_text(&json, "ticket", ticket);
	px_json_int(&json, "expiresAt", (int64_t)time(NULL) * 1000 + PX_TICKET_TTL_MS);
	px_json_end(&json);
	int rc = json.failed ? -1 : px_http_answer(wsi, 200, "application/json",
			(struct px_span){ json.data, json.len });
	px_json_finish(&json);
	return rc;
}

int px_api_end(void *user, struct lws *wsi)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	char ticket[PX_TICKET_SIZE];
	const char *claim = NULL;
	if (!peer || !peer->request || peer->request->len != peer->request->announced) {
		return -1;
	}
	struct px_token *token = read_claims(peer, peer->request, &claim);
	if (!token) {
		return fail(peer, wsi, 400, "bad_message",
				"The body must be {\"claims\": {…}}, with claims as a token has them.");
	}
	if (!covers(peer, peer->request->caller, token)) {
		px_token_destroy(token);
		return fail(peer, wsi, 403, "forbidden",
				"The claims go beyond those of the token that asks.");
	}
	if (px_tickets_issue(server->tickets, peer->vhost->config->name, token, now_of(peer),
			ticket) < 0) {
		px_token_destroy(token);
		return fail(peer, wsi, 503, "unavailable", "There are too many tickets.");
	}
	px_request_drop(peer);
	return answer_ticket(wsi, ticket);
}
