/* SPDX-License-Identifier: MIT */
/*
 * Applying vhosts, and retiring them. Opened by a plan, and by the end of the process. It never
 * serves a request.
 */
#ifndef PX_VHOST_VHOST_H
#define PX_VHOST_VHOST_H

#include "core/plan.h"
#include "core/vhost.h"

/* vhost/vhost.c: a vhost's services, as configured */
void px_vhosts_destroy(struct px_server *server);

/* … and as steps of a plan; _abandon undoes _prepare, wherever it stopped */
int px_plan_prepare_vhosts(struct px_plan *plan);
void px_plan_abandon_vhosts(struct px_plan *plan);
void px_plan_commit_vhosts(struct px_plan *plan);

/* vhost/retire.c: how vhosts end. NULL is fine. */
void px_vhost_destroy(struct px_vhost *vhost);

/* `config` is what the vhost's own is part of. */
void px_vhost_retire(struct px_vhost *vhost, struct px_config *config);
void px_vhosts_drain_misfits(struct px_server *server);
void px_retired_destroy(struct px_server *server);

#endif
