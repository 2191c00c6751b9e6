/* SPDX-License-Identifier: MIT */
/*
 * See proxy_protocol.h, and for the format HAProxy's doc/proxy-protocol.txt.
 *
 * What has arrived is looked at without taking it (MSG_PEEK), and then exactly the header is
 * read: what is behind it, a ClientHello for instance, stays in the socket for lws. Bytes
 * that only begin a header leave the socket readable, so it is asked again a little later
 * instead of at once. Rejected: reading byte by byte, a hundred system calls a connection.
 *
 * A peer counts from accept(), so those that wait are under the limit on connections.
 */
#include "proxy_protocol.h"

#include "log.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define V1_MAX 107 /* "\r\n" included */
#define V2_HEAD 16

#define WAIT_MS 3000
#define AGAIN_MS 10

static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

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

/* A port as version 1 has it: 0 to 65535, no leading zeros. */
static bool is_port(const char *text)
{
	size_t len = strlen(text);
	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len &&
			(text[0] != '0' || len == 1) && strtoul(text, NULL, 10) <= 65535;
}

static bool take_v1_address(const char *family, const char *source, const char *target,
		struct px_proxy_header *header)
{
	int kind = strcmp(family, "TCP4") == 0 ? AF_INET : AF_INET6;
	struct in6_addr other;
	if (kind == AF_INET6 && strcmp(family, "TCP6") != 0) {
		return false;
	}
	header->has_address = true;
	return inet_pton(kind, source, &other) == 1 && inet_pton(kind, target, &other) == 1 &&
			px_address_parse(source, &header->address);
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443": single spaces, nothing more. */
static int parse_v1_line(char *line, struct px_proxy_header *header)
{
	char *words[6];
	size_t count = 0;
	if (strcmp(line, "PROXY UNKNOWN") == 0 || strncmp(line, "PROXY UNKNOWN ", 14) == 0) {
		return 0;
	}
	for (char *word = line; word; count++) {
		char *end = strchr(word, ' ');
		if (count == 6 || end == word || *word == '\0') {
			return -EPROTO;
		}
		words[count] = word;
		if (end) {
			*end++ = '\0';
		}
		word = end;
	}
	return count == 6 && take_v1_address(words[1], words[2], words[3], header) &&
					is_port(words[4]) && is_port(words[5]) ?
			0 :
			-EPROTO;
}

static int parse_v1(const unsigned char *bytes, size_t len, struct px_proxy_header *header)
{
	char line[V1_MAX];
	const unsigned char *end = memchr(bytes, '\n', len < V1_MAX ? len : V1_MAX);
	if (!end) {
		return len < V1_MAX ? -EAGAIN : -EPROTO;
	}
	size_t line_len = (size_t)(end - bytes);
	if (end[-1] != '\r' || memchr(bytes, '\0', line_len)) {
		return -EPROTO;
	}
	memcpy(line, bytes, line_len - 1);
	line[line_len - 1] = '\0';
	header->len = line_len + 1;
	return parse_v1_line(line, header);
}

/* TCP over IPv4 or IPv6; of other families nothing can be said, which is no error. */
static int take_v2_address(const unsigned char *bytes, size_t len, struct px_proxy_header *header)
{
	const unsigned char *addresses = bytes + V2_HEAD;
	if (bytes[13] == 0x11) {
		if (len < 12) {
			return -EPROTO;
		}
		header->address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
		memcpy(&header->address.s6_addr[12], addresses, 4);
		header->has_address = true;
	} else if (bytes[13] == 0x21) {
		if (len < 36) {
			return -EPROTO;
		}
		memcpy(&header->address, addresses, sizeof(header->address));
		header->has_address = true;
	}
	return 0;
}

static int parse_v2(const unsigned char *bytes, size_t len, struct px_proxy_header *header)
{
	if (len < V2_HEAD) {
		return -EAGAIN;
	}
	size_t rest = (size_t)(bytes[14] << 8 | bytes[15]);
	unsigned command = bytes[12] & 0x0f;
	if (bytes[12] >> 4 != 2 || command > 1 || V2_HEAD + rest > PX_PROXY_HEADER_MAX) {
		return -EPROTO;
	}
	if (len < V2_HEAD + rest) {
		return -EAGAIN;
	}
	header->len = V2_HEAD + rest;
	return command == 0 ? 0 : take_v2_address(bytes, rest, header);
}

static bool begins(const void *wanted, size_t wanted_len, const unsigned char *bytes, size_t len)
{
	return memcmp(wanted, bytes, len < wanted_len ? len : wanted_len) == 0;
}

int px_proxy_parse(const unsigned char *bytes, size_t len, struct px_proxy_header *ret_header)
{
	struct px_proxy_header header = { .len = 0 };
	int rc = -EPROTO;
	if (len == 0) {
		return -EAGAIN;
	}
	if (begins("PROXY ", 6, bytes, len)) {
		rc = len < 6 ? -EAGAIN : parse_v1(bytes, len, &header);
	} else if (begins(signature, sizeof(signature), bytes, len)) {
		rc = len < sizeof(signature) ? -EAGAIN : parse_v2(bytes, len, &header);
	}
	if (rc == 0) {
		*ret_header = header;
	}
	return rc;
}

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
	if (header->has_address) {
		greeting->peer->address = header->address;
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
