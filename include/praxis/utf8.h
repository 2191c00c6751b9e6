/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 (RFC 3629), by table 3-7 of the Unicode standard: no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#ifndef PRAXIS_UTF8_H
#define PRAXIS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where the sequence ends that begins with the byte at `at`, which is 0x80 or more; nothing is read
 * from `end` on. NULL: it is no sequence, or not whole.
 */
static inline const uint8_t *px_utf8_end(const uint8_t *at, const uint8_t *end)
{
	size_t len = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
	if (*at < 0xc2 || *at > 0xf4 || (size_t)(end - at) < len) {
		return NULL;
	}
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	switch (*at) {
	case 0xe0: low = 0xa0; break; /* overlong */
	case 0xed: high = 0x9f; break; /* surrogates */
	case 0xf0: low = 0x90; break; /* overlong */
	case 0xf4: high = 0x8f; break; /* above U+10FFFF */
	default: break;
	}
	if (at[1] < low || at[1] > high) {
		return NULL;
	}
	for (size_t i = 2; i < len; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf) {
			return NULL;
		}
	}
	return at + len;
}

#endif
