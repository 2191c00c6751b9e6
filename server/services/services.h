/* SPDX-License-Identifier: MIT */
/*
 * The services of this process: loaded files, and their state. Opened by whoever starts, reloads,
 * lists or switches services. A service that a session may have used is never unloaded.
 */
#ifndef PX_SERVICES_SERVICES_H
#define PX_SERVICES_SERVICES_H

#include "core/plan.h"
#include "core/plugin.h"

struct px_config;
struct px_config_service;
struct px_config_sink;
struct px_operator;
struct px_options;
struct px_server;
struct px_service;
struct px_span;

/* services/loader.c: the plugins that a configuration names, their options checked; -EINVAL */
int px_plugins_load(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink);
/* Loads one of them, with its options in `wanted`, unless it is loaded already; -EINVAL */
int px_plugin_load(struct px_server *server, const struct px_config *config,
		const struct px_config_service *wanted, const struct px_config_sink *sink);
/* The options of a service, validated with its table and its own check; -EINVAL after messages. */
int px_plugin_options(const struct px_service *service, const struct px_config_service *wanted,
		const struct px_config_sink *sink, struct px_options **ret_options);
/*
 * services/plugin_check.c: prints what the file of a service is, as far as possible. Each error
 * goes to `sink`: -EINVAL. Its prefixes are compared with those of the loaded services.
 */
int px_plugin_check(const struct px_server *server, const char *path,
		const struct px_config_sink *sink);
/* Stops and unloads the plugins from `first` on, which no session has used yet. */
void px_plugins_withdraw(struct px_server *server, size_t first);
struct px_plugin *px_plugin_find(struct px_server *server, const char *name);
void px_plugins_unload(struct px_server *server);

/*
 * services/services.c: loads and starts a service that the configuration has enabled. Errors are
 * logged, and change nothing. No session may use it before its realm has it enabled.
 */
int px_service_add(struct px_server *server, const struct px_config_service *wanted);

/* services/switch.c: the broker's hook */
int px_service_switch(void *user, const struct px_operator *operator, struct px_span name,
		bool enabled);

/*
 * services/services.c: steps of a plan. New services are loaded and started; then the others get
 * their options.
 */
int px_plan_load_services(struct px_plan *plan);
int px_plan_prepare_services(struct px_plan *plan);
void px_plan_abandon_services(struct px_plan *plan);
void px_plan_commit_services(struct px_plan *plan);

#endif
