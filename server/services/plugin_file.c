/* SPDX-License-Identifier: MIT */
/*
 * Each check precedes what it keeps from crashing. A truncated file would cause a SIGBUS inside
 * dlopen, so its length is compared with its ELF header first. A file for another machine would be
 * "No such file or directory" in the linker's words.
 */
#include "plugin_file.h"
#include "base/log.h"
#include "core/plugin.h"
#include "core/server.h"
#include "trial.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <praxis/host/broker.h>
#include <praxis/plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* This program's own header, by the linker: which machine it is built for. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

int px_plugin_file_complain(const struct px_plugin_file *file, const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	file->on_fault(file->user, text);
	return -EINVAL;
}

static bool is_of_this_machine(const ElfW(Ehdr) *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
			header->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
			header->e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] &&
			header->e_machine == __ehdr_start.e_machine && header->e_type == ET_DYN;
}

static int check_elf(const struct px_plugin_file *file)
{
	ElfW(Ehdr) header;
	struct stat status;
	ssize_t got = pread(file->copy.fd, &header, sizeof(header), 0);
	if (fstat(file->copy.fd, &status) < 0 || got != (ssize_t)sizeof(header) ||
			!is_of_this_machine(&header)) {
		return px_plugin_file_complain(file, "%s is not a shared object for this machine",
				file->path);
	}
	uint64_t end = header.e_shoff + (uint64_t)header.e_shentsize * header.e_shnum;
	if (end > (uint64_t)status.st_size) {
		return px_plugin_file_complain(file, "%s is truncated: it has %lld bytes of %llu",
				file->path, (long long)status.st_size, (unsigned long long)end);
	}
	return 0;
}

int px_plugin_file_copy(struct px_plugin_file *file)
{
	int rc = px_private_copy_make(file->path, &file->copy);
	if (rc < 0) {
		return px_plugin_file_complain(file, "%s cannot be opened: %s", file->path,
				rc == -EINVAL ? "it is not a regular file" : strerror(-rc));
	}
	if (file->copy.in_place) {
		px_log(PX_LOG_WARNING, "%s: a private copy would not be executable (memory, TMPDIR), so "
				"the file itself is loaded: to replace it, rename a new file over it; writing "
				"into it crashes the server", file->path);
	}
	return check_elf(file);
}

int px_plugin_file_try(const struct px_plugin_file *file, void (*attempt)(void *user), void *user)
{
	char fault[128];
	int rc = px_trial(attempt, user, fault, sizeof(fault));
	if (rc == -EINVAL) {
		return px_plugin_file_complain(file, "%s cannot be loaded: %s", file->path, fault);
	}
	if (rc < 0) {
		px_log(PX_LOG_WARNING, "%s: loading it without a trial, because no process can be "
				"started: %s", file->path, strerror(-rc));
	}
	return 0;
}

static void say_nothing(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	(void)level;
	(void)text;
}

const struct px_config_sink px_plugin_file_silence = { .on_complaint = say_nothing };

static int check_descriptor(struct px_plugin_file *file)
{
	char fault[512];
	if (px_service_check(file->descriptor, fault, sizeof(fault)) < 0) {
		return px_plugin_file_complain(file, "%s cannot be used: %s", file->path, fault);
	}
	if (strcmp(file->descriptor->name, file->name) != 0) {
		return px_plugin_file_complain(file, "%s holds the service \"%s\"", file->path,
				file->descriptor->name);
	}
	file->service = file->descriptor;
	return 0;
}

int px_plugin_file_open(struct px_plugin_file *file)
{
	char name[64];
	char symbol[64];
	file->handle = dlopen(px_private_copy_name(&file->copy, file->path, name, sizeof(name)),
			RTLD_NOW | RTLD_LOCAL);
	if (!file->handle) {
		return px_plugin_file_complain(file, "%s cannot be loaded: %s", file->path, dlerror());
	}
	snprintf(symbol, sizeof(symbol), "svc_%s", file->name);
	const lws_plugin_protocol_t *export = dlsym(file->handle, symbol);
	if (!export) {
		return px_plugin_file_complain(file, "%s has no symbol %s", file->path, symbol);
	}
	if (strcmp(export->hdr._class, "lws_protocol_plugin") != 0 ||
			export->hdr.api_magic != LWS_PLUGIN_API_MAGIC || export->count_protocols != 1) {
		return px_plugin_file_complain(file, "%s was built for another version of libwebsockets",
				file->path);
	}
	file->protocol = &export->protocols[0];
	if (file->protocol->callback != px_lws_callback || !file->protocol->user) {
		return px_plugin_file_complain(file, "%s was built for another version of Praxis",
				file->path);
	}
	file->descriptor = file->protocol->user;
	return check_descriptor(file);
}

/* Messages with a shared prefix would be ambiguous. Loaded services stay, so this is final. */
int px_plugin_file_check_rivals(const struct px_plugin_file *file, const struct px_server *server)
{
	for (size_t i = 0; i < server->plugin_count; i++) {
		const struct px_service *other = server->plugins[i].service;
		/* One of the same name is the same service, from another file. */
		const char *prefix = strcmp(other->name, file->service->name) == 0 ? NULL :
				px_service_shared_prefix(file->service, other);
		if (prefix) {
			return px_plugin_file_complain(file, "%s cannot be used: the prefix \"%s_\" belongs "
					"to the service %s", file->path, prefix, other->name);
		}
	}
	return 0;
}
