/* SPDX-License-Identifier: MIT */
/*
 * Requests to the API: route, authentication by token, body. A body has an announced and limited
 * length, and a time limit.
 */
#include "api_internal.h"
#include "api.h"
#include "asyncapi.h"
#include "audit/audit_events.h"
#include "auth/authenticator.h"
#include "auth/credentials.h"
#include "auth/open_mode.h"
#include "common/strict_json.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http/http.h"
#include "openapi.h"
#include "tail_stream.h"
#include "token/token.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PREFIX "/api/v1/"
#define BODY_MAX 65536
#define BODY_TIME_MS 10000

enum method {
	GET, /* and HEAD */
	POST,
};

enum body {
	NO_BODY,
	FIELDS, /* a JSON object, parsed into `fields` */
	RAW,    /* parsed by the handler */
};

/* Routes without a handler are descriptions, readable without a token. */
static const struct route {
	const char *path; /* after PREFIX; if it ends with "/", a name follows */
	enum method method;
	enum body body;
	px_api_handler handle;
} routes[] = {
	{ "asyncapi.json", GET, NO_BODY, NULL },
	{ "clients", GET, NO_BODY, px_api_get_clients },
	{ "config", GET, NO_BODY, px_api_get_config },
	{ "disconnect", POST, FIELDS, px_api_post_disconnect },
	{ "history", GET, NO_BODY, px_api_get_history },
	{ "locks", GET, NO_BODY, px_api_get_locks },
	{ "openapi.json", GET, NO_BODY, NULL },
	{ "publish", POST, RAW, px_api_post_publish },
	{ "rooms", GET, NO_BODY, px_api_get_rooms },
	{ "rooms/end", POST, FIELDS, px_api_post_end_room },
	{ "services", GET, NO_BODY, px_api_get_services },
	{ "services/", POST, FIELDS, px_api_post_service },
	{ "stats", GET, NO_BODY, px_api_get_stats },
	{ "tail", POST, FIELDS, px_api_post_tail },
	{ "tickets", POST, FIELDS, px_api_post_ticket },
	{ "unlock", POST, FIELDS, px_api_post_unlock },
};

/* A request whose body is being read. */
struct px_request {
	const struct route *route;
	struct px_token *caller;
	struct px_identity *identity;
	char name[64];
	char key[PX_IDEMPOTENCY_KEY_MAX + 1];
	struct px_tail_stream *stream; /* the streaming answer; NULL: none */
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
	return strncmp(path, PREFIX, strlen(PREFIX)) == 0;
}

static const struct route *find_route(const char *path)
{
	path += strlen(PREFIX);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		size_t len = strlen(routes[i].path);
		bool named = routes[i].path[len - 1] == '/';
		if (named ? strncmp(path, routes[i].path, len) == 0 && path[len] != '\0' &&
				!strchr(path + len, '/') : strcmp(path, routes[i].path) == 0) {
			return &routes[i];
		}
	}
	return NULL;
}

const char *px_api_allow(const char *path)
{
	const struct route *route = find_route(path);
	return route && route->method == GET ? "GET, HEAD" : "POST";
}

void px_request_drop(struct px_peer *peer)
{
	struct px_request *request = peer->request;
	if (request) {
		px_tail_stream_drop(request->stream);
		px_token_destroy(request->caller);
		px_identity_destroy(peer->vhost->server->broker, request->identity);
		explicit_bzero(request->body, request->len);
		free(request);
		peer->request = NULL;
	}
}

int px_api_writable(void *user, struct lws *wsi)
{
	const struct px_peer *peer = lws_get_opaque_user_data(wsi);
	(void)user;
	return peer && peer->request && peer->request->stream ?
			px_tail_stream_write(peer->request->stream) : 0;
}

/* ---- errors ---- */

static int refuse(struct px_peer *peer, struct lws *wsi, int status, const char *code,
		const char *field, const char *sentence)
{
	px_request_drop(peer);
	px_http_refuse_field(wsi, status, code, field, sentence);
	return -1;
}

static int answer_error(struct px_api_call *call)
{
	const struct px_error_detail *detail = &call->error.detail;
	int status = call->error.status ? call->error.status : px_api_status(detail->code);
	if (detail->code == PX_E_FORBIDDEN) {
		px_audit_events_denied(call->server, &call->operator, "forbidden");
	}
	return refuse(call->peer, call->wsi, status, px_error_name(detail->code), detail->field,
			detail->sentence);
}

/* ---- authentication and body ---- */

/* Announced length of the body; -ENOENT: none, or chunked; -EINVAL; -E2BIG. */
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

/* JSON has no other encoding (RFC 8259), and `charset` is the only parameter. */
static bool is_utf8(const char *parameters)
{
	parameters += strspn(parameters, "; \t");
	return *parameters == '\0' || strcasecmp(parameters, "charset=utf-8") == 0 ||
			strcasecmp(parameters, "charset=\"utf-8\"") == 0;
}

/* A body without Content-Type is JSON. */
static bool is_json(struct lws *wsi)
{
	static const char wanted[] = "application/json";
	char type[128];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE) == 0) {
		return true;
	}
	if (lws_hdr_copy(wsi, type, sizeof(type), WSI_TOKEN_HTTP_CONTENT_TYPE) <= 0) {
		return false;
	}
	if (lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, 1) > 0) {
		return false;
	}
	size_t len = strcspn(type, "; \t");
	return len == strlen(wanted) && strncasecmp(type, wanted, len) == 0 &&
			is_utf8(type + len);
}

/* Idempotency-Key: visible ASCII. -EINVAL: too long, or other characters. */
static int read_key(struct lws *wsi, char buf[PX_IDEMPOTENCY_KEY_MAX + 1])
{
	static const char name[] = "idempotency-key:";
	int total = lws_hdr_custom_length(wsi, name, (int)strlen(name));
	buf[0] = '\0';
	if (total < 0) {
		return 0;
	}
	if (total == 0 || total > PX_IDEMPOTENCY_KEY_MAX || lws_hdr_custom_copy(wsi, buf,
			PX_IDEMPOTENCY_KEY_MAX + 1, name, (int)strlen(name)) < 0) {
		return -EINVAL;
	}
	for (const char *at = buf; *at; at++) {
		if (*at <= ' ' || *at > '~') {
			return -EINVAL;
		}
	}
	return 0;
}

#define INSUFFICIENT "error=\"insufficient_scope\""

/* The answer to a request with an invalid token or without one (`read` < 0). */
static struct px_http_refusal refusal_of(const struct px_authentication *verdict, int read)
{
	struct px_http_refusal refusal = {
		.status = 401,
		.code = "unauthenticated",
		.sentence = verdict->sentence,
		.wait_ms = verdict->retry_after_ms,
	};
	if (verdict->verdict == PX_VERDICT_THROTTLED) {
		refusal.status = 429;
		refusal.code = "rate_limited";
	} else if (verdict->verdict == PX_VERDICT_UNAVAILABLE) {
		refusal.status = 503;
		refusal.code = "unavailable";
		refusal.sentence = verdict->sentence ? verdict->sentence :
				"The server is at its limit.";
	} else if (verdict->verdict == PX_VERDICT_EXPIRED) {
		refusal.code = "token_expired";
		refusal.challenge = "error=\"invalid_token\", "
				"error_description=\"The token has expired\"";
	} else if (read < 0) { /* without a token, no error is given (RFC 6750 section 3.1) */
		refusal.sentence = "A bearer token is required.";
	} else {
		refusal.challenge = "error=\"invalid_token\"";
		refusal.sentence = verdict->sentence ? verdict->sentence :
				"This vhost accepts no tokens.";
	}
	return refusal;
}

/* The caller's token; NULL: *ret_refusal is the answer. */
static struct px_token *read_token(struct px_peer *peer, struct lws *wsi,
		struct px_http_refusal *ret_refusal)
{
	struct px_credentials credentials = { 0 };
	struct px_authentication verdict = { .verdict = PX_VERDICT_BAD };
	struct px_token *token = NULL;
	int read = px_credentials_read_bearer(wsi, &credentials);
	if (read == 0) {
		token = px_authenticator_verify(peer, credentials.text, &verdict);
	}
	px_credentials_finish(&credentials);
	if (!token) {
		*ret_refusal = refusal_of(&verdict, read);
	}
	return token;
}

static int refuse_as(struct px_peer *peer, struct lws *wsi, const struct px_http_refusal *refusal)
{
	px_request_drop(peer);
	(void)px_http_refuse_as(wsi, refusal);
	return -1;
}

/* The caller's token; NULL: the request was answered, and *ret_rc is for lws. */
static struct px_token *identify(struct px_peer *peer, struct lws *wsi, int *ret_rc)
{
	struct px_http_refusal refusal;
	struct px_token *token = read_token(peer, wsi, &refusal);
	if (token && !(token->role & (PX_ROLE_SERVICE | PX_ROLE_ADMIN))) {
		px_token_destroy(token);
		px_audit_events_refused(peer->vhost->server, peer, "forbidden");
		*ret_rc = refuse_as(peer, wsi, &(struct px_http_refusal){
			.status = 403,
			.code = "forbidden",
			.sentence = "This requires the role service or admin.",
			.challenge = INSUFFICIENT,
		});
		return NULL;
	}
	if (!token) {
		px_audit_events_refused(peer->vhost->server, peer,
				refusal.status == 401 ? "bad_token" : refusal.code);
		*ret_rc = refuse_as(peer, wsi, &refusal);
	}
	return token;
}

bool px_api_judge(struct px_peer *peer, struct lws *wsi, struct px_http_refusal *ret_refusal)
{
	struct px_token *token = read_token(peer, wsi, ret_refusal);
	if (!token) {
		if (!ret_refusal->challenge && ret_refusal->status == 401) {
			ret_refusal->sentence = peer->is_forwarded ?
					"Requests through a proxy need a token, unless the proxy is in "
					"trusted-proxies and the client's address in metrics-allow." :
					"Requests from this address need a token (metrics-allow).";
		}
		return false;
	}
	bool rules = (token->role & (PX_ROLE_SERVICE | PX_ROLE_ADMIN)) && token->all_practices &&
			(token->tenant.len == 0 || px_span_equal(token->tenant,
					px_span(peer->vhost->config->tenant)));
	px_token_destroy(token);
	if (!rules) {
		px_audit_events_refused(peer->vhost->server, peer, "forbidden");
		*ret_refusal = (struct px_http_refusal){
			.status = 403,
			.code = "forbidden",
			.sentence = "This requires a token for all practices.",
			.challenge = INSUFFICIENT,
		};
	}
	return rules;
}

/* Allocates for the body; NULL: the request was answered, and *ret_rc is for lws. */
static struct px_request *make_request(struct px_peer *peer, struct lws *wsi,
		const struct route *route, int *ret_rc)
{
	int64_t length = route->method == POST ? body_length(wsi) : 0;
	if (length >= 0 && route->method == POST && !is_json(wsi)) {
		*ret_rc = refuse(peer, wsi, 415, "bad_request", NULL,
				"The body must be application/json.");
		return NULL;
	}
	struct px_request *request = length < 0 ? NULL :
			calloc(1, sizeof(*request) + (size_t)length);
	if (!request) {
		*ret_rc = length == -E2BIG ?
				refuse(peer, wsi, 413, "bad_request", NULL,
						"The body is larger than 64 KiB.") :
				refuse(peer, wsi, 411, "bad_request", NULL,
						"The body needs a Content-Length.");
		return NULL;
	}
	request->route = route;
	request->announced = (size_t)length;
	request->started_ms = now_of(peer);
	return request;
}

/* A client may wait for this before it sends its body (RFC 9110 section 10.1.1). */
static int ask_to_continue(struct lws *wsi)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	unsigned char buf[LWS_PRE + sizeof(line)];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) == 0) {
		return 0;
	}
	memcpy(buf + LWS_PRE, line, sizeof(line) - 1);
	return lws_write(wsi, buf + LWS_PRE, sizeof(line) - 1, LWS_WRITE_HTTP) < 0 ? -1 : 0;
}

static int begin(struct px_peer *peer, struct lws *wsi, const struct route *route,
		const char *path)
{
	struct px_authentication verdict;
	int rc;
	struct px_token *caller = identify(peer, wsi, &rc);
	if (!caller) {
		return rc;
	}
	int64_t wait_ms = px_api_take(peer, caller);
	if (wait_ms > 0) {
		px_token_destroy(caller);
		return refuse_as(peer, wsi, &(struct px_http_refusal){
			.status = 429,
			.code = "rate_limited",
			.sentence = "This user exceeds the rate of requests, or of their bytes.",
			.wait_ms = wait_ms,
		});
	}
	struct px_request *request = make_request(peer, wsi, route, &rc);
	if (!request) {
		px_token_destroy(caller);
		return rc;
	}
	px_request_drop(peer);
	peer->request = request;
	request->caller = caller;
	strncpy(request->name, path + strlen(PREFIX) + strlen(route->path),
			sizeof(request->name) - 1);
	request->identity = px_authenticator_speaker(peer, caller, &verdict);
	if (!request->identity) {
		return refuse(peer, wsi, verdict.verdict == PX_VERDICT_BAD ? 401 : 503,
				"unavailable", NULL, "The server cannot process the token's claims now.");
	}
	if (read_key(wsi, request->key) < 0) {
		return refuse(peer, wsi, 400, "bad_request", NULL,
				"Idempotency-Key must be 1 to 128 visible ASCII characters.");
	}
	if (request->announced > 0) {
		return ask_to_continue(wsi);
	}
	return px_api_end(peer->vhost->server, wsi);
}

/* Lists parse theirs themselves: px_api_page(). */
static bool takes_query(const struct route *route)
{
	return route->handle == px_api_get_clients || route->handle == px_api_get_rooms;
}

static struct px_span description_of(const struct route *route)
{
	if (strcmp(route->path, "asyncapi.json") == 0) {
		return (struct px_span){ px_asyncapi, sizeof(px_asyncapi) - 1 };
	}
	return (struct px_span){ px_openapi, sizeof(px_openapi) - 1 };
}

int px_api_begin(struct px_peer *peer, struct lws *wsi, const char *path)
{
	const struct route *route = find_route(path);
	bool is_get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0 ||
			lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
	bool is_post = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
	if (!route) {
		return refuse(peer, wsi, 404, "not_found", NULL, "There is nothing at this path.");
	}
	if (route->method == GET ? !is_get : !is_post) {
		return refuse(peer, wsi, 405, "bad_request", NULL, route->method == GET ?
				"Only GET and HEAD are supported here." : "Only POST is supported here.");
	}
	if (!takes_query(route) && !px_query_is_only(wsi, &(const char *){ NULL })) {
		return refuse(peer, wsi, 400, "bad_message", NULL,
				"The query has an unknown parameter.");
	}
	if (!route->handle) {
		return px_http_answer(wsi, 200, "application/json", description_of(route));
	}
	if (!peer->vhost->authenticator) {
		return refuse_as(peer, wsi, &(struct px_http_refusal){
			.status = 503,
			.code = "unavailable",
			.sentence = "This vhost runs in open mode, and the API needs tokens: configure a "
					"secret or keys.",
			.wait_ms = PX_RETRY_NEVER,
		});
	}
	return begin(peer, wsi, route, path);
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

/* ---- the answer ---- */

static int read_fields(struct px_api_call *call, const struct route *route)
{
	if (route->body != FIELDS || px_strict_json_parse(call->body, &call->fields) == 0) {
		return 0;
	}
	return px_api_fail(call, 0, PX_E_BAD_JSON, NULL,
			"The body must be a JSON object without duplicate names.");
}

/*
 * The request lives as long as its answer; its identity does not, since it would count as a client.
 */
static void go_on(struct px_api_call *call)
{
	struct px_request *request = call->peer->request;
	request->stream = call->stream;
	px_identity_destroy(call->server->broker, request->identity);
	request->identity = NULL;
}

static int handle(struct px_api_call *call, const struct route *route)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	call->json = &json;
	int rc = read_fields(call, route);
	rc = rc < 0 ? rc : route->handle(call);
	px_json_end(&json);
	px_api_charge(call->peer, call->caller, call->body.len + json.len);
	if (rc == 0 && json.failed) {
		rc = px_api_fail(call, 0, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	if (rc < 0) {
		rc = answer_error(call);
	} else if (call->stream) {
		go_on(call);
		rc = px_http_begin(call->wsi, "application/x-ndjson");
	} else {
		px_request_drop(call->peer);
		rc = px_http_answer(call->wsi, 200, "application/json",
				(struct px_span){ json.data, json.len });
	}
	px_json_finish(&json);
	json_object_put(call->fields);
	return rc;
}

int px_api_end(void *user, struct lws *wsi)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	struct px_request *request = peer ? peer->request : NULL;
	/* lws calls this again for a client that sends more after its body: only listen then. */
	if (!request || request->stream || request->len != request->announced) {
		return -1;
	}
	struct px_api_call call = {
		.server = server,
		.peer = peer,
		.wsi = wsi,
		.caller = request->caller,
		.operator = {
			.broker = server->broker,
			.identity = request->identity,
			.realm = &peer->vhost->realm,
		},
		.name = px_span(request->name),
		.body = { request->body, request->len },
		.idempotency_key = px_span(request->key),
	};
	return handle(&call, request->route);
}
