/* SPDX-License-Identifier: MIT */
/*
 * base64url to bytes. Not in constant time: a secret passes here only while its key set is
 * read, and what clients send is no secret to them.
 */
#include "base64url.h"

#include <errno.h>

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int px_base64url_decode(struct px_span text, uint8_t *bytes, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t len = 0;
	if (text.len % 4 == 1) {
		return -EINVAL;
	}
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.data[i]);
		if (value < 0) {
			return -EINVAL;
		}
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			bytes[len++] = (uint8_t)(bits >> held);
			bits &= (1U << held) - 1;
		}
	}
	if (bits != 0) {
		return -EINVAL;
	}
	*ret_len = len;
	return 0;
}
