/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection as data, from its adoption to its end. Opened by all that answer a request or
 * an upgrade. It never outlives its socket, and never decides who somebody is; net/peer.h counts
 * it.
 */
#ifndef PX_CORE_PEER_H
#define PX_CORE_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ssl_st;
struct px_auth_request;
struct px_resume_query;
struct px_frontend;
struct px_identity;
struct px_request;
struct px_limiter_entry;
struct px_vhost;

/* One TCP connection; lws's opaque user data, from adoption to the end. */
struct px_peer {
	struct px_vhost *vhost;
	struct in6_addr own_address; /* the connection's, or what its PROXY header tells */
	struct in6_addr address; /* of who sent the request: see http/forwarded.h, address/address.h */
	const void *head;            /* of the request in hand: see http/lws_head.h */
	struct px_limiter_entry *address_entry; /* once it is counted */
	struct px_limiter_entry *user_entry;
	struct px_identity *identity; /* let in, not yet a session */
	struct px_auth_request *auth_request;     /* the application's back end is asked */
	struct px_request *request;   /* of the API: being read, or its answer goes on */
	struct px_frontend *frontend; /* has its socket; NULL: lws does */
	uint32_t holders;             /* frontend and lws connections */
	int fd;                       /* the client's socket, to ask about; -1: closed */
	struct ssl_st *ssl;           /* what was negotiated; NULL: no TLS */
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

#endif
