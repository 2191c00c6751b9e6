/* SPDX-License-Identifier: MIT */
/*
 * One process per state file. Two processes with the same file would load each other's sessions,
 * and the last to end would overwrite the first one's state. The lock is a separate file, since the
 * state file is renamed and removed; it stays when the process ends, and contains the id of the
 * process that locked it last.
 */
#ifndef PX_STATE_LOCK_H
#define PX_STATE_LOCK_H

#include <sys/types.h>

struct px_state_lock;

/*
 * Locks `path`.lock until px_state_lock_release() or the end of the process. `held`, which may be
 * NULL, is a lock of this process: if it is for the same file, *ret_lock is NULL and 0 is returned.
 * -EBUSY: another process holds it, *ret_pid is its id, or 0 if unknown; otherwise -errno, -ENOENT
 * if the directory is missing.
 */
int px_state_lock_take(const char *path, const struct px_state_lock *held,
		struct px_state_lock **ret_lock, pid_t *ret_pid);

/* NULL is fine. */
void px_state_lock_release(struct px_state_lock *lock);

#endif
