/* SPDX-License-Identifier: MIT */
/* See config_diff.h. Plain keys are compared by table, as they are read. */
#include "config_diff.h"

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
	SECONDS, /* kept in ms */
	PORT,
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

#define GLOBAL(kind, key, member) FIELD(px_config_global, kind, key, member)
static const struct field global_fields[] = {
	GLOBAL(CHOICE, "log-level", log_level),
	GLOBAL(NUMBER_32, "max-connections", max_connections),
	GLOBAL(NUMBER_32, "max-message-bytes", max_message_bytes),
	GLOBAL(NUMBER_32, "queue-bytes", queue_bytes),
	GLOBAL(NUMBER_64, "queue-age-ms", queue_age_ms),
	GLOBAL(NUMBER_32, "max-rooms-per-session", max_rooms_per_session),
	GLOBAL(NUMBER_32, "max-channels", max_channels),
	GLOBAL(NUMBER_32, "send-buffer-bytes", send_buffer_bytes),
	GLOBAL(NUMBER_64, "heartbeat-ms", heartbeat_ms),
	GLOBAL(NUMBER_64, "drain-ms", drain_ms),
	GLOBAL(NUMBER_64, "drain-deadline-ms", drain_deadline_ms),
	GLOBAL(NUMBER_64, "slow-close-ms", slow_close_ms),
	GLOBAL(NUMBER_32, "max-connections-per-address", max_connections_per_address),
	GLOBAL(NUMBER_32, "max-connections-per-user", max_connections_per_user),
	GLOBAL(NUMBER_32, "connections-per-second-per-address",
			connections_per_second_per_address),
	GLOBAL(NUMBER_32, "max-unauthenticated", max_unauthenticated),
	GLOBAL(NUMBER_32, "auth-failures", auth_failures),
	GLOBAL(NUMBER_32, "max-rooms-per-practice", max_rooms_per_practice),
	GLOBAL(NUMBER_32, "max-idempotency-keys", max_idempotency_keys),
	GLOBAL(NUMBER_32, "messages-per-second", messages_per_second),
	GLOBAL(NUMBER_32, "messages-burst", messages_burst),
	GLOBAL(NUMBER_32, "bytes-per-second", bytes_per_second),
	GLOBAL(NUMBER_32, "bytes-burst", bytes_burst),
	GLOBAL(TEXT, "state-file", state_file),
	GLOBAL(SECONDS, "state-max-age-s", state_max_age_ms),
	GLOBAL(NUMBER_64, "state-max-bytes", state_max_bytes),
	{ 0 },
};

#define AUDIT(kind, key, member) FIELD(px_config_audit, kind, key, member)
static const struct field audit_fields[] = {
	AUDIT(TEXT, "file", file),
	AUDIT(CHOICE, "sync", sync),
	AUDIT(CHOICE, "on-full", on_full),
	AUDIT(NUMBER_32, "refusals-per-second", refusals_per_s),
	AUDIT(TEXT, "key", key),
	{ 0 },
};

#define VHOST(kind, key, member) FIELD(px_config_vhost, kind, key, member)
static const struct field vhost_fields[] = {
	VHOST(PORT, "port", port),
	VHOST(TEXT, "tenant", tenant),
	VHOST(TEXT, "path", path),
	VHOST(TEXT, "auth-url", auth_url),
	VHOST(NUMBER_64, "auth-timeout-ms", auth_timeout_ms),
	VHOST(NUMBER_32, "auth-max", auth_max),
	VHOST(NUMBER_32, "auth-cache-s", auth_cache_s),
	VHOST(CHOICE, "open-mode", open_mode),
	VHOST(TEXT, "open-practice", open_practice),
	VHOST(FLAG, "proxy-protocol", proxy_protocol),
	VHOST(TEXT, "host-ssl-cert", host_ssl_cert),
	VHOST(TEXT, "host-ssl-key", host_ssl_key),
	VHOST(TEXT, "host-ssl-ca", host_ssl_ca),
	VHOST(FLAG, "client-cert-required", client_cert_required),
	VHOST(CHOICE, "tls-min-version", tls_min_version),
	VHOST(NUMBER_32, "hsts-max-age", hsts_max_age),
	VHOST(PORT, "redirect-to-https", redirect_to_https),
	{ 0 },
};

#define TOKENS(kind, key, member) FIELD(px_config_tokens, kind, key, member)
static const struct field tokens_fields[] = {
	TOKENS(TEXT, "secret", secret),
	TOKENS(TEXT, "secret-kid", secret_kid),
	TOKENS(TEXT, "jwks-file", jwks_file),
	TOKENS(TEXT, "issuer", issuer),
	TOKENS(TEXT, "audience", audience),
	TOKENS(NUMBER_32, "leeway-s", leeway_s),
	TOKENS(NUMBER_32, "max-bytes", max_bytes),
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
	case SECONDS:
		return *(const int64_t *)(const void *)at / 1000;
	case PORT:
		return *(const uint16_t *)(const void *)at;
	case FLAG:
		return *(const bool *)(const void *)at;
	default:
		return *(const int *)(const void *)at;
	}
}

static void compare_text(struct diff *diff, const char *key, const char *old, const char *new)
{
	if (!same_text(old, new)) {
		tell(diff, "%s %s", key, !old ? "is there now" : !new ? "is gone" : "has changed");
	}
}

static void compare_field(struct diff *diff, const struct field *field, const void *old,
		const void *new)
{
	if (field->kind == TEXT) {
		compare_text(diff, field->key,
				*(char *const *)(const void *)((const char *)old + field->offset),
				*(char *const *)(const void *)((const char *)new + field->offset));
		return;
	}
	int64_t before = number_of(field, old);
	int64_t now = number_of(field, new);
	if (before == now) {
		return;
	}
	if (field->kind == CHOICE) {
		tell(diff, "%s has changed", field->key);
	} else if (field->kind == FLAG) {
		tell(diff, "%s is %s", field->key, now ? "true" : "false");
	} else {
		tell(diff, "%s is %" PRId64 ", was %" PRId64, field->key, now, before);
	}
}

static void compare_fields(struct diff *diff, const struct field *fields, const void *old,
		const void *new)
{
	for (const struct field *field = fields; field->key; field++) {
		compare_field(diff, field, old, new);
	}
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	bool same = a_count == b_count;
	for (size_t i = 0; same && i < a_count; i++) {
		same = same_text(a[i], b[i]);
	}
	return same;
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

static bool same_networks(const struct px_config_proxy *a, size_t a_count,
		const struct px_config_proxy *b, size_t b_count)
{
	bool same = a_count == b_count;
	for (size_t i = 0; same && i < a_count; i++) {
		same = a[i].prefix == b[i].prefix &&
				IN6_ARE_ADDR_EQUAL(&a[i].address, &b[i].address);
	}
	return same;
}

static bool same_mounts(const struct px_config_vhost *a, const struct px_config_vhost *b)
{
	bool same = a->mount_count == b->mount_count;
	for (size_t i = 0; same && i < a->mount_count; i++) {
		const struct px_config_mount *one = &a->mounts[i];
		const struct px_config_mount *other = &b->mounts[i];
		same = same_text(one->mountpoint, other->mountpoint) &&
				same_text(one->origin, other->origin) &&
				same_text(one->index, other->index) &&
				one->cache_max_age_s == other->cache_max_age_s;
	}
	return same;
}

static bool same_headers(const struct px_config_vhost *a, const struct px_config_vhost *b)
{
	bool same = a->header_count == b->header_count;
	for (size_t i = 0; same && i < a->header_count; i++) {
		same = same_text(a->headers[i].name, b->headers[i].name) &&
				same_text(a->headers[i].value, b->headers[i].value);
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
					before ? "has changed" : "is there now");
		}
	}
	for (size_t i = 0; i < old->options.count; i++) {
		if (!find_member(&new->options, old->options.members[i].key)) {
			tell(diff, "service %s: option %s is gone", new->name,
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
			tell(diff, "tokens %s", new ? "are there now" : "are gone");
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
	compare_fields(diff, vhost_fields, old, new);
	if (old->port == new->port && !same_addresses(old, new)) {
		tell(diff, "interface has changed");
	}
	if (!same_texts(old->origins, old->origin_count, new->origins, new->origin_count)) {
		tell(diff, "origins have changed");
	}
	if (!same_networks(old->trusted_proxies, old->trusted_proxy_count, new->trusted_proxies,
			new->trusted_proxy_count)) {
		tell(diff, "trusted-proxies have changed");
	}
	if (!same_networks(old->metrics_allow, old->metrics_allow_count, new->metrics_allow,
			new->metrics_allow_count)) {
		tell(diff, "metrics-allow has changed");
	}
	if (!same_mounts(old, new)) {
		tell(diff, "mounts have changed");
	}
	if (!same_headers(old, new)) {
		tell(diff, "headers have changed");
	}
	compare_tokens(diff, old->tokens, new->tokens);
	compare_services(diff, old, new);
	if (px_config_vhost_replaces(old, new)) {
		tell(diff, "begins anew, with other sessions");
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
			tell(diff, "audit %s", new ? "is there now" : "is gone");
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
	compare_fields(diff, global_fields, old, new);
	if (!same_texts(old->plugin_dirs, old->plugin_dir_count, new->plugin_dirs,
			new->plugin_dir_count)) {
		tell(diff, "plugin-dir has changed");
	}
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
