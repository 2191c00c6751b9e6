/* SPDX-License-Identifier: MIT */
/*
 * That somebody is typing, with the real service: what others hear of it, how often, and what a
 * slow consumer is spared.
 */
#include "channel/channel.h"
#include "fake.h"
#include "core/session.h"

#include "../../plugins/telemedicine/telemedicine.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define INTERVAL_MS 2000

static struct fake_conn *enter(struct fake *fake, const char *user, const char *room)
{
	char text[256];
	struct fake_conn *conn = fake_open(fake, WHO(.user = user, .authenticated = true));
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_user_joined\",\"roomId\":%s,"
			"\"appointmentId\":5,\"userId\":%s,\"userName\":\"n\"}", room, user);
	fake_say(conn, text);
	fake_expect(conn, "{'type':'telemedicine_room_joined'}");
	fake_expect_nothing(conn);
	return conn;
}

static void type(struct fake_conn *conn, bool on, const char *more)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_typing\",\"roomId\":\"r\","
			"\"typing\":%s%s}", on ? "true" : "false", more);
	fake_say(conn, text);
}

static void expect(struct fake_conn *conn, const struct fake_conn *from, bool on)
{
	char pattern[160];
	(void)snprintf(pattern, sizeof(pattern), "{'type':'telemedicine_typing','clientId':'%s',"
			"'roomId':'r','appointmentId':5,'typing':%s}", from->client_id,
			on ? "true" : "false");
	fake_expect(conn, pattern);
}

static struct fake *begin(const struct px_limits *limits)
{
	struct fake *fake = fake_create(limits);
	(void)fake_add_service(fake, &telemedicine_service, NULL);
	return fake;
}

START_TEST(is_told_to_the_others_and_has_no_word_of_it)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = enter(fake, "7", "\"r\"");
	struct fake_conn *bob = enter(fake, "8", "\"r\"");
	fake_expect(ann, "{'type':'telemedicine_user_joined'}");
	type(ann, true, ",\"id\":1,\"text\":\"DRAFT\",\"message\":\"DRAFT\",\"from\":\"DRAFT\"");
	fake_expect(ann, "{'type':'ack','id':1}");
	const char *text = fake_text(bob);
	ck_assert_ptr_null(strstr(text, "DRAFT"));
	ck_assert_ptr_null(strstr(text, "\"id\""));
	ck_assert_ptr_nonnull(strstr(text, "\"userId\":7"));
	ck_assert_ptr_nonnull(strstr(text, "\"typing\":true"));
	type(bob, true, "");
	expect(ann, bob, true);
	fake_expect_nothing(bob);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_told_once_in_a_while_and_its_end_once)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = enter(fake, "7", "\"r\"");
	struct fake_conn *bob = enter(fake, "8", "\"r\"");
	type(ann, false, "");
	fake_expect_nothing(bob);
	type(ann, true, "");
	expect(bob, ann, true);
	fake_advance(fake, INTERVAL_MS - 1);
	type(ann, true, "");
	fake_expect_nothing(bob);
	type(ann, false, "");
	expect(bob, ann, false);
	type(ann, false, "");
	type(ann, true, ",\"id\":2");
	fake_expect(ann, "{'type':'telemedicine_user_joined'}");
	fake_expect(ann, "{'type':'ack','id':2}");
	fake_expect_nothing(bob);
	fake_advance(fake, 1);
	type(ann, true, "");
	expect(bob, ann, true);
	fake_expect_nothing(bob);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_for_members_alone)
{
	struct fake *fake = begin(NULL);
	struct fake_conn *ann = enter(fake, "7", "\"r\"");
	struct fake_conn *cat = enter(fake, "9", "\"s\"");
	type(cat, true, "");
	fake_expect(cat, "{'type':'error','code':'not_in_room','field':'roomId'}");
	fake_say(ann, "{\"type\":\"telemedicine_typing\",\"roomId\":\"r\",\"typing\":\"DRAFT\"}");
	fake_expect(ann, "{'type':'error','code':'bad_message','field':'typing'}");
	fake_expect_nothing(cat);
	fake_destroy(fake);
}
END_TEST

/* Of each member the latest; the queue of one who does not read has a limit. */
START_TEST(a_slow_consumer_gets_the_latest_of_each)
{
	struct px_limits limits = fake_limits();
	limits.queue_bytes = 4096;
	limits.heartbeat_ms = 0;
	struct fake *fake = begin(&limits);
	struct fake_conn *ann = enter(fake, "7", "\"r\"");
	struct fake_conn *bob = enter(fake, "8", "\"r\"");
	struct fake_conn *slow = enter(fake, "9", "\"r\"");
	slow->busy = true;
	for (int i = 0; i < 100; i++) {
		type(ann, true, "");
		type(bob, true, "");
		type(ann, false, "");
		fake_advance(fake, INTERVAL_MS / 2);
		fake_advance(fake, INTERVAL_MS / 2);
		ck_assert_uint_le(slow->session->queue.bytes, 4096);
	}
	struct px_stats stats = fake_stats(fake);
	ck_assert_uint_eq(stats.slow_readers, 0);
	ck_assert_uint_gt(stats.replaced, 100);
	fake_unblock(slow);
	fake_turn(fake);
	bool anns = true;
	bool bobs = false;
	for (const char *text; *(text = fake_text(slow)) != '\0';) {
		bool on = strstr(text, "\"typing\":true") != NULL;
		*(strstr(text, ann->client_id) ? &anns : &bobs) = on;
	}
	ck_assert(!anns);
	ck_assert(bobs);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("typing", is_told_to_the_others_and_has_no_word_of_it,
		is_told_once_in_a_while_and_its_end_once, is_for_members_alone,
		a_slow_consumer_gets_the_latest_of_each);
