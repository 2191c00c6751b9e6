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

/* The same of standard input. */
int px_secret_read_input(struct px_span *ret_secret);

/*
 * The secret that praxisd checks tokens with: of the file, or where `path` is NULL of the first of
 * PRAXIS_TOKEN_SECRET (the secret itself), PRAXIS_TOKEN_SECRET_FILE and PRAXIS_SECRET_FILE that is
 * set and not empty. As px_secret_read(); *ret_path is the file, or NULL. -ENOENT with *ret_path
 * NULL: there is none of these.
 */
#define PX_SECRET_PLACES \
	"--secret-file, PRAXIS_TOKEN_SECRET, PRAXIS_TOKEN_SECRET_FILE or PRAXIS_SECRET_FILE"
int px_secret_find(const char *path, struct px_span *ret_secret, const char **ret_path);

/* Overwrites and frees it. Takes an empty one. */
void px_secret_free(struct px_span secret);

#endif
