/* SPDX-License-Identifier: MIT */
/*
 * Channels: membership and the index behind it, limits, isolation, fan-out, ends, and hooks
 * that reach back into the channel that calls them.
 */
#include "channel/channel.h"

#include "fake.h"
#include "core/session.h"

#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
};
static const struct px_service other_service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "other",
};

/* What the hooks were called with. */
static unsigned left_count[PX_REPLACED + 1];
static unsigned closed_count;
static void (*on_left_more)(struct px_channel *channel, struct px_member *member);

static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	struct px_json json;
	left_count[reason]++;
	ck_assert_int_eq(*(int *)px_member_state(member), 0);
	ck_assert_ptr_eq(px_member_channel(member), channel);
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		ck_assert_ptr_ne(px_channel_member(channel, i), member);
	}
	px_json_begin(&json, "left");
	px_session_stamp(px_member_session(member), px_channel_practice(channel), &json);
	px_json_end(&json);
	struct px_broker *broker = px_channel_broker(channel);
	struct px_message *message = px_message_from_json(broker, &json);
	px_channel_announce(channel, message, NULL);
	px_message_unref(broker, message);
	if (on_left_more) {
		on_left_more(channel, member);
	}
}

static void on_closed(struct px_channel *channel)
{
	ck_assert_uint_eq(px_channel_member_count(channel), 0);
	closed_count++;
}

static const struct px_channel_kind room_kind = {
	.name = "room",
	.state_size = 24,
	.member_size = 8,
	.is_room = true,
	.left = on_left,
	.closed = on_closed,
};
static const struct px_channel_kind plain_kind = { .name = "plain" };
static const struct px_channel_limits unlimited = { 0 };

static struct px_practice *practice_of(const struct fake_conn *conn)
{
	return conn->session->identity->practices[0].practice;
}

static int join_limited(struct fake_conn *conn, struct px_practice *practice, const char *name,
		const struct px_channel_limits *limits, struct px_member **ret_member)
{
	bool is_new = false;
	int rc = px_channel_join(conn->session, &service, &room_kind, practice, px_span(name),
			limits, ret_member, &is_new);
	ck_assert(rc < 0 || is_new);
	return rc;
}

static struct px_member *join(struct fake_conn *conn, const char *name)
{
	struct px_member *member = NULL;
	ck_assert_int_eq(join_limited(conn, practice_of(conn), name, &unlimited, &member), 0);
	return member;
}

static int publish(struct px_channel *channel, const struct fake_conn *sender, const char *text,
		const struct fake_conn *except)
{
	struct px_broker *broker = sender->fake->broker;
	struct px_message *message = px_message_create(broker, px_span(text));
	int rc = px_channel_publish(channel, sender->session, message,
			except ? except->session : NULL);
	px_message_unref(broker, message);
	return rc;
}

START_TEST(begins_with_its_first_and_ends_with_its_last)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	struct px_member *first = join(a, "x");
	struct px_channel *channel = px_member_channel(first);
	ck_assert(px_span_equal(px_channel_name(channel), px_span("x")));
	ck_assert_ptr_eq(px_channel_practice(channel), practice_of(a));
	for (int i = 0; i < 24; i++) {
		ck_assert_int_eq(((char *)px_channel_state(channel))[i], 0);
	}
	struct px_member *second = join(b, "x");
	ck_assert_ptr_eq(px_member_channel(second), channel);
	ck_assert_uint_gt(px_member_order(second), px_member_order(first));
	struct px_stats stats = fake_stats(fake);
	ck_assert_uint_eq(stats.channels, 1);
	ck_assert_uint_eq(stats.rooms, 1);
	ck_assert_uint_eq(stats.members, 2);
	px_member_leave(first, PX_LEFT);
	ck_assert_uint_eq(closed_count, 0);
	px_member_leave(second, PX_REMOVED);
	ck_assert_uint_eq(closed_count, 1);
	ck_assert_uint_eq(left_count[PX_LEFT], 1);
	ck_assert_uint_eq(left_count[PX_REMOVED], 1);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_turn(fake);
	fake_expect_nothing(a);
	fake_expect(b, "{'type':'left'}");
	fake_expect_nothing(b);
	fake_destroy(fake);
}
END_TEST

START_TEST(joining_twice_is_joining_once)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct px_member *first = join(a, "x");
	struct px_member *second;
	bool is_new = true;
	ck_assert_int_eq(px_channel_join(a->session, &service, &room_kind, practice_of(a),
			px_span("x"), &unlimited, &second, &is_new), 0);
	ck_assert(!is_new);
	ck_assert_ptr_eq(first, second);
	ck_assert_uint_eq(fake_stats(fake).members, 1);
	fake_destroy(fake);
}
END_TEST

static void check_index(const struct px_channel *channel)
{
	for (uint32_t i = 0; i < channel->member_count; i++) {
		const struct px_member *member = channel->members[i];
		ck_assert_uint_eq(member->index, i);
		ck_assert_ptr_eq(member->channel, channel);
		const struct px_member *at = member->session->members;
		while (at && at != member) {
			at = at->next;
		}
		ck_assert_ptr_eq(at, member);
	}
}

START_TEST(members_know_their_place)
{
	enum { SESSIONS = 40 };
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conns[SESSIONS];
	struct px_member *members[SESSIONS] = { NULL };
	uint32_t count = 0;
	uint64_t dice = 5;
	for (int i = 0; i < SESSIONS; i++) {
		conns[i] = fake_open(fake, WHO(0));
	}
	struct px_channel *channel = px_member_channel(join(fake_open(fake, WHO(0)), "x"));
	for (int step = 0; step < 2000; step++) {
		size_t i = fake_random(&dice) % SESSIONS;
		if (members[i]) {
			px_member_leave(members[i], PX_LEFT);
			members[i] = NULL;
			count--;
		} else {
			members[i] = join(conns[i], "x");
			count++;
		}
		ck_assert_uint_eq(px_channel_member_count(channel), count + 1);
		ck_assert_uint_eq(fake_stats(fake).members, count + 1);
		if (step % 50 == 0) {
			check_index(channel);
			fake_turn(fake);
		}
	}
	check_index(channel);
	fake_destroy(fake);
}
END_TEST

START_TEST(the_four_parts_of_its_key_all_count)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(.practices = "1 2"));
	struct fake_conn *b = fake_open(fake, WHO(.tenant = "u", .practices = "1"));
	struct px_practice *second = a->session->identity->practices[1].practice;
	struct px_member *members[5];
	bool is_new;
	members[0] = join(a, "x");
	members[1] = join(a, "y");
	ck_assert_int_eq(join_limited(a, second, "x", &unlimited, &members[2]), 0);
	members[3] = join(b, "x");
	ck_assert_int_eq(px_channel_join(a->session, &other_service, &plain_kind, practice_of(a),
			px_span("x"), &unlimited, &members[4], &is_new), 0);
	for (size_t i = 0; i < 5; i++) {
		for (size_t j = 0; j < i; j++) {
			ck_assert_ptr_ne(px_member_channel(members[i]),
					px_member_channel(members[j]));
		}
		ck_assert_uint_eq(px_channel_member_count(px_member_channel(members[i])), 1);
	}
	ck_assert_uint_eq(fake_stats(fake).channels, 5);
	ck_assert_uint_eq(fake_stats(fake).rooms, 4);
	/* An empty name is a name, and one with a NUL in it is no shorter one. */
	ck_assert_ptr_ne(px_member_channel(join(a, "")), px_member_channel(members[0]));
	struct px_member *odd;
	ck_assert_int_eq(px_channel_join(a->session, &service, &room_kind, practice_of(a),
			(struct px_span){ "x\0z", 3 }, &unlimited, &odd, &is_new), 0);
	ck_assert(is_new);
	fake_destroy(fake);
}
END_TEST

START_TEST(finds_memberships_by_name)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(.practices = "1 2"));
	struct px_practice *first = practice_of(a);
	struct px_practice *second = a->session->identity->practices[1].practice;
	struct px_member *in_second;
	join(a, "x");
	ck_assert_int_eq(join_limited(a, second, "y", &unlimited, &in_second), 0);
	ck_assert_ptr_eq(px_session_member(a->session, &room_kind, NULL, px_span("y")), in_second);
	ck_assert_ptr_eq(px_session_member(a->session, &room_kind, second, px_span("y")),
			in_second);
	ck_assert_ptr_null(px_session_member(a->session, &room_kind, first, px_span("y")));
	ck_assert_ptr_null(px_session_member(a->session, &plain_kind, NULL, px_span("y")));
	ck_assert_ptr_null(px_session_member(a->session, &room_kind, NULL, px_span("z")));
	fake_destroy(fake);
}
END_TEST

START_TEST(a_session_reaches_only_what_it_holds)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *b = fake_open(fake, WHO(.practices = "2"));
	struct fake_conn *c = fake_open(fake, WHO(.tenant = "u", .practices = "1"));
	struct fake_conn *none = fake_open(fake, WHO(.practices = ""));
	struct fake_conn *strangers[] = { b, c, none };
	struct px_channel *channel = px_member_channel(join(a, "x"));
	struct px_practice *practice = practice_of(a);
	for (size_t i = 0; i < 3; i++) {
		struct px_member *member = NULL;
		ck_assert_int_eq(join_limited(strangers[i], practice, "x", &unlimited, &member),
				-EACCES);
		ck_assert_int_eq(join_limited(strangers[i], practice, "new", &unlimited, &member),
				-EACCES);
		ck_assert_ptr_null(member);
		ck_assert_ptr_null(px_session_channel(strangers[i]->session, &service, practice,
				px_span("x")));
		ck_assert_int_eq(publish(channel, strangers[i], "{}", NULL), -EACCES);
	}
	ck_assert_uint_eq(fake_stats(fake).channels, 1);
	ck_assert_ptr_eq(px_session_channel(a->session, &service, practice, px_span("x")), channel);
	ck_assert_ptr_null(px_session_channel(a->session, &service, practice, px_span("y")));
	ck_assert_ptr_null(px_session_channel(a->session, &other_service, practice, px_span("x")));
	fake_turn(fake);
	fake_expect_nothing(a);
	fake_destroy(fake);
}
END_TEST

START_TEST(everything_has_a_limit)
{
	struct px_limits limits = fake_limits();
	limits.rooms_per_session = 2;
	limits.channels = 3;
	struct fake *fake = fake_create(&limits);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	struct fake_conn *c = fake_open(fake, WHO(0));
	struct px_channel_limits pair = { .members = 2 };
	struct px_member *member;
	char name[PX_ID_MAX + 2] = "";
	memset(name, 'x', PX_ID_MAX + 1);
	bool is_new;

	ck_assert_int_eq(join_limited(a, practice_of(a), "1", &pair, &member), 0);
	ck_assert_int_eq(join_limited(b, practice_of(a), "1", &unlimited, &member), 0);
	/* The limits are those that the service has now, whatever they were when it began. */
	ck_assert_int_eq(join_limited(c, practice_of(a), "1", &pair, &member), -ENOSPC);
	ck_assert_int_eq(join_limited(a, practice_of(a), name, &unlimited, &member), -EINVAL);
	name[PX_ID_MAX] = '\0';
	ck_assert_int_eq(join_limited(a, practice_of(a), name, &unlimited, &member), 0);
	ck_assert_int_eq(join_limited(a, practice_of(a), "2", &unlimited, &member), -EMFILE);
	/* A channel that is no room does not count against a session's rooms. */
	ck_assert_int_eq(px_channel_join(a->session, &service, &plain_kind, practice_of(a),
			px_span("3"), &unlimited, &member, &is_new), 0);
	ck_assert_int_eq(join_limited(b, practice_of(a), "4", &unlimited, &member), -ENFILE);
	/* What exists may still be joined. */
	ck_assert_int_eq(px_channel_join(b->session, &service, &plain_kind, practice_of(a),
			px_span("3"), &unlimited, &member, &is_new), 0);
	ck_assert_uint_eq(fake_stats(fake).channels, 3);
	/* Leaving makes room. */
	px_member_leave(px_session_member(a->session, &room_kind, NULL, px_span("1")), PX_LEFT);
	ck_assert_int_eq(join_limited(c, practice_of(a), "1", &unlimited, &member), 0);
	px_member_leave(px_session_member(a->session, &room_kind, NULL, px_span(name)), PX_LEFT);
	ck_assert_int_eq(join_limited(b, practice_of(a), "4", &unlimited, &member), 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(publishes_to_all_but_one)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conns[4];
	struct px_channel *channel = NULL;
	for (size_t i = 0; i < 4; i++) {
		conns[i] = fake_open(fake, WHO(0));
		channel = px_member_channel(join(conns[i], "x"));
	}
	ck_assert_int_eq(publish(channel, conns[1], "{\"n\":1}", conns[1]), 0);
	ck_assert_int_eq(publish(channel, conns[2], "{\"n\":2}", NULL), 0);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 2);
	ck_assert_uint_eq(fake_stats(fake).deliveries, 7);
	fake_turn(fake);
	for (size_t i = 0; i < 4; i++) {
		if (i != 1) {
			ck_assert_str_eq(fake_text(conns[i]), "{\"n\":1}");
		}
		ck_assert_str_eq(fake_text(conns[i]), "{\"n\":2}");
		fake_expect_nothing(conns[i]);
	}
	/* A sender need not be a member. */
	struct fake_conn *guest = fake_open(fake, WHO(0));
	ck_assert_int_eq(publish(channel, guest, "{\"n\":3}", NULL), 0);
	/* Without memory for a message nothing is announced. */
	px_channel_announce(channel, NULL, NULL);
	fake_turn(fake);
	ck_assert_str_eq(fake_text(conns[0]), "{\"n\":3}");
	fake_expect_nothing(conns[0]);
	fake_destroy(fake);
}
END_TEST

START_TEST(one_who_is_closing_hears_no_more)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *a = fake_open(fake, WHO(0));
	struct fake_conn *b = fake_open(fake, WHO(0));
	struct px_channel *channel = px_member_channel(join(a, "x"));
	join(b, "x");
	publish(channel, a, "{\"n\":1}", NULL);
	px_session_close(b->session, PX_CLOSE_REMOVED);
	publish(channel, a, "{\"n\":2}", NULL);
	ck_assert_uint_eq(px_channel_member_count(channel), 2);
	fake_turn(fake);
	ck_assert_str_eq(fake_text(b), "{\"n\":1}");
	fake_expect_nothing(b);
	ck_assert_int_eq(b->close_code, PX_CLOSE_REMOVED);
	fake_expect(a, "{'n':1}");
	fake_expect(a, "{'n':2}");
	fake_settle(fake);
	ck_assert_uint_eq(left_count[PX_DISCONNECTED], 1);
	fake_expect(a, "{'type':'left'}");
	fake_destroy(fake);
}
END_TEST

START_TEST(an_end_is_told_to_those_still_in)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conns[3];
	struct px_channel *channel = NULL;
	for (size_t i = 0; i < 3; i++) {
		conns[i] = fake_open(fake, WHO(0));
		channel = px_member_channel(join(conns[i], "x"));
	}
	px_channel_end(channel, PX_ENDED);
	ck_assert_uint_eq(left_count[PX_ENDED], 3);
	ck_assert_uint_eq(closed_count, 1);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_null(conns[i]->session->members);
		ck_assert_uint_eq(conns[i]->session->rooms, 0);
	}
	ck_assert_uint_eq(fake_stats(fake).rooms, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(one_is_removed_while_others_listen)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *conns[5];
	struct px_member *members[5];
	for (size_t i = 0; i < 5; i++) {
		conns[i] = fake_open(fake, WHO(0));
		members[i] = join(conns[i], "x");
	}
	struct px_channel *channel = px_member_channel(members[0]);
	publish(channel, conns[0], "{\"n\":1}", NULL);
	px_member_leave(members[2], PX_REMOVED);
	publish(channel, conns[0], "{\"n\":2}", NULL);
	check_index(channel);
	fake_turn(fake);
	for (size_t i = 0; i < 5; i++) {
		fake_expect(conns[i], "{'n':1}");
		if (i != 2) {
			struct json_object *left = fake_expect(conns[i], "{'type':'left'}");
			ck_assert_str_eq(fake_member(left, "clientId"), conns[2]->client_id);
			fake_expect(conns[i], "{'n':2}");
		}
		fake_expect_nothing(conns[i]);
	}
	fake_destroy(fake);
}
END_TEST

/* ---- hooks that reach back ---- */

static void end_it_all(struct px_channel *channel, struct px_member *member)
{
	(void)member;
	on_left_more = NULL;
	px_channel_end(channel, PX_ENDED);
}

START_TEST(a_leave_may_end_the_channel)
{
	struct fake *fake = fake_create(NULL);
	struct px_member *host = join(fake_open(fake, WHO(0)), "x");
	join(fake_open(fake, WHO(0)), "x");
	join(fake_open(fake, WHO(0)), "x");
	on_left_more = end_it_all;
	px_member_leave(host, PX_LEFT);
	ck_assert_uint_eq(left_count[PX_LEFT], 1);
	ck_assert_uint_eq(left_count[PX_ENDED], 2);
	ck_assert_uint_eq(closed_count, 1);
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_destroy(fake);
}
END_TEST

static void remove_the_rest(struct px_channel *channel, struct px_member *member)
{
	(void)member;
	if (px_channel_member_count(channel) > 0) {
		px_member_leave(px_channel_member(channel, 0), PX_REMOVED);
	}
}

START_TEST(a_leave_may_remove_the_others_one_by_one)
{
	struct fake *fake = fake_create(NULL);
	struct fake_conn *host = fake_open(fake, WHO(0));
	join(fake_open(fake, WHO(0)), "x");
	join(host, "x");
	join(fake_open(fake, WHO(0)), "x");
	on_left_more = remove_the_rest;
	fake_lose(host);
	fake_turn(fake);
	ck_assert_uint_eq(left_count[PX_DISCONNECTED], 1);
	ck_assert_uint_eq(left_count[PX_REMOVED], 2);
	ck_assert_uint_eq(closed_count, 1);
	on_left_more = NULL;
	fake_destroy(fake);
}
END_TEST

START_TEST(an_end_may_end_it_again)
{
	struct fake *fake = fake_create(NULL);
	struct px_channel *channel = px_member_channel(join(fake_open(fake, WHO(0)), "x"));
	join(fake_open(fake, WHO(0)), "x");
	on_left_more = end_it_all;
	px_channel_end(channel, PX_REMOVED);
	ck_assert_uint_eq(left_count[PX_REMOVED] + left_count[PX_ENDED], 2);
	ck_assert_uint_eq(closed_count, 1);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("channel", begins_with_its_first_and_ends_with_its_last, joining_twice_is_joining_once,
		members_know_their_place, the_four_parts_of_its_key_all_count,
		finds_memberships_by_name, a_session_reaches_only_what_it_holds,
		everything_has_a_limit, publishes_to_all_but_one, one_who_is_closing_hears_no_more,
		an_end_is_told_to_those_still_in, one_is_removed_while_others_listen,
		a_leave_may_end_the_channel, a_leave_may_remove_the_others_one_by_one,
		an_end_may_end_it_again);
