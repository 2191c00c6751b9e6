/* SPDX-License-Identifier: MIT */
/*
 * The one lws context. lws chooses among vhosts by a prefix of whatever `Host` a client
 * sends, so there are only as many as TLS demands: one for all that is not encrypted, and
 * one for each vhost of the configuration that has TLS of its own. Which of the
 * configuration's vhosts a connection belongs to follows from the socket that it came in by.
 *
 * Protocol 0 is the unified session's, also for clients that name no subprotocol; then one
 * for each service. Each has a pvo, since lws 4.3 initialises only those that have one.
 */
#include "server.h"

#include "credentials.h"
#include "log.h"
#include "tls.h"

#include <errno.h>
#include <praxis/plugin.h>

static const struct lws_protocols unified = {
	.name = "praxis.v1",
	.callback = px_tls_callback,
	.per_session_data_size = PX_LWS_SESSION_BYTES,
	.rx_buffer_size = PX_LWS_RX_BYTES,
	.tx_packet_size = PX_LWS_TX_BYTES,
};

/* Keeps lws's timers out of it: each would sit in a list that is walked from its head. */
static const lws_retry_bo_t no_pings = { 0 };

static void list_protocols(struct px_server *server)
{
	server->protocols[0] = unified;
	for (size_t i = 0; i < server->plugin_count; i++) {
		server->protocols[i + 1] = *server->plugins[i].protocol;
	}
	for (size_t i = 0; i <= server->plugin_count; i++) {
		server->pvos[i].name = server->protocols[i].name;
		server->pvos[i].value = "";
		server->pvos[i].next = i < server->plugin_count ? &server->pvos[i + 1] : NULL;
	}
}

static void on_begin_turn(void *user)
{
	struct px_server *server = user;
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	px_broker_set_time(server->broker, (int64_t)uv_now(&server->loop),
			(int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000);
}

/* lws 4.1.6 comes here with nothing left of a request that it refused itself. */
static int on_upgrade(void *user, struct lws *wsi)
{
	int rc = lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) == 0 ? -1 : px_gate_pass(wsi);
	return rc != 0 ? rc : px_upgrade_decide(user, wsi);
}

static int on_http(void *user, struct lws *wsi, const char *path)
{
	return px_gate_pass(wsi) != 0 ? -1 : px_http_request(user, wsi, path);
}

static const struct px_lws_hooks hooks = {
	.begin_turn = on_begin_turn,
	.upgrade = on_upgrade,
	.accept = px_upgrade_accept,
	.http = on_http,
	.http_done = px_http_done,
	.http_body = px_api_body,
	.http_body_end = px_api_end,
	.gone = px_peer_gone,
};

static bool any_tls(const struct px_server *server)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		if (server->vhosts[i].tls) {
			return true;
		}
	}
	return false;
}

static int create_tls_vhost(struct px_server *server, struct px_vhost *vhost,
		const struct lws_context_creation_info *info)
{
	struct lws_context_creation_info own = *info;
	px_tls_describe(vhost->tls, &own);
	vhost->lws_vhost = lws_create_vhost(server->context, &own);
	return !vhost->lws_vhost ? -ENOMEM : px_tls_settle(vhost->tls);
}

static int create_vhosts(struct px_server *server, const struct lws_context_creation_info *info)
{
	struct lws_vhost *plain = lws_create_vhost(server->context, info);
	int rc = plain ? 0 : -ENOMEM;
	for (size_t i = 0; rc == 0 && i < server->vhost_count; i++) {
		struct px_vhost *vhost = &server->vhosts[i];
		vhost->lws_vhost = plain;
		rc = vhost->tls ? create_tls_vhost(server, vhost, info) : 0;
	}
	if (rc < 0) {
		px_log(PX_LOG_ERROR, "libwebsockets can not make a vhost");
	}
	return rc;
}

int px_context_create(struct px_server *server)
{
	void *loops[] = { &server->loop };
	struct px_lws_hooks own = hooks;
	own.user = server;
	int rc = px_lws_create(server->broker, &own,
			server->config->global.max_message_bytes, &server->lws);
	if (rc < 0) {
		return rc;
	}
	list_protocols(server);
	lws_set_log_level(px_log_lws_levels(), px_log_lws);
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.vhost_name = "praxis",
		.protocols = server->protocols,
		.pvo = server->pvos,
		.user = server->lws,
		.pcontext = &server->context,
		.foreign_loops = loops,
		.retry_and_idle_policy = &no_pings,
		.max_http_header_data = 2 * PX_TOKEN_HEADER_BYTES, /* a token, and cookies besides */
		.gid = -1,
		.uid = -1,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
				LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.pt_serv_buf_size = 2 * PX_HTTP_HEADERS_MAX, /* the head of a file, too */
	};
	if (any_tls(server)) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	}
	server->context = lws_create_context(&info);
	if (!server->context) {
		px_log(PX_LOG_ERROR, "libwebsockets does not start; is its libuv plugin installed "
				"(package libwebsockets-evlib-uv)?");
		return -ENOTSUP;
	}
	info.options &= ~LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	return create_vhosts(server, &info);
}

/*
 * With a foreign libuv loop this takes two calls on 4.1.6: the first closes lws's handles,
 * and when the loop has seen to them the second frees the rest. lws sets server->context to
 * NULL when it is done, whichever call that was.
 */
void px_context_destroy(struct px_server *server)
{
	if (server->context) {
		lws_context_destroy(server->context);
	}
}
