/* SPDX-License-Identifier: MIT */
/*
 * "global": the settings of the process. A new one is a row of the table, a field of
 * struct px_config_global, a line that copies it, and a row in docs/configuration.md.
 */
#include "config_internal.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/service.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef PX_PLUGIN_DIR
#define PX_PLUGIN_DIR "/usr/local/lib/praxis"
#endif

#define HOUR_MS (60 * 60 * 1000)
#define CONNECTIONS_MAX 10000000
#define RATE_MAX 1000000
#define BYTES_MAX (1024 * 1024 * 1024)

const struct px_option px_config_global_table[] = {
	{ .key = "plugin-dir", .type = PX_OPTION_JSON,
		.help = "directory, or array of directories, to search for praxis_svc_<name>.so; one "
				"string may hold several, separated by colons" },
	{ .key = "log-level", .type = PX_OPTION_STRING, .fallback = "notice",
		.choices = "error|warning|notice|info|debug",
		.help = "least severe level that is logged" },
	{ .key = "log-format", .type = PX_OPTION_STRING, .fallback = "text",
		.choices = "text|json|journald",
		.help = "format of log lines: text, JSON objects, or text with journald's priorities" },
	{ .key = "max-connections", .type = PX_OPTION_INT, .fallback = "0", .max = CONNECTIONS_MAX,
		.help = "maximum number of connections; 0: as many as RLIMIT_NOFILE permits" },
	{ .key = "max-connections-per-address", .type = PX_OPTION_INT, .fallback = "1000",
		.max = CONNECTIONS_MAX,
		.help = "maximum number of connections of one address; 0: no limit" },
	{ .key = "max-connections-per-user", .type = PX_OPTION_INT, .fallback = "50",
		.max = CONNECTIONS_MAX,
		.help = "maximum number of connections of one user of a tenant; 0: no limit" },
	{ .key = "connections-per-second-per-address", .type = PX_OPTION_INT, .fallback = "50",
		.max = RATE_MAX,
		.help = "new connections of one address per second, with bursts of twice as many; 0: no "
				"limit" },
	{ .key = "max-unauthenticated", .type = PX_OPTION_INT, .fallback = "2000",
		.max = CONNECTIONS_MAX,
		.help = "maximum number of connections that have not authenticated yet; 0: no limit" },
	{ .key = "auth-failures", .type = PX_OPTION_INT, .fallback = "10", .max = RATE_MAX,
		.help = "number of guessed tokens of one address within 30 minutes that locks it for 30 "
				"minutes; 0: no limit" },
	{ .key = "auth-failure-ms-per-second", .type = PX_OPTION_INT, .fallback = "50",
		.max = 1000,
		.help = "processing time per second for invalid tokens of one address; 0: no limit" },
	{ .key = "address-prefix", .type = PX_OPTION_INT, .fallback = "64", .min = 16, .max = 128,
		.help = "prefix length of IPv6 addresses that count as one client" },
	{ .key = "remembered-addresses", .type = PX_OPTION_INT, .fallback = "200000",
		.min = 1000, .max = CONNECTIONS_MAX,
		.help = "number of addresses (and users) without a connection whose rates and "
				"failures are remembered" },
	{ .key = "max-message-bytes", .type = PX_OPTION_INT, .fallback = "65536",
		.min = 1024, .max = 16 * 1024 * 1024,
		.help = "maximum size of a client's message; a larger one closes the connection with "
				"1009" },
	{ .key = "queue-bytes", .type = PX_OPTION_INT, .fallback = "1048576",
		.min = 4096, .max = BYTES_MAX,
		.help = "maximum number of bytes queued for one session; beyond it, a slow consumer is "
				"closed with 4408" },
	{ .key = "queue-age-ms", .type = PX_OPTION_INT, .fallback = "30000", .max = 3600000,
		.help = "maximum age of a queued message while the client reads nothing; then it is "
				"closed with 4408; 0: no limit" },
	{ .key = "max-rooms-per-session", .type = PX_OPTION_INT, .fallback = "16",
		.min = 1, .max = 1000,
		.help = "maximum number of rooms that one session is in or waits for" },
	{ .key = "max-rooms-per-practice", .type = PX_OPTION_INT, .fallback = "1000",
		.max = 10000000,
		.help = "maximum number of occupied rooms of one practice, for each service; 0: no limit" },
	{ .key = "max-idempotency-keys", .type = PX_OPTION_INT, .fallback = "100000",
		.max = 10000000,
		.help = "number of Idempotency-Keys that the API stores, for five minutes each; half as "
				"many for one tenant" },
	{ .key = "max-tails", .type = PX_OPTION_INT, .fallback = "16", .max = 10000,
		.help = "maximum number of concurrent tail requests (POST /api/v1/tail), 64 KiB each" },
	{ .key = "max-channels", .type = PX_OPTION_INT, .fallback = "100000",
		.min = 1, .max = 10000000,
		.help = "maximum number of channels: practices and rooms with members, for each service" },
	{ .key = "max-practices", .type = PX_OPTION_INT, .fallback = "0", .max = 10000000,
		.help = "maximum number of practices; 0: as many as max-channels" },
	{ .key = "messages-per-second", .type = PX_OPTION_INT, .fallback = "100", .max = RATE_MAX,
		.help = "messages per second that one session may send; 0: no limit" },
	{ .key = "messages-burst", .type = PX_OPTION_INT, .fallback = "500",
		.min = 1, .max = RATE_MAX,
		.help = "messages that one session may send in a burst" },
	{ .key = "bytes-per-second", .type = PX_OPTION_INT, .fallback = "262144",
		.max = BYTES_MAX,
		.help = "bytes per second that one session may send; 0: no limit" },
	{ .key = "bytes-burst", .type = PX_OPTION_INT, .fallback = "1048576",
		.min = 1, .max = BYTES_MAX,
		.help = "bytes that one session may send in a burst" },
	{ .key = "acts-per-second", .type = PX_OPTION_INT, .fallback = "1", .max = RATE_MAX,
		.help = "acts per second (auth, joining, admitting, an administrator's) of one session; "
				"0: no limit" },
	{ .key = "acts-burst", .type = PX_OPTION_INT, .fallback = "60", .min = 1, .max = RATE_MAX,
		.help = "acts of one session in a burst, and sessions that one user may open in a burst" },
	{ .key = "requests-per-second-per-address", .type = PX_OPTION_INT, .fallback = "500",
		.max = RATE_MAX,
		.help = "HTTP requests of one address per second, with bursts of twice as many; 0: no "
				"limit" },
	{ .key = "api-requests-per-second", .type = PX_OPTION_INT, .fallback = "200",
		.max = RATE_MAX,
		.help = "API requests of one user per second, with bursts of five times as many; 0: no "
				"limit" },
	{ .key = "api-bytes-per-second", .type = PX_OPTION_INT, .fallback = "4194304",
		.max = BYTES_MAX,
		.help = "bytes per second of these requests and their answers, with bursts of five times "
				"as many; 0: no limit" },
	{ .key = "heartbeat-ms", .type = PX_OPTION_INT, .fallback = "25000",
		.min = 1000, .max = 600000,
		.help = "interval between pings to a silent client" },
	{ .key = "drain-ms", .type = PX_OPTION_INT, .fallback = "2000", .max = HOUR_MS,
		.help = "time over which clients are closed when the server stops" },
	{ .key = "drain-deadline-ms", .type = PX_OPTION_INT, .fallback = "10000", .max = HOUR_MS,
		.help = "time after which the server stops even if clients are left" },
	{ .key = "slow-close-ms", .type = PX_OPTION_INT, .fallback = "10000", .max = HOUR_MS,
		.help = "time that a slow consumer has to take the close frame" },
	{ .key = "grace-ms", .type = PX_OPTION_INT, .fallback = "30000", .max = HOUR_MS,
		.help = "time that a session waits for its client after its connection broke; "
			"0: it ends with the connection" },
	{ .key = "resume-messages", .type = PX_OPTION_INT, .fallback = "512",
		.min = 1, .max = RATE_MAX,
		.help = "number of unconfirmed messages kept for one session" },
	{ .key = "resume-bytes", .type = PX_OPTION_INT, .fallback = "262144",
		.min = 1024, .max = BYTES_MAX,
		.help = "bytes of unconfirmed messages kept for one session" },
	{ .key = "detached-sessions", .type = PX_OPTION_INT, .fallback = "10000",
		.min = 1, .max = CONNECTIONS_MAX,
		.help = "maximum number of detached sessions; beyond it, the longest detached one ends" },
	{ .key = "send-buffer-bytes", .type = PX_OPTION_INT, .fallback = "131072",
		.min = 4096, .max = 16 * 1024 * 1024,
		.help = "SO_SNDBUF of a connection" },
	{ .key = "state-file", .type = PX_OPTION_STRING, .max = 4000,
		.help = "file in which a stopping server saves its state for the next one; empty: none" },
	{ .key = "state-max-age-s", .type = PX_OPTION_INT, .fallback = "300",
		.min = 1, .max = 86400,
		.help = "maximum age of the state" },
	{ .key = "state-max-bytes", .type = PX_OPTION_INT, .fallback = "1073741824",
		.min = 65536, .max = INT64_C(1) << 40,
		.help = "maximum size of the state" },
	{ .key = "bus", .type = PX_OPTION_STRING, .max = 1000,
		.help = "EXPERIMENTAL: redis://user@host:port/database of the Redis or Valkey that several "
				"servers share, with TLS rediss://; empty: this server is alone" },
	{ .key = "bus-password", .type = PX_OPTION_STRING, .max = 1000,
		.help = "the user's password in that Redis" },
	{ .key = "bus-ca", .type = PX_OPTION_STRING, .max = 4000,
		.help = "file with certificates that sign that of Redis; without it, those that the system "
				"trusts" },
	{ .key = "bus-prefix", .type = PX_OPTION_STRING, .fallback = "px", .min = 1, .max = 32,
		.help = "what all keys and channels in Redis begin with" },
	{ .key = "bus-node-timeout-ms", .type = PX_OPTION_INT, .fallback = "4000", .min = 2000,
		.max = 600000,
		.help = "time without a sign of life after which other servers declare one dead" },
	{ .key = "audit", .type = PX_OPTION_JSON,
		.help = "object: the audit log" },
	{ .key = NULL },
};

static int log_level(const char *word)
{
	static const char *const words[] = {
		[PX_LOG_ERROR] = "error",
		[PX_LOG_WARNING] = "warning",
		[PX_LOG_NOTICE] = "notice",
		[PX_LOG_INFO] = "info",
		[PX_LOG_DEBUG] = "debug",
	};
	int level = PX_LOG_ERROR;
	while (level < PX_LOG_DEBUG && strcmp(words[level], word) != 0) {
		level++;
	}
	return level;
}

static enum px_config_log_format log_format(const char *word)
{
	return strcmp(word, "json") == 0 ? PX_CONFIG_LOG_JSON :
			strcmp(word, "journald") == 0 ? PX_CONFIG_LOG_JOURNALD : PX_CONFIG_LOG_TEXT;
}

static void copy_numbers(struct px_config_global *global, const struct px_options *options)
{
	global->log_level = log_level(px_options_string(options, "log-level"));
	global->log_format = log_format(px_options_string(options, "log-format"));
	global->max_connections = (uint32_t)px_options_int(options, "max-connections");
	global->max_message_bytes = (uint32_t)px_options_int(options, "max-message-bytes");
	global->queue_bytes = (uint32_t)px_options_int(options, "queue-bytes");
	global->queue_age_ms = px_options_int(options, "queue-age-ms");
	global->max_rooms_per_session = (uint32_t)px_options_int(options, "max-rooms-per-session");
	global->max_channels = (uint32_t)px_options_int(options, "max-channels");
	global->send_buffer_bytes = (uint32_t)px_options_int(options, "send-buffer-bytes");
	global->heartbeat_ms = px_options_int(options, "heartbeat-ms");
	global->drain_ms = px_options_int(options, "drain-ms");
	global->drain_deadline_ms = px_options_int(options, "drain-deadline-ms");
	global->slow_close_ms = px_options_int(options, "slow-close-ms");
	global->state_max_age_ms = px_options_int(options, "state-max-age-s") * 1000;
	global->state_max_bytes = (uint64_t)px_options_int(options, "state-max-bytes");
	global->grace_ms = px_options_int(options, "grace-ms");
}

static void copy_limits(struct px_config_global *global, const struct px_options *options)
{
	const struct {
		const char *key;
		uint32_t *slot;
	} limits[] = {
		{ "max-connections-per-address", &global->max_connections_per_address },
		{ "max-connections-per-user", &global->max_connections_per_user },
		{ "connections-per-second-per-address",
				&global->connections_per_second_per_address },
		{ "max-unauthenticated", &global->max_unauthenticated },
		{ "auth-failures", &global->auth_failures },
		{ "auth-failure-ms-per-second", &global->auth_failure_ms_per_second },
		{ "address-prefix", &global->address_prefix },
		{ "remembered-addresses", &global->remembered_addresses },
		{ "max-rooms-per-practice", &global->max_rooms_per_practice },
		{ "max-idempotency-keys", &global->max_idempotency_keys },
		{ "max-tails", &global->max_tails },
		{ "max-practices", &global->max_practices },
		{ "messages-per-second", &global->messages_per_second },
		{ "messages-burst", &global->messages_burst },
		{ "bytes-per-second", &global->bytes_per_second },
		{ "bytes-burst", &global->bytes_burst },
		{ "acts-per-second", &global->acts_per_second },
		{ "acts-burst", &global->acts_burst },
		{ "requests-per-second-per-address", &global->requests_per_second_per_address },
		{ "api-requests-per-second", &global->api_requests_per_second },
		{ "api-bytes-per-second", &global->api_bytes_per_second },
		{ "resume-messages", &global->resume_messages },
		{ "resume-bytes", &global->resume_bytes },
		{ "detached-sessions", &global->detached_sessions },
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		*limits[i].slot = (uint32_t)px_options_int(options, limits[i].key);
	}
}

/* `small` must not be more than `large`. At least one of them was given: defaults agree. */
static void check_order(struct px_config_loader *loader, const struct px_options *options,
		const char *small, const char *large)
{
	int64_t small_value = px_options_int(options, small);
	int64_t large_value = px_options_int(options, large);
	if (small_value <= large_value) {
		return;
	}
	const struct px_config_member *member = px_config_object_find(&loader->global, small);
	if (!member) {
		member = px_config_object_find(&loader->global, large);
	}
	px_config_complain(&loader->reporter, PX_CONFIG_ERROR, member->file, member->line,
			"\"%s\" (%lld) must not be more than \"%s\" (%lld)", small,
			(long long)small_value, large, (long long)large_value);
}

/* Its directory may be made by whatever starts the server. */
static int take_state_file(struct px_config_loader *loader, const struct px_options *options)
{
	const char *path = px_options_string(options, "state-file");
	if (!path || *path == '\0') {
		return 0;
	}
	const struct px_config_member *member =
			px_config_object_given(&loader->global, "state-file");
	char *file = px_config_path_join(member->file->directory, path);
	loader->config->global.state_file = file;
	return file ? px_config_writable_check(&loader->reporter, PX_CONFIG_WARNING, member,
			file) : -ENOMEM;
}

static int add_plugin_dir(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, struct px_config_global *global)
{
	if (global->plugin_dir_count == PX_CONFIG_ITEMS_MAX) {
		px_config_complain(reporter, PX_CONFIG_ERROR, file, line,
				"\"plugin-dir\": more than %d directories", PX_CONFIG_ITEMS_MAX);
		return 0;
	}
	char **grown = px_config_grow(global->plugin_dirs, global->plugin_dir_count,
			sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	global->plugin_dirs = grown;
	char *path = px_config_path_join(file ? file->directory : "/", text);
	if (!path) {
		return -ENOMEM;
	}
	grown[global->plugin_dir_count++] = path;
	struct stat st;
	if (file && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))) {
		px_config_complain(reporter, PX_CONFIG_WARNING, file, line,
				"\"plugin-dir\": there is no directory %s", path);
	}
	return 0;
}

/* Several with colons between them, as in PATH: a variable has no arrays. */
static int add_plugin_dirs(struct px_config_reporter *reporter, const struct px_config_file *file,
		unsigned line, const char *text, void *user)
{
	if (!strchr(text, ':')) {
		return add_plugin_dir(reporter, file, line, text, user);
	}
	int r = 0;
	for (; r == 0 && *text != '\0'; text += strspn(text, ":")) {
		size_t len = strcspn(text, ":");
		char *directory = strndup(text, len);
		r = !directory ? -ENOMEM : len > 0 ? add_plugin_dir(reporter, file, line, directory,
				user) : 0;
		free(directory);
		text += len;
	}
	return r;
}

int px_config_global_read(struct px_config_loader *loader)
{
	struct px_options *options = NULL;
	int r = px_config_object_check(&loader->reporter, &loader->global, px_config_global_table,
			NULL, &options);
	if (r == 0) {
		copy_numbers(&loader->config->global, options);
		copy_limits(&loader->config->global, options);
		check_order(loader, options, "max-message-bytes", "queue-bytes");
		check_order(loader, options, "drain-ms", "drain-deadline-ms");
		r = take_state_file(loader, options);
		r = r < 0 ? r : px_config_bus_read(loader, options, &loader->config->global.bus);
	}
	loader->config->global.options = options;
	const struct px_config_member *audit = px_config_object_find(&loader->global, "audit");
	if (r != -ENOMEM && audit) {
		r = px_config_audit_read(loader, audit, &loader->config->global.audit);
	}
	if (r == -ENOMEM) {
		return r;
	}
	/* Where scripts/run and the image say that the services are, whatever the configuration. */
	const char *fallback = getenv("PRAXIS_PLUGIN_DIR");
	if (!fallback || *fallback == '\0') {
		fallback = PX_PLUGIN_DIR;
	}
	return px_config_strings(&loader->reporter, &loader->global, "plugin-dir", fallback,
			add_plugin_dirs, &loader->config->global);
}

void px_config_global_finish(struct px_config_global *global)
{
	for (size_t i = 0; i < global->plugin_dir_count; i++) {
		free(global->plugin_dirs[i]);
	}
	free(global->plugin_dirs);
	free(global->state_file);
	px_options_destroy(global->options);
	px_config_audit_destroy(global->audit);
	px_config_bus_destroy(global->bus);
}
