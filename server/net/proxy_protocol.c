/* SPDX-License-Identifier: MIT */
/*
 * See proxy_protocol.h.
 *
 * Input is peeked at (MSG_PEEK), and then exactly the header is read: what follows, such as a
 * ClientHello, stays in the socket for lws. An incomplete header leaves the socket readable, so it
 * is polled again a little later instead of at once. Rejected: reading byte by byte, which is a
 * hundred system calls for each connection.
 *
 * A connection is counted from accept() on, so waiting ones are subject to the limit on
 * connections.
 */
#include "proxy_protocol.h"
#include "address/proxy_header.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "core/peer.h"
#include "core/server.h"
#include "core/vhost.h"
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 3000
#define AGAIN_MS 10

struct px_pending_proxy {
	struct px_peer *peer;
	int fd;      /* -1: not to be passed on */
	int handles; /* number not yet closed */
	int64_t deadline_ms;
	void (*adopt)(struct px_peer *peer, int fd);
	uv_poll_t poll;
	uv_timer_t timer;
	struct px_pending_proxy *next;
	struct px_pending_proxy **link;
};

static void on_closed(uv_handle_t *handle)
{
	struct px_pending_proxy *pending = handle->data;
	if (--pending->handles > 0) {
		return;
	}
	*pending->link = pending->next;
	if (pending->next) {
		pending->next->link = pending->link;
	}
	/* libuv has released the descriptor: lws may poll it. */
	if (pending->fd >= 0) {
		pending->adopt(pending->peer, pending->fd);
	}
	free(pending);
}

static void end(struct px_pending_proxy *pending)
{
	if (!uv_is_closing((uv_handle_t *)&pending->poll)) {
		uv_close((uv_handle_t *)&pending->poll, on_closed);
		uv_close((uv_handle_t *)&pending->timer, on_closed);
	}
}

/* libuv must have released a descriptor before it is closed. */
static void drop(struct px_pending_proxy *pending)
{
	if (pending->fd >= 0) {
		end(pending);
		close(pending->fd);
		pending->fd = -1;
		px_peer_destroy(pending->peer);
	}
}

static void refuse(struct px_pending_proxy *pending, const char *why)
{
	struct px_peer *peer = pending->peer;
	px_log(PX_LOG_WARNING, "vhost %s: closed a trusted proxy's connection: %s",
			peer->vhost->config->name, why);
	px_audit_events_refused(peer->vhost->server, peer, "bad_request");
	peer->vhost->server->refused++;
	drop(pending);
}

static void hand_on(struct px_pending_proxy *pending, const struct px_proxy_header *header)
{
	unsigned char bytes[PX_PROXY_HEADER_MAX];
	if (recv(pending->fd, bytes, header->len, MSG_DONTWAIT) != (ssize_t)header->len) {
		refuse(pending, "its PROXY header is invalid");
		return;
	}
	struct px_peer *peer = pending->peer;
	peer->is_proxied = true;
	peer->is_https = header->is_https;
	if (!header->is_local) {
		peer->own_address = header->address;
		peer->address = header->address;
	}
	end(pending);
}

static void on_timer(uv_timer_t *timer);

static void look(struct px_pending_proxy *pending)
{
	struct px_server *server = pending->peer->vhost->server;
	struct px_proxy_header header;
	unsigned char bytes[PX_PROXY_HEADER_MAX];
	int64_t left_ms = pending->deadline_ms - (int64_t)uv_now(&server->loop);
	ssize_t n = recv(pending->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		drop(pending); /* a health check, or a client that disconnected */
		return;
	}
	int rc = n < 0 ? -EAGAIN : px_proxy_parse(bytes, (size_t)n, &header);
	if (rc == 0) {
		hand_on(pending, &header);
	} else if (rc == -EPROTO) {
		refuse(pending, "it does not begin with a PROXY header");
	} else if (left_ms <= 0) {
		refuse(pending, "its PROXY header was not received in time");
	} else if (n > 0) {
		uv_poll_stop(&pending->poll); /* it would be readable at once */
		uv_timer_start(&pending->timer, on_timer,
				left_ms < AGAIN_MS ? (uint64_t)left_ms : AGAIN_MS, 0);
	}
}

static void on_timer(uv_timer_t *timer)
{
	look(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status; /* recv() reports errors, too */
	(void)events;
	look(poll->data);
}

int px_pending_proxy_begin(struct px_peer *peer, int fd,
		void (*adopt)(struct px_peer *peer, int fd))
{
	struct px_server *server = peer->vhost->server;
	struct px_pending_proxy *pending = calloc(1, sizeof(*pending));
	if (!pending) {
		return -ENOMEM;
	}
	int rc = uv_poll_init(&server->loop, &pending->poll, fd);
	if (rc < 0) {
		free(pending);
		return rc;
	}
	uv_timer_init(&server->loop, &pending->timer);
	pending->poll.data = pending;
	pending->timer.data = pending;
	pending->handles = 2;
	pending->peer = peer;
	pending->fd = fd;
	pending->adopt = adopt;
	pending->deadline_ms = (int64_t)uv_now(&server->loop) + WAIT_MS;
	pending->next = server->pending_proxies;
	pending->link = &server->pending_proxies;
	if (pending->next) {
		pending->next->link = &pending->next;
	}
	server->pending_proxies = pending;
	uv_poll_start(&pending->poll, UV_READABLE, on_readable);
	uv_timer_start(&pending->timer, on_timer, WAIT_MS, 0);
	return 0;
}

void px_pending_proxies_drop(struct px_server *server)
{
	for (struct px_pending_proxy *each = server->pending_proxies; each; each = each->next) {
		drop(each);
	}
}
