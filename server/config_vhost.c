/* SPDX-License-Identifier: MIT */
/*
 * One vhost: its keys, and what must hold among several.
 *
 * This version knows no tokens, so whoever reaches a vhost may say who he is. That is why an
 * address which others can reach is an error until the configuration says in so many words
 * that it is meant.
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

const struct px_option px_config_vhost_table[] = {
	{ .key = "name", .type = PX_OPTION_STRING, .min = 1, .max = 64,
		.help = "what files and log lines call it: letters, digits and . _ -" },
	{ .key = "port", .type = PX_OPTION_INT, .max = 65535,
		.help = "TCP port; 0: any free one" },
	{ .key = "interface", .type = PX_OPTION_JSON,
		.help = "address to listen on, or an array of them: an IPv4 or IPv6 address, "
			"\"localhost\" (127.0.0.1 and ::1), \"*\" (all), or a network interface" },
	{ .key = "tenant", .type = PX_OPTION_STRING, .min = 1, .max = PX_ID_MAX,
		.help = "the tenant of a client whose identity names none; default: the name" },
	{ .key = "path", .type = PX_OPTION_STRING, .fallback = "/ws", .min = 1, .max = 256,
		.help = "path of the WebSocket endpoint" },
	{ .key = "open-mode", .type = PX_OPTION_STRING, .fallback = "loopback",
		.choices = "loopback|insecure",
		.help = "\"insecure\" permits addresses that other machines can reach" },
	{ .key = "open-practice", .type = PX_OPTION_JSON,
		.help = "practice of a client that names none: a whole number or a string" },
	{ .key = "mounts", .type = PX_OPTION_JSON,
		.help = "array of objects: directories of files to serve" },
	{ .key = "headers", .type = PX_OPTION_JSON,
		.help = "array of {\"name\": \"value\"}: added to every HTTP response" },
	{ .key = "ws-protocols", .type = PX_OPTION_JSON,
		.help = "array of {\"service\": {\"status\": \"ok\" or \"disabled\", "
			"option: value, …}}" },
	{ .key = NULL },
};

/* One vhost while it is read. */
struct reading {
	struct px_config_loader *loader;
	const struct px_config_source *source;
	const struct px_config_item *item;
	struct px_config_object object;
	struct px_config_vhost *vhost;
};

static void complain(struct reading *reading, const char *key, const char *sentence)
{
	const struct px_config_member *member = px_config_object_find(&reading->object, key);
	px_config_complain(&reading->loader->reporter, PX_CONFIG_ERROR, &reading->source->file,
			member ? member->line : reading->item->line, "\"%s\"%s", key, sentence);
}

/* ---- single keys ---- */

/* A vhost with other errors has a name all the same, or its services would be unknown. */
static const char *find_name(const struct reading *reading, const struct px_options *options)
{
	const struct px_config_member *member = px_config_object_find(&reading->object, "name");
	if (options) {
		return px_options_string(options, "name");
	}
	if (member && !member->void_value && json_object_is_type(member->value, json_type_string)) {
		return json_object_get_string(member->value);
	}
	return NULL;
}

static int take_name(struct reading *reading, const struct px_options *options)
{
	const char *name = find_name(reading, options);
	if (!name) {
		reading->loader->incomplete = true;
		name = "";
	}
	if (name[strspn(name, NAME_CHARACTERS)] != '\0') {
		complain(reading, "name", ": expected letters, digits and . _ - alone");
	}
	const struct px_config *config = reading->loader->config;
	for (size_t i = 0; *name != '\0' && i + 1 < config->vhost_count; i++) {
		const struct px_config_vhost *other = &config->vhosts[i];
		if (strcmp(other->name, name) == 0) {
			char sentence[256];
			(void)snprintf(sentence, sizeof(sentence),
					": there is a vhost \"%.64s\" already (%.128s:%u)", name,
					other->file->name, other->line);
			complain(reading, "name", sentence);
			break;
		}
	}
	reading->vhost->name = strdup(name);
	return reading->vhost->name ? 0 : -ENOMEM;
}

static int copy_text(const char *text, char **slot)
{
	*slot = strdup(text);
	return *slot ? 0 : -ENOMEM;
}

/* Written as a number, or a string that is spelled like one: clients get it back as it is. */
static int take_open_practice(struct reading *reading, const struct px_options *options)
{
	struct json_object *value = px_options_json(options, "open-practice");
	if (!value) {
		return 0;
	}
	const char *text = json_object_get_string(value);
	bool is_scalar = json_object_is_type(value, json_type_int) ||
			json_object_is_type(value, json_type_string);
	if (!is_scalar || *text == '\0' || strlen(text) > PX_ID_MAX ||
			!px_span_is_text(px_span(text))) {
		complain(reading, "open-practice",
				": expected a whole number or a string of 1 to 128 bytes");
		return 0;
	}
	reading->vhost->open_practice_is_number = px_id_is_integer(px_span(text));
	return copy_text(text, &reading->vhost->open_practice);
}

static int take_texts(struct reading *reading, const struct px_options *options)
{
	struct px_config_vhost *vhost = reading->vhost;
	const char *tenant = px_options_string(options, "tenant");
	const char *path = px_options_string(options, "path");
	if (tenant && !px_span_is_text(px_span(tenant))) {
		complain(reading, "tenant", ": a control character in it");
	}
	if (!px_config_url_path_ok(path)) {
		complain(reading, "path", ": expected a path that begins with /, without ? and #");
	}
	bool insecure = strcmp(px_options_string(options, "open-mode"), "insecure") == 0;
	vhost->open_mode = insecure ? PX_CONFIG_OPEN_INSECURE : PX_CONFIG_OPEN_LOOPBACK;
	vhost->port = (uint16_t)px_options_int(options, "port");
	int r = copy_text(tenant ? tenant : vhost->name, &vhost->tenant);
	if (r == 0) {
		r = copy_text(path, &vhost->path);
	}
	return r < 0 ? r : take_open_practice(reading, options);
}

static int add_address(struct px_config_loader *loader, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	const struct reading *reading = user;
	const char *sentence;
	int r = px_config_addresses_add(reading->vhost, text);
	if (r == -ENOENT) {
		sentence = "no address, and no network interface of this machine";
	} else if (r == -EADDRNOTAVAIL) {
		sentence = "a network interface without an address";
	} else if (r == -E2BIG) {
		sentence = "one address too many";
	} else {
		return r;
	}
	px_config_complain(&loader->reporter, PX_CONFIG_ERROR, file, line,
			"\"interface\": \"%.64s\" is %s", text, sentence);
	return 0;
}

/* Complains, or warns, of the first address that is not a loopback address. */
static void check_open_mode(struct reading *reading)
{
	const struct px_config_vhost *vhost = reading->vhost;
	const struct px_config_address *address = vhost->addresses;
	size_t left = vhost->address_count;
	while (left > 0 && px_config_address_is_loopback(address)) {
		address++;
		left--;
	}
	if (left == 0) {
		return;
	}
	char text[64];
	px_config_address_print(address, text, sizeof(text));
	const struct px_config_member *member =
			px_config_object_find(&reading->object, "interface");
	bool insecure = vhost->open_mode == PX_CONFIG_OPEN_INSECURE;
	px_config_complain(&reading->loader->reporter,
			insecure ? PX_CONFIG_WARNING : PX_CONFIG_ERROR, &reading->source->file,
			member->line, "vhost \"%.64s\" listens on %s%s", vhost->name, text,
			insecure ?
			" and takes everybody's word for who he is (\"open-mode\": \"insecure\")" :
			", which others can reach, and this version knows no tokens: keep to "
			"\"localhost\", or write \"open-mode\": \"insecure\"");
}

/* ---- the whole ---- */

static int take_keys(struct reading *reading)
{
	struct px_options *options = NULL;
	int checked = px_config_object_check(&reading->loader->reporter, &reading->object,
			px_config_vhost_table, NULL, &options);
	int r = checked == -ENOMEM ? checked : take_name(reading, options);
	if (r == 0 && options) {
		r = take_texts(reading, options);
	}
	px_options_destroy(options);
	if (r < 0 || checked < 0) { /* the addresses are better not judged without the rest */
		return r;
	}
	r = px_config_strings(reading->loader, &reading->object, "interface", "localhost",
			add_address, reading);
	if (r == 0) {
		check_open_mode(reading);
	}
	return r;
}

static int take_services(struct reading *reading, const struct px_config_item *item)
{
	return px_config_block_add(reading->loader, &(struct px_config_block){
		.source = reading->source,
		.item = *item,
		.vhost_index = reading->loader->config->vhost_count - 1,
	});
}

static int take_nested(struct reading *reading)
{
	const struct px_config_member *mounts = px_config_object_find(&reading->object, "mounts");
	const struct px_config_member *headers = px_config_object_find(&reading->object, "headers");
	const struct px_config_member *services =
			px_config_object_find(&reading->object, "ws-protocols");
	struct px_config_item item;
	int r = 0;
	if (mounts) {
		item = px_config_member_item(mounts);
		r = px_config_mounts_read(reading->loader, reading->source, &item, reading->vhost);
	}
	if (r == 0 && headers) {
		item = px_config_member_item(headers);
		r = px_config_headers_read(reading->loader, reading->source, &item, reading->vhost);
	}
	if (r == 0 && services) {
		item = px_config_member_item(services);
		r = take_services(reading, &item);
	}
	return r;
}

static void check_required(struct reading *reading)
{
	static const char *const required[] = { "name", "port" };
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		char in_file[16];
		(void)snprintf(in_file, sizeof(in_file), "%s-file", required[i]);
		if (!px_config_object_find(&reading->object, required[i]) &&
				!px_config_object_find(&reading->object, in_file)) {
			complain(reading, required[i], " is missing in this vhost");
		}
	}
}

static struct px_config_vhost *add_vhost(struct px_config *config)
{
	struct px_config_vhost *grown =
			px_config_grow(config->vhosts, config->vhost_count, sizeof(*grown));
	if (!grown) {
		return NULL;
	}
	config->vhosts = grown;
	return &grown[config->vhost_count++];
}

int px_config_vhost_read(struct px_config_loader *loader, const struct px_config_source *source,
		const struct px_config_item *item)
{
	struct reading reading = { .loader = loader, .source = source, .item = item };
	if (loader->config->vhost_count == PX_CONFIG_ITEMS_MAX) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, &source->file, item->line,
				"\"vhosts\": more than %d vhosts", PX_CONFIG_ITEMS_MAX);
		return 0;
	}
	int r = px_config_object_read(&loader->reporter, source, item, "\"vhosts\"",
			&reading.object);
	if (r < 0) {
		loader->incomplete = true;
		return r == -EINVAL ? 0 : r;
	}
	reading.vhost = add_vhost(loader->config);
	if (!reading.vhost) {
		r = -ENOMEM;
		goto out;
	}
	reading.vhost->file = &source->file;
	reading.vhost->line = item->line;
	check_required(&reading);
	r = take_keys(&reading);
	if (r == 0) {
		r = take_nested(&reading);
	}
out:
	px_config_object_finish(&reading.object);
	return r;
}

/* ---- among vhosts ---- */

static void check_pair(struct px_config_loader *loader, const struct px_config_vhost *first,
		const struct px_config_vhost *second)
{
	for (size_t i = 0; i < second->address_count; i++) {
		for (size_t j = 0; j < first->address_count; j++) {
			if (!px_config_address_equal(&second->addresses[i], &first->addresses[j])) {
				continue;
			}
			char text[64];
			px_config_address_print(&second->addresses[i], text, sizeof(text));
			px_config_complain(&loader->reporter, PX_CONFIG_ERROR, second->file,
					second->line, "vhost \"%.64s\" listens on %s port %u, "
					"as vhost \"%.64s\" does (%s:%u)",
					second->name, text, (unsigned)second->port, first->name,
					first->file->name, first->line);
			return;
		}
	}
}

void px_config_vhosts_check(struct px_config_loader *loader)
{
	const struct px_config *config = loader->config;
	if (config->vhost_count == 0 && !loader->incomplete) {
		px_config_complain(&loader->reporter, PX_CONFIG_ERROR, NULL, 0,
				"there is no vhost: expected "
				"{\"vhosts\": [{\"name\": …, \"port\": …}]}");
	}
	for (size_t i = 1; i < config->vhost_count; i++) {
		for (size_t j = 0; j < i; j++) {
			check_pair(loader, &config->vhosts[j], &config->vhosts[i]);
		}
	}
}

void px_config_vhost_finish(struct px_config_vhost *vhost)
{
	for (size_t i = 0; i < vhost->mount_count; i++) {
		free(vhost->mounts[i].mountpoint);
		free(vhost->mounts[i].origin);
		free(vhost->mounts[i].index);
	}
	for (size_t i = 0; i < vhost->header_count; i++) {
		free(vhost->headers[i].name);
		free(vhost->headers[i].value);
	}
	for (size_t i = 0; i < vhost->service_count; i++) {
		px_config_service_finish(&vhost->services[i]);
	}
	free(vhost->mounts);
	free(vhost->headers);
	free(vhost->services);
	free(vhost->addresses);
	free(vhost->name);
	free(vhost->tenant);
	free(vhost->path);
	free(vhost->open_practice);
}
