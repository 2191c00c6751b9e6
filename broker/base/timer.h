/* SPDX-License-Identifier: MIT */
/*
 * Timers, driven from outside: a binary heap whose entries know their place in it, so that any
 * timer is stopped in O(log n). Rejected: a timer wheel, which needs a tick even if nothing is due,
 * and lws's timers, a sorted list that costs O(n) for each of ten thousand heartbeats.
 */
#ifndef PX_TIMER_H
#define PX_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Embedded in its owner. Zeroed: not armed. */
struct px_timer {
	int64_t at_ms;
	void (*fire)(struct px_timer *timer);
	uint32_t place; /* in the heap, from 1; 0: not armed */
};

/* Zeroed: empty. */
struct px_timers {
	struct px_timer **heap;
	uint32_t count;
	uint32_t size;
	int64_t now_ms;
};

/* Frees the heap. Armed timers are forgotten. */
void px_timers_finish(struct px_timers *timers);

/*
 * Fires once at at_ms, never within the call that arms it. If it is armed already, it is moved.
 * -ENOMEM: unchanged.
 */
int px_timer_arm(struct px_timers *timers, struct px_timer *timer, int64_t at_ms);

void px_timer_stop(struct px_timers *timers, struct px_timer *timer);

/* When the next timer is due; INT64_MAX if none is armed. */
int64_t px_timers_next(const struct px_timers *timers);

/* Sets the time, which must not go back. Fires nothing. */
void px_timers_set_time(struct px_timers *timers, int64_t now_ms);

/*
 * Fires at most `most` due timers; true: there are more. `fire` may arm and stop any timer; what it
 * arms is not due yet.
 */
bool px_timers_fire(struct px_timers *timers, uint32_t most);

#endif
