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
	PX_FRONTEND_HEAD,   /* a request is awaited */
	PX_FRONTEND_RELAY,  /* … and answered */
	PX_FRONTEND_REST,   /* answered; what answered it is not yet gone */
	PX_FRONTEND_LINGER, /* the last answer is out; what comes is read and dropped */
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
	int handles; /* not yet closed */
	enum px_frontend_state state;
	bool hands_over; /* the socket goes on to lws when libuv has let go of it */
	bool is_used;    /* had a request before */
	bool has_begun;  /* the first bytes of a request are there */
	bool has_skipped; /* an empty line ahead of it */
	bool is_answered_by; /* an lws connection has the peer */
	size_t dropped;  /* bytes, while it lingers */
};

/* frontend.c, for relay.c */
void px_frontend_end(struct px_frontend *frontend);
void px_frontend_linger(struct px_frontend *frontend);
/* The answer is out, and another request may follow. */
void px_frontend_rest(struct px_frontend *frontend);
/* Answers in place of lws, and lingers. Of `head` as much counts as was read. */
void px_frontend_refuse(struct px_frontend *frontend, const struct px_http_head *head,
		const struct px_http_fault *fault);
void px_frontend_set_timer(struct px_frontend *frontend, uint64_t ms); /* 0: none */

/* relay.c: the head has been taken out of the socket. 0; -EMFILE, -ENOMEM. */
int px_relay_begin(struct px_frontend *frontend, const struct px_http_head *head);
/* Something happened at the client's socket: UV_READABLE and so on. */
void px_relay_client(struct px_frontend *frontend, int events);
void px_relay_timeout(struct px_frontend *frontend);
void px_relay_end(struct px_frontend *frontend);

#endif
