/* SPDX-License-Identifier: MIT */
/*
 * What a state file says of the vhosts whose sessions are in it: all that a reload compares
 * (px_config_vhost_replaces), since a restart must not let in anybody whom a reload would have sent
 * away. A name alone says nothing: the vhost may want proof now, or belong to another tenant. Such
 * a line stands before those of the broker.
 */
#ifndef PX_STATE_VHOST_H
#define PX_STATE_VHOST_H

#include "config/config.h"

#include <praxis/host/state.h>

/* One line. -ENOMEM, or what the writer returned. */
int px_state_vhost_write(const struct px_config_vhost *config,
		const struct px_state_writer *writer);

/* Whether it is such a line. */
bool px_state_vhost_owns(struct px_span line);

/* Whether it is of that vhost, and sessions of then can be sessions of now. */
bool px_state_vhost_goes_on(struct px_span line, const struct px_config_vhost *config);

#endif
