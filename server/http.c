/* SPDX-License-Identifier: MIT */
/*
 * Plain HTTP: health, readiness, statistics, static files, and answers in JSON. Answers are
 * written whole and by hand: on the paths where an upgrade is refused lws's own helpers
 * would answer as HTTP/1.0.
 */
#include "server.h"

#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *reason_of(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 411: return "Length Required";
	case 426: return "Upgrade Required";
	case 503: return "Service Unavailable";
	default: return "Internal Server Error";
	}
}

/* What a status asks for besides. */
static const char *extra_headers(int status)
{
	switch (status) {
	case 405: return "Allow: GET, HEAD\r\n";
	case 426: return "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
	case 503: return "Retry-After: 5\r\n";
	default: return "";
	}
}

/* The vhost's own headers, as lines; -1: they do not fit. */
int px_http_headers(const struct px_vhost *vhost, char *buf, size_t size)
{
	size_t at = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < vhost->config->header_count; i++) {
		const struct px_config_header *header = &vhost->config->headers[i];
		int len = snprintf(buf + at, size - at, "%s: %s\r\n", header->name, header->value);
		if (len < 0 || (size_t)len >= size - at) {
			return -1;
		}
		at += (size_t)len;
	}
	return (int)at;
}

static int write_answer(struct lws *wsi, int status, const char *type, struct px_span body,
		bool close)
{
	const struct px_peer *peer = lws_get_opaque_user_data(wsi);
	char own[PX_HTTP_HEADERS_MAX];
	char head[PX_HTTP_HEADERS_MAX + 512];
	if (px_http_headers(peer->vhost, own, sizeof(own)) < 0) {
		return -1;
	}
	int head_len = snprintf(head, sizeof(head),
			"HTTP/1.1 %d %s\r\n"
			"Content-Type: %s\r\n"
			"Content-Length: %zu\r\n"
			"Cache-Control: no-store\r\n"
			"X-Content-Type-Options: nosniff\r\n"
			"%s%s%s\r\n",
			status, reason_of(status), type, body.len, own, extra_headers(status),
			close ? "Connection: close\r\n" : "");
	bool head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
	size_t body_len = head_only ? 0 : body.len;
	unsigned char *answer = malloc(LWS_PRE + (size_t)head_len + body_len);
	if (!answer) {
		return -1;
	}
	memcpy(answer + LWS_PRE, head, (size_t)head_len);
	memcpy(answer + LWS_PRE + head_len, body.data, body_len);
	int n = lws_write(wsi, answer + LWS_PRE, (size_t)head_len + body_len, LWS_WRITE_HTTP);
	free(answer);
	return n < 0 ? -1 : 0;
}

static int write_error(struct lws *wsi, int status, const char *code, const char *sentence)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_open_object(&json, "error");
	px_json_text(&json, "code", code);
	px_json_text(&json, "message", sentence);
	px_json_close_object(&json);
	px_json_end(&json);
	int rc = json.failed ? -1 : write_answer(wsi, status, "application/json",
			(struct px_span){ json.data, json.len }, true);
	px_json_finish(&json);
	return rc;
}

int px_http_refuse(struct lws *wsi, int status, const char *code, const char *sentence)
{
	return write_error(wsi, status, code, sentence) < 0 ? -1 : 1;
}

int px_http_done(void *user, struct lws *wsi)
{
	(void)user;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int px_http_answer(struct lws *wsi, int status, const char *type, struct px_span body)
{
	if (write_answer(wsi, status, type, body, false) < 0) {
		return -1;
	}
	return px_http_done(NULL, wsi);
}

/* An error ends the connection: what may follow of the request is not worth reading. */
static int fail(struct lws *wsi, int status, const char *code, const char *sentence)
{
	write_error(wsi, status, code, sentence);
	return -1;
}

static int answer_statistics(struct px_server *server, struct lws *wsi)
{
	struct px_json json;
	px_statistics_write(server, &json);
	int rc = json.failed ? -1 : px_http_answer(wsi, 200, "application/json",
			(struct px_span){ json.data, json.len });
	px_json_finish(&json);
	return rc;
}

static int answer_ready(const struct px_server *server, struct lws *wsi)
{
	return server->draining ?
			fail(wsi, 503, "unavailable", "The server is about to end.") :
			px_http_answer(wsi, 200, "application/json", px_span("{\"ready\":true}"));
}

int px_http_request(void *user, struct lws *wsi, const char *path)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	if (!peer) {
		return -1;
	}
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0 &&
			lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) == 0) {
		return fail(wsi, 405, "bad_request", "Only GET and HEAD are known here.");
	}
	if (strcmp(path, "/health") == 0) {
		return px_http_answer(wsi, 200, "application/json", px_span("{\"healthy\":true}"));
	}
	if (strcmp(path, "/ready") == 0) {
		return answer_ready(server, wsi);
	}
	if (strcmp(path, "/stats") == 0) {
		return answer_statistics(server, wsi);
	}
	if (strcmp(path, peer->vhost->config->path) == 0) {
		return fail(wsi, 426, "bad_request", "This path is for WebSocket connections.");
	}
	int rc = px_files_serve(server, peer->vhost, wsi, path);
	return rc == 1 ? fail(wsi, 404, "not_found", "There is nothing at this path.") : rc;
}
