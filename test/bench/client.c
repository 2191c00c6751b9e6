/* SPDX-License-Identifier: MIT */
/*
 * Connecting, framing and the loop of client.h.
 *
 * A client library was rejected: none of them tells a doubled frame header from a right one, most
 * answer or drop silently what this program must notice, and their cost per message would be the
 * bottleneck. The receive buffer is shared by all clients; one keeps bytes of its own only while a
 * frame is incomplete.
 */
#define _GNU_SOURCE 1
#include "client.h"

#include "stats.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCRATCH_BYTES (512 * 1024)
#define FRAME_MAX_BYTES (SCRATCH_BYTES / 2)
#define EVENTS_MAX 512
#define STALL_MS 10000
#define CONTROL_MAX_BYTES 125

void check_failed(const char *sentence, ...)
{
	va_list arguments;

	va_start(arguments, sentence);
	fputs("bench-load: ", stderr);
	vfprintf(stderr, sentence, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

void loop_init(struct loop *l, uint16_t port)
{
	l->port = port;
	l->random = 2463534242u;
	l->scratch = buffer_must(malloc(SCRATCH_BYTES));
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		check_failed("epoll_create1: %s", strerror(errno));
	}
}

/* Keeps the newest ticket of a connection; the reference is ours. */
static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct client *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

void loop_use_tls(struct loop *l, int version)
{
	l->tls = SSL_CTX_new(TLS_client_method());
	if (l->tls == NULL || SSL_CTX_set_min_proto_version(l->tls, version) != 1 ||
			SSL_CTX_set_max_proto_version(l->tls, version) != 1) {
		check_failed("OpenSSL does not start");
	}
	SSL_CTX_set_session_cache_mode(l->tls, SSL_SESS_CACHE_CLIENT |
			SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(l->tls, on_ticket);
	SSL_CTX_set_mode(l->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

/* The server's certificate is the benchmark's own and is not verified: that is no work of its. */
static void client_secure(struct loop *l, struct client *c)
{
	c->ssl = SSL_new(l->tls);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1) {
		check_failed("client %u has no TLS", c->number);
	}
	SSL_set_app_data(c->ssl, c);
	if (l->resumes && c->session != NULL) {
		SSL_set_session(c->ssl, c->session);
	}
	SSL_set_connect_state(c->ssl);
}

/* As recv(); WANT_READ and WANT_WRITE are EAGAIN, a write is tried again with the next event. */
static ssize_t client_recv(struct client *c, void *at, size_t bytes)
{
	int n;

	if (c->ssl == NULL) {
		return recv(c->fd, at, bytes, 0);
	}
	ERR_clear_error();
	n = SSL_read(c->ssl, at, (int)bytes);
	if (n <= 0) {
		int error = SSL_get_error(c->ssl, n);

		errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
		return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
	}
	return n;
}

static ssize_t client_write(struct loop *l, struct client *c, const void *at, size_t bytes)
{
	bool was_ready = c->ssl != NULL && SSL_is_init_finished(c->ssl);
	int n;

	if (c->ssl == NULL) {
		return send(c->fd, at, bytes, MSG_NOSIGNAL);
	}
	ERR_clear_error();
	n = SSL_write(c->ssl, at, (int)bytes);
	if (!was_ready && SSL_is_init_finished(c->ssl)) {
		l->resumed += SSL_session_reused(c->ssl) ? 1 : 0;
	}
	if (n <= 0) {
		int error = SSL_get_error(c->ssl, n);

		errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
		return -1;
	}
	return n;
}

static void client_watch(struct loop *l, struct client *c, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data = { .ptr = c } };

	if (epoll_ctl(l->epoll_fd, operation, c->fd, &event) < 0) {
		check_failed("epoll_ctl: %s", strerror(errno));
	}
}

static void client_mark(struct loop *l, struct client *c)
{
	if (!c->dirty) {
		c->dirty = true;
		c->next_dirty = l->dirty;
		l->dirty = c;
	}
}

/* Sixteen bytes, different for every client, as base64. */
static void client_key(const struct client *c, char key[25])
{
	unsigned char bytes[16] = "praxis-bench";

	memcpy(bytes + 12, &c->number, 4);
	EVP_EncodeBlock((unsigned char *)key, bytes, sizeof(bytes));
}

void client_connect(struct loop *l, struct client *c, const char *path, const char *token)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(l->port),
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	char request[4096], key[25];
	const char *subprotocol = l->subprotocol;
	int on = 1, chars;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) {
		check_failed("socket for client %u: %s", c->number, strerror(errno));
	}
	if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
			errno != EINPROGRESS) {
		check_failed("client %u cannot connect: %s", c->number, strerror(errno));
	}
	client_key(c, key);
	chars = snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
			"Sec-WebSocket-Version: 13\r\n%s%s%s%s%s%s\r\n", path, l->port, key,
			token ? "Authorization: Bearer " : "", token ? token : "",
			token ? "\r\n" : "", subprotocol ? "Sec-WebSocket-Protocol: " : "",
			subprotocol ? subprotocol : "", subprotocol ? "\r\n" : "");
	if (chars < 0 || (size_t)chars >= sizeof(request)) {
		check_failed("the path %s, or its token, is too long", path);
	}
	buffer_append(&c->out, request, (size_t)chars);
	if (l->tls != NULL) {
		client_secure(l, c);
	}
	c->blocked = true; /* until it is connected */
	client_watch(l, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void client_leave(struct loop *l, struct client *c)
{
	/* Masked with zeros: a close frame of 1000. */
	static const uint8_t goodbye[] = { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8 };

	if (client_write(l, c, goodbye, sizeof(goodbye)) != (ssize_t)sizeof(goodbye)) {
		check_failed("client %u cannot say goodbye: %s", c->number, strerror(errno));
	}
	if (c->ssl != NULL) {
		/* Else OpenSSL takes the session for broken, and does not resume it. */
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	close(c->fd);
	c->fd = -1;
	c->open = false;
	buffer_free(&c->in);
	buffer_free(&c->out);
}

void client_send(struct loop *l, struct client *c, enum ws_opcode opcode, const void *payload,
		size_t bytes)
{
	uint8_t *at = buffer_reserve(&c->out, bytes + WS_HEADER_MAX);
	uint8_t mask[4];
	size_t header;

	l->random ^= l->random << 13;
	l->random ^= l->random >> 17;
	l->random ^= l->random << 5;
	memcpy(mask, &l->random, 4);
	header = ws_header_encode(at, opcode, bytes, mask);
	memcpy(at + header, payload, bytes);
	ws_mask(at + header, bytes, mask);
	c->out.end += header + bytes;
	client_mark(l, c);
}

void client_flush(struct loop *l, struct client *c)
{
	size_t bytes = buffer_used(&c->out);
	ssize_t sent;

	if (bytes == 0 || c->blocked) {
		return;
	}
	sent = client_write(l, c, c->out.bytes + c->out.start, bytes);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		check_failed("client %u cannot send: %s", c->number, strerror(errno));
	}
	if (sent > 0) {
		buffer_take(&c->out, (size_t)sent);
	}
	if (buffer_used(&c->out) > 0 && c->ssl != NULL && !SSL_is_init_finished(c->ssl)) {
		return; /* the server's part of the handshake comes next: see on_readable() */
	}
	if (buffer_used(&c->out) > 0) {
		c->blocked = true;
		client_watch(l, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	} else if (c->room == NULL) {
		buffer_free(&c->out); /* ten thousand idle ones need no buffer */
	}
}

/* Returns how many bytes the answer to the upgrade has, 0 if it is not there whole. */
static size_t on_answer(struct loop *l, struct client *c, uint8_t *at, size_t bytes)
{
	uint8_t *end = memmem(at, bytes, "\r\n\r\n", 4);
	char accept[WS_ACCEPT_CHARS + 1], key[25];
	const char *head = (char *)at, *value;
	size_t chars;

	if (end == NULL) {
		return 0;
	}
	end[3] = '\0';
	if (strncmp(head, "HTTP/1.1 101 ", 13) != 0) {
		check_failed("client %u was not let in: %.*s %.*s", c->number,
				(int)strcspn(head, "\r\n"), head,
				(int)(at + bytes - (end + 4)), (const char *)end + 4);
	}
	client_key(c, key);
	ws_accept(key, 24, accept);
	value = ws_header_find(head, "Sec-WebSocket-Accept", &chars);
	if (value == NULL || chars != WS_ACCEPT_CHARS || memcmp(value, accept, chars) != 0) {
		check_failed("client %u got a wrong Sec-WebSocket-Accept", c->number);
	}
	if (ws_header_find(head, "Sec-WebSocket-Extensions", &chars) != NULL ||
			(l->subprotocol == NULL) != (ws_header_find(head,
			"Sec-WebSocket-Protocol", &chars) == NULL)) {
		check_failed("client %u got an extension or no protocol that it offered",
				c->number);
	}
	c->open = true;
	l->on_open(l->user, c);
	return (size_t)(end + 4 - at);
}

static void check_frame(const struct client *c, const struct ws_frame *f)
{
	uint8_t opcode = f->first_byte & 0x0f;

	if ((f->first_byte & WS_FIN) == 0 || (f->first_byte & WS_RSV) != 0) {
		check_failed("client %u got a frame beginning with 0x%02x: no FIN, or RSV bits",
				c->number, f->first_byte);
	}
	if (f->masked) {
		check_failed("client %u got a masked frame", c->number);
	}
	if (f->header_bytes != ws_header_bytes((size_t)f->payload_bytes)) {
		check_failed("client %u got a length of %llu written in a header of %zu bytes",
				c->number, (unsigned long long)f->payload_bytes, f->header_bytes);
	}
	if (f->payload_bytes > (opcode >= WS_CLOSE ? CONTROL_MAX_BYTES : FRAME_MAX_BYTES)) {
		check_failed("client %u got a frame of opcode %u with %llu bytes", c->number,
				opcode, (unsigned long long)f->payload_bytes);
	}
}

static void on_frame(struct loop *l, struct client *c, uint8_t opcode, const uint8_t *payload,
		size_t bytes)
{
	if (opcode == l->opcode) {
		l->on_message(l->user, c, payload, bytes);
		return;
	}
	switch (opcode) {
	case WS_PING: /* a heartbeat is no progress */
		client_send(l, c, WS_PONG, payload, bytes);
		break;
	case WS_PONG:
		l->on_pong(l->user, c, payload, bytes);
		break;
	case WS_CLOSE:
		check_failed("client %u was closed by the server with %u %.*s", c->number,
				bytes < 2 ? 1005 : (unsigned)(payload[0] << 8 | payload[1]),
				bytes < 2 ? 0 : (int)bytes - 2, (const char *)payload + 2);
	default:
		check_failed("client %u got a frame of opcode %u", c->number, opcode);
	}
}

/* Returns how many bytes were used up. */
static size_t on_bytes(struct loop *l, struct client *c, uint8_t *at, size_t bytes)
{
	struct ws_frame f;
	size_t used = 0;

	if (!c->open) {
		used = on_answer(l, c, at, bytes);
	}
	while (c->open && ws_frame_decode(at + used, bytes - used, &f)) {
		check_frame(c, &f);
		if (bytes - used < f.header_bytes + f.payload_bytes) {
			break;
		}
		on_frame(l, c, f.first_byte & 0x0f, at + used + f.header_bytes,
				(size_t)f.payload_bytes);
		used += f.header_bytes + (size_t)f.payload_bytes;
	}
	return used;
}

/* False: there is nothing, for now. */
static bool read_some(struct loop *l, struct client *c)
{
	size_t kept = buffer_used(&c->in), used, bytes;
	ssize_t got = client_recv(c, l->scratch + kept, SCRATCH_BYTES - kept);

	if (got == 0) {
		check_failed("client %u: the server ended the connection", c->number);
	}
	if (got < 0) {
		if (errno == EAGAIN || errno == EINTR) {
			return false;
		}
		check_failed("client %u: %s", c->number, strerror(errno));
	}
	if (kept > 0) {
		memcpy(l->scratch, c->in.bytes + c->in.start, kept);
		buffer_free(&c->in);
	}
	l->now_ns = clock_ns();
	bytes = kept + (size_t)got;
	used = on_bytes(l, c, l->scratch, bytes);
	if (c->fd >= 0 && used < bytes) {
		buffer_append(&c->in, l->scratch + used, bytes - used);
	}
	return c->fd >= 0;
}

static void on_readable(struct loop *l, struct client *c)
{
	if (c->ssl != NULL && !SSL_is_init_finished(c->ssl)) {
		client_mark(l, c); /* the handshake goes on when the request is written */
		return;
	}
	/* OpenSSL gives a record at a time, and epoll does not see what it keeps. */
	while (read_some(l, c) && c->ssl != NULL) {
	}
}

void loop_turn(struct loop *l)
{
	static struct epoll_event events[EVENTS_MAX];
	static uint64_t last_progress, last_progress_ns;
	int count;

	while (l->dirty != NULL) {
		struct client *c = l->dirty;

		l->dirty = c->next_dirty;
		c->dirty = false;
		client_flush(l, c);
	}
	count = epoll_wait(l->epoll_fd, events, EVENTS_MAX, l->on_turn ? l->on_turn(l->user) : 1000);
	l->now_ns = clock_ns();
	for (int i = 0; i < count; i++) {
		struct client *c = events[i].data.ptr;

		if (events[i].events & EPOLLOUT) {
			c->blocked = false;
			client_watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
			client_mark(l, c);
		}
		if (events[i].events & ~(uint32_t)EPOLLOUT) {
			on_readable(l, c);
		}
	}
	if (l->progress != last_progress || last_progress_ns == 0) {
		last_progress = l->progress;
		last_progress_ns = l->now_ns;
	} else if (l->now_ns - last_progress_ns > STALL_MS * UINT64_C(1000000)) {
		l->on_stall(l->user);
	}
}
