/* SPDX-License-Identifier: MIT */
/*
 * A configuration on its way into force, at start as on SIGHUP: first everything that can
 * fail is made ready beside what runs (plan.c says in which order), and only when all of it
 * is there the plan is carried out, which cannot fail. A plan that is given up leaves
 * nothing behind.
 *
 * All of it happens within one turn of the loop; so nobody sees half a change.
 *
 * This is the plan as data. Its steps are declared by the areas that take them
 * (px_plan_prepare_x(), undone by px_plan_abandon_x() wherever it stopped, and px_plan_commit_x()).
 * It never acts itself.
 */
#ifndef PX_PLAN_H
#define PX_PLAN_H

#include "server.h"

struct px_authenticator;
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

#endif
