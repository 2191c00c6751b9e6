/* SPDX-License-Identifier: MIT */
/*
 * The one lws context and its one vhost. lws chooses among vhosts by a prefix of whatever
 * `Host` a client sends; with a single one there is nothing to choose, and which of the
 * configuration's vhosts a connection belongs to follows from the socket that it came in by.
 *
 * Protocol 0 is the unified session's, also for clients that name no subprotocol; then one
 * for each service. Each has a pvo, since lws 4.3 initialises only those that have one.
 */
#include "server.h"

#include "log.h"

#include <errno.h>
#include <praxis/plugin.h>

static const struct lws_protocols unified = {
	.name = "praxis.v1",
	.callback = px_lws_callback,
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

static const struct px_lws_hooks hooks = {
	.begin_turn = on_begin_turn,
	.upgrade = px_upgrade_decide,
	.accept = px_upgrade_accept,
	.http = px_http_request,
	.http_done = px_http_done,
	.gone = px_peer_gone,
};

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
		.gid = -1,
		.uid = -1,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
				LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
				LWS_SERVER_OPTION_HTTP_HEADERS_SECURITY_BEST_PRACTICES_ENFORCE,
	};
	server->context = lws_create_context(&info);
	if (!server->context) {
		px_log(PX_LOG_ERROR, "libwebsockets does not start; is its libuv plugin installed "
				"(package libwebsockets-evlib-uv)?");
		return -ENOTSUP;
	}
	server->lws_vhost = lws_create_vhost(server->context, &info);
	return server->lws_vhost ? 0 : -ENOMEM;
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
