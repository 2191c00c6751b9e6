/* SPDX-License-Identifier: MIT */
/* See timer.h. */
#include "timer.h"

#include <errno.h>
#include <stdlib.h>

static void place(struct px_timers *timers, uint32_t at, struct px_timer *timer)
{
	timers->heap[at - 1] = timer;
	timer->place = at;
}

static void sift_up(struct px_timers *timers, uint32_t at, struct px_timer *timer)
{
	while (at > 1 && timers->heap[at / 2 - 1]->at_ms > timer->at_ms) {
		place(timers, at, timers->heap[at / 2 - 1]);
		at /= 2;
	}
	place(timers, at, timer);
}

static void sift_down(struct px_timers *timers, uint32_t at, struct px_timer *timer)
{
	for (;;) {
		uint32_t child = at * 2;
		if (child > timers->count) {
			break;
		}
		if (child < timers->count &&
				timers->heap[child]->at_ms < timers->heap[child - 1]->at_ms) {
			child++;
		}
		if (timers->heap[child - 1]->at_ms >= timer->at_ms) {
			break;
		}
		place(timers, at, timers->heap[child - 1]);
		at = child;
	}
	place(timers, at, timer);
}

void px_timers_finish(struct px_timers *timers)
{
	free(timers->heap);
	*timers = (struct px_timers){ 0 };
}

int px_timer_arm(struct px_timers *timers, struct px_timer *timer, int64_t at_ms)
{
	if (timer->place == 0 && timers->count == timers->size) {
		uint32_t size = timers->size ? timers->size * 2 : 64;
		struct px_timer **heap = realloc(timers->heap, size * sizeof(*heap));
		if (!heap) {
			return -ENOMEM;
		}
		timers->heap = heap;
		timers->size = size;
	}
	px_timer_stop(timers, timer);
	/* Later than now: a timer that arms itself for the past would fire forever. */
	timer->at_ms = at_ms > timers->now_ms ? at_ms : timers->now_ms + 1;
	timers->count++;
	sift_up(timers, timers->count, timer);
	return 0;
}

void px_timer_stop(struct px_timers *timers, struct px_timer *timer)
{
	uint32_t at = timer->place;
	if (at == 0) {
		return;
	}
	timer->place = 0;
	struct px_timer *last = timers->heap[--timers->count];
	if (last == timer) {
		return;
	}
	if (at > 1 && timers->heap[at / 2 - 1]->at_ms > last->at_ms) {
		sift_up(timers, at, last);
	} else {
		sift_down(timers, at, last);
	}
}

int64_t px_timers_next(const struct px_timers *timers)
{
	return timers->count > 0 ? timers->heap[0]->at_ms : INT64_MAX;
}

void px_timers_set_time(struct px_timers *timers, int64_t now_ms)
{
	if (now_ms > timers->now_ms) {
		timers->now_ms = now_ms;
	}
}

bool px_timers_fire(struct px_timers *timers, uint32_t most)
{
	while (timers->count > 0 && timers->heap[0]->at_ms <= timers->now_ms) {
		struct px_timer *timer = timers->heap[0];
		if (most-- == 0) {
			return true;
		}
		px_timer_stop(timers, timer);
		timer->fire(timer);
	}
	return false;
}
