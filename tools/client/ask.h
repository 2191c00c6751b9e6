/* SPDX-License-Identifier: MIT */
/* Commands that are one request and one answer. */
#ifndef PX_TOOLS_ASK_H
#define PX_TOOLS_ASK_H

#include "client.h"

/*
 * Asks, and prints the answer: as JSON where that was wanted, else with `print`, which returns an
 * exit code. The exit code, all being said.
 */
int px_ctl_ask_once(const struct px_ctl_target *target, const struct px_ctl_request *request,
		int (*print)(struct json_object *answer, const void *user), const void *user);

#endif
