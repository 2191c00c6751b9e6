/* SPDX-License-Identifier: MIT */
/*
 * Answers over plain HTTP. They are written by hand: when an upgrade is refused, lws's helpers
 * would answer as HTTP/1.0.
 */
#include "core/server.h"
#include "core/hooks.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http.h"
#include "http_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *reason_of(int status)
{
	switch (status) {
	case 200: return "OK";
	case 301: return "Moved Permanently";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 411: return "Length Required";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 422: return "Unprocessable Content";
	case 426: return "Upgrade Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Internal Server Error";
	}
}

/* The methods that the request's path supports, whatever the request's method. */
static const char *allow_of(struct lws *wsi)
{
	const struct px_peer *peer = lws_get_opaque_user_data(wsi);
	const struct px_hooks *hooks = peer->vhost->server->hooks;
	static const enum lws_token_indexes methods[] = {
		WSI_TOKEN_GET_URI, WSI_TOKEN_HEAD_URI, WSI_TOKEN_PUT_URI, WSI_TOKEN_PATCH_URI,
		WSI_TOKEN_DELETE_URI, WSI_TOKEN_OPTIONS_URI, WSI_TOKEN_POST_URI,
	};
	char path[256];
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (lws_hdr_total_length(wsi, methods[i]) > 0) {
			return lws_hdr_copy(wsi, path, sizeof(path), methods[i]) > 0 ?
					hooks->allow(path) : "GET, HEAD";
		}
	}
	return "GET, HEAD";
}

#define EXTRA_MAX 256

/* RFC 6750 section 3: how to authenticate, and what was wrong with the token. */
static void write_challenge(const struct px_http_refusal *refusal, char buf[EXTRA_MAX])
{
	(void)snprintf(buf, EXTRA_MAX, "WWW-Authenticate: Bearer realm=\"praxis\"%s%s\r\n",
			refusal->challenge ? ", " : "", refusal->challenge ? refusal->challenge : "");
}

/* Further headers that a status requires; `buf` may hold them. */
static const char *extra_headers(struct lws *wsi, int status,
		const struct px_http_refusal *refusal, char buf[EXTRA_MAX])
{
	buf[0] = '\0';
	switch (status) {
	case 405:
		(void)snprintf(buf, EXTRA_MAX, "Allow: %s\r\n", allow_of(wsi));
		return buf;
	case 426: return "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
	case 401:
	case 403:
		if (status == 401 || (refusal && refusal->challenge)) {
			write_challenge(refusal, buf);
		}
		return buf;
	case 429:
	case 503:
		if (refusal && refusal->wait_ms != PX_RETRY_NEVER) {
			(void)snprintf(buf, EXTRA_MAX, "Retry-After: %lld\r\n",
					(long long)px_retry_seconds(refusal->wait_ms));
		}
		return buf;
	default: return buf;
	}
}

/* Pages may load only from their own server; JSON answers load nothing. */
#define PAGE_POLICY \
	"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " \
	"form-action 'self'; frame-ancestors 'none'"
#define DATA_POLICY "default-src 'none'; frame-ancestors 'none'"

/* Lines of a response's head, one after the other. */
struct lines {
	char *buf;
	size_t size;
	size_t at;
	bool failed;
};

static void add_line(struct lines *lines, const char *name, const char *value)
{
	size_t left = lines->size - lines->at;
	int len = snprintf(lines->buf + lines->at, left, "%s: %s\r\n", name, value);
	if (len < 0 || (size_t)len >= left) {
		lines->failed = true;
		return;
	}
	lines->at += (size_t)len;
}

/* Adds a header of the server's, unless the vhost configures one with that name. */
static void add_ours(struct lines *lines, const struct px_config_vhost *config, const char *name,
		const char *value)
{
	for (size_t i = 0; i < config->header_count; i++) {
		if (strcasecmp(config->headers[i].name, name) == 0) {
			return;
		}
	}
	add_line(lines, name, value);
}

int px_http_headers(const struct px_vhost *vhost, enum px_http_kind kind, const char *caching,
		char *buf, size_t size)
{
	const struct px_config_vhost *config = vhost->config;
	struct lines lines = { .buf = buf, .size = size };
	char hsts[32];
	buf[0] = '\0';
	add_ours(&lines, config, "Cache-Control", caching);
	add_ours(&lines, config, "X-Content-Type-Options", "nosniff");
	add_ours(&lines, config, "X-Frame-Options", "DENY");
	add_ours(&lines, config, "Content-Security-Policy",
			kind == PX_HTTP_PAGE ? PAGE_POLICY : DATA_POLICY);
	add_ours(&lines, config, "Referrer-Policy", "no-referrer");
	if (config->hsts_max_age > 0) {
		(void)snprintf(hsts, sizeof(hsts), "max-age=%u", config->hsts_max_age);
		add_ours(&lines, config, "Strict-Transport-Security", hsts);
	}
	for (size_t i = 0; i < config->header_count; i++) {
		add_line(&lines, config->headers[i].name, config->headers[i].value);
	}
	return lines.failed ? -1 : (int)lines.at;
}

struct answer {
	int status;
	const char *type;
	struct px_span body;
	const char *location; /* NULL: none */
	const struct px_http_refusal *refusal; /* NULL: not an error */
	const char *caching; /* of a page; NULL: not a page, and not to be stored */
	bool close;
	bool for_any_page; /* may be read by pages of any origin */
	bool goes_on; /* with a body of unknown length */
};

/* The head of an answer, allocated, with lws's headroom and `room` bytes behind it. */
static unsigned char *make_head(struct lws *wsi, const struct answer *answer, size_t room,
		size_t *ret_len)
{
	const struct px_peer *peer = lws_get_opaque_user_data(wsi);
	char own[PX_HTTP_HEADERS_MAX];
	char extra[EXTRA_MAX];
	if (px_http_headers(peer->vhost, answer->caching ? PX_HTTP_PAGE : PX_HTTP_DATA,
			answer->caching ? answer->caching : "no-store", own, sizeof(own)) < 0) {
		return NULL;
	}
	size_t size = PX_HTTP_HEADERS_MAX + 512 + (answer->location ? strlen(answer->location) : 0);
	unsigned char *buf = malloc(LWS_PRE + size + room);
	if (!buf) {
		return NULL;
	}
	/* Buffering by a proxy would delay lines. */
	char length[64] = "X-Accel-Buffering: no\r\n";
	if (!answer->goes_on) {
		(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", answer->body.len);
	}
	*ret_len = (size_t)snprintf((char *)buf + LWS_PRE, size,
			"HTTP/1.1 %d %s\r\n"
			"Content-Type: %s\r\n"
			"%s"
			"%s%s%s%s%s%s%s\r\n",
			answer->status, reason_of(answer->status), answer->type, length,
			own, extra_headers(wsi, answer->status, answer->refusal, extra),
			answer->location ? "Location: " : "",
			answer->location ? answer->location : "", answer->location ? "\r\n" : "",
			answer->for_any_page ? "Access-Control-Allow-Origin: *\r\n" : "",
			answer->close ? "Connection: close\r\n" : "");
	return buf;
}

static int write_answer(struct lws *wsi, const struct answer *answer)
{
	bool head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
	size_t body_len = head_only ? 0 : answer->body.len;
	size_t head_len;
	unsigned char *buf = make_head(wsi, answer, body_len, &head_len);
	if (!buf) {
		return -1;
	}
	memcpy(buf + LWS_PRE + head_len, answer->body.data, body_len);
	int n = lws_write(wsi, buf + LWS_PRE, head_len + body_len, LWS_WRITE_HTTP);
	free(buf);
	return n < 0 ? -1 : 0;
}

static void compose_error(struct px_json *json, const struct px_http_refusal *refusal)
{
	px_json_begin(json, NULL);
	px_json_open_object(json, "error");
	px_json_text(json, "code", refusal->code);
	px_json_text(json, "message", refusal->sentence);
	if (refusal->field) {
		px_json_text(json, "field", refusal->field);
	}
	if (refusal->reason) {
		px_json_text(json, "reason", refusal->reason);
	}
	px_json_close_object(json);
	px_json_end(json);
}

static const char *allowed_at(const struct px_vhost *vhost, struct px_span path)
{
	char text[256];
	if (path.len == 0 || path.len >= sizeof(text)) {
		return "GET, HEAD";
	}
	memcpy(text, path.data, path.len);
	text[path.len] = '\0';
	return vhost->server->hooks->allow(text);
}

size_t px_http_compose_error(const struct px_vhost *vhost, const struct px_http_head *head,
		const struct px_http_fault *fault, char *buf, size_t size)
{
	char own[PX_HTTP_HEADERS_MAX];
	struct px_json json;
	int status = fault->status;
	compose_error(&json, &(struct px_http_refusal){
		.code = fault->code,
		.sentence = fault->sentence,
		.reason = fault->reason,
	});
	if (json.failed || px_http_headers(vhost, PX_HTTP_DATA, "no-store", own, sizeof(own)) < 0) {
		px_json_finish(&json);
		return 0;
	}
	int n = snprintf(buf, size,
			"HTTP/1.1 %d %s\r\n"
			"Content-Type: application/json\r\n"
			"Content-Length: %zu\r\n"
			"%s%s%s%s%s"
			"Connection: close\r\n"
			"\r\n"
			"%.*s",
			status, reason_of(status), json.len, own, status == 405 ? "Allow: " : "",
			status == 405 ? allowed_at(vhost, head->path) : "", status == 405 ? "\r\n" : "",
			status == 503 ? "Retry-After: 5\r\n" : "",
			head->is_head ? 0 : (int)json.len, json.data);
	px_json_finish(&json);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static int write_error(struct lws *wsi, const struct px_http_refusal *refusal)
{
	struct px_json json;
	compose_error(&json, refusal);
	int rc = json.failed ? -1 : write_answer(wsi, &(struct answer){
		.status = refusal->status,
		.type = "application/json",
		.body = { json.data, json.len },
		.refusal = refusal,
		.close = true,
		.for_any_page = refusal->for_any_page,
	});
	px_json_finish(&json);
	return rc;
}

int px_http_refuse(struct lws *wsi, int status, const char *code, const char *sentence)
{
	return px_http_refuse_field(wsi, status, code, NULL, sentence);
}

int px_http_refuse_field(struct lws *wsi, int status, const char *code, const char *field,
		const char *sentence)
{
	return px_http_refuse_as(wsi, &(struct px_http_refusal){
		.status = status,
		.code = code,
		.field = field,
		.sentence = sentence,
	});
}

int px_http_refuse_as(struct lws *wsi, const struct px_http_refusal *refusal)
{
	return write_error(wsi, refusal) < 0 ? -1 : 1;
}

int px_http_redirect(struct lws *wsi, const char *location)
{
	struct answer answer = {
		.status = 308,
		.type = "text/plain; charset=utf-8",
		.body = px_span("Use HTTPS.\n"),
		.location = location,
		.close = true,
	};
	return write_answer(wsi, &answer) < 0 ? -1 : 1;
}

int px_http_done(void *user, struct lws *wsi)
{
	(void)user;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int px_http_answer(struct lws *wsi, int status, const char *type, struct px_span body)
{
	struct answer answer = { .status = status, .type = type, .body = body };
	if (write_answer(wsi, &answer) < 0) {
		return -1;
	}
	return px_http_done(NULL, wsi);
}

int px_http_answer_moved(struct lws *wsi, const char *location)
{
	struct answer answer = {
		.status = 301,
		.type = "text/plain; charset=utf-8",
		.body = px_span("This is a directory: its URL ends with a slash.\n"),
		.location = location,
	};
	return write_answer(wsi, &answer) < 0 ? -1 : px_http_done(NULL, wsi);
}

int px_http_answer_page(struct lws *wsi, const char *caching, struct px_span body)
{
	struct answer answer = {
		.status = 200,
		.type = "text/html; charset=utf-8",
		.caching = caching,
		.body = body,
	};
	return write_answer(wsi, &answer) < 0 ? -1 : px_http_done(NULL, wsi);
}

int px_http_begin(struct lws *wsi, const char *type)
{
	struct answer answer = {
		.status = 200,
		.type = type,
		.body = px_span(""),
		.close = true,
		.goes_on = true,
	};
	return write_answer(wsi, &answer);
}
