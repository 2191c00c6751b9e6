/* SPDX-License-Identifier: MIT */
/*
 * An alarm: a service's timer. It fires between messages, on the broker's thread and by the
 * broker's clock, never within the call that sets it.
 */
#ifndef PRAXIS_ALARM_H
#define PRAXIS_ALARM_H

#include <praxis/types.h>

struct px_alarm;
struct px_broker;

/*
 * Makes an alarm that is not set. The caller owns it until px_alarm_destroy(), which may be called
 * from within `fire`. NULL without memory.
 */
PX_PUBLIC struct px_alarm *px_alarm_create(struct px_broker *broker, void (*fire)(void *user),
		void *user);
PX_PUBLIC void px_alarm_destroy(struct px_alarm *alarm); /* NULL is permitted. */

/* Fires once, in that many milliseconds; replaces an earlier setting. -ENOMEM: unchanged. */
PX_PUBLIC int px_alarm_set(struct px_alarm *alarm, int64_t in_ms);
PX_PUBLIC void px_alarm_stop(struct px_alarm *alarm);

#endif
