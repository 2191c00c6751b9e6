/* SPDX-License-Identifier: MIT */
/*
 * A file's state, to detect later whether it may have changed. Two writes within one tick of the
 * file system's clock have the same stamp: the caller must know how old a file must be before an
 * equal stamp means anything.
 */
#ifndef PX_FILE_STAMP_H
#define PX_FILE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* All zero: the file was not there. */
struct px_file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

struct px_file_stamp px_file_stamp_of(const struct stat *status);

bool px_file_stamp_equal(const struct px_file_stamp *a, const struct px_file_stamp *b);

#endif
