/* SPDX-License-Identifier: MIT */
/*
 * Current vhosts: their configuration, and the services that their sessions may use. Vhosts are
 * identified by name. If a new configuration would make sessions belong to somebody else, or would
 * not have accepted them, the vhost is not changed but replaced (px_config_vhost_replaces() says
 * when), and retires; see retire.c.
 */
#include "core/plan.h"
#include "auth/authenticator.h"
#include "config/diff/diff.h"
#include "core/vhost.h"
#include "net/tls.h"
#include "services/services.h"
#include "vhost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Time limit for authenticating if no tokens are configured. */
#define AUTH_MS 10000

static int prepare_tls(struct px_plan *plan, struct px_planned_vhost *planned)
{
	int rc = px_tls_load(planned->config, plan->sink, &planned->material);
	return rc < 0 || planned->vhost->tls ? rc : px_tls_reserve(plan->server, &planned->tls);
}

/* Whether its clients must authenticate. */
static bool wants_proof(const struct px_config_vhost *config)
{
	return config->tokens || config->auth_url;
}

static int prepare_vhost(struct px_plan *plan, struct px_planned_vhost *planned)
{
	planned->old = px_vhost_find(plan->server, planned->config->name);
	planned->vhost = planned->old;
	if (!planned->old || px_config_vhost_replaces(planned->old->config, planned->config)) {
		planned->vhost = calloc(1, sizeof(*planned->vhost));
	}
	planned->disabled = calloc(planned->config->service_count + 1, sizeof(*planned->disabled));
	if (!planned->vhost || !planned->disabled) {
		return -ENOMEM;
	}
	if (planned->vhost != planned->old) {
		planned->vhost->server = plan->server;
		planned->vhost->config = planned->config;
	}
	int rc = !wants_proof(planned->config) ?
			0 :
			px_authenticator_create(planned->config, plan->sink,
					&planned->authenticator);
	return rc < 0 || !planned->config->host_ssl_cert ? rc : prepare_tls(plan, planned);
}

int px_plan_prepare_vhosts(struct px_plan *plan)
{
	size_t count = plan->config->vhost_count;
	int rc = 0;
	plan->vhosts = calloc(count, sizeof(*plan->vhosts));
	plan->in_force = calloc(count, sizeof(*plan->in_force));
	if (!plan->vhosts || !plan->in_force) {
		return -ENOMEM;
	}
	/* Continues after an error, so that one reload shows all errors. */
	for (size_t i = 0; i < count && rc != -ENOMEM; i++) {
		plan->vhosts[i].config = &plan->config->vhosts[i];
		int failed = prepare_vhost(plan, &plan->vhosts[i]);
		rc = failed < 0 ? failed : rc;
		plan->in_force[i] = plan->vhosts[i].vhost;
	}
	return rc;
}

void px_plan_abandon_vhosts(struct px_plan *plan)
{
	for (size_t i = 0; plan->vhosts && i < plan->config->vhost_count; i++) {
		struct px_planned_vhost *planned = &plan->vhosts[i];
		px_authenticator_destroy(planned->authenticator);
		px_tls_unload(planned->material);
		px_tls_release(planned->tls);
		free(planned->disabled);
		if (planned->vhost != planned->old) {
			free(planned->vhost);
		}
	}
	free(plan->in_force);
}

static uint32_t enabled_services(struct px_server *server, const struct px_config_vhost *config)
{
	uint32_t enabled = 0;
	for (size_t i = 0; i < config->service_count; i++) {
		const struct px_plugin *plugin = px_plugin_find(server, config->services[i].name);
		if (config->services[i].enabled && plugin) {
			enabled |= UINT32_C(1) << plugin->index;
		}
	}
	return enabled;
}

/* Which of the unavailable services are disabled rather than unknown. */
static void list_disabled(struct px_vhost *vhost, const char **disabled)
{
	const struct px_config_vhost *config = vhost->config;
	free(vhost->disabled);
	vhost->disabled = disabled;
	vhost->realm.disabled = disabled;
	vhost->realm.disabled_count = 0;
	for (size_t i = 0; i < config->service_count; i++) {
		if (!config->services[i].enabled) {
			disabled[vhost->realm.disabled_count++] = config->services[i].name;
		}
	}
}

static void put_in_force(struct px_planned_vhost *planned)
{
	struct px_vhost *vhost = planned->vhost;
	vhost->tightened = px_config_vhost_tightens(vhost->config, planned->config);
	vhost->config = planned->config;
	px_authenticator_destroy(vhost->authenticator);
	vhost->authenticator = planned->authenticator;
	vhost->tls = planned->tls ? planned->tls : vhost->tls;
	if (vhost->tls) {
		px_tls_put_in_force(vhost->tls, vhost, planned->material);
	}
	list_disabled(vhost, planned->disabled);
	vhost->realm.name = vhost->config->name;
	vhost->realm.tenant = vhost->config->tenant;
	vhost->realm.wants_proof = wants_proof(vhost->config);
	vhost->realm.auth_ms = vhost->config->tokens ? vhost->config->tokens->auth_ms : AUTH_MS;
	vhost->realm.enabled = enabled_services(vhost->server, vhost->config);
	px_broker_realm_changed(vhost->server->broker, &vhost->realm);
}

static bool stays(const struct px_plan *plan, const struct px_vhost *vhost)
{
	for (size_t i = 0; i < plan->config->vhost_count; i++) {
		if (plan->in_force[i] == vhost) {
			return true;
		}
	}
	return false;
}

/* The old configuration still exists: retiring vhosts keep it. */
void px_plan_commit_vhosts(struct px_plan *plan)
{
	struct px_server *server = plan->server;
	for (size_t i = 0; i < server->vhost_count; i++) {
		if (!stays(plan, server->vhosts[i])) {
			px_vhost_retire(server->vhosts[i], plan->old);
		}
	}
	free(server->vhosts);
	server->vhosts = plan->in_force;
	server->vhost_count = plan->config->vhost_count;
	for (size_t i = 0; i < plan->config->vhost_count; i++) {
		put_in_force(&plan->vhosts[i]);
	}
}

void px_vhosts_destroy(struct px_server *server)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		px_vhost_destroy(server->vhosts[i]);
	}
	free(server->vhosts);
	server->vhosts = NULL;
	server->vhost_count = 0;
	px_retired_destroy(server);
}
