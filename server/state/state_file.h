/* SPDX-License-Identifier: MIT */
/*
 * A file of lines that is either complete or missing: written under another name, ended by a line
 * with number and hash of the lines before it, and only then renamed. It contains patients' data,
 * so only its owner has access, when writing and when reading.
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
	char draft[PATH_MAX]; /* its name until it is complete */
	FILE *stream;
	EVP_MD_CTX *hash;
	uint64_t max_bytes;
	uint64_t bytes;
	uint64_t lines;
};

/*
 * Begins a draft with the first line, replacing an old one. -errno; then px_state_file_end() must
 * not be called.
 */
int px_state_file_begin(struct px_state_file *file, const char *path, uint64_t max_bytes,
		int64_t wall_ms);

/*
 * Adds a line, without its end, to the struct px_state_file that `user` is. -EFBIG: it would be
 * too long; else -errno.
 */
int px_state_file_line(void *user, struct px_span line);

/*
 * Ends it. `rc` 0: syncs and renames it; otherwise, or on failure, removes it. Returns rc, or
 * -errno.
 */
int px_state_file_end(struct px_state_file *file, int rc);

/* The file's content, and the lines between the first and the last. */
struct px_state_text {
	char *data; /* the caller's to free() */
	struct px_span lines;
	int64_t saved_ms;
};

/*
 * Reads and verifies. -ENOENT: there is none; -EINVAL: it cannot be trusted or used, *ret_fault
 * says why (a static sentence); otherwise -errno.
 */
int px_state_file_read(const char *path, uint64_t max_bytes, struct px_state_text *ret_text,
		const char **ret_fault);

/* The next line, removed from the others; false: no more. */
bool px_state_text_line(struct px_state_text *text, struct px_span *ret_line);

/* Renames a file, replacing another, and syncs; -errno. */
int px_state_file_move(const char *path, const char *suffix_from, const char *suffix_to);

/* Removes it, and syncs; -ENOENT is not an error. */
int px_state_file_remove(const char *path, const char *suffix);

#endif
