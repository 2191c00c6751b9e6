/* SPDX-License-Identifier: MIT */
/*
 * See stream.h. Without TLS it is the socket itself: the kernel keeps what is only looked at, and
 * SO_RCVLOWAT makes it quiet until there is more.
 *
 * With TLS a buffer does both, which is there only while something is in it: most connections are
 * idle. What has been decrypted leaves the socket silent, so an idle handle tells of it, once a
 * turn of the loop, as epoll would. (Rejected: a timer of 0 ms, which libuv 1.44 calls again within
 * the same turn.) No more is decrypted than fits; the rest stays in the socket and holds the client
 * up.
 *
 * OpenSSL reads on for as long as the socket has something that is not the application's (changes
 * of keys, renegotiations that it refuses), and a record may be of one byte. So what it may read
 * from the socket for one event is counted; epoll tells of the rest in the next turn. Once the
 * socket had nothing, it is not asked again before epoll tells of it.
 *
 * Rejected: SSL_peek(), which shows one record at most, be it of one byte; a socket pair from here
 * to a reader that knows no TLS, since SO_RCVLOWAT does nothing for epoll there.
 */
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_EVENT 64 /* a record takes two: its header, and the rest */

static size_t available(const struct px_stream *stream)
{
	return stream->len - stream->at;
}

static bool is_ready(const struct px_stream *stream)
{
	return stream->is_over || available(stream) >= stream->low_water;
}

/* What became of a call of OpenSSL that did nothing. True: it may be called again, later. */
static bool take_error(struct px_stream *stream, int rc)
{
	switch (SSL_get_error(stream->ssl, rc)) {
	case SSL_ERROR_WANT_WRITE:
		stream->wants_write = true;
		return true;
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		stream->is_over = true;
		return false;
	default:
		stream->is_over = true;
		stream->error = ECONNRESET;
		ERR_clear_error();
		return false;
	}
}

static void drop_empty(struct px_stream *stream)
{
	if (stream->at == stream->len) {
		free(stream->bytes);
		stream->bytes = NULL;
		stream->at = stream->len = 0;
	}
}

static bool has_room(struct px_stream *stream)
{
	stream->bytes = stream->bytes ? stream->bytes : malloc(PX_STREAM_PEEK_MAX);
	if (!stream->bytes) {
		stream->is_over = true;
		stream->error = ENOMEM;
		return false;
	}
	if (stream->at > 0) {
		memmove(stream->bytes, stream->bytes + stream->at, available(stream));
		stream->len -= stream->at;
		stream->at = 0;
	}
	return stream->len < PX_STREAM_PEEK_MAX;
}

/* Decrypts what there is, as far as there is room for it. */
static void fill(struct px_stream *stream)
{
	stream->wants_write = false;
	while (!stream->is_over && has_room(stream)) {
		ERR_clear_error();
		int n = SSL_read(stream->ssl, stream->bytes + stream->len,
				(int)(PX_STREAM_PEEK_MAX - stream->len));
		if (n <= 0) {
			(void)take_error(stream, n);
			break;
		}
		stream->len += (size_t)n;
	}
	drop_empty(stream);
}

/* OpenSSL is about to read from the socket, or has; 0 and less stops it. */
static long on_bio(BIO *bio, int operation, const char *bytes, size_t len, int number, long more,
		int rc, size_t *done)
{
	struct px_stream *stream = (struct px_stream *)BIO_get_callback_arg(bio);
	(void)bytes, (void)len, (void)number, (void)more, (void)done;
	if (operation == BIO_CB_READ && stream->reads_left == 0) {
		BIO_clear_retry_flags(bio);
		BIO_set_retry_read(bio);
		return -1;
	}
	if (operation == BIO_CB_READ) {
		stream->reads_left--;
	} else if (operation == (BIO_CB_READ | BIO_CB_RETURN) && rc <= 0) {
		stream->reads_left = 0;
	}
	return rc;
}

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_idle(uv_idle_t *idle);

/* What the socket is to be asked for. */
static int arm_secure(struct px_stream *stream)
{
	bool reads = (stream->wanted & UV_READABLE) != 0;
	if (reads && !is_ready(stream) && SSL_pending(stream->ssl) > 0) {
		fill(stream); /* the end of a record, for which there was no room */
	}
	if (reads && is_ready(stream)) {
		uv_idle_start(&stream->again, on_idle);
		return stream->wanted & ~UV_READABLE;
	}
	uv_idle_stop(&stream->again);
	return stream->wanted | (reads && stream->wants_write ? UV_WRITABLE : 0);
}

/*
 * uv_poll_start() removes the descriptor from epoll and adds it again even for the same events: two
 * system calls, for each message.
 */
static void arm(struct px_stream *stream)
{
	int events = stream->ssl ? arm_secure(stream) : stream->wanted;
	if (events == stream->armed) {
		return;
	}
	stream->armed = events;
	if (events == 0) {
		uv_poll_stop(&stream->poll);
	} else {
		uv_poll_start(&stream->poll, events, on_poll);
	}
}

static void tell(struct px_stream *stream, int events)
{
	if (events != 0) {
		stream->on_event(stream->user, 0, events);
	}
	if (!uv_is_closing((uv_handle_t *)&stream->poll)) {
		arm(stream);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct px_stream *stream = poll->data;
	if (status < 0) {
		stream->armed = 0; /* libuv has stopped the handle */
		stream->on_event(stream->user, status, 0);
		return;
	}
	if (!stream->ssl) {
		stream->on_event(stream->user, 0, events);
		return;
	}
	int told = events & stream->wanted & ~UV_READABLE;
	if ((stream->wanted & UV_READABLE) != 0 && (events & (UV_READABLE | UV_WRITABLE)) != 0) {
		stream->reads_left = READS_PER_EVENT;
		fill(stream);
		told |= is_ready(stream) ? UV_READABLE : 0;
	}
	tell(stream, told);
}

static void on_idle(uv_idle_t *idle)
{
	struct px_stream *stream = idle->data;
	tell(stream, is_ready(stream) ? stream->wanted & UV_READABLE : 0);
}

int px_stream_init(struct px_stream *stream, uv_loop_t *loop, int fd, SSL_CTX *ctx)
{
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;
	if (ctx && (!ssl || SSL_set_fd(ssl, fd) != 1)) {
		SSL_free(ssl);
		return -ENOMEM;
	}
	int rc = uv_poll_init(loop, &stream->poll, fd);
	if (rc < 0) {
		SSL_free(ssl);
		return rc;
	}
	if (ssl) {
		SSL_set_accept_state(ssl);
		BIO_set_callback_ex(SSL_get_rbio(ssl), on_bio);
		BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)stream);
	}
	uv_idle_init(loop, &stream->again);
	stream->poll.data = stream;
	stream->again.data = stream;
	stream->fd = fd;
	stream->ssl = ssl;
	stream->low_water = 1;
	return 0;
}

void px_stream_watch(struct px_stream *stream, int events)
{
	stream->wanted = events;
	arm(stream);
}

void px_stream_set_low_water(struct px_stream *stream, size_t bytes)
{
	int low_water = (int)bytes;
	if (stream->low_water != bytes && !stream->ssl) {
		(void)setsockopt(stream->fd, SOL_SOCKET, SO_RCVLOWAT, &low_water,
				sizeof(low_water));
	}
	stream->low_water = bytes;
}

bool px_stream_is_over(const struct px_stream *stream)
{
	struct pollfd ask = { .fd = stream->fd, .events = POLLRDHUP };
	return stream->ssl ? stream->is_over : poll(&ask, 1, 0) == 1;
}

ssize_t px_stream_peek(struct px_stream *stream, char *bytes, size_t size)
{
	if (!stream->ssl) {
		return recv(stream->fd, bytes, size, MSG_PEEK | MSG_DONTWAIT);
	}
	if (available(stream) < size && (stream->reads_left > 0 || SSL_pending(stream->ssl) > 0)) {
		fill(stream);
	}
	size_t len = available(stream) < size ? available(stream) : size;
	if (len > 0) {
		memcpy(bytes, stream->bytes + stream->at, len);
	} else if (!stream->is_over || stream->error != 0) {
		errno = stream->error != 0 ? stream->error : EAGAIN;
		return -1;
	}
	return (ssize_t)len;
}

ssize_t px_stream_read(struct px_stream *stream, char *bytes, size_t size)
{
	if (!stream->ssl) {
		return recv(stream->fd, bytes, size, MSG_DONTWAIT);
	}
	ssize_t n = px_stream_peek(stream, bytes, size);
	if (n > 0) {
		stream->at += (size_t)n;
		drop_empty(stream);
	}
	return n;
}

ssize_t px_stream_write(struct px_stream *stream, const char *bytes, size_t len)
{
	if (!stream->ssl) {
		return send(stream->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	bool waits = stream->wants_write;
	ERR_clear_error();
	int n = SSL_write(stream->ssl, bytes, len < INT_MAX ? (int)len : INT_MAX);
	if (n > 0) {
		return n;
	}
	errno = take_error(stream, n) ? EAGAIN : EPIPE;
	stream->wants_write = waits; /* it is its owner who waits */
	return -1;
}

void px_stream_shutdown(struct px_stream *stream)
{
	if (stream->ssl && stream->error == 0 && SSL_is_init_finished(stream->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(stream->ssl); /* its "close notify"; the other's is not awaited */
		ERR_clear_error();
	}
	(void)shutdown(stream->fd, SHUT_WR);
}

void px_stream_release(struct px_stream *stream, uv_close_cb on_closed)
{
	stream->poll.data = stream->user;
	stream->again.data = stream->user;
	uv_close((uv_handle_t *)&stream->poll, on_closed);
	uv_close((uv_handle_t *)&stream->again, on_closed);
}

void px_stream_close(struct px_stream *stream)
{
	SSL_free(stream->ssl);
	free(stream->bytes);
	close(stream->fd);
	stream->ssl = NULL;
	stream->bytes = NULL;
	stream->at = stream->len = 0;
	stream->fd = -1;
}
