/* SPDX-License-Identifier: MIT */
/* Directories, as far as files in them are to survive a power cut. */
#ifndef PX_DIRECTORY_H
#define PX_DIRECTORY_H

/*
 * Puts the directory of `path` on the disk: a file's new name, or that it has none any more,
 * is there only then. -errno.
 */
int px_directory_sync(const char *path);

#endif
