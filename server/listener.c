/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets, ours and not lws's: so that a drain can close them while the others
 * live on, and a limit on connections holds before descriptors run out (at EMFILE lws would
 * spin). SO_REUSEPORT is not set: it would let a second server take half of the clients
 * where a plain "address in use" is the better answer.
 */
#include "server.h"

#include "log.h"
#include "proxy_protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define ACCEPTS_PER_EVENT 64
#define PAUSE_MS 200

static void format_address(const struct sockaddr_storage *address, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";
	if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(buf, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(buf, size, "%s:%u", host, ntohs(in->sin_port));
	}
}

static int open_socket(const struct px_config_address *wanted)
{
	int on = 1;
	int family = wanted->address.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	int rc = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (rc == 0 && family == AF_INET6) {
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (rc == 0) {
		rc = bind(fd, (const struct sockaddr *)&wanted->address, wanted->length);
	}
	if (rc == 0) {
		rc = listen(fd, BACKLOG);
	}
	if (rc < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static void complain(const struct px_config_vhost *config, const char *address, int error,
		const struct px_config_sink *sink)
{
	char text[512];
	snprintf(text, sizeof(text), "%s:%u: vhost \"%s\": port: can not listen on %s: %s",
			config->file->name, config->line, config->name, address, strerror(error));
	sink->on_complaint(sink->user, PX_CONFIG_ERROR, text);
}

/* 0, also where an optional address is not to be had on this machine. */
static int open_listener(struct px_vhost *vhost, const struct px_config_address *wanted,
		const struct px_config_sink *sink)
{
	struct px_listener *listener = &vhost->listeners[vhost->listener_count];
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	int fd = open_socket(wanted);
	if (fd < 0) {
		if (wanted->optional && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)) {
			return 0;
		}
		format_address(&wanted->address, listener->address, sizeof(listener->address));
		complain(vhost->config, listener->address, -fd, sink);
		return fd;
	}
	getsockname(fd, (struct sockaddr *)&bound, &length);
	format_address(&bound, listener->address, sizeof(listener->address));
	listener->server = vhost->server;
	listener->vhost = vhost;
	listener->fd = fd;
	vhost->listener_count++;
	return 0;
}

int px_listeners_open(struct px_server *server, const struct px_config_sink *sink)
{
	for (size_t v = 0; v < server->vhost_count; v++) {
		struct px_vhost *vhost = &server->vhosts[v];
		vhost->listeners = calloc(vhost->config->address_count, sizeof(*vhost->listeners));
		if (!vhost->listeners) {
			return -ENOMEM;
		}
		for (size_t a = 0; a < vhost->config->address_count; a++) {
			int rc = open_listener(vhost, &vhost->config->addresses[a], sink);
			if (rc < 0) {
				return rc;
			}
		}
		if (vhost->listener_count == 0) {
			complain(vhost->config, "any of its addresses", EADDRNOTAVAIL, sink);
			return -EADDRNOTAVAIL;
		}
	}
	return 0;
}

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

/* Small writes must not wait for an ACK, nor the kernel hide a slow reader behind megabytes. */
static void tune(const struct px_server *server, int fd)
{
	int on = 1;
	int bytes = (int)server->config->global.send_buffer_bytes;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/*
 * Closes a connection that can not be taken, with an answer where it can be read. What the
 * client sent is read first: closing with that unread would take the answer back.
 */
static void turn_away(const struct px_vhost *vhost, int fd, int status, const char *code,
		const char *sentence)
{
	char text[512];
	char unread[1024];
	size_t body_len = strlen("{'error':{'code':'','message':''}}") + strlen(code) +
			strlen(sentence);
	int len = snprintf(text, sizeof(text),
			"HTTP/1.1 %d %s\r\n"
			"Content-Type: application/json\r\n"
			"Content-Length: %zu\r\n"
			"Retry-After: 5\r\n"
			"Connection: close\r\n"
			"\r\n"
			"{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
			status, status == 429 ? "Too Many Requests" : "Service Unavailable",
			body_len, code, sentence);
	if (!vhost->tls && len > 0 && len < (int)sizeof(text)) {
		(void)!recv(fd, unread, sizeof(unread), MSG_DONTWAIT);
		(void)!send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(fd);
	vhost->server->refused++;
}

/* Writes down and tells who may not come now. */
static void refuse(struct px_peer *peer, int fd, int reason)
{
	bool full = reason == -ENOSPC;
	const char *code = full ? "unavailable" : "rate_limited";
	px_trail_refused(peer->vhost->server, peer, code);
	turn_away(peer->vhost, fd, full ? 503 : 429, code,
			full ? "The server is at its limit." :
			reason == -EMFILE ? "There are too many connections from this address." :
			"Connections from this address come too fast.");
	px_peer_destroy(peer);
}

/* A trusted proxy's connections are counted by whom they are for, once that is known. */
void px_listener_adopt(struct px_peer *peer, int fd)
{
	int rc = px_config_is_trusted_proxy(peer->vhost->config, &peer->address) ? 0 :
			px_peer_count_address(peer);
	if (rc < 0) {
		refuse(peer, fd, rc);
		return;
	}
	/* Closes the descriptor where it fails. */
	struct lws *wsi = lws_adopt_socket_vhost(peer->vhost->lws_vhost, fd);
	if (!wsi) {
		px_peer_destroy(peer);
		return;
	}
	lws_set_opaque_user_data(wsi, peer);
}

/* It has to say for whom it comes, if it is one of those who may say so. */
static void greet(struct px_peer *peer, int fd)
{
	struct px_server *server = peer->vhost->server;
	if (px_config_is_trusted_proxy(peer->vhost->config, &peer->address) &&
			px_greeting_begin(peer, fd) == 0) {
		return;
	}
	px_log(PX_LOG_INFO, "vhost %s: a connection that is no trusted proxy's was closed",
			peer->vhost->config->name);
	px_trail_refused(server, peer, "forbidden");
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
		turn_away(listener->vhost, fd, 503, "unavailable",
				"The server has too many connections.");
		return;
	}
	tune(server, fd);
	if (listener->vhost->config->proxy_protocol) {
		greet(peer, fd);
	} else {
		px_listener_adopt(peer, fd);
	}
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct px_listener *listener = timer->data;
	if (listener->fd >= 0) {
		uv_poll_start(&listener->poll, UV_READABLE, on_connection);
	}
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct px_listener *listener = poll->data;
	(void)events;
	for (int i = 0; status == 0 && i < ACCEPTS_PER_EVENT; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t length = sizeof(from);
		int fd = accept4(listener->fd, (struct sockaddr *)&from, &length,
				SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take(listener, fd, &from);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			px_log(PX_LOG_ERROR, "%s: no connection can be taken: %s",
					listener->address, strerror(errno));
			uv_poll_stop(poll);
			uv_timer_start(&listener->pause, on_pause_over, PAUSE_MS, 0);
			return;
		}
	}
}

static void start(struct px_listener *listener)
{
	uv_poll_init(&listener->server->loop, &listener->poll, listener->fd);
	uv_timer_init(&listener->server->loop, &listener->pause);
	listener->poll.data = listener;
	listener->pause.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_connection);
	px_log(PX_LOG_NOTICE, "vhost %s: listening on %s", listener->vhost->config->name,
			listener->address);
}

void px_listeners_start(struct px_server *server)
{
	for (size_t v = 0; v < server->vhost_count; v++) {
		for (size_t i = 0; i < server->vhosts[v].listener_count; i++) {
			start(&server->vhosts[v].listeners[i]);
		}
	}
}

static void close_listener(struct px_listener *listener)
{
	if (listener->fd < 0) {
		return;
	}
	if (listener->poll.data) {
		uv_close((uv_handle_t *)&listener->poll, NULL);
		uv_close((uv_handle_t *)&listener->pause, NULL);
	}
	close(listener->fd);
	listener->fd = -1;
}

void px_listeners_close(struct px_server *server)
{
	px_greetings_drop(server);
	for (size_t v = 0; v < server->vhost_count; v++) {
		for (size_t i = 0; i < server->vhosts[v].listener_count; i++) {
			close_listener(&server->vhosts[v].listeners[i]);
		}
	}
}
