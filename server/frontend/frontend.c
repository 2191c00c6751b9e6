/* SPDX-License-Identifier: MIT */
/*
 * See frontend.h.
 *
 * libwebsockets 4.1.6 (and 4.3.5) reads a body from the wrong place when its request was not the
 * first in what was read from the socket: a pipelined POST got the header as its body, and a GET
 * with a body sent lws into an endless loop. It also drops without an answer, or refuses in HTML,
 * what the standard wants answered or ignored. So it does not get requests as they come. A head is
 * looked at without taking it until it is whole (stream.h). One that asks for a WebSocket without
 * TLS is left in the socket, and the socket is given to lws, which finds that request first. Any
 * other is taken out, exactly, and handed to lws over a socket pair of its own (relay.c): lws never
 * sees a second request on a connection, nor a byte behind a body. So is a WebSocket over TLS, of
 * which lws sees what is decrypted, and a request for one that offers something else as well ("h2c,
 * websocket"), which lws would refuse.
 *
 * Rejected: an answer with "Connection: close" to every request, which costs every caller of the
 * API a handshake a call; serving HTTP without lws, which would be a second way for all of it; TLS
 * of lws, whose parser then is the first to see a request, and which nothing keeps from its faults.
 */
#include "frontend_internal.h"
#include "base/log.h"
#include "core/counters.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "http/http.h"
#include "net/listeners.h"
#include "net/peer.h"
#include "net/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MS 10000
#define IDLE_MS 5000 /* between two requests */
#define LINGER_MS 2000
#define LINGER_BYTES (1024 * 1024)

static struct px_server *server_of(const struct px_frontend *frontend)
{
	return frontend->peer->vhost->server;
}

static void on_closed(uv_handle_t *handle)
{
	struct px_frontend *frontend = handle->data;
	if (--frontend->handles > 0) {
		return;
	}
	*frontend->link = frontend->next;
	if (frontend->next) {
		frontend->next->link = frontend->link;
	}
	/* libuv has released the descriptor: lws may poll it. */
	if (frontend->hands_over) {
		px_listener_give_to_lws(frontend->peer, frontend->stream.fd);
	}
	free(frontend);
}

static void close_handles(struct px_frontend *frontend)
{
	frontend->state = PX_FRONTEND_GONE;
	px_stream_release(&frontend->stream, on_closed);
	uv_close((uv_handle_t *)&frontend->timer, on_closed);
	frontend->peer->frontend = NULL;
}

void px_frontend_end(struct px_frontend *frontend)
{
	if (frontend->state != PX_FRONTEND_GONE) {
		if (frontend->state == PX_FRONTEND_HEAD || frontend->state == PX_FRONTEND_REST) {
			px_stream_shutdown(&frontend->stream); /* no answer is cut off (RFC 8446, 6.1) */
		}
		px_relay_end(frontend);
		close_handles(frontend);
		frontend->peer->fd = -1;
		frontend->peer->ssl = NULL;
		px_stream_close(&frontend->stream);
		px_peer_destroy(frontend->peer);
	}
}

static void on_timer(uv_timer_t *timer);

void px_frontend_set_timer(struct px_frontend *frontend, uint64_t ms)
{
	if (ms == 0) {
		uv_timer_stop(&frontend->timer);
	} else {
		uv_timer_start(&frontend->timer, on_timer, ms, 0);
	}
}

/*
 * Closing a socket with unread input discards what was written last. So it is closed after the
 * client closed, or after a while.
 */
void px_frontend_linger(struct px_frontend *frontend)
{
	px_relay_end(frontend);
	px_stream_set_low_water(&frontend->stream, 1);
	px_stream_shutdown(&frontend->stream);
	frontend->state = PX_FRONTEND_LINGER;
	px_frontend_set_timer(frontend, LINGER_MS);
	px_stream_watch(&frontend->stream, UV_READABLE);
}

static void drop_rest(struct px_frontend *frontend)
{
	char bytes[16384];
	ssize_t n = px_stream_read(&frontend->stream, bytes, sizeof(bytes));
	frontend->dropped += n > 0 ? (size_t)n : 0;
	if (n == 0 || (n < 0 && errno != EAGAIN) || frontend->dropped > LINGER_BYTES) {
		px_frontend_end(frontend);
	}
}

void px_frontend_refuse(struct px_frontend *frontend, const struct px_http_head *head,
		const struct px_http_fault *fault)
{
	char text[PX_HTTP_HEADERS_MAX + 1024];
	size_t len = px_http_compose_error(frontend->peer->vhost, head, fault, text, sizeof(text));
	server_of(frontend)->refused++;
	(void)px_stream_write(&frontend->stream, text, len);
	px_frontend_linger(frontend);
}

/* ---- a request's head ---- */

static void await_head(struct px_frontend *frontend)
{
	frontend->state = PX_FRONTEND_HEAD;
	frontend->has_begun = false;
	frontend->has_skipped = false;
	px_frontend_set_timer(frontend, frontend->is_used ? IDLE_MS : HEAD_MS);
	px_stream_watch(&frontend->stream, UV_READABLE);
}

/* The answer of GET /ready, which may be what was requested. */
static void refuse_unready(struct px_frontend *frontend, const struct px_http_head *head,
		bool has_memory)
{
	server_of(frontend)->limits[PX_LIMIT_CONNECTIONS]++;
	px_frontend_refuse(frontend, head, &(struct px_http_fault){
		.status = 503,
		.code = "unavailable",
		.sentence = has_memory ? "The server has no file descriptors left." :
				"The server is out of memory.",
		.reason = has_memory ? "descriptors" : NULL,
	});
}

static void relay(struct px_frontend *frontend, const struct px_http_head *head)
{
	char taken[PX_HTTP_HEAD_MAX];
	if (px_stream_read(&frontend->stream, taken, head->len) != (ssize_t)head->len) {
		px_frontend_end(frontend);
		return;
	}
	frontend->state = PX_FRONTEND_RELAY;
	frontend->is_used = true;
	int rc = px_relay_begin(frontend, head);
	if (rc < 0) {
		refuse_unready(frontend, head, rc == -EMFILE);
	}
}

/* `bytes` holds `len` of what has come, and has room for all of a head. */
static void take_head(struct px_frontend *frontend, char *bytes, size_t len)
{
	struct px_http_head head;
	struct px_http_fault fault;
	int rc = px_http_head_parse(bytes, len, &head, &fault);
	if (rc == -EAGAIN && !px_stream_is_over(&frontend->stream)) {
		px_stream_set_low_water(&frontend->stream, len + 1);
		return;
	}
	px_stream_set_low_water(&frontend->stream, 1);
	if (rc == -EAGAIN) {
		/* The rest may have come with the end, after `bytes` was filled. */
		ssize_t n = px_stream_peek(&frontend->stream, bytes, PX_HTTP_HEAD_MAX);
		rc = n > 0 ? px_http_head_parse(bytes, (size_t)n, &head, &fault) : rc;
	}
	if (rc == -EAGAIN) {
		/* An end is told again and again, for as long as it is not taken. */
		px_frontend_refuse(frontend, &head, &(struct px_http_fault){
			400, "bad_request", "The request ends within its head.", NULL });
	} else if (rc < 0) {
		px_frontend_refuse(frontend, &head, &fault);
	} else if (head.upgrades && !head.offers_more && !frontend->stream.ssl) {
		frontend->hands_over = true;
		close_handles(frontend);
	} else {
		relay(frontend, &head);
	}
}

static void look(struct px_frontend *frontend)
{
	char bytes[PX_HTTP_HEAD_MAX];
	ssize_t n = px_stream_peek(&frontend->stream, bytes, sizeof(bytes));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		px_frontend_end(frontend);
		return;
	}
	if (n > 0 && !frontend->has_begun) {
		frontend->has_begun = true;
		px_frontend_set_timer(frontend, HEAD_MS);
	}
	/* Old clients send one after a body (RFC 9112 section 2.2). */
	if (n >= 2 && !frontend->has_skipped && memcmp(bytes, "\r\n", 2) == 0) {
		frontend->has_skipped = true;
		px_stream_set_low_water(&frontend->stream, 1);
		n = px_stream_read(&frontend->stream, bytes, 2) == 2 ?
				px_stream_peek(&frontend->stream, bytes, sizeof(bytes)) : -1;
	}
	if (n > 0) {
		take_head(frontend, bytes, (size_t)n);
	}
}

void px_frontend_rest(struct px_frontend *frontend)
{
	px_relay_end(frontend);
	if (!frontend->is_answered_by) {
		await_head(frontend);
		return;
	}
	frontend->state = PX_FRONTEND_REST;
	px_frontend_set_timer(frontend, IDLE_MS);
	px_stream_watch(&frontend->stream, 0);
}

void px_frontend_released(struct px_frontend *frontend)
{
	frontend->is_answered_by = false;
	if (frontend->state == PX_FRONTEND_REST) {
		await_head(frontend);
	}
}

/* ---- events ---- */

static void on_timer(uv_timer_t *timer)
{
	struct px_frontend *frontend = timer->data;
	if (frontend->state == PX_FRONTEND_RELAY) {
		px_relay_timeout(frontend);
	} else if (frontend->state == PX_FRONTEND_HEAD && frontend->has_begun) {
		px_frontend_refuse(frontend, &(struct px_http_head){ 0 }, &(struct px_http_fault){
			408, "bad_request", "The request was not received in time.", NULL });
	} else {
		px_frontend_end(frontend);
	}
}

static void on_event(void *user, int status, int events)
{
	struct px_frontend *frontend = user;
	px_turn_begin(&server_of(frontend)->turn, uv_hrtime());
	if (status < 0) {
		px_frontend_end(frontend);
		return;
	}
	switch (frontend->state) {
	case PX_FRONTEND_HEAD:
		look(frontend);
		break;
	case PX_FRONTEND_RELAY:
		px_relay_client(frontend, events);
		break;
	case PX_FRONTEND_LINGER:
		drop_rest(frontend);
		break;
	default:
		break;
	}
}

int px_frontend_begin(struct px_peer *peer, int fd)
{
	struct px_server *server = peer->vhost->server;
	struct px_frontend *frontend = calloc(1, sizeof(*frontend));
	if (!frontend) {
		return -ENOMEM;
	}
	frontend->stream.on_event = on_event;
	frontend->stream.user = frontend;
	int rc = px_stream_init(&frontend->stream, &server->loop, fd,
			peer->vhost->tls ? px_tls_context(peer->vhost->tls) : NULL);
	if (rc < 0) {
		free(frontend);
		return rc;
	}
	uv_timer_init(&server->loop, &frontend->timer);
	frontend->timer.data = frontend;
	frontend->handles = PX_STREAM_HANDLES + 1;
	frontend->peer = peer;
	frontend->next = server->frontends;
	frontend->link = &server->frontends;
	if (frontend->next) {
		frontend->next->link = &frontend->next;
	}
	server->frontends = frontend;
	peer->frontend = frontend;
	peer->ssl = frontend->stream.ssl;
	await_head(frontend);
	return 0;
}

void px_frontends_drop(struct px_server *server)
{
	for (struct px_frontend *each = server->frontends; each; each = each->next) {
		if (each->hands_over) {
			each->hands_over = false;
			close(each->stream.fd);
			px_peer_destroy(each->peer);
		}
		px_frontend_end(each);
	}
}
