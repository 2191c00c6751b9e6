/* SPDX-License-Identifier: MIT */
/*
 * Time, the loop's turn, and the time until shutdown. Opened by whoever runs on the loop. It never
 * waits.
 */
#ifndef PX_CORE_CLOCK_H
#define PX_CORE_CLOCK_H

#include <praxis/host/host.h>

struct px_server;

int64_t px_server_wall_ms(void); /* ms since 1970 */

/* The loop has woken up: a turn begins, and the broker gets the time. */
void px_server_begin_turn(struct px_server *server);

/* Hooks of the broker; the first one of the adapter, too. */
bool px_server_over_budget(void *user, enum px_work work);
uint64_t px_server_now_ns(void *user);
void px_server_flushed(void *user, uint64_t ns);

/*
 * During a drain: time until the last client is told to go, or after that until shutdown at the
 * latest.
 */
int64_t px_server_ends_in_ms(const struct px_server *server);

#endif
