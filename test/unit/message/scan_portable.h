/* SPDX-License-Identifier: MIT */
/*
 * The scan compiled a second time, without vectors, to be compared with the first; and the
 * comparison, which aborts where they differ.
 */
#ifndef SCAN_PORTABLE_H
#define SCAN_PORTABLE_H

#include "message/scan.h"

int portable_scan_value(struct px_scan *scan, unsigned depth, enum px_kind *ret_kind,
		bool *ret_escaped);
int portable_scan_string(struct px_scan *scan, bool *ret_escaped);

/* Scans the text as a value and, where it begins with a quote, as a string; in both ways. */
void compare_scans(const uint8_t *text, size_t len);

#endif
