/* SPDX-License-Identifier: MIT */
/*
 * See bus.h. The module is looked for in plugin-dir, beside the services, and loaded once. Unlike a
 * service it is not copied and tried in a fork first: it comes with praxisd, and is not changed
 * while one runs.
 *
 * A Redis that is not there, or not as it must be, does not keep the server from starting: the two
 * may start in any order. Until then GET /ready says no, and the module logs why.
 */
#include "bus.h"
#include "base/log.h"
#include "core/clock.h"
#include "core/plan.h"
#include "core/server.h"
#include "core/vhost.h"

#include <praxis/host/broker.h>
#include <praxis/host/state.h>
#include <praxis/host/stats.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define FILE_NAME "praxis_bus_redis.so"

struct px_server_bus {
	void *handle;
	const struct px_bus_module *module;
	struct px_bus_link *link;
};

static void complain(const struct px_config_bus *config, const struct px_config_sink *sink,
		const char *text, const char *detail)
{
	char line[PATH_MAX + 1024];
	(void)snprintf(line, sizeof(line), "%s:%u: bus: %s%s", config->file->name, config->line, text,
			detail);
	sink->on_complaint(sink->user, PX_CONFIG_ERROR, line);
}

/* ---- the module ---- */

/* The first of the directories that has it. */
static bool find_file(const struct px_config *config, char path[PATH_MAX])
{
	for (size_t i = 0; i < config->global.plugin_dir_count; i++) {
		int len = snprintf(path, PATH_MAX, "%s/" FILE_NAME, config->global.plugin_dirs[i]);
		if (len < PATH_MAX && access(path, F_OK) == 0) {
			return true;
		}
	}
	return false;
}

static int load(const struct px_config *config, const struct px_config_sink *sink,
		struct px_server_bus *bus)
{
	const struct px_config_bus *wanted = config->global.bus;
	char path[PATH_MAX];
	if (!find_file(config, path)) {
		complain(wanted, sink, "there is no " FILE_NAME " in plugin-dir", "");
		return -EINVAL;
	}
	bus->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!bus->handle) {
		complain(wanted, sink, "cannot be loaded: ", dlerror());
		return -EINVAL;
	}
	bus->module = dlsym(bus->handle, PX_BUS_MODULE_SYMBOL);
	if (!bus->module || bus->module->abi != PX_BUS_MODULE_ABI) {
		complain(wanted, sink, path, " is not of this version of praxisd");
		return -EINVAL;
	}
	return 0;
}

static void unload(struct px_server_bus *bus)
{
	if (bus->handle) {
		dlclose(bus->handle);
	}
}

int px_bus_check(const struct px_config *config, const struct px_config_sink *sink)
{
	struct px_server_bus bus = { .handle = NULL };
	int rc = config->global.bus ? load(config, sink, &bus) : 0;
	unload(&bus);
	return rc;
}

/* ---- what the module asks of its owner ---- */

static void on_begin_turn(void *user)
{
	px_server_begin_turn(user);
}

static void on_random(void *user, void *buf, size_t len)
{
	(void)user;
	if (getrandom(buf, len, 0) != (ssize_t)len) {
		abort();
	}
}

static void on_log(void *user, int level, const char *line)
{
	(void)user;
	px_log(level, "%s", line);
}

/* From now on nobody is let in, until the last session is gone: see renew(). */
static void on_deposed(void *user)
{
	struct px_server *server = user;
	server->renewing = true;
}

static struct px_realm *find_realm(void *user, struct px_span name)
{
	const struct px_server *server = user;
	for (size_t i = 0; i < server->vhost_count; i++) {
		if (px_span_equal(px_span(server->vhosts[i]->config->name), name)) {
			return &server->vhosts[i]->realm;
		}
	}
	return NULL;
}

/* ---- a bus's life ---- */

/* The module's link has a number by which the broker writes from now on. */
static int set_bus(struct px_server *server)
{
	struct px_bus bus;
	uint64_t node = server->bus->module->bus(server->bus->link, &bus);
	return px_broker_set_bus(server->broker, &bus, node);
}

static int begin(struct px_server *server, const struct px_config_bus *config,
		const struct px_config_sink *sink)
{
	struct px_server_bus *bus = server->bus;
	const struct px_bus_setup setup = {
		.host = config->host,
		.port = config->port,
		.is_tls = config->is_tls,
		.database = config->database,
		.user = config->user,
		.password = config->password,
		.ca_file = config->ca_file,
		.prefix = config->prefix,
		.node_timeout_ms = config->node_timeout_ms,
	};
	const struct px_bus_owner owner = {
		.user = server,
		.loop = &server->loop,
		.broker = server->broker,
		.begin_turn = on_begin_turn,
		.random = on_random,
		.log = on_log,
		.realm = find_realm,
		.deposed = on_deposed,
	};
	int rc = bus->module->create(&setup, &owner, &bus->link);
	if (rc == -EINVAL) {
		complain(config, sink, "the certificates of bus-ca cannot be used", "");
	}
	return rc < 0 ? rc : set_bus(server);
}

int px_bus_start(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink)
{
	if (!config->global.bus) {
		return 0;
	}
	server->bus = calloc(1, sizeof(*server->bus));
	if (!server->bus) {
		return -ENOMEM;
	}
	/* Its texts are used as long as there is a link, whatever a reload replaces. */
	server->bus_config = px_config_share((struct px_config *)config);
	int rc = load(config, sink, server->bus);
	rc = rc < 0 ? rc : begin(server, config->global.bus, sink);
	if (rc == 0) {
		px_log(PX_LOG_WARNING, "bus: EXPERIMENTAL: practices are kept in Redis, and several "
				"servers can share it; not for production (docs/scaling.md)");
	}
	return rc;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_bus(const struct px_config_bus *a, const struct px_config_bus *b)
{
	return (!a && !b) || (a && b && is_same(a->host, b->host) && a->port == b->port &&
			a->is_tls == b->is_tls && a->database == b->database && is_same(a->user, b->user) &&
			is_same(a->password, b->password) && is_same(a->ca_file, b->ca_file) &&
			is_same(a->prefix, b->prefix) && a->node_timeout_ms == b->node_timeout_ms);
}

void px_bus_compare(const struct px_plan *plan)
{
	const struct px_server *server = plan->server;
	const struct px_config_bus *now = server->bus_config ? server->bus_config->global.bus : NULL;
	if (plan->old && !is_same_bus(now, plan->config->global.bus)) {
		plan->sink->on_complaint(plan->sink->user, PX_CONFIG_WARNING,
				"bus: its keys take effect when the server starts again");
	}
}

/* Others have declared this node dead. Without a session left, it goes on as another. */
static void renew(struct px_server *server)
{
	struct px_stats stats;
	px_broker_end_detached(server->broker);
	px_broker_stats(server->broker, &stats);
	if (stats.sessions > 0 || stats.detached > 0 || stats.channels > 0) {
		return;
	}
	px_server_begin_turn(server);
	server->bus->module->renew(server->bus->link);
	(void)px_broker_set_bus(server->broker, NULL, 0);
	if (set_bus(server) == 0) {
		server->renewing = false;
	} /* without memory it is tried again at the end of the next turn */
}

void px_bus_flush(struct px_server *server)
{
	if (server->bus && server->bus->link) {
		if (server->renewing) {
			renew(server);
		}
		server->bus->module->flush(server->bus->link);
	}
}

bool px_bus_is_idle(const struct px_server *server)
{
	struct px_bus_stats stats;
	struct px_bus_link_stats link;
	px_broker_bus_stats(server->broker, &stats);
	return !px_bus_stats(server, &link) || !link.is_up || stats.unconfirmed == 0;
}

void px_bus_stop(struct px_server *server)
{
	struct px_server_bus *bus = server->bus;
	if (bus && bus->link) {
		px_server_begin_turn(server);
		bus->module->leave(bus->link);
		bus->module->stop(bus->link);
		(void)px_broker_set_bus(server->broker, NULL, 0);
	}
}

void px_bus_destroy(struct px_server *server)
{
	if (server->bus) {
		if (server->bus->link) {
			server->bus->module->destroy(server->bus->link);
		}
		unload(server->bus);
		free(server->bus);
		server->bus = NULL;
	}
	px_config_destroy(server->bus_config);
	server->bus_config = NULL;
}

const char *px_bus_fault(const struct px_server *server)
{
	struct px_bus_link_stats stats;
	if (!px_bus_stats(server, &stats) || stats.is_up) {
		return server->renewing ? "The server was cut off from the others, and begins anew." : NULL;
	}
	return stats.fault ? stats.fault : "The server is not connected to Redis yet.";
}

bool px_bus_stats(const struct px_server *server, struct px_bus_link_stats *ret_stats)
{
	if (!server->bus || !server->bus->link) {
		return false;
	}
	server->bus->module->stats(server->bus->link, ret_stats);
	return true;
}
