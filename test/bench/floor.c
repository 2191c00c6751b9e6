/* SPDX-License-Identifier: MIT */
/*
 * The floor: the least that a single-threaded WebSocket server has to do for a fan-out, on raw
 * epoll. Handshake, unmask, copy the frame to every other member of the room, one send() for each
 * recipient per turn of the loop. No JSON, no identity, no limits, no timers: whatever Praxis costs
 * more than this is what Praxis adds.
 *
 * It is meant to be fast: one big receive buffer for all, an outbound frame made once (in place, in
 * front of the unmasked payload) and copied once per recipient, TCP_NODELAY, no memory per idle
 * connection but its struct. Frames shared by reference and gathered with writev() were rejected:
 * the copies are part of the one to seven per cent of its time that this program spends outside the
 * kernel, so there is nothing to win.
 *
 * GET /floor/R joins room R; any other path connects and joins none.
 */
#define _GNU_SOURCE 1
#include "buffer.h"
#include "ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECV_BYTES (256 * 1024)
#define EVENTS_MAX 1024
#define ROOMS_MAX 65536
#define NO_ROOM SIZE_MAX

struct peer {
	int fd;
	bool open;    /* the handshake is done */
	bool dirty;   /* on the dirty list */
	bool blocked; /* the socket is full, EPOLLOUT will tell */
	size_t room;
	size_t place; /* in the room's members */
	struct buffer in;  /* the beginning of a frame that is not there whole */
	struct buffer out;
	struct peer *next_dirty;
};

struct room {
	struct peer **members;
	size_t count;
	size_t capacity;
};

static int epoll_fd;
static struct room *rooms;
static struct peer *dirty_peers;

static void die(const char *what)
{
	fprintf(stderr, "bench-floor: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void peer_watch(struct peer *p, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data = { .ptr = p } };

	if (epoll_ctl(epoll_fd, operation, p->fd, &event) < 0) {
		die("epoll_ctl");
	}
}

/* Every peer that wrote or died this turn is visited once at its end: flushed, or freed. */
static void peer_mark(struct peer *p)
{
	if (!p->dirty) {
		p->dirty = true;
		p->next_dirty = dirty_peers;
		dirty_peers = p;
	}
}

static void room_join(struct peer *p, size_t number)
{
	struct room *r = &rooms[number];

	if (r->count == r->capacity) {
		r->capacity = r->capacity > 0 ? r->capacity * 2 : 8;
		r->members = buffer_must(realloc(r->members, r->capacity * sizeof(struct peer *)));
	}
	p->room = number;
	p->place = r->count;
	r->members[r->count++] = p;
}

static void room_leave(struct peer *p)
{
	if (p->room != NO_ROOM) {
		struct room *r = &rooms[p->room];
		struct peer *last = r->members[--r->count];

		r->members[p->place] = last;
		last->place = p->place;
		p->room = NO_ROOM;
	}
}

static void peer_close(struct peer *p)
{
	if (p->fd >= 0) {
		room_leave(p);
		close(p->fd);
		p->fd = -1;
		peer_mark(p);
	}
}

static void room_forward(const struct peer *from, const uint8_t *frame, size_t bytes)
{
	const struct room *r;

	if (from->room == NO_ROOM) {
		return;
	}
	r = &rooms[from->room];
	for (size_t i = 0; i < r->count; i++) {
		if (r->members[i] != from) {
			buffer_append(&r->members[i]->out, frame, bytes);
			peer_mark(r->members[i]);
		}
	}
}

/* Takes a whole masked frame; its payload may be overwritten. False: close the connection. */
static bool on_frame(struct peer *p, uint8_t *at, const struct ws_frame *f)
{
	uint8_t opcode = f->first_byte & 0x0f;
	uint8_t *payload = at + f->header_bytes;
	size_t bytes = (size_t)f->payload_bytes;
	uint8_t *frame = payload - ws_header_bytes(bytes);

	ws_mask(payload, bytes, f->mask);
	if (opcode == WS_TEXT || opcode == WS_BINARY) {
		ws_header_encode(frame, opcode, bytes, NULL);
		room_forward(p, frame, (size_t)(payload + bytes - frame));
	} else if (opcode == WS_PING) {
		ws_header_encode(frame, WS_PONG, bytes, NULL);
		buffer_append(&p->out, frame, (size_t)(payload + bytes - frame));
		peer_mark(p);
	}
	return opcode != WS_CLOSE;
}

/* Returns how many bytes were used up, or -1: close the connection. */
static ssize_t on_frames(struct peer *p, uint8_t *at, size_t bytes)
{
	struct ws_frame f;
	size_t used = 0;

	while (ws_frame_decode(at + used, bytes - used, &f)) {
		/* No client of a benchmark sends fragments or a frame beyond the buffer. */
		if (!f.masked || (f.first_byte & WS_FIN) == 0 || f.payload_bytes > RECV_BYTES / 2) {
			return -1;
		}
		if (bytes - used < f.header_bytes + f.payload_bytes) {
			break;
		}
		if (!on_frame(p, at + used, &f)) {
			return -1;
		}
		used += f.header_bytes + (size_t)f.payload_bytes;
	}
	return (ssize_t)used;
}

static ssize_t on_handshake(struct peer *p, uint8_t *at, size_t bytes)
{
	uint8_t *end = memmem(at, bytes, "\r\n\r\n", 4);
	char *head = (char *)at;
	char accept[WS_ACCEPT_CHARS + 1], answer[256], *rest;
	const char *key;
	size_t key_chars;
	int chars;

	if (end == NULL) {
		return bytes > 8192 ? -1 : 0;
	}
	end[3] = '\0';
	key = ws_header_find(head, "Sec-WebSocket-Key", &key_chars);
	if (key == NULL || key_chars != 24) {
		return -1;
	}
	if (strncmp(head, "GET /floor/", 11) == 0) {
		unsigned long number = strtoul(head + 11, &rest, 10);

		if (rest == head + 11 || *rest != ' ' || number >= ROOMS_MAX) {
			return -1;
		}
		room_join(p, number);
	}
	ws_accept(key, key_chars, accept);
	chars = snprintf(answer, sizeof(answer),
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
	/* A new socket takes this at once; through `out` every idle peer would keep a buffer. */
	if (send(p->fd, answer, (size_t)chars, MSG_NOSIGNAL) != chars) {
		return -1;
	}
	p->open = true;
	return end + 4 - at;
}

static void on_readable(struct peer *p)
{
	static uint8_t scratch[RECV_BYTES];
	size_t bytes = buffer_used(&p->in);
	ssize_t got, used = 0;

	got = recv(p->fd, scratch + bytes, sizeof(scratch) - bytes, 0);
	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			peer_close(p);
		}
		return;
	}
	if (bytes > 0) {
		memcpy(scratch, p->in.bytes + p->in.start, bytes);
		buffer_free(&p->in);
	}
	bytes += (size_t)got;
	if (!p->open) {
		used = on_handshake(p, scratch, bytes);
	}
	if (p->open && used >= 0) {
		ssize_t more = on_frames(p, scratch + used, bytes - (size_t)used);

		used = more < 0 ? -1 : used + more;
	}
	if (used < 0) {
		peer_close(p);
	} else if ((size_t)used < bytes) {
		buffer_append(&p->in, scratch + used, bytes - (size_t)used);
	}
}

static void peer_flush(struct peer *p)
{
	size_t bytes = buffer_used(&p->out);
	ssize_t sent;

	if (bytes == 0 || p->blocked) {
		return;
	}
	sent = send(p->fd, p->out.bytes + p->out.start, bytes, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		peer_close(p);
		return;
	}
	if (sent > 0) {
		buffer_take(&p->out, (size_t)sent);
	}
	if (buffer_used(&p->out) > 0) {
		p->blocked = true;
		peer_watch(p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	} else if (p->room == NO_ROOM) {
		buffer_free(&p->out); /* who only pings keeps no buffer */
	}
}

static void end_turn(void)
{
	while (dirty_peers != NULL) {
		struct peer *p = dirty_peers;

		dirty_peers = p->next_dirty;
		if (p->fd >= 0) {
			/* Still marked: a failing send() closes it, but must not list it again. */
			peer_flush(p);
			p->dirty = false;
		}
		if (p->fd < 0) {
			buffer_free(&p->in);
			buffer_free(&p->out);
			free(p);
		}
	}
}

static void on_connections(int listen_fd)
{
	int fd, on = 1;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct peer *p = buffer_must(calloc(1, sizeof(*p)));

		p->fd = fd;
		p->room = NO_ROOM;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		peer_watch(p, EPOLL_CTL_ADD, EPOLLIN);
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		die("accept4");
	}
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t bytes = sizeof(address);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
			bind(fd, (struct sockaddr *)&address, bytes) < 0 || listen(fd, 4096) < 0 ||
			getsockname(fd, (struct sockaddr *)&address, &bytes) < 0) {
		die("listen");
	}
	printf("listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void on_event(const struct epoll_event *event, int listen_fd)
{
	struct peer *p = event->data.ptr;

	if (p == NULL) {
		on_connections(listen_fd);
		return;
	}
	if (event->events & EPOLLOUT) {
		p->blocked = false;
		peer_watch(p, EPOLL_CTL_MOD, EPOLLIN);
		peer_mark(p);
	}
	if (event->events & ~(uint32_t)EPOLLOUT) {
		on_readable(p);
	}
}

int main(int argc, char **argv)
{
	static struct epoll_event events[EVENTS_MAX];
	struct epoll_event listening = { .events = EPOLLIN, .data = { .ptr = NULL } };
	struct rlimit files;
	int listen_fd, count;

	if (argc > 2) {
		fprintf(stderr, "usage: bench-floor [PORT]\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	rooms = buffer_must(calloc(ROOMS_MAX, sizeof(*rooms)));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	listen_fd = listen_on((uint16_t)(argc == 2 ? strtoul(argv[1], NULL, 10) : 0));
	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listening) < 0) {
		die("epoll");
	}
	/* Until a signal ends it: the driver stops it by its pid. */
	for (;;) {
		count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++) {
			on_event(&events[i], listen_fd);
		}
		end_turn();
	}
}
