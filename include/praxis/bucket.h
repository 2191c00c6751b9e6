/* SPDX-License-Identifier: MIT */
/*
 * A token bucket: so much a second, and so much saved up at the most. All that it keeps is the
 * time at which it will be full again (the generic cell rate algorithm), so that one costs a
 * session eight bytes.
 */
#ifndef PRAXIS_BUCKET_H
#define PRAXIS_BUCKET_H

#include <stdint.h>

/* Zeroed: full. */
struct px_bucket {
	int64_t full_at_ns;
};

/*
 * Takes `amount`, if it is there. 0: taken; else the milliseconds until it will be. What is
 * more than `burst` is taken from a full bucket. per_s 0: there is no limit.
 */
static inline int64_t px_bucket_take(struct px_bucket *bucket, uint32_t per_s, uint32_t burst,
		uint32_t amount, int64_t now_ms)
{
	const int64_t second_ns = 1000000000;
	int64_t now_ns = now_ms * 1000000;
	if (per_s == 0) {
		return 0;
	}
	int64_t full_at_ns = bucket->full_at_ns > now_ns ? bucket->full_at_ns : now_ns;
	int64_t wanted_ns = (int64_t)amount * second_ns / per_s;
	int64_t burst_ns = (int64_t)burst * second_ns / per_s;
	int64_t over_ns = full_at_ns + wanted_ns - now_ns - burst_ns;
	if (over_ns > 0 && full_at_ns > now_ns) {
		int64_t missing_ns = full_at_ns - now_ns;
		int64_t wait_ns = over_ns < missing_ns ? over_ns : missing_ns;
		return (wait_ns + 999999) / 1000000;
	}
	bucket->full_at_ns = full_at_ns + wanted_ns;
	return 0;
}

#endif
