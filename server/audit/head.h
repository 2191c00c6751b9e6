/* SPDX-License-Identifier: MIT */
/*
 * The head of the audit log: the position of its last line, in a file beside it (PATH.head) that is
 * overwritten with every line. If the two differ, the audit log is right; the head is for what that
 * cannot tell: where the chain continues after the file was moved away while no server ran, and
 * that lines are missing at the end. Its lock survives rotation.
 *
 * It is not signed: whoever may write the audit log may write the head. The head that proves
 * something is the one in the log (docs/audit.md).
 */
#ifndef PX_AUDIT_HEAD_H
#define PX_AUDIT_HEAD_H

#include "common/audit_chain.h"

enum px_audit_head_state {
	PX_AUDIT_HEAD_NEW,     /* there was none */
	PX_AUDIT_HEAD_KNOWN,
	PX_AUDIT_HEAD_DAMAGED, /* its content is invalid */
};

struct px_audit_head {
	int fd; /* -1: closed */
	enum px_audit_head_state state;
	struct px_audit_position position; /* of the last line; of none if unknown */
};

/*
 * Opens or creates the head beside the audit log at `path`, locks it and reads it. -EBUSY: another
 * process has it; -errno of open() or read().
 */
int px_audit_head_open(struct px_audit_head *head, const char *path);

/* Closes it; safe on a closed one. */
void px_audit_head_close(struct px_audit_head *head);

/* Overwrites it. -errno of pwrite(): it is out of date from now on. */
int px_audit_head_put(struct px_audit_head *head, const struct px_audit_position *position);

#endif
