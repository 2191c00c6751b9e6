/* SPDX-License-Identifier: MIT */
/*
 * Which state of a file it was, to know later whether it may have changed. Two writes within a tick
 * of the file system's clock leave the same stamp: how long a file must have been left alone before
 * an equal stamp means anything is the caller's to know.
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
