/* SPDX-License-Identifier: MIT */
/*
 * What an act costs as the number of things that it does not concern grows: in processor time, as
 * the ratio of the same act with few and with many of them, within one run of a test, and the best
 * of several rounds each. A walk over all is sixteen times as much; a tree or a heap a little more.
 */
#ifndef PX_TEST_COST_H
#define PX_TEST_COST_H

#include <check.h>
#include <stdint.h>
#include <time.h>

#define COST_FEW 1000
#define COST_MANY 16000
#define COST_ROUNDS 5
#define COST_RATIO_MAX 6 /* caches among it */

static inline int64_t cost_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* `round` does the same number of acts each time, and is told how many there are. */
static inline int64_t cost_of(void (*begin)(unsigned count), void (*round)(void), void (*end)(void),
		unsigned count)
{
	int64_t best_ns = INT64_MAX;
	begin(count);
	for (int i = 0; i < COST_ROUNDS; i++) {
		int64_t began_ns = cost_now_ns();
		round();
		int64_t took_ns = cost_now_ns() - began_ns;
		best_ns = took_ns < best_ns ? took_ns : best_ns;
	}
	end();
	return best_ns;
}

static inline void cost_assert_flat(void (*begin)(unsigned count), void (*round)(void),
		void (*end)(void))
{
	int64_t few_ns = cost_of(begin, round, end, COST_FEW);
	int64_t many_ns = cost_of(begin, round, end, COST_MANY);
	ck_assert_int_lt(many_ns, COST_RATIO_MAX * few_ns);
}

#endif
