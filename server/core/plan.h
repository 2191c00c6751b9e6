/* SPDX-License-Identifier: MIT */
/*
 * A configuration being applied, at start as on SIGHUP: first everything that can fail is prepared
 * beside what runs (plan.c defines the order); only when all is ready is the plan committed, which
 * cannot fail. An abandoned plan leaves nothing behind.
 *
 * All of it happens within one turn of the loop, so nobody sees half a change.
 *
 * This is the plan as data. Its steps are declared by their areas (px_plan_prepare_x(), undone by
 * px_plan_abandon_x() wherever it stopped, and px_plan_commit_x()). It has no logic of its own.
 */
#ifndef PX_PLAN_H
#define PX_PLAN_H

#include "server.h"

struct px_authenticator;
struct px_state_lock;
struct px_tls_material;

/* What happens to one vhost of the new configuration. */
struct px_planned_vhost {
	const struct px_config_vhost *config;
	struct px_vhost *old;   /* the current one with this name; NULL: none */
	struct px_vhost *vhost; /* the one that gets it: the current one, or a new one */
	struct px_authenticator *authenticator;   /* NULL: open mode */
	struct px_tls_material *material; /* NULL: no TLS */
	struct px_tls *tls;               /* reserved; NULL: none, or the vhost has one */
	const char **disabled; /* room for realm.disabled */
	size_t listeners;       /* number of them that it will have */
};

/* New options for a running service; after a swap, the old ones. */
struct px_planned_options {
	struct px_plugin *plugin;
	struct px_options *options;
	bool swapped;
};

struct px_plan {
	struct px_server *server;
	struct px_config *config;
	struct px_config *old; /* the current one; NULL: none */
	const struct px_config_sink *sink;

	struct px_planned_vhost *vhosts; /* config->vhost_count of them */
	struct px_vhost **in_force;      /* the future server->vhosts */
	struct px_listener *opened;      /* new listening sockets */
	size_t old_plugin_count;
	struct px_planned_options options[PX_SERVICES_MAX];
	size_t option_count;
	struct px_audit *audit; /* an audit log at another path; NULL: the same, or none */
	struct px_state_lock *state_lock; /* of another state file; NULL: the same, or none */
};

#endif
