/* SPDX-License-Identifier: MIT */
/*
 * Disconnecting sessions over time. Opened by shutdown, and by changes of the configuration. It
 * never closes a session without telling it.
 */
#ifndef PRAXIS_HOST_DRAIN_H
#define PRAXIS_HOST_DRAIN_H

#include <praxis/types.h>

struct px_broker;
struct px_realm;
struct px_session;

/* Tells every client to return in 0 to spread_ms; oldest session first. */
PX_PUBLIC void px_broker_announce_drain(struct px_broker *broker, int64_t spread_ms);

/*
 * Closes up to `count` sessions with `code`, oldest first, except those that were not told yet that
 * the server drains; returns how many are left open.
 */
PX_PUBLIC uint64_t px_broker_close_some(struct px_broker *broker, uint64_t count,
		enum px_close code);

/*
 * Disconnects the sessions of one realm, or those for which `concerns` returns true: each is told
 * (server_draining), and closed with 1012 at a random moment within spread_ms. Takes several turns
 * if there are many. `user` must be valid as long as the realm, since sessions may be checked again
 * when another realm is drained. A later call for the same realm replaces this one.
 */
PX_PUBLIC void px_broker_drain_realm(struct px_broker *broker, struct px_realm *realm,
		bool (*concerns)(void *user, const struct px_session *session), void *user,
		int64_t spread_ms);

#endif
