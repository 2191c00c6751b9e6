/* SPDX-License-Identifier: MIT */
/*
 * GET /stats: the server's counters, for people and scripts.
 */
#include "core/server.h"
#include "access/lockout.h"
#include "api/idempotency.h"
#include "audit/audit.h"
#include "base/log.h"
#include "core/counters.h"
#include "core/vhost.h"
#include "metrics.h"
#include "net/limiter.h"
#include "readiness.h"
#include "services/services.h"
#include "version.h"
#include "webhook/webhook.h"

#include <praxis/host/adapter.h>
#include <stdio.h>
#include <string.h>

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

const char *const px_resume_names[PX_RESUME_COUNT] = {
	[PX_RESUME_DONE] = "resumed",
	[PX_RESUME_UNKNOWN] = "unknown",
	[PX_RESUME_BEHIND] = "behind",
	[PX_RESUME_BAD_COUNT] = "bad_count",
	[PX_RESUME_OTHER_USER] = "other_user",
	[PX_RESUME_REFUSED] = "refused",
};

const char *const px_handshake_names[PX_HANDSHAKE_COUNT] = {
	[PX_HANDSHAKE_ACCEPTED] = "accepted",
	[PX_HANDSHAKE_BAD_TOKEN] = "bad_token",
	[PX_HANDSHAKE_BAD_REQUEST] = "bad_request",
	[PX_HANDSHAKE_NOT_FOUND] = "not_found",
	[PX_HANDSHAKE_ORIGIN] = "origin",
	[PX_HANDSHAKE_RATE_LIMITED] = "rate_limited",
	[PX_HANDSHAKE_UNAVAILABLE] = "unavailable",
};

static void write_handshakes(const struct px_server *server, struct px_json *json)
{
	px_json_open_object(json, "handshakes");
	for (int i = 0; i < PX_HANDSHAKE_COUNT; i++) {
		px_json_int(json, px_handshake_names[i], (int64_t)server->handshakes[i]);
	}
	px_json_close_object(json);
}

static void write_resume(const struct px_stats *stats, struct px_json *json)
{
	px_json_open_object(json, "resume");
	px_json_int(json, "detached", (int64_t)stats->detached);
	px_json_int(json, "kept_messages", (int64_t)stats->kept_messages);
	px_json_int(json, "kept_bytes", (int64_t)stats->kept_bytes);
	px_json_int(json, "breaks", (int64_t)stats->breaks);
	for (int i = 0; i < PX_RESUME_COUNT; i++) {
		px_json_int(json, px_resume_names[i], (int64_t)stats->resumes[i]);
	}
	px_json_int(json, "takeovers", (int64_t)stats->takeovers);
	px_json_int(json, "healed", (int64_t)stats->healed);
	px_json_close_object(json);
}

/* Retired vhosts that still have connections or sessions. */
static int64_t count_retired(const struct px_server *server)
{
	int64_t count = 0;
	for (const struct px_vhost *each = server->retired; each; each = each->next_retired) {
		count++;
	}
	return count;
}

/* Whether any vhost has the service enabled. */
static bool is_enabled(struct px_server *server, const char *name)
{
	const struct px_plugin *plugin = px_plugin_find(server, name);
	uint32_t bit = plugin && plugin->started ? UINT32_C(1) << plugin->index : 0;
	for (size_t v = 0; v < server->vhost_count; v++) {
		if (server->vhosts[v]->realm.enabled & bit) {
			return true;
		}
	}
	return false;
}

/* Whether an earlier vhost has the service, so that it was written already. */
static bool is_written(const struct px_server *server, size_t vhost, const char *name)
{
	for (size_t v = 0; v < vhost; v++) {
		const struct px_config_vhost *config = server->vhosts[v]->config;
		for (size_t i = 0; i < config->service_count; i++) {
			if (strcmp(config->services[i].name, name) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void write_histogram(const struct px_histogram *histogram, const char *name,
		struct px_json *json)
{
	px_json_open_object(json, name);
	px_json_int(json, "count", (int64_t)histogram->count);
	px_json_int(json, "sum_us", (int64_t)(histogram->sum_ns / 1000));
	px_json_int(json, "max_us", (int64_t)(histogram->max_ns / 1000));
	px_json_open_object(json, "up_to_us");
	for (unsigned i = 0; i < PX_HISTOGRAM_BUCKETS; i++) {
		char bound[24] = "more";
		if (i < PX_HISTOGRAM_BUCKETS - 1) {
			snprintf(bound, sizeof(bound), "%llu",
					(unsigned long long)px_histogram_bounds_us[i]);
		}
		px_json_int(json, bound, (int64_t)histogram->buckets[i]);
	}
	px_json_close_object(json);
	px_json_close_object(json);
}

static void write_audit(const struct px_server *server, struct px_json *json)
{
	struct px_audit_stats stats;
	px_audit_stats(server->audit, &stats);
	px_json_open_object(json, "audit");
	px_json_bool(json, "enabled", server->audit != NULL);
	px_json_int(json, "lines", (int64_t)stats.lines);
	px_json_int(json, "lost", (int64_t)stats.lost);
	px_json_int(json, "counted", (int64_t)stats.counted);
	px_json_bool(json, "failing", stats.failing);
	px_json_close_object(json);
}

const char *const px_auth_answer_names[PX_AUTH_ANSWERS] = {
	[PX_AUTH_ACCEPTED] = "accepted",
	[PX_AUTH_REFUSED] = "refused",
	[PX_AUTH_UNUSABLE] = "unusable",
	[PX_AUTH_FAILED] = "failed",
	[PX_AUTH_BUSY] = "busy",
};

unsigned px_auth_url_failing(const struct px_server *server)
{
	unsigned count = 0;
	for (size_t i = 0; i < server->vhost_count; i++) {
		const struct px_vhost *vhost = server->vhosts[i];
		count += vhost->auth_failing && vhost->config->auth_url;
	}
	return count;
}

static void write_auth_url(const struct px_server *server, struct px_json *json)
{
	px_json_open_object(json, "auth_url");
	for (int i = 0; i < PX_AUTH_ANSWERS; i++) {
		px_json_int(json, px_auth_answer_names[i], (int64_t)server->auth_answers[i]);
	}
	px_json_int(json, "failing", px_auth_url_failing(server));
	px_json_close_object(json);
}

static void write_webhooks(const struct px_server *server, struct px_json *json)
{
	struct px_webhook_totals totals;
	px_webhook_totals(server, &totals);
	px_json_open_object(json, "webhooks");
	px_json_int(json, "events", (int64_t)totals.events);
	px_json_int(json, "bytes", (int64_t)totals.bytes);
	px_json_int(json, "in_flight", (int64_t)totals.in_flight);
	px_json_int(json, "oldest_ms", totals.oldest_ms);
	px_json_int(json, "delivered", (int64_t)totals.delivered);
	px_json_int(json, "given_up", (int64_t)totals.given_up);
	px_json_int(json, "overflowed", (int64_t)totals.overflowed);
	for (int i = 0; i < PX_WEBHOOK_RESULTS; i++) {
		px_json_int(json, px_webhook_result_names[i], (int64_t)totals.results[i]);
	}
	px_json_int(json, "failing", (int64_t)totals.failing);
	px_json_close_object(json);
}

static void write_services(struct px_server *server, struct px_json *json)
{
	px_json_open_object(json, "services");
	for (size_t v = 0; v < server->vhost_count; v++) {
		const struct px_config_vhost *config = server->vhosts[v]->config;
		for (size_t i = 0; i < config->service_count; i++) {
			const char *name = config->services[i].name;
			if (!is_written(server, v, name)) {
				px_json_open_object(json, name);
				px_json_bool(json, "enabled", is_enabled(server, name));
				px_json_close_object(json);
			}
		}
	}
	px_json_close_object(json);
}

static void write_broker(const struct px_stats *stats, struct px_json *json)
{
	px_json_int(json, "sessions", (int64_t)stats->sessions);
	px_json_int(json, "sessions_opened", (int64_t)stats->sessions_opened);
	px_json_int(json, "practices", (int64_t)stats->practices);
	px_json_int(json, "channels", (int64_t)stats->channels);
	px_json_int(json, "rooms", (int64_t)stats->rooms);
	px_json_int(json, "members", (int64_t)stats->members);
	px_json_int(json, "room_members", (int64_t)stats->room_members);
	px_json_int(json, "waiting", (int64_t)stats->waiting);
	px_json_int(json, "messages_in", (int64_t)stats->messages_in);
	px_json_int(json, "messages_out", (int64_t)stats->messages_out);
	px_json_int(json, "keepalives_in", (int64_t)stats->keepalives_in);
	px_json_int(json, "keepalives_out", (int64_t)stats->keepalives_out);
	px_json_int(json, "deliveries", (int64_t)stats->deliveries);
	px_json_int(json, "bytes_in", (int64_t)stats->bytes_in);
	px_json_int(json, "bytes_out", (int64_t)stats->bytes_out);
	px_json_int(json, "writes", (int64_t)stats->writes);
	px_json_int(json, "queue_bytes", (int64_t)stats->queue_bytes);
}

void px_stats_write(struct px_server *server, struct px_json *json)
{
	struct px_stats stats;
	px_broker_stats(server->broker, &stats);
	px_json_text(json, "version", PX_VERSION);
	px_json_int(json, "uptime_ms", (int64_t)uv_now(&server->loop) - server->started_ms);
	px_json_bool(json, "draining", server->draining);
	px_readiness_write(server, json, "ready", "not_ready");
	px_json_int(json, "connections", (int64_t)server->connections);
	px_json_int(json, "relays", (int64_t)server->relays);
	px_json_int(json, "tail_streams", server->tail_stream_count);
	px_json_int(json, "unauthenticated", (int64_t)server->unauthenticated_count);
	px_json_int(json, "bad_tokens", (int64_t)server->bad_tokens);
	px_json_int(json, "locked_addresses", (int64_t)px_lockout_count(server));
	px_json_int(json, "locks", (int64_t)server->locks);
	px_json_int(json, "remembered_addresses",
			(int64_t)px_limiter_figures(server->addresses).remembered);
	px_json_int(json, "evicted_addresses",
			(int64_t)px_limiter_figures(server->addresses).evicted);
	px_json_int(json, "refused", (int64_t)server->refused);
	px_json_int(json, "refused_busy", (int64_t)server->refused_busy);
	px_json_int(json, "refused_often", (int64_t)server->refused_often);
	px_json_int(json, "refused_origin", (int64_t)server->refused_origin);
	write_broker(&stats, json);
	px_json_int(json, "idempotency_keys",
			(int64_t)px_idempotency_count(server->idempotency));
	px_json_int(json, "published", (int64_t)stats.published);
	px_json_int(json, "messages_live", (int64_t)stats.messages_live);
	px_json_int(json, "slow_readers", (int64_t)stats.slow_readers);
	px_json_int(json, "replaced", (int64_t)stats.replaced);
	px_json_int(json, "replaced_bytes", (int64_t)stats.replaced_bytes);
	px_json_int(json, "dropped", (int64_t)stats.dropped);
	px_json_int(json, "dropped_bytes", (int64_t)stats.dropped_bytes);
	px_json_int(json, "withheld", (int64_t)stats.withheld);
	px_json_int(json, "closes_cut", (int64_t)stats.cuts);
	px_json_int(json, "silent_peers", (int64_t)stats.silent_peers);
	px_json_int(json, "rate_limited", (int64_t)stats.rate_limited);
	px_json_int(json, "reloads", (int64_t)server->reloads);
	px_json_int(json, "reloads_refused", (int64_t)server->reloads_refused);
	px_json_int(json, "log_dropped", (int64_t)px_log_dropped());
	px_json_int(json, "vhosts", (int64_t)server->vhost_count);
	px_json_int(json, "vhosts_retired", count_retired(server));
	px_json_int(json, "messages_late", (int64_t)px_lws_deferred(server->lws));
	px_json_int(json, "turns_cut", (int64_t)stats.turns_cut);
	write_histogram(&server->turn.durations, "turns", json);
	write_handshakes(server, json);
	write_resume(&stats, json);
	write_errors(&stats, json);
	write_closes(&stats, json);
	write_audit(server, json);
	write_webhooks(server, json);
	write_auth_url(server, json);
	write_services(server, json);
}
