/* SPDX-License-Identifier: MIT */
/*
 * A configuration on its way into force, at start as on SIGHUP: first everything that can
 * fail is made ready beside what runs (plan.c says in which order), and only when all of it
 * is there the plan is carried out, which cannot fail. A plan that is given up leaves
 * nothing behind.
 *
 * All of it happens within one turn of the loop; so nobody sees half a change.
 */
#ifndef PX_PLAN_H
#define PX_PLAN_H

#include "net/listeners.h"
#include "server.h"
#include "services/services.h"
#include "vhost/vhost.h"

struct px_state_lock;
struct px_tls_material;

/* What becomes of one vhost of the new configuration. */
struct px_planned_vhost {
	const struct px_config_vhost *config;
	struct px_vhost *old;   /* in force under this name; NULL: none */
	struct px_vhost *vhost; /* who will have it: the old one, or one made for it */
	struct px_authenticator *authenticator;   /* NULL: open mode */
	struct px_tls_material *material; /* NULL: no TLS */
	struct px_tls *tls;               /* reserved; NULL: none, or the vhost has one */
	const char **disabled; /* room for site.disabled */
	size_t listeners;       /* that it will have */
};

/* New options for a service that runs; after a swap, the old ones. */
struct px_planned_options {
	struct px_plugin *plugin;
	struct px_options *options;
	bool swapped;
};

struct px_plan {
	struct px_server *server;
	struct px_config *config;
	struct px_config *old; /* in force before; NULL: none */
	const struct px_config_sink *sink;

	struct px_planned_vhost *vhosts; /* config->vhost_count of them */
	struct px_vhost **in_force;      /* server->vhosts to be */
	struct px_listener *opened;      /* listening sockets that are new */
	size_t old_plugin_count;
	struct px_planned_options options[PX_SERVICES_MAX];
	size_t option_count;
	struct px_audit *audit; /* a trail in another place; NULL: the same, or none */
	struct px_state_lock *state_lock; /* of another state file; NULL: the same, or none */
};

/*
 * Puts the configuration in force, which is the server's then. -errno after complaints: nothing
 * was changed, and the configuration is still the caller's.
 */
int px_plan_carry_out(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink);

/* The steps; each _prepare is undone by its _abandon, wherever it stopped. */

/* vhost/vhost.c */
int px_plan_prepare_vhosts(struct px_plan *plan);
void px_plan_abandon_vhosts(struct px_plan *plan);
void px_plan_commit_vhosts(struct px_plan *plan);

/* services/services.c: new services are loaded; then they are started, and the others get their options */
int px_plan_load_services(struct px_plan *plan);
int px_plan_prepare_services(struct px_plan *plan);
void px_plan_abandon_services(struct px_plan *plan);
void px_plan_commit_services(struct px_plan *plan);

/* net/listeners.c */
int px_plan_prepare_listeners(struct px_plan *plan);
void px_plan_abandon_listeners(struct px_plan *plan);
void px_plan_commit_listeners(struct px_plan *plan);

/* state/state_plan.c: the state file's lock, which another process may have */
int px_plan_prepare_state(struct px_plan *plan);
void px_plan_abandon_state(struct px_plan *plan);
void px_plan_commit_state(struct px_plan *plan);

/* webhook/webhook.c: whom to tell; what is prepared stays, used or not */
int px_plan_prepare_webhooks(struct px_plan *plan);
void px_plan_commit_webhooks(struct px_plan *plan);

/* security.c: the audit trail, and in it the word that this was done */
int px_plan_prepare_audit(struct px_plan *plan);
void px_plan_commit_audit(struct px_plan *plan);

#endif
