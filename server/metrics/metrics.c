/* SPDX-License-Identifier: MIT */
/*
 * GET /metrics: the server's counters for Prometheus. Label values are known when the program is
 * built, or are names of services' messages: never a user, a room or a practice, which would be
 * patients' data, and unlimited.
 */
#include "core/server.h"
#include "access/lockout.h"
#include "api/idempotency.h"
#include "audit/audit.h"
#include "base/log.h"
#include "bus/bus.h"
#include "core/counters.h"
#include "metrics.h"
#include "net/limiter.h"
#include "prometheus.h"
#include "readiness.h"
#include "version.h"
#include "webhook/webhook.h"

#include <praxis/host/adapter.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNTER PX_METRIC_COUNTER
#define GAUGE PX_METRIC_GAUGE

/* An array of counters, with one label. */
static void write_array(struct px_prometheus *out, const char *label, const uint64_t *values,
		const char *const *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		px_prometheus_sample(out, (px_labels){ label, names[i] }, values[i]);
	}
}

static void write_build(struct px_prometheus *out)
{
	px_prometheus_family(out, GAUGE, "praxis_build_info",
			"Version of the server and of libwebsockets; always 1.");
	px_prometheus_sample(out, (px_labels){ "version", PX_VERSION, "libwebsockets",
			lws_get_library_version() }, 1);
}

static void write_now(struct px_prometheus *out, const struct px_server *server,
		const struct px_stats *stats)
{
	const struct {
		const char *name;
		const char *help;
		uint64_t value;
	} gauges[] = {
		{ "praxis_draining", "1 while the server shuts down.", server->draining },
		{ "praxis_connections", "TCP connections.", server->connections },
		{ "praxis_connections_max", "Maximum number of TCP connections.",
			server->max_connections },
		{ "praxis_relays", "Requests in progress, and WebSockets over TLS; each uses a pair of "
				"sockets.", server->relays },
		{ "praxis_tail_streams", "Running tail streams (POST /api/v1/tail).",
			server->tail_stream_count },
		{ "praxis_sessions", "Sessions with a connection.", stats->sessions },
		{ "praxis_sessions_detached", "Sessions that wait for their client to return.",
			stats->detached },
		{ "praxis_sessions_unauthenticated", "Connections that have not authenticated yet.",
			server->unauthenticated_count },
		{ "praxis_locked_addresses", "Addresses that are locked after too many guesses.",
			px_lockout_count(server) },
		{ "praxis_remembered_addresses", "Addresses whose rates or failures are remembered.",
			px_limiter_figures(server->addresses).remembered },
		{ "praxis_practices", "Practices with a session in them.", stats->practices },
		{ "praxis_channels", "Channels: rooms, waiting rooms, and practices' whiteboards, "
				"including those with a history only.", stats->channels },
		{ "praxis_rooms", "Rooms with a member in them.", stats->rooms },
		{ "praxis_members", "Memberships of sessions in channels of all kinds.",
			stats->members },
		{ "praxis_room_members", "Memberships in rooms.", stats->room_members },
		{ "praxis_members_waiting", "Memberships in waiting rooms.",
			stats->waiting },
		{ "praxis_queue_bytes", "Bytes queued for clients.", stats->queue_bytes },
		{ "praxis_messages_live", "Messages in queues, histories and chats.",
			stats->messages_live },
		{ "praxis_resume_kept_bytes", "Bytes sent but not yet confirmed, kept for resuming.",
			stats->kept_bytes },
		{ "praxis_idempotency_keys", "Idempotency-Keys that are stored.",
			px_idempotency_count(server->idempotency) },
	};
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		px_prometheus_one(out, GAUGE, gauges[i].name, gauges[i].help, gauges[i].value);
	}
}

static void write_readiness(struct px_prometheus *out, const struct px_server *server)
{
	enum px_unready first;
	px_prometheus_one(out, GAUGE, "praxis_ready", "1 while new clients can be let in.",
			px_unready_sentence(server, &first) ? 0 : 1);
	px_prometheus_family(out, GAUGE, "praxis_not_ready",
			"1 while no new client can be let in, by reason.");
	for (unsigned i = 0; i < PX_UNREADY_COUNT; i++) {
		px_prometheus_sample(out, (px_labels){ "reason", px_unready_names[i] },
				px_unready_is(server, i));
	}
}

static void write_totals(struct px_prometheus *out, const struct px_server *server,
		const struct px_stats *stats)
{
	const struct {
		const char *name;
		const char *help;
		uint64_t value;
	} counters[] = {
		{ "praxis_sessions_opened_total", "Sessions that were opened, with valid credentials or "
				"none.", stats->sessions_opened },
		{ "praxis_deliveries_total", "Messages delivered to members of a channel.",
			stats->deliveries },
		{ "praxis_published_total", "Messages published over the API and by administrators.",
			stats->published },
		{ "praxis_sent_bytes_total", "Bytes of WebSocket frames written.", stats->bytes_out },
		{ "praxis_received_bytes_total", "Bytes of messages received.", stats->bytes_in },
		{ "praxis_writes_total", "Writes of WebSocket frames to sockets.", stats->writes },
		{ "praxis_closes_cut_total", "Connections that the server cut without a close frame, "
				"because they were unresponsive.", stats->cuts },
		{ "praxis_slow_readers_total", "Sessions closed because they read too slowly.",
			stats->slow_readers },
		{ "praxis_messages_replaced_total", "Messages left out for slow consumers because a "
				"later one with the same key replaced them.", stats->replaced },
		{ "praxis_messages_dropped_total", "Messages that were queued for slow consumers that "
				"were closed.", stats->dropped },
		{ "praxis_messages_withheld_total", "Queued messages that were not sent because a right "
				"was lost or a service disabled.", stats->withheld },
		{ "praxis_silent_peers_total", "Connections cut because the client did not answer.",
			stats->silent_peers },
		{ "praxis_breaks_total", "Connections that broke, with sessions that waited for their "
				"client.",
			stats->breaks },
		{ "praxis_takeovers_total", "Resumes of sessions that still had a connection.",
			stats->takeovers },
		{ "praxis_healed_total", "Sessions reattached by their user, without a resume token.",
			stats->healed },
		{ "praxis_bad_tokens_total", "Invalid tokens and tickets.",
			server->bad_tokens },
		{ "praxis_locks_total", "Addresses that were locked after too many guesses.",
			server->locks },
		{ "praxis_evicted_addresses_total", "Addresses that were forgotten early because the "
				"table was full.", px_limiter_figures(server->addresses).evicted },
		{ "praxis_turns_cut_total", "Turns of the loop that left work for the next.",
			stats->turns_cut },
		{ "praxis_messages_late_total", "Messages that a turn of the loop deferred to the next.",
			px_lws_deferred(server->lws) },
		{ "praxis_log_lines_dropped_total", "Lines of the log that could not be written.",
			px_log_dropped() },
		{ "praxis_reloads_total", "Reloads that were applied.", server->reloads },
		{ "praxis_reloads_refused_total", "Reloads that were refused because of errors.",
			server->reloads_refused },
	};
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		px_prometheus_one(out, COUNTER, counters[i].name, counters[i].help,
				counters[i].value);
	}
}

static void write_handshakes(struct px_prometheus *out, const struct px_server *server)
{
	px_prometheus_family(out, COUNTER, "praxis_handshakes_total",
			"WebSocket handshakes by result.");
	write_array(out, "result", server->handshakes, px_handshake_names,
			PX_HANDSHAKE_COUNT);
}

static void write_bounds(struct px_prometheus *out, const struct px_server *server,
		const struct px_stats *stats)
{
	static const char *const limits[PX_LIMIT_COUNT] = {
		[PX_LIMIT_CONNECTIONS] = "max-connections",
		[PX_LIMIT_PER_ADDRESS] = "max-connections-per-address",
		[PX_LIMIT_ADDRESS_RATE] = "connections-per-second-per-address",
		[PX_LIMIT_PER_USER] = "max-connections-per-user",
		[PX_LIMIT_UNAUTHENTICATED] = "max-unauthenticated",
		[PX_LIMIT_AUTH_FAILURES] = "auth-failures",
		[PX_LIMIT_AUTH_BUDGET] = "auth-failure-ms-per-second",
		[PX_LIMIT_IDEMPOTENCY] = "max-idempotency-keys",
		[PX_LIMIT_TAILS] = "max-tails",
		[PX_LIMIT_REQUESTS] = "requests-per-second-per-address",
		[PX_LIMIT_API_REQUESTS] = "api-requests-per-second",
		[PX_LIMIT_API_BYTES] = "api-bytes-per-second",
	};
	static const char *const bounds[PX_LIMIT_KIND_COUNT] = {
		[PX_LIMIT_KIND_CHANNELS] = "max-channels",
		[PX_LIMIT_KIND_PRACTICES] = "max-practices",
		[PX_LIMIT_KIND_ROOMS_PER_SESSION] = "max-rooms-per-session",
		[PX_LIMIT_KIND_ROOMS_PER_PRACTICE] = "max-rooms-per-practice",
		[PX_LIMIT_KIND_ROOM_MEMBERS] = "room-members",
		[PX_LIMIT_KIND_WAITING] = "waiting-max",
	};
	px_prometheus_family(out, COUNTER, "praxis_limit_refusals_total",
			"Refusals because of a limit, by its key in the configuration.");
	write_array(out, "limit", server->limits, limits, PX_LIMIT_COUNT);
	write_array(out, "limit", stats->bounds, bounds, PX_LIMIT_KIND_COUNT);
	px_prometheus_sample(out, (px_labels){ "limit", "messages-per-second" },
			stats->rate_limited - stats->limited_by_bytes - stats->acts_limited);
	px_prometheus_sample(out, (px_labels){ "limit", "bytes-per-second" },
			stats->limited_by_bytes);
	px_prometheus_sample(out, (px_labels){ "limit", "acts-per-second" },
			stats->acts_limited + server->sessions_limited);
	px_prometheus_sample(out, (px_labels){ "limit", "queue-bytes" },
			stats->slow_readers - stats->slow_by_age);
	px_prometheus_sample(out, (px_labels){ "limit", "queue-age-ms" }, stats->slow_by_age);
}

static void write_errors(struct px_prometheus *out, const struct px_stats *stats)
{
	px_prometheus_family(out, COUNTER, "praxis_errors_total",
			"Errors sent to clients, by code.");
	for (int i = 0; i < PX_E_COUNT; i++) {
		px_prometheus_sample(out, (px_labels){ "code", px_error_name(i) },
				stats->errors[i]);
	}
	px_prometheus_family(out, COUNTER, "praxis_closes_total",
			"Sessions whose connection the server closed, by WebSocket close code.");
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		char code[8];
		snprintf(code, sizeof(code), "%u", px_close_code(i));
		px_prometheus_sample(out, (px_labels){ "code", code }, stats->closes[i]);
	}
}

static void write_keepalives(struct px_prometheus *out, const struct px_stats *stats)
{
	px_prometheus_family(out, COUNTER, "praxis_keepalives_total",
			"Keep-alive messages, and their answers.");
	px_prometheus_sample(out, (px_labels){ "direction", "in" }, stats->keepalives_in);
	px_prometheus_sample(out, (px_labels){ "direction", "out" }, stats->keepalives_out);
}

static void write_recovery(struct px_prometheus *out, const struct px_stats *stats)
{
	px_prometheus_family(out, COUNTER, "praxis_history_requests_total",
			"Recoveries of missed updates: whether the history still had them.");
	px_prometheus_sample(out, (px_labels){ "result", "hit" }, stats->recovered);
	px_prometheus_sample(out, (px_labels){ "result", "miss" }, stats->unrecovered);
	px_prometheus_family(out, COUNTER, "praxis_resumes_total",
			"Attempts to resume a session, by result.");
	write_array(out, "result", stats->resumes, px_resume_names, PX_RESUME_COUNT);
}

static const char *service_of(const struct px_server *server, const char *type)
{
	const struct px_service *service = px_broker_service_of_type(server->broker, px_span(type),
			NULL);
	return service ? service->name : "core";
}

static void write_traffic(struct px_prometheus *out, const struct px_server *server, bool bytes)
{
	const struct px_traffic_count *count;
	for (unsigned i = 0; (count = px_broker_traffic(server->broker, i)); i++) {
		const char *service = service_of(server, count->type);
		const char *type = count->type ? count->type : "other";
		px_prometheus_sample(out, (px_labels){ "service", service, "type", type,
				"direction", "in" }, bytes ? count->bytes_in : count->messages_in);
		px_prometheus_sample(out, (px_labels){ "service", service, "type", type,
				"direction", "out" }, bytes ? count->bytes_out : count->messages_out);
	}
}

static void write_audit(struct px_prometheus *out, const struct px_server *server)
{
	struct px_audit_stats stats;
	px_audit_stats(server->audit, &stats);
	px_prometheus_one(out, COUNTER, "praxis_audit_lines_total",
			"Lines written to the audit log.", stats.lines);
	px_prometheus_one(out, COUNTER, "praxis_audit_lost_total",
			"Entries that could not be written to the audit log.", stats.lost);
	px_prometheus_one(out, COUNTER, "praxis_audit_refusals_counted_total",
			"Refusals that the audit log counted without a line of their own.",
			stats.counted);
	px_prometheus_one(out, GAUGE, "praxis_audit_failing",
			"1 while the audit log cannot be written.", stats.failing);
}

static void write_webhooks(struct px_prometheus *out, const struct px_server *server)
{
	struct px_webhook_totals totals;
	px_webhook_totals(server, &totals);
	px_prometheus_family(out, COUNTER, "praxis_webhook_events_total",
			"Finished events for webhooks, by result.");
	px_prometheus_sample(out, (px_labels){ "result", "delivered" }, totals.delivered);
	px_prometheus_sample(out, (px_labels){ "result", "given_up" }, totals.given_up);
	px_prometheus_sample(out, (px_labels){ "result", "overflowed" }, totals.overflowed);
	px_prometheus_family(out, COUNTER, "praxis_webhook_requests_total",
			"Requests to webhooks, by answer.");
	write_array(out, "result", totals.results, px_webhook_result_names, PX_WEBHOOK_RESULTS);
	px_prometheus_one(out, GAUGE, "praxis_webhook_failing",
			"Vhosts whose webhook did not accept the last request.", totals.failing);
	px_prometheus_one(out, GAUGE, "praxis_webhook_queue_events",
			"Events that webhooks have not accepted yet.", totals.events);
	px_prometheus_one(out, GAUGE, "praxis_webhook_queue_bytes",
			"Bytes of these events.", totals.bytes);
	px_prometheus_one(out, GAUGE, "praxis_webhook_requests_in_flight",
			"Requests to webhooks in progress.", totals.in_flight);
	px_prometheus_one(out, GAUGE, "praxis_webhook_oldest_seconds",
			"Age of the oldest event that is not being sent.",
			(uint64_t)(totals.oldest_ms / 1000));
}

/* Of a server that is alone nothing is said. */
static void write_bus(struct px_prometheus *out, const struct px_server *server)
{
	struct px_bus_link_stats link;
	struct px_bus_stats stats;
	if (!px_bus_stats(server, &link)) {
		return;
	}
	px_broker_bus_stats(server->broker, &stats);
	const struct {
		enum px_metric_type type;
		const char *name;
		const char *help;
		uint64_t value;
	} figures[] = {
		{ GAUGE, "praxis_bus_up", "1 while there is a connection to Redis.", link.is_up },
		{ GAUGE, "praxis_bus_nodes", "Servers that share Redis and live, this one included.",
			link.nodes },
		{ GAUGE, "praxis_bus_homes", "Practices whose services run on this server.", stats.homes },
		{ GAUGE, "praxis_bus_unconfirmed", "Turns that Redis has not accepted yet.",
			stats.unconfirmed },
		{ GAUGE, "praxis_bus_waiting", "Messages and arrivals that wait for their practice.",
			stats.waiting },
		{ COUNTER, "praxis_bus_turns_total", "Turns that Redis accepted.", stats.turns },
		{ COUNTER, "praxis_bus_claims_total", "Practices that this server became the home of.",
			stats.claims },
		{ COUNTER, "praxis_bus_deposed_total", "Practices that this server gave up, mostly because "
				"another had claimed them.", stats.deposed },
		{ COUNTER, "praxis_bus_rebased_total", "Practices that Redis had lost something of, and "
				"that were written anew.", stats.rebased },
		{ COUNTER, "praxis_bus_refused_total", "Messages that could not wait for their practice.",
			stats.refused },
		{ COUNTER, "praxis_bus_connections_total", "Connections to Redis that were established.",
			link.connects },
		{ COUNTER, "praxis_bus_buried_total", "Other servers that were declared dead.",
			link.buried },
		{ COUNTER, "praxis_bus_bad_total", "Answers and frames that made no sense.",
			link.bad + stats.bad },
	};
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		px_prometheus_one(out, figures[i].type, figures[i].name, figures[i].help,
				figures[i].value);
	}
	px_prometheus_family(out, COUNTER, "praxis_bus_bytes_total", "Bytes to and from Redis.");
	px_prometheus_sample(out, (px_labels){ "direction", "out" }, link.bytes_out);
	px_prometheus_sample(out, (px_labels){ "direction", "in" }, link.bytes_in);
}

static void write_auth_url(struct px_prometheus *out, const struct px_server *server)
{
	px_prometheus_family(out, COUNTER, "praxis_auth_url_requests_total",
			"Requests to auth-url, by answer.");
	write_array(out, "result", server->auth_answers, px_auth_answer_names, PX_AUTH_ANSWERS);
	px_prometheus_one(out, GAUGE, "praxis_auth_url_failing",
			"Vhosts whose last request to auth-url failed.",
			px_auth_url_failing(server));
}

static void write_memory(struct px_prometheus *out)
{
	unsigned long pages[2] = { 0, 0 };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");
	if (file) {
		if (fscanf(file, "%lu %lu", &pages[0], &pages[1]) != 2) {
			pages[0] = pages[1] = 0;
		}
		fclose(file);
	}
	px_prometheus_one(out, GAUGE, "process_virtual_memory_bytes",
			"Virtual memory size in bytes.", pages[0] * page);
	px_prometheus_one(out, GAUGE, "process_resident_memory_bytes",
			"Resident memory size in bytes.", pages[1] * page);
}

static void write_process(struct px_prometheus *out, const struct px_server *server)
{
	struct rusage usage;
	struct rlimit limit;
	write_memory(out);
	getrusage(RUSAGE_SELF, &usage);
	px_prometheus_family(out, COUNTER, "process_cpu_seconds_total",
			"User and system CPU time spent in seconds.");
	px_prometheus_seconds(out, (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
			1000000000 + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		px_prometheus_one(out, GAUGE, "process_max_fds",
				"Largest number of open file descriptors.", limit.rlim_cur);
	}
	px_prometheus_one(out, GAUGE, "process_start_time_seconds",
			"Start of the process since the Unix epoch in seconds.",
			(uint64_t)server->started_wall_ms / 1000);
}

void px_metrics_write(struct px_server *server, struct px_prometheus *out)
{
	struct px_stats stats;
	px_broker_stats(server->broker, &stats);
	write_build(out);
	write_now(out, server, &stats);
	write_readiness(out, server);
	write_totals(out, server, &stats);
	write_handshakes(out, server);
	write_bounds(out, server, &stats);
	write_errors(out, &stats);
	write_keepalives(out, &stats);
	write_recovery(out, &stats);
	px_prometheus_family(out, COUNTER, "praxis_messages_total",
			"Messages by service, type and direction; out: one for each receiving session.");
	write_traffic(out, server, false);
	px_prometheus_family(out, COUNTER, "praxis_message_bytes_total",
			"Bytes of messages by service, type and direction.");
	write_traffic(out, server, true);
	px_prometheus_family(out, PX_METRIC_HISTOGRAM, "praxis_turn_duration_seconds",
			"Duration of turns of the event loop.");
	px_prometheus_histogram(out, &server->turn.durations);
	px_prometheus_family(out, PX_METRIC_HISTOGRAM, "praxis_fanout_duration_seconds",
			"Time spent writing to sessions in a turn of the event loop.");
	px_prometheus_histogram(out, &server->flushes);
	write_audit(out, server);
	write_webhooks(out, server);
	write_auth_url(out, server);
	write_bus(out, server);
	write_process(out, server);
}
