/* SPDX-License-Identifier: MIT */
/*
 * SIGHUP: read everything anew, check all of it, then put it in force, dropping nobody. What
 * is wrong in any way leaves the running configuration as it was. A service that comes with
 * a reload is reachable in unified sessions at once; lws copied the list of subprotocols, so
 * a subprotocol of its own it has from the next start on.
 */
#include "server.h"

#include "log.h"
#include "tls.h"

#include <errno.h>
#include <string.h>

static bool same_listeners(const struct px_config_vhost *a, const struct px_config_vhost *b)
{
	if (a->port != b->port || a->address_count != b->address_count) {
		return false;
	}
	for (size_t i = 0; i < a->address_count; i++) {
		if (a->addresses[i].length != b->addresses[i].length ||
				memcmp(&a->addresses[i].address, &b->addresses[i].address,
				a->addresses[i].length) != 0) {
			return false;
		}
	}
	return true;
}

/* Vhosts come and go only with a restart; so do their ports. */
static int check_vhosts(const struct px_server *server, const struct px_config *config)
{
	size_t found = 0;
	for (size_t i = 0; i < config->vhost_count; i++) {
		for (size_t k = 0; k < server->vhost_count; k++) {
			const struct px_config_vhost *old = server->vhosts[k].config;
			if (strcmp(old->name, config->vhosts[i].name) != 0) {
				continue;
			}
			found++;
			if (!old->host_ssl_cert != !config->vhosts[i].host_ssl_cert) {
				px_log(PX_LOG_ERROR, "vhost %s: TLS is switched on and off with a "
						"restart only", old->name);
				return -EINVAL;
			}
			if (!same_listeners(old, &config->vhosts[i])) {
				px_log(PX_LOG_WARNING, "vhost %s: port and interface change with a restart "
						"only", old->name);
			}
		}
	}
	if (found != server->vhost_count || found != config->vhost_count) {
		px_log(PX_LOG_ERROR, "vhosts are added and removed with a restart only");
		return -EINVAL;
	}
	return 0;
}

/* New options for the services that run; swapped pairwise, so that a second call undoes it. */
struct change {
	struct px_plugin *plugin;
	struct px_options *options;
};

static void swap(struct change *change)
{
	struct px_options *options = change->plugin->options;
	change->plugin->options = change->options;
	change->options = options;
}

static int apply_change(const struct px_server *server, struct change *change)
{
	int rc = px_broker_configure(server->broker, change->plugin->index, change->options);
	if (rc == 0) {
		swap(change);
	} else if (rc == -ENOTSUP) {
		rc = 0; /* it looks at its options only when it starts; the old ones stay its own */
	} else {
		px_log(PX_LOG_ERROR, "service %s: it refuses its new options: %s",
				change->plugin->name, strerror(-rc));
	}
	return rc;
}

static size_t collect(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink, struct change changes[PX_SERVICES_MAX], int *ret_rc)
{
	size_t count = 0;
	for (size_t i = 0; i < server->plugin_count; i++) {
		struct px_plugin *plugin = &server->plugins[i];
		const struct px_config_service *wanted = px_config_find_service(config, plugin->name);
		if (!plugin->started || !wanted) {
			continue;
		}
		changes[count].plugin = plugin;
		int rc = px_plugin_options(plugin->service, wanted, sink, &changes[count].options);
		if (rc < 0) {
			*ret_rc = rc;
			break;
		}
		count++;
	}
	return count;
}

static int change_options(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink)
{
	struct change changes[PX_SERVICES_MAX] = { 0 };
	int rc = 0;
	size_t count = collect(server, config, sink, changes, &rc);
	size_t done = 0;
	while (rc == 0 && done < count) {
		rc = apply_change(server, &changes[done]);
		done += rc == 0;
	}
	if (rc < 0) {
		while (done > 0) {
			apply_change(server, &changes[--done]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		px_options_destroy(changes[i].options);
	}
	return rc;
}

static int apply(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink)
{
	struct px_limits limits = px_settings_limits(config);
	int rc = check_vhosts(server, config);
	rc = rc < 0 ? rc : px_plugins_load(server, config, sink);
	rc = rc < 0 ? rc : px_security_check(config, sink);
	rc = rc < 0 ? rc : change_options(server, config, sink);
	rc = rc < 0 ? rc : px_plugins_start(server);
	/* Fails only if a key file went bad since it was checked; then vhosts stay as they were. */
	rc = rc < 0 ? rc : px_security_apply(server, config, sink);
	if (rc < 0) {
		px_plugins_drop_unstarted(server);
		return rc;
	}
	/* lws puts messages together up to the size that it was started with. */
	limits.message_bytes = server->max_message_bytes;
	px_broker_set_limits(server->broker, &limits);
	server->max_connections = px_settings_connections(config);
	px_log_set_level(config->global.log_level);
	lws_set_log_level(px_log_lws_levels(), px_log_lws);
	(void)px_tls_apply(server, config, sink); /* what was fine a moment ago, or the old one */
	px_vhosts_apply(server, config);
	px_security_reload_audit(server, config);
	return 0;
}

void px_server_reload(struct px_server *server)
{
	struct px_config_sink sink = { .on_complaint = px_settings_log_complaint };
	struct px_config *config;
	if (server->draining) {
		return;
	}
	if (px_config_load(server->config_path, &sink, &config) < 0) {
		px_log(PX_LOG_ERROR, "the configuration has errors: nothing was changed");
		return;
	}
	if (apply(server, config, &sink) < 0) {
		px_config_destroy(config);
		px_log(PX_LOG_ERROR, "the configuration can not be used: nothing was changed");
		return;
	}
	px_config_destroy(server->config);
	server->config = config;
	(void)px_trail_note(server, "reconfigured", "");
	px_log(PX_LOG_NOTICE, "configuration reloaded");
}
