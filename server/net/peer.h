/* SPDX-License-Identifier: MIT */
/*
 * Connections: created, counted by address and by user, and ended. Opened by whoever lets in,
 * counts or refuses. It never decides on an identity.
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
 * Counting ends when the connection is gone. -EMFILE, -EAGAIN, -ENOSPC. Each user of it destroys it
 * once.
 */
struct px_peer *px_peer_create(struct px_vhost *vhost, const struct in6_addr *address);
void px_peer_ref(struct px_peer *peer);
void px_peer_destroy(struct px_peer *peer);
void px_peer_gone(void *user, struct lws *wsi);
struct px_limiter_entry *px_peer_address_entry(struct px_peer *peer);
/*
 * Whether there are enough descriptors for another request over plain HTTP, which takes a pair of
 * sockets. Counted instead of tried: libwebsockets would spin when they run out.
 */
bool px_has_descriptors(const struct px_server *server);
struct in6_addr px_peer_address_group(const struct px_peer *peer);
/* *ret_wait_ms: when to retry if it is refused; 0: unknown. */
int px_peer_count_address(struct px_peer *peer, int64_t *ret_wait_ms);
/* Takes a request over HTTP from the rate: 0, or the milliseconds to wait. */
int64_t px_peer_take_request(struct px_peer *peer);
/* A user's counters; NULL without memory. */
struct px_limiter_entry *px_user_entry(struct px_server *server, struct px_span tenant,
		struct px_span user);
/*
 * A session without a connection counts for its user in place of `conn`; with a connection again,
 * or ended (NULL), it does not.
 */
void px_user_hold(struct px_server *server, const struct px_session *session,
		struct px_peer *peer);
void px_user_release(struct px_server *server, const struct px_session *session,
		struct px_peer *peer);
/* The connection is about to end, and is not counted any more; its successor is. */
void px_peer_uncount(struct px_peer *peer);
/* For -EAGAIN, *ret_wait_ms as above. */
int px_peer_count_user(struct px_peer *peer, struct px_span tenant, struct px_span user,
		int64_t *ret_wait_ms);
/* The same for a client that returns: its session was counted before. */
int px_peer_keep_user(struct px_peer *peer, struct px_span tenant, struct px_span user);
/*
 * Takes one session, opened or resumed, from the user's rate, since it is written to the audit log.
 * 0, or the milliseconds to wait.
 */
int64_t px_user_take_session(struct px_server *server, struct px_span tenant,
		struct px_span user);
/* The same for the address, for unauthenticated sessions, which are not refused. */
int64_t px_peer_take_session(struct px_peer *peer);
void px_peer_set_unauthenticated(struct px_peer *peer, bool unauthenticated);
void px_peer_session_params(struct px_peer *peer, struct px_session_params *ret_params);

#endif
