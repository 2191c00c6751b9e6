/* SPDX-License-Identifier: MIT */
/*
 * Calls from the broker to its host. Opened by whatever can be deferred, must be reported, or runs
 * a service's hook. It never interprets the answer.
 */
#ifndef PX_CORE_HOST_H
#define PX_CORE_HOST_H

#include "broker.h"

/* Whether the turn has used up its time; see px_broker_host. */
static inline bool px_broker_over_budget(const struct px_broker *broker, enum px_work work)
{
	return broker->host.over_budget && broker->host.over_budget(broker->host.user, work);
}

/* Returns the former origin, which the caller restores. */
static inline struct px_origin px_broker_turn_to(struct px_broker *broker, struct px_origin origin)
{
	struct px_origin before = broker->in_hand;
	broker->in_hand = origin;
	return before;
}

/* Reports to the host; 0 if the host does not forbid it. */
int px_broker_tell(struct px_broker *broker, const struct px_event *event);

#endif
