/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection as data, from accept() to its end. Opened by whoever answers a request or an
 * upgrade. It never outlives its socket, and never decides on an identity; net/peer.h counts it.
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
	struct in6_addr own_address; /* the connection's, or the one in its PROXY header */
	struct in6_addr address; /* of the request's client: see http/forwarded.h, address/address.h */
	const void *head;            /* of the current request: see http/lws_head.h */
	struct px_limiter_entry *address_entry; /* set when it is counted */
	struct px_limiter_entry *user_entry;
	struct px_identity *identity; /* accepted, not yet a session */
	struct px_auth_request *auth_request;     /* the request to auth-url in progress */
	struct px_request *request;   /* of the API: being read, or with a streaming answer */
	struct px_frontend *frontend; /* has its socket; NULL: lws does */
	uint32_t holders;             /* number of users: frontend and lws connections */
	int fd;                       /* the client's socket, to ask about; -1: closed */
	struct ssl_st *ssl;           /* what was negotiated; NULL: no TLS */
	struct px_resume_query *resume_query; /* what it wants to resume; NULL: nothing */
	int8_t service;
	uint8_t verdict;              /* enum px_verdict of its token */
	bool is_proxied : 1;          /* it began with a PROXY header … */
	bool is_https : 1;            /* … which says that the client used TLS */
	bool is_forwarded : 1;        /* a proxy has added a header to the request … */
	bool is_masked : 1;           /* … and is not trusted: the address is not the client's */
	bool versioned : 1;
	bool unauthenticated : 1;     /* an open session that has not authenticated */
	uint32_t retry_after_ms;      /* if its token is invalid; at most an hour; 0: not said */
	const char *sentence;         /* … and why */
};

#endif
