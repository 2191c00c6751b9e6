/* SPDX-License-Identifier: MIT */
/*
 * Notifications to the service manager about the life of the process, and signs of life, if it
 * wants any. These come from the loop, twice in the watchdog's interval: a loop that hangs sends
 * none.
 */
#include "lifecycle.h"
#include "core/server.h"

#include <inttypes.h>
#include <praxis/channel.h>
#include <praxis/host/stats.h>
#include <stdio.h>

/* Beyond the drain's deadline: for saving the state, and for closing everything. */
#define END_MS 5000

static void write_status(const struct px_server *server, char *buf, size_t size)
{
	struct px_stats stats;
	px_broker_stats(server->broker, &stats);
	snprintf(buf, size, "%s: %" PRIu64 " connections, %" PRIu64 " sessions",
			server->draining ? "draining" : "serving", server->connections, stats.sessions);
}

static void on_time(uv_timer_t *timer)
{
	const struct px_server *server = timer->data;
	char status[128];
	write_status(server, status, sizeof(status));
	px_service_manager_alive(&server->manager, status);
}

void px_server_tell_ready(struct px_server *server)
{
	uint64_t half_ms = (uint64_t)server->manager.watchdog_ms / 2;
	char status[128];
	write_status(server, status, sizeof(status));
	px_service_manager_tell(&server->manager, "READY=1\nSTATUS=%s", status);
	if (half_ms > 0 && !uv_is_active((uv_handle_t *)&server->watchdog_timer)) {
		uv_timer_start(&server->watchdog_timer, on_time, half_ms, half_ms);
	}
}

void px_server_tell_reloading(struct px_server *server)
{
	px_service_manager_tell(&server->manager, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64
			"\nSTATUS=reading the configuration",
			uv_hrtime() / 1000); /* of CLOCK_MONOTONIC, as sd_notify(3) wants it */
}

void px_server_tell_stopping(struct px_server *server)
{
	int64_t left_ms = server->drain_deadline_ms - (int64_t)uv_now(&server->loop) + END_MS;
	px_service_manager_tell(&server->manager, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%"
			PRId64, left_ms * 1000);
}
