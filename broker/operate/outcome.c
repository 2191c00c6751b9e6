/* SPDX-License-Identifier: MIT */
/*
 * Outcomes of acts on a practice. What was done counts when the practice's turn is accepted; so
 * whoever asked for it is told then. Without a journal that is at once, before the call returns.
 */
#include "operate.h"

#include "core/practice.h"
#include "core/turn.h"

#include <stdlib.h>

struct px_pending {
	struct px_deferred deferred; /* first: settle() gets it */
	struct px_operate_done done;
	struct px_outcome outcome;
};

static void settle(struct px_deferred *deferred, bool accepted)
{
	struct px_pending *pending = (struct px_pending *)deferred;
	struct px_error_detail detail;
	if (!accepted) {
		(void)px_deny(&detail, PX_E_UNAVAILABLE, NULL,
				"The practice cannot be reached now; try again in a moment.");
		pending->outcome = (struct px_outcome){ .detail = &detail };
	}
	pending->done.done(pending->done.user, &pending->outcome);
	free(pending);
}

struct px_pending *px_pending_create(const struct px_operate_done *done)
{
	struct px_pending *pending = calloc(1, sizeof(*pending));
	if (pending) {
		pending->deferred.settle = settle;
		pending->done = *done;
		return pending;
	}
	struct px_error_detail detail;
	(void)px_deny(&detail, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	done->done(done->user, &(struct px_outcome){ .detail = &detail });
	return NULL;
}

void px_pending_deny(struct px_pending *pending, const struct px_error_detail *detail)
{
	pending->outcome = (struct px_outcome){ .detail = detail };
	settle(&pending->deferred, true);
}

void px_pending_finish(struct px_pending *pending, struct px_practice *practice,
		const struct px_published *published, const struct px_broker *broker)
{
	pending->outcome.published = *published;
	if (broker->turn_hooks) {
		broker->turn_hooks->defer(practice, &pending->deferred);
	} else {
		settle(&pending->deferred, true);
	}
}
