/* SPDX-License-Identifier: MIT */
/*
 * Acts on a practice whose caller can wait until they count. With a journal of practices (bus.h) an
 * act counts when its turn is accepted; the functions of <praxis/operate.h> return before that. For
 * hosts; no service needs them as long as no server sets a bus.
 */
#ifndef PRAXIS_HOST_OUTCOME_H
#define PRAXIS_HOST_OUTCOME_H

#include <praxis/operate.h>

/* What became of an act on a practice. Lives during the call that tells it. */
struct px_outcome {
	const struct px_error_detail *detail; /* why it was not done; NULL: it was */
	struct px_published published;        /* of a publication */
};

struct px_operate_done {
	void (*done)(void *user, const struct px_outcome *outcome);
	void *user;
};

/*
 * As px_operate_publish() and px_operate_end_room(). `done` is called exactly once, with the
 * outcome: before the call returns if the act is denied, and if practices have no journal; else
 * when the journal has accepted the act, or cannot any more. The operator, and what it points to,
 * must live during the call only.
 */
PX_PUBLIC void px_operate_publish_then(const struct px_operator *operator,
		const struct px_id *practice, struct px_span text, const struct px_operate_done *done);
PX_PUBLIC void px_operate_end_room_then(const struct px_operator *operator,
		struct px_span service, struct px_span practice, struct px_span room,
		const struct px_operate_done *done);

#endif
