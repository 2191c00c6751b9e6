/* SPDX-License-Identifier: MIT */
/* See standard_fds.h. The lowest number that is free is what open() gives. */
#include "standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int px_standard_fds_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
			return errno ? -errno : -EBADF;
		}
	}
	return 0;
}
