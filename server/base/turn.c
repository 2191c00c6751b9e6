/* SPDX-License-Identifier: MIT */
/*
 * See turn.h. Reading ends first, so that writing gets a share of the turn; and writing gets its
 * share even if reading took too long, or input would pile up.
 */
#include "turn.h"

#define MS UINT64_C(1000000)
#define IN_NS (2 * MS)
#define WHOLE_NS (4 * MS) /* one more for work that was begun when it was over */
#define OUT_NS (1 * MS)

void px_turn_begin(struct px_turn *turn, uint64_t now_ns)
{
	if (turn->began_ns == 0) {
		turn->began_ns = now_ns;
		turn->out_ns = 0;
	}
}

bool px_turn_over_budget(struct px_turn *turn, enum px_work work, uint64_t now_ns)
{
	px_turn_begin(turn, now_ns);
	if (work == PX_WORK_IN) {
		return now_ns - turn->began_ns > IN_NS;
	}
	if (turn->out_ns == 0) {
		turn->out_ns = now_ns;
	}
	return now_ns - turn->began_ns > WHOLE_NS && now_ns - turn->out_ns > OUT_NS;
}

void px_turn_end(struct px_turn *turn, uint64_t now_ns)
{
	if (turn->began_ns != 0) {
		px_histogram_add(&turn->durations, now_ns - turn->began_ns);
		turn->began_ns = 0;
	}
}
