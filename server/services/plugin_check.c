/* SPDX-License-Identifier: MIT */
/*
 * --check-plugin: what the file of a service is, and what is wrong with it. The file goes the way
 * of one that a configuration names (plugin_file.h), so that this cannot say otherwise than a
 * server. What is found is printed as far as it gets: of a file of another ABI its number, since
 * the fields behind it are not this version's to read.
 *
 * Rejected: reading the ELF file without loading it. It needs no trust in the file, but finds
 * neither a library that is missing nor a constructor that ends the process, and the descriptor
 * only by doing the linker's relocations over again.
 */
#include "core/server.h"
#include "plugin_file.h"
#include "services.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <praxis/host/registry.h>
#include <praxis/service.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 32

struct check {
	const struct px_server *server;
	const struct px_config_sink *sink;
	struct px_plugin_file file;
	char name[NAME_MAX_LEN + 1];
};

static void on_fault(void *user, const char *fault)
{
	const struct check *check = user;
	check->sink->on_complaint(check->sink->user, PX_CONFIG_ERROR, fault);
}

static void on_option(void *user, const struct px_option_entry *entry, const char *text)
{
	const struct check *check = user;
	(void)entry;
	(void)px_plugin_file_complain(&check->file, "%s: %s", check->file.path, text);
}

/* The server finds a service by the name of its file. */
static int find_name(struct check *check)
{
	const char *slash = strrchr(check->file.path, '/');
	const char *base = slash ? slash + 1 : check->file.path;
	size_t begin = strlen(PX_PLUGIN_FILE_PREFIX);
	size_t end = strlen(PX_PLUGIN_FILE_SUFFIX);
	size_t len = strlen(base);
	if (len <= begin + end || len - begin - end > NAME_MAX_LEN ||
			strncmp(base, PX_PLUGIN_FILE_PREFIX, begin) != 0 ||
			strcmp(base + len - end, PX_PLUGIN_FILE_SUFFIX) != 0) {
		return px_plugin_file_complain(&check->file, "%s: not the file name of a service: "
				"expected praxis_svc_NAME.so, where NAME has at most %d characters",
				check->file.path, NAME_MAX_LEN);
	}
	memcpy(check->name, base + begin, len - begin - end);
	check->file.name = check->name;
	return 0;
}

/* The service must start without options. */
static int check_options(const struct check *check, void *user)
{
	const struct px_service *service = check->file.service;
	struct px_options *options;
	const char *key = "";
	int rc = px_options_create(service->options, NULL, 0, on_option, user, &options);
	if (rc < 0) {
		return rc;
	}
	const char *fault = service->check ? service->check(options, &key) : NULL;
	px_options_destroy(options);
	return fault ? px_plugin_file_complain(&check->file, "%s: the default of its option %s: %s",
			check->file.path, key, fault) : 0;
}

static int take_up(struct check *check)
{
	int rc = px_plugin_file_open(&check->file);
	rc = rc < 0 ? rc : px_plugin_file_check_rivals(&check->file, check->server);
	return rc < 0 ? rc : check_options(check, check);
}

static void attempt_it(void *user)
{
	struct check *check = user;
	check->sink = &px_plugin_file_silence;
	(void)take_up(check);
}

static void print_needed(void *handle)
{
	const struct link_map *map;
	const char *strings = NULL;
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0) {
		return;
	}
	for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_STRTAB) {
			/* An address, if the linker may write to the section. */
			ElfW(Addr) address = entry->d_un.d_ptr;
			address += address < map->l_addr ? map->l_addr : 0;
			memcpy(&strings, &address, sizeof(strings));
		}
	}
	printf("%-12s", "needs");
	for (const ElfW(Dyn) *entry = map->l_ld; strings && entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_NEEDED) {
			printf(" %s", strings + entry->d_un.d_val);
		}
	}
	putchar('\n');
}

/* A descriptor of this ABI, which may be wrong in other ways. */
static void print_service(const struct px_service *service)
{
	const char *const *prefixes = px_service_prefixes(service);
	size_t count = service->commands ? service->command_count : 0;
	printf("%-12s %s\n", "service", service->name ? service->name : "-");
	printf("%-12s %s\n", "description", service->summary ? service->summary : "-");
	printf("%-12s %s\n", "subprotocol", service->name ? service->name : "-");
	printf("%-12s %s_", "prefixes", service->name ? service->name : "");
	for (size_t i = 0; i < PX_SERVICE_PREFIXES_MAX && prefixes[i]; i++) {
		printf(" %s_", prefixes[i]);
	}
	printf("\n%-12s%s", "messages", count == 0 ? " -" : "");
	for (size_t i = 0; i < count; i++) {
		printf(" %s", service->commands[i].type ? service->commands[i].type : "-");
	}
	printf("\n%-12s%s", "options", service->options ? "" : " -");
	for (const struct px_option *each = service->options; each && each->key; each++) {
		printf(" %s", each->key);
	}
	putchar('\n');
}

/* Prints what is known, whatever is wrong. */
static void print(const struct px_plugin_file *file)
{
	const struct px_service *descriptor = file->descriptor;
	printf("%-12s %s\n", "file", file->path);
	if (file->handle) {
		print_needed(file->handle);
	}
	if (descriptor) {
		printf("%-12s %u, descriptor of %u bytes (this praxisd: %d, %zu to %zu bytes)\n", "ABI",
				descriptor->abi, descriptor->size, PX_SERVICE_ABI, PX_SERVICE_SIZE_MIN,
				sizeof(struct px_service));
	}
	if (descriptor && descriptor->abi == PX_SERVICE_ABI &&
			descriptor->size >= PX_SERVICE_SIZE_MIN) {
		print_service(descriptor);
	}
}

int px_plugin_check(const struct px_server *server, const char *path,
		const struct px_config_sink *sink)
{
	struct check check = { .server = server, .sink = sink };
	check.file = (struct px_plugin_file){ .copy.fd = -1, .on_fault = on_fault, .user = &check };
	/* Without a slash, the linker would search the library path. */
	int len = snprintf(check.file.path, sizeof(check.file.path), "%s%s",
			strchr(path, '/') ? "" : "./", path);
	if (len >= (int)sizeof(check.file.path)) {
		check.file.path[0] = '\0';
	}
	int rc = px_plugin_file_copy(&check.file);
	rc = rc < 0 ? rc : find_name(&check);
	rc = rc < 0 ? rc : px_plugin_file_try(&check.file, attempt_it, &check);
	rc = rc < 0 ? rc : take_up(&check);
	print(&check.file);
	if (check.file.handle) {
		dlclose(check.file.handle);
	}
	px_private_copy_drop(&check.file.copy);
	return rc;
}
