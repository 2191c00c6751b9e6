/* SPDX-License-Identifier: MIT */
/*
 * RESP3, the protocol of Redis and Valkey, over bytes in memory (its specification:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/). Pure. What is read is not copied,
 * and what a server announces is not allocated: a value is looked at once all of it is there.
 *
 * Rejected: hiredis. Debian 12 has 0.14.1, which knows no RESP3, so that commands and subscriptions
 * would need a connection each; and it allocates an array as large as announced: 13 bytes make it
 * reserve 800 MB.
 */
#ifndef PX_REDIS_RESP_H
#define PX_REDIS_RESP_H

#include <praxis/types.h>
#include <sys/types.h>

/* Of one value: arrays within arrays, values in all, bytes in all. */
#define PX_RESP_DEPTH 8
#define PX_RESP_VALUES (4 * 1024 * 1024)
#define PX_RESP_BYTES (256 * 1024 * 1024)

/* How far a value was read, so that no byte is looked at twice. Zeroed: nothing of it. */
struct px_resp_scan {
	size_t at;
	unsigned depth;
	uint32_t values;
	uint64_t left[PX_RESP_DEPTH + 1]; /* values that are missing, for each open array */
};

/*
 * Looks for the end of the value that begins at `data`, which is the same as in the calls before,
 * with more of it. Its length in bytes, and the scan is zeroed for the next; 0: there must be more
 * bytes; -EBADMSG: it is no RESP3, or beyond a limit.
 */
ssize_t px_resp_scan(struct px_resp_scan *scan, const char *data, size_t len);

enum px_resp_type {
	PX_RESP_END,   /* there is nothing more */
	PX_RESP_TEXT,  /* strings, and numbers that are no integers */
	PX_RESP_ERROR,
	PX_RESP_INT,
	PX_RESP_NULL,
	PX_RESP_ARRAY, /* sets and maps, too: of a map, keys and values in turn */
	PX_RESP_PUSH,  /* an array that answers nothing */
};

struct px_resp_value {
	enum px_resp_type type;
	struct px_span text; /* of TEXT and ERROR */
	int64_t number;      /* of INT */
	uint64_t count;      /* of ARRAY and PUSH: values that follow */
};

/* What is left to be read of a value that px_resp_scan() has found. */
struct px_resp {
	const char *at;
	const char *end;
};

/* The next value; of an array, its head. */
struct px_resp_value px_resp_next(struct px_resp *resp);

/* The next value, whatever is in it, is passed over. */
void px_resp_skip(struct px_resp *resp);

/* The next value as a text; empty if it is something else. */
struct px_span px_resp_text(struct px_resp *resp);

/* The next value as a number: an integer, or digits. False: it is something else, or negative. */
bool px_resp_number(struct px_resp *resp, uint64_t *ret_number);

/* "-WRONGTYPE Operation …": whether that is the first word of an error. */
bool px_resp_is_error(struct px_span error, const char *code);

/* Digits alone, of at most 19; false: it is no number. */
bool px_resp_digits(struct px_span text, uint64_t *ret_number);

/* ---- commands ---- */

/* Bytes to be sent. Zeroed: none. A failed allocation is remembered. */
struct px_resp_out {
	char *data;
	size_t len;
	size_t size;
	bool failed;
};

/* A command of that many arguments, its name included; they follow. */
void px_resp_command(struct px_resp_out *out, size_t count);
void px_resp_put(struct px_resp_out *out, struct px_span text);
void px_resp_put_number(struct px_resp_out *out, uint64_t number);

/* A command of words that are separated by one blank each. */
void px_resp_words(struct px_resp_out *out, const char *words);

void px_resp_out_finish(struct px_resp_out *out);

#endif
