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
		.help = "directory, or array of directories, in which praxis_svc_<name>.so is "
			"looked for; several in one string have colons between them" },
	{ .key = "log-level", .type = PX_OPTION_STRING, .fallback = "notice",
		.choices = "error|warning|notice|info|debug",
		.help = "the least important lines that are still logged" },
	{ .key = "log-format", .type = PX_OPTION_STRING, .fallback = "text",
		.choices = "text|json|journald",
		.help = "how lines are written: for people, an object a line, or with the priorities "
			"of journald" },
	{ .key = "max-connections", .type = PX_OPTION_INT, .fallback = "0", .max = CONNECTIONS_MAX,
		.help = "connections at a time; 0: as many as RLIMIT_NOFILE allows" },
	{ .key = "max-connections-per-address", .type = PX_OPTION_INT, .fallback = "1000",
		.max = CONNECTIONS_MAX,
		.help = "connections of one address at a time; 0: no limit" },
	{ .key = "max-connections-per-user", .type = PX_OPTION_INT, .fallback = "50",
		.max = CONNECTIONS_MAX,
		.help = "connections of one user of a tenant at a time; 0: no limit" },
	{ .key = "connections-per-second-per-address", .type = PX_OPTION_INT, .fallback = "50",
		.max = RATE_MAX,
		.help = "new connections of one address, twice as many at once; 0: no limit" },
	{ .key = "max-unauthenticated", .type = PX_OPTION_INT, .fallback = "2000",
		.max = CONNECTIONS_MAX,
		.help = "connections at a time that have not authenticated yet; 0: no limit" },
	{ .key = "auth-failures", .type = PX_OPTION_INT, .fallback = "10", .max = RATE_MAX,
		.help = "tokens of one address that were guesses, in 30 minutes, after which further "
			"ones are refused with that time; 0: no limit" },
	{ .key = "auth-failure-ms-per-second", .type = PX_OPTION_INT, .fallback = "50",
		.max = 1000,
		.help = "time of a second that tokens which are no good may take for one address; "
			"0: no limit" },
	{ .key = "address-prefix", .type = PX_OPTION_INT, .fallback = "64", .min = 16, .max = 128,
		.help = "bits of an IPv6 address that are counted as one client" },
	{ .key = "remembered-addresses", .type = PX_OPTION_INT, .fallback = "200000",
		.min = 1000, .max = CONNECTIONS_MAX,
		.help = "addresses (and users) without a connection whose rates and failures are "
			"remembered" },
	{ .key = "max-message-bytes", .type = PX_OPTION_INT, .fallback = "65536",
		.min = 1024, .max = 16 * 1024 * 1024,
		.help = "largest message of a client; a larger one closes with 1009" },
	{ .key = "queue-bytes", .type = PX_OPTION_INT, .fallback = "1048576",
		.min = 4096, .max = BYTES_MAX,
		.help = "outbound bytes that may wait for one session; more closes it with 4408" },
	{ .key = "queue-age-ms", .type = PX_OPTION_INT, .fallback = "30000", .max = 3600000,
		.help = "how long a message may wait for one session that reads nothing; more closes it "
			"with 4408; 0: no limit" },
	{ .key = "max-rooms-per-session", .type = PX_OPTION_INT, .fallback = "16",
		.min = 1, .max = 1000,
		.help = "rooms that one session may be in" },
	{ .key = "max-rooms-per-practice", .type = PX_OPTION_INT, .fallback = "1000",
		.max = 10000000,
		.help = "rooms with somebody in them that one practice may have, counted for each "
			"service; 0: no limit" },
	{ .key = "max-idempotency-keys", .type = PX_OPTION_INT, .fallback = "100000",
		.max = 10000000,
		.help = "Idempotency-Keys of the API that are remembered, for five minutes each; of "
			"one tenant half as many" },
	{ .key = "max-tails", .type = PX_OPTION_INT, .fallback = "16", .max = 10000,
		.help = "requests at a time that look on as messages come and go (POST /api/v1/tail), "
			"64 KiB each" },
	{ .key = "max-channels", .type = PX_OPTION_INT, .fallback = "100000",
		.min = 1, .max = 10000000,
		.help = "practices and rooms with a member in them, counted for each service" },
	{ .key = "max-practices", .type = PX_OPTION_INT, .fallback = "0", .max = 10000000,
		.help = "practices that are known at a time; 0: as many as max-channels" },
	{ .key = "messages-per-second", .type = PX_OPTION_INT, .fallback = "100", .max = RATE_MAX,
		.help = "messages that one session may send in the long run; 0: no limit" },
	{ .key = "messages-burst", .type = PX_OPTION_INT, .fallback = "500",
		.min = 1, .max = RATE_MAX,
		.help = "messages that one session may send at once" },
	{ .key = "bytes-per-second", .type = PX_OPTION_INT, .fallback = "262144",
		.max = BYTES_MAX,
		.help = "bytes that one session may send in the long run; 0: no limit" },
	{ .key = "bytes-burst", .type = PX_OPTION_INT, .fallback = "1048576",
		.min = 1, .max = BYTES_MAX,
		.help = "bytes of messages that one session may send at once" },
	{ .key = "acts-per-second", .type = PX_OPTION_INT, .fallback = "1", .max = RATE_MAX,
		.help = "acts (auth, joining, admitting, an administrator's) that one session may do in "
			"the long run; 0: no limit" },
	{ .key = "acts-burst", .type = PX_OPTION_INT, .fallback = "60", .min = 1, .max = RATE_MAX,
		.help = "acts that one session may do at once, and sessions of one user that may begin" },
	{ .key = "requests-per-second-per-address", .type = PX_OPTION_INT, .fallback = "500",
		.max = RATE_MAX,
		.help = "HTTP requests of one address, twice as many at once; 0: no limit" },
	{ .key = "api-requests-per-second", .type = PX_OPTION_INT, .fallback = "200",
		.max = RATE_MAX,
		.help = "requests to the API with tokens of one user, five times as many at once; "
			"0: no limit" },
	{ .key = "api-bytes-per-second", .type = PX_OPTION_INT, .fallback = "4194304",
		.max = BYTES_MAX,
		.help = "bytes of these requests and their answers, five times as many at once; "
			"0: no limit" },
	{ .key = "heartbeat-ms", .type = PX_OPTION_INT, .fallback = "25000",
		.min = 1000, .max = 600000,
		.help = "how often a silent client is pinged" },
	{ .key = "drain-ms", .type = PX_OPTION_INT, .fallback = "2000", .max = HOUR_MS,
		.help = "time over which the clients are closed when the server is told to stop" },
	{ .key = "drain-deadline-ms", .type = PX_OPTION_INT, .fallback = "10000", .max = HOUR_MS,
		.help = "time after which the server stops with clients left or not" },
	{ .key = "slow-close-ms", .type = PX_OPTION_INT, .fallback = "10000", .max = HOUR_MS,
		.help = "time that a client which was too slow has to take the close frame" },
	{ .key = "grace-ms", .type = PX_OPTION_INT, .fallback = "30000", .max = HOUR_MS,
		.help = "time that a session waits for its client after its connection broke; "
			"0: it ends with the connection" },
	{ .key = "resume-messages", .type = PX_OPTION_INT, .fallback = "512",
		.min = 1, .max = RATE_MAX,
		.help = "messages that are kept for one session until its client confirms them" },
	{ .key = "resume-bytes", .type = PX_OPTION_INT, .fallback = "262144",
		.min = 1024, .max = BYTES_MAX,
		.help = "bytes of messages that are kept for one session until its client confirms "
			"them" },
	{ .key = "detached-sessions", .type = PX_OPTION_INT, .fallback = "10000",
		.min = 1, .max = CONNECTIONS_MAX,
		.help = "sessions at a time that wait for their clients; the one that waits longest "
			"makes room" },
	{ .key = "send-buffer-bytes", .type = PX_OPTION_INT, .fallback = "131072",
		.min = 4096, .max = 16 * 1024 * 1024,
		.help = "SO_SNDBUF of a connection" },
	{ .key = "state-file", .type = PX_OPTION_STRING, .max = 4000,
		.help = "where a server that is told to stop leaves what the next one takes up; "
			"empty: nowhere" },
	{ .key = "state-max-age-s", .type = PX_OPTION_INT, .fallback = "300",
		.min = 1, .max = 86400,
		.help = "how old that may be" },
	{ .key = "state-max-bytes", .type = PX_OPTION_INT, .fallback = "1073741824",
		.min = 65536, .max = INT64_C(1) << 40,
		.help = "how large it may be" },
	{ .key = "audit", .type = PX_OPTION_JSON,
		.help = "object: the audit trail" },
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
}
