/* SPDX-License-Identifier: MIT */
/*
 * See scan.h. Messages are mostly strings, so these are read with a table of byte classes.
 * Recursion is limited by PX_SCAN_DEPTH.
 */
#include "scan.h"

#include <errno.h>
#include <praxis/hex.h>
#include <string.h>

enum byte_class {
	BYTE_PLAIN,
	BYTE_QUOTE,
	BYTE_BACKSLASH,
	BYTE_CONTROL,
	BYTE_HIGH,
};

/* The class of a byte within a string. Written as ranges: the table has 256 entries. */
static inline enum byte_class class_of(uint8_t byte)
{
	static const uint8_t classes[128] = {
		[0] = BYTE_CONTROL, [1] = BYTE_CONTROL, [2] = BYTE_CONTROL, [3] = BYTE_CONTROL,
		[4] = BYTE_CONTROL, [5] = BYTE_CONTROL, [6] = BYTE_CONTROL, [7] = BYTE_CONTROL,
		[8] = BYTE_CONTROL, [9] = BYTE_CONTROL, [10] = BYTE_CONTROL, [11] = BYTE_CONTROL,
		[12] = BYTE_CONTROL, [13] = BYTE_CONTROL, [14] = BYTE_CONTROL, [15] = BYTE_CONTROL,
		[16] = BYTE_CONTROL, [17] = BYTE_CONTROL, [18] = BYTE_CONTROL, [19] = BYTE_CONTROL,
		[20] = BYTE_CONTROL, [21] = BYTE_CONTROL, [22] = BYTE_CONTROL, [23] = BYTE_CONTROL,
		[24] = BYTE_CONTROL, [25] = BYTE_CONTROL, [26] = BYTE_CONTROL, [27] = BYTE_CONTROL,
		[28] = BYTE_CONTROL, [29] = BYTE_CONTROL, [30] = BYTE_CONTROL, [31] = BYTE_CONTROL,
		['"'] = BYTE_QUOTE, ['\\'] = BYTE_BACKSLASH,
	};
	return byte < 128 ? (enum byte_class)classes[byte] : BYTE_HIGH;
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

void px_scan_space(struct px_scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' ||
			*scan->at == '\n' || *scan->at == '\r')) {
		scan->at++;
	}
}

/* See table 3-7 of the Unicode standard. */
int px_scan_utf8(struct px_scan *scan)
{
	const uint8_t *p = scan->at;
	size_t left = (size_t)(scan->end - p);
	size_t len = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	if (*p < 0xc2 || *p > 0xf4 || left < len) {
		return -EINVAL;
	}
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	switch (*p) {
	case 0xe0: low = 0xa0; break; /* overlong */
	case 0xed: high = 0x9f; break; /* surrogates */
	case 0xf0: low = 0x90; break; /* overlong */
	case 0xf4: high = 0x8f; break; /* past U+10FFFF */
	default: break;
	}
	if (p[1] < low || p[1] > high) {
		return -EINVAL;
	}
	for (size_t i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf) {
			return -EINVAL;
		}
	}
	scan->at += len;
	return 0;
}

static int scan_escape(struct px_scan *scan)
{
	if (scan->end - scan->at < 2) {
		return -EINVAL;
	}
	switch (scan->at[1]) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		scan->at += 2;
		return 0;
	case 'u':
		break;
	default:
		return -EINVAL;
	}
	if (scan->end - scan->at < 6) {
		return -EINVAL;
	}
	for (size_t i = 2; i < 6; i++) {
		if (px_hex_digit((char)scan->at[i]) < 0) {
			return -EINVAL;
		}
	}
	scan->at += 6;
	return 0;
}

int px_scan_string(struct px_scan *scan, bool *ret_escaped)
{
	bool escaped = false;
	int rc = 0;
	scan->at++;
	while (scan->at < scan->end && rc == 0) {
		switch (class_of(*scan->at)) {
		case BYTE_PLAIN:
			scan->at++;
			break;
		case BYTE_QUOTE:
			scan->at++;
			*ret_escaped = escaped;
			return 0;
		case BYTE_BACKSLASH:
			escaped = true;
			rc = scan_escape(scan);
			break;
		case BYTE_HIGH:
			rc = px_scan_utf8(scan);
			break;
		case BYTE_CONTROL:
			return -EINVAL;
		}
	}
	return -EINVAL;
}

static int scan_digits(struct px_scan *scan)
{
	if (scan->at == scan->end || !is_digit(*scan->at)) {
		return -EINVAL;
	}
	while (scan->at < scan->end && is_digit(*scan->at)) {
		scan->at++;
	}
	return 0;
}

static int scan_number(struct px_scan *scan, enum px_kind *ret_kind)
{
	enum px_kind kind = PX_INTEGER;
	if (*scan->at == '-') {
		scan->at++;
	}
	if (scan->at < scan->end && *scan->at == '0') {
		scan->at++;
	} else if (scan_digits(scan) < 0) {
		return -EINVAL;
	}
	if (scan->at < scan->end && *scan->at == '.') {
		kind = PX_NUMBER;
		scan->at++;
		if (scan_digits(scan) < 0) {
			return -EINVAL;
		}
	}
	if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
		kind = PX_NUMBER;
		scan->at++;
		if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-')) {
			scan->at++;
		}
		if (scan_digits(scan) < 0) {
			return -EINVAL;
		}
	}
	*ret_kind = kind;
	return 0;
}

static int scan_word(struct px_scan *scan, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0) {
		return -EINVAL;
	}
	scan->at += len;
	return 0;
}

bool px_scan_has_nul(struct px_span raw)
{
	for (size_t i = 0; i + 5 < raw.len; i++) {
		if (raw.data[i] == '\\') {
			if (memcmp(raw.data + i, "\\u0000", 6) == 0) {
				return true;
			}
			i++;
		}
	}
	return false;
}

/* A member of an object, "name" : value. */
static int scan_member(struct px_scan *scan, unsigned depth)
{
	enum px_kind kind;
	bool escaped;
	if (scan->at == scan->end || *scan->at != '"') {
		return -EINVAL;
	}
	const char *start = (const char *)scan->at;
	int rc = px_scan_string(scan, &escaped);
	if (rc < 0) {
		return rc;
	}
	scan->nul_name |= escaped && px_scan_has_nul((struct px_span){ start,
		(size_t)((const char *)scan->at - start) });
	px_scan_space(scan);
	if (scan->at == scan->end || *scan->at != ':') {
		return -EINVAL;
	}
	scan->at++;
	px_scan_space(scan);
	return px_scan_value(scan, depth, &kind, &escaped);
}

/* An array or object from its bracket on; `depth` includes it. */
static int scan_container(struct px_scan *scan, unsigned depth, uint8_t closing)
{
	if (depth > PX_SCAN_DEPTH) {
		return -ELOOP;
	}
	scan->at++;
	px_scan_space(scan);
	if (scan->at < scan->end && *scan->at == closing) {
		scan->at++;
		return 0;
	}
	for (;;) {
		enum px_kind kind;
		bool escaped;
		int rc = closing == '}' ? scan_member(scan, depth) :
				px_scan_value(scan, depth, &kind, &escaped);
		if (rc < 0) {
			return rc;
		}
		px_scan_space(scan);
		if (scan->at == scan->end || (*scan->at != ',' && *scan->at != closing)) {
			return -EINVAL;
		}
		if (*scan->at++ == closing) {
			return 0;
		}
		px_scan_space(scan);
	}
}

int px_scan_value(struct px_scan *scan, unsigned depth, enum px_kind *ret_kind,
		bool *ret_escaped)
{
	*ret_escaped = false;
	if (scan->at == scan->end) {
		return -EINVAL;
	}
	switch (*scan->at) {
	case '"':
		*ret_kind = PX_STRING;
		return px_scan_string(scan, ret_escaped);
	case '{':
		*ret_kind = PX_OBJECT;
		return scan_container(scan, depth + 1, '}');
	case '[':
		*ret_kind = PX_ARRAY;
		return scan_container(scan, depth + 1, ']');
	case 't':
		*ret_kind = PX_BOOL;
		return scan_word(scan, "true");
	case 'f':
		*ret_kind = PX_BOOL;
		return scan_word(scan, "false");
	case 'n':
		*ret_kind = PX_NULL;
		return scan_word(scan, "null");
	default:
		return scan_number(scan, ret_kind);
	}
}
