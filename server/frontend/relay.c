/* SPDX-License-Identifier: MIT */
/*
 * One request on its way to libwebsockets, and its answer on the way back; see frontend.c. Over the
 * socket pair go a head that is written anew, then as many bytes of the body as were announced,
 * when they come; back comes an answer, of which the head is read for where it ends. Of the body
 * nothing is kept: what the pair does not take stays in the client's socket.
 *
 * An answer to a request that was not read to its end is the connection's last.
 *
 * Where the answer is a WebSocket (101), bytes go both ways until either end closes. That costs two
 * system calls more for all that is said, so it is for TLS, which ends here, and for those requests
 * alone that lws would not understand.
 */
#include "frontend_internal.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "net/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MS 10000
#define STALL_MS 30000 /* Time limit for a client to take some of its answer */
#define BUFFER_BYTES 16384
#define CLOSE_LINE "Connection: close\r\n"
#define STEPS_PER_EVENT 8

struct px_relay {
	struct px_frontend *frontend; /* NULL: about to end */
	uv_poll_t poll;
	int fd;
	uint64_t body_left;
	uint64_t answer_left;
	bool is_head;     /* an answer to HEAD */
	bool keeps;       /* the connection stays open after the answer */
	bool is_final;    /* the answer's head has passed … */
	bool is_endless;  /* … and the answer lasts as long as the connection … */
	bool is_tunnel;   /* … and the client may send, too */
	bool upgrades;    /* may become that */
	bool is_deaf;     /* the client sends no more … */
	bool is_cut;      /* … and stopped in the middle of its body */
	bool pair_is_full;
	bool pair_is_dry; /* the last read took all that was in it */
	int armed;        /* events that the pair's handle is started for */
	size_t at;        /* position up to which the client has the buffer */
	size_t len;
	size_t ready;     /* end of what may be written */
	char *buffer;     /* NULL: nothing is in it */
};

static void on_pair(uv_poll_t *poll, int status, int events);

static struct px_server *server_of(const struct px_frontend *frontend)
{
	return frontend->peer->vhost->server;
}

static void on_closed(uv_handle_t *handle)
{
	struct px_relay *relay = handle->data;
	free(relay->buffer);
	free(relay);
}

void px_relay_end(struct px_frontend *frontend)
{
	struct px_relay *relay = frontend->relay;
	if (relay) {
		frontend->relay = NULL;
		relay->frontend = NULL;
		uv_close((uv_handle_t *)&relay->poll, on_closed);
		close(relay->fd);
		server_of(frontend)->relays--;
	}
}

/* ---- the answer ---- */

static bool begins(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	return len >= name_len && strncasecmp(line, name, name_len) == 0;
}

/* One line of the head. False: it is not relayed. */
static bool pass_line(struct px_relay *relay, const char *line, size_t len, bool *ret_has_length)
{
	if (begins(line, len, "content-length:")) {
		relay->answer_left = strtoull(line + strlen("content-length:"), NULL, 10);
		*ret_has_length = true;
	}
	if (begins(line, len, "connection:")) {
		relay->keeps = relay->keeps && !begins(line, len, "connection: close");
		return false;
	}
	return true;
}

static void read_length(struct px_relay *relay, int status, bool has_length)
{
	if (relay->is_head || status == 204 || status == 304) {
		relay->answer_left = 0;
	} else if (!has_length) {
		relay->is_endless = true;
		relay->keeps = false;
	}
}

/* The buffer begins with a whole head of `head_len` bytes; the Connection line is replaced. */
static void pass_head(struct px_relay *relay, size_t head_len)
{
	char *buf = relay->buffer;
	size_t out = 0;
	bool has_length = false;
	int status = atoi(buf + strlen("HTTP/1.1 "));
	for (size_t at = 0; at < head_len - 2;) {
		const char *lf = memchr(buf + at, '\n', head_len - at);
		size_t len = (size_t)(lf - (buf + at)) + 1;
		if (pass_line(relay, buf + at, len, &has_length)) {
			memmove(buf + out, buf + at, len);
			out += len;
		}
		at += len;
	}
	read_length(relay, status, has_length);
	relay->keeps = relay->keeps && relay->body_left == 0 &&
			!server_of(relay->frontend)->draining;
	char end[sizeof(CLOSE_LINE) + 2];
	size_t end_len = (size_t)snprintf(end, sizeof(end), "%s\r\n", relay->keeps ? "" : CLOSE_LINE);
	size_t rest = relay->len - head_len;
	memmove(buf + out + end_len, buf + head_len, rest);
	memcpy(buf + out, end, end_len);
	relay->len = out + end_len + rest;
	relay->ready = relay->len;
	relay->is_final = true;
	relay->answer_left -= rest < relay->answer_left ? rest : relay->answer_left;
}

/* "100 Continue" precedes the answer. */
static void skip_interim(struct px_relay *relay, size_t head_len)
{
	relay->ready = head_len;
}

/* From now on, the client's input is a body without an end. */
static void begin_tunnel(struct px_relay *relay)
{
	relay->is_final = true;
	relay->is_endless = true;
	relay->is_tunnel = true;
	relay->keeps = false;
	relay->body_left = UINT64_MAX;
	relay->ready = relay->len;
}

/* False: lws answered with too large a head. */
static bool read_head(struct px_relay *relay)
{
	if (relay->ready > relay->at) {
		return true; /* an interim answer first */
	}
	if (relay->at > 0) {
		memmove(relay->buffer, relay->buffer + relay->at, relay->len - relay->at);
		relay->len -= relay->at;
		relay->at = 0;
		relay->ready = 0;
	}
	relay->buffer[relay->len] = '\0'; /* ends what is read of it as a number */
	const char *end = memmem(relay->buffer, relay->len, "\r\n\r\n", 4);
	if (!end) {
		return relay->len < BUFFER_BYTES;
	}
	size_t head_len = (size_t)(end - relay->buffer) + 4;
	if (relay->upgrades && strncmp(relay->buffer, "HTTP/1.1 101", 12) == 0) {
		begin_tunnel(relay);
	} else if (strncmp(relay->buffer, "HTTP/1.1 1", 10) == 0) {
		skip_interim(relay, head_len);
	} else {
		pass_head(relay, head_len);
	}
	return true;
}

/* 1: there may be more; 0: not now; -1: lws has closed it, or it is invalid. */
static int read_answer(struct px_relay *relay)
{
	if (relay->is_final && relay->at == relay->len) {
		relay->at = relay->len = relay->ready = 0;
	}
	relay->buffer = relay->buffer ? relay->buffer : malloc(BUFFER_BYTES + sizeof(CLOSE_LINE));
	if (!relay->buffer || relay->len >= BUFFER_BYTES) {
		return -1;
	}
	ssize_t n = recv(relay->fd, relay->buffer + relay->len, BUFFER_BYTES - relay->len,
			MSG_DONTWAIT);
	if (n <= 0) {
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	relay->pair_is_dry = (size_t)n < BUFFER_BYTES - relay->len;
	relay->len += (size_t)n;
	if (relay->is_final) {
		relay->ready = relay->len;
		uint64_t got = (uint64_t)n;
		relay->answer_left -= got < relay->answer_left ? got : relay->answer_left;
	}
	return relay->is_final || read_head(relay) ? 1 : -1;
}

/* -1: the client is gone. */
static int write_answer(struct px_frontend *frontend)
{
	struct px_relay *relay = frontend->relay;
	while (relay->at < relay->ready) {
		ssize_t n = px_stream_write(&frontend->stream, relay->buffer + relay->at,
				relay->ready - relay->at);
		if (n < 0) {
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		}
		relay->at += (size_t)n;
	}
	if (!relay->is_final && relay->len > relay->at) {
		(void)read_head(relay); /* what came behind "100 Continue" */
	}
	return 0;
}

static bool is_whole(const struct px_relay *relay)
{
	return relay->is_final && !relay->is_endless && relay->answer_left == 0 &&
			relay->at == relay->len;
}

/* ---- the body ---- */

static bool reads_body(const struct px_relay *relay)
{
	return relay->body_left > 0 && (!relay->is_final || relay->is_tunnel) && !relay->is_cut;
}

/* -1: the client is gone. Only what the pair has taken is removed from the client's socket. */
static int pass_body(struct px_frontend *frontend)
{
	struct px_relay *relay = frontend->relay;
	char bytes[BUFFER_BYTES];
	while (reads_body(relay)) {
		size_t most = relay->body_left < sizeof(bytes) ? relay->body_left : sizeof(bytes);
		ssize_t n = px_stream_peek(&frontend->stream, bytes, most);
		if (n < 0) {
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		}
		if (n == 0) {
			relay->is_cut = true; /* lws may still answer from the head alone */
			(void)shutdown(relay->fd, SHUT_WR);
			return 0;
		}
		ssize_t sent = send(relay->fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0) {
			/* lws does not read any more: its answer says why. */
			relay->pair_is_full = errno == EAGAIN;
			relay->is_cut |= relay->is_tunnel && !relay->pair_is_full;
			return 0;
		}
		relay->pair_is_full = false;
		relay->body_left -= (uint64_t)sent;
		(void)px_stream_read(&frontend->stream, bytes, (size_t)sent);
	}
	return 0;
}

/* ---- events ---- */

/* Starts the handle only for other events than before, see arm() in stream.c. */
static void watch_pair(struct px_relay *relay, int events)
{
	if (events == relay->armed) {
		return;
	}
	relay->armed = events;
	if (events == 0) {
		uv_poll_stop(&relay->poll);
	} else {
		uv_poll_start(&relay->poll, events, on_pair);
	}
}

static void watch(struct px_frontend *frontend)
{
	struct px_relay *relay = frontend->relay;
	bool waits = relay->at < relay->ready;
	bool reads = reads_body(relay);
	if (relay->at == relay->len) {
		free(relay->buffer); /* a WebSocket is idle most of the time */
		relay->buffer = NULL;
		relay->at = relay->len = relay->ready = 0;
	}
	bool listens = relay->is_endless && !relay->is_tunnel; /* only for its end */
	int client = (reads && !relay->pair_is_full) || listens ? UV_READABLE : 0;
	client |= waits ? UV_WRITABLE : 0;
	client |= relay->is_deaf ? 0 : UV_DISCONNECT;
	bool lasts = relay->is_tunnel && !relay->is_cut;
	int pair = !waits ? UV_READABLE : lasts ? UV_DISCONNECT : 0;
	pair |= reads && relay->pair_is_full ? UV_WRITABLE : 0;
	px_stream_watch(&frontend->stream, client);
	watch_pair(relay, pair);
	if (lasts) {
		px_frontend_set_timer(frontend, 0); /* sessions have timeouts of their own */
	} else if (!reads) {
		px_frontend_set_timer(frontend, waits ? STALL_MS : 0);
	}
}

static void refuse(struct px_frontend *frontend, int status, const char *sentence)
{
	px_frontend_refuse(frontend, &(struct px_http_head){ .is_head = frontend->relay->is_head },
			&(struct px_http_fault){ status, status == 500 ? "internal" : "bad_request",
			sentence, NULL });
}

static void fail_late(struct px_frontend *frontend)
{
	refuse(frontend, 408, "The body was not received in time.");
}

/* lws has closed its end of the pair. */
static void finish(struct px_frontend *frontend)
{
	const struct px_relay *relay = frontend->relay;
	if (relay->at < relay->ready) {
		return; /* the rest must be written first */
	}
	if (relay->is_final) {
		px_frontend_linger(frontend);
	} else if (relay->is_cut) {
		refuse(frontend, 400, "The body is shorter than its Content-Length.");
	} else if (relay->body_left > 0) {
		fail_late(frontend);
	} else {
		refuse(frontend, 500, "The server could not answer.");
	}
}

static void pump(struct px_frontend *frontend)
{
	struct px_relay *relay = frontend->relay;
	if (pass_body(frontend) < 0) {
		px_frontend_end(frontend);
		return;
	}
	relay->pair_is_dry = false;
	for (int i = 0; i < STEPS_PER_EVENT; i++) {
		if (write_answer(frontend) < 0) {
			px_frontend_end(frontend);
			return;
		}
		if (is_whole(relay)) {
			if (relay->keeps) {
				px_frontend_rest(frontend);
			} else {
				px_frontend_linger(frontend);
			}
			return;
		}
		int rc = relay->at < relay->ready || relay->pair_is_dry ? 0 : read_answer(relay);
		if (rc < 0) {
			finish(frontend);
			return;
		}
		if (rc == 0) {
			break;
		}
	}
	watch(frontend);
}

static void on_pair(uv_poll_t *poll, int status, int events)
{
	struct px_relay *relay = poll->data;
	relay->armed = status < 0 ? 0 : relay->armed; /* libuv has stopped the handle */
	/* Ends a session's tunnel; recv() reports other errors, too. */
	relay->is_cut |= relay->is_tunnel && (status < 0 || (events & UV_DISCONNECT) != 0);
	if (relay->frontend) {
		pump(relay->frontend);
	}
}

/* A streaming answer ends when its client disconnects or sends something. */
void px_relay_client(struct px_frontend *frontend, int events)
{
	struct px_relay *relay = frontend->relay;
	if (relay->is_endless && !relay->is_tunnel && events & (UV_READABLE | UV_DISCONNECT)) {
		px_frontend_end(frontend);
		return;
	}
	relay->is_deaf |= (events & UV_DISCONNECT) != 0;
	pump(frontend);
}

void px_relay_timeout(struct px_frontend *frontend)
{
	if (frontend->relay->is_final) {
		px_frontend_end(frontend);
	} else {
		fail_late(frontend);
	}
}

/* ---- the beginning ---- */

static int give_to_lws(struct px_frontend *frontend, int fd)
{
	struct px_server *server = server_of(frontend);
	int bytes = (int)server->config->global.send_buffer_bytes;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	/* Closes the descriptor if it fails. */
	struct lws *wsi = lws_adopt_socket_vhost(server->lws_vhost, fd);
	if (!wsi) {
		return -ENOMEM;
	}
	px_peer_ref(frontend->peer);
	lws_set_opaque_user_data(wsi, frontend->peer);
	frontend->is_answered_by = true;
	return 0;
}

static int start(struct px_frontend *frontend, struct px_relay *relay,
		const struct px_http_head *head)
{
	char text[PX_HTTP_HEAD_MAX + 64];
	size_t len = px_http_head_write(head, text, sizeof(text));
	int fds[2];
	if (len == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
		return -EMFILE;
	}
	relay->fd = fds[0];
	if (send(fds[0], text, len, MSG_NOSIGNAL) != (ssize_t)len ||
			uv_poll_init(&server_of(frontend)->loop, &relay->poll, fds[0]) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -ENOMEM;
	}
	relay->poll.data = relay;
	frontend->relay = relay;
	server_of(frontend)->relays++;
	return give_to_lws(frontend, fds[1]);
}

int px_relay_begin(struct px_frontend *frontend, const struct px_http_head *head)
{
	if (!px_has_descriptors(server_of(frontend))) {
		return -EMFILE;
	}
	struct px_relay *relay = calloc(1, sizeof(*relay));
	if (!relay) {
		return -ENOMEM;
	}
	relay->frontend = frontend;
	relay->body_left = head->content_length;
	relay->is_head = head->is_head;
	relay->upgrades = head->upgrades;
	relay->keeps = !head->closes;
	int rc = start(frontend, relay, head);
	if (rc < 0) {
		if (!frontend->relay) {
			free(relay);
		}
		return rc;
	}
	px_frontend_set_timer(frontend, BODY_MS); /* watch() stops it without a body */
	pump(frontend);
	return 0;
}
