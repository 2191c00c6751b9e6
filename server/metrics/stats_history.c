/* SPDX-License-Identifier: MIT */
/* See stats_history.h. */
#include "core/stats_history.h"

#include "core/server.h"
#include "metrics.h"
#include "core/counters.h"

static uint64_t sum(const uint64_t *values, unsigned count)
{
	uint64_t all = 0;
	for (unsigned i = 0; i < count; i++) {
		all += values[i];
	}
	return all;
}

static struct px_sample *add(struct px_stats_history *samples)
{
	if (samples->count == PX_STATS_HISTORY) {
		samples->first = (samples->first + 1) % PX_STATS_HISTORY;
		samples->count--;
	}
	return &samples->ring[(samples->first + samples->count++) % PX_STATS_HISTORY];
}

void px_stats_history_take(struct px_server *server)
{
	struct px_stats_history *samples = &server->samples;
	int64_t now_ms = (int64_t)uv_now(&server->loop);
	struct px_stats stats;
	if (now_ms < samples->next_ms) {
		return;
	}
	samples->next_ms = now_ms + PX_SAMPLE_EVERY_MS;
	px_broker_stats(server->broker, &stats);
	*add(samples) = (struct px_sample){
		.at_ms = (int64_t)time(NULL) * 1000,
		.sessions = stats.sessions,
		.rooms = stats.rooms,
		.messages_in = stats.messages_in,
		.messages_out = stats.messages_out,
		.bytes_in = stats.bytes_in,
		.bytes_out = stats.bytes_out,
		.errors = sum(stats.errors, PX_E_COUNT),
		.queue_bytes = stats.queue_bytes,
		.handshakes = sum(server->handshakes, PX_HANDSHAKE_COUNT),
	};
}
