/* SPDX-License-Identifier: MIT */
/*
 * Shutting down, in this order: no new clients are accepted; every client is told to return, and
 * when; then all are closed with 1012, spread over a window, so that the next server does not meet
 * all of them at once. New connections get an answer (503) until the end. When all are closed,
 * waiting webhook events are sent, and the state is saved (state/state.c).
 */
#include "core/server.h"
#include "api/api.h"
#include "base/log.h"
#include "bus/bus.h"
#include "lifecycle.h"
#include "webhook/webhook.h"

#include <praxis/host/broker.h>
#include <praxis/host/drain.h>
#include <praxis/host/state.h>
#include <praxis/host/stats.h>
#include <praxis/service.h>

#define TICK_MS 50

/* Time for webhooks at the end, if the next server will send the rest. */
#define FLUSH_MS 1000

/* Part of the deadline that is reserved for saving the state. */
#define SAVE_MS 2000

/* Time for answers in progress: the last line of a tail stream takes several turns of the loop. */
#define ANSWERS_MS 1000

static uint64_t open_sessions(const struct px_server *server)
{
	struct px_stats stats;
	px_broker_stats(server->broker, &stats);
	return stats.sessions;
}

/* How many must be closed now, for all to be closed when the window ends. */
static uint64_t share(const struct px_server *server, uint64_t open, int64_t now_ms)
{
	int64_t left_ms = server->drain_end_ms - now_ms;
	if (left_ms <= TICK_MS) {
		return open;
	}
	return (open * TICK_MS + (uint64_t)left_ms - 1) / (uint64_t)left_ms;
}

/*
 * All clients are closed; webhooks are not finished yet. Without a state file no session can be
 * resumed, so detached ones end now.
 */
static void begin_flush(struct px_server *server, int64_t now_ms)
{
	bool hands_on = server->config->global.state_file != NULL;
	server->flush_end_ms = server->drain_deadline_ms;
	if (hands_on && server->flush_end_ms > now_ms + FLUSH_MS) {
		server->flush_end_ms = now_ms + FLUSH_MS;
	}
	if (!hands_on) {
		px_broker_end_detached(server->broker);
	}
	px_webhooks_flush_now(server);
}

/* Whether webhooks are finished, or their time is over. */
static bool is_flushed(struct px_server *server, int64_t now_ms)
{
	if (!server->webhooks) {
		return true;
	}
	if (server->flush_end_ms == 0) {
		begin_flush(server, now_ms);
		return false; /* closed sessions are freed when this turn ends */
	}
	return now_ms >= server->flush_end_ms || px_webhooks_idle(server, server->flush_end_ms);
}

static bool is_answered(const struct px_server *server, int64_t now_ms)
{
	return (server->relays == 0 && server->tail_stream_count == 0) ||
			now_ms - server->drain_began_ms >= ANSWERS_MS;
}

static void on_tick(uv_timer_t *timer)
{
	struct px_server *server = timer->data;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	uint64_t open = open_sessions(server);
	bool is_over = open == 0 && is_flushed(server, now_ms) && is_answered(server, now_ms) &&
			px_bus_is_idle(server);
	if (now_ms >= server->drain_deadline_ms || is_over) {
		px_log(PX_LOG_NOTICE, "drained; %llu sessions cut off", (unsigned long long)open);
		uv_stop(&server->loop);
		return;
	}
	if (open == 0) {
		return;
	}
	px_broker_close_some(server->broker, share(server, open, now_ms), PX_CLOSE_RESTART);
}

void px_server_drain(struct px_server *server)
{
	const struct px_config_global *global = &server->config->global;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	if (server->draining) {
		px_log(PX_LOG_WARNING, "second signal to stop: stopping immediately");
		uv_stop(&server->loop);
		return;
	}
	server->draining = true;
	server->drain_began_ms = now_ms;
	server->drain_end_ms = now_ms + global->drain_ms;
	server->drain_deadline_ms = now_ms + global->drain_deadline_ms;
	if (global->state_file) {
		int64_t quarter_ms = global->drain_deadline_ms / 4;
		server->drain_deadline_ms -= quarter_ms < SAVE_MS ? quarter_ms : SAVE_MS;
		px_broker_hold(server->broker);
	}
	px_log(PX_LOG_NOTICE, "draining %llu sessions within %lld ms",
			(unsigned long long)open_sessions(server), (long long)global->drain_ms);
	px_server_tell_stopping(server);
	px_tail_streams_end(server, "draining");
	px_broker_announce_drain(server->broker, global->drain_ms);
	server->drain_timer.data = server;
	uv_timer_start(&server->drain_timer, on_tick, 0, TICK_MS);
}
