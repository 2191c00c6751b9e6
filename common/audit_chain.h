/* SPDX-License-Identifier: MIT */
/*
 * The chain of the audit log (docs/audit.md): how a line's hash is made, and what a line
 * looks like to somebody who only checks. praxisd writes with it, praxisctl verifies with it.
 *
 * What is hashed are the bytes of the line, not the values in it. Hashing values asks for a
 * canonical JSON, and two programs that agree on its numbers and escapes; bytes need neither,
 * and anybody can verify an audit log with a dozen lines of any language.
 */
#ifndef PX_AUDIT_CHAIN_H
#define PX_AUDIT_CHAIN_H

#include <praxis/types.h>

#define PX_AUDIT_FORMAT 1
#define PX_AUDIT_HASH_LEN 64   /* lower case hex digits of a SHA-256 */
#define PX_AUDIT_KEY_ID_LEN 16
#define PX_AUDIT_LINE_MAX 8192 /* bytes, with the newline */

#define PX_AUDIT_OPENED "trail_opened" /* first line of every file */
#define PX_AUDIT_GAP "trail_gap"

/* A place in the chain: a line's number, and its hash, terminated. */
struct px_audit_position {
	uint64_t seq;
	char hash[PX_AUDIT_HASH_LEN + 1];
};

/* Before the first line: seq 0 and 64 zeros. */
void px_audit_position_init(struct px_audit_position *position);

/* Whether the span is PX_AUDIT_HASH_LEN lower case hex digits. */
bool px_audit_hash_is_valid(struct px_span text);

struct px_audit_hasher;

/*
 * SHA-256 if the key is empty, HMAC-SHA-256 else. The key is copied. -ENOMEM; -EIO: libcrypto
 * has neither.
 */
int px_audit_hasher_create(struct px_span key, struct px_audit_hasher **ret_hasher);
void px_audit_hasher_destroy(struct px_audit_hasher *hasher);

/* "sha256" or "hmac-sha256". Static. */
const char *px_audit_hasher_algorithm(const struct px_audit_hasher *hasher);

/* Tells keys apart without telling the key; "" where there is none. Lives with the hasher. */
const char *px_audit_hasher_key_id(const struct px_audit_hasher *hasher);

/*
 * The hash of a line: of `prev`, the PX_AUDIT_HASH_LEN digits of the line before, and the
 * line's bytes up to the `,"hash"`. -EIO: libcrypto failed.
 */
int px_audit_hash(struct px_audit_hasher *hasher, const char *prev, struct px_span body,
		char ret_hash[PX_AUDIT_HASH_LEN + 1]);

/* A line taken apart; everything points into it. */
struct px_audit_line {
	uint64_t seq;
	struct px_span event;
	struct px_span members; /* what stands between `event` and `prev`, with its first comma */
	struct px_span body;    /* what is hashed, apart from the hash before */
	const char *prev;       /* PX_AUDIT_HASH_LEN digits each */
	const char *hash;
};

/* `text` is without the newline. -EBADMSG: not a line of an audit log. */
int px_audit_line_parse(struct px_span text, struct px_audit_line *ret_line);

/* 0, or -EBADMSG: the line's hash is not the one that its bytes have. -EIO. */
int px_audit_line_check(const struct px_audit_line *line, struct px_audit_hasher *hasher);

bool px_audit_line_is(const struct px_audit_line *line, const char *event);

/* What a first line says about its file. */
struct px_audit_opening {
	struct px_span algorithm;
	struct px_span key_id; /* empty: without a key */
};

/* -EBADMSG: it is no first line. -EPROTO: of another format than PX_AUDIT_FORMAT. */
int px_audit_line_opening(const struct px_audit_line *line, struct px_audit_opening *ret_opening);

/* Whether the hasher is the one that a file of that opening was written with. */
bool px_audit_opening_fits(const struct px_audit_opening *opening,
		const struct px_audit_hasher *hasher);

/* What a trail_gap says: how many entries are lost, and why. False: it is none. */
bool px_audit_line_gap(const struct px_audit_line *line, uint64_t *ret_lost,
		struct px_span *ret_reason);

#endif
