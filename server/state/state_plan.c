/* SPDX-License-Identifier: MIT */
/*
 * The lock of the state file. A server that cannot lock it because another process has it does not
 * start, since otherwise nobody would notice until a restart loses everything. If the file cannot
 * be locked for another reason (its directory is missing or read-only), only a warning is logged,
 * as it could not be written either.
 */
#include "core/plan.h"
#include "base/log.h"
#include "state.h"
#include "state_lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int complain(const struct px_plan *plan, const char *path, pid_t pid)
{
	char who[64] = "another process";
	char text[PATH_MAX + 256];
	if (pid > 0) {
		(void)snprintf(who, sizeof(who), "process %ld", (long)pid);
	}
	(void)snprintf(text, sizeof(text), "state-file: %s uses %s: stop it, or give each server its "
			"own state file", who, path);
	plan->sink->on_complaint(plan->sink->user, PX_CONFIG_ERROR, text);
	return -EBUSY;
}

int px_plan_prepare_state(struct px_plan *plan)
{
	const char *path = plan->config->global.state_file;
	pid_t pid = 0;
	if (!path) {
		return 0;
	}
	int rc = px_state_lock_take(path, plan->server->state_lock, &plan->state_lock, &pid);
	if (rc == -EBUSY) {
		return complain(plan, path, pid);
	}
	if (rc < 0 && rc != -ENOENT) { /* the configuration has warned already */
		px_log(PX_LOG_WARNING, "state-file: %s cannot be locked: %s", path, strerror(-rc));
	}
	return rc == -ENOMEM ? rc : 0;
}

void px_plan_abandon_state(struct px_plan *plan)
{
	px_state_lock_release(plan->state_lock);
	plan->state_lock = NULL;
}

void px_plan_commit_state(struct px_plan *plan)
{
	struct px_server *server = plan->server;
	if (plan->state_lock || !plan->config->global.state_file) {
		px_state_lock_release(server->state_lock);
		server->state_lock = plan->state_lock;
	}
	plan->state_lock = NULL;
}

void px_server_unlock_state(struct px_server *server)
{
	px_state_lock_release(server->state_lock);
	server->state_lock = NULL;
}
