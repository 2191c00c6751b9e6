/* SPDX-License-Identifier: MIT */
/*
 * A state file's lines about the vhosts of its sessions: what a reload compares
 * (px_config_vhost_replaces), since a restart must not accept a client that a reload would have
 * disconnected. The name alone is not enough: the vhost may require authentication now, or belong
 * to another tenant. These lines precede those of the broker.
 */
#ifndef PX_STATE_VHOST_H
#define PX_STATE_VHOST_H

#include "config/config.h"

#include <praxis/host/state.h>

/* Writes one line. -ENOMEM, or the writer's error. */
int px_state_vhost_write(const struct px_config_vhost *config,
		const struct px_state_writer *writer);

/* Whether it is such a line. */
bool px_state_vhost_owns(struct px_span line);

/* Whether it is about that vhost, and its saved sessions may continue. */
bool px_state_vhost_goes_on(struct px_span line, const struct px_config_vhost *config);

#endif
