/* SPDX-License-Identifier: MIT */
/*
 * A turn of the loop, from the first event after waiting to the next wait, and its time budget:
 * five milliseconds, so that a large practice does not hold up others. What does not fit is done in
 * the next turn; in between, sockets are polled.
 */
#ifndef PX_TURN_H
#define PX_TURN_H

#include "histogram.h"

#include <praxis/host/host.h>

/* Zeroed: no turn yet. */
struct px_turn {
	uint64_t began_ns;   /* 0: waiting */
	uint64_t out_ns;     /* when writing began; 0: it has not */
	struct px_histogram durations;
};

/* All take the time of uv_hrtime(). */

/* An event. Starts a turn, or continues the current one. */
void px_turn_begin(struct px_turn *turn, uint64_t now_ns);

/* Whether the budget for that kind of work is used up; see px_broker_host. */
bool px_turn_over_budget(struct px_turn *turn, enum px_work work, uint64_t now_ns);

/* The loop is about to wait. */
void px_turn_end(struct px_turn *turn, uint64_t now_ns);

#endif
