/* SPDX-License-Identifier: MIT */
/*
 * A file of lines that is either whole or not there: written under another name, ended by a
 * line that counts and hashes all before it, and only then given its name. It holds patients'
 * data, so it is its owner's alone, when written and when read.
 *
 *   {"praxis-state":2,"version":"0.1.0","savedAt":1767225600000}
 *   …
 *   {"lines":12,"sha256":"…"}        of the bytes before this line
 */
#ifndef PX_STATE_FILE_H
#define PX_STATE_FILE_H

#include <praxis/types.h>

#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>

struct px_state_file {
	char path[PATH_MAX];
	char draft[PATH_MAX]; /* its name until it is whole */
	FILE *stream;
	EVP_MD_CTX *hash;
	uint64_t max_bytes;
	uint64_t bytes;
	uint64_t lines;
};

/*
 * Begins a draft with the first line, in place of one that was left lying about. -errno; then
 * nothing is to be ended.
 */
int px_state_file_begin(struct px_state_file *file, const char *path, uint64_t max_bytes,
		int64_t wall_ms);

/*
 * Adds a line, without its end, to the struct px_state_file that `user` is. -EFBIG: it would be
 * too long; else -errno.
 */
int px_state_file_line(void *user, struct px_span line);

/*
 * Ends it, with `rc` 0 by giving it its name when it is on the disk; else, or where that
 * fails, nothing is left of it. Returns rc, or -errno.
 */
int px_state_file_end(struct px_state_file *file, int rc);

/* What was read: all of the file, and where the lines are that are not of the frame. */
struct px_state_text {
	char *data; /* the caller's to free() */
	struct px_span lines;
	int64_t saved_ms;
};

/*
 * Reads and checks. -ENOENT: there is none; -EINVAL: it is not to be trusted or used, for the
 * reason in *ret_fault (a static sentence); else -errno.
 */
int px_state_file_read(const char *path, uint64_t max_bytes, struct px_state_text *ret_text,
		const char **ret_fault);

/* The next of the lines, cut off from them; false: there are no more. */
bool px_state_text_line(struct px_state_text *text, struct px_span *ret_line);

/* Gives a file another name, for good, whatever had it; -errno. */
int px_state_file_move(const char *path, const char *suffix_from, const char *suffix_to);

/* Takes it away for good; -ENOENT is no error here. */
int px_state_file_remove(const char *path, const char *suffix);

#endif
