/* SPDX-License-Identifier: MIT */
/*
 * "ws-protocols": which services a vhost has, and what they are told.
 *
 * All of them are gathered first and applied when every vhost is known, in the order of the
 * files and not in that of the vhosts. So a file of one service may come before the file of
 * its vhost, and "later keys win" holds wherever a service is written.
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 32

/* ---- gathering ---- */

int px_config_block_add(struct px_config_loader *loader, const struct px_config_block *block)
{
	struct px_config_block *grown =
			px_config_grow(loader->blocks, loader->block_count, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	loader->blocks = grown;
	struct px_config_block copy = *block;
	copy.item.key = NULL;
	if (block->vhost_name) {
		copy.vhost_name = strdup(block->vhost_name);
		if (!copy.vhost_name) {
			return -ENOMEM;
		}
	}
	grown[loader->block_count++] = copy;
	return 0;
}

void px_config_blocks_finish(struct px_config_loader *loader)
{
	for (size_t i = 0; i < loader->block_count; i++) {
		free(loader->blocks[i].vhost_name);
	}
	free(loader->blocks);
}

/* ---- applying ---- */

/* One service in one "ws-protocols". */
struct application {
	struct px_config_loader *loader;
	const struct px_config_source *source;
	struct px_config_vhost *vhost;
};

static void complain(const struct application *application, unsigned line, const char *sentence,
		const char *name)
{
	px_config_complain(&application->loader->reporter, PX_CONFIG_ERROR,
			&application->source->file, line, "%s%s%.64s%s", sentence, name ? "\"" : "",
			name ? name : "", name ? "\"" : "");
}

static bool is_service_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
	return length > 0 && length <= NAME_BYTES_MAX && name[length] == '\0' &&
			!(name[0] >= '0' && name[0] <= '9');
}

static struct px_config_service *find_service(const struct px_config_vhost *vhost,
		const char *name)
{
	for (size_t i = 0; i < vhost->service_count; i++) {
		if (strcmp(vhost->services[i].name, name) == 0) {
			return &vhost->services[i];
		}
	}
	return NULL;
}

/* NULL without memory. */
static struct px_config_service *add_service(struct px_config_vhost *vhost, const char *name)
{
	struct px_config_service *grown =
			px_config_grow(vhost->services, vhost->service_count, sizeof(*grown));
	if (!grown) {
		return NULL;
	}
	vhost->services = grown;
	struct px_config_service *service = &grown[vhost->service_count];
	service->name = strdup(name);
	if (!service->name) {
		return NULL;
	}
	service->enabled = true;
	vhost->service_count++;
	return service;
}

static void apply_status(const struct application *application,
		struct px_config_service *service, const struct px_config_member *status)
{
	const char *word = json_object_is_type(status->value, json_type_string) ?
			json_object_get_string(status->value) : "";
	if (strcmp(word, "ok") == 0 || strcmp(word, "disabled") == 0) {
		service->enabled = strcmp(word, "ok") == 0;
	} else if (!status->void_value) {
		complain(application, status->line,
				"\"status\": expected \"ok\" or \"disabled\" for the service ",
				service->name);
	}
}

static int apply_members(const struct application *application,
		struct px_config_service *service, const struct px_config_object *object)
{
	for (size_t i = 0; i < object->count; i++) {
		const struct px_config_member *member = &object->members[i];
		if (strcmp(member->key, "status") == 0) {
			apply_status(application, service, member);
			continue;
		}
		if (service->options.count == PX_CONFIG_ITEMS_MAX) {
			complain(application, member->line, "too many options for the service ",
					service->name);
			return 0;
		}
		int r = px_config_object_set(&service->options, member);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int apply_service(const struct application *application,
		const struct px_config_item *item)
{
	if (!is_service_name(item->key)) {
		complain(application, item->line, "a service's name is a lower-case letter and up to 31 "
				"lower-case letters and digits, not ", item->key);
		return 0;
	}
	struct px_config_vhost *vhost = application->vhost;
	struct px_config_service *service = find_service(vhost, item->key);
	if (service && service->file == &application->source->file) {
		char sentence[96];
		(void)snprintf(sentence, sizeof(sentence),
				"already configured in this file, on line %u: the service ",
				service->line);
		complain(application, item->line, sentence, item->key);
		return 0;
	}
	if (!service && vhost->service_count == PX_CONFIG_ITEMS_MAX) {
		complain(application, item->line, "too many services for the vhost ", vhost->name);
		return 0;
	}
	service = service ? service : add_service(vhost, item->key);
	if (!service) {
		return -ENOMEM;
	}
	service->file = &application->source->file;
	service->line = item->line;
	struct px_config_object object;
	char what[NAME_BYTES_MAX + 3];
	(void)snprintf(what, sizeof(what), "\"%s\"", item->key);
	int r = px_config_object_read(&application->loader->reporter, application->source, item,
			what, &object);
	if (r < 0) {
		return r == -EINVAL ? 0 : r;
	}
	r = apply_members(application, service, &object);
	px_config_object_finish(&object);
	return r;
}

static int apply_element(const struct application *application,
		const struct px_config_item *element)
{
	if (!json_object_is_type(element->value, json_type_object)) {
		if (!element->void_value) {
			complain(application, element->line,
					"\"ws-protocols\": expected an object like "
					"{\"service\": {…}}", NULL);
		}
		return 0;
	}
	struct px_config_walk walk;
	struct px_config_item item;
	int r = 0;
	px_config_walk_start(&walk, &application->source->json, element->value, element->node);
	while (r == 0 && px_config_walk_next(&walk, &item)) {
		r = apply_service(application, &item);
	}
	return r;
}

/* NULL after a complaint. */
static struct px_config_vhost *vhost_of(struct px_config_loader *loader,
		const struct px_config_block *block)
{
	struct px_config *config = loader->config;
	if (!block->vhost_name) {
		return &config->vhosts[block->vhost_index];
	}
	char known[512] = "none";
	size_t used = 0;
	for (size_t i = 0; i < config->vhost_count; i++) {
		if (strcmp(config->vhosts[i].name, block->vhost_name) == 0) {
			return &config->vhosts[i];
		}
		if (used < sizeof(known)) {
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%.64s",
					i > 0 ? ", " : "", config->vhosts[i].name);
		}
	}
	if (!loader->incomplete) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &block->source->file,
				block->vhost_line,
				"\"vhost\": there is no vhost \"%.64s\" (known: %s)",
				block->vhost_name, known);
	}
	return NULL;
}

static int apply_array(const struct application *application,
		const struct px_config_block *block)
{
	struct px_config_walk walk;
	struct px_config_item element;
	int r = 0;
	px_config_walk_start(&walk, &block->source->json, block->item.value, block->item.node);
	while (r == 0 && px_config_walk_next(&walk, &element)) {
		r = apply_element(application, &element);
	}
	return r;
}

static int apply_block(struct px_config_loader *loader, const struct px_config_block *block)
{
	/* what is said of an unknown vhost is checked all the same */
	struct px_config_vhost nowhere = { 0 };
	struct px_config_vhost *vhost = vhost_of(loader, block);
	struct application application = {
		.loader = loader,
		.source = block->source,
		.vhost = vhost ? vhost : &nowhere,
	};
	int r = 0;
	if (json_object_is_type(block->item.value, json_type_array)) {
		r = apply_array(&application, block);
	} else if (!block->item.void_value && block->item.value) { /* null: the table complained */
		complain(&application, block->item.line,
				"\"ws-protocols\": expected an array of objects like "
				"{\"service\": {…}}", NULL);
	}
	px_config_services_finish(&nowhere);
	return r;
}

/* ---- one instance of a service in the whole process ---- */

static bool is_same_value(struct json_object *a, struct json_object *b)
{
	if (json_object_equal(a, b)) {
		return true;
	}
	enum json_type types[2] = { json_object_get_type(a), json_object_get_type(b) };
	for (size_t i = 0; i < 2; i++) {
		if (types[i] == json_type_null || types[i] == json_type_array ||
				types[i] == json_type_object) {
			return false;
		}
	}
	/* 256 and "256" mean the same */
	return strcmp(json_object_get_string(a), json_object_get_string(b)) == 0;
}

/* An option that is not the same in both; NULL: there is none. */
static const struct px_config_member *find_difference(const struct px_config_object *a,
		const struct px_config_object *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct px_config_member *other = px_config_object_find(b, a->members[i].key);
		if (!other || !is_same_value(a->members[i].value, other->value)) {
			return &a->members[i];
		}
	}
	for (size_t i = 0; i < b->count; i++) {
		if (!px_config_object_find(a, b->members[i].key)) {
			return &b->members[i];
		}
	}
	return NULL;
}

/* The first vhost before this one that has the service enabled; NULL: there is none. */
static const struct px_config_vhost *find_first(const struct px_config *config,
		const struct px_config_vhost *before, const char *name)
{
	for (struct px_config_vhost *vhost = config->vhosts; vhost < before; vhost++) {
		const struct px_config_service *service = find_service(vhost, name);
		if (service && service->enabled) {
			return vhost;
		}
	}
	return NULL;
}

static void check_same(struct px_config_loader *loader, const struct px_config_vhost *vhost,
		const struct px_config_service *service)
{
	const struct px_config_vhost *other = find_first(loader->config, vhost, service->name);
	if (!other) {
		return;
	}
	const struct px_config_service *first = find_service(other, service->name);
	const struct px_config_member *member =
			find_difference(&service->options, &first->options);
	if (member) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, service->file, service->line,
				"the service \"%s\" must have the same options in every vhost: "
				"\"%.64s\" differs from that of vhost \"%.64s\" (%s:%u)",
				service->name, member->key, other->name, first->file->name,
				first->line);
	}
}

/* By file; within one by vhost, each of which has one block there. */
static int compare_blocks(const void *a, const void *b)
{
	const struct px_config_block *first = a;
	const struct px_config_block *second = b;
	if (first->source != second->source) {
		return first->source->order < second->source->order ? -1 : 1;
	}
	return first->vhost_index < second->vhost_index ? -1 :
			first->vhost_index > second->vhost_index;
}

int px_config_services_apply(struct px_config_loader *loader)
{
	int r = 0;
	if (loader->block_count > 0) {
		qsort(loader->blocks, loader->block_count, sizeof(*loader->blocks), compare_blocks);
	}
	for (size_t i = 0; r == 0 && i < loader->block_count; i++) {
		r = apply_block(loader, &loader->blocks[i]);
	}
	for (size_t i = 0; r == 0 && i < loader->config->vhost_count; i++) {
		const struct px_config_vhost *vhost = &loader->config->vhosts[i];
		for (size_t j = 0; j < vhost->service_count; j++) {
			if (vhost->services[j].enabled) {
				check_same(loader, vhost, &vhost->services[j]);
			}
		}
	}
	return r;
}

/* ---- what the host asks ---- */

void px_config_services_finish(struct px_config_vhost *vhost)
{
	for (size_t i = 0; i < vhost->service_count; i++) {
		free(vhost->services[i].name);
		px_config_object_finish(&vhost->services[i].options);
	}
	free(vhost->services);
}

const struct px_config_service *px_config_find_service(const struct px_config *config,
		const char *name)
{
	for (size_t i = 0; i < config->vhost_count; i++) {
		const struct px_config_service *service = find_service(&config->vhosts[i], name);
		if (service && service->enabled) {
			return service;
		}
	}
	return NULL;
}

int px_config_check_options(const struct px_config_service *service,
		const struct px_option *table, const struct px_config_sink *sink,
		struct px_options **ret_options)
{
	struct px_config_reporter reporter = { .sink = sink };
	int r = px_config_object_check(&reporter, &service->options, table, service->name,
			ret_options);
	px_config_complain_end(&reporter);
	return r;
}
