/* SPDX-License-Identifier: MIT */
/*
 * The feed of events for administrators' sessions. The latest are kept for watchers that return.
 * Each event is stored with the practices that it concerns, and is shown only to their
 * administrators.
 */
#ifndef PX_ADMIN_FEED_H
#define PX_ADMIN_FEED_H

#include "operate.h"

#include <praxis/bucket.h>

#define PX_EVENTS_KEPT 500
#define PX_WATCHERS_MAX 64

/* An event of a session with more practices is shown to the administrators of the first ones. */
#define PX_EVENT_PRACTICES 4

struct px_kept_event {
	uint64_t number;
	struct px_message *message;
	char *tenant;
	struct px_practice *practices[PX_EVENT_PRACTICES]; /* none: the whole server's */
	unsigned practice_count;
};

struct px_watcher {
	struct px_session *session;
	struct px_bucket rate;
	uint64_t missed;
};

/* Zeroed: no events yet. */
struct px_admin_feed {
	struct px_kept_event *kept; /* a ring of PX_EVENTS_KEPT; NULL before the first event */
	uint32_t first;
	uint32_t count;
	uint64_t last; /* number of the latest event */
	struct px_watcher watchers[PX_WATCHERS_MAX];
	unsigned watcher_count;
};

/* Frees the events. */
void px_admin_feed_finish(struct px_broker *broker);

#endif
