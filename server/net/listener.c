/* SPDX-License-Identifier: MIT */
/*
 * A listening socket: accepts connections, counts them, and passes them to lws one by one. So the
 * limit on connections applies before descriptors run out, when lws would spin.
 */
#include "core/server.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "core/answers.h"
#include "core/counters.h"
#include "core/hooks.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "listeners.h"
#include "peer.h"
#include "proxy_protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_EVENT 64
#define ACCEPTS_AT_END 4096
#define PAUSE_MS 200

static struct in6_addr address_of(const struct sockaddr_storage *from)
{
	struct in6_addr address = { 0 };
	if (from->ss_family == AF_INET6) {
		return ((const struct sockaddr_in6 *)from)->sin6_addr;
	}
	address.s6_addr[10] = 0xff;
	address.s6_addr[11] = 0xff;
	memcpy(&address.s6_addr[12], &((const struct sockaddr_in *)from)->sin_addr, 4);
	return address;
}

/*
 * Small writes must not wait for an ACK, and the kernel must not hide a slow reader behind
 * megabytes.
 */
static void tune(const struct px_server *server, int fd)
{
	int on = 1;
	int bytes = (int)server->config->global.send_buffer_bytes;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/*
 * Closes a connection that cannot be accepted, with an answer if it is plain HTTP. The client's
 * data is read first: closing with unread data would discard the answer.
 */
static void turn_away(const struct px_vhost *vhost, int fd, int status, const char *code,
		const char *sentence, int64_t wait_ms)
{
	char text[512];
	char unread[1024];
	size_t body_len = strlen("{'error':{'code':'','message':''}}") + strlen(code) +
			strlen(sentence);
	int len = snprintf(text, sizeof(text),
			"HTTP/1.1 %d %s\r\n"
			"Content-Type: application/json\r\n"
			"Content-Length: %zu\r\n"
			"Retry-After: %lld\r\n"
			"Connection: close\r\n"
			"\r\n"
			"{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
			status, status == 429 ? "Too Many Requests" : "Service Unavailable",
			body_len, (long long)px_retry_seconds(wait_ms), code, sentence);
	if (!vhost->tls && len > 0 && len < (int)sizeof(text)) {
		(void)!recv(fd, unread, sizeof(unread), MSG_DONTWAIT);
		(void)!send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(fd);
	vhost->server->refused++;
	vhost->server->refused_busy += status == 503;
	vhost->server->refused_often += status == 429;
}

/* Counts and refuses a connection that may not be opened now. */
static void refuse(struct px_peer *peer, int fd, int reason, int64_t wait_ms)
{
	bool full = reason == -ENOSPC;
	const char *code = full ? "unavailable" : "rate_limited";
	px_audit_events_refused(peer->vhost->server, peer, code);
	turn_away(peer->vhost, fd, full ? 503 : 429, code,
			full ? "The server is at its limit." :
			reason == -EMFILE ? "Too many connections are open from this address." :
			"This address opens connections too fast.", wait_ms);
	px_peer_destroy(peer);
}

void px_listener_give_to_lws(struct px_peer *peer, int fd)
{
	/* Closes the descriptor if it fails. */
	struct lws *wsi = lws_adopt_socket_vhost(peer->vhost->server->lws_vhost, fd);
	if (!wsi) {
		px_peer_destroy(peer);
		return;
	}
	lws_set_opaque_user_data(wsi, peer);
}

/* Connections through a trusted proxy are counted by client, once that is known. */
static void adopt(struct px_peer *peer, int fd)
{
	int64_t wait_ms = 0;
	int rc = px_config_is_trusted_proxy(peer->vhost->config, &peer->address) ? 0 :
			px_peer_count_address(peer, &wait_ms);
	if (rc < 0) {
		refuse(peer, fd, rc, wait_ms);
		return;
	}
	if (peer->vhost->server->hooks->begin(peer, fd) < 0) {
		turn_away(peer->vhost, fd, 503, "unavailable", "The server is out of memory.", 0);
		px_peer_destroy(peer);
	}
}

/* Waits for the PROXY header, if the connection comes from a trusted proxy. */
static void greet(struct px_peer *peer, int fd)
{
	struct px_server *server = peer->vhost->server;
	if (px_config_is_trusted_proxy(peer->vhost->config, &peer->address) &&
			px_pending_proxy_begin(peer, fd, adopt) == 0) {
		return;
	}
	px_log(PX_LOG_INFO, "vhost %s: closed a connection that does not come from a trusted proxy",
			peer->vhost->config->name);
	px_audit_events_refused(server, peer, "forbidden");
	close(fd);
	server->refused++;
	px_peer_destroy(peer);
}

static void take(struct px_listener *listener, int fd, const struct sockaddr_storage *from)
{
	struct px_server *server = listener->server;
	struct in6_addr address = address_of(from);
	struct px_peer *peer = server->connections < server->max_connections ?
			px_peer_create(listener->vhost, &address) : NULL;
	if (!peer) {
		server->limits[PX_LIMIT_CONNECTIONS]++;
		turn_away(listener->vhost, fd, 503, "unavailable",
				"The server has too many connections.", 0);
		return;
	}
	peer->fd = fd;
	tune(server, fd);
	if (listener->vhost->config->proxy_protocol) {
		greet(peer, fd);
	} else {
		adopt(peer, fd);
	}
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct px_listener *listener = timer->data;
	struct px_server *server = listener->server;
	if (server->spare_fd < 0) {
		server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (!uv_is_closing((uv_handle_t *)&listener->poll)) {
		uv_poll_start(&listener->poll, UV_READABLE, on_connection);
	}
}

/* Accepts up to `most` waiting connections. 0: no more for now, or -errno. */
static int take_some(struct px_listener *listener, int most)
{
	for (int i = 0; i < most; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t length = sizeof(from);
		int fd = accept4(listener->fd, (struct sockaddr *)&from, &length,
				SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take(listener, fd, &from);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			return -errno;
		} else if (errno == EAGAIN) {
			return 0;
		}
	}
	return 0;
}

/*
 * There are no descriptors left: refuses waiting connections one by one, using the reserved
 * descriptor. Otherwise they, and whoever asks /ready, would wait without an answer.
 */
static void refuse_waiting(struct px_listener *listener)
{
	struct px_server *server = listener->server;
	if (server->spare_fd < 0) {
		return;
	}
	close(server->spare_fd);
	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			break;
		}
		turn_away(listener->vhost, fd, 503, "unavailable",
				"The server has no file descriptors left.", 0);
	}
	server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct px_listener *listener = poll->data;
	(void)events;
	px_turn_begin(&listener->server->turn, uv_hrtime());
	int rc = status == 0 ? take_some(listener, ACCEPTS_PER_EVENT) : 0;
	if (rc < 0) {
		px_log(PX_LOG_ERROR, "%s: cannot accept connections: %s", listener->address,
				strerror(-rc));
		refuse_waiting(listener);
		uv_poll_stop(poll);
		uv_timer_start(&listener->pause, on_pause_over, PAUSE_MS, 0);
	}
}

void px_listener_start(struct px_listener *listener)
{
	uv_poll_init(&listener->server->loop, &listener->poll, listener->fd);
	uv_timer_init(&listener->server->loop, &listener->pause);
	listener->poll.data = listener;
	listener->pause.data = listener;
	listener->handles = 2;
	uv_poll_start(&listener->poll, UV_READABLE, on_connection);
	px_log(PX_LOG_NOTICE, "vhost %s: listening on %s", listener->vhost->config->name,
			listener->address);
}

static void on_closed(uv_handle_t *handle)
{
	struct px_listener *listener = handle->data;
	if (--listener->handles == 0) {
		free(listener);
	}
}

/* Connections that the kernel has accepted already must not be reset. */
void px_listener_stop(struct px_listener *listener)
{
	if (listener->handles == 0) {
		close(listener->fd);
		free(listener);
		return;
	}
	if (!listener->server->draining) {
		(void)take_some(listener, ACCEPTS_AT_END);
	}
	uv_close((uv_handle_t *)&listener->poll, on_closed);
	uv_close((uv_handle_t *)&listener->pause, on_closed);
	close(listener->fd);
	listener->fd = -1;
}
