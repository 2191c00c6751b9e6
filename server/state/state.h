/* SPDX-License-Identifier: MIT */
/*
 * The state that one process leaves for the next. Opened by start, plan and end. Which parts of a
 * session or a webhook are saved is decided by the broker and webhook/.
 */
#ifndef PX_STATE_STATE_H
#define PX_STATE_STATE_H

struct px_plan;
struct px_server;

/*
 * state/state.c: failures of loading are only logged; -errno if saving failed. No effect without a
 * state file.
 */
void px_server_load_state(struct px_server *server);
int px_server_save_state(struct px_server *server);

/* state/state_plan.c: the state file's lock, which another process may hold; steps of a plan */
int px_plan_prepare_state(struct px_plan *plan);
void px_plan_abandon_state(struct px_plan *plan);
void px_plan_commit_state(struct px_plan *plan);
/* Lets the next server start; call it after px_server_save_state(). */
void px_server_unlock_state(struct px_server *server);

#endif
