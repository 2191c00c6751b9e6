/* SPDX-License-Identifier: MIT */
/* See include/praxis/alarm.h: the broker's timers, as services may have them. */
#include <praxis/alarm.h>

#include "core/broker.h"

#include <stdlib.h>

struct px_alarm {
	struct px_timer timer; /* first: on_timer() gets it */
	struct px_broker *broker;
	void (*fire)(void *user);
	void *user;
};

static void on_timer(struct px_timer *timer)
{
	const struct px_alarm *alarm = (struct px_alarm *)timer;
	alarm->fire(alarm->user);
}

struct px_alarm *px_alarm_create(struct px_broker *broker, void (*fire)(void *user), void *user)
{
	struct px_alarm *alarm = calloc(1, sizeof(*alarm));
	if (alarm) {
		alarm->timer.fire = on_timer;
		alarm->broker = broker;
		alarm->fire = fire;
		alarm->user = user;
	}
	return alarm;
}

void px_alarm_destroy(struct px_alarm *alarm)
{
	if (alarm) {
		px_alarm_stop(alarm);
		free(alarm);
	}
}

int px_alarm_set(struct px_alarm *alarm, int64_t in_ms)
{
	struct px_timers *timers = &alarm->broker->timers;
	return px_timer_arm(timers, &alarm->timer, timers->now_ms + in_ms);
}

void px_alarm_stop(struct px_alarm *alarm)
{
	px_timer_stop(&alarm->broker->timers, &alarm->timer);
}
