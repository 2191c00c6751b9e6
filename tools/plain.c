/* SPDX-License-Identifier: MIT */
/*
 * See plain.h. An own table of widths and not wcwidth(), which knows nothing where the locale
 * is "C", as it is in a container or a cron job; the table is short, and a wrong width costs
 * a column, no more.
 */
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPED_PER_BYTE 4 /* \x1b; longer escapes stand for longer characters */

struct range {
	uint32_t first;
	uint32_t last;
};

/* Characters that are not seen, or that change how those around them are. */
static const struct range hidden[] = {
	{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

/* Marks that stand on the character before them. */
static const struct range marks[] = {
	{ 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x610, 0x61a }, { 0x64b, 0x65f },
	{ 0x93c, 0x93c }, { 0x94d, 0x94d }, { 0xe31, 0xe31 }, { 0xe34, 0xe3a }, { 0xe47, 0xe4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
};

/* Characters two columns wide: East Asian ones, and pictures. */
static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff },
	{ 0x20000, 0x3fffd },
};

#define IN(ranges, code) is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), code)

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= ranges[i].first && code <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

/* The character at the beginning of so many bytes; its length, or 0: it is none (RFC 3629). */
static size_t decode(const unsigned char *at, size_t len, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 :
			at[0] >> 3 == 30 ? 4 : 0;
	if (size == 0 || size > len) {
		return 0;
	}
	uint32_t code = size == 1 ? at[0] : at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if (at[i] >> 6 != 2) {
			return 0;
		}
		code = code << 6 | (at[i] & 0x3f);
	}
	bool surrogate = code >= 0xd800 && code <= 0xdfff;
	*ret_code = code;
	return code < least[size] || code > 0x10ffff || surrogate ? 0 : size;
}

char *px_plain(struct px_span text)
{
	char *plain = malloc(text.len * ESCAPED_PER_BYTE + 1);
	char *to = plain;
	size_t at = 0;
	while (plain && at < text.len) {
		const unsigned char *from = (const unsigned char *)text.data + at;
		uint32_t code = 0;
		size_t size = decode(from, text.len - at, &code);
		if (size == 0 || (size == 1 && IN(hidden, code))) {
			to += sprintf(to, "\\x%02x", from[0]);
		} else if (code == '\\') {
			to += sprintf(to, "\\\\");
		} else if (IN(hidden, code)) {
			to += sprintf(to, code > 0xffff ? "\\u{%x}" : "\\u%04x", (unsigned)code);
		} else {
			memcpy(to, from, size);
			to += size;
		}
		at += size > 0 ? size : 1;
	}
	if (plain) {
		*to = '\0';
	}
	return plain;
}

size_t px_plain_columns(const char *text)
{
	size_t columns = 0;
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		uint32_t code = 0;
		size_t size = decode((const unsigned char *)text + at, len - at, &code);
		columns += size == 0 ? 1 : IN(marks, code) ? 0 : IN(wide, code) ? 2 : 1;
		at += size > 0 ? size : 1;
	}
	return columns;
}
