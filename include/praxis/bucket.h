/* SPDX-License-Identifier: MIT */
/*
 * A token bucket: a rate per second, and a burst. Its only state is the time at which it will be
 * full again (the generic cell rate algorithm, ITU-T I.371), so one costs a session eight bytes.
 */
#ifndef PRAXIS_BUCKET_H
#define PRAXIS_BUCKET_H

#include <stdint.h>

/* Zeroed: full. */
struct px_bucket {
	int64_t full_at_ns;
};

/*
 * Takes `amount`, if available. Returns 0 if it was taken, or else the milliseconds until it will
 * be available. An amount larger than `burst` is taken from a full bucket. per_s 0: no limit.
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

/*
 * Takes `amount` even if it is not available: for costs that are known only afterwards. The debt is
 * limited to `most_ms` of waiting, so it always ends.
 */
static inline void px_bucket_owe(struct px_bucket *bucket, uint32_t per_s, uint32_t burst,
		uint64_t amount, int64_t most_ms, int64_t now_ms)
{
	const uint64_t second_ns = 1000000000;
	int64_t now_ns = now_ms * 1000000;
	if (per_s == 0) {
		return;
	}
	int64_t full_at_ns = bucket->full_at_ns > now_ns ? bucket->full_at_ns : now_ns;
	int64_t latest_ns = now_ns + most_ms * 1000000 +
			(int64_t)((uint64_t)burst * second_ns / per_s);
	uint64_t left_ns = latest_ns > full_at_ns ? (uint64_t)(latest_ns - full_at_ns) : 0;
	uint64_t wanted_ns = amount <= UINT32_MAX ? amount * second_ns / per_s : left_ns;
	bucket->full_at_ns = full_at_ns + (int64_t)(wanted_ns < left_ns ? wanted_ns : left_ns);
}

/* Milliseconds until the bucket is no longer empty; 0: it is not empty. */
static inline int64_t px_bucket_wait(const struct px_bucket *bucket, uint32_t per_s,
		uint32_t burst, int64_t now_ms)
{
	if (per_s == 0) {
		return 0;
	}
	int64_t over_ns = bucket->full_at_ns - now_ms * 1000000 -
			(int64_t)burst * 1000000000 / per_s;
	return over_ns < 0 ? 0 : over_ns / 1000000 + 1;
}

#endif
