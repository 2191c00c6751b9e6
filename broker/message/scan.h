/* SPDX-License-Identifier: MIT */
/*
 * Strict validation of JSON text (RFC 8259) without building values. include/praxis/envelope.h says
 * why it exists beside json-c.
 */
#ifndef PX_SCAN_H
#define PX_SCAN_H

#include <praxis/envelope.h>

/* Maximum nesting of arrays and objects; the outermost is level 1. */
#define PX_SCAN_DEPTH 32

struct px_scan {
	const uint8_t *at;
	const uint8_t *end;
	bool nul_name; /* a nested name contains U+0000 */
};

/*
 * Whether the inside of a string contains an escaped U+0000. For names: json-c ends them there, so
 * that "role\u0000" would be read as "role".
 */
bool px_scan_has_nul(struct px_span raw);

/* Skips white space. Most messages have none. */
static inline void px_scan_space(struct px_scan *scan)
{
	while (scan->at < scan->end && *scan->at <= ' ' && (*scan->at == ' ' || *scan->at == '\t' ||
			*scan->at == '\n' || *scan->at == '\r')) {
		scan->at++;
	}
}

/*
 * Scans one value at scan->at. `depth` is the number of arrays and objects around it. -EINVAL: no
 * valid value, with scan->at near the fault; -ELOOP: nested deeper than PX_SCAN_DEPTH.
 */
int px_scan_value(struct px_scan *scan, unsigned depth, enum px_kind *ret_kind,
		bool *ret_escaped);

/* The same for a string, which must begin with its quote. */
int px_scan_string(struct px_scan *scan, bool *ret_escaped);

/* Scans one character of two to four bytes at scan->at. -EINVAL. */
int px_scan_utf8(struct px_scan *scan);

#endif
