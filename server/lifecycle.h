/* SPDX-License-Identifier: MIT */
/*
 * Reload and drain, and how a configuration comes into force. Opened by main.c and the signals'
 * handlers. It never ends the process itself.
 */
#ifndef PX_LIFECYCLE_H
#define PX_LIFECYCLE_H

#include <stdint.h>

struct px_config;
struct px_config_sink;
struct px_server;

/* reload.c: on SIGHUP; soon, and once for many */
void px_server_reload(struct px_server *server);

/*
 * watchdog.c: what the service manager is told (base/service_manager.h). Ready: all ports listen;
 * said again, reloading is over. Stopping: with the time until the end at the latest.
 */
void px_server_tell_ready(struct px_server *server);
void px_server_tell_reloading(struct px_server *server);
void px_server_tell_stopping(struct px_server *server);

/* drain.c: on SIGTERM and SIGINT */
void px_server_drain(struct px_server *server);

/*
 * plan.c: puts the configuration in force, which is the server's then. -errno after complaints:
 * nothing was changed, and the configuration is still the caller's.
 */
int px_plan_carry_out(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink);

#endif
