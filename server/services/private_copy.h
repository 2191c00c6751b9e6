/* SPDX-License-Identifier: MIT */
/*
 * A plugin's file in memory of our own, to be loaded from there. Opened by the loader. It never
 * looks into the file.
 */
#ifndef PX_SERVICES_PRIVATE_COPY_H
#define PX_SERVICES_PRIVATE_COPY_H

#include <stdbool.h>
#include <stddef.h>

struct px_private_copy {
	int fd;        /* open for as long as what was loaded from it is; -1: none */
	bool in_place; /* there is no place to run a copy from: the file itself is open */
};

/*
 * Copies a regular file of at most 256 MiB. 0, and *ret_copy is the caller's until
 * px_private_copy_drop(); -EINVAL: it is not a regular file; -EFBIG; -errno of opening or reading.
 */
int px_private_copy_make(const char *path, struct px_private_copy *ret_copy);

/*
 * What this process, a fork included, passes to dlopen(): the name of the open descriptor, or
 * where the file is used in place `path`, the file's own.
 */
const char *px_private_copy_name(const struct px_private_copy *copy, const char *path, char *buf,
		size_t size);

void px_private_copy_drop(struct px_private_copy *copy);

#endif
