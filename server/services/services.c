/* SPDX-License-Identifier: MIT */
/*
 * Services of a configuration being applied: new ones are loaded and started, running ones get new
 * options. lws learns of a new one by its name, see net/lws.c.
 */
#include "core/plan.h"
#include "base/log.h"
#include "core/settings.h"
#include "net/lws.h"
#include "services.h"

#include <errno.h>
#include <string.h>

static int start_new(struct px_server *server)
{
	for (size_t i = 0; i < server->plugin_count; i++) {
		struct px_plugin *plugin = &server->plugins[i];
		if (plugin->started) {
			continue;
		}
		int rc = px_broker_add_service(server->broker, plugin->service, plugin->options,
				&plugin->index);
		if (rc < 0) {
			px_log(PX_LOG_ERROR, "service %s: it failed to start: %s", plugin->name,
					strerror(-rc));
			return rc;
		}
		plugin->started = true;
	}
	return 0;
}

int px_service_add(struct px_server *server, const struct px_config_service *wanted)
{
	struct px_config_sink sink = { .on_complaint = px_settings_log_complaint };
	size_t before = server->plugin_count;
	int rc = px_plugin_load(server, server->config, wanted, &sink);
	rc = rc < 0 ? rc : start_new(server);
	if (rc < 0) {
		px_plugins_withdraw(server, before);
	}
	return rc;
}

/* All are checked before the first one is changed. */
static int collect_options(struct px_plan *plan)
{
	for (size_t i = 0; i < plan->old_plugin_count; i++) {
		struct px_plugin *plugin = &plan->server->plugins[i];
		const struct px_config_service *wanted =
				px_config_find_service(plan->config, plugin->name);
		struct px_planned_options *planned = &plan->options[plan->option_count];
		if (!wanted) {
			continue;
		}
		planned->plugin = plugin;
		int rc = px_plugin_options(plugin->service, wanted, plan->sink, &planned->options);
		if (rc < 0) {
			return rc;
		}
		plan->option_count++;
	}
	return 0;
}

/* Swaps each pair, so that a second call undoes it. */
static int configure(struct px_plan *plan, struct px_planned_options *planned)
{
	struct px_plugin *plugin = planned->plugin;
	int rc = px_broker_configure(plan->server->broker, plugin->index, planned->options);
	if (rc == -ENOTSUP) {
		return 0; /* it reads its options only when it starts; it keeps the old ones */
	}
	if (rc < 0) {
		px_log(PX_LOG_ERROR, "service %s: it refuses its new options: %s", plugin->name,
				strerror(-rc));
		return rc;
	}
	struct px_options *options = plugin->options;
	plugin->options = planned->options;
	planned->options = options;
	planned->swapped = !planned->swapped;
	return 0;
}

int px_plan_load_services(struct px_plan *plan)
{
	int rc = px_plugins_load(plan->server, plan->config, plan->sink);
	return rc < 0 ? rc : collect_options(plan);
}

int px_plan_prepare_services(struct px_plan *plan)
{
	int rc = start_new(plan->server);
	for (size_t i = 0; rc == 0 && i < plan->option_count; i++) {
		rc = configure(plan, &plan->options[i]);
	}
	return rc;
}

static void free_options(struct px_plan *plan)
{
	for (size_t i = 0; i < plan->option_count; i++) {
		px_options_destroy(plan->options[i].options);
	}
}

void px_plan_abandon_services(struct px_plan *plan)
{
	for (size_t i = plan->option_count; i > 0; i--) {
		if (plan->options[i - 1].swapped) {
			(void)configure(plan, &plan->options[i - 1]);
		}
	}
	free_options(plan);
	px_plugins_withdraw(plan->server, plan->old_plugin_count);
}

void px_plan_commit_services(struct px_plan *plan)
{
	free_options(plan);
	px_context_name_services(plan->server);
}
