/* SPDX-License-Identifier: MIT */
/*
 * The file under the audit log: bytes are appended whole or not at all, whatever the disk
 * says, and somebody else's doings with the file are noticed. It knows lines only as what
 * ends with a newline; what is in them is audit.c's business.
 */
#ifndef PX_AUDIT_FILE_H
#define PX_AUDIT_FILE_H

#include <praxis/types.h>
#include <sys/types.h>

struct px_audit_file {
	int fd;        /* -1: closed */
	uint64_t size; /* where the last whole line ends */
	bool ragged;   /* half a line may stand behind it, to be cut off before the next */
	dev_t device;
	ino_t inode;
};

/* What has become of an open file. */
enum px_audit_file_change {
	PX_AUDIT_FILE_SAME,
	PX_AUDIT_FILE_EMPTIED, /* logrotate's copytruncate, or somebody's */
	PX_AUDIT_FILE_ALTERED, /* shorter or longer than we left it */
	PX_AUDIT_FILE_DELETED, /* no path names it: what is written to it will be gone */
};

/*
 * Opens the file, or makes it (mode 0600; with `sync` its name is on the disk, too), and locks
 * it. -EBUSY: another process has the lock; -EINVAL: not a regular file; -errno of open().
 */
int px_audit_file_open(struct px_audit_file *file, const char *path, bool sync);

/* Closes it; safe on a closed one. */
void px_audit_file_close(struct px_audit_file *file);

/* Looks at it, and takes a foreign size for its own. -errno of fstat(). */
int px_audit_file_check(struct px_audit_file *file, enum px_audit_file_change *ret_change);

/*
 * Appends; with `sync` it is on the disk when this returns 0. On an error, a disk that filled
 * in the middle included, the file is what it was before.
 */
int px_audit_file_append(struct px_audit_file *file, struct px_span bytes, bool sync);

/* Whether the path names another file now, or none. */
bool px_audit_file_is_moved(const struct px_audit_file *file, const char *path);

/*
 * Finds the end of the last whole line, and takes it for the file's; what stands behind it is
 * cut off by the next append. *ret_cut: the bytes of that.
 */
int px_audit_file_find_end(struct px_audit_file *file, uint64_t *ret_cut);

/*
 * The first and the last whole line, without newline, into `buf` of PX_AUDIT_LINE_MAX bytes.
 * -EBADMSG: there is none, or a longer one.
 */
int px_audit_file_first_line(const struct px_audit_file *file, char *buf,
		struct px_span *ret_line);
int px_audit_file_last_line(const struct px_audit_file *file, char *buf,
		struct px_span *ret_line);

#endif
