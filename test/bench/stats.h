/* SPDX-License-Identifier: MIT */
/*
 * What the benchmark measures: times in a histogram, the server's CPU and memory from /proc.
 *
 * The histogram has 64 steps to each power of two (an error of 1.6 %) in a fixed array: keeping
 * every sample would cost the load client more than receiving the message did.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdint.h>

#define HISTOGRAM_STEPS (64 * 40)

struct histogram {
	uint64_t total;
	uint64_t counts[HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The value below which `share` (0 to 1) of the samples lie, in microseconds; 0 without samples. */
double histogram_us(const struct histogram *h, double share);

uint64_t clock_ns(void);

/* CPU time of all threads of a process so far; ends the program if there is no such process. */
uint64_t process_cpu_ns(long pid);

struct memory {
	long rss_bytes; /* VmRSS of status */
	long pss_bytes; /* Pss of smaps_rollup */
};

struct memory process_memory(long pid);

#endif
