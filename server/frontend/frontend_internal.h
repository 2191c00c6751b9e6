/* SPDX-License-Identifier: MIT */
/* What frontend.c (the connection) and relay.c (one request and its answer) share. */
#ifndef PX_FRONTEND_INTERNAL_H
#define PX_FRONTEND_INTERNAL_H

#include "core/peer.h"
#include "core/server.h"
#include "frontend.h"
#include "http/http_head.h"
#include "stream.h"

enum px_frontend_state {
	PX_FRONTEND_HEAD,   /* waiting for a request */
	PX_FRONTEND_RELAY,  /* … answering it */
	PX_FRONTEND_REST,   /* answered; lws's connection is not gone yet */
	PX_FRONTEND_LINGER, /* the last answer is written; input is read and dropped */
	PX_FRONTEND_GONE,
};

struct px_relay;

struct px_frontend {
	struct px_peer *peer;
	struct px_relay *relay; /* NULL: none */
	struct px_frontend *next;
	struct px_frontend **link;
	struct px_stream stream;
	uv_timer_t timer;
	int handles; /* number not yet closed */
	enum px_frontend_state state;
	bool hands_over; /* the socket goes to lws when libuv has released it */
	bool is_used;    /* had a request before */
	bool has_begun;  /* the beginning of a request has arrived */
	bool has_skipped; /* an empty line before it */
	bool is_answered_by; /* an lws connection refers to it */
	size_t dropped;  /* bytes, while it lingers */
};

/* frontend.c, for relay.c */
void px_frontend_end(struct px_frontend *frontend);
void px_frontend_linger(struct px_frontend *frontend);
/* The answer is complete, and another request may follow. */
void px_frontend_rest(struct px_frontend *frontend);
/* Answers instead of lws, and lingers. What was parsed of `head` is used. */
void px_frontend_refuse(struct px_frontend *frontend, const struct px_http_head *head,
		const struct px_http_fault *fault);
void px_frontend_set_timer(struct px_frontend *frontend, uint64_t ms); /* 0: none */

/* relay.c: the head was read from the socket. 0; -EMFILE, -ENOMEM. */
int px_relay_begin(struct px_frontend *frontend, const struct px_http_head *head);
/* An event at the client's socket: UV_READABLE and so on. */
void px_relay_client(struct px_frontend *frontend, int events);
void px_relay_timeout(struct px_frontend *frontend);
void px_relay_end(struct px_frontend *frontend);

#endif
