/* SPDX-License-Identifier: MIT */
/*
 * Vhosts in force: what the configuration says of each, and which services its sessions may
 * use. A vhost lives as long as the process; a reload gives it a new configuration.
 */
#include "server.h"

#include "tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Time to authenticate where no tokens are configured to say so. */
#define AUTH_MS 10000

static uint32_t enabled_services(struct px_server *server, const struct px_config_vhost *config)
{
	uint32_t enabled = 0;
	for (size_t i = 0; i < config->service_count; i++) {
		const struct px_plugin *plugin = px_plugin_find(server, config->services[i].name);
		if (config->services[i].enabled && plugin && plugin->started) {
			enabled |= UINT32_C(1) << plugin->index;
		}
	}
	return enabled;
}

/* Without memory for the list a message is refused as unknown, not as switched off. */
static void list_disabled(struct px_vhost *vhost, const struct px_config_vhost *config)
{
	free(vhost->disabled);
	vhost->disabled = calloc(config->service_count, sizeof(*vhost->disabled));
	vhost->site.disabled_count = 0;
	for (size_t i = 0; vhost->disabled && i < config->service_count; i++) {
		if (!config->services[i].enabled) {
			vhost->disabled[vhost->site.disabled_count++] = config->services[i].name;
		}
	}
	vhost->site.disabled = vhost->disabled;
}

static void apply(struct px_vhost *vhost, const struct px_config_vhost *config)
{
	vhost->config = config;
	list_disabled(vhost, config);
	vhost->site.name = config->name;
	vhost->site.tenant = config->tenant;
	vhost->site.auth_ms = config->tokens ? config->tokens->auth_ms : AUTH_MS;
	vhost->site.enabled = enabled_services(vhost->server, config);
	px_broker_site_changed(vhost->server->broker, &vhost->site);
}

int px_vhosts_create(struct px_server *server)
{
	server->vhosts = calloc(server->config->vhost_count, sizeof(*server->vhosts));
	if (!server->vhosts) {
		return -ENOMEM;
	}
	server->vhost_count = server->config->vhost_count;
	for (size_t i = 0; i < server->vhost_count; i++) {
		server->vhosts[i].server = server;
		server->vhosts[i].config = &server->config->vhosts[i];
	}
	return 0;
}

static const struct px_config_vhost *find_config(const struct px_config *config, const char *name)
{
	for (size_t i = 0; i < config->vhost_count; i++) {
		if (strcmp(config->vhosts[i].name, name) == 0) {
			return &config->vhosts[i];
		}
	}
	return NULL;
}

void px_vhosts_apply(struct px_server *server, const struct px_config *config)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		struct px_vhost *vhost = &server->vhosts[i];
		apply(vhost, find_config(config, vhost->config->name));
	}
}

void px_vhosts_destroy(struct px_server *server)
{
	for (size_t i = 0; i < server->vhost_count; i++) {
		px_tls_destroy(server->vhosts[i].tls);
		free(server->vhosts[i].listeners);
		free(server->vhosts[i].disabled);
	}
	free(server->vhosts);
	server->vhosts = NULL;
	server->vhost_count = 0;
}
