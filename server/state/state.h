/* SPDX-License-Identifier: MIT */
/*
 * What one process leaves and the next takes up. Opened by start, plan and end. It never decides
 * what a session, or a webhook, is worth keeping: the broker and webhook/ do.
 */
#ifndef PX_STATE_STATE_H
#define PX_STATE_STATE_H

struct px_plan;
struct px_server;

/*
 * state/state.c: loading cannot fail but in saying so in the log; -errno where saving did. With no
 * state file configured neither does anything.
 */
void px_server_load_state(struct px_server *server);
int px_server_save_state(struct px_server *server);

/* state/state_plan.c: the state file's lock, which another process may have; steps of a plan */
int px_plan_prepare_state(struct px_plan *plan);
void px_plan_abandon_state(struct px_plan *plan);
void px_plan_commit_state(struct px_plan *plan);
/* Lets the next server begin; behind px_server_save_state(). */
void px_server_unlock_state(struct px_server *server);

#endif
