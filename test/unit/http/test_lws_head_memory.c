/* SPDX-License-Identifier: MIT */
/*
 * Where lws stores heads: each piece is found by any byte of it for as long as it lives, and holds
 * nothing of what was in that memory before. This file has lws's lws_set_allocator(), and so what
 * lws would call.
 */
#include "http/lws_head_memory.h"

#include "run.h"

#include <check.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 4096

static void *(*allocator)(void *ptr, size_t size, const char *reason);

void lws_set_allocator(void *(*realloc)(void *ptr, size_t size, const char *reason))
{
	allocator = realloc;
}

static unsigned char *piece_of(size_t size)
{
	unsigned char *piece = allocator(NULL, size, "ah data");
	ck_assert_ptr_nonnull(piece);
	return piece;
}

static void let_go(void *piece)
{
	ck_assert_ptr_null(allocator(piece, 0, "lws_free"));
}

START_TEST(a_piece_is_found_by_any_byte_while_it_lives)
{
	size_t size = 0;
	unsigned char *piece = piece_of(PIECE_BYTES);
	unsigned char *other = piece_of(PIECE_BYTES);
	ck_assert_ptr_eq(px_head_memory_find(piece, &size), piece);
	ck_assert_uint_eq(size, PIECE_BYTES);
	ck_assert_ptr_eq(px_head_memory_find(piece + PIECE_BYTES - 1, &size), piece);
	ck_assert_ptr_eq(px_head_memory_find(other, &size), other);
	let_go(piece);
	ck_assert_ptr_null(px_head_memory_find(piece, &size));
	ck_assert_ptr_eq(px_head_memory_find(other, &size), other);
	let_go(other);
	ck_assert_ptr_null(px_head_memory_find(NULL, &size));
}
END_TEST

START_TEST(other_memory_is_not_kept_track_of)
{
	size_t size;
	void *other = allocator(NULL, PIECE_BYTES, "something else");
	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_null(px_head_memory_find(other, &size));
	other = allocator(other, 2 * PIECE_BYTES, "something else");
	ck_assert_ptr_null(px_head_memory_find(other, &size));
	let_go(other);
}
END_TEST

/* A head that is walked to its end is looked at behind it, too. */
START_TEST(a_piece_holds_nothing_of_what_was_before)
{
	static const unsigned char zeros[PIECE_BYTES];
	for (int i = 0; i < 100; i++) {
		unsigned char *piece = piece_of(PIECE_BYTES);
		ck_assert_mem_eq(piece, zeros, PIECE_BYTES);
		memset(piece, 'x', PIECE_BYTES);
		let_go(piece);
	}
}
END_TEST

RUN_TESTS_BETWEEN(px_head_memory_track, NULL, "lws_head_memory",
		a_piece_is_found_by_any_byte_while_it_lives, other_memory_is_not_kept_track_of,
		a_piece_holds_nothing_of_what_was_before);
