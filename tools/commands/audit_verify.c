/* SPDX-License-Identifier: MIT */
/*
 * See audit_verify.h. It stops at the first bad line: what follows a break proves nothing any
 * more, and a list of a thousand consequences would hide the cause.
 */
#include "audit_verify.h"
#include "common/audit_chain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a live file's last line may take to become whole. */
#define PATIENCE_NS 100000000

#define IS_NOT_THE_LINE "it is line %" PRIu64 " of the audit log, line %" PRIu64 " should be here"

struct px_audit_verify {
	struct px_audit_verify_options options;
	FILE *out;
	struct px_audit_hasher *plain;
	struct px_audit_hasher *keyed[PX_AUDIT_VERIFY_KEYS_MAX];
	struct px_audit_hasher *hasher; /* the current file's; NULL before the first line */
	struct px_audit_position position;
	bool begun;
	bool found; /* options.contains */
	uint64_t lines;
	uint64_t gaps;
	uint64_t lost;
	const char *name; /* of the file being read */
	uint64_t number;  /* of its line */
};

int px_audit_verify_create(const struct px_audit_verify_options *options, FILE *out,
		struct px_audit_verify **ret_verify)
{
	struct px_audit_verify *verify = calloc(1, sizeof(*verify));
	if (!verify) {
		return -ENOMEM;
	}
	verify->options = *options;
	verify->out = out;
	px_audit_position_init(&verify->position);
	int rc = px_audit_hasher_create(px_span(""), &verify->plain);
	for (size_t i = 0; i < options->key_count && rc == 0; i++) {
		rc = px_audit_hasher_create(options->keys[i], &verify->keyed[i]);
	}
	if (rc < 0) {
		px_audit_verify_destroy(verify);
		return rc;
	}
	*ret_verify = verify;
	return 0;
}

void px_audit_verify_destroy(struct px_audit_verify *verify)
{
	if (!verify) {
		return;
	}
	px_audit_hasher_destroy(verify->plain);
	for (size_t i = 0; i < verify->options.key_count; i++) {
		px_audit_hasher_destroy(verify->keyed[i]);
	}
	free(verify);
}

PX_PRINTF(3, 4)
static int say(const struct px_audit_verify *verify, int code, const char *format, ...)
{
	va_list args;
	if (verify->number > 0) {
		fprintf(verify->out, "%s:%" PRIu64 ": ", verify->name, verify->number);
	}
	va_start(args, format);
	vfprintf(verify->out, format, args);
	va_end(args);
	fputc('\n', verify->out);
	return code;
}

/* Chooses how the file's lines are hashed. */
static int open_file(struct px_audit_verify *verify, const struct px_audit_line *line)
{
	struct px_audit_opening opening;
	int rc = px_audit_line_opening(line, &opening);
	if (rc == -EPROTO) {
		return say(verify, PX_AUDIT_BROKEN, "a format that this praxisctl does not know");
	}
	if (rc < 0) {
		return say(verify, PX_AUDIT_BROKEN,
				"this is not the first line of an audit log: earlier lines are missing");
	}
	if (px_audit_opening_fits(&opening, verify->plain)) {
		verify->hasher = verify->plain;
		if (verify->options.key_count > 0) {
			return say(verify, PX_AUDIT_BROKEN,
					"the file has no key: anybody could have written it");
		}
		return PX_AUDIT_GOOD;
	}
	for (size_t i = 0; i < verify->options.key_count; i++) {
		if (px_audit_opening_fits(&opening, verify->keyed[i])) {
			verify->hasher = verify->keyed[i];
			return PX_AUDIT_GOOD;
		}
	}
	if (opening.key_id.len == 0) {
		return say(verify, PX_AUDIT_BROKEN,
				"an algorithm that this praxisctl does not know");
	}
	return say(verify, PX_AUDIT_UNKNOWN, "the file needs the key %.*s: give it with --key-file",
			(int)opening.key_id.len, opening.key_id.data);
}

/* The first line of all has nothing before it, unless we were told what. */
static int check_begin(struct px_audit_verify *verify, const struct px_audit_line *line)
{
	const char *after = verify->options.after;
	if (line->seq == 1 && memcmp(line->prev, verify->position.hash, PX_AUDIT_HASH_LEN) != 0) {
		return say(verify, PX_AUDIT_BROKEN, "line 1 of the audit log refers to an earlier line");
	}
	if (after && memcmp(line->prev, after, PX_AUDIT_HASH_LEN) != 0) {
		return say(verify, PX_AUDIT_BROKEN,
				"this follows %.*s, not the line of --after",
				PX_AUDIT_HASH_LEN, line->prev);
	}
	if (line->seq > 1 && !after) {
		fprintf(verify->out, "%s: begins with line %" PRIu64 ", after %.*s\n", verify->name,
				line->seq, PX_AUDIT_HASH_LEN, line->prev);
	}
	verify->begun = true;
	return PX_AUDIT_GOOD;
}

static int check_link(struct px_audit_verify *verify, const struct px_audit_line *line)
{
	uint64_t expected = verify->position.seq + 1;
	if (!verify->begun) {
		return check_begin(verify, line);
	}
	if (line->seq > expected) {
		return say(verify, PX_AUDIT_BROKEN, "lines are missing before this one: "
				IS_NOT_THE_LINE, line->seq, expected);
	}
	if (line->seq < expected) {
		return say(verify, PX_AUDIT_BROKEN, "out of order, or repeated: "
				IS_NOT_THE_LINE, line->seq, expected);
	}
	if (memcmp(line->prev, verify->position.hash, PX_AUDIT_HASH_LEN) != 0) {
		return say(verify, PX_AUDIT_BROKEN,
				"it does not follow the line before, which was replaced");
	}
	return PX_AUDIT_GOOD;
}

static int note_gap(struct px_audit_verify *verify, const struct px_audit_line *line)
{
	uint64_t lost;
	struct px_span reason;
	if (!px_audit_line_gap(line, &lost, &reason)) {
		return PX_AUDIT_GOOD;
	}
	verify->gaps++;
	verify->lost += lost;
	return say(verify, verify->options.no_gaps ? PX_AUDIT_BROKEN : PX_AUDIT_GOOD,
			"gap: %" PRIu64 " entries lost (%.*s)", lost, (int)reason.len, reason.data);
}

static int check_line(struct px_audit_verify *verify, struct px_span text)
{
	struct px_audit_line line;
	if (px_audit_line_parse(text, &line) < 0) {
		return say(verify, PX_AUDIT_BROKEN, "this is not a line of an audit log");
	}
	/* Files may have been joined, so that a first line can come later. */
	if (verify->number == 1 || px_audit_line_is(&line, PX_AUDIT_OPENED)) {
		int code = open_file(verify, &line);
		if (code != PX_AUDIT_GOOD) {
			return code;
		}
	}
	int rc = px_audit_line_check(&line, verify->hasher);
	if (rc == -EBADMSG) {
		return say(verify, PX_AUDIT_BROKEN,
				"this line was changed: its hash does not match");
	}
	if (rc < 0) {
		return say(verify, PX_AUDIT_UNKNOWN, "libcrypto failed");
	}
	int code = check_link(verify, &line);
	if (code != PX_AUDIT_GOOD) {
		return code;
	}
	verify->lines++;
	verify->position.seq = line.seq;
	memcpy(verify->position.hash, line.hash, PX_AUDIT_HASH_LEN);
	const char *wanted = verify->options.contains;
	verify->found = verify->found || (wanted && strcmp(verify->position.hash, wanted) == 0);
	return note_gap(verify, &line);
}

/* A line that is being written while we read it gets a second chance. */
static int next_byte(FILE *file, bool *waited)
{
	int byte = getc_unlocked(file);
	if (byte == EOF && !*waited && !ferror(file) && fileno(file) >= 0) {
		const struct timespec patience = { .tv_nsec = PATIENCE_NS };
		*waited = true;
		clearerr(file);
		nanosleep(&patience, NULL);
		byte = getc_unlocked(file);
	}
	return byte;
}

/* 1: a line, without its newline; 0: the end. -ENODATA: without newline; -EMSGSIZE; -EIO. */
static int read_line(FILE *file, char *buf, struct px_span *ret_line)
{
	size_t len = 0;
	bool waited = false;
	int byte = getc_unlocked(file);
	if (byte == EOF) {
		return ferror(file) ? -EIO : 0;
	}
	while (byte != EOF && byte != '\n') {
		if (len == PX_AUDIT_LINE_MAX) {
			return -EMSGSIZE;
		}
		buf[len++] = (char)byte;
		byte = next_byte(file, &waited);
	}
	if (byte == EOF) {
		return ferror(file) ? -EIO : -ENODATA;
	}
	*ret_line = (struct px_span){ buf, len };
	return 1;
}

int px_audit_verify_read(struct px_audit_verify *verify, FILE *file, const char *name)
{
	char buf[PX_AUDIT_LINE_MAX];
	struct px_span text;
	int rc;
	int code = PX_AUDIT_GOOD;
	verify->name = name;
	verify->number = 1;
	while ((rc = read_line(file, buf, &text)) > 0) {
		code = check_line(verify, text);
		if (code != PX_AUDIT_GOOD) {
			return code;
		}
		verify->number++;
	}
	if (rc == -ENODATA) {
		return say(verify, PX_AUDIT_BROKEN, "incomplete line: the end is missing");
	}
	if (rc == -EMSGSIZE) {
		return say(verify, PX_AUDIT_BROKEN, "this is not a line of an audit log");
	}
	if (rc < 0) {
		return say(verify, PX_AUDIT_UNKNOWN, "cannot be read");
	}
	return PX_AUDIT_GOOD;
}

int px_audit_verify_end(struct px_audit_verify *verify)
{
	const struct px_audit_verify_options *options = &verify->options;
	const char *head = verify->position.hash;
	verify->number = 0;
	if (verify->lines == 0) {
		return say(verify, PX_AUDIT_BROKEN, "there are no lines");
	}
	if (options->expect_head && strcmp(options->expect_head, head) != 0) {
		return say(verify, PX_AUDIT_BROKEN, "the last line, %" PRIu64 ", is not the expected "
				"head: lines were removed or added; its hash is %s", verify->position.seq, head);
	}
	if (options->contains && !verify->found) {
		return say(verify, PX_AUDIT_BROKEN, "no line has the hash %s: lines were removed",
				options->contains);
	}
	say(verify, PX_AUDIT_GOOD, "The chain is complete: %" PRIu64 " lines up to line %" PRIu64 ", "
			"%s, head %s", verify->lines, verify->position.seq,
			px_audit_hasher_algorithm(verify->hasher), head);
	if (verify->gaps > 0) {
		say(verify, PX_AUDIT_GOOD, "It reports %" PRIu64 " gaps, in which %" PRIu64 " entries "
				"were lost", verify->gaps, verify->lost);
	}
	return PX_AUDIT_GOOD;
}
