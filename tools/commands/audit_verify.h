/* SPDX-License-Identifier: MIT */
/*
 * `praxisctl audit verify`: reads files of an audit log as one chain (docs/audit.md), and
 * names the first line that does not belong. Line by line, so that the size of a log does
 * not matter; and apart from files and options, so that the tests can feed it bytes.
 */
#ifndef PX_AUDIT_VERIFY_H
#define PX_AUDIT_VERIFY_H

#include <praxis/types.h>
#include <stdio.h>

#define PX_AUDIT_VERIFY_KEYS_MAX 16

/* Exit codes. */
#define PX_AUDIT_GOOD 0
#define PX_AUDIT_BROKEN 1
#define PX_AUDIT_UNKNOWN 2 /* could not be read, or not without another key */

/* What is asked beyond the chain itself; zeros ask for nothing. Hashes are 64 hex digits. */
struct px_audit_verify_options {
	struct px_span keys[PX_AUDIT_VERIFY_KEYS_MAX]; /* with any, no file without is good */
	size_t key_count;
	const char *after;       /* hash of the line before the first */
	const char *expect_head; /* hash of the last line */
	const char *contains;    /* hash of any line */
	bool no_gaps;            /* a trail_gap is a fault */
};

struct px_audit_verify;

/* Verdicts go to `out`. The options are copied, the hashes and `out` are not. -ENOMEM, -EIO. */
int px_audit_verify_create(const struct px_audit_verify_options *options, FILE *out,
		struct px_audit_verify **ret_verify);
void px_audit_verify_destroy(struct px_audit_verify *verify);

/* The next file of the chain. PX_AUDIT_GOOD, or what the verdict is and stays. */
int px_audit_verify_read(struct px_audit_verify *verify, FILE *file, const char *name);

/* What can be told at the end only; the same codes. */
int px_audit_verify_end(struct px_audit_verify *verify);

#endif
