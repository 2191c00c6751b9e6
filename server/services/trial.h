/* SPDX-License-Identifier: MIT */
/*
 * Runs code that may end the process in a process of its own first. Opened by the loader.
 */
#ifndef PX_SERVICES_TRIAL_H
#define PX_SERVICES_TRIAL_H

#include <stddef.h>

/* How long the server waits for it, and serves nobody meanwhile. */
#ifndef PX_TRIAL_MS
#define PX_TRIAL_MS 5000
#endif

/*
 * Calls `attempt` in a fork. 0: it returned within PX_TRIAL_MS; -EINVAL: it did not, and `fault`
 * says what happened instead ("ends the process: Aborted"); another -errno: no process could be
 * started.
 */
int px_trial(void (*attempt)(void *user), void *user, char *fault, size_t size);

#endif
