/* SPDX-License-Identifier: MIT */
/*
 * The operator's view of the server: version, totals, and the current configuration. A value whose
 * key sounds like a secret is hidden at any depth, as is the query of a URL, which often contains
 * secrets.
 */
#include "core/server.h"
#include "access/lockout.h"
#include "core/vhost.h"
#include "metrics.h"
#include "readiness.h"
#include "services/services.h"
#include "version.h"

#include <json-c/json.h>
#include <praxis/operate.h>
#include <praxis/service.h>
#include <string.h>

#define HIDDEN "(hidden)"
#define DEPTH_MAX 32

static struct json_object *masked(const char *key, struct json_object *value, int depth);

static struct json_object *masked_array(const char *key, struct json_object *array, int depth)
{
	struct json_object *copy = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		json_object_array_add(copy, masked(key, json_object_array_get_idx(array, i), depth));
	}
	return copy;
}

static struct json_object *masked_object(struct json_object *object, int depth)
{
	struct json_object *copy = json_object_new_object();
	json_object_object_foreach(object, key, value) {
		json_object_object_add(copy, key, masked(key, value, depth));
	}
	return copy;
}

static struct json_object *masked_text(const char *text)
{
	const char *query = strstr(text, "://") ? strchr(text, '?') : NULL;
	if (!query) {
		return json_object_new_string(text);
	}
	char shown[256];
	size_t len = (size_t)(query - text) < sizeof(shown) - sizeof(HIDDEN) ?
			(size_t)(query - text) : sizeof(shown) - sizeof(HIDDEN) - 1;
	memcpy(shown, text, len);
	memcpy(shown + len, "?" HIDDEN, sizeof("?" HIDDEN));
	return json_object_new_string(shown);
}

/* A copy without secrets, owned by the caller. */
static struct json_object *masked(const char *key, struct json_object *value, int depth)
{
	bool is_path = strlen(key) > 5 && strcmp(key + strlen(key) - 5, "-file") == 0;
	if (depth > DEPTH_MAX || (value && px_option_is_secret(key) && !is_path &&
			!json_object_is_type(value, json_type_object))) {
		return json_object_new_string(HIDDEN);
	}
	switch (json_object_get_type(value)) {
	case json_type_object:
		return masked_object(value, depth + 1);
	case json_type_array:
		return masked_array(key, value, depth + 1);
	case json_type_string:
		return masked_text(json_object_get_string(value));
	default:
		return json_object_get(value);
	}
}

static void write_masked(struct px_json *json, const char *key, struct json_object *value)
{
	struct json_object *shown = masked(key, value, 0);
	px_json_raw(json, key, px_span(json_object_to_json_string_ext(shown,
			JSON_C_TO_STRING_PLAIN)));
	json_object_put(shown);
}

static void write_text(struct px_json *json, const char *key, const char *text)
{
	struct json_object *value = json_object_new_string(text);
	write_masked(json, key, value);
	json_object_put(value);
}

/* Every key of the table that has a value, including defaults. */
static void write_options(const struct px_options *options, const struct px_option *table,
		struct px_json *json)
{
	for (; options && table && table->key; table++) {
		const char *key = table->key;
		switch (table->type) {
		case PX_OPTION_INT:
			px_json_int(json, key, px_options_int(options, key));
			break;
		case PX_OPTION_BOOL:
			px_json_bool(json, key, px_options_bool(options, key));
			break;
		case PX_OPTION_STRING:
			if (px_options_string(options, key)) {
				write_text(json, key, px_options_string(options, key));
			}
			break;
		case PX_OPTION_JSON:
			if (px_options_json(options, key)) {
				write_masked(json, key, px_options_json(options, key));
			}
			break;
		}
	}
}

static void write_config(const struct px_server *server, const struct px_vhost *vhost,
		struct px_json *json)
{
	px_json_open_object(json, "global");
	write_options(server->config->global.options, px_config_table("global"), json);
	px_json_close_object(json);
	px_json_open_object(json, "vhost");
	write_options(vhost->config->options, px_config_table("vhosts"), json);
	px_json_close_object(json);
}

static void write_service_options(struct px_server *server, const struct px_service *service,
		struct px_json *json)
{
	const struct px_plugin *plugin = px_plugin_find(server, service->name);
	if (plugin) {
		write_options(plugin->options, service->options, json);
	}
}

/* Rows of numbers: there are hundreds of them. */
static void write_history(const struct px_server *server, struct px_json *json)
{
	static const char *const fields[] = { "at", "sessions", "rooms", "messagesIn", "messagesOut",
		"bytesIn", "bytesOut", "errors", "queueBytes", "handshakes" };
	const struct px_stats_history *samples = &server->samples;
	px_json_int(json, "everyMs", PX_SAMPLE_EVERY_MS);
	px_json_open_array(json, "fields");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		px_json_text(json, NULL, fields[i]);
	}
	px_json_close_array(json);
	px_json_open_array(json, "samples");
	for (uint32_t i = 0; i < samples->count; i++) {
		const struct px_sample *at =
				&samples->ring[(samples->first + i) % PX_STATS_HISTORY];
		const int64_t row[] = { at->at_ms, (int64_t)at->sessions, (int64_t)at->rooms,
			(int64_t)at->messages_in, (int64_t)at->messages_out, (int64_t)at->bytes_in,
			(int64_t)at->bytes_out, (int64_t)at->errors, (int64_t)at->queue_bytes,
			(int64_t)at->handshakes };
		px_json_open_array(json, NULL);
		for (size_t k = 0; k < sizeof(row) / sizeof(row[0]); k++) {
			px_json_int(json, NULL, row[k]);
		}
		px_json_close_array(json);
	}
	px_json_close_array(json);
}

void px_describe(void *user, const struct px_operator *operator, enum px_description what,
		const struct px_service *service, struct px_json *json)
{
	struct px_server *server = user;
	switch (what) {
	case PX_DESCRIBE_SERVER:
		px_json_text(json, "version", PX_VERSION);
		px_json_int(json, "uptimeMs", (int64_t)uv_now(&server->loop) - server->started_ms);
		px_json_bool(json, "draining", server->draining);
		px_readiness_write(server, json, "ready", "notReady");
		break;
	case PX_DESCRIBE_TOTALS:
		px_stats_write(server, json);
		break;
	case PX_DESCRIBE_CONFIG:
		write_config(server, px_vhost_of(operator->realm), json);
		break;
	case PX_DESCRIBE_HISTORY:
		write_history(server, json);
		break;
	case PX_DESCRIBE_LOCKS:
		px_lockout_write(server, json);
		break;
	case PX_DESCRIBE_OPTIONS:
		write_service_options(server, service, json);
		break;
	}
}
