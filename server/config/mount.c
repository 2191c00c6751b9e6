/* SPDX-License-Identifier: MIT */
/*
 * What a vhost does for plain HTTP, in lwsws' manner: "mounts", directories of files, and
 * "headers", which go out with every response.
 *
 * A mount's directory must be there when the configuration is read. A server that answers
 * 404 to every page until somebody looks into it is the worse surprise.
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_SCHEME "file://"
#define HEADER_NAME_MAX 64
#define HEADER_VALUE_MAX 2048
#define HEADER_LINE_EXTRA 4 /* colon, space, line end */

const struct px_option px_config_mount_table[] = {
	{ .key = "mountpoint", .type = PX_OPTION_STRING, .min = 1, .max = 256,
		.help = "URL path under which the files are served" },
	{ .key = "origin", .type = PX_OPTION_STRING, .max = 4096,
		.help = "directory: file:///absolute/path, or a path relative to this file's directory; "
				"empty: no mount" },
	{ .key = "default", .type = PX_OPTION_STRING, .fallback = "index.html",
		.min = 1, .max = 255,
		.help = "file served for a directory" },
	{ .key = "cache-max-age", .type = PX_OPTION_INT, .fallback = "0", .max = 31536000,
		.help = "seconds for which a browser may cache a file; 0: it revalidates each time" },
	{ .key = NULL },
};

bool px_config_url_path_ok(const char *text)
{
	if (*text != '/') {
		return false;
	}
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text >= 0x7f || strchr("?#\\\"<>", *text)) {
			return false;
		}
	}
	return true;
}

/* ---- mounts ---- */

static int resolve_origin(struct px_config_loader *loader, const struct px_config_file *file,
		unsigned line, const char *origin, char **ret_path)
{
	size_t scheme = sizeof(FILE_SCHEME) - 1;
	const char *path = strncmp(origin, FILE_SCHEME, scheme) == 0 ? origin + scheme : origin;
	if (strstr(path, "://") || (path != origin && *path != '/')) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				"\"origin\": expected file:///absolute/path or a directory's path");
		path = "";
	}
	char *joined = px_config_path_join(file->directory, path);
	if (!joined) {
		return -ENOMEM;
	}
	size_t length = strlen(joined);
	while (length > 1 && joined[length - 1] == '/') {
		joined[--length] = '\0';
	}
	struct stat st;
	if (*path != '\0' && (stat(joined, &st) < 0 || !S_ISDIR(st.st_mode))) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				"\"origin\": there is no directory %s", joined);
	}
	*ret_path = joined;
	return 0;
}

static void check_mountpoint(struct px_config_loader *loader, const struct px_config_file *file,
		unsigned line, const struct px_config_vhost *vhost, const char *mountpoint)
{
	if (!px_config_url_path_ok(mountpoint)) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
				"\"mountpoint\": expected a path that begins with /, "
				"without ? and #");
	}
	for (size_t i = 0; i < vhost->mount_count; i++) {
		if (strcmp(vhost->mounts[i].mountpoint, mountpoint) == 0) {
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
					"\"mountpoint\": another mount has \"%.64s\"",
					mountpoint);
			return;
		}
	}
}

static int add_mount(struct px_config_loader *loader, const struct px_config_object *object,
		const struct px_options *options, struct px_config_vhost *vhost)
{
	const struct px_config_member *at_point = px_config_object_find(object, "mountpoint");
	const struct px_config_member *at_origin = px_config_object_find(object, "origin");
	at_point = at_point ? at_point : object->members;
	at_origin = at_origin ? at_origin : object->members;
	struct px_config_mount *grown =
			px_config_grow(vhost->mounts, vhost->mount_count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	vhost->mounts = grown;
	const char *mountpoint = px_options_string(options, "mountpoint");
	check_mountpoint(loader, at_point->file, at_point->line, vhost, mountpoint);
	struct px_config_mount mount = {
		.mountpoint = strdup(mountpoint),
		.index = strdup(px_options_string(options, "default")),
		.cache_max_age_s = (uint32_t)px_options_int(options, "cache-max-age"),
	};
	int r = mount.mountpoint && mount.index ? 0 : -ENOMEM;
	if (r == 0) {
		r = resolve_origin(loader, at_origin->file, at_origin->line,
				px_options_string(options, "origin"), &mount.origin);
	}
	if (r < 0) {
		free(mount.mountpoint);
		free(mount.index);
		return r;
	}
	grown[vhost->mount_count++] = mount;
	return 0;
}

/* Whether it stands there, and its variable of the environment is empty: it is not wanted. */
static bool is_left_out(const struct px_config_item *item, const struct px_config_object *object,
		const char *key)
{
	return !px_config_object_given(object, key) &&
			json_object_object_get_ex(item->value, key, NULL);
}

static int read_mount(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item, struct px_config_vhost *vhost)
{
	struct px_config_section section;
	int r = px_config_section_read(&loader->reporter, source, item, "\"mounts\"",
			px_config_mount_table, &section);
	const struct px_options *options = section.options;
	bool wanted = r == 0 && !is_left_out(item, &section.object, "origin");
	if (wanted && (!px_options_given(options, "mountpoint") ||
			!px_options_given(options, "origin"))) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file, item->line,
				"a mount needs a \"mountpoint\" and an \"origin\"");
	} else if (wanted && *px_options_string(options, "origin") != '\0') {
		r = add_mount(loader, &section.object, options, vhost);
	}
	px_config_section_finish(&section);
	return r == -EINVAL ? 0 : r;
}

/* Calls `read` for each of the objects in the array `item`. */
static int read_array(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item, struct px_config_vhost *vhost,
		int (*read)(struct px_config_loader *loader, const struct px_config_source *source,
				const struct px_config_item *item, struct px_config_vhost *vhost))
{
	bool is_array = json_object_is_type(item->value, json_type_array);
	if (!is_array || json_object_array_length(item->value) > PX_CONFIG_ITEMS_MAX) {
		if (!item->void_value && item->value) { /* null: the table complained */
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file,
					item->line,
					"\"%s\": expected an array of at most %d objects",
					item->key, PX_CONFIG_ITEMS_MAX);
		}
		return 0;
	}
	struct px_config_walk walk;
	struct px_config_item element;
	int r = 0;
	px_config_walk_start(&walk, &source->json, item->value, item->node);
	while (r == 0 && px_config_walk_next(&walk, &element)) {
		r = read(loader, source, &element, vhost);
	}
	return r;
}

int px_config_mounts_read(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item, struct px_config_vhost *vhost)
{
	return read_array(loader, source, item, vhost, read_mount);
}

/* ---- headers ---- */

bool px_config_http_token_ok(const char *text, size_t length)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789!#$%&'*+-.^_`|~";
	return length > 0 && strspn(text, characters) >= length;
}

static bool is_header_name(const char *name, size_t length)
{
	return length <= HEADER_NAME_MAX && px_config_http_token_ok(name, length);
}

/* A line end in a value would let it write headers of its own. */
static bool is_header_value(const char *value)
{
	size_t length = 0;
	for (; value[length] != '\0'; length++) {
		unsigned char c = (unsigned char)value[length];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return length <= HEADER_VALUE_MAX;
}

/* What says where a response ends is the server's alone. */
static bool is_framing(const char *name, size_t length)
{
	static const char *const names[] = { "connection", "content-length", "transfer-encoding" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_room(const struct px_config_vhost *vhost, size_t bytes)
{
	for (size_t i = 0; i < vhost->header_count; i++) {
		bytes += strlen(vhost->headers[i].name) + strlen(vhost->headers[i].value) +
				HEADER_LINE_EXTRA;
	}
	return bytes < PX_CONFIG_HEADER_BYTES;
}

static int add_header(struct px_config_vhost *vhost, const char *name, size_t name_length,
		const char *value)
{
	struct px_config_header *grown =
			px_config_grow(vhost->headers, vhost->header_count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	vhost->headers = grown;
	struct px_config_header header = {
		.name = strndup(name, name_length),
		.value = strdup(value),
	};
	if (!header.name || !header.value) {
		free(header.name);
		free(header.value);
		return -ENOMEM;
	}
	grown[vhost->header_count++] = header;
	return 0;
}

static int read_header(struct px_config_loader *loader, const struct px_config_member *member,
		struct px_config_vhost *vhost)
{
	size_t length = strlen(member->key);
	if (length > 0 && member->key[length - 1] == ':') { /* as lws itself has them */
		length--;
	}
	const char *sentence = NULL;
	if (!is_header_name(member->key, length)) {
		sentence = "not the name of an HTTP header";
	} else if (is_framing(member->key, length)) {
		sentence = "the server sets this header itself";
	} else if (member->void_value) {
		return 0;
	} else if (!json_object_is_type(member->value, json_type_string) ||
			!is_header_value(json_object_get_string(member->value))) {
		sentence = "expected a string of at most 2048 bytes on one line";
	} else if (!has_room(vhost, length + HEADER_LINE_EXTRA +
			strlen(json_object_get_string(member->value)))) {
		sentence = "the headers of a vhost have no more than 4095 bytes";
	}
	if (sentence) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, member->file, member->line,
				"\"headers\": \"%.64s\": %s", member->key, sentence);
		return 0;
	}
	return add_header(vhost, member->key, length, json_object_get_string(member->value));
}

static int read_headers(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item, struct px_config_vhost *vhost)
{
	struct px_config_object object;
	int r = px_config_object_read(&loader->reporter, source, item, "\"headers\"", &object);
	if (r < 0) {
		return r == -EINVAL ? 0 : r;
	}
	for (size_t i = 0; r == 0 && i < object.count; i++) {
		r = read_header(loader, &object.members[i], vhost);
	}
	px_config_object_finish(&object);
	return r;
}

int px_config_headers_read(struct px_config_loader *loader,
		const struct px_config_source *source, const struct px_config_item *item,
		struct px_config_vhost *vhost)
{
	return read_array(loader, source, item, vhost, read_headers);
}
