/* SPDX-License-Identifier: MIT */
/*
 * The end, in order: nobody new is let in, every client is told that it should come back and
 * when, then they are closed with 1012, spread over a window, so that the next server does
 * not meet all of them at once. New connections still get an answer (503) until the end.
 * When all are gone, the state is saved (state.c).
 */
#include "server.h"

#include "log.h"

#include <praxis/state.h>

#define TICK_MS 50

/* Of the deadline, at most, for writing down what the next server takes up. */
#define SAVE_MS 2000

static uint64_t open_sessions(const struct px_server *server)
{
	struct px_stats stats;
	px_broker_stats(server->broker, &stats);
	return stats.sessions;
}

/* As many as must go now, for all to be gone when the window ends. */
static uint64_t share(const struct px_server *server, uint64_t open, int64_t now_ms)
{
	int64_t left_ms = server->drain_end_ms - now_ms;
	if (left_ms <= TICK_MS) {
		return open;
	}
	return (open * TICK_MS + (uint64_t)left_ms - 1) / (uint64_t)left_ms;
}

static void on_tick(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	uint64_t open = open_sessions(server);
	if (open == 0 || now_ms >= server->drain_deadline_ms) {
		px_log(PX_LOG_NOTICE, "drained; %llu sessions cut off", (unsigned long long)open);
		uv_stop(&server->loop);
		return;
	}
	px_broker_close_some(server->broker, share(server, open, now_ms), PX_CLOSE_RESTART);
}

void px_server_drain(struct px_server *server)
{
	const struct px_config_global *global = &server->config->global;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	if (server->draining) {
		px_log(PX_LOG_WARNING, "told to end again: ending at once");
		uv_stop(&server->loop);
		return;
	}
	server->draining = true;
	server->drain_end_ms = now_ms + global->drain_ms;
	server->drain_deadline_ms = now_ms + global->drain_deadline_ms;
	if (global->state_file) {
		int64_t quarter_ms = global->drain_deadline_ms / 4;
		server->drain_deadline_ms -= quarter_ms < SAVE_MS ? quarter_ms : SAVE_MS;
		px_broker_hold(server->broker);
	}
	px_log(PX_LOG_NOTICE, "draining %llu sessions within %lld ms",
			(unsigned long long)open_sessions(server), (long long)global->drain_ms);
	px_broker_announce_drain(server->broker, global->drain_ms);
	server->drain_timer.data = server;
	uv_timer_start(&server->drain_timer, on_tick, 0, TICK_MS);
}
