/* SPDX-License-Identifier: MIT */
/*
 * The process: one struct, of which each area owns a part. main.c creates and destroys it. Opened
 * by areas that work on a running server; what can be tested alone (configuration, tokens,
 * credentials …) never sees it.
 */
#ifndef PX_SERVER_H
#define PX_SERVER_H

#include "base/service_manager.h"
#include "base/turn.h"
#include "config/config.h"
#include "counters.h"
#include "plugin.h"
#include "stats_history.h"

#include <libwebsockets.h>
#include <praxis/bucket.h>
#include <praxis/host/registry.h>
#include <uv.h>

struct px_audit;
struct px_http_client;
struct px_hooks;
struct px_broker;
struct px_config;
struct px_frontend;
struct px_pending_proxy;
struct px_idempotency;
struct px_listener;
struct px_lws;
struct px_server_bus;
struct px_state_lock;
struct px_tail_stream;
struct px_limiter;
struct px_tickets;
struct px_tls;
struct px_vhost;
struct px_webhook;

struct px_server {
	const char *config_path;
	const struct px_hooks *hooks; /* router/'s; set first */
	struct px_config *config;

	uv_loop_t loop;
	uv_prepare_t prepare;    /* before waiting: after timers … */
	uv_check_t check;        /* … and after waiting: sockets were polled */
	struct px_turn turn;
	struct px_histogram flushes; /* time spent writing to sessions in a turn */
	uv_timer_t timer;        /* the broker's next deadline */
	uv_signal_t signals[3];
	uv_timer_t drain_timer;
	uv_timer_t keys_timer;
	uv_timer_t reload_timer;
	uv_timer_t refusals_timer; /* while refusals are only counted: see px_audit_refused() */
	uv_timer_t sweep_timer; /* while vhosts retire */
	uv_timer_t webhook_timer; /* something must be sent or retried */
	uv_timer_t tail_stream_timer; /* while there are any */
	uv_timer_t watchdog_timer;    /* while the service manager expects signs of life */
	struct px_service_manager manager;
	struct lws_context *context;
	char protocol_names[PX_SERVICES_MAX][PX_SERVICE_NAME_SIZE]; /* empty: none yet */
	struct lws_protocols protocols[PX_SERVICES_MAX + 2];
	struct lws_protocol_vhost_options pvos[PX_SERVICES_MAX + 1];
	struct lws_vhost *lws_vhost; /* the one there is */
	struct px_tls *tls;      /* all that were created */
	struct px_lws *lws;
	struct px_broker *broker;

	struct px_plugin plugins[PX_SERVICES_MAX];
	size_t plugin_count;
	struct px_vhost **vhosts;
	size_t vhost_count;
	struct px_vhost *retired;
	struct px_listener *listeners;

	struct px_limiter *addresses;
	struct px_limiter *users;
	struct px_tickets *tickets;
	struct px_idempotency *idempotency;
	struct px_http_client *http_client;
	struct px_webhook *webhooks; /* of all vhosts that have or had one */
	struct px_audit *audit; /* NULL: none is kept */
	struct px_server_bus *bus; /* NULL: the server is alone */
	struct px_config *bus_config; /* the bus's texts are in it */
	struct px_state_lock *state_lock; /* NULL: no state file, or it cannot be locked */
	struct px_tail_stream *tail_streams;
	uint32_t tail_stream_count;
	struct px_pending_proxy *pending_proxies; /* PROXY header not received yet */
	struct px_frontend *frontends; /* connections that are not a WebSocket (yet) */
	uint64_t relays;               /* their requests in progress */
	uint64_t connections;
	int spare_fd; /* closed to be able to refuse when there are no descriptors left; -1: in use */
	uint64_t unauthenticated_count;
	uint64_t bad_tokens;
	uint64_t descriptors; /* maximum number of descriptors */
	uint64_t locks;        /* of addresses: access/lockout.h */
	uint64_t locks_untold; /* locks since the last log line about one */
	struct px_bucket lock_lines;
	uint64_t max_connections;
	uint64_t handshakes[PX_HANDSHAKE_COUNT];
	uint64_t auth_answers[PX_AUTH_ANSWERS];
	struct px_stats_history samples;
	uint64_t limits[PX_LIMIT_COUNT];
	uint64_t sessions_limited; /* … and acts-per-second, which the broker counts as well */
	uint64_t refused;         /* upgrades and connections, for any reason … */
	uint64_t refused_busy;    /* … because the server or a table was at its limit (503) */
	uint64_t refused_often;   /* … because of the address or user: too many, too fast (429) */
	uint64_t refused_origin;  /* … because of the page's origin (403) */
	int64_t started_ms;
	int64_t started_wall_ms;
	int64_t deadline_ms;       /* the timer is set to */
	int64_t reload_after_ms;   /* the next may not come before */
	int64_t origin_notice_ms;  /* as the next of its kind, of pages that were refused */
	int64_t unknown_client_warning_ms; /* as the next, of unknown clients behind a proxy */
	uint64_t reloads;
	uint64_t reloads_refused;
	int64_t drain_began_ms;
	int64_t drain_end_ms;      /* the last client is asked to go */
	int64_t drain_deadline_ms; /* … and made to */
	int64_t webhooks_stopped_ms; /* what happens from then on waits for the next server; 0: no */
	int64_t flush_end_ms; /* all are gone, and webhooks are waited for until then; 0: not yet */
	bool draining;
	bool renewing; /* others have declared this server dead: see bus/ */
	bool missed_dashboard;     /* the log has it that there is none */
	bool handed_on;            /* sessions that are left go on in the next server */
};

#endif
