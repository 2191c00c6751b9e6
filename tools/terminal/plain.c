/* SPDX-License-Identifier: MIT */
/* See plain.h. */
#include "plain.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

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

/* By the C library's table, whatever the locale of the process is: "C" in a container. */
static size_t width_of(uint32_t code)
{
	static locale_t unicode;
	if (!unicode) {
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	}
	locale_t before = unicode ? uselocale(unicode) : (locale_t)0;
	int width = wcwidth((wchar_t)code);
	if (before) {
		uselocale(before);
	}
	return width < 0 ? 1 : (size_t)width;
}

size_t px_plain_columns(const char *text)
{
	size_t columns = 0;
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		uint32_t code = 0;
		size_t size = decode((const unsigned char *)text + at, len - at, &code);
		columns += size == 0 ? 1 : width_of(code);
		at += size > 0 ? size : 1;
	}
	return columns;
}
