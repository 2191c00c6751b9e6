/* SPDX-License-Identifier: MIT */
/*
 * Histogram and /proc readers of stats.h.
 *
 * CPU time is the first field of schedstat, in nanoseconds, summed over the threads: that of
 * /proc/PID alone is its first thread's. getrusage-like counters (utime, stime) were rejected: they
 * count ticks, and say nothing exact about a second of short bursts. The kernel brings the field up
 * to date when a thread goes to sleep, so it is exact only while the server has nothing to do; the
 * load client reads it before the first and after the last message of a window.
 */
#define _GNU_SOURCE 1
#include "stats.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned step_of(uint64_t ns)
{
	unsigned shift = 0, step;

	if (ns < 64) {
		return (unsigned)ns;
	}
	while (ns >> shift >= 128) {
		shift++;
	}
	step = (shift + 1) * 64 + (unsigned)(ns >> shift) - 64;
	return step < HISTOGRAM_STEPS ? step : HISTOGRAM_STEPS - 1;
}

/* The middle of a step. */
static double step_ns(unsigned step)
{
	unsigned shift = step / 64;

	if (shift == 0) {
		return step;
	}
	return ((double)(64 + step % 64) + 0.5) * (double)(UINT64_C(1) << (shift - 1));
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->counts[step_of(ns)]++;
	h->total++;
}

double histogram_us(const struct histogram *h, double share)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_STEPS; i++) {
		seen += h->counts[i];
		if (seen > 0 && (double)seen >= share * (double)h->total) {
			return step_ns(i) / 1000;
		}
	}
	return 0;
}

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void no_such(const char *path)
{
	fprintf(stderr, "bench-load: cannot read %s (is the server still running?)\n", path);
	exit(2);
}

uint64_t process_cpu_ns(long pid)
{
	char path[300];
	unsigned long long ns;
	uint64_t sum = 0;
	struct dirent *task;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	tasks = opendir(path);
	if (tasks == NULL) {
		no_such(path);
	}
	while ((task = readdir(tasks)) != NULL) {
		FILE *file;

		if (task->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid, task->d_name);
		file = fopen(path, "r");
		/* A thread may have ended since; the process has not. */
		if (file != NULL) {
			if (fscanf(file, "%llu", &ns) == 1) {
				sum += ns;
			}
			fclose(file);
		}
	}
	closedir(tasks);
	return sum;
}

/* The kB behind `name` in a file of /proc, as bytes. */
static long field_bytes(long pid, const char *file_name, const char *name)
{
	char path[64], line[256];
	long kilobytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, file_name);
	file = fopen(path, "r");
	while (file != NULL && kilobytes < 0 && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0) {
			kilobytes = strtol(line + strlen(name), NULL, 10);
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	if (kilobytes < 0) {
		no_such(path);
	}
	return kilobytes * 1024;
}

struct memory process_memory(long pid)
{
	struct memory m = { .rss_bytes = field_bytes(pid, "status", "VmRSS:"),
		.pss_bytes = field_bytes(pid, "smaps_rollup", "Pss:") };

	return m;
}
