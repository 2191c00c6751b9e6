/* SPDX-License-Identifier: MIT */
/*
 * SIGHUP: everything is read again, and applied whole or not at all (core/plan.h).
 *
 * Signals that arrive while one is pending are merged with it: a reload that begins after a signal
 * sees everything that its sender wrote. However many arrive, reloading takes only part of the
 * loop's time.
 */
#include "core/plan.h"
#include "api/api.h"
#include "audit/audit.h"
#include "audit/audit_events.h"
#include "base/log.h"
#include "config/diff/diff.h"
#include "core/settings.h"
#include "lifecycle.h"

/* Minimum time between two reloads; it is extended by the duration of the last one. */
#define REST_MS 50
#define REST_TIMES 4

static void on_change(void *user, const char *text)
{
	(void)user;
	px_log(PX_LOG_NOTICE, "reload: %s", text);
}

static void put_in_force(struct px_server *server, struct px_config *config,
		const struct px_config_sink *sink)
{
	struct px_config *old = px_config_share(server->config);
	if (px_plan_carry_out(server, config, sink) < 0) {
		server->reloads_refused++;
		px_config_destroy(config);
		px_log(PX_LOG_ERROR, "the configuration cannot be applied; nothing was changed");
	} else {
		server->reloads++;
		px_audit_events_show(server, "reconfigured");
		px_tail_streams_end(server, "reconfigured"); /* their tokens may be invalid now */
		size_t changes = px_config_diff(old, config, on_change, NULL);
		px_log(PX_LOG_NOTICE, "configuration reloaded%s",
				changes == 0 ? ": no changes" : "");
	}
	px_config_destroy(old);
}

static void reload(struct px_server *server)
{
	struct px_config_sink sink = { .on_complaint = px_settings_log_complaint };
	struct px_config *config;
	/* Log rotation uses the same signal, whether the configuration is valid or not. */
	(void)px_audit_reopen(server->audit);
	if (px_config_load(server->config_path, &sink, &config) < 0) {
		server->reloads_refused++;
		px_log(PX_LOG_ERROR, "the configuration has errors; nothing was changed");
		return;
	}
	put_in_force(server, config, &sink);
}

static void on_time(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	uint64_t began_ns = uv_hrtime();
	if (server->draining) {
		return;
	}
	px_server_tell_reloading(server);
	reload(server);
	px_server_tell_ready(server);
	int64_t took_ms = (int64_t)((uv_hrtime() - began_ns) / 1000000);
	uv_update_time(&server->loop);
	server->reload_after_ms = (int64_t)uv_now(&server->loop) + REST_MS + REST_TIMES * took_ms;
}

void px_server_reload(struct px_server *server)
{
	int64_t wait_ms = server->reload_after_ms - (int64_t)uv_now(&server->loop);
	if (server->draining) {
		px_log(PX_LOG_WARNING, "ignoring a reload while draining");
	} else if (!uv_is_active((uv_handle_t *)&server->reload_timer)) {
		uv_timer_start(&server->reload_timer, on_time, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
	}
}
