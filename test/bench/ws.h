/* SPDX-License-Identifier: MIT */
/*
 * The part of RFC 6455 that both ends of the benchmark need: the accept key, frame headers,
 * masking.
 *
 * The frame functions are inline because they run once a delivery: the floor must not be slowed by
 * a call that Praxis does not make. Nothing here judges a frame; who receives it does (the load
 * client refuses what a server may not send, the floor only what it cannot forward).
 */
#ifndef BENCH_WS_H
#define BENCH_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WS_ACCEPT_CHARS 28
#define WS_HEADER_MAX 14
#define WS_FIN 0x80
#define WS_RSV 0x70

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct ws_frame {
	uint8_t first_byte; /* FIN, RSV and opcode */
	bool masked;
	uint8_t mask[4];
	size_t header_bytes;
	uint64_t payload_bytes;
};

/* The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key, NUL-terminated. */
void ws_accept(const char *key, size_t key_chars, char accept[WS_ACCEPT_CHARS + 1]);

/* Finds "Name: value" in a NUL-terminated HTTP head; NULL or the value, its length in ret_chars. */
const char *ws_header_find(const char *head, const char *name, size_t *ret_chars);

/* False: the header is not there whole yet. */
static inline bool ws_frame_decode(const uint8_t *at, size_t bytes, struct ws_frame *ret_frame)
{
	size_t extended, need;

	if (bytes < 2) {
		return false;
	}
	ret_frame->first_byte = at[0];
	ret_frame->masked = (at[1] & 0x80) != 0;
	ret_frame->payload_bytes = at[1] & 0x7f;
	extended = ret_frame->payload_bytes == 126 ? 2 : ret_frame->payload_bytes == 127 ? 8 : 0;
	need = 2 + extended + (ret_frame->masked ? 4 : 0);
	if (bytes < need) {
		return false;
	}
	if (extended > 0) {
		ret_frame->payload_bytes = 0;
		for (size_t i = 0; i < extended; i++) {
			ret_frame->payload_bytes = ret_frame->payload_bytes << 8 | at[2 + i];
		}
	}
	if (ret_frame->masked) {
		memcpy(ret_frame->mask, at + need - 4, 4);
	}
	ret_frame->header_bytes = need;
	return true;
}

/* How many bytes the header of an unmasked frame has. */
static inline size_t ws_header_bytes(size_t payload_bytes)
{
	return payload_bytes < 126 ? 2 : payload_bytes <= UINT16_MAX ? 4 : 10;
}

/* Writes the header of a whole (FIN) frame; with `mask`, a masked one. Returns its length. */
static inline size_t ws_header_encode(
		uint8_t *out, enum ws_opcode opcode, size_t payload_bytes, const uint8_t *mask)
{
	size_t bytes = ws_header_bytes(payload_bytes);
	uint64_t rest = payload_bytes;

	out[0] = (uint8_t)(WS_FIN | opcode);
	out[1] = (uint8_t)(bytes == 2 ? payload_bytes : bytes == 4 ? 126 : 127);
	for (size_t i = bytes; i > 2; i--) {
		out[i - 1] = (uint8_t)rest;
		rest >>= 8;
	}
	if (mask != NULL) {
		out[1] |= 0x80;
		memcpy(out + bytes, mask, 4);
		bytes += 4;
	}
	return bytes;
}

/* Masks or unmasks in place, 16 bytes at a time: in pairs it is a third of what the floor does. */
static inline void ws_mask(uint8_t *data, size_t bytes, const uint8_t mask[4])
{
	typedef uint32_t vector __attribute__((vector_size(16)));
	uint32_t word, four;
	vector wide, at;
	size_t i = 0;

	memcpy(&word, mask, 4);
	wide = (vector){ word, word, word, word };
	for (; i + 16 <= bytes; i += 16) {
		memcpy(&at, data + i, 16);
		at ^= wide;
		memcpy(data + i, &at, 16);
	}
	for (; i + 4 <= bytes; i += 4) {
		memcpy(&four, data + i, 4);
		four ^= word;
		memcpy(data + i, &four, 4);
	}
	for (; i < bytes; i++) {
		data[i] ^= mask[i & 3];
	}
}

#endif
