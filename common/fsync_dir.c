/* SPDX-License-Identifier: MIT */
/* See fsync_dir.h. */
#include "fsync_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int px_directory_sync(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 1;
	if (len >= sizeof(directory)) {
		return -ENAMETOOLONG;
	}
	memcpy(directory, slash ? path : ".", len);
	directory[len] = '\0';
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}
