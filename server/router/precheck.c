/* SPDX-License-Identifier: MIT */
/*
 * Checks of every request, upgrade or not, before it is routed: its vhost still exists, its
 * connection was made for that vhost, and the vhost does not only redirect.
 */
#include "core/server.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http/forwarded.h"
#include "http/http.h"
#include "http/location.h"
#include "net/tls.h"
#include "upgrade.h"

#include <stdio.h>
#include <string.h>

#define HOST_MAX 255
#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define PIECE_MAX 2048

/* Length of the host in "host", "host:port" or "[v6]:port"; 0: none of these. */
static size_t host_length(const char *host)
{
	size_t len;
	if (host[0] == '[') {
		len = strspn(host + 1, "0123456789ABCDEFabcdef:.") + 1;
		if (len == 1 || host[len] != ']') {
			return 0;
		}
		len++;
	} else {
		len = strspn(host, ALNUM ".-");
	}
	if (host[len] == ':') {
		size_t digits = strspn(host + len + 1, "0123456789");
		return digits <= 5 && host[len + 1 + digits] == '\0' ? len : 0;
	}
	return host[len] == '\0' ? len : 0;
}

static void add_path(struct px_location *location, struct lws *wsi)
{
	static const enum lws_token_indexes methods[] = {
		WSI_TOKEN_GET_URI,
		WSI_TOKEN_HEAD_URI,
		WSI_TOKEN_POST_URI,
		WSI_TOKEN_PUT_URI,
		WSI_TOKEN_DELETE_URI,
		WSI_TOKEN_OPTIONS_URI,
		WSI_TOKEN_PATCH_URI,
	};
	char path[PIECE_MAX];
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (lws_hdr_total_length(wsi, methods[i]) > 0) {
			int len = lws_hdr_copy(wsi, path, sizeof(path), methods[i]);
			location->failed |= len <= 0 || path[0] != '/';
			px_location_encode(location, path, len > 0 ? (size_t)len : 0, "/!$&'()*,;=:@");
			return;
		}
	}
	px_location_add(location, "/", 1);
}

static int redirect(const struct px_peer *peer, struct lws *wsi)
{
	unsigned port = peer->vhost->config->redirect_to_https;
	char host[HOST_MAX + 1] = "";
	char suffix[8] = "";
	struct px_location location = { .len = 0 };
	int len = lws_hdr_copy(wsi, host, sizeof(host), WSI_TOKEN_HOST);
	size_t host_len = len > 0 && strlen(host) == (size_t)len ? host_length(host) : 0;
	if (host_len == 0) {
		return px_http_refuse(wsi, 400, "bad_request",
				"The Host header is missing or invalid.");
	}
	if (port != 443) {
		(void)snprintf(suffix, sizeof(suffix), ":%u", port);
	}
	px_location_add(&location, "https://", 8);
	px_location_add(&location, host, host_len);
	px_location_add(&location, suffix, strlen(suffix));
	add_path(&location, wsi);
	px_location_add_query(&location, wsi);
	if (location.failed) {
		return px_http_refuse(wsi, 400, "bad_request",
				"The path or the query is too long.");
	}
	return px_http_redirect(wsi, location.text);
}

int px_precheck_pass(struct lws *wsi, const void *within)
{
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	if (!peer) {
		return -1;
	}
	peer->head = within;
	/*
	 * lws repeats the callback for the same request if more arrives while it still sends the
	 * answer.
	 */
	if (lws_partial_buffered(wsi)) {
		return -1;
	}
	if (px_peer_read_head(peer, wsi) < 0) {
		return px_http_refuse(wsi, 400, "bad_request",
				"The request's header is invalid: a line has no colon, or its name is the "
				"beginning of another header's name.");
	}
	if (peer->vhost->is_retired) {
		return px_http_refuse(wsi, 503, "unavailable",
				"The vhost of this connection was changed or removed.");
	}
	const char *fault = px_tls_fault(peer->vhost, peer);
	if (fault) {
		return px_http_refuse(wsi, 421, "forbidden", fault);
	}
	return peer->vhost->config->redirect_to_https != 0 ? redirect(peer, wsi) : 0;
}
