/* SPDX-License-Identifier: MIT */
/*
 * A load from beginning to end, and taking a file apart: what is global, what is a vhost,
 * what is said of a service.
 *
 * Reading goes on after an error, so that one start shows all that is wrong. What keeps this
 * from piling up consequences of the first: a value that was complained about is void and not
 * looked at again, and a file that cannot be parsed ends the search for what others refer to.
 */
#define _DEFAULT_SOURCE 1 /* explicit_bzero */

#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct px_option px_config_file_table[] = {
	{ .key = "global", .type = PX_OPTION_JSON,
		.help = "object: settings of the process" },
	{ .key = "vhosts", .type = PX_OPTION_JSON,
		.help = "array of objects: virtual hosts, with their ports and services" },
	{ .key = "vhost", .type = PX_OPTION_STRING, .min = 1, .max = 64,
		.help = "name of the vhost to which the other keys of this file belong" },
	{ .key = "ws-protocols", .type = PX_OPTION_JSON,
		.help = "services for that vhost, beside those that it has" },
	{ .key = NULL },
};

const struct px_option *px_config_table(const char *object)
{
	static const struct {
		const char *object;
		const struct px_option *table;
	} tables[] = {
		{ "", px_config_file_table },
		{ "global", px_config_global_table },
		{ "audit", px_config_audit_table },
		{ "vhosts", px_config_vhost_table },
		{ "tokens", px_config_tokens_table },
		{ "claims", px_config_claims_table },
		{ "mounts", px_config_mount_table },
	};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(tables[i].object, object) == 0) {
			return tables[i].table;
		}
	}
	return NULL;
}

/* ---- one file ---- */

/* Where the parser's errors go. */
struct parse {
	struct px_config_loader *loader;
	const struct px_config_source *source;
};

static void on_parse_error(void *user, unsigned line, const char *text)
{
	const struct parse *parse = user;
	px_config_complain(&parse->loader->reporter, PX_CONFIG_ERROR, &parse->source->file, line,
			"%s", text);
}

static int parse_source(struct px_config_loader *loader, struct px_config_source *source,
		const char *text, size_t length)
{
	struct parse parse = { .loader = loader, .source = source };
	int r = px_config_json_parse(text, length, on_parse_error, &parse, &source->json);
	if (r == 0) {
		return px_config_expand(&loader->reporter, source);
	}
	loader->incomplete = true;
	return r == -EINVAL ? 0 : r;
}

static int read_source(struct px_config_loader *loader, struct px_config_source *source)
{
	char *text;
	size_t length;
	int r = px_config_file_read(source->path, PX_CONFIG_FILE_BYTES_MAX, &text, &length);
	if (r < 0) {
		if (r == -EFBIG) {
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file, 0,
					"larger than %d bytes", PX_CONFIG_FILE_BYTES_MAX);
		} else {
			char fault[PX_CONFIG_FAULT_SIZE];
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file, 0,
					"cannot read it: %s", px_config_file_fault(source->path, r,
					fault, sizeof(fault)));
		}
		loader->incomplete = true;
		return r == -ENOMEM ? r : 0;
	}
	r = parse_source(loader, source, text, length);
	explicit_bzero(text, length); /* there may be secrets in it */
	free(text);
	return r;
}

/* ---- what a file holds ---- */

static int take_global(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item)
{
	struct px_config_object object;
	int r = px_config_object_read(&loader->reporter, source, item, "\"global\"", &object);
	if (r < 0) {
		return r == -EINVAL ? 0 : r;
	}
	for (size_t i = 0; r == 0 && i < object.count; i++) {
		if (loader->global.count == PX_CONFIG_ITEMS_MAX) {
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file,
					item->line, "\"global\": more than %d keys",
					PX_CONFIG_ITEMS_MAX);
			break;
		}
		r = px_config_object_set(&loader->global, &object.members[i]);
	}
	px_config_object_finish(&object);
	return r;
}

static int take_vhosts(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item)
{
	if (!json_object_is_type(item->value, json_type_array)) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file, item->line,
				"\"vhosts\": expected an array of objects");
		loader->incomplete = true;
		return 0;
	}
	struct px_config_walk walk;
	struct px_config_item element;
	int r = 0;
	px_config_walk_start(&walk, &source->json, item->value, item->node);
	while (r == 0 && px_config_walk_next(&walk, &element)) {
		r = px_config_vhost_read(loader, source, &element);
	}
	return r;
}

/* All but its "vhosts". */
static int take_whole(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_object *object)
{
	struct px_config_object own = { 0 };
	struct px_config_file_part addition = { 0 };
	struct px_options *options = NULL;
	int r = px_config_file_part(object, px_config_file_table, &own, &addition);
	if (r == 0) {
		r = px_config_object_check(&loader->reporter, &own, px_config_file_table, NULL,
				&options);
	}
	if (r != -ENOMEM) {
		const struct px_config_member *member = px_config_object_find(&own, "global");
		struct px_config_item item = { 0 };
		if (member) {
			item = px_config_member_item(member);
		}
		r = item.value && !item.void_value ? take_global(loader, source, &item) : 0;
	}
	if (r == 0) {
		r = px_config_addition_take(loader, source, &own, &addition, options);
	}
	px_options_destroy(options);
	px_config_object_finish(&own);
	px_config_object_finish(&addition.keys);
	return r;
}

static int take_source(struct px_config_loader *loader, const struct px_config_source *source)
{
	struct px_config_item root = { .value = source->json.root };
	if (source->json.node_count == 0) { /* it could not be parsed */
		return 0;
	}
	root.line = source->json.nodes[0].line;
	struct px_config_object object;
	int r = px_config_object_read(&loader->reporter, source, &root, "the file", &object);
	if (r < 0) {
		loader->incomplete = true;
		return r == -EINVAL ? 0 : r;
	}
	r = take_whole(loader, source, &object);
	px_config_object_finish(&object);
	return r;
}

/* When all that other files say of vhosts is known. */
static int take_source_vhosts(struct px_config_loader *loader,
		const struct px_config_source *source)
{
	struct json_object *root = source->json.node_count > 0 ? source->json.root : NULL;
	struct px_config_walk walk;
	struct px_config_item item;
	int r = 0;
	if (!json_object_is_type(root, json_type_object)) {
		return 0;
	}
	px_config_walk_start(&walk, &source->json, root, 0);
	while (r == 0 && px_config_walk_next(&walk, &item)) {
		if (strcmp(item.key, "vhosts") == 0 && item.value && !item.void_value) {
			r = take_vhosts(loader, source, &item);
		}
	}
	return r;
}

/* ---- the load ---- */

static int take_all(struct px_config_loader *loader)
{
	struct px_config *config = loader->config;
	int r = 0;
	for (size_t i = 0; r == 0 && i < config->source_count; i++) {
		r = take_source(loader, config->sources[i]);
	}
	for (size_t i = 0; r == 0 && i < config->source_count; i++) {
		r = take_source_vhosts(loader, config->sources[i]);
	}
	if (r == 0) {
		r = px_config_global_read(loader);
	}
	if (r == 0) {
		px_config_vhosts_check(loader);
		r = px_config_services_apply(loader);
	}
	return r;
}

static int begin(struct px_config_loader *loader, const struct px_config_sink *sink)
{
	*loader = (struct px_config_loader){ .reporter.sink = sink };
	loader->config = calloc(1, sizeof(*loader->config));
	return loader->config ? 0 : -ENOMEM;
}

/* `r` is how it went so far. */
static int end(struct px_config_loader *loader, int r, struct px_config **ret_config)
{
	if (r == 0) {
		r = take_all(loader);
	}
	px_config_complain_end(&loader->reporter);
	if (r == 0 && loader->reporter.error_count > 0) {
		r = -EINVAL;
	}
	struct px_config *config = loader->config;
	for (size_t i = 0; config && i < config->source_count; i++) {
		px_config_json_finish(&config->sources[i]->json);
	}
	px_config_object_finish(&loader->global);
	px_config_blocks_finish(loader);
	px_config_additions_finish(loader);
	if (r < 0) {
		px_config_destroy(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

int px_config_load(const char *path, const struct px_config_sink *sink,
		struct px_config **ret_config)
{
	struct px_config_loader loader;
	int r = begin(&loader, sink);
	if (r == 0) {
		r = px_config_files_find(&loader, path);
	}
	for (size_t i = 0; r == 0 && i < loader.config->source_count; i++) {
		r = read_source(&loader, loader.config->sources[i]);
	}
	return end(&loader, r, ret_config);
}

int px_config_load_text(const char *directory, const char *name, const char *text, size_t length,
		const struct px_config_sink *sink, struct px_config **ret_config)
{
	struct px_config_loader loader;
	struct px_config_source *source = NULL;
	int r = begin(&loader, sink);
	if (r == 0) {
		r = px_config_sources_add(loader.config, name, directory, NULL, &source);
	}
	if (r == 0) {
		r = parse_source(&loader, source, text, length);
	}
	return end(&loader, r, ret_config);
}

static void destroy_sources(struct px_config *config)
{
	for (size_t i = 0; i < config->source_count; i++) {
		px_config_json_finish(&config->sources[i]->json);
		free(config->sources[i]->file.name);
		free(config->sources[i]->file.directory);
		free(config->sources[i]->path);
		free(config->sources[i]);
	}
	free(config->sources);
}

struct px_config *px_config_share(struct px_config *config)
{
	config->shares++;
	return config;
}

void px_config_destroy(struct px_config *config)
{
	if (!config) {
		return;
	}
	if (config->shares > 0) {
		config->shares--;
		return;
	}
	for (size_t i = 0; i < config->vhost_count; i++) {
		px_config_vhost_finish(&config->vhosts[i]);
	}
	px_config_global_finish(&config->global);
	free(config->vhosts);
	destroy_sources(config);
	free(config);
}
