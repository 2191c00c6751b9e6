/* SPDX-License-Identifier: MIT */
/*
 * See diff.h. Keys of "global" and of a vhost are compared by the tables that they are
 * read by, so that none can be forgotten; what a table sees as one value but is more (tokens,
 * services, the audit log) is taken apart here.
 */
#include "diff.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct diff {
	void (*on_change)(void *user, const char *text);
	void *user;
	size_t count;
	char where[128]; /* "vhost a: " */
};

enum kind {
	NUMBER_32,
	NUMBER_64,
	FLAG,
	CHOICE, /* an enum or an int with words for its values */
	TEXT,
};

struct field {
	const char *key;
	enum kind kind;
	size_t offset;
};

#define FIELD(type, kind, key, member) { key, kind, offsetof(struct type, member) }

#define AUDIT(kind, key, member) FIELD(px_config_audit, kind, key, member)
static const struct field audit_fields[] = {
	AUDIT(TEXT, "file", file),
	AUDIT(CHOICE, "sync", sync),
	AUDIT(CHOICE, "on-full", on_full),
	AUDIT(NUMBER_32, "refusals-per-second", refusals_per_s),
	AUDIT(TEXT, "key", key),
	{ 0 },
};

#define TOKENS(kind, key, member) FIELD(px_config_tokens, kind, key, member)
static const struct field tokens_fields[] = {
	TOKENS(TEXT, "key of HS256", secret),
	TOKENS(TEXT, "name of the key of HS256", secret_kid),
	TOKENS(TEXT, "jwks-file", jwks_file),
	TOKENS(TEXT, "issuer", issuer),
	TOKENS(TEXT, "audience", audience),
	TOKENS(NUMBER_32, "leeway-s", leeway_s),
	TOKENS(FLAG, "require-exp", require_exp),
	TOKENS(CHOICE, "default-role", default_role),
	TOKENS(TEXT, "claims.sub", claims.sub),
	TOKENS(TEXT, "claims.name", claims.name),
	TOKENS(TEXT, "claims.tenant", claims.tenant),
	TOKENS(TEXT, "claims.practices", claims.practices),
	TOKENS(TEXT, "claims.practiceId", claims.practice_id),
	TOKENS(TEXT, "claims.role", claims.role),
	TOKENS(TEXT, "claims.rooms", claims.rooms),
	TOKENS(TEXT, "cookie", cookie),
	TOKENS(FLAG, "query", query),
	TOKENS(NUMBER_32, "max-bytes", max_bytes),
	TOKENS(NUMBER_64, "auth-ms", auth_ms),
	{ 0 },
};

static void tell(struct diff *diff, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

static void tell(struct diff *diff, const char *format, ...)
{
	char text[512];
	va_list args;
	size_t at = strlen(diff->where);
	memcpy(text, diff->where, at);
	va_start(args, format);
	(void)vsnprintf(text + at, sizeof(text) - at, format, args);
	va_end(args);
	diff->on_change(diff->user, text);
	diff->count++;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Reads any kind of number, flag or choice. */
static int64_t number_of(const struct field *field, const void *object)
{
	const char *at = (const char *)object + field->offset;
	switch (field->kind) {
	case NUMBER_32:
		return *(const uint32_t *)(const void *)at;
	case NUMBER_64:
		return *(const int64_t *)(const void *)at;
	case FLAG:
		return *(const bool *)(const void *)at;
	default:
		return *(const int *)(const void *)at;
	}
}

static void compare_text(struct diff *diff, const char *key, const char *old, const char *new)
{
	if (!same_text(old, new)) {
		tell(diff, "%s %s", key, !old ? "was added" : !new ? "was removed" : "changed");
	}
}

static void compare_number(struct diff *diff, const char *key, int64_t old, int64_t new)
{
	if (old != new) {
		tell(diff, "%s is %" PRId64 ", was %" PRId64, key, new, old);
	}
}

static void compare_flag(struct diff *diff, const char *key, bool old, bool new)
{
	if (old != new) {
		tell(diff, "%s is %s", key, new ? "true" : "false");
	}
}

static const char *text_of(const struct field *field, const void *object)
{
	return *(char *const *)(const void *)((const char *)object + field->offset);
}

static void compare_field(struct diff *diff, const struct field *field, const void *old,
		const void *new)
{
	if (field->kind == TEXT) {
		compare_text(diff, field->key, text_of(field, old), text_of(field, new));
	} else if (field->kind == FLAG) {
		compare_flag(diff, field->key, number_of(field, old), number_of(field, new));
	} else if (field->kind != CHOICE) {
		compare_number(diff, field->key, number_of(field, old), number_of(field, new));
	} else if (number_of(field, old) != number_of(field, new)) {
		tell(diff, "%s changed", field->key);
	}
}

static void compare_fields(struct diff *diff, const struct field *fields, const void *old,
		const void *new)
{
	for (const struct field *field = fields; field->key; field++) {
		compare_field(diff, field, old, new);
	}
}

static void compare_json(struct diff *diff, const char *key, struct json_object *old,
		struct json_object *new)
{
	if (!old != !new || (old && json_object_equal(old, new) != 1)) {
		tell(diff, "%s %s", key, !old ? "was added" : !new ? "was removed" : "changed");
	}
}

static void compare_option(struct diff *diff, const struct px_option *row,
		const struct px_options *old, const struct px_options *new)
{
	bool given = px_options_given(new, row->key);
	if (!row->fallback && row->type == PX_OPTION_INT &&
			given != px_options_given(old, row->key)) {
		tell(diff, "%s %s", row->key, given ? "was added" : "was removed");
		return;
	}
	switch (row->type) {
	case PX_OPTION_STRING:
		compare_text(diff, row->key, px_options_string(old, row->key),
				px_options_string(new, row->key));
		break;
	case PX_OPTION_INT:
		compare_number(diff, row->key, px_options_int(old, row->key),
				px_options_int(new, row->key));
		break;
	case PX_OPTION_BOOL:
		compare_flag(diff, row->key, px_options_bool(old, row->key),
				px_options_bool(new, row->key));
		break;
	case PX_OPTION_JSON:
		compare_json(diff, row->key, px_options_json(old, row->key),
				px_options_json(new, row->key));
		break;
	}
}

/* All keys of an object, but for those that are taken apart. */
static void compare_object(struct diff *diff, const char *object, const struct px_options *old,
		const struct px_options *new)
{
	static const char *const others[] = { "audit", "tokens", "webhook-secret", "ws-protocols" };
	for (const struct px_option *row = px_config_table(object); row->key; row++) {
		bool other = false;
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			other |= strcmp(row->key, others[i]) == 0;
		}
		if (!other) {
			compare_option(diff, row, old, new);
		}
	}
}

static bool same_addresses(const struct px_config_vhost *a, const struct px_config_vhost *b)
{
	bool same = a->address_count == b->address_count;
	for (size_t i = 0; same && i < a->address_count; i++) {
		same = a->addresses[i].length == b->addresses[i].length &&
				memcmp(&a->addresses[i].address, &b->addresses[i].address,
						a->addresses[i].length) == 0;
	}
	return same;
}

static const struct px_config_member *find_member(const struct px_config_object *object,
		const char *key)
{
	for (size_t i = 0; i < object->count; i++) {
		if (strcmp(object->members[i].key, key) == 0) {
			return &object->members[i];
		}
	}
	return NULL;
}

static void compare_options(struct diff *diff, const struct px_config_service *old,
		const struct px_config_service *new)
{
	for (size_t i = 0; i < new->options.count; i++) {
		const struct px_config_member *now = &new->options.members[i];
		const struct px_config_member *before = find_member(&old->options, now->key);
		if (!before || json_object_equal(before->value, now->value) != 1) {
			tell(diff, "service %s: option %s %s", new->name, now->key,
					before ? "changed" : "was added");
		}
	}
	for (size_t i = 0; i < old->options.count; i++) {
		if (!find_member(&new->options, old->options.members[i].key)) {
			tell(diff, "service %s: option %s was removed", new->name,
					old->options.members[i].key);
		}
	}
}

static const struct px_config_service *find_service(const struct px_config_vhost *vhost,
		const char *name)
{
	for (size_t i = 0; i < vhost->service_count; i++) {
		if (strcmp(vhost->services[i].name, name) == 0) {
			return &vhost->services[i];
		}
	}
	return NULL;
}

static void compare_services(struct diff *diff, const struct px_config_vhost *old,
		const struct px_config_vhost *new)
{
	for (size_t i = 0; i < new->service_count; i++) {
		const struct px_config_service *now = &new->services[i];
		const struct px_config_service *before = find_service(old, now->name);
		if (!before) {
			tell(diff, "service %s: added%s", now->name,
					now->enabled ? "" : ", switched off");
			continue;
		}
		if (before->enabled != now->enabled) {
			tell(diff, "service %s: switched %s", now->name, now->enabled ? "on" : "off");
		}
		compare_options(diff, before, now);
	}
	for (size_t i = 0; i < old->service_count; i++) {
		if (!find_service(new, old->services[i].name)) {
			tell(diff, "service %s: removed", old->services[i].name);
		}
	}
}

static void compare_tokens(struct diff *diff, const struct px_config_tokens *old,
		const struct px_config_tokens *new)
{
	size_t at = strlen(diff->where);
	if (!old || !new) {
		if (old != new) {
			tell(diff, "tokens %s", new ? "were added" : "were removed");
		}
		return;
	}
	(void)snprintf(diff->where + at, sizeof(diff->where) - at, "tokens: ");
	compare_fields(diff, tokens_fields, old, new);
	diff->where[at] = '\0';
}

static void compare_vhosts(struct diff *diff, const struct px_config_vhost *old,
		const struct px_config_vhost *new)
{
	(void)snprintf(diff->where, sizeof(diff->where), "vhost %.64s: ", new->name);
	size_t count = diff->count;
	compare_object(diff, "vhosts", old->options, new->options);
	if (diff->count == count && !same_addresses(old, new)) {
		tell(diff, "the addresses of its interface changed");
	}
	compare_tokens(diff, old->tokens, new->tokens);
	compare_text(diff, "key of the webhook", old->webhook ? old->webhook->secret : NULL,
			new->webhook ? new->webhook->secret : NULL);
	compare_services(diff, old, new);
	if (px_config_vhost_replaces(old, new)) {
		tell(diff, "is replaced; its sessions end");
	}
	diff->where[0] = '\0';
}

static const struct px_config_vhost *find_vhost(const struct px_config *config, const char *name)
{
	for (size_t i = 0; i < config->vhost_count; i++) {
		if (strcmp(config->vhosts[i].name, name) == 0) {
			return &config->vhosts[i];
		}
	}
	return NULL;
}

static void compare_audit(struct diff *diff, const struct px_config_audit *old,
		const struct px_config_audit *new)
{
	if (!old || !new) {
		if (old != new) {
			tell(diff, "audit %s", new ? "was added" : "was removed");
		}
		return;
	}
	(void)snprintf(diff->where, sizeof(diff->where), "audit: ");
	compare_fields(diff, audit_fields, old, new);
	diff->where[0] = '\0';
}

static void compare_global(struct diff *diff, const struct px_config_global *old,
		const struct px_config_global *new)
{
	compare_object(diff, "global", old->options, new->options);
	compare_audit(diff, old->audit, new->audit);
}

size_t px_config_diff(const struct px_config *old, const struct px_config *new,
		void (*on_change)(void *user, const char *text), void *user)
{
	struct diff diff = { .on_change = on_change, .user = user };
	compare_global(&diff, &old->global, &new->global);
	for (size_t i = 0; i < old->vhost_count; i++) {
		if (!find_vhost(new, old->vhosts[i].name)) {
			tell(&diff, "vhost %s: removed", old->vhosts[i].name);
		}
	}
	for (size_t i = 0; i < new->vhost_count; i++) {
		const struct px_config_vhost *before = find_vhost(old, new->vhosts[i].name);
		if (before) {
			compare_vhosts(&diff, before, &new->vhosts[i]);
		} else {
			tell(&diff, "vhost %s: added", new->vhosts[i].name);
		}
	}
	return diff.count;
}

static bool wants_proof(const struct px_config_vhost *vhost)
{
	return vhost->tokens || vhost->auth_url;
}

bool px_config_vhost_replaces(const struct px_config_vhost *old,
		const struct px_config_vhost *new)
{
	return !same_text(old->tenant, new->tenant) ||
			!same_text(old->open_practice, new->open_practice) ||
			old->open_practice_is_number != new->open_practice_is_number ||
			wants_proof(old) != wants_proof(new) ||
			!old->host_ssl_cert != !new->host_ssl_cert ||
			!old->redirect_to_https != !new->redirect_to_https;
}

bool px_config_vhost_tightens(const struct px_config_vhost *old,
		const struct px_config_vhost *new)
{
	return !same_addresses(old, new) ||
			(new->client_cert_required && !old->client_cert_required);
}
