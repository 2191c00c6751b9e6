/* SPDX-License-Identifier: MIT */
/*
 * Loading services: exactly the files that the configuration names, one at a time, each
 * failure a sentence of its own. lws's scan of a directory is not used: on 4.1.6 the first
 * bad file silently hides all others. A truncated file would be a SIGBUS inside dlopen, so
 * its length is compared with what its ELF header says first.
 *
 * A file is copied before it is looked at (private_copy.h), and is first loaded in a fork
 * (trial.h): its constructors run before anybody can ask it what it is.
 */
#include "core/server.h"
#include "base/log.h"
#include "private_copy.h"
#include "services.h"
#include "trial.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <praxis/host/broker.h>
#include <praxis/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
	const struct px_config_service *wanted;
	const struct px_config_sink *sink;
	struct px_private_copy copy;
	char path[PATH_MAX];
};

static int complain(const struct load *load, const char *format, ...) PX_PRINTF(2, 3);

static int complain(const struct load *load, const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list args;
	int at = snprintf(text, sizeof(text), "%s:%u: ws-protocols.%s: ",
			load->wanted->file->name, load->wanted->line, load->wanted->name);
	va_start(args, format);
	vsnprintf(text + at, sizeof(text) - (size_t)at, format, args);
	va_end(args);
	load->sink->on_complaint(load->sink->user, PX_CONFIG_ERROR, text);
	return -EINVAL;
}

/* Finds praxis_svc_<name>.so in the first of the directories that has it. */
static int find_file(struct load *load, const struct px_config *config)
{
	char dirs[1024] = "";
	for (size_t i = 0; i < config->global.plugin_dir_count; i++) {
		const char *dir = config->global.plugin_dirs[i];
		int len = snprintf(load->path, sizeof(load->path), "%s/praxis_svc_%s.so", dir,
				load->wanted->name);
		if (len < (int)sizeof(load->path) && access(load->path, F_OK) == 0) {
			return 0;
		}
		size_t at = strlen(dirs);
		snprintf(dirs + at, sizeof(dirs) - at, "%s%s", at > 0 ? ", " : "", dir);
	}
	return complain(load, "there is no praxis_svc_%s.so in %s", load->wanted->name, dirs);
}

static int check_elf(const struct load *load, int fd)
{
	Elf64_Ehdr header;
	struct stat status;
	ssize_t got = pread(fd, &header, sizeof(header), 0);
	if (fstat(fd, &status) < 0 || got != (ssize_t)sizeof(header) ||
			memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
			header.e_ident[EI_CLASS] != ELFCLASS64) {
		return complain(load, "%s is not a shared object of this machine", load->path);
	}
	uint64_t end = header.e_shoff + (uint64_t)header.e_shentsize * header.e_shnum;
	if (end > (uint64_t)status.st_size) {
		return complain(load, "%s is cut off: it has %lld bytes of %llu", load->path,
				(long long)status.st_size, (unsigned long long)end);
	}
	return 0;
}

static int copy_file(struct load *load)
{
	int rc = px_private_copy_make(load->path, &load->copy);
	if (rc < 0) {
		return complain(load, "%s can not be opened: %s", load->path,
				rc == -EINVAL ? "it is not a regular file" : strerror(-rc));
	}
	if (load->copy.in_place) {
		px_log(PX_LOG_WARNING, "%s: nothing that is written here may be run (memory, TMPDIR), so "
				"it is used as it is: to replace it, rename a new file over it; writing "
				"into it ends the server", load->path);
	}
	return check_elf(load, load->copy.fd);
}

static const struct px_service *descriptor_of(const struct load *load,
		const lws_plugin_protocol_t *export)
{
	if (strcmp(export->hdr._class, "lws_protocol_plugin") != 0 ||
			export->hdr.api_magic != LWS_PLUGIN_API_MAGIC || export->count_protocols != 1) {
		complain(load, "%s was built for another version of libwebsockets", load->path);
		return NULL;
	}
	char fault[512];
	const struct px_service *service = export->protocols[0].user;
	if (export->protocols[0].callback != px_lws_callback || !service) {
		complain(load, "%s was built for another version of Praxis", load->path);
		return NULL;
	}
	if (px_service_check(service, fault, sizeof(fault)) < 0) {
		complain(load, "%s can not be used: %s", load->path, fault);
		return NULL;
	}
	if (strcmp(service->name, load->wanted->name) != 0) {
		complain(load, "%s holds the service \"%s\"", load->path, service->name);
		return NULL;
	}
	return service;
}

static int open_copy(const struct load *load, struct px_plugin *plugin)
{
	char name[64];
	char symbol[64];
	plugin->handle = dlopen(px_private_copy_name(&load->copy, load->path, name, sizeof(name)),
			RTLD_NOW | RTLD_LOCAL);
	if (!plugin->handle) {
		return complain(load, "%s can not be loaded: %s", load->path, dlerror());
	}
	snprintf(symbol, sizeof(symbol), "svc_%s", load->wanted->name);
	const lws_plugin_protocol_t *export = dlsym(plugin->handle, symbol);
	if (!export) {
		return complain(load, "%s has no symbol %s", load->path, symbol);
	}
	plugin->service = descriptor_of(load, export);
	if (!plugin->service) {
		return -EINVAL;
	}
	plugin->protocol = &export->protocols[0];
	return 0;
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

/* Whose message would it be? All that were loaded stay, so this is for good. */
static int check_rivals(const struct load *load, const struct px_server *server,
		const struct px_service *service)
{
	for (size_t i = 0; i < server->plugin_count; i++) {
		const struct px_service *other = server->plugins[i].service;
		const char *prefix = px_service_shared_prefix(service, other);
		if (prefix) {
			return complain(load, "%s can not be used: types that begin with \"%s_\" are those "
					"of the service %s", load->path, prefix, other->name);
		}
	}
	return 0;
}

/* All of it that runs code of the file. */
static int take_up(struct load *load, const struct px_server *server, struct px_plugin *plugin)
{
	int rc = open_copy(load, plugin);
	rc = rc < 0 ? rc : check_rivals(load, server, plugin->service);
	return rc < 0 ? rc : px_plugin_options(plugin->service, load->wanted, load->sink,
			&plugin->options);
}

struct attempt {
	struct load *load;
	const struct px_server *server;
	struct px_plugin *plugin;
};

static void say_nothing(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	(void)level;
	(void)text;
}

/* In the fork: whatever is wrong with the file, it shall not end the process. */
static void attempt_it(void *user)
{
	static const struct px_config_sink silence = { .on_complaint = say_nothing };
	struct attempt *attempt = user;
	attempt->load->sink = &silence;
	(void)take_up(attempt->load, attempt->server, attempt->plugin);
}

static int try_it(struct load *load, const struct px_server *server, struct px_plugin *plugin)
{
	char fault[128];
	struct attempt attempt = { load, server, plugin };
	int rc = px_trial(attempt_it, &attempt, fault, sizeof(fault));
	if (rc == -EINVAL) {
		return complain(load, "%s can not be loaded: %s", load->path, fault);
	}
	if (rc < 0) {
		px_log(PX_LOG_WARNING, "%s: it is loaded without a trial, for there can be no other "
				"process: %s", load->path, strerror(-rc));
	}
	return 0;
}

static int load_one(struct load *load, const struct px_server *server,
		const struct px_config *config, struct px_plugin *plugin)
{
	int rc = find_file(load, config);
	if (rc == 0) {
		px_log(PX_LOG_NOTICE, "service %s: loading %s", load->wanted->name, load->path);
		rc = copy_file(load);
		plugin->copy_fd = load->copy.fd;
	}
	rc = rc < 0 ? rc : try_it(load, server, plugin);
	rc = rc < 0 ? rc : take_up(load, server, plugin);
	if (rc == 0) {
		plugin->name = strdup(load->wanted->name);
		rc = plugin->name ? 0 : -ENOMEM;
	}
	return rc;
}

/*
 * Whether the linker keeps it (-z nodelete, C++). Then its descriptor's number, which is its name
 * there, must not become another file's.
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
	struct load load = { .wanted = wanted, .sink = sink, .copy.fd = -1 };
	struct px_plugin plugin = { .copy_fd = -1 };
	if (px_plugin_find(server, wanted->name)) {
		return 0;
	}
	if (server->plugin_count == PX_SERVICES_MAX) {
		return complain(&load, "there are more than %d services", PX_SERVICES_MAX);
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
