/* SPDX-License-Identifier: MIT */
/*
 * The one lws context, and the one lws vhost. lws chooses among vhosts by a prefix of whatever
 * `Host` a client sends, so there are no others, and TLS ends before it (frontend/stream.c). Which
 * of the configuration's vhosts a connection belongs to follows from the socket that it came in by.
 *
 * Protocol 0 is the unified session's, also for clients that name no subprotocol; then there
 * is one for each service that could ever be loaded. lws copies the list when it makes a
 * vhost, and nothing can be added to it later; but of the names it keeps pointers, so a
 * service that comes with a reload gets its subprotocol when its name is written to where
 * one of them points. (Rejected: another lws vhost for each such service. lws cannot take
 * any away again, and a client's `Host` could still move a connection to an old one.)
 *
 * Each has a pvo, since lws 4.3 initialises only those that have one.
 */
#include "core/server.h"
#include "base/log.h"
#include "base/rx_memory.h"
#include "core/answers.h"
#include "lws.h"

#include <errno.h>
#include <praxis/plugin.h>
#include <stdio.h>

/* What one read may bring. lws asks for LWS_PRE more in front, and 4 bytes behind. */
#define RX_BYTES (PX_RX_MEMORY_BYTES - LWS_PRE - 4)

/* A pong is the one frame whose payload lws has written into the receive buffer for us. */
static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		size_t len)
{
	int rc = px_lws_callback(wsi, reason, user, in, len);
	if (reason == LWS_CALLBACK_RECEIVE_PONG) {
		px_rx_memory_forget(in);
	}
	return rc;
}

static const struct lws_protocols unified = {
	.name = "praxis.v1",
	.callback = callback,
	.per_session_data_size = PX_LWS_SESSION_BYTES,
	.rx_buffer_size = RX_BYTES,
	.tx_packet_size = PX_LWS_TX_BYTES,
};

/* Disables lws's timers: each would be in a list that is searched from its head. */
static const lws_retry_bo_t no_pings = { 0 };

static void list_protocols(struct px_server *server)
{
	server->protocols[0] = unified;
	for (size_t i = 0; i < PX_SERVICES_MAX; i++) {
		server->protocols[i + 1] = unified;
		server->protocols[i + 1].name = server->protocol_names[i];
	}
	for (size_t i = 0; i <= PX_SERVICES_MAX; i++) {
		server->pvos[i].name = server->protocols[i].name;
		server->pvos[i].value = "";
		server->pvos[i].next = i < PX_SERVICES_MAX ? &server->pvos[i + 1] : NULL;
	}
}

void px_context_name_services(struct px_server *server)
{
	for (size_t i = 0; i < server->plugin_count; i++) {
		char *name = server->protocol_names[i];
		(void)snprintf(name, sizeof(server->protocol_names[i]), "%s",
				server->plugins[i].name);
	}
}

/* The vhost, and the context. */
static struct lws_context_creation_info describe(struct px_server *server)
{
	return (struct lws_context_creation_info){
		.port = CONTEXT_PORT_NO_LISTEN,
		.vhost_name = "praxis",
		.protocols = server->protocols,
		.pvo = server->pvos,
		.user = server->lws,
		.pcontext = &server->context,
		.retry_and_idle_policy = &no_pings,
		.max_http_header_data = 2 * PX_TOKEN_HEADER_BYTES, /* a token, and cookies besides */
		.gid = -1,
		.uid = -1,
		/* UTF-8 is validated by the adapter, many bytes at a time. */
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.pt_serv_buf_size = 2 * PX_HTTP_HEADERS_MAX, /* for the headers of a file, too */
	};
}

static int create_vhost(struct px_server *server, const struct lws_context_creation_info *info)
{
	server->lws_vhost = lws_create_vhost(server->context, info);
	if (!server->lws_vhost) {
		px_log(PX_LOG_ERROR, "libwebsockets cannot create a vhost");
	}
	/* It has set a timer, which it would otherwise only see with its next event. */
	lws_cancel_service(server->context);
	return server->lws_vhost ? 0 : -ENOMEM;
}

int px_context_create(struct px_server *server, const struct px_config *config,
		const struct px_lws_hooks *hooks)
{
	void *loops[] = { &server->loop };
	struct px_lws_hooks own = *hooks;
	own.user = server;
	int rc = px_lws_create(server->broker, &own,
			config->global.max_message_bytes, &server->lws);
	if (rc < 0) {
		return rc;
	}
	list_protocols(server);
	lws_set_log_level(px_log_lws_levels(), px_log_lws);
	struct lws_context_creation_info info = describe(server);
	info.foreign_loops = loops;
	server->context = lws_create_context(&info);
	if (!server->context) {
		px_log(PX_LOG_ERROR, "libwebsockets does not start; is its libuv plugin installed "
				"(package libwebsockets-evlib-uv)?");
		return -ENOTSUP;
	}
	struct lws_context_creation_info vhost = describe(server);
	return create_vhost(server, &vhost);
}

/*
 * With a foreign libuv loop, 4.1.6 needs two calls: the first closes lws's handles, and the second
 * frees the rest when the loop has closed them. lws sets server->context to NULL when it is done,
 * whichever call that was.
 */
void px_context_destroy(struct px_server *server)
{
	if (server->context) {
		px_lws_stop(server->lws);
		lws_context_destroy(server->context);
	}
}
