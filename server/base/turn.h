/* SPDX-License-Identifier: MIT */
/*
 * A turn of the loop, from the first thing that happens after waiting to the next wait, and how
 * long it may last: five milliseconds, so that nobody in the process waits longer for their
 * turn because somebody's practice is large. What a turn has no time for is done in the next;
 * in between the sockets are looked at.
 */
#ifndef PX_TURN_H
#define PX_TURN_H

#include "histogram.h"

#include <praxis/host/host.h>

/* Zeroed: none has begun yet. */
struct px_turn {
	uint64_t began_ns;   /* 0: waiting */
	uint64_t out_ns;     /* writing began; 0: it has not */
	struct px_histogram durations;
};

/* All take the time of uv_hrtime(). */

/* Something happens. A turn that has begun already goes on. */
void px_turn_begin(struct px_turn *turn, uint64_t now_ns);

/* Whether it has lasted long enough for that kind of work; see px_broker_host. */
bool px_turn_over_budget(struct px_turn *turn, enum px_work work, uint64_t now_ns);

/* About to wait. */
void px_turn_end(struct px_turn *turn, uint64_t now_ns);

#endif
