/* SPDX-License-Identifier: MIT */
/*
 * Reload, drain, and the state that one process leaves for the next. Opened by main.c and the
 * signals' handlers. It never ends the process itself.
 */
#ifndef PX_LIFECYCLE_H
#define PX_LIFECYCLE_H

#include <stdint.h>

struct px_server;

/* reload.c: on SIGHUP; soon, and once for many */
void px_server_reload(struct px_server *server);

/*
 * watchdog.c: what the service manager is told (base/service_manager.h). Ready: all ports listen; said again,
 * reloading is over. Stopping: with the time until the end at the latest.
 */
void px_server_tell_ready(struct px_server *server);
void px_server_tell_reloading(struct px_server *server);
void px_server_tell_stopping(struct px_server *server);

/* drain.c: on SIGTERM and SIGINT */
void px_server_drain(struct px_server *server);
/* While it drains: when the last client is asked to go, or after that the end at the latest. */
int64_t px_server_ends_in_ms(const struct px_server *server);

/*
 * state/state.c: what one process leaves and the next takes up. Loading can not fail but in saying
 * so in the log; -errno where saving did. With no state file configured neither does anything.
 */
void px_server_load_state(struct px_server *server);
int px_server_save_state(struct px_server *server);

/* state/state_plan.c: lets the next server begin; behind px_server_save_state() */
void px_server_unlock_state(struct px_server *server);

#endif
