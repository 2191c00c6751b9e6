/* SPDX-License-Identifier: MIT */
/*
 * Durations, counted in fixed buckets from 50 µs to one second. Fixed, so that figures of several
 * processes and times can be added up.
 */
#ifndef PX_HISTOGRAM_H
#define PX_HISTOGRAM_H

#include <stdint.h>

/* The last bucket counts what exceeds all bounds. */
#define PX_HISTOGRAM_BUCKETS 14

/* Zeroed: empty. */
struct px_histogram {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t buckets[PX_HISTOGRAM_BUCKETS]; /* not cumulative */
};

/* Upper bounds of the buckets; ascending. */
extern const uint64_t px_histogram_bounds_us[PX_HISTOGRAM_BUCKETS - 1];

void px_histogram_add(struct px_histogram *histogram, uint64_t ns);

#endif
