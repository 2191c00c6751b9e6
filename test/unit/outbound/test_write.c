/* SPDX-License-Identifier: MIT */
/*
 * The way out: how frames are put together, what waits for a full transport, failed writes,
 * and who is too slow a reader, which only one whose transport is full can be.
 */
#include "core/session.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t closes(const struct fake *fake, enum px_close code)
{
	struct px_stats stats = fake_stats(fake);
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		if (px_close_code(i) == code) {
			return stats.closes[i];
		}
	}
	return 0;
}

START_TEST(a_turns_frames_leave_in_one_write)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	uint64_t before = conn->writes;
	for (unsigned i = 0; i < 16; i++) {
		fake_give(conn, i, 100);
	}
	ck_assert_uint_eq(conn->writes, before);
	fake_turn(fake);
	ck_assert_uint_eq(conn->writes, before + 1);
	for (unsigned i = 0; i < 16; i++) {
		char pattern[32];
		(void)snprintf(pattern, sizeof(pattern), "{'n':%u}", i);
		fake_expect(conn, pattern);
	}
	fake_expect_nothing(conn);
	fake_turn(fake);
	ck_assert_uint_eq(conn->writes, before + 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(large_messages_keep_their_order)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	static const size_t sizes[] = { 10, 65400, 10, 65536, 200000, 10, 30000, 30000, 30000, 10 };
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fake_give(conn, i, sizes[i]);
	}
	fake_turn(fake);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char pattern[32];
		(void)snprintf(pattern, sizeof(pattern), "{'n':%u}", i);
		const char *pad = fake_member(fake_expect(conn, pattern), "pad");
		ck_assert_uint_eq(strlen(pad), sizes[i]);
	}
	fake_expect_nothing(conn);
	ck_assert_uint_eq(fake_stats(fake).queue_bytes, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(what_is_not_taken_waits_its_turn)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	conn->busy_after = 1;
	for (unsigned i = 0; i < 40; i++) {
		fake_give(conn, i, 10000);
	}
	fake_turn(fake);
	ck_assert(conn->busy);
	ck_assert_uint_gt(fake_stats(fake).queue_bytes, 0);
	uint64_t written = conn->bytes;
	fake_turn(fake);
	ck_assert_uint_eq(conn->bytes, written);
	while (conn->busy) {
		conn->busy_after = 1;
		fake_unblock(conn);
		fake_turn(fake);
		if (fake_stats(fake).queue_bytes == 0) {
			conn->busy = false;
		}
	}
	for (unsigned i = 0; i < 40; i++) {
		char pattern[32];
		(void)snprintf(pattern, sizeof(pattern), "{'n':%u}", i);
		fake_expect(conn, pattern);
	}
	fake_expect_nothing(conn);
	/* Being told once too often does nothing. */
	px_session_writable(conn->session);
	fake_turn(fake);
	fake_destroy(fake);
}
END_TEST

/* A turn over its budget: eight sessions at a time, first come first served. */
START_TEST(a_long_turn_is_cut)
{
	enum { COUNT = 30 };
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conns[COUNT];
	for (unsigned i = 0; i < COUNT; i++) {
		conns[i] = fake_open(fake, WHO(0));
	}
	fake->over_budget = true;
	for (unsigned i = 0; i < COUNT; i++) {
		fake_give(conns[i], 1, 10);
		fake_give(conns[i], 2, 10);
	}
	ck_assert(fake_turn(fake));
	ck_assert_uint_eq(fake_stats(fake).turns_cut, 1);
	for (unsigned i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(conns[i]->frame_count - conns[i]->next_frame, i < 8 ? 2 : 0);
	}
	/* Who has been served goes to the end of the list, who has not stays where he is. */
	fake_give(conns[0], 3, 10);
	fake_give(conns[8], 3, 10);
	ck_assert(fake_turn(fake));
	ck_assert_uint_eq(conns[8]->frame_count - conns[8]->next_frame, 3);
	ck_assert_uint_eq(conns[0]->frame_count - conns[0]->next_frame, 2);
	ck_assert(fake_turn(fake));
	ck_assert(!fake_turn(fake));
	for (unsigned i = 0; i < COUNT; i++) {
		fake_expect(conns[i], "{'n':1}");
		fake_expect(conns[i], "{'n':2}");
		if (i == 0 || i == 8) {
			fake_expect(conns[i], "{'n':3}");
		}
		fake_expect_nothing(conns[i]);
	}
	fake->over_budget = false;
	fake_destroy(fake);
}
END_TEST

/* Its goodbye does not overtake what is queued, and does not wait for its place in the list. */
START_TEST(who_is_closed_in_a_long_turn_gets_all_first)
{
	enum { COUNT = 20 };
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conns[COUNT];
	for (unsigned i = 0; i < COUNT; i++) {
		conns[i] = fake_open(fake, WHO(0));
	}
	fake->over_budget = true;
	for (unsigned i = 0; i < COUNT; i++) {
		fake_give(conns[i], 1, 10);
	}
	px_session_close(conns[COUNT - 1]->session, PX_CLOSE_NORMAL);
	ck_assert(fake_turn(fake));
	fake_expect(conns[COUNT - 1], "{'n':1}");
	ck_assert_int_eq(conns[COUNT - 1]->close_code, PX_CLOSE_NORMAL);
	fake_expect_nothing(conns[COUNT - 2]);
	while (fake_turn(fake)) {
	}
	fake_expect(conns[COUNT - 2], "{'n':1}");
	/* All are lost at once, and freed bit by bit. */
	for (unsigned i = 0; i < COUNT; i++) {
		fake_lose(conns[i]);
	}
	ck_assert(fake_turn(fake));
	ck_assert_uint_gt(fake_stats(fake).sessions, 0);
	while (fake_turn(fake)) {
	}
	ck_assert_uint_eq(fake_stats(fake).sessions, 0);
	fake->over_budget = false;
	fake_destroy(fake);
}
END_TEST

START_TEST(a_failed_write_is_the_end)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	b->fails = true;
	for (unsigned i = 0; i < 100; i++) {
		fake_give(b, i, 5000);
	}
	fake_turn(fake);
	ck_assert(b->failed);
	ck_assert_uint_eq(fake_stats(fake).queue_bytes, 0);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 0);
	/* Nothing more is tried until the transport says that it is lost. */
	fake_give(b, 100, 10);
	fake_send(b, "{\"type\":\"ping\"}");
	px_session_writable(b->session);
	fake_turn(fake);
	fake_expect_nothing(a);
	fake_advance(fake, 200000);
	fake_turn(fake);
	fake_settle(fake);
	ck_assert_uint_eq(fake_stats(fake).sessions, 1);
	fake_destroy(fake);
}
END_TEST

/* ---- slow readers ---- */

START_TEST(a_burst_makes_no_slow_reader)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 10000;
	struct fake *fake = fake_create(&limits);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	for (unsigned i = 0; i < 100; i++) {
		fake_give(conn, i, 1000);
		ck_assert_uint_le(fake_stats(fake).queue_bytes, 10000);
	}
	/* One message may be larger than the limit all by itself. */
	fake_give(conn, 100, 20000);
	fake_give(conn, 101, 20000);
	fake_turn(fake);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	for (unsigned i = 0; i < 102; i++) {
		char pattern[32];
		(void)snprintf(pattern, sizeof(pattern), "{'n':%u}", i);
		fake_expect(conn, pattern);
	}
	fake_destroy(fake);
}
END_TEST

START_TEST(a_slow_reader_is_told)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 10000;
	struct fake *fake = fake_create(&limits);
	struct fake_conn *slow = fake_open(fake, WHO(0));
	struct fake_conn *quick = fake_open(fake, WHO(0));
	slow->busy = true;
	for (unsigned i = 0; i < 9; i++) {
		fake_give(slow, i, 1000);
		fake_turn(fake);
	}
	ck_assert_uint_eq(slow->session->phase, PX_SESSION_OPEN);
	ck_assert_uint_eq(fake_stats(fake).slow_readers, 0);
	fake_give(slow, 9, 1000);
	ck_assert_uint_eq(fake_stats(fake).slow_readers, 1);
	ck_assert_uint_eq(fake_stats(fake).queue_bytes, 0);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 0);
	ck_assert_uint_eq(closes(fake, PX_CLOSE_SLOW), 1); /* whether or not it will be told */
	fake_give(slow, 10, 10);
	fake_turn(fake);
	/* Its socket is full: a close frame must wait until it is not. */
	ck_assert_int_eq(slow->close_code, FAKE_OPEN);
	fake_unblock(slow);
	fake_turn(fake);
	ck_assert_int_eq(slow->close_code, PX_CLOSE_SLOW);
	fake_expect_nothing(slow);
	ck_assert_uint_eq(closes(fake, PX_CLOSE_SLOW), 1);
	fake_settle(fake);
	ck_assert_int_eq(quick->close_code, FAKE_OPEN);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_slow_reader_has_its_last_chance)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *late = fake_open(fake, WHO(0));
	struct fake_conn *gone = fake_open(fake, WHO(0));
	late->busy = gone->busy = true;
	fake_give(late, 1, 10);
	fake_give(gone, 1, 10);
	px_session_close(late->session, PX_CLOSE_NORMAL);
	px_session_close(gone->session, PX_CLOSE_NORMAL);
	fake_turn(fake);
	fake_advance(fake, 4999);
	fake_turn(fake);
	ck_assert_int_eq(late->close_code, FAKE_OPEN);
	/* In time, but not for all of it: the rest is waited for, not longer. */
	late->busy_after = 1;
	fake_unblock(late);
	fake_turn(fake);
	ck_assert_int_eq(late->close_code, FAKE_OPEN);
	fake_expect(late, "{'n':1}");
	fake_unblock(late);
	fake_turn(fake);
	ck_assert_int_eq(late->close_code, PX_CLOSE_NORMAL);
	fake_advance(fake, 1);
	ck_assert_int_eq(gone->close_code, 0);
	ck_assert_uint_eq(closes(fake, PX_CLOSE_NORMAL), 2);
	ck_assert_uint_eq(fake_stats(fake).cuts, 1);
	fake_settle(fake);
	ck_assert_uint_eq(fake_stats(fake).sessions, 0);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("write", a_turns_frames_leave_in_one_write, large_messages_keep_their_order,
		what_is_not_taken_waits_its_turn, a_long_turn_is_cut,
		who_is_closed_in_a_long_turn_gets_all_first, a_failed_write_is_the_end,
		a_burst_makes_no_slow_reader, a_slow_reader_is_told,
		a_slow_reader_has_its_last_chance);
