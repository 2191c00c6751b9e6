/* SPDX-License-Identifier: MIT */
/*
 * Connections: made, counted by address and by user, and gone. Opened by whoever lets in, counts or
 * refuses. It never decides who somebody is.
 */
#ifndef PX_NET_PEER_H
#define PX_NET_PEER_H

#include "core/peer.h"
#include "limiter.h"

#include <libwebsockets.h>
#include <praxis/host/adapter.h>

struct px_server;
struct px_session_params;
struct px_span;

/*
 * Counting is undone when the peer is gone. -EMFILE, -EAGAIN, -ENOSPC. Each that holds it
 * destroys it once.
 */
struct px_peer *px_peer_create(struct px_vhost *vhost, const struct in6_addr *address);
void px_peer_ref(struct px_peer *peer);
void px_peer_destroy(struct px_peer *peer);
void px_peer_gone(void *user, struct lws *wsi);
struct px_limiter_entry *px_peer_address_entry(struct px_peer *peer);
/*
 * Whether there are as many descriptors as another request over plain HTTP takes: a pair of
 * sockets. Counted and not tried: at the end of those that there are, libwebsockets would spin.
 */
bool px_has_descriptors(const struct px_server *server);
struct in6_addr px_peer_address_group(const struct px_peer *peer);
/* *ret_wait_ms: when to try again, where it is refused; 0: nobody knows. */
int px_peer_count_address(struct px_peer *peer, int64_t *ret_wait_ms);
/* A request over HTTP: 0, or the milliseconds until there may be one. */
int64_t px_peer_take_request(struct px_peer *peer);
/* What is counted of a user; NULL without memory. */
struct px_limiter_entry *px_user_entry(struct px_server *server, struct px_span tenant,
		struct px_span user);
/*
 * A session goes on without its connection (or NULL), and counts for its user in its place; it goes
 * on with that connection, or ends (NULL).
 */
void px_user_hold(struct px_server *server, const struct px_session *session,
		struct px_peer *peer);
void px_user_release(struct px_server *server, const struct px_session *session,
		struct px_peer *peer);
/* It is about to go, and counts no more; the connection in its place does. */
void px_peer_uncount(struct px_peer *peer);
/* For -EAGAIN, *ret_wait_ms as above. */
int px_peer_count_user(struct px_peer *peer, struct px_span tenant, struct px_span user,
		int64_t *ret_wait_ms);
/* The same of one who has come back: the session has begun before. */
int px_peer_keep_user(struct px_peer *peer, struct px_span tenant, struct px_span user);
/*
 * A session of the user's begins or comes back, which the trail is told of. 0, or the milliseconds
 * until one may.
 */
int64_t px_user_take_session(struct px_server *server, struct px_span tenant,
		struct px_span user);
/*
 * The same of the address, of one who has not proven who it is. Such a one is let in all the same.
 */
int64_t px_peer_take_session(struct px_peer *peer);
void px_peer_set_unauthenticated(struct px_peer *peer, bool unauthenticated);
void px_peer_session_params(struct px_peer *peer, struct px_session_params *ret_params);

#endif
