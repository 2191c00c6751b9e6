/* SPDX-License-Identifier: MIT */
/*
 * The run of plain bytes within a JSON string: no quote, no backslash, no control character, ASCII.
 * Nearly all of a message is such runs, so they are read 16 bytes at a time, by the vector types
 * of gcc and clang: SSE2 of every x86-64, NEON of every arm64. Never a byte beyond `end` is read,
 * since libwebsockets gives buffers of just a message's size: the last 15 bytes are read eight at
 * a time, then one by one.
 *
 * Without such types, or with PX_PLAIN_PORTABLE, a byte at a time. Unit tests and a fuzz target
 * compile both ways and compare them.
 *
 * Rejected: AVX2, chosen at start. Runs are short (a name has 4 to 14 bytes, a chat message some
 * 60, a line of SDP 30), so that 32 bytes at a time save one step in ten strings, and the choice
 * costs an indirect call in each.
 */
#ifndef PX_PLAIN_H
#define PX_PLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool px_is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

#if defined(__GNUC__) && !defined(PX_PLAIN_PORTABLE) && \
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && (defined(__SSE2__) || defined(__ARM_NEON))

#define PX_PLAIN_STEP 16

typedef int8_t px_bytes16 __attribute__((vector_size(16)));
typedef uint64_t px_halves16 __attribute__((vector_size(16)));

/* How many of 16 bytes are plain before the first that is not. */
static inline unsigned px_plain_16(const uint8_t *at)
{
	px_bytes16 bytes;
	memcpy(&bytes, at, sizeof(bytes));
	/* As signed numbers, bytes from 0x80 on are below 0x20, too. */
	px_bytes16 odd = (px_bytes16)((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
#ifdef __SSE2__
	typedef char chars16 __attribute__((vector_size(16)));
	return (unsigned)__builtin_ctz(1u << 16 | (unsigned)__builtin_ia32_pmovmskb128((chars16)odd));
#else
	px_halves16 halves = (px_halves16)odd;
	return halves[0] != 0 ? (unsigned)__builtin_ctzll(halves[0]) / 8 :
			halves[1] != 0 ? 8 + (unsigned)__builtin_ctzll(halves[1]) / 8 : 16;
#endif
}

/* The same for eight bytes, without vectors. */
static inline unsigned px_plain_8(const uint8_t *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t tops = UINT64_C(0x8080808080808080);
	uint64_t bytes;
	memcpy(&bytes, at, sizeof(bytes));
	/* The top bit of each byte that is odd; above the first one borrows may set more. */
	uint64_t quotes = bytes ^ ones * '"';
	uint64_t slashes = bytes ^ ones * '\\';
	uint64_t odd = (bytes | (bytes - ones * 0x20) | (quotes - ones) | (slashes - ones)) & tops;
	return odd != 0 ? (unsigned)__builtin_ctzll(odd) / 8 : 8;
}

#else

#define PX_PLAIN_STEP 1

#endif

/* The first byte from `at` on that is not plain; `end` if all are. */
static inline const uint8_t *px_plain_end(const uint8_t *at, const uint8_t *end)
{
#if PX_PLAIN_STEP > 1
	while (end - at >= 16) {
		unsigned plain = px_plain_16(at);
		at += plain;
		if (plain < 16) {
			return at;
		}
	}
	if (end - at >= 8) {
		unsigned plain = px_plain_8(at);
		at += plain;
		if (plain < 8) {
			return at;
		}
	}
#endif
	while (at < end && px_is_plain(*at)) {
		at++;
	}
	return at;
}

#endif
