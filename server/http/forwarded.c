/* SPDX-License-Identifier: MIT */
/*
 * See forwarded.h.
 *
 * Any header that proxies are known to set is a sign of a proxy, trusted or not: it can remove
 * permissions from a request, and never adds any. Of two headers that name clients, one may have
 * come from the client through a proxy that only knows the other. So if both are present they must
 * agree, unless "forwarded-header" says which one counts. X-Real-IP and the like are only signs: a
 * client can set them if its proxy does not.
 */
#include "forwarded.h"
#include "base/log.h"
#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"
#include "lws_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WARN_EVERY_MS 60000

/* Besides X-Forwarded-…, and those for which lws has tokens. */
static const char *const signs[] = {
	"forwarded", "x-forwarded", "x-real-ip", "via", "cf-connecting-ip", "cf-connecting-ipv6",
	"cf-ray", "cf-visitor", "cdn-loop", "true-client-ip", "fastly-client-ip", "fly-client-ip",
	"client-ip", "x-client-ip", "x-cluster-client-ip", "x-remote-ip", "x-remote-addr",
	"x-remote-host", "remote-addr", "proxy-client-ip", "wl-proxy-client-ip", "x-proxyuser-ip",
	"x-azure-clientip", "x-azure-socketip", "x-appengine-user-ip", "x-envoy-external-address",
	"x-envoy-peer-metadata", "x-original-for", "x-original-host", "x-original-proto",
	"x-original-url", "x-original-forwarded-for", "x-scheme", "x-url-scheme", "x-host",
	"x-real-host", "x-real-port", "x-amzn-trace-id", "x-amz-cf-id", "x-arr-ssl",
	"x-cloud-trace-context", "front-end-https", "proxy-connection", "x-varnish",
	"x-proxy-id", "x-bluecoat-via", "ali-cdn-real-ip", "x-nginx-proxy",
};

static const enum lws_token_indexes sign_tokens[] = {
	WSI_TOKEN_X_FORWARDED_FOR, WSI_TOKEN_HTTP_X_REAL_IP, WSI_TOKEN_HTTP_VIA, WSI_TOKEN_PROXY,
};

/* The lines of one header, joined with commas. */
struct lines {
	char *text;
	size_t len;
	size_t count;
};

struct head {
	bool is_shown;
	bool failed; /* there was no memory */
	struct lines forwarded;
	struct lines proto;
	struct lines host;
};

static bool is(struct px_span name, const char *wanted)
{
	return px_span_equal(name, px_span(wanted));
}

static bool is_sign(struct px_span name)
{
	static const char prefix[] = "x-forwarded-";
	if (name.len > sizeof(prefix) - 1 &&
			memcmp(name.data, prefix, sizeof(prefix) - 1) == 0) {
		return true;
	}
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (is(name, signs[i])) {
			return true;
		}
	}
	return false;
}

static void join(struct head *head, struct lines *lines, struct px_span value)
{
	char *text = realloc(lines->text, lines->len + value.len + 2);
	if (!text) {
		head->failed = true;
		return;
	}
	if (lines->count++ > 0) {
		text[lines->len++] = ',';
	}
	memcpy(text + lines->len, value.data, value.len);
	lines->len += value.len;
	text[lines->len] = '\0';
	lines->text = text;
}

static void on_line(void *user, struct px_span name, struct px_span value)
{
	struct head *head = user;
	head->is_shown |= is_sign(name);
	if (is(name, "forwarded")) {
		join(head, &head->forwarded, value);
	} else if (is(name, "x-forwarded-proto")) {
		join(head, &head->proto, value);
	} else if (is(name, "x-forwarded-host")) {
		join(head, &head->host, value);
	}
}

static int read_head(struct lws *wsi, const void *within, struct head *ret_head)
{
	*ret_head = (struct head){ .is_shown = false };
	for (size_t i = 0; i < sizeof(sign_tokens) / sizeof(sign_tokens[0]); i++) {
		ret_head->is_shown |= px_head_has(wsi, sign_tokens[i]);
	}
	int rc = px_head_walk(wsi, within, on_line, ret_head);
	return rc < 0 ? rc : ret_head->failed ? -ENOMEM : 0;
}

static void finish_head(struct head *head)
{
	free(head->forwarded.text);
	free(head->proto.text);
	free(head->host.text);
}

/* X-Forwarded-For; NULL without memory. Limited by lws's limit on headers. */
static char *copy_forwarded_for(struct lws *wsi)
{
	int len = lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR);
	char *list = calloc(1, (size_t)len + 1);
	if (list && len > 0 && lws_hdr_copy(wsi, list, len + 1, WSI_TOKEN_X_FORWARDED_FOR) < 0) {
		list[0] = '\0'; /* unknown client */
	}
	return list;
}

/* The client according to X-Forwarded-For. */
static int ask_legacy(const struct px_peer *peer, struct lws *wsi,
		struct px_forwarded_client *ret_client)
{
	char *list = copy_forwarded_for(wsi);
	if (!list) {
		return -ENOMEM;
	}
	px_forwarded_for_read(peer->vhost->config, px_span(list), &peer->own_address, ret_client);
	free(list);
	return 0;
}

/* The client according to the headers that count; unknown if a proxy sent none of these. */
static int ask(const struct px_peer *peer, struct lws *wsi, const struct head *head,
		struct px_forwarded_client *ret_client)
{
	enum px_config_forwarded which = peer->vhost->config->forwarded_header;
	bool has_legacy = which != PX_CONFIG_FORWARDED_STANDARD &&
			px_head_has(wsi, WSI_TOKEN_X_FORWARDED_FOR);
	bool has_standard = which != PX_CONFIG_FORWARDED_LEGACY && head->forwarded.count > 0;
	struct px_forwarded_client legacy = { .address = in6addr_any };
	int rc = has_legacy ? ask_legacy(peer, wsi, &legacy) : 0;
	if (rc < 0) {
		return rc;
	}
	*ret_client = legacy;
	if (has_standard) {
		px_forwarded_read(peer->vhost->config,
				(struct px_span){ head->forwarded.text, head->forwarded.len },
				&peer->own_address, ret_client);
	}
	if (has_standard && has_legacy && memcmp(&legacy.address, &ret_client->address,
			sizeof(legacy.address)) != 0) {
		ret_client->address = in6addr_any;
	}
	return 0;
}

/* The first of a list, which the client used: browsers do not let pages set such a header. */
static void copy_first(const struct lines *lines, char *buf, size_t size)
{
	const char *text = lines->text ? lines->text : "";
	text += strspn(text, " \t");
	size_t len = strcspn(text, ", \t");
	if (len > 0 && len < size) {
		memcpy(buf, text, len);
		buf[len] = '\0';
	}
}

/*
 * The statements of trusted proxies about the request. If the connection began with a PROXY header,
 * the address is known.
 */
static int believe(const struct px_peer *peer, struct lws *wsi, const struct head *head,
		struct px_forwarded *forwarded)
{
	bool is_nearest = px_config_is_trusted_proxy(peer->vhost->config, &peer->own_address);
	struct px_forwarded_client client = { .proto = "" };
	int rc = is_nearest ? ask(peer, wsi, head, &client) : 0;
	if (rc < 0 || (!is_nearest && !peer->is_proxied)) {
		return rc;
	}
	if (is_nearest) {
		forwarded->address = client.address;
	}
	if (peer->vhost->config->forwarded_header != PX_CONFIG_FORWARDED_STANDARD) {
		if (client.proto[0] == '\0') {
			copy_first(&head->proto, client.proto, sizeof(client.proto));
		}
		if (client.host[0] == '\0') {
			copy_first(&head->host, client.host, sizeof(client.host));
		}
	}
	if (client.proto[0] != '\0') {
		forwarded->is_https = strcasecmp(client.proto, "https") == 0 ||
				strcasecmp(client.proto, "wss") == 0;
	}
	if (client.host[0] != '\0') {
		memcpy(forwarded->host, client.host, sizeof(client.host));
	}
	return 0;
}

int px_forwarded_find(const struct px_peer *peer, struct lws *wsi,
		struct px_forwarded *ret_forwarded)
{
	struct head head;
	struct px_forwarded forwarded = {
		.address = peer->own_address,
		.is_https = peer->vhost->tls || peer->is_https,
	};
	int rc = read_head(wsi, peer->head, &head);
	if (lws_hdr_copy(wsi, forwarded.host, sizeof(forwarded.host), WSI_TOKEN_HOST) < 0) {
		forwarded.host[0] = '\0';
	}
	forwarded.is_shown = head.is_shown || peer->is_proxied;
	forwarded.is_masked = head.is_shown &&
			!px_config_is_trusted_proxy(peer->vhost->config, &peer->own_address);
	if (rc == 0 && head.is_shown) {
		rc = believe(peer, wsi, &head, &forwarded);
	}
	finish_head(&head);
	if (rc == 0) {
		*ret_forwarded = forwarded;
	}
	return rc == -ENOMEM ? rc : rc < 0 ? -EPROTO : 0;
}

/* Unknown clients share their limits, which an operator would not notice otherwise. */
static void warn(const struct px_peer *peer)
{
	struct px_server *server = peer->vhost->server;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	if (now_ms >= server->unknown_client_warning_ms) {
		server->unknown_client_warning_ms = now_ms + WARN_EVERY_MS;
		px_log(PX_LOG_WARNING, "vhost %s: a trusted proxy sends no valid X-Forwarded-For or "
				"Forwarded; all such clients count as one", peer->vhost->config->name);
	}
}

int px_peer_read_head(struct px_peer *peer, struct lws *wsi)
{
	struct px_forwarded forwarded;
	int rc = px_forwarded_find(peer, wsi, &forwarded);
	peer->address = rc < 0 ? in6addr_any : forwarded.address;
	peer->is_forwarded = rc < 0 || forwarded.is_shown;
	peer->is_masked = rc < 0 || forwarded.is_masked;
	if (rc == 0 && px_address_is_unknown(&peer->address)) {
		warn(peer);
	}
	return rc;
}
