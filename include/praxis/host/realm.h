/* SPDX-License-Identifier: MIT */
/*
 * A realm: what the sessions of one vhost have in common. Opened by the code of vhosts. A realm
 * must outlive its sessions.
 */
#ifndef PRAXIS_HOST_REALM_H
#define PRAXIS_HOST_REALM_H

#include <praxis/host/registry.h>
#include <praxis/types.h>

struct px_broker;
struct px_session;

/* Which sessions of a realm are disconnected, see px_broker_drain_realm(). */
struct px_realm_drain {
	bool is_wanted;
	bool (*concerns)(void *user, const struct px_session *session); /* NULL: all */
	void *user;
	int64_t spread_ms;
};

/*
 * What sessions of one vhost may use. The host owns it; it must outlive its sessions. A change of
 * `enabled` is effective from the next message on: that is how a service is enabled and disabled.
 * Call px_broker_realm_changed() afterwards.
 */
struct px_realm {
	const char *name; /* the vhost's; a restored session finds its realm by it */
	uint32_t enabled; /* bit i: service i */
	const char *const *disabled; /* names of services that are known but disabled */
	size_t disabled_count;
	int64_t auth_ms; /* time limit for authenticating */
	const char *tenant; /* the vhost's own; NULL: no server administrators (operate.h) */
	bool wants_proof; /* identities must be authenticated; others may only authenticate */
	bool retired; /* its sessions reconnect to another realm, as new sessions */
	uint64_t sessions; /* the broker's: sessions that refer to it, in any state */
	uint32_t users[PX_SERVICES_MAX];   /* the broker's: sessions with service i */
	uint32_t members[PX_SERVICES_MAX]; /* … their memberships in its rooms and waiting rooms */
	struct px_realm_drain drain; /* the broker's */
};

/*
 * Opens newly enabled services in the realm's sessions; over several turns if there are many,
 * without sessions noticing.
 */
PX_PUBLIC void px_broker_realm_changed(struct px_broker *broker, const struct px_realm *realm);

#endif
