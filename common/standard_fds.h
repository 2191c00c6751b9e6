/* SPDX-License-Identifier: MIT */
/*
 * Descriptors 0 to 2, which a program may be started without (`2>&-`). Whatever it opens next would
 * be one of them, and be written to, or closed, as if it were stderr: an epoll instance, a client.
 */
#ifndef PX_STANDARD_FDS_H
#define PX_STANDARD_FDS_H

/*
 * Opens /dev/null where one of them is closed; before anything else is opened. -errno: that cannot
 * be, and nothing is to be begun.
 */
int px_standard_fds_open(void);

#endif
