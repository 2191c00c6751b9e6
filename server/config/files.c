/* SPDX-License-Identifier: MIT */
/*
 * Which files make up a configuration, and in which order. Names are compared as bytes and not as
 * the locale sorts them, or two machines would merge differently.
 */
#define _DEFAULT_SOURCE 1 /* realpath, faccessat */

#include "config_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GLOBAL_FILE "praxis.json"
#define CONF_D "conf.d"

int px_config_sources_add(struct px_config *config, const char *name, const char *directory,
		const char *path, struct px_config_source **ret_source)
{
	struct px_config_source **grown =
			px_config_grow(config->sources, config->source_count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	config->sources = grown;
	struct px_config_source *source = calloc(1, sizeof(*source));
	if (!source) {
		return -ENOMEM;
	}
	source->order = (unsigned)config->source_count;
	grown[config->source_count++] = source;
	source->file.name = strdup(name);
	source->file.directory = strdup(directory);
	source->path = path ? strdup(path) : NULL;
	if (!source->file.name || !source->file.directory || (path && !source->path)) {
		return -ENOMEM;
	}
	if (ret_source) {
		*ret_source = source;
	}
	return 0;
}

/* ---- finding ---- */

struct names {
	char **items;
	size_t count;
};

static void finish_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->items[i]);
	}
	free(names->items);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_config_name(const char *name)
{
	size_t length = strlen(name);
	return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static int add_name(struct names *names, const char *name)
{
	char **grown = px_config_grow(names->items, names->count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	names->items = grown;
	grown[names->count] = strdup(name);
	if (!grown[names->count]) {
		return -ENOMEM;
	}
	names->count++;
	return 0;
}

/* The *.json in a directory. -E2BIG: too many. */
static int list_directory(const char *path, struct names *names)
{
	DIR *dir = opendir(path);
	if (!dir) {
		return -errno;
	}
	int r = 0;
	struct dirent *entry;
	errno = 0;
	while (r == 0 && (entry = readdir(dir))) {
		if (is_config_name(entry->d_name)) {
			bool full = names->count == PX_CONFIG_FILES_MAX;
			r = full ? -E2BIG : add_name(names, entry->d_name);
		}
		errno = 0;
	}
	if (r == 0 && errno != 0) {
		r = -errno;
	}
	(void)closedir(dir);
	if (names->count > 0) {
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	}
	return r;
}

/* Adds directory/name, which complaints call prefix + name. */
static int add_file(struct px_config *config, const char *directory, const char *prefix,
		const char *name)
{
	char *path = px_config_path_join(directory, name);
	size_t size = strlen(prefix) + strlen(name) + 1;
	char *shown = malloc(size);
	int r = -ENOMEM;
	if (path && shown) {
		(void)snprintf(shown, size, "%s%s", prefix, name);
		r = px_config_sources_add(config, shown, directory, path, NULL);
	}
	free(shown);
	free(path);
	return r;
}

static int add_directory(struct px_config_loader *loader, const char *directory,
		const char *prefix)
{
	struct names names = { 0 };
	int r = list_directory(directory, &names);
	if (r == -E2BIG) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, NULL, 0,
				"%s: more than %d files", directory, PX_CONFIG_FILES_MAX);
	} else if (r < 0) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, NULL, 0, "%s: %s", directory,
				strerror(-r));
	}
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		r = add_file(loader->config, directory, prefix, names.items[i]);
	}
	finish_names(&names);
	return r;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

/*
 * Whether the process could make the file, or write the one that is there: NULL, or the end of a
 * sentence about `path`, which is cut off to the directory where that is at fault.
 */
static const char *write_fault(char *path, bool *ret_denied)
{
	struct stat st;
	*ret_denied = false;
	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode)) {
			return "is not a regular file";
		}
		*ret_denied = faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) < 0;
		return *ret_denied ? "cannot be written" : NULL;
	}
	char *slash = strrchr(path, '/'); /* an absolute path has one */
	slash[slash == path ? 1 : 0] = '\0';
	if (!is_directory(path)) {
		return "does not exist, or is not a directory";
	}
	*ret_denied = faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) < 0;
	return *ret_denied ? "is a directory in which no file can be created" : NULL;
}

int px_config_writable_check(struct px_config_reporter *reporter, enum px_config_level level,
		const struct px_config_member *member, const char *path)
{
	char *own = strdup(path);
	char user[48] = "";
	bool denied;
	if (!own) {
		return -ENOMEM;
	}
	const char *fault = write_fault(own, &denied);
	if (denied) {
		(void)snprintf(user, sizeof(user), " by user %ld", (long)geteuid());
	}
	if (fault) {
		px_config_complain(reporter, level, member->file, member->line, "\"%s\": %s %s%s",
				member->key, own, fault, user);
	}
	free(own);
	return 0;
}

/* `name` is the global file's, or NULL: the praxis.json that may be there. */
static int find_in(struct px_config_loader *loader, const char *directory, const char *name)
{
	char *global = px_config_path_join(directory, name ? name : GLOBAL_FILE);
	char *conf_d = px_config_path_join(directory, CONF_D);
	int r = global && conf_d ? 0 : -ENOMEM;
	bool has_global = r == 0 && (name || exists(global));
	bool has_conf_d = r == 0 && is_directory(conf_d);
	if (has_global) {
		r = add_file(loader->config, directory, "", name ? name : GLOBAL_FILE);
	}
	if (r == 0 && has_conf_d) {
		r = add_directory(loader, conf_d, CONF_D "/");
	} else if (r == 0 && !has_global) {
		r = add_directory(loader, directory, "");
	}
	if (r == 0 && loader->config->source_count == 0) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, NULL, 0,
				"%s: no configuration found: expected " GLOBAL_FILE ", " CONF_D "/*.json or "
				"*.json", directory);
		r = -ENOENT;
	}
	free(global);
	free(conf_d);
	return r;
}

/* conf.d is looked for beside the file as it was named, not beside what a link leads to. */
static int find_beside(struct px_config_loader *loader, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!directory) {
		return -ENOMEM;
	}
	char *absolute = realpath(directory, NULL);
	int r = absolute ? find_in(loader, absolute, slash ? slash + 1 : path) : -errno;
	free(absolute);
	free(directory);
	return r;
}

int px_config_files_find(struct px_config_loader *loader, const char *path)
{
	char *absolute = realpath(path, NULL);
	if (!absolute) {
		int error = errno;
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, NULL, 0, "%s: %s", path,
				strerror(error));
		return -error;
	}
	int r = is_directory(absolute) ? find_in(loader, absolute, NULL) :
			find_beside(loader, path);
	free(absolute);
	return r;
}
