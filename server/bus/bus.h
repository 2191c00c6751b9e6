/* SPDX-License-Identifier: MIT */
/*
 * The bus of this server: its module, loaded where the configuration has "bus", and what the
 * process has to do for it. Opened by start, drain, readiness and metrics. It knows no Redis.
 */
#ifndef PX_SERVER_BUS_H
#define PX_SERVER_BUS_H

#include <praxis/host/bus_module.h>

struct px_config;
struct px_config_sink;
struct px_plan;
struct px_server;

/* Whether the module that the configuration names can be loaded. -EINVAL after a complaint. */
int px_bus_check(const struct px_config *config, const struct px_config_sink *sink);

/*
 * The broker gets its bus, before it has anything else. Nothing where the configuration names none.
 * -EINVAL after a complaint; -ENOMEM.
 */
int px_bus_start(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink);

/* What the configuration says of the bus takes effect at start: warns of changes. */
void px_bus_compare(const struct px_plan *plan);

/* At the end of each turn of the loop. */
void px_bus_flush(struct px_server *server);

/* Whether all that was written down so far was accepted, or cannot be. */
bool px_bus_is_idle(const struct px_server *server);

/* The server ends: its practices may be claimed at once. The loop has to run once more. */
void px_bus_stop(struct px_server *server);
void px_bus_destroy(struct px_server *server);

/* A sentence; NULL: there is a connection, or no bus is wanted. */
const char *px_bus_fault(const struct px_server *server);

/* False: there is no bus. */
bool px_bus_stats(const struct px_server *server, struct px_bus_link_stats *ret_stats);

#endif
