/* SPDX-License-Identifier: MIT */
/* What an administrator's session wants to be sent again and again, until it ends. */
#include "admin.h"

#include <errno.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>

static void on_alarm(void *user)
{
	struct admin_subscription *subscription = user;
	admin_send_stats(subscription->session);
	(void)px_alarm_set(subscription->alarm, subscription->interval_ms);
}

static int compare(const void *one, const void *other)
{
	uintptr_t a = (uintptr_t)((const struct admin_subscription *)one)->session;
	uintptr_t b = (uintptr_t)((const struct admin_subscription *)other)->session;
	return a < b ? -1 : a > b;
}

struct admin_subscription *admin_subscription_find(const struct admin *admin,
		const struct px_session *session)
{
	const struct admin_subscription probe = { .session = (struct px_session *)(uintptr_t)session };
	struct admin_subscription **found = tfind(&probe, &admin->subscriptions, compare);
	return found ? *found : NULL;
}

struct admin_subscription *admin_subscription_get(struct admin *admin, struct px_session *session)
{
	struct admin_subscription *subscription = admin_subscription_find(admin, session);
	if (!subscription) {
		subscription = calloc(1, sizeof(*subscription));
		if (subscription) {
			subscription->session = session;
		}
		if (subscription && !tsearch(subscription, &admin->subscriptions, compare)) {
			free(subscription);
			subscription = NULL;
		}
	}
	return subscription;
}

void admin_subscription_end(struct admin *admin, const struct px_session *session)
{
	struct admin_subscription *subscription = admin_subscription_find(admin, session);
	if (subscription) {
		tdelete(subscription, &admin->subscriptions, compare);
		px_operate_unwatch(session);
		px_alarm_destroy(subscription->alarm);
		free(subscription);
	}
}

int admin_subscription_set(struct admin_subscription *subscription, int64_t interval_ms)
{
	if (!subscription->alarm) {
		subscription->alarm = px_alarm_create(px_session_broker(subscription->session),
				on_alarm, subscription);
	}
	if (!subscription->alarm) {
		return -ENOMEM;
	}
	if (interval_ms == 0) {
		px_alarm_stop(subscription->alarm);
	} else if (px_alarm_set(subscription->alarm, interval_ms) < 0) {
		return -ENOMEM;
	}
	subscription->interval_ms = interval_ms;
	return 0;
}

/* ---- over a restart ---- */

void admin_save(void *state, const struct px_session *session, const void *session_state,
		struct px_json *json)
{
	const struct admin_subscription *subscription = admin_subscription_find(state, session);
	(void)session_state;
	px_json_int(json, "intervalMs", subscription ? subscription->interval_ms : 0);
	px_json_bool(json, "watches", subscription && subscription->watches);
}

/* `admin_events` tells a new client of the events from which number on it gets them. */
int admin_restore(void *state, struct px_session *session, void *session_state,
		struct json_object *saved)
{
	struct px_error_detail detail;
	int64_t interval_ms;
	bool watches;
	(void)session_state;
	if (!px_json_get_int(saved, "intervalMs", 0, ADMIN_INTERVAL_MAX_MS, &interval_ms) ||
			!px_json_get_bool(saved, "watches", &watches)) {
		return -EINVAL;
	}
	if (interval_ms == 0 && !watches) {
		return 0;
	}
	struct admin_subscription *subscription = admin_subscription_get(state, session);
	if (!subscription || admin_subscription_set(subscription, interval_ms) < 0) {
		return -ENOMEM;
	}
	subscription->watches = watches && px_operate_watch(session, NULL, &detail) == 0;
	return 0;
}
