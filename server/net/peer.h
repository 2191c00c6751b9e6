/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection, from its adoption to its end, and what is counted against it. Opened by
 * all that answer a request or an upgrade. It never outlives its socket, and never decides who
 * somebody is.
 */
#ifndef PX_NET_PEER_H
#define PX_NET_PEER_H

#include "limiter.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <praxis/adapter.h>

struct px_auth_request;
struct px_resume_query;
struct px_frontend;
struct px_identity;
struct px_request;
struct px_server;
struct px_session_params;
struct px_span;
struct px_limiter_entry;
struct px_vhost;

/* One TCP connection; lws's opaque user data, from adoption to the end. */
struct px_peer {
	struct px_vhost *vhost;
	struct in6_addr own_address; /* the connection's, or what its PROXY header tells */
	struct in6_addr address;     /* of who sent the request: see http/forwarded.h and address/address.h */
	const void *head;            /* of the request in hand: see http/lws_head.h */
	struct px_limiter_entry *address_entry; /* once it is counted */
	struct px_limiter_entry *user_entry;
	struct px_identity *identity; /* let in, not yet a session */
	struct px_auth_request *auth_request;     /* the application's back end is asked */
	struct px_request *request;   /* of the API: being read, or its answer goes on */
	struct px_frontend *frontend; /* reads its requests; NULL: lws does */
	uint32_t holders;             /* frontend and lws connections */
	uint64_t bytes_at_answer;     /* read by TLS when the last answer was written; 0: none was */
	struct px_resume_query *resume_query; /* the session that it wants to resume; NULL: none */
	int8_t service;
	bool is_proxied;              /* it began with a PROXY header … */
	bool is_https;                /* … which says that the client came with TLS */
	bool is_forwarded;            /* a proxy has left a sign in the request … */
	bool is_masked;               /* … one that is not trusted: the address is not the client's */
	bool versioned;
	bool unauthenticated;                  /* an open session that has not authenticated */
	uint8_t verdict;              /* enum px_verdict, of the token that it came with */
	const char *sentence;         /* … if it is no good */
	int64_t retry_after_ms;       /* … and when another may be; 0: not said */
};

/*
 * net/peer.c. Counting is undone when the peer is gone. -EMFILE, -EAGAIN, -ENOSPC. Each that holds it
 * destroys it once.
 */
struct px_peer *px_peer_create(struct px_vhost *vhost, const struct in6_addr *address);
void px_peer_ref(struct px_peer *peer);
void px_peer_destroy(struct px_peer *peer);
void px_peer_gone(void *user, struct lws *wsi);
struct px_limiter_entry *px_peer_address_entry(struct px_peer *peer);
struct in6_addr px_peer_address_group(const struct px_peer *peer);
/* *ret_wait_ms: when to try again, where it is refused; 0: nobody knows. */
int px_peer_count_address(struct px_peer *peer, int64_t *ret_wait_ms);
/* A request over HTTP: 0, or the milliseconds until there may be one. */
int64_t px_peer_take_request(struct px_peer *peer);
/* What is counted of a user; NULL without memory. */
struct px_limiter_entry *px_user_entry(struct px_server *server, struct px_span tenant,
		struct px_span user);
/*
 * A session goes on without its connection (or NULL), and counts for its user in its place; it goes on with
 * that connection, or ends (NULL).
 */
void px_user_hold(struct px_server *server, const struct px_session *session,
		struct px_peer *peer);
void px_user_release(struct px_server *server, const struct px_session *session,
		struct px_peer *peer);
/* It is about to go, and counts no more; the connection in its place does. */
void px_peer_uncount(struct px_peer *peer);
int px_peer_count_user(struct px_peer *peer, struct px_span tenant, struct px_span user);
void px_peer_set_unauthenticated(struct px_peer *peer, bool unauthenticated);
void px_peer_session_params(struct px_peer *peer, struct px_session_params *ret_params);

#endif
