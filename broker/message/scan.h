/* SPDX-License-Identifier: MIT */
/*
 * The strict reading of JSON text (RFC 8259), without building anything from it.
 * include/praxis/envelope.h says why it stands beside json-c.
 */
#ifndef PX_SCAN_H
#define PX_SCAN_H

#include <praxis/envelope.h>

/* How deep arrays and objects may lie in each other; the outermost is the first. */
#define PX_SCAN_DEPTH 32

struct px_scan {
	const uint8_t *at;
	const uint8_t *end;
	bool nul_name; /* a name below the outermost object has U+0000 in it */
};

/*
 * Whether the inside of a string has U+0000 in it, which only an escape can say. For names: json-c
 * ends them there, so that "role\u0000" would be read as "role".
 */
bool px_scan_has_nul(struct px_span raw);

/* Skips white space. */
void px_scan_space(struct px_scan *scan);

/*
 * Reads over one value that begins at scan->at. -EINVAL: no such value there, with
 * scan->at near the place; -ELOOP: deeper than PX_SCAN_DEPTH. `depth` is the number of
 * arrays and objects around it.
 */
int px_scan_value(struct px_scan *scan, unsigned depth, enum px_kind *ret_kind,
		bool *ret_escaped);

/* The same for a string, which must begin with its quote. */
int px_scan_string(struct px_scan *scan, bool *ret_escaped);

/* Reads over one character of two to four bytes, which begins at scan->at. -EINVAL. */
int px_scan_utf8(struct px_scan *scan);

#endif
