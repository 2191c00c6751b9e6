/* SPDX-License-Identifier: MIT */
/*
 * See proxy_protocol.h.
 *
 * What has arrived is looked at without taking it (MSG_PEEK), and then exactly the header is
 * read: what is behind it, a ClientHello for instance, stays in the socket for lws. Bytes
 * that only begin a header leave the socket readable, so it is asked again a little later
 * instead of at once. Rejected: reading byte by byte, a hundred system calls a connection.
 *
 * A peer counts from accept(), so those that wait are under the limit on connections.
 */
#include "proxy_protocol.h"
#include "address/proxy_header.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "listeners.h"
#include "peer.h"
#include "server.h"
#include "vhost/vhost.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 3000
#define AGAIN_MS 10

struct px_greeting {
	struct px_peer *peer;
	int fd;      /* -1: it is not to be handed on */
	int handles; /* not yet closed */
	int64_t deadline_ms;
	uv_poll_t poll;
	uv_timer_t timer;
	struct px_greeting *next;
	struct px_greeting **link;
};

static void on_closed(uv_handle_t *handle)
{
	struct px_greeting *greeting = handle->data;
	if (--greeting->handles > 0) {
		return;
	}
	*greeting->link = greeting->next;
	if (greeting->next) {
		greeting->next->link = greeting->link;
	}
	/* libuv has let go of the descriptor: lws may watch it. */
	if (greeting->fd >= 0) {
		px_listener_adopt(greeting->peer, greeting->fd);
	}
	free(greeting);
}

static void end(struct px_greeting *greeting)
{
	if (!uv_is_closing((uv_handle_t *)&greeting->poll)) {
		uv_close((uv_handle_t *)&greeting->poll, on_closed);
		uv_close((uv_handle_t *)&greeting->timer, on_closed);
	}
}

/* libuv must have let go of a descriptor before it is closed. */
static void drop(struct px_greeting *greeting)
{
	if (greeting->fd >= 0) {
		end(greeting);
		close(greeting->fd);
		greeting->fd = -1;
		px_peer_destroy(greeting->peer);
	}
}

static void refuse(struct px_greeting *greeting, const char *why)
{
	struct px_peer *peer = greeting->peer;
	px_log(PX_LOG_WARNING, "vhost %s: a trusted proxy's connection was closed: %s",
			peer->vhost->config->name, why);
	px_trail_refused(peer->vhost->server, peer, "bad_request");
	peer->vhost->server->refused++;
	drop(greeting);
}

static void hand_on(struct px_greeting *greeting, const struct px_proxy_header *header)
{
	unsigned char bytes[PX_PROXY_HEADER_MAX];
	if (recv(greeting->fd, bytes, header->len, MSG_DONTWAIT) != (ssize_t)header->len) {
		refuse(greeting, "its PROXY header could not be read");
		return;
	}
	struct px_peer *peer = greeting->peer;
	peer->is_proxied = true;
	peer->is_https = header->is_https;
	if (!header->is_local) {
		peer->own_address = header->address;
		peer->address = header->address;
	}
	end(greeting);
}

static void on_timer(uv_timer_t *timer);

static void look(struct px_greeting *greeting)
{
	struct px_server *server = greeting->peer->vhost->server;
	struct px_proxy_header header;
	unsigned char bytes[PX_PROXY_HEADER_MAX];
	int64_t left_ms = greeting->deadline_ms - (int64_t)uv_now(&server->loop);
	ssize_t n = recv(greeting->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		drop(greeting); /* a health check, or somebody who changed his mind */
		return;
	}
	int rc = n < 0 ? -EAGAIN : px_proxy_parse(bytes, (size_t)n, &header);
	if (rc == 0) {
		hand_on(greeting, &header);
	} else if (rc == -EPROTO) {
		refuse(greeting, "it does not begin with a PROXY header");
	} else if (left_ms <= 0) {
		refuse(greeting, "its PROXY header did not come in time");
	} else if (n > 0) {
		uv_poll_stop(&greeting->poll); /* it would be readable at once */
		uv_timer_start(&greeting->timer, on_timer,
				left_ms < AGAIN_MS ? (uint64_t)left_ms : AGAIN_MS, 0);
	}
}

static void on_timer(uv_timer_t *timer)
{
	look(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status; /* what is wrong recv() will say, too */
	(void)events;
	look(poll->data);
}

int px_greeting_begin(struct px_peer *peer, int fd)
{
	struct px_server *server = peer->vhost->server;
	struct px_greeting *greeting = calloc(1, sizeof(*greeting));
	if (!greeting) {
		return -ENOMEM;
	}
	int rc = uv_poll_init(&server->loop, &greeting->poll, fd);
	if (rc < 0) {
		free(greeting);
		return rc;
	}
	uv_timer_init(&server->loop, &greeting->timer);
	greeting->poll.data = greeting;
	greeting->timer.data = greeting;
	greeting->handles = 2;
	greeting->peer = peer;
	greeting->fd = fd;
	greeting->deadline_ms = (int64_t)uv_now(&server->loop) + WAIT_MS;
	greeting->next = server->greetings;
	greeting->link = &server->greetings;
	if (greeting->next) {
		greeting->next->link = &greeting->next;
	}
	server->greetings = greeting;
	uv_poll_start(&greeting->poll, UV_READABLE, on_readable);
	uv_timer_start(&greeting->timer, on_timer, WAIT_MS, 0);
	return 0;
}

void px_greetings_drop(struct px_server *server)
{
	for (struct px_greeting *each = server->greetings; each; each = each->next) {
		drop(each);
	}
}
