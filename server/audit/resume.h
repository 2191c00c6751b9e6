/* SPDX-License-Identifier: MIT */
/*
 * Where a trail goes on that is there already: after a restart, after a crash, after its file
 * was moved away. Only the ends are looked at, the first line and the last, so that a start
 * takes no longer with years of trail; the middle is what `praxisctl audit verify` is for.
 */
#ifndef PX_AUDIT_RESUME_H
#define PX_AUDIT_RESUME_H

#include "common/audit_chain.h"
#include "file.h"
#include "head.h"

struct px_audit_resumption {
	struct px_audit_position position; /* the next line follows this one */
	uint64_t cut;     /* bytes of half a line at the end */
	uint64_t missing; /* lines that the head knows and the file has not */
	bool newer;       /* the file has lines that the head does not know */
};

/*
 * Reads the file's ends; what is behind the last whole line is cut off with the next append.
 * -EBADMSG: the trail was damaged or changed; -EPROTO: it was written in another way (format,
 * algorithm or key); for both *ret_why is a sentence, static. -errno of reading.
 */
int px_audit_resume(struct px_audit_file *file, struct px_audit_hasher *hasher,
		const struct px_audit_head *head, struct px_audit_resumption *ret_resumption,
		const char **ret_why);

#endif
