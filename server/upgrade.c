/* SPDX-License-Identifier: MIT */
/*
 * Who is let in. lws checks neither path, method, version nor what a subprotocol's list
 * holds, so all of it is checked here, before the upgrade, and answered in JSON
 * (docs/protocol.md, section 1). What was found waits in the peer until the session opens.
 *
 * Headers are read with lws_hdr_copy() alone: lws 4.1.6 calls this hook with a dangling
 * pointer after it refused an upgrade itself (CVE-2025-11677).
 */
#include "server.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* lws has 127 bytes for the whole list and 63 for a name, and drops what is longer. */
#define SUBPROTOCOLS_MAX 126
#define SUBPROTOCOL_MAX 63
#define UNIFIED "praxis.v1"

static int refuse(struct lws *wsi, const struct px_peer *peer, int status, const char *code,
		const char *sentence)
{
	px_log(PX_LOG_INFO, "vhost %s: an upgrade was refused with %d: %s",
			peer->vhost->config->name, status, sentence);
	peer->vhost->server->refused++;
	return px_http_refuse(wsi, status, code, sentence);
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

/* NULL: fine. A list is walked as lws walks it: the first name that is known wins. */
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
			return "This vhost does not offer the service that was asked for.";
		}
	}
	return "None of the subprotocols is known here.";
}

static bool path_is(struct lws *wsi, const char *wanted)
{
	char path[256];
	int len = lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI);
	return len > 0 && strcmp(path, wanted) == 0;
}

int px_upgrade_decide(void *user, struct lws *wsi)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	if (!peer || lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0) {
		return -1;
	}
	if (!header_is(wsi, WSI_TOKEN_UPGRADE, "websocket")) {
		return refuse(wsi, peer, 400, "bad_request", "Only an upgrade to websocket is known.");
	}
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0) {
		return refuse(wsi, peer, 405, "bad_request", "A WebSocket begins with GET.");
	}
	if (!path_is(wsi, peer->vhost->config->path)) {
		return refuse(wsi, peer, 404, "not_found", "There is no WebSocket at this path.");
	}
	if (!header_is(wsi, WSI_TOKEN_VERSION, "13")) {
		return refuse(wsi, peer, 426, "bad_request", "Only WebSocket version 13 is known.");
	}
	if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) == 0) {
		return refuse(wsi, peer, 400, "bad_request", "Sec-WebSocket-Key is missing.");
	}
	if (server->draining) {
		return refuse(wsi, peer, 503, "unavailable", "The server is about to end.");
	}
	const char *fault = subprotocol_fault(peer, wsi);
	if (fault) {
		return refuse(wsi, peer, 400, "bad_request", fault);
	}
	px_identity_destroy(server->broker, peer->identity);
	peer->identity = NULL;
	switch (px_open_mode_identify(peer->vhost, wsi, &peer->identity)) {
	case 0:
		return 0;
	case -EINVAL:
		return refuse(wsi, peer, 400, "bad_request",
				"practiceId, userId, userName or role in the query can not be used.");
	default:
		return refuse(wsi, peer, 503, "unavailable", "The server is at its limit.");
	}
}

int px_upgrade_accept(void *user, struct lws *wsi, struct px_session_params *ret_params)
{
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	(void)user;
	if (!peer || !peer->identity) {
		return -EINVAL;
	}
	ret_params->site = &peer->vhost->site;
	ret_params->identity = peer->identity;
	ret_params->service = peer->service;
	ret_params->versioned = peer->versioned;
	peer->identity = NULL;
	return 0;
}

void px_peer_gone(void *user, struct lws *wsi)
{
	struct px_server *server = user;
	struct px_peer *peer = lws_get_opaque_user_data(wsi);
	if (peer) {
		lws_set_opaque_user_data(wsi, NULL);
		px_identity_destroy(server->broker, peer->identity);
		server->connections--;
		free(peer);
	}
}
