/* SPDX-License-Identifier: MIT */
/*
 * Hexadecimal digits (RFC 4648 section 8). What Praxis makes (ids, secrets, hashes) is in lower
 * case, and is accepted only in lower case, so that each has one spelling; JSON and URLs accept
 * either case.
 */
#ifndef PRAXIS_HEX_H
#define PRAXIS_HEX_H

#include <stddef.h>
#include <stdint.h>

#define PX_HEX_DIGITS "0123456789abcdef"

/* 0 to 15; -1: not a lower-case digit. */
static inline int px_hex_lower(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The same, in either case. */
static inline int px_hex_digit(char c)
{
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : px_hex_lower(c);
}

/* Writes two digits for each byte, and the terminator: 2 * len + 1 bytes. */
static inline void px_hex_write(const uint8_t *bytes, size_t len, char *text)
{
	for (size_t i = 0; i < len; i++) {
		*text++ = PX_HEX_DIGITS[bytes[i] >> 4];
		*text++ = PX_HEX_DIGITS[bytes[i] & 15];
	}
	*text = '\0';
}

#endif
