/* SPDX-License-Identifier: MIT */
/*
 * Services switched at run time, by an administrator. This is effective until the next reload,
 * which sets every service as configured. A service that is disabled in the configuration, and so
 * was never loaded, is loaded now.
 */
#include "core/server.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "core/vhost.h"
#include "net/lws.h"
#include "services.h"

#include <errno.h>
#include <string.h>

static const struct px_config_service *find(const struct px_vhost *vhost, struct px_span name)
{
	const struct px_config_vhost *config = vhost->config;
	for (size_t i = 0; i < config->service_count; i++) {
		if (px_span_equal(px_span(config->services[i].name), name)) {
			return &config->services[i];
		}
	}
	return NULL;
}

int px_service_switch(void *user, const struct px_operator *operator, struct px_span name,
		bool enabled)
{
	struct px_server *server = user;
	struct px_vhost *vhost = px_vhost_of(operator->realm);
	const struct px_config_service *config = find(vhost, name);
	if (!config) {
		return -ENOENT;
	}
	const struct px_plugin *plugin = px_plugin_find(server, config->name);
	if (plugin && plugin->service->operates && !enabled) {
		return -EBUSY; /* nobody could enable it again */
	}
	size_t plugins = server->plugin_count;
	int rc = enabled ? px_service_add(server, config) : 0;
	if (rc < 0) {
		return -EIO;
	}
	rc = px_audit_events_record(server, &(struct px_event){
		.kind = PX_EVENT_ADMINISTERED,
		.session = operator->session,
		.operator = operator,
		.act = enabled ? "enable" : "disable",
		.target = px_span(config->name),
	});
	if (rc < 0) {
		px_plugins_withdraw(server, plugins);
		return -EROFS;
	}
	px_context_name_services(server);
	plugin = px_plugin_find(server, config->name);
	if (plugin) { /* otherwise it was never loaded, and stays disabled */
		uint32_t bit = UINT32_C(1) << plugin->index;
		vhost->realm.enabled = enabled ? vhost->realm.enabled | bit :
				vhost->realm.enabled & ~bit;
		px_broker_realm_changed(server->broker, &vhost->realm);
	}
	px_log(PX_LOG_NOTICE, "vhost %s: an administrator switched the service %s %s",
			vhost->config->name, config->name, enabled ? "on" : "off");
	return 0;
}
