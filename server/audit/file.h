/* SPDX-License-Identifier: MIT */
/*
 * The file of the audit log: appends bytes whole or not at all, whatever the disk does, and detects
 * changes by others. A line is whatever ends with a newline; its content is audit.c's.
 */
#ifndef PX_AUDIT_FILE_H
#define PX_AUDIT_FILE_H

#include <praxis/types.h>
#include <sys/types.h>

struct px_audit_file {
	int fd;        /* -1: closed */
	uint64_t size; /* where the last whole line ends */
	bool ragged;   /* an incomplete line may follow, to be truncated before the next one */
	dev_t device;
	ino_t inode;
};

/* What happened to an open file. */
enum px_audit_file_change {
	PX_AUDIT_FILE_SAME,
	PX_AUDIT_FILE_EMPTIED, /* by logrotate's copytruncate, or others */
	PX_AUDIT_FILE_ALTERED, /* shorter or longer than it was left */
	PX_AUDIT_FILE_DELETED, /* no path leads to it: what is written will be lost */
};

/*
 * Opens or creates the file (mode 0600; with `sync`, its directory entry is on disk) and locks it.
 * -EBUSY: another process has the lock; -EINVAL: not a regular file; -errno of open().
 */
int px_audit_file_open(struct px_audit_file *file, const char *path, bool sync);

/* Closes it; no effect on a closed one. */
void px_audit_file_close(struct px_audit_file *file);

/* Checks the file, and adopts a changed size. -errno of fstat(). */
int px_audit_file_check(struct px_audit_file *file, enum px_audit_file_change *ret_change);

/*
 * Appends; with `sync`, it is on disk when this returns 0. On an error, such as a full disk, the
 * file is unchanged.
 */
int px_audit_file_append(struct px_audit_file *file, struct px_span bytes, bool sync);

/* Whether the path leads to another file now, or to none. */
bool px_audit_file_is_moved(const struct px_audit_file *file, const char *path);

/*
 * Finds the end of the last whole line, and makes it the file's end; the next append truncates what
 * follows. *ret_cut: its length.
 */
int px_audit_file_find_end(struct px_audit_file *file, uint64_t *ret_cut);

/*
 * Reads the first and the last whole line, without newline, into `buf` of PX_AUDIT_LINE_MAX bytes.
 * -EBADMSG: there is none, or a longer one.
 */
int px_audit_file_first_line(const struct px_audit_file *file, char *buf,
		struct px_span *ret_line);
int px_audit_file_last_line(const struct px_audit_file *file, char *buf,
		struct px_span *ret_line);

#endif
