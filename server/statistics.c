/* SPDX-License-Identifier: MIT */
/* GET /stats: what the server counts, for people and scripts. */
#include "server.h"

#include "version.h"

#include <stdio.h>

static void write_errors(const struct px_stats *stats, struct px_json *json)
{
	px_json_open_object(json, "errors");
	for (int i = 0; i < PX_E_COUNT; i++) {
		px_json_int(json, px_error_name(i), (int64_t)stats->errors[i]);
	}
	px_json_close_object(json);
}

static void write_closes(const struct px_stats *stats, struct px_json *json)
{
	px_json_open_object(json, "closes");
	for (int i = 0; i < PX_CLOSES_COUNT; i++) {
		char code[8];
		snprintf(code, sizeof(code), "%d", px_close_code(i));
		px_json_int(json, code, (int64_t)stats->closes[i]);
	}
	px_json_close_object(json);
}

/* A service is enabled where any vhost has it so. */
static void write_services(const struct px_server *server, struct px_json *json)
{
	uint32_t enabled = 0;
	for (size_t i = 0; i < server->vhost_count; i++) {
		enabled |= server->vhosts[i].site.enabled;
	}
	px_json_open_object(json, "services");
	for (size_t i = 0; i < server->plugin_count; i++) {
		const struct px_plugin *plugin = &server->plugins[i];
		px_json_open_object(json, plugin->name);
		px_json_bool(json, "enabled", (enabled & UINT32_C(1) << plugin->index) != 0);
		px_json_close_object(json);
	}
	px_json_close_object(json);
}

void px_statistics_write(struct px_server *server, struct px_json *json)
{
	struct px_stats stats;
	px_broker_stats(server->broker, &stats);
	px_json_begin(json, NULL);
	px_json_text(json, "version", PX_VERSION);
	px_json_int(json, "uptime_ms", (int64_t)uv_now(&server->loop) - server->started_ms);
	px_json_bool(json, "draining", server->draining);
	px_json_int(json, "connections", (int64_t)server->connections);
	px_json_int(json, "refused", (int64_t)server->refused);
	px_json_int(json, "sessions", (int64_t)stats.sessions);
	px_json_int(json, "sessions_opened", (int64_t)stats.sessions_opened);
	px_json_int(json, "practices", (int64_t)stats.practices);
	px_json_int(json, "channels", (int64_t)stats.channels);
	px_json_int(json, "rooms", (int64_t)stats.rooms);
	px_json_int(json, "members", (int64_t)stats.members);
	px_json_int(json, "messages_in", (int64_t)stats.messages_in);
	px_json_int(json, "messages_out", (int64_t)stats.messages_out);
	px_json_int(json, "deliveries", (int64_t)stats.deliveries);
	px_json_int(json, "bytes_in", (int64_t)stats.bytes_in);
	px_json_int(json, "bytes_out", (int64_t)stats.bytes_out);
	px_json_int(json, "writes", (int64_t)stats.writes);
	px_json_int(json, "queue_bytes", (int64_t)stats.queue_bytes);
	px_json_int(json, "messages_live", (int64_t)stats.messages_live);
	px_json_int(json, "slow_readers", (int64_t)stats.slow_readers);
	px_json_int(json, "silent_peers", (int64_t)stats.silent_peers);
	write_errors(&stats, json);
	write_closes(&stats, json);
	write_services(server, json);
	px_json_end(json);
}
