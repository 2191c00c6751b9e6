/* SPDX-License-Identifier: MIT */
/*
 * Statistics of the last hour as data, one sample every ten seconds, so that a dashboard can show
 * the past when it is opened. Counters are stored as they are: a rate is the difference of two.
 */
#ifndef PX_STATS_HISTORY_H
#define PX_STATS_HISTORY_H

#include <stdint.h>

#define PX_STATS_HISTORY 360
#define PX_SAMPLE_EVERY_MS 10000

struct px_sample {
	int64_t at_ms; /* since 1970 */
	uint64_t sessions;
	uint64_t rooms;
	uint64_t messages_in;
	uint64_t messages_out;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t errors;
	uint64_t queue_bytes;
	uint64_t handshakes;
};

/* Zeroed: no samples. */
struct px_stats_history {
	struct px_sample ring[PX_STATS_HISTORY];
	uint32_t first;
	uint32_t count;
	int64_t next_ms; /* of the loop's clock */
};

#endif
