/* SPDX-License-Identifier: MIT */
/*
 * What time does to a session beyond the heartbeat (test_session.c) and expiry
 * (test_authenticate.c): the time in which a session must have authenticated, and
 * limits that change while sessions are open.
 */
#include "fake.h"

#include "core/session.h"

#include <check.h>

static void tick(struct fake *fake, int64_t ms)
{
	fake_advance(fake, ms);
	fake_turn(fake);
}

static unsigned pings(struct fake_conn *conn)
{
	unsigned count = 0;
	for (const struct fake_frame *frame = fake_next(conn); frame; frame = fake_next(conn)) {
		ck_assert_uint_eq(frame->opcode, FAKE_PING);
		count++;
	}
	return count;
}

static struct fake *create_without_heartbeat(void)
{
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 0;
	struct fake *fake = fake_create(&limits);
	fake->realm.auth_ms = 10000;
	return fake;
}

/* ---- an unauthenticated session ---- */

START_TEST(an_unauthenticated_session_has_a_deadline)
{
	struct fake *fake = create_without_heartbeat();
	struct fake_conn *conn = fake_open(fake, WHO(.unauthenticated = true));
	ck_assert_int_eq(px_broker_deadline(fake->broker), fake->mono_ms + 10000);
	tick(fake, 9999);
	fake_expect_nothing(conn);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	tick(fake, 1);
	fake_expect(conn, "{'type':'error','code':'unauthenticated'}");
	fake_expect_nothing(conn);
	ck_assert_int_eq(conn->close_code, PX_CLOSE_UNAUTHENTICATED);
	fake_destroy(fake);
}
END_TEST

START_TEST(talking_does_not_move_the_deadline)
{
	struct fake *fake = fake_create(NULL);
	fake->realm.auth_ms = 10000;
	struct fake_conn *conn = fake_open(fake, WHO(.unauthenticated = true));
	for (int second = 1; second < 10; second++) {
		tick(fake, 1000);
		fake_say(conn, "{\"type\":\"ping\"}");
		fake_expect(conn, "{'type':'pong'}");
		px_session_alive(conn->session);
	}
	tick(fake, 1000);
	fake_expect(conn, "{'type':'error','code':'unauthenticated'}");
	ck_assert_int_eq(conn->close_code, PX_CLOSE_UNAUTHENTICATED);
	fake_destroy(fake);
}
END_TEST

START_TEST(somebody_has_all_the_time)
{
	struct fake *fake = create_without_heartbeat();
	struct fake_conn *conn = fake_open(fake, WHO(.authenticated = true));
	ck_assert_int_eq(px_broker_deadline(fake->broker), INT64_MAX);
	tick(fake, INT64_C(24) * 3600 * 1000);
	fake_expect_nothing(conn);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	fake_destroy(fake);
}
END_TEST

START_TEST(each_unauthenticated_session_has_its_own_time)
{
	struct fake *fake = create_without_heartbeat();
	struct fake_conn *first = fake_open(fake, WHO(.unauthenticated = true));
	tick(fake, 4000);
	struct fake_conn *second = fake_open(fake, WHO(.unauthenticated = true));
	tick(fake, 6000);
	ck_assert_int_eq(first->close_code, PX_CLOSE_UNAUTHENTICATED);
	ck_assert_int_eq(second->close_code, FAKE_OPEN);
	tick(fake, 4000);
	ck_assert_int_eq(second->close_code, PX_CLOSE_UNAUTHENTICATED);
	fake_destroy(fake);
}
END_TEST

/* ---- limits that change ---- */

START_TEST(a_heartbeat_switched_on_is_for_all)
{
	struct fake *fake = create_without_heartbeat();
	struct fake_conn *before = fake_open(fake, WHO(0));
	tick(fake, 1000000);
	ck_assert_uint_eq(pings(before), 0);
	struct px_limits limits = fake_limits();
	px_broker_set_limits(fake->broker, &limits);
	tick(fake, 25000);
	ck_assert_uint_eq(pings(before), 1);
	tick(fake, 25000);
	ck_assert_int_eq(before->close_code, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_shorter_heartbeat_does_not_wait_for_the_longer)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 2000;
	px_broker_set_limits(fake->broker, &limits);
	tick(fake, 2000);
	ck_assert_uint_eq(pings(conn), 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_heartbeat_switched_off_is_off)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 0;
	px_broker_set_limits(fake->broker, &limits);
	tick(fake, 100000);
	ck_assert_uint_eq(pings(conn), 0);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	fake_destroy(fake);
}
END_TEST

START_TEST(one_that_is_closing_keeps_its_last_chance)
{
	struct fake *fake = create_without_heartbeat();
	struct fake_conn *conn = fake_open(fake, WHO(0));
	conn->busy = true;
	px_session_close(conn->session, PX_CLOSE_NORMAL);
	fake_turn(fake);
	int64_t deadline = px_broker_deadline(fake->broker);
	struct px_limits limits = fake_limits();
	limits.heartbeat_ms = 1000;
	px_broker_set_limits(fake->broker, &limits);
	ck_assert_int_eq(px_broker_deadline(fake->broker), deadline);
	tick(fake, deadline - fake->mono_ms);
	ck_assert_int_eq(conn->close_code, 0);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("session_deadlines", an_unauthenticated_session_has_a_deadline,
		talking_does_not_move_the_deadline,
		somebody_has_all_the_time, each_unauthenticated_session_has_its_own_time,
		a_heartbeat_switched_on_is_for_all,
		a_shorter_heartbeat_does_not_wait_for_the_longer, a_heartbeat_switched_off_is_off,
		one_that_is_closing_keeps_its_last_chance);
