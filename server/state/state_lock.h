/* SPDX-License-Identifier: MIT */
/*
 * One process per state file. Two that shared one would take up each other's sessions, and the last
 * to end would overwrite what the first has left. The lock is a file of its own beside the state
 * file, since that one is renamed and removed; it stays when the process ends and holds the
 * number of the process that locked it last.
 */
#ifndef PX_STATE_LOCK_H
#define PX_STATE_LOCK_H

#include <sys/types.h>

struct px_state_lock;

/*
 * Locks `path`.lock until px_state_lock_release() or the end of the process. `held`, which may be
 * NULL, is a lock of this process: where it is of the same file, *ret_lock is NULL and 0 returned.
 * -EBUSY: another process has it, whose number is *ret_pid, or 0 where that cannot be told; else
 * -errno, -ENOENT where the directory is missing.
 */
int px_state_lock_take(const char *path, const struct px_state_lock *held,
		struct px_state_lock **ret_lock, pid_t *ret_pid);

/* NULL is fine. */
void px_state_lock_release(struct px_state_lock *lock);

#endif
