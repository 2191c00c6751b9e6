/* SPDX-License-Identifier: MIT */
/*
 * See resume.h. An incomplete line at the end can only come from a crash, and is the only damage
 * that is repaired here; anything else is for a person to examine.
 */
#include "resume.h"

#include <errno.h>
#include <string.h>

static int fail(int rc, const char *why, const char **ret_why)
{
	*ret_why = why;
	return rc;
}

/* The first line tells how the file was written. */
static int check_opening(const struct px_audit_file *file, const struct px_audit_hasher *hasher,
		char *buf, const char **ret_why)
{
	struct px_span text;
	struct px_audit_line line;
	struct px_audit_opening opening;
	int rc = px_audit_file_first_line(file, buf, &text);
	rc = rc < 0 ? rc : px_audit_line_parse(text, &line);
	rc = rc < 0 ? rc : px_audit_line_opening(&line, &opening);
	if (rc == -EPROTO) {
		return fail(rc, "it has another format", ret_why);
	}
	if (rc == -EBADMSG) {
		return fail(rc, "its first line is not that of an audit log", ret_why);
	}
	if (rc == 0 && !px_audit_opening_fits(&opening, hasher)) {
		return fail(-EPROTO, "its key differs from the configured one; move the file away to "
				"begin a new one", ret_why);
	}
	return rc;
}

static int read_last(const struct px_audit_file *file, struct px_audit_hasher *hasher, char *buf,
		struct px_audit_position *ret_position, const char **ret_why)
{
	struct px_span text;
	struct px_audit_line line;
	int rc = px_audit_file_last_line(file, buf, &text);
	rc = rc < 0 ? rc : px_audit_line_parse(text, &line);
	if (rc == -EBADMSG) {
		return fail(rc, "its last line is not that of an audit log", ret_why);
	}
	rc = rc < 0 ? rc : px_audit_line_check(&line, hasher);
	if (rc == -EBADMSG) {
		return fail(rc, "its last line was changed: its hash does not match", ret_why);
	}
	if (rc < 0) {
		return rc;
	}
	ret_position->seq = line.seq;
	memcpy(ret_position->hash, line.hash, PX_AUDIT_HASH_LEN);
	ret_position->hash[PX_AUDIT_HASH_LEN] = '\0';
	return 0;
}

/*
 * The head may be behind (it is not synced) or ahead (lines are missing), but must not contradict.
 */
static int compare(const struct px_audit_head *head, struct px_audit_resumption *resumption,
		const char **ret_why)
{
	const struct px_audit_position *last = &resumption->position;
	if (head->state != PX_AUDIT_HEAD_KNOWN) {
		resumption->newer = true;
	} else if (last->seq == head->position.seq) {
		if (strcmp(last->hash, head->position.hash) != 0) {
			return fail(-EBADMSG, "its last line is not the one that was last written: the file "
					"was rewritten", ret_why);
		}
	} else if (last->seq < head->position.seq) {
		resumption->missing = head->position.seq - last->seq;
	} else {
		resumption->newer = true;
	}
	return 0;
}

int px_audit_resume(struct px_audit_file *file, struct px_audit_hasher *hasher,
		const struct px_audit_head *head, struct px_audit_resumption *ret_resumption,
		const char **ret_why)
{
	char buf[PX_AUDIT_LINE_MAX];
	struct px_audit_resumption resumption = { .position = head->position };
	int rc = px_audit_file_find_end(file, &resumption.cut);
	if (rc == 0 && file->size > 0) {
		rc = check_opening(file, hasher, buf, ret_why);
		rc = rc < 0 ? rc : read_last(file, hasher, buf, &resumption.position, ret_why);
		rc = rc < 0 ? rc : compare(head, &resumption, ret_why);
	}
	if (rc == 0) {
		*ret_resumption = resumption;
	}
	return rc;
}
