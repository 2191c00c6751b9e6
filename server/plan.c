/* SPDX-License-Identifier: MIT */
/*
 * See core/plan.h. Steps are prepared in the order of the harm that abandoning them would do: what
 * only reads comes first, sockets that clients could reach come late, and the entry in the audit
 * log, which cannot be undone, is last.
 */
#include "core/plan.h"
#include "base/log.h"
#include "bus/bus.h"
#include "core/settings.h"
#include "core/vhost.h"
#include "lifecycle.h"
#include "net/limiter.h"
#include "net/listeners.h"
#include "security.h"
#include "services/services.h"
#include "state/state.h"
#include "vhost/vhost.h"
#include "webhook/webhook.h"

#include <errno.h>
#include <praxis/host/adapter.h>
#include <praxis/host/broker.h>
#include <stdlib.h>

static int prepare(struct px_plan *plan)
{
	px_security_warn(plan->config, plan->sink);
	px_bus_compare(plan);
	int rc = px_plan_load_services(plan);
	rc = rc < 0 ? rc : px_plan_prepare_state(plan);
	rc = rc < 0 ? rc : px_plan_prepare_vhosts(plan);
	rc = rc < 0 ? rc : px_plan_prepare_webhooks(plan);
	rc = rc < 0 ? rc : px_plan_prepare_services(plan);
	rc = rc < 0 ? rc : px_plan_prepare_listeners(plan);
	return rc < 0 ? rc : px_plan_prepare_audit(plan);
}

static void abandon(struct px_plan *plan)
{
	px_plan_abandon_listeners(plan);
	px_plan_abandon_services(plan);
	px_plan_abandon_vhosts(plan);
	px_plan_abandon_state(plan);
}

static void commit_global(struct px_server *server, const struct px_config *config)
{
	struct px_limits limits = px_settings_limits(config);
	px_broker_set_limits(server->broker, &limits);
	px_lws_set_max_message_bytes(server->lws, config->global.max_message_bytes);
	server->max_connections = px_settings_connections(config, server->descriptors);
	px_limiter_set_limit(server->addresses, config->global.remembered_addresses);
	px_limiter_set_limit(server->users, config->global.remembered_addresses);
	px_settings_apply_log(config);
	lws_set_log_level(px_log_lws_levels(), px_log_lws);
}

static void commit(struct px_plan *plan)
{
	struct px_server *server = plan->server;
	commit_global(server, plan->config);
	server->config = plan->config;
	px_plan_commit_state(plan);
	px_plan_commit_services(plan);
	px_plan_commit_vhosts(plan);
	px_plan_commit_webhooks(plan);
	px_plan_commit_audit(plan);
	if (!plan->old) {
		/*
		 * Nothing can fail any more, and no client was accepted: the state can be used only once.
		 */
		px_server_load_state(server);
	}
	px_plan_commit_listeners(plan);
	px_vhosts_drain_misfits(server);
	px_config_destroy(plan->old);
}

int px_plan_carry_out(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink)
{
	struct px_plan plan = {
		.server = server,
		.config = config,
		.old = server->config,
		.sink = sink,
		.old_plugin_count = server->plugin_count,
	};
	int rc = prepare(&plan);
	if (rc < 0) {
		abandon(&plan);
	} else {
		commit(&plan);
	}
	free(plan.vhosts);
	return rc;
}
