/* SPDX-License-Identifier: MIT */
/*
 * See file_stamp.h. Not memcmp(): structs have padding.
 */
#include "file_stamp.h"

struct px_file_stamp px_file_stamp_of(const struct stat *status)
{
	return (struct px_file_stamp){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size = status->st_size,
		.modified = status->st_mtim,
		.changed = status->st_ctim,
	};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool px_file_stamp_equal(const struct px_file_stamp *a, const struct px_file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
			same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}
