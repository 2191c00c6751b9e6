/* SPDX-License-Identifier: MIT */
/*
 * A client's socket, with TLS or without: bytes can be looked at before they are taken, and events
 * come as from uv_poll, as long as what was announced is not taken. Of TLS the handshake is a part
 * of the first reading.
 */
#ifndef PX_STREAM_H
#define PX_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

/* With TLS no more can be looked at at once. */
#define PX_STREAM_PEEK_MAX 16384

/* uv handles that px_stream_release() closes. */
#define PX_STREAM_HANDLES 2

struct ssl_ctx_st;
struct ssl_st;

/* Zeroed, with `on_event` and `user` set, for px_stream_init(); the memory is the owner's. */
struct px_stream {
	void (*on_event)(void *user, int status, int events);
	void *user;
	int fd;             /* -1: closed */
	struct ssl_st *ssl; /* NULL: no TLS */

	/* private */
	uv_poll_t poll;
	uv_idle_t again;  /* tells of what is decrypted already, of which the socket knows nothing */
	int wanted;
	int armed;        /* events that `poll` is started for */
	size_t low_water;
	unsigned reads_left; /* from the socket, until epoll tells of it again */
	char *bytes;      /* decrypted, and not yet taken; NULL: none */
	size_t at;
	size_t len;
	bool is_over;     /* nothing more can be read … */
	int error;        /* … for this reason; 0: the client has ended */
	bool wants_write; /* before anything more can be read */
};

/* `ctx` NULL: no TLS. The descriptor stays the caller's if it fails: -ENOMEM, -errno. */
int px_stream_init(struct px_stream *stream, uv_loop_t *loop, int fd, struct ssl_ctx_st *ctx);

/* The events that are told from now on: UV_READABLE, UV_WRITABLE, UV_DISCONNECT; 0: none. */
void px_stream_watch(struct px_stream *stream, int events);

/* It is readable when there are as many bytes, or the end. */
void px_stream_set_low_water(struct px_stream *stream, size_t bytes);

/* Whether nothing comes behind what can be looked at. */
bool px_stream_is_over(const struct px_stream *stream);

/* As recv() with MSG_DONTWAIT, the first with MSG_PEEK. */
ssize_t px_stream_peek(struct px_stream *stream, char *bytes, size_t size);
ssize_t px_stream_read(struct px_stream *stream, char *bytes, size_t size);

/* As send() with MSG_DONTWAIT; after EAGAIN the same bytes must be tried again, or none. */
ssize_t px_stream_write(struct px_stream *stream, const char *bytes, size_t len);

/* Nothing more is written. */
void px_stream_shutdown(struct px_stream *stream);

/* Lets go of the socket: the loop first; `on_closed` is called for each handle, with `user`. */
void px_stream_release(struct px_stream *stream, uv_close_cb on_closed);

/* Closes the socket, after px_stream_release(). */
void px_stream_close(struct px_stream *stream);

#endif
