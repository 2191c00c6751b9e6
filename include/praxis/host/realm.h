/* SPDX-License-Identifier: MIT */
/*
 * What the sessions of one vhost have in common. Opened by whoever has vhosts. It never is freed
 * before its last session.
 */
#ifndef PRAXIS_HOST_REALM_H
#define PRAXIS_HOST_REALM_H

#include <praxis/host/registry.h>
#include <praxis/types.h>

struct px_broker;
struct px_session;

/* Which of a realm's sessions are disconnected, see px_broker_drain_realm(). */
struct px_realm_drain {
	bool is_wanted;
	bool (*concerns)(void *user, const struct px_session *session); /* NULL: all */
	void *user;
	int64_t spread_ms;
};

/*
 * What sessions of one vhost may use. The host's; it must outlive them, and a change of
 * `enabled` holds from the next message on: that is how a service is switched. Call
 * px_broker_realm_changed() after it.
 */
struct px_realm {
	const char *name; /* of the vhost; by it a session finds its realm again after a restart */
	uint32_t enabled; /* bit i: the service of index i */
	const char *const *disabled; /* names of services that are known here and switched off */
	size_t disabled_count;
	int64_t auth_ms; /* in which a session must have authenticated */
	const char *tenant; /* the vhost's own; NULL: no server administrators (operate.h) */
	bool wants_proof; /* identities must be authenticated; others may only authenticate */
	bool retired; /* whose sessions are to come back to another one, as new ones */
	uint64_t sessions; /* the broker's count of those that hold on to it, in whatever state */
	uint32_t users[PX_SERVICES_MAX];   /* the broker's: sessions with the service of that index */
	uint32_t members[PX_SERVICES_MAX]; /* … their memberships in its rooms and waiting rooms */
	struct px_realm_drain drain; /* the broker's */
};

/*
 * Opens the sessions of a realm for services that were enabled; over several turns if there
 * are many, but none notices.
 */
PX_PUBLIC void px_broker_realm_changed(struct px_broker *broker, const struct px_realm *realm);

#endif
