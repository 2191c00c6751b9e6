/* SPDX-License-Identifier: MIT */
/*
 * What an administrator's session gets without asking again: events as they happen, kept ones
 * first, nobody else's, and not too many; and what comes of a broadcast.
 */
#include "operate/admin_feed.h"

#include "channel/channel.h"
#include "fake.h"
#include "core/session.h"

#include <check.h>
#include <json-c/json.h>
#include <praxis/alarm.h>
#include <stdio.h>
#include <string.h>

static struct px_broadcasted result;
static unsigned results;
static unsigned published;

static int on_publish(void *state, struct px_publication *publication)
{
	(void)state;
	published++;
	if (strcmp(px_practice_id(publication->practice), "13") == 0) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL, "Not there.");
	}
	publication->delivered = 2;
	return 0;
}

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "desk",
	.summary = "operates",
	.operates = true,
	.publish = on_publish,
};

static struct fake *make(void)
{
	struct fake *fake = fake_create(NULL);
	fake->realm.tenant = "t";
	fake_add_service(fake, &service, NULL);
	return fake;
}

static struct fake_conn *enter_admin(struct fake *fake, const char *practices)
{
	return fake_open(fake, WHO(.practices = practices, .role = PX_ROLE_ADMIN,
			.authenticated = true, .user = "1"));
}

static void show(struct fake *fake, const struct fake_conn *about, const char *word)
{
	char entry[64];
	(void)snprintf(entry, sizeof(entry), "{\"event\":\"%s\"}", word);
	px_broker_show(fake->broker, &(struct px_sighting){
		.session = about ? about->session : NULL,
		.tenant = px_span("t"),
		.entry = px_span(entry),
	});
	fake_turn(fake);
}

static void watch(struct fake_conn *admin, const uint64_t *since)
{
	struct px_error_detail detail;
	ck_assert_int_eq(px_operate_watch(admin->session, since, &detail), 0);
	fake_turn(admin->fake);
}

/* Gives back what events hold, which fake_destroy() does not know of. */
static void finish(struct fake *fake)
{
	px_admin_feed_finish(fake->broker);
	fake_destroy(fake);
}

START_TEST(shows_events_of_its_own_practices)
{
	struct fake *fake = make();
	struct fake_conn *one = enter_admin(fake, "1");
	struct fake_conn *two = enter_admin(fake, "2");
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *both = fake_open(fake, WHO(.practices = "3 2 1"));
	watch(one, NULL);
	watch(two, NULL);
	fake_expect(one, "{'type':'admin_events'}");
	fake_expect(two, "{'type':'admin_events'}");
	show(fake, ann, "first");
	show(fake, NULL, "of the server");
	show(fake, both, "second");
	fake_expect(one, "{'type':'admin_event','entry':{'event':'first'}}");
	fake_expect(one, "{'type':'admin_event','entry':{'event':'second'}}");
	fake_expect_nothing(one);
	fake_expect(two, "{'type':'admin_event','entry':{'event':'second'}}");
	fake_expect_nothing(two);
	finish(fake);
}
END_TEST

START_TEST(a_single_practice_counts_before_the_sessions)
{
	struct fake *fake = make();
	struct fake_conn *one = enter_admin(fake, "1");
	struct fake_conn *both = fake_open(fake, WHO(.practices = "1 2"));
	watch(one, NULL);
	fake_expect(one, "{'type':'admin_events'}");
	px_broker_show(fake->broker, &(struct px_sighting){
		.session = both->session,
		.practice = both->session->identity->practices[1].practice,
		.tenant = px_span("t"),
		.entry = px_span("{}"),
	});
	fake_turn(fake);
	fake_expect_nothing(one);
	finish(fake);
}
END_TEST

START_TEST(numbers_grow_and_kept_events_come_first)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *one = enter_admin(fake, "1");
	uint64_t since = 0;
	show(fake, ann, "a");
	show(fake, ann, "b");
	watch(one, &since);
	struct json_object *begun = fake_expect(one, "{'type':'admin_events','complete':false}");
	since = (uint64_t)json_object_get_int64(json_object_object_get(begun, "n")) - 1;
	ck_assert_uint_ge(since, (uint64_t)fake->wall_ms * 1000);
	fake_expect(one, "{'entry':{'event':'a'}}");
	fake_expect(one, "{'entry':{'event':'b'}}");
	watch(one, &since);
	fake_expect(one, "{'type':'admin_events','complete':true}");
	fake_expect(one, "{'entry':{'event':'b'}}");
	fake_expect_nothing(one);
	px_operate_unwatch(one->session);
	show(fake, ann, "c");
	fake_expect_nothing(one);
	finish(fake);
}
END_TEST

START_TEST(who_left_off_may_watch_again)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *one = enter_admin(fake, "1");
	watch(one, NULL);
	px_operate_unwatch(one->session);
	px_operate_unwatch(one->session); /* and nothing is left to leave */
	watch(one, NULL);
	fake_expect(one, "{'type':'admin_events'}");
	fake_expect(one, "{'type':'admin_events'}");
	show(fake, ann, "a");
	fake_expect(one, "{'entry':{'event':'a'}}");
	fake_expect_nothing(one);
	finish(fake);
}
END_TEST

START_TEST(keeps_a_bounded_number)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	for (int i = 0; i < PX_EVENTS_KEPT + 100; i++) {
		show(fake, ann, "x");
	}
	ck_assert_uint_eq(fake->broker->watch->count, PX_EVENTS_KEPT);
	struct fake_conn *one = enter_admin(fake, "1");
	uint64_t since = fake->broker->watch->last - PX_EVENTS_KEPT;
	watch(one, &since);
	fake_expect(one, "{'complete':true}");
	for (int i = 0; i < PX_EVENTS_KEPT; i++) {
		fake_expect(one, "{'entry':{'event':'x'}}");
	}
	fake_expect_nothing(one);
	since--;
	watch(one, &since);
	fake_expect(one, "{'complete':false}");
	finish(fake);
}
END_TEST

START_TEST(says_how_many_were_too_many)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *one = enter_admin(fake, "1");
	watch(one, NULL);
	fake_expect(one, "{'type':'admin_events'}");
	for (int i = 0; i < 320; i++) {
		show(fake, ann, "x");
	}
	for (int i = 0; i < 300; i++) {
		fake_expect(one, "{'type':'admin_event'}");
	}
	fake_expect_nothing(one);
	fake_advance(fake, 1000);
	show(fake, ann, "y");
	fake_expect(one, "{'type':'admin_events','missed':20}");
	fake_expect(one, "{'entry':{'event':'y'}}");
	finish(fake);
}
END_TEST

START_TEST(watchers_are_bounded)
{
	struct fake *fake = make();
	struct px_error_detail detail;
	for (int i = 0; i < PX_WATCHERS_MAX; i++) {
		watch(enter_admin(fake, "1"), NULL);
	}
	struct fake_conn *more = enter_admin(fake, "1");
	ck_assert_int_eq(px_operate_watch(more->session, NULL, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_UNAVAILABLE);
	for (struct px_session *session = fake->broker->oldest; session;
			session = session->newer) {
		px_operate_unwatch(session);
	}
	finish(fake);
}
END_TEST

static void on_done(struct px_session *session, const struct px_broadcasted *what)
{
	ck_assert_ptr_nonnull(session);
	result = *what;
	results++;
}

static int broadcast(const struct fake_conn *admin, struct px_error_detail *detail)
{
	struct px_operator operator = px_session_operator(admin->session);
	return px_operate_broadcast(&operator, &service, px_span("{\"type\":\"desk_news\"}"),
			on_done, detail);
}

/* Ends the turns that a broadcast takes. */
static unsigned run_turns(struct fake *fake)
{
	unsigned turns = 0;
	for (unsigned before = results; results == before && turns < 100; turns++) {
		fake_advance(fake, 1);
		fake_turn(fake);
	}
	return turns;
}

START_TEST(a_broadcast_reaches_all_practices_in_pieces)
{
	struct fake *fake = make();
	struct px_error_detail detail;
	char practice[16];
	for (int i = 0; i < 500; i++) {
		(void)snprintf(practice, sizeof(practice), "%d", i);
		fake_open(fake, WHO(.practices = practice));
		fake_open(fake, WHO(.tenant = "other", .practices = practice));
	}
	(void)snprintf(practice, sizeof(practice), "1 2 3 13");
	struct fake_conn *few = enter_admin(fake, practice);
	ck_assert_int_eq(broadcast(few, &detail), 0);
	ck_assert_int_eq(broadcast(few, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_UNAVAILABLE);
	ck_assert_uint_eq(published, 0);
	ck_assert_uint_gt(run_turns(fake), 3);
	ck_assert_uint_eq(results, 1);
	ck_assert_uint_eq(result.practices, 3);
	ck_assert_uint_eq(result.delivered, 6);
	ck_assert_uint_eq(result.failed, 1);
	ck_assert_uint_eq(published, 4);
	ck_assert_int_eq(broadcast(few, &detail), 0);
	ck_assert_uint_gt(run_turns(fake), 0);
	finish(fake);
}
END_TEST

START_TEST(a_broadcast_ends_with_its_session)
{
	struct fake *fake = make();
	struct px_error_detail detail;
	struct fake_conn *admin = enter_admin(fake, "1");
	unsigned before = results;
	unsigned published_before = published;
	ck_assert_int_eq(broadcast(admin, &detail), 0);
	px_session_close(admin->session, PX_CLOSE_NORMAL);
	fake_lose(admin);
	fake_settle(fake);
	fake_advance(fake, 60000);
	fake_turn(fake);
	ck_assert_uint_eq(results, before);
	ck_assert_uint_eq(published, published_before);
	ck_assert_ptr_null(fake->broker->broadcast);
	finish(fake);
}
END_TEST

static void on_alarm(void *user)
{
	++*(unsigned *)user;
}

START_TEST(an_alarm_fires_once_when_it_is_due)
{
	struct fake *fake = make();
	unsigned fired = 0;
	struct px_alarm *alarm = px_alarm_create(fake->broker, on_alarm, &fired);
	ck_assert_int_eq(px_alarm_set(alarm, 100), 0);
	fake_advance(fake, 99);
	ck_assert_uint_eq(fired, 0);
	fake_advance(fake, 1);
	ck_assert_uint_eq(fired, 1);
	fake_advance(fake, 1000);
	ck_assert_uint_eq(fired, 1);
	ck_assert_int_eq(px_alarm_set(alarm, 100), 0);
	ck_assert_int_eq(px_alarm_set(alarm, 300), 0);
	fake_advance(fake, 200);
	ck_assert_uint_eq(fired, 1);
	px_alarm_stop(alarm);
	fake_advance(fake, 1000);
	ck_assert_uint_eq(fired, 1);
	ck_assert_int_eq(px_alarm_set(alarm, 100), 0);
	px_alarm_destroy(alarm);
	fake_advance(fake, 1000);
	ck_assert_uint_eq(fired, 1);
	px_alarm_destroy(NULL);
	finish(fake);
}
END_TEST

RUN_TESTS("admin_feed", shows_events_of_its_own_practices,
		a_single_practice_counts_before_the_sessions,
		numbers_grow_and_kept_events_come_first, who_left_off_may_watch_again,
		keeps_a_bounded_number, says_how_many_were_too_many, watchers_are_bounded,
		a_broadcast_reaches_all_practices_in_pieces, a_broadcast_ends_with_its_session,
		an_alarm_fires_once_when_it_is_due);
