/* SPDX-License-Identifier: MIT */
/* See state_vhost.h. */
#include "state_vhost.h"

#include "config/diff/diff.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/json.h>
#include <string.h>

#define BEGIN "{\"vhost\":"
#define DEPTH 4

int px_state_vhost_write(const struct px_config_vhost *config,
		const struct px_state_writer *writer)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_text(&json, "vhost", config->name);
	px_json_text(&json, "tenant", config->tenant);
	if (config->open_practice) {
		px_json_text(&json, "openPractice", config->open_practice);
	}
	px_json_bool(&json, "openPracticeIsNumber", config->open_practice_is_number);
	px_json_bool(&json, "proof", config->tokens || config->auth_url);
	px_json_bool(&json, "tls", config->host_ssl_cert != NULL);
	px_json_bool(&json, "redirect", config->redirect_to_https != 0);
	px_json_end(&json);
	int rc = json.failed ? -ENOMEM :
			writer->line(writer->user, (struct px_span){ json.data, json.len });
	px_json_finish(&json);
	return rc;
}

bool px_state_vhost_owns(struct px_span line)
{
	return line.len > strlen(BEGIN) && memcmp(line.data, BEGIN, strlen(BEGIN)) == 0;
}

static char *text_of(struct json_object *line, const char *key)
{
	struct json_object *value = NULL;
	return json_object_object_get_ex(line, key, &value) ?
			(char *)(uintptr_t)json_object_get_string(value) : NULL;
}

/* What a reload compares, as far as the line contains it. */
static bool read(struct json_object *line, struct px_config_vhost *old)
{
	static char given[] = "";
	bool proof;
	bool tls;
	bool redirect;
	if (!json_object_is_type(line, json_type_object) ||
			!px_json_get_bool(line, "openPracticeIsNumber",
			&old->open_practice_is_number) ||
			!px_json_get_bool(line, "proof", &proof) ||
			!px_json_get_bool(line, "tls", &tls) ||
			!px_json_get_bool(line, "redirect", &redirect)) {
		return false;
	}
	old->name = text_of(line, "vhost");
	old->tenant = text_of(line, "tenant");
	old->open_practice = text_of(line, "openPractice");
	old->auth_url = proof ? given : NULL;
	old->host_ssl_cert = tls ? given : NULL;
	old->redirect_to_https = redirect;
	return old->name && old->tenant;
}

bool px_state_vhost_goes_on(struct px_span text, const struct px_config_vhost *config)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *line = !tokener || text.len > INT32_MAX ? NULL :
			json_tokener_parse_ex(tokener, text.data, (int)text.len);
	struct px_config_vhost old = { 0 };
	bool goes_on = read(line, &old) && strcmp(old.name, config->name) == 0 &&
			!px_config_vhost_replaces(&old, config);
	json_object_put(line);
	if (tokener) {
		json_tokener_free(tokener);
	}
	return goes_on;
}
