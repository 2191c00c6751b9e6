/* SPDX-License-Identifier: MIT */
/* What a stamp tells apart: each of its members counts, alone. */
#include "base/file_stamp.h"

#include "run.h"

#include <check.h>

static const struct stat status = {
	.st_dev = 1,
	.st_ino = 2,
	.st_size = 3,
	.st_mtim = { 4, 5 },
	.st_ctim = { 6, 7 },
};

START_TEST(is_equal_to_itself)
{
	struct px_file_stamp a = px_file_stamp_of(&status);
	struct px_file_stamp b = px_file_stamp_of(&status);
	ck_assert(px_file_stamp_equal(&a, &b));
	ck_assert_int_eq(a.modified.tv_sec, 4);
	ck_assert_int_eq(a.changed.tv_nsec, 7);
}
END_TEST

START_TEST(one_difference_is_enough)
{
	struct stat others[7];
	struct px_file_stamp a = px_file_stamp_of(&status);
	for (size_t i = 0; i < 7; i++) {
		others[i] = status;
	}
	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_mtim.tv_sec++;
	others[4].st_mtim.tv_nsec++;
	others[5].st_ctim.tv_sec++;
	others[6].st_ctim.tv_nsec++;
	for (size_t i = 0; i < 7; i++) {
		struct px_file_stamp b = px_file_stamp_of(&others[i]);
		ck_assert_msg(!px_file_stamp_equal(&a, &b), "member %zu", i);
		ck_assert_msg(!px_file_stamp_equal(&b, &a), "member %zu", i);
	}
}
END_TEST

RUN_TESTS("file_stamp", is_equal_to_itself, one_difference_is_enough);
