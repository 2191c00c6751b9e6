/* SPDX-License-Identifier: MIT */
/*
 * One vhost: its keys, and what must hold among several.
 *
 * Without tokens and without an application to ask, whoever reaches a vhost may say who he
 * is. That is why an address which others can reach is then an error until the configuration
 * says in so many words that it is meant.
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
		.help = "name in files and log lines: letters, digits and . _ -" },
	{ .key = "port", .type = PX_OPTION_INT, .max = 65535,
		.help = "TCP port; 0: any free one" },
	{ .key = "interface", .type = PX_OPTION_JSON,
		.help = "address to listen on, or an array of them: an IPv4 or IPv6 address, "
			"\"localhost\" (127.0.0.1 and ::1), \"*\" (all), or a network interface" },
	{ .key = "tenant", .type = PX_OPTION_STRING, .min = 1, .max = PX_ID_MAX,
		.help = "tenant of clients whose identity names none; default: the vhost's name" },
	{ .key = "path", .type = PX_OPTION_STRING, .fallback = "/ws", .min = 1, .max = 256,
		.help = "path of the WebSocket endpoint" },
	{ .key = "tokens", .type = PX_OPTION_JSON,
		.help = "object: verification of tokens; default: no tokens are accepted" },
	{ .key = "auth-url", .type = PX_OPTION_STRING, .min = 1, .max = 2048,
		.help = "URL at which the application is asked to identify a client" },
	{ .key = "auth-timeout-ms", .type = PX_OPTION_INT, .fallback = "2000",
		.min = 100, .max = 30000,
		.help = "time limit for an answer of \"auth-url\"" },
	{ .key = "auth-max", .type = PX_OPTION_INT, .fallback = "64", .min = 1, .max = 1000,
		.help = "maximum number of concurrent requests to \"auth-url\"" },
	{ .key = "identity-ttl-s", .type = PX_OPTION_INT, .fallback = "43200", .min = 1,
		.max = 2592000,
		.help = "lifetime of an identity from a ticket or \"auth-url\" without exp" },
	{ .key = "auth-cache-s", .type = PX_OPTION_INT, .fallback = "0", .max = 60,
		.help = "seconds for which an answer of \"auth-url\" is cached" },
	{ .key = "webhook-url", .type = PX_OPTION_STRING, .min = 1, .max = 2048,
		.help = "URL of the application that receives events" },
	{ .key = "webhook-secret", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "secret that signs requests to \"webhook-url\"" },
	{ .key = "webhook-timeout-ms", .type = PX_OPTION_INT, .fallback = "10000",
		.min = 100, .max = 60000,
		.help = "time limit for an answer of \"webhook-url\"" },
	{ .key = "webhook-max", .type = PX_OPTION_INT, .fallback = "4", .min = 1, .max = 16,
		.help = "maximum number of concurrent requests to \"webhook-url\"" },
	{ .key = "webhook-batch", .type = PX_OPTION_INT, .fallback = "100", .min = 1, .max = 500,
		.help = "maximum number of events in one request" },
	{ .key = "webhook-queue-events", .type = PX_OPTION_INT, .fallback = "50000",
		.min = 10, .max = 1000000,
		.help = "maximum number of waiting events; half as many for one practice" },
	{ .key = "webhook-queue-bytes", .type = PX_OPTION_INT, .fallback = "33554432",
		.min = 262144, .max = 1 << 30,
		.help = "maximum number of their bytes; and as many for the state of rooms" },
	{ .key = "webhook-give-up-s", .type = PX_OPTION_INT, .fallback = "900",
		.min = 1, .max = 86400,
		.help = "seconds after which an event that \"webhook-url\" did not accept is dropped" },
	{ .key = "open-mode", .type = PX_OPTION_STRING, .fallback = "loopback",
		.choices = "loopback|insecure",
		.help = "\"insecure\" permits open mode on addresses that other machines can reach" },
	{ .key = "open-practice", .type = PX_OPTION_JSON,
		.help = "practice of clients that name none: a whole number or a string" },
	{ .key = "origins", .type = PX_OPTION_JSON,
		.help = "origin, or array of origins, whose pages may connect: https://host[:port], "
				"https://*.host, or * for all; default: pages of the same host" },
	{ .key = "trusted-proxies", .type = PX_OPTION_JSON,
		.help = "address or ADDRESS/BITS, or array of these, of proxies that are trusted to name "
				"the client's address" },
	{ .key = "forwarded-header", .type = PX_OPTION_STRING, .fallback = "auto",
		.choices = "auto|x-forwarded-for|forwarded",
		.help = "header in which a trusted proxy names the client; auto: the one that is "
				"present, or both if they agree" },
	{ .key = "metrics-allow", .type = PX_OPTION_JSON,
		.help = "address or ADDRESS/BITS, or array of these, from which /metrics and /stats may "
				"be read without a token; default: loopback" },
	{ .key = "proxy-protocol", .type = PX_OPTION_BOOL, .fallback = "false",
		.help = "whether the trusted proxies use the PROXY protocol" },
	{ .key = "host-ssl-cert", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "file of the certificate chain, as PEM; enables TLS" },
	{ .key = "host-ssl-key", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "file of the private key, as PEM" },
	{ .key = "host-ssl-ca", .type = PX_OPTION_STRING, .min = 1, .max = 4096,
		.help = "file of the certificates, as PEM, that client certificates are verified with" },
	{ .key = "client-cert-required", .type = PX_OPTION_BOOL, .fallback = "false",
		.help = "whether clients must have a certificate" },
	{ .key = "tls-min-version", .type = PX_OPTION_JSON, .fallback = "1.2",
		.help = "minimum version of TLS: 1.2 or 1.3" },
	{ .key = "hsts-max-age", .type = PX_OPTION_INT, .max = 315360000,
		.help = "max-age of Strict-Transport-Security in seconds; default with TLS: a year; 0: "
				"not sent" },
	{ .key = "redirect-to-https", .type = PX_OPTION_INT, .fallback = "0", .max = 65535,
		.help = "port to which every request is redirected, with https; 0: no redirect" },
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
	const struct px_config_source *source; /* the vhost's own file */
	const struct px_config_item *item;
	struct px_config_object object; /* merged from all files */
	struct px_config_vhost *vhost;
};

static void complain(struct reading *reading, const char *key, const char *sentence)
{
	const struct px_config_member *member = px_config_object_given(&reading->object, key);
	px_config_complain(&reading->loader->reporter, PX_CONFIG_ERROR,
			member ? member->file : &reading->source->file,
			member ? member->line : reading->item->line, "\"%s\"%s", key, sentence);
}

static const struct px_config_source *source_of(const struct px_config_member *member)
{
	return (const struct px_config_source *)member->file;
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

/* "tokens" or "auth-url", if the vhost has one of them. */
static const char *find_proof(const struct reading *reading)
{
	const struct px_config_member *tokens = px_config_object_find(&reading->object, "tokens");
	if (tokens && !px_config_tokens_left_out(tokens)) {
		return "tokens";
	}
	return px_config_object_given(&reading->object, "auth-url") ? "auth-url" : NULL;
}

/* What came from the environment is no contradiction: the file may be there for both. */
static void check_not_open(struct reading *reading, const char *proof)
{
	static const char *const keys[] = { "open-mode", "open-practice" };
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct px_config_member *member =
				px_config_object_given(&reading->object, keys[i]);
		if (member && !member->substituted) {
			char sentence[128];
			(void)snprintf(sentence, sizeof(sentence),
					" in a vhost with \"%s\", where clients cannot choose their identity", proof);
			complain(reading, keys[i], sentence);
		}
	}
}

static void take_open_mode(struct reading *reading, const struct px_options *options)
{
	bool insecure = strcmp(px_options_string(options, "open-mode"), "insecure") == 0;
	bool redirects = px_options_int(options, "redirect-to-https") != 0;
	const char *proof = find_proof(reading);
	reading->vhost->open_mode = insecure ? PX_CONFIG_OPEN_INSECURE : PX_CONFIG_OPEN_LOOPBACK;
	if (proof || redirects) {
		reading->vhost->open_mode = PX_CONFIG_OPEN_OFF;
	}
	if (proof) {
		check_not_open(reading, proof);
	}
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
	if (reading->vhost->open_mode == PX_CONFIG_OPEN_OFF) {
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
		complain(reading, "tenant", ": must not contain control characters");
	}
	if (!px_config_url_path_ok(path)) {
		complain(reading, "path", ": expected a path that begins with /, without ? and #");
	}
	take_open_mode(reading, options);
	vhost->port = (uint16_t)px_options_int(options, "port");
	int r = copy_text(tenant ? tenant : vhost->name, &vhost->tenant);
	if (r == 0) {
		r = copy_text(path, &vhost->path);
	}
	return r < 0 ? r : take_open_practice(reading, options);
}

static int add_address(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	const struct reading *reading = user;
	struct px_config_vhost *vhost = reading->vhost;
	struct px_config_addresses list = { vhost->addresses, vhost->address_count, vhost->port };
	const char *sentence;
	int r = px_config_addresses_add(&list, text);
	vhost->addresses = list.items;
	vhost->address_count = list.count;
	if (r == -ENOENT) {
		sentence = "neither an address nor a network interface of this machine";
	} else if (r == -EADDRNOTAVAIL) {
		sentence = "a network interface without an address";
	} else if (r == -E2BIG) {
		sentence = "one address too many";
	} else {
		return r;
	}
	px_config_complain(reporter, PX_CONFIG_ERROR, file, line,
			"\"interface\": \"%.64s\" is %s", text, sentence);
	return 0;
}

bool px_config_is_on_loopback(const struct px_config_vhost *vhost)
{
	for (size_t i = 0; i < vhost->address_count; i++) {
		if (!px_config_address_is_loopback(&vhost->addresses[i])) {
			return false;
		}
	}
	return true;
}

/* What is to be said of an address that others can reach; NULL: nothing. */
static const char *judge_public(const struct px_config_vhost *vhost,
		enum px_config_level *ret_level)
{
	*ret_level = PX_CONFIG_WARNING;
	switch (vhost->open_mode) {
	case PX_CONFIG_OPEN_INSECURE:
		return " without authentication (\"open-mode\": \"insecure\")";
	case PX_CONFIG_OPEN_LOOPBACK:
		*ret_level = PX_CONFIG_ERROR;
		return ", which other machines can reach, without authentication: use \"localhost\", "
				"configure \"tokens\" or \"auth-url\", or set \"open-mode\": \"insecure\"";
	case PX_CONFIG_OPEN_OFF:
		break;
	}
	if (vhost->redirect_to_https != 0 || vhost->host_ssl_cert ||
			vhost->trusted_proxy_count > 0) {
		return NULL;
	}
	return " without TLS on a public address: tokens and patients' data can be read in transit";
}

/* Variables that would give the vhost "tokens" or "auth-url". */
static void find_unset_proofs(const struct reading *reading, struct px_config_names *names)
{
	static const char *const urls[] = { "auth-url", "auth-url-file", NULL };
	const struct px_config_member *tokens = px_config_object_find(&reading->object, "tokens");
	if (tokens) {
		struct px_config_item item = px_config_member_item(tokens);
		px_config_unset_variables(source_of(tokens), &item, px_config_tokens_proofs, names);
	}
	px_config_unset_variables(reading->source, reading->item, urls, names);
}

/* Complains, or warns, of the first address that is not a loopback address. */
static void check_public(struct reading *reading)
{
	const struct px_config_vhost *vhost = reading->vhost;
	const struct px_config_address *address = vhost->addresses;
	size_t left = vhost->address_count;
	while (left > 0 && px_config_address_is_loopback(address)) {
		address++;
		left--;
	}
	enum px_config_level level;
	const char *sentence = judge_public(vhost, &level);
	if (left == 0 || !sentence) {
		return;
	}
	char text[64];
	px_config_address_print(address, text, sizeof(text));
	const struct px_config_member *member =
			px_config_object_find(&reading->object, "interface");
	struct px_config_names unset = { 0 };
	if (level == PX_CONFIG_ERROR) {
		find_unset_proofs(reading, &unset);
	}
	px_config_complain(&reading->loader->reporter, level, member->file, member->line,
			"vhost \"%.64s\" listens on %s%s%s%s", vhost->name, text, sentence,
			unset.count > 0 ? "; not set in the environment: " : "", unset.text);
}

/* ---- from where, with whose proof, and through what ---- */

/* Keys that mean nothing without another one. */
static void check_companions(struct reading *reading, const struct px_options *options)
{
	static const struct {
		const char *key;
		bool is_bool; /* and may be false on its own */
		const char *needed;
	} companions[] = {
		{ "auth-timeout-ms", false, "auth-url" },
		{ "auth-max", false, "auth-url" },
		{ "auth-cache-s", false, "auth-url" },
		{ "webhook-url", false, "webhook-secret" },
		{ "webhook-secret", false, "webhook-url" },
		{ "webhook-timeout-ms", false, "webhook-url" },
		{ "webhook-max", false, "webhook-url" },
		{ "webhook-batch", false, "webhook-url" },
		{ "webhook-queue-events", false, "webhook-url" },
		{ "webhook-queue-bytes", false, "webhook-url" },
		{ "webhook-give-up-s", false, "webhook-url" },
		{ "host-ssl-cert", false, "host-ssl-key" },
		{ "host-ssl-key", false, "host-ssl-cert" },
		{ "host-ssl-ca", false, "host-ssl-cert" },
		{ "client-cert-required", true, "host-ssl-ca" },
		{ "tls-min-version", false, "host-ssl-cert" },
	};
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		const char *key = companions[i].key;
		char sentence[64];
		if (!px_options_given(options, key) ||
				(companions[i].is_bool && !px_options_bool(options, key)) ||
				px_options_given(options, companions[i].needed)) {
			continue;
		}
		(void)snprintf(sentence, sizeof(sentence), " without \"%s\"",
				companions[i].needed);
		complain(reading, key, sentence);
	}
}

/* Be it in vain. */
static bool names_proxies(const struct px_options *options)
{
	struct json_object *value = px_options_json(options, "trusted-proxies");
	return value && !(json_object_is_type(value, json_type_array) &&
			json_object_array_length(value) == 0);
}

static enum px_config_forwarded read_forwarded(const char *text)
{
	return strcmp(text, "forwarded") == 0 ? PX_CONFIG_FORWARDED_STANDARD :
			strcmp(text, "x-forwarded-for") == 0 ? PX_CONFIG_FORWARDED_LEGACY :
			PX_CONFIG_FORWARDED_AUTO;
}

static int take_access(struct reading *reading, const struct px_options *options)
{
	struct px_config_loader *loader = reading->loader;
	struct px_config_vhost *vhost = reading->vhost;
	const struct px_config_member *tokens = px_config_object_find(&reading->object, "tokens");
	check_companions(reading, options);
	int r = tokens ? px_config_tokens_read(loader, tokens, vhost) : 0;
	if (r == 0) {
		r = px_config_auth_url_read(loader, &reading->object, options, vhost);
	}
	if (r == 0) {
		r = px_config_webhook_read(loader, &reading->object, options, vhost);
	}
	if (r == 0) {
		r = px_config_origins_read(loader, &reading->object, vhost);
	}
	if (r == 0) {
		r = px_config_proxies_read(loader, &reading->object, vhost);
	}
	vhost->forwarded_header = read_forwarded(px_options_string(options, "forwarded-header"));
	vhost->proxy_protocol = px_options_bool(options, "proxy-protocol");
	if (vhost->proxy_protocol && !names_proxies(options)) {
		complain(reading, "proxy-protocol", " without \"trusted-proxies\"");
	}
	return r < 0 ? r : px_config_tls_read(loader, &reading->object, options, vhost);
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
	if (r == 0 && options) {
		r = take_access(reading, options);
	}
	reading->vhost->options = options;
	if (r < 0 || checked < 0) { /* the addresses are better not judged without the rest */
		return r;
	}
	r = px_config_strings(&reading->loader->reporter, &reading->object, "interface", "localhost",
			add_address, reading);
	if (r == 0) {
		check_public(reading);
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
		r = px_config_mounts_read(reading->loader, source_of(mounts), &item, reading->vhost);
	}
	if (r == 0 && headers) {
		item = px_config_member_item(headers);
		r = px_config_headers_read(reading->loader, source_of(headers), &item,
				reading->vhost);
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
		if (!px_config_object_given(&reading->object, required[i])) {
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
	int r = px_config_vhost_keys_read(loader, source, item, px_config_vhost_table,
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
				"no vhost is configured: expected {\"vhosts\": [{\"name\": …, \"port\": …}]}");
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
	for (size_t i = 0; i < vhost->origin_count; i++) {
		free(vhost->origins[i]);
	}
	px_config_services_finish(vhost);
	px_options_destroy(vhost->options);
	px_config_tokens_destroy(vhost->tokens);
	px_config_webhook_destroy(vhost->webhook);
	free(vhost->auth_url);
	free(vhost->origins);
	free(vhost->trusted_proxies);
	free(vhost->metrics_allow);
	free(vhost->host_ssl_cert);
	free(vhost->host_ssl_key);
	free(vhost->host_ssl_ca);
	free(vhost->mounts);
	free(vhost->headers);
	free(vhost->addresses);
	free(vhost->name);
	free(vhost->tenant);
	free(vhost->path);
	free(vhost->open_practice);
}
