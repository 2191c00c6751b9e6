/* SPDX-License-Identifier: MIT */
/*
 * What the broker asks its host, and tells it. Opened by whatever can be put off, has to be told,
 * or is a service's doing. It never decides what an answer means.
 */
#ifndef PX_CORE_HOST_H
#define PX_CORE_HOST_H

#include "broker.h"

/* Whether the turn has lasted long enough; see px_broker_host. */
static inline bool px_broker_over_budget(const struct px_broker *broker, enum px_work work)
{
	return broker->host.over_budget && broker->host.over_budget(broker->host.user, work);
}

/* Returns what was in hand before, to be put back. */
static inline struct px_origin px_broker_turn_to(struct px_broker *broker, struct px_origin origin)
{
	struct px_origin before = broker->in_hand;
	broker->in_hand = origin;
	return before;
}

/* Tells the host; 0 if it has nothing against it. */
int px_broker_tell(struct px_broker *broker, const struct px_event *event);

#endif
