/* SPDX-License-Identifier: MIT */
/*
 * Sending sessions away, over time. Opened by whoever ends, or changes what is in force. It never
 * closes a session without a word.
 */
#ifndef PRAXIS_HOST_DRAIN_H
#define PRAXIS_HOST_DRAIN_H

#include <praxis/types.h>

struct px_broker;
struct px_realm;
struct px_session;

/* Tells every client that it should come back in 0 to spread_ms; the oldest first. */
PX_PUBLIC void px_broker_announce_drain(struct px_broker *broker, int64_t spread_ms);

/*
 * Closes up to `count` sessions with `code`, the oldest first, but none that has yet to be told
 * that the server drains; returns how many are left open.
 */
PX_PUBLIC uint64_t px_broker_close_some(struct px_broker *broker, uint64_t count,
		enum px_close code);

/*
 * Disconnects the sessions of one realm, or those that `concerns` returns true for: each is
 * told (server_draining), and closed with 1012 at a moment of its own within spread_ms. Over
 * several turns if there are many; `user` has to live as long as the realm, since they may be
 * checked again when another realm is drained. A later call for the same realm takes this
 * one's place.
 */
PX_PUBLIC void px_broker_drain_realm(struct px_broker *broker, struct px_realm *realm,
		bool (*concerns)(void *user, const struct px_session *session), void *user,
		int64_t spread_ms);

#endif
