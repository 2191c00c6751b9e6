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

/*
 * Takes `amount`, whether it is there or not: what could only be counted afterwards. It never comes
 * to more than `most_ms` of waiting, so that whoever owes can go on some day.
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

/* The milliseconds until there is anything in it. 0: there is. */
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
