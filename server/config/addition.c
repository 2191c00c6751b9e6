/* SPDX-License-Identifier: MIT */
/*
 * Keys of a vhost that another file gives than its own: kept until the vhost is read, and merged
 * with what its own file has. Later files win, as in "global".
 *
 * They are merged before they are checked, so that one table and one check hold for all of them,
 * and keys that need each other may come from two files. Each member knows its file, which
 * complaints name. Services are not among them: they are merged one by one (service.c).
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* ---- keeping ---- */

int px_config_file_part(const struct px_config_object *object, const struct px_option *table,
		struct px_config_object *own, struct px_config_file_part *addition)
{
	int r = 0;
	addition->vhost = px_config_object_given(object, "vhost");
	addition->protocols = px_config_object_find(object, "ws-protocols");
	for (size_t i = 0; r == 0 && i < object->count; i++) {
		const struct px_config_member *member = &object->members[i];
		bool is_own = !addition->vhost || strcmp(member->key, "vhost-file") == 0;
		for (const struct px_option *row = table; !is_own && row->key; row++) {
			is_own = strcmp(row->key, member->key) == 0;
		}
		r = px_config_object_set(is_own ? own : &addition->keys, member);
	}
	return r;
}

/* What is wrong with it as a whole, and on which line; NULL: nothing. */
static const char *addition_fault(const struct px_config_file_part *addition,
		const struct px_config_object *own, unsigned *ret_line)
{
	const struct px_config_member *name = px_config_object_given(&addition->keys, "name");
	const struct px_config_member *at = addition->vhost ? addition->vhost : addition->protocols;
	*ret_line = at ? at->line : 0;
	if (addition->vhost && px_config_object_find(own, "vhosts")) {
		return "\"vhost\" and \"vhosts\" in one file: write the keys into their vhost";
	}
	if (addition->vhost && !addition->protocols && addition->keys.count == 0) {
		return "\"vhost\" without a key for it, such as \"ws-protocols\"";
	}
	if (addition->protocols && !addition->vhost) {
		return "\"ws-protocols\" without the \"vhost\" to which they belong";
	}
	if (name) {
		*ret_line = name->line;
		return "\"name\": a vhost has its name from its own file";
	}
	return NULL;
}

/* Takes the keys over. */
static int keep_addition(struct px_config_loader *loader, const struct px_config_source *source,
		const char *name, struct px_config_object *keys)
{
	struct px_config_addition *grown = px_config_grow(loader->additions, loader->addition_count,
			sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	loader->additions = grown;
	struct px_config_addition *addition = &grown[loader->addition_count];
	addition->source = source;
	addition->vhost_name = strdup(name);
	if (!addition->vhost_name) {
		return -ENOMEM;
	}
	addition->object = *keys;
	*keys = (struct px_config_object){ 0 };
	loader->addition_count++;
	return 0;
}

void px_config_additions_finish(struct px_config_loader *loader)
{
	for (size_t i = 0; i < loader->addition_count; i++) {
		free(loader->additions[i].vhost_name);
		px_config_object_finish(&loader->additions[i].object);
	}
	free(loader->additions);
}

int px_config_addition_take(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_object *own, struct px_config_file_part *addition,
		const struct px_options *options)
{
	const struct px_config_member *vhost = addition->vhost;
	unsigned line;
	const char *sentence = addition_fault(addition, own, &line);
	if (sentence) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file, line, "%s",
				sentence);
		return 0;
	}
	const char *name = options ? px_options_string(options, "vhost") : NULL;
	if (!options && vhost && !vhost->void_value && strcmp(vhost->key, "vhost") == 0 &&
			json_object_is_type(vhost->value, json_type_string)) {
		name = json_object_get_string(vhost->value);
	}
	if (!name) {
		return 0;
	}
	struct px_config_block block = {
		.source = source,
		.vhost_name = (char *)name,
		.vhost_line = vhost->line,
	};
	if (addition->protocols) { /* without, it is there to say that there is no such vhost */
		block.item = px_config_member_item(addition->protocols);
	}
	int r = px_config_block_add(loader, &block);
	return r < 0 ? r : keep_addition(loader, source, name, &addition->keys);
}

/* ---- merging ---- */

/* The keys of one vhost while they come together. */
struct merge {
	struct px_config_loader *loader;
	const struct px_config_source *source; /* the vhost's own file */
	struct px_config_object object;
};

static void ignore(void *user, enum px_config_level level, const char *text)
{
	(void)user;
	(void)level;
	(void)text;
}

/* What the vhost's own file calls it, before that is checked; NULL: nothing usable. */
static int early_name(const struct px_config_object *object, const struct px_option *table,
		char **ret_name)
{
	static const struct px_config_sink nowhere = { .on_complaint = ignore };
	struct px_config_reporter reporter = { .sink = &nowhere };
	const struct px_config_member *member = px_config_object_given(object, "name");
	struct px_options *options = NULL;
	*ret_name = NULL;
	if (!member || member->void_value) {
		return 0;
	}
	struct px_config_object alone = { .members = (struct px_config_member *)member, .count = 1 };
	int r = px_config_object_check(&reporter, &alone, table, NULL, &options);
	if (r == 0) {
		r = px_config_string_copy(options, "name", ret_name);
	}
	px_options_destroy(options);
	return r == -EINVAL ? 0 : r;
}

static int set_all(struct merge *merge, const struct px_config_object *from)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < from->count; i++) {
		const struct px_config_member *member = &from->members[i];
		if (merge->object.count == PX_CONFIG_ITEMS_MAX &&
				!px_config_object_find(&merge->object, member->key)) {
			px_config_complain(&merge->loader->reporter, PX_CONFIG_ERROR, member->file,
					member->line, "more than %d keys for this vhost",
					PX_CONFIG_ITEMS_MAX);
			return 0;
		}
		r = px_config_object_set(&merge->object, member);
	}
	return r;
}

/* What files say of the vhost that come before its own, or behind it. */
static int set_additions(struct merge *merge, const char *name, bool before)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < merge->loader->addition_count; i++) {
		const struct px_config_addition *addition = &merge->loader->additions[i];
		if ((addition->source->order < merge->source->order) == before &&
				strcmp(addition->vhost_name, name) == 0) {
			r = set_all(merge, &addition->object);
		}
	}
	return r;
}

int px_config_vhost_keys_read(struct px_config_loader *loader,
		const struct px_config_source *source, const struct px_config_item *item,
		const struct px_option *table, struct px_config_object *ret_object)
{
	struct merge merge = { .loader = loader, .source = source };
	struct px_config_object own = { 0 };
	char *name = NULL;
	int r = px_config_object_read(&loader->reporter, source, item, "\"vhosts\"", &own);
	if (r == 0) {
		r = early_name(&own, table, &name);
	}
	if (r == 0 && name) {
		r = set_additions(&merge, name, true);
	}
	if (r == 0) {
		r = set_all(&merge, &own);
	}
	if (r == 0 && name) {
		r = set_additions(&merge, name, false);
	}
	free(name);
	px_config_object_finish(&own);
	if (r < 0) {
		px_config_object_finish(&merge.object);
		return r;
	}
	*ret_object = merge.object;
	return 0;
}
