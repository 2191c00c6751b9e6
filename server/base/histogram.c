/* SPDX-License-Identifier: MIT */
/* See histogram.h. */
#include "histogram.h"

const uint64_t px_histogram_bounds_us[PX_HISTOGRAM_BUCKETS - 1] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000,
};

void px_histogram_add(struct px_histogram *histogram, uint64_t ns)
{
	unsigned at = 0;
	while (at < PX_HISTOGRAM_BUCKETS - 1 && ns > px_histogram_bounds_us[at] * 1000) {
		at++;
	}
	histogram->buckets[at]++;
	histogram->count++;
	histogram->sum_ns += ns;
	if (ns > histogram->max_ns) {
		histogram->max_ns = ns;
	}
}
