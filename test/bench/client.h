/* SPDX-License-Identifier: MIT */
/*
 * One WebSocket client of the load, and the loop that all of them share.
 *
 * The loop reads as much as there is with one recv() per ready client, and before it waits again it
 * sends what that brought, with one send() per client, so that the load costs less than the server
 * that it measures. Everything that a client receives is checked against RFC 6455; what is wrong
 * ends the program with a sentence (check_failed).
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "buffer.h"
#include "ws.h"

#include <openssl/ssl.h>

struct room;

struct client {
	unsigned number; /* from 1: user id, and sender number in messages */
	int fd;
	bool open;    /* the server accepted the upgrade */
	bool dirty;   /* on the loop's dirty list */
	bool blocked; /* the socket is full */
	bool visitor; /* comes and goes: visitors.h */
	uint64_t came_ns;
	struct buffer in;
	struct buffer out;
	struct client *next_dirty;
	SSL *ssl;             /* NULL: without TLS */
	SSL_SESSION *session; /* the last ticket, to resume with; NULL: none */
	/* What follows is the traffic's (traffic.h). */
	struct room *room; /* NULL: idle, must receive nothing */
	unsigned place;    /* in the room */
	uint32_t sent;     /* messages so far, the next one's sequence number */
	struct flight *flights;
	char *text; /* its message; only the sequence number changes */
	size_t text_bytes;
	size_t head_bytes; /* of it: what the dialect puts in front */
	size_t payload_at;
	size_t payload_hint; /* where the payload stood in the last message that it received */
	bool established;    /* the application said so */
	unsigned joins_seen;
};

struct loop {
	int epoll_fd;
	uint16_t port;
	uint64_t now_ns; /* read once per recv() */
	uint64_t progress; /* grows with everything that happens */
	uint32_t random;
	struct client *dirty;
	uint8_t *scratch;
	SSL_CTX *tls;            /* NULL: without TLS */
	bool resumes;            /* a client that connects again resumes its session */
	uint64_t resumed;        /* handshakes that did */
	const char *subprotocol; /* offered; NULL: none */
	enum ws_opcode opcode;   /* of messages */
	void *user;
	void (*on_open)(void *user, struct client *);
	void (*on_message)(void *user, struct client *, const uint8_t *message, size_t bytes);
	void (*on_pong)(void *user, struct client *, const uint8_t *payload, size_t bytes);
	/* Before each wait; how long that may be, in ms. */
	int (*on_turn)(void *user);
	/* Nothing came for ten seconds: says what is missing and does not return. */
	void (*on_stall)(void *user);
};

/* Prints "bench-load: <sentence>" and ends with exit code 1. */
void check_failed(const char *sentence, ...) __attribute__((noreturn, format(printf, 1, 2)));

void loop_init(struct loop *l, uint16_t port);

/* All connections are over TLS of that version (TLS1_2_VERSION, …; 0: the newest of both). */
void loop_use_tls(struct loop *l, int version);

/* Sends what is queued, waits for events (a second at most), handles them. */
void loop_turn(struct loop *l);

/* `token` NULL: none; else it goes into the Authorization header. */
void client_connect(struct loop *l, struct client *c, const char *path, const char *token);

/* Says goodbye (1000) and hangs up; the client may connect again. */
void client_leave(struct loop *l, struct client *c);

/* Queues a message; the loop sends it before it waits again. */
void client_send(struct loop *l, struct client *c, enum ws_opcode opcode, const void *payload,
		size_t bytes);

/* Sends what is queued now. */
void client_flush(struct loop *l, struct client *c);

#endif
