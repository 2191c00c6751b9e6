/* SPDX-License-Identifier: MIT */
/*
 * Loading services: exactly the files that the configuration names, one at a time, each failure
 * with a message. lws's scan of a directory is not used: on 4.1.6 the first bad file silently hides
 * all others.
 *
 * A file is copied before it is examined, and is first loaded in a fork: its constructors run
 * before it can be asked what it is (plugin_file.h).
 */
#include "core/server.h"
#include "base/log.h"
#include "plugin_file.h"
#include "services.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <praxis/host/broker.h>
#include <praxis/service.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct load {
	const struct px_config_service *wanted;
	const struct px_config_sink *sink;
	struct px_plugin_file file;
};

/* A faulty file is an error of the configuration that names it. */
static void on_fault(void *user, const char *fault)
{
	const struct load *load = user;
	char text[PATH_MAX + 1024];
	(void)snprintf(text, sizeof(text), "%s:%u: ws-protocols.%s: %s", load->wanted->file->name,
			load->wanted->line, load->wanted->name, fault);
	load->sink->on_complaint(load->sink->user, PX_CONFIG_ERROR, text);
}

/* Finds praxis_svc_<name>.so in the first of the directories that has it. */
static int find_file(struct load *load, const struct px_config *config)
{
	struct px_plugin_file *file = &load->file;
	char dirs[1024] = "";
	for (size_t i = 0; i < config->global.plugin_dir_count; i++) {
		const char *dir = config->global.plugin_dirs[i];
		int len = snprintf(file->path, sizeof(file->path),
				"%s/" PX_PLUGIN_FILE_PREFIX "%s" PX_PLUGIN_FILE_SUFFIX, dir,
				load->wanted->name);
		if (len < (int)sizeof(file->path) && access(file->path, F_OK) == 0) {
			return 0;
		}
		size_t at = strlen(dirs);
		snprintf(dirs + at, sizeof(dirs) - at, "%s%s", at > 0 ? ", " : "", dir);
	}
	return px_plugin_file_complain(file, "there is no praxis_svc_%s.so in %s",
			load->wanted->name, dirs);
}

static void complain_of_option(const struct px_config_service *wanted, const char *key,
		const char *fault, const struct px_config_sink *sink)
{
	const struct px_config_object *given = &wanted->options;
	const struct px_config_file *file = wanted->file;
	unsigned line = wanted->line;
	char text[1024];
	for (size_t i = 0; i < given->count; i++) {
		if (strcmp(given->members[i].key, key) == 0) {
			file = given->members[i].file;
			line = given->members[i].line;
		}
	}
	snprintf(text, sizeof(text), "%s:%u: ws-protocols.%s: %s: %s", file->name, line,
			wanted->name, key, fault);
	sink->on_complaint(sink->user, PX_CONFIG_ERROR, text);
}

int px_plugin_options(const struct px_service *service, const struct px_config_service *wanted,
		const struct px_config_sink *sink, struct px_options **ret_options)
{
	struct px_options *options;
	const char *key = "";
	int rc = px_config_check_options(wanted, service->options, sink, &options);
	if (rc < 0) {
		return rc;
	}
	const char *fault = service->check ? service->check(options, &key) : NULL;
	if (fault) {
		complain_of_option(wanted, key, fault, sink);
		px_options_destroy(options);
		return -EINVAL;
	}
	*ret_options = options;
	return 0;
}

/* Everything that runs code of the file. */
static int take_up(struct load *load, const struct px_server *server, struct px_plugin *plugin)
{
	int rc = px_plugin_file_open(&load->file);
	plugin->handle = load->file.handle;
	rc = rc < 0 ? rc : px_plugin_file_check_rivals(&load->file, server);
	if (rc < 0) {
		return rc;
	}
	plugin->service = load->file.service;
	plugin->protocol = load->file.protocol;
	return px_plugin_options(plugin->service, load->wanted, load->sink, &plugin->options);
}

struct attempt {
	struct load *load;
	const struct px_server *server;
	struct px_plugin *plugin;
};

/* Runs in the fork: a faulty file must not end the server. */
static void attempt_it(void *user)
{
	struct attempt *attempt = user;
	attempt->load->sink = &px_plugin_file_silence;
	(void)take_up(attempt->load, attempt->server, attempt->plugin);
}

static int load_one(struct load *load, const struct px_server *server,
		const struct px_config *config, struct px_plugin *plugin)
{
	struct attempt attempt = { load, server, plugin };
	int rc = find_file(load, config);
	if (rc == 0) {
		px_log(PX_LOG_NOTICE, "service %s: loading %s", load->wanted->name, load->file.path);
		rc = px_plugin_file_copy(&load->file);
		plugin->copy_fd = load->file.copy.fd;
	}
	rc = rc < 0 ? rc : px_plugin_file_try(&load->file, attempt_it, &attempt);
	rc = rc < 0 ? rc : take_up(load, server, plugin);
	if (rc == 0) {
		plugin->name = strdup(load->wanted->name);
		rc = plugin->name ? 0 : -ENOMEM;
	}
	return rc;
}

/*
 * Whether the linker keeps it (-z nodelete, C++). Then its descriptor's number, which is part of
 * its name, must not become another file's.
 */
static bool stays(const struct px_plugin *plugin)
{
	char name[64];
	struct px_private_copy copy = { .fd = plugin->copy_fd };
	void *handle = dlopen(px_private_copy_name(&copy, "", name, sizeof(name)),
			RTLD_NOW | RTLD_NOLOAD);
	if (handle) {
		dlclose(handle);
	}
	return handle != NULL;
}

static void unload(struct px_plugin *plugin)
{
	px_options_destroy(plugin->options);
	free(plugin->name);
	if (plugin->handle) {
		dlclose(plugin->handle);
		if (stays(plugin)) {
			return;
		}
	}
	px_private_copy_drop(&(struct px_private_copy){ .fd = plugin->copy_fd });
}

struct px_plugin *px_plugin_find(struct px_server *server, const char *name)
{
	for (size_t i = 0; i < server->plugin_count; i++) {
		if (strcmp(server->plugins[i].name, name) == 0) {
			return &server->plugins[i];
		}
	}
	return NULL;
}

int px_plugin_load(struct px_server *server, const struct px_config *config,
		const struct px_config_service *wanted, const struct px_config_sink *sink)
{
	struct load load = { .wanted = wanted, .sink = sink };
	struct px_plugin plugin = { .copy_fd = -1 };
	if (px_plugin_find(server, wanted->name)) {
		return 0;
	}
	load.file = (struct px_plugin_file){
		.name = wanted->name,
		.copy.fd = -1,
		.on_fault = on_fault,
		.user = &load,
	};
	if (server->plugin_count == PX_SERVICES_MAX) {
		return px_plugin_file_complain(&load.file, "there are more than %d services", PX_SERVICES_MAX);
	}
	int rc = load_one(&load, server, config, &plugin);
	if (rc < 0) {
		unload(&plugin);
		return rc;
	}
	server->plugins[server->plugin_count++] = plugin;
	return 0;
}

int px_plugins_load(struct px_server *server, const struct px_config *config,
		const struct px_config_sink *sink)
{
	int rc = 0;
	for (size_t v = 0; v < config->vhost_count; v++) {
		for (size_t s = 0; s < config->vhosts[v].service_count; s++) {
			const struct px_config_service *wanted = &config->vhosts[v].services[s];
			if (wanted->enabled && px_plugin_load(server, config,
					px_config_find_service(config, wanted->name), sink) < 0) {
				rc = -EINVAL;
			}
		}
	}
	return rc;
}

void px_plugins_withdraw(struct px_server *server, size_t first)
{
	while (server->plugin_count > first) {
		struct px_plugin *plugin = &server->plugins[--server->plugin_count];
		if (plugin->started) {
			px_broker_remove_last_service(server->broker);
		}
		unload(plugin);
		*plugin = (struct px_plugin){ 0 };
	}
}

void px_plugins_unload(struct px_server *server)
{
	while (server->plugin_count > 0) {
		unload(&server->plugins[--server->plugin_count]);
	}
}
