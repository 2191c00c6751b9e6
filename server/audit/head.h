/* SPDX-License-Identifier: MIT */
/*
 * The head of the audit log: which line is the last, in a file beside it (PATH.head) that is
 * overwritten with every line. Of the two the trail is right; the head is for what the trail
 * cannot tell: where the chain goes on after the file was moved away while no server ran, and
 * that lines are gone from the end. Its lock is the one that survives rotation.
 *
 * It is not signed. Who may write here may also write there; the head that proves something is
 * the one in the log (docs/audit.md).
 */
#ifndef PX_AUDIT_HEAD_H
#define PX_AUDIT_HEAD_H

#include "common/audit_chain.h"

enum px_audit_head_state {
	PX_AUDIT_HEAD_NEW,     /* there was none */
	PX_AUDIT_HEAD_KNOWN,
	PX_AUDIT_HEAD_DAMAGED, /* there was something else */
};

struct px_audit_head {
	int fd; /* -1: closed */
	enum px_audit_head_state state;
	struct px_audit_position position; /* of the last line; before the first if not known */
};

/*
 * Opens or makes the head beside the trail at `path`, locks it and reads it. -EBUSY: another
 * process has it; -errno of open() or read().
 */
int px_audit_head_open(struct px_audit_head *head, const char *path);

/* Closes it; safe on a closed one. */
void px_audit_head_close(struct px_audit_head *head);

/* Overwrites it. -errno of pwrite(): it is behind from now on. */
int px_audit_head_put(struct px_audit_head *head, const struct px_audit_position *position);

#endif
