/* SPDX-License-Identifier: MIT */
/*
 * Clients without praxis.v1 that come back: found by their identity, given what they missed last.
 */
#include "test_resume_util.h"

START_TEST(reattaches_by_identity)
{
	struct fake_conn *carl = fake_open(fake, WHO(.authenticated = true, .user = "9"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(carl, 1);
	hears(bob, 1);
	cut(bob);
	say(carl, 2);
	say(carl, 3);
	struct fake_conn *again = fake_open(fake, WHO(BOB, .address = "192.0.2.7"));
	ck_assert_str_eq(again->client_id, bob->client_id);
	hears(again, 3);
	fake_expect_nothing(again);
	fake_expect_nothing(carl);
	say(again, 4);
	hears(carl, 4);
	ck_assert_str_eq(last_address, "192.0.2.7");
	ck_assert_uint_eq(fake_stats(fake).healed, 1);
	tick(GRACE_MS);
	ck_assert_uint_eq(closed, 0);
}
END_TEST

START_TEST(who_missed_nothing_is_told_nothing)
{
	struct fake_conn *carl = fake_open(fake, WHO(.authenticated = true, .user = "9"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(carl, 1);
	hears(bob, 1);
	say(bob, 2);
	hears(carl, 2);
	cut(bob);
	struct fake_conn *again = fake_open(fake, WHO(BOB));
	ck_assert_str_eq(again->client_id, bob->client_id);
	fake_expect_nothing(again);
	/* Nor of its own, which the others missed. */
	cut(carl);
	say(again, 3);
	cut(again);
	again = fake_open(fake, WHO(BOB));
	fake_expect_nothing(again);
	carl = fake_open(fake, WHO(.authenticated = true, .user = "9"));
	hears(carl, 3);
}
END_TEST

START_TEST(what_waited_in_a_full_socket_was_missed)
{
	struct fake_conn *carl = fake_open(fake, WHO(.authenticated = true, .user = "9"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(carl, 1);
	hears(bob, 1);
	bob->busy = true;
	say(carl, 2);
	say(carl, 3);
	cut(bob);
	ck_assert_uint_eq(fake_stats(fake).queue_bytes, 0);
	struct fake_conn *again = fake_open(fake, WHO(BOB));
	hears(again, 3);
	fake_expect_nothing(again);
}
END_TEST

START_TEST(what_was_said_to_the_deaf_was_missed)
{
	struct fake_conn *carl = fake_open(fake, WHO(.authenticated = true, .user = "9"));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	say(carl, 1);
	tick(10);
	px_session_alive(bob->session);
	tick(10);
	say(carl, 2);
	for (int i = 0; i < 60; i++) {
		tick(1000);
		px_session_alive(carl->session);
	}
	ck_assert_uint_eq(fake_stats(fake).silent_peers, 1);
	struct fake_conn *again = fake_open(fake, WHO(BOB));
	hears(again, 2);
	fake_expect_nothing(again);
	/* And in the write that showed it; but nothing before the last sign of life. */
	again->fails = true;
	say(carl, 3);
	again = fake_open(fake, WHO(BOB));
	hears(again, 3);
	px_session_alive(again->session);
	tick(10);
	again->fails = true;
	fake_say(again, "{\"type\":\"ping\"}");
	again = fake_open(fake, WHO(BOB));
	fake_expect_nothing(again);
}
END_TEST

START_TEST(reattaches_nobody_else)
{
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	struct fake_conn *open = fake_open(fake, WHO(.user = "8"));
	struct fake_conn *unknown = fake_open(fake, WHO(.authenticated = true));
	cut(open);
	cut(unknown);
	ck_assert_uint_eq(fake_stats(fake).detached, 0);
	/* Two tabs are two sessions. */
	struct fake_conn *tab = fake_open(fake, WHO(BOB));
	ck_assert_str_ne(tab->client_id, bob->client_id);
	cut(bob);
	const struct fake_who whos[] = {
		{ .authenticated = true, .user = "9" },
		{ BOB, .tenant = "other" },
		{ .user = "8" },
		{ BOB, .versioned = true },
		{ BOB, .service = "probe" },
	};
	for (size_t i = 0; i < sizeof(whos) / sizeof(whos[0]); i++) {
		struct fake_conn *conn = fake_open(fake, &whos[i]);
		ck_assert_str_ne(conn->client_id, bob->client_id);
	}
	ck_assert_uint_eq(fake_stats(fake).healed, 0);
	struct fake_conn *again = fake_open(fake, WHO(BOB));
	ck_assert_str_eq(again->client_id, bob->client_id);
}
END_TEST

START_TEST(reattaches_who_waits_longest_first)
{
	struct fake_conn *tabs[3];
	for (int i = 0; i < 3; i++) {
		tabs[i] = fake_open(fake, WHO(BOB));
	}
	cut(tabs[1]);
	tick(10);
	cut(tabs[2]);
	tick(10);
	cut(tabs[0]);
	ck_assert_str_eq(fake_open(fake, WHO(BOB))->client_id, tabs[1]->client_id);
	ck_assert_str_eq(fake_open(fake, WHO(BOB))->client_id, tabs[2]->client_id);
	ck_assert_str_eq(fake_open(fake, WHO(BOB))->client_id, tabs[0]->client_id);
}
END_TEST

START_TEST(who_does_not_come_leaves_once)
{
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	cut(bob);
	px_session_alive(ann->session);
	tick(20000);
	px_session_alive(ann->session);
	fake_expect_nothing(ann);
	tick(GRACE_MS - 20000);
	left(ann, bob, PX_DISCONNECTED);
	fake_expect_nothing(ann);
	struct fake_conn *again = fake_open(fake, WHO(BOB));
	ck_assert_str_ne(again->client_id, bob->client_id);
}
END_TEST

START_TEST(reattaching_takes_up_the_new_token)
{
	struct fake_conn *bob = fake_open(fake, WHO(BOB, .practices = "1 2"));
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	cut(bob);
	struct fake_conn *again = fake_connect(fake, WHO(BOB, .practices = "2 4"));
	fake_turn(fake);
	fake_expect(again, "{'type':'connection_established','user':{'userId':8,"
			"'userName':'Bob','role':'staff','practices':[2,4]}}");
	left(ann, bob, PX_REMOVED);
	fake_say(again, "{\"type\":\"probe_say\",\"practiceId\":1,\"n\":1}");
	fake_expect(again, "{'code':'forbidden'}");
}
END_TEST

static void judge(void *user, void *conn, const struct px_realm *realm, struct px_span token,
		struct px_authentication *ret_authentication)
{
	(void)user;
	(void)conn;
	(void)realm;
	(void)token;
	*ret_authentication = (struct px_authentication){ .verdict = PX_VERDICT_GOOD };
	ck_assert_int_eq(fake_identity(fake, WHO(BOB), &ret_authentication->identity), 0);
}

START_TEST(reattaches_who_authenticates_later)
{
	fake->broker->host.authenticate = judge;
	struct fake_conn *ann = fake_open(fake, WHO(ANN));
	struct fake_conn *bob = fake_open(fake, WHO(BOB));
	cut(bob);
	say(ann, 1);
	struct fake_conn *again = fake_connect(fake, WHO(.unauthenticated = true, .practices = ""));
	fake_send(again, "{\"type\":\"ping\"}");
	fake_send(again, "{\"type\":\"auth\",\"token\":\"x\",\"id\":5}");
	fake_send(again, "{\"type\":\"probe_say\",\"n\":2}");
	fake_turn(fake);
	fake_expect(again, "{'type':'connection_established'}");
	fake_expect(again, "{'type':'pong'}");
	struct json_object *greeting = fake_expect(again, "{'type':'connection_established'}");
	ck_assert_str_eq(fake_member(greeting, "clientId"), bob->client_id);
	fake_expect(again, "{'type':'auth_ok'}");
	hears(again, 1);
	fake_expect(again, "{'type':'ack','id':5}");
	hears(ann, 2);
	fake_expect_nothing(ann);
	ck_assert_uint_eq(fake_stats(fake).sessions, 2);
	/* The next one finds nobody who waits. */
	struct fake_conn *tab = fake_open(fake, WHO(.unauthenticated = true, .practices = ""));
	fake_say(tab, "{\"type\":\"auth\",\"token\":\"x\"}");
	fake_expect(tab, "{'type':'auth_ok'}");
	ck_assert_uint_eq(fake_stats(fake).healed, 1);
}
END_TEST

RUN_TESTS_BETWEEN(setup, teardown, "reattach", reattaches_by_identity,
		who_missed_nothing_is_told_nothing, what_waited_in_a_full_socket_was_missed,
		what_was_said_to_the_deaf_was_missed, reattaches_nobody_else,
		reattaches_who_waits_longest_first, who_does_not_come_leaves_once,
		reattaching_takes_up_the_new_token, reattaches_who_authenticates_later);
