/* SPDX-License-Identifier: MIT */
/*
 * Events as they happen, for operators that watch: the latest are kept for those who come back,
 * each with whom it concerns, so that nobody is shown another practice's.
 */
#ifndef PX_WATCH_H
#define PX_WATCH_H

#include "operate.h"

#include <praxis/bucket.h>

#define PX_EVENTS_KEPT 500
#define PX_WATCHERS_MAX 64

/* Of a session with more practices only the first ones' administrators are shown its events. */
#define PX_EVENT_PRACTICES 4

struct px_kept_event {
	uint64_t number;
	struct px_message *message;
	char *tenant;
	struct px_practice *practices[PX_EVENT_PRACTICES]; /* none: of the server as a whole */
	unsigned practice_count;
};

struct px_watcher {
	struct px_session *session;
	struct px_bucket rate;
	uint64_t missed;
};

/* Zeroed: nothing has happened. */
struct px_watch {
	struct px_kept_event *kept; /* a ring of PX_EVENTS_KEPT; NULL until something happens */
	uint32_t first;
	uint32_t count;
	uint64_t last; /* the number given last */
	struct px_watcher watchers[PX_WATCHERS_MAX];
	unsigned watcher_count;
};

/* Gives back what is kept. */
void px_watch_finish(struct px_broker *broker);

#endif
