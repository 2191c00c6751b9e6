/* SPDX-License-Identifier: MIT */
/*
 * Continuing an existing audit log: after a restart, after a crash, after its file was moved away.
 * Only the first and the last line are read, so that the duration of a start does not depend on the
 * size; `praxisctl audit verify` is for the rest.
 */
#ifndef PX_AUDIT_RESUME_H
#define PX_AUDIT_RESUME_H

#include "common/audit_chain.h"
#include "file.h"
#include "head.h"

struct px_audit_resumption {
	struct px_audit_position position; /* the next line follows this one */
	uint64_t cut;     /* length of an incomplete line at the end */
	uint64_t missing; /* lines that the head knows and the file lacks */
	bool newer;       /* the file has lines that the head does not know */
};

/*
 * Reads the file's ends; what follows the last whole line is truncated with the next append.
 * -EBADMSG: the audit log was damaged or changed; -EPROTO: it was written differently (format,
 * algorithm or key); for both, *ret_why is a sentence, static. -errno of reading.
 */
int px_audit_resume(struct px_audit_file *file, struct px_audit_hasher *hasher,
		const struct px_audit_head *head, struct px_audit_resumption *ret_resumption,
		const char **ret_why);

#endif
