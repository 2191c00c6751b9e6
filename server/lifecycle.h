/* SPDX-License-Identifier: MIT */
/*
 * Reload, drain, and applying a configuration. Opened by main.c and the signal handlers. It never
 * ends the process itself.
 */
#ifndef PX_LIFECYCLE_H
#define PX_LIFECYCLE_H

#include <stdint.h>

struct px_config;
struct px_config_sink;
struct px_server;

/* reload.c: on SIGHUP; soon, and once for several signals */
void px_server_reload(struct px_server *server);

/*
 * watchdog.c: notifications to the service manager (base/service_manager.h). Ready: all ports
 * listen; sent again after a reload. Stopping: with the time limit.
 */
void px_server_tell_ready(struct px_server *server);
void px_server_tell_reloading(struct px_server *server);
void px_server_tell_stopping(struct px_server *server);

/* drain.c: on SIGTERM and SIGINT */
void px_server_drain(struct px_server *server);

/*
 * plan.c: applies the configuration, of which the server takes ownership. -errno after messages:
 * nothing was changed, and the caller still owns the configuration.
 */
int px_plan_carry_out(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink);

#endif
