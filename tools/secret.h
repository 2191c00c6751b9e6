/* SPDX-License-Identifier: MIT */
/*
 * Secrets from files, read as praxisd reads the values of its `…-file` keys, so that one file
 * serves both. There is no way to give one on a command line: others can read that in /proc.
 */
#ifndef PX_TOOLS_SECRET_H
#define PX_TOOLS_SECRET_H

#include <praxis/types.h>

/*
 * The bytes of the file without the line end at its end; for px_secret_free(). -ENODATA: there
 * are none; -EFBIG: over 64 KiB; -ENOMEM; -errno of opening and reading.
 */
int px_secret_read(const char *path, struct px_span *ret_secret);

/* Overwrites and frees it. Takes an empty one. */
void px_secret_free(struct px_span secret);

#endif
