/* SPDX-License-Identifier: MIT */
/*
 * The waiting room of telemedicine, with the real service: what those who wait hear and what
 * not, who may let them in, and every way out of the line.
 */
#include "channel/channel.h"
#include "fake.h"
#include "core/session.h"

#include "../../plugins/telemedicine/telemedicine.h"

#include <check.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS "{'waiting-room':true,'waiting-max':3,'waiting-timeout':60}"
#define LIST_MS 200 /* no list of these tests takes longer */

static struct fake *begin(const char *options, const struct px_limits *limits)
{
	char text[256];
	struct fake *fake = fake_create(limits);
	(void)snprintf(text, sizeof(text), "%s", options);
	for (char *at = text; *at != '\0'; at++) {
		*at = *at == '\'' ? '"' : *at;
	}
	(void)fake_add_service(fake, &telemedicine_service, text);
	return fake;
}

static struct fake_conn *open_patient(struct fake *fake, const char *user)
{
	return fake_open(fake, WHO(.role = PX_ROLE_PATIENT, .user = user, .authenticated = true,
			.rooms = "\"r\" \"s\""));
}

static void ask(struct fake_conn *conn, const char *type)
{
	char text[256];
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_%s\",\"roomId\":\"r\","
			"\"appointmentId\":5,\"userId\":\"u\",\"userName\":\"n\",\"id\":1}", type);
	fake_say(conn, text);
}

/* Joins, and is told to wait. */
static struct fake_conn *wait_at(struct fake *fake, const char *user, int position)
{
	char text[64];
	struct fake_conn *conn = open_patient(fake, user);
	(void)snprintf(text, sizeof(text), "{'type':'telemedicine_waiting','position':%d}",
			position);
	ask(conn, "user_joined");
	fake_expect(conn, text);
	fake_expect(conn, "{'type':'ack'}");
	fake_expect_nothing(conn);
	return conn;
}

/* Staff in the room, with a list of `count` to read first. */
static struct fake_conn *open_staff(struct fake *fake, size_t count)
{
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"doc\"", .authenticated = true));
	ask(conn, "user_joined");
	fake_expect(conn, "{'type':'telemedicine_room_joined'}");
	if (count > 0) {
		struct json_object *list = fake_expect(conn,
				"{'type':'telemedicine_waiting_list','roomId':'r','practiceId':1}");
		ck_assert_uint_eq(json_object_array_length(
				json_object_object_get(list, "waiting")), count);
	}
	fake_expect(conn, "{'type':'ack'}");
	fake_expect_nothing(conn);
	return conn;
}

/* The list that comes a moment later: who is in it, one behind the other. */
static void expect_list(struct fake_conn *staff, struct fake_conn *const *conns, size_t count)
{
	fake_expect_nothing(staff);
	fake_advance(staff->fake, LIST_MS);
	fake_turn(staff->fake);
	struct json_object *list = fake_expect(staff, "{'type':'telemedicine_waiting_list'}");
	struct json_object *waiting = json_object_object_get(list, "waiting");
	ck_assert_uint_eq(json_object_array_length(waiting), count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(fake_member(json_object_array_get_idx(waiting, i), "clientId"),
				conns[i]->client_id);
	}
	fake_expect_nothing(staff);
}

static void act(struct fake_conn *conn, const char *type, const struct fake_conn *target,
		const char *more)
{
	char text[256];
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_%s\",\"roomId\":\"r\","
			"\"clientId\":\"%s\"%s,\"id\":1}", type, target->client_id, more);
	fake_say(conn, text);
}

static void act_in_vain(struct fake_conn *conn, const char *type, const struct fake_conn *target,
		const char *code)
{
	char text[64];
	(void)snprintf(text, sizeof(text), "{'type':'error','code':'%s'}", code);
	act(conn, type, target, "");
	fake_expect(conn, text);
	fake_expect_nothing(conn);
}

START_TEST(hears_nothing_of_the_room)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *patient = wait_at(fake, "1", 1);
	expect_list(staff, &patient, 1);
	fake_say(staff, "{\"type\":\"telemedicine_chat_message\",\"roomId\":\"r\","
			"\"appointmentId\":5,\"message\":\"hush\",\"from\":1,\"fromUserId\":1}");
	fake_say(staff, "{\"type\":\"telemedicine_media_state\",\"roomId\":\"r\","
			"\"audio\":true,\"video\":true,\"screen\":true}");
	fake_expect_nothing(patient);
	fake_say(patient, "{\"type\":\"telemedicine_chat_message\",\"roomId\":\"r\","
			"\"appointmentId\":5,\"message\":\"psst\",\"from\":1,\"fromUserId\":1}");
	fake_expect(patient, "{'type':'error','code':'not_in_room'}");
	fake_say(patient, "{\"type\":\"telemedicine_media_state\",\"roomId\":\"r\","
			"\"audio\":true,\"video\":true,\"screen\":true}");
	fake_expect(patient, "{'type':'error','code':'not_in_room'}");
	fake_expect_nothing(staff);
	ck_assert_uint_eq(fake_stats(fake).waiting, 1);
	ck_assert_uint_eq(fake_stats(fake).rooms, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_admitted_as_by_an_ordinary_join)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *first = wait_at(fake, "1", 1);
	struct fake_conn *second = wait_at(fake, "2", 2);
	struct fake_conn *staff = open_staff(fake, 2);
	act(staff, "admit", first, "");
	fake_expect(staff, "{'type':'telemedicine_user_joined','roomId':'r','appointmentId':5,"
			"'userId':1,'practiceId':1}");
	fake_expect(staff, "{'type':'ack'}");
	struct json_object *joined = fake_expect(first,
			"{'type':'telemedicine_room_joined','roomId':'r','appointmentId':5,'chat':[]}");
	ck_assert_uint_eq(json_object_array_length(json_object_object_get(joined, "members")), 1);
	fake_expect_nothing(first);
	fake_expect(second, "{'type':'telemedicine_waiting','position':1}");
	fake_expect_nothing(second);
	expect_list(staff, &second, 1);
	/* Both ways now; and it is in, so a second join is nothing new. */
	ask(first, "user_joined");
	fake_expect(first, "{'type':'telemedicine_room_joined'}");
	fake_expect(first, "{'type':'ack'}");
	fake_say(staff, "{\"type\":\"telemedicine_offer\",\"roomId\":\"r\",\"appointmentId\":5,"
			"\"offer\":{},\"from\":1}");
	fake_expect(first, "{'type':'telemedicine_offer'}");
	fake_expect_nothing(second);
	act_in_vain(staff, "admit", first, "no_such_peer");
	ck_assert_uint_eq(fake_stats(fake).waiting, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_denied_and_may_ask_again)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *patient = wait_at(fake, "1", 1);
	act(staff, "deny", patient, ",\"reason\":\"call \\u0075s\"");
	fake_expect(staff, "{'type':'ack'}");
	fake_expect(patient, "{'type':'telemedicine_denied','roomId':'r','appointmentId':5,"
			"'code':'denied','reason':'call us'}");
	fake_expect_nothing(patient);
	expect_list(staff, NULL, 0);
	ck_assert_uint_eq(fake_stats(fake).waiting, 0);
	ask(patient, "user_left");
	fake_expect(patient, "{'type':'error','code':'not_in_room'}");
	ask(patient, "user_joined");
	fake_expect(patient, "{'type':'telemedicine_waiting','position':1}");
	act(staff, "deny", patient, "");
	struct json_object *denied = (fake_expect(patient, "{'type':'ack'}"),
			fake_expect(patient, "{'type':'telemedicine_denied','code':'denied'}"));
	ck_assert_str_eq(fake_member(denied, "reason"), "");
	fake_destroy(fake);
}
END_TEST

START_TEST(only_the_team_in_the_room_decides)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *patient = wait_at(fake, "1", 1);
	struct fake_conn *outside = fake_open(fake, WHO(.authenticated = true));
	struct fake_conn *stranger = fake_open(fake,
			WHO(.practices = "2", .user = "9", .authenticated = true));
	struct fake_conn *other = wait_at(fake, "2", 2);
	static const char *const types[] = { "admit", "deny" };
	ask(stranger, "user_joined");
	fake_expect(stranger, "{'type':'telemedicine_room_joined'}");
	fake_expect(stranger, "{'type':'ack'}");
	for (size_t i = 0; i < 2; i++) {
		act_in_vain(outside, types[i], patient, "not_in_room");
		act_in_vain(other, types[i], patient, "forbidden");
		act_in_vain(patient, types[i], patient, "forbidden");
		/* In a room of that name, but in another practice. */
		act_in_vain(stranger, types[i], patient, "no_such_peer");
	}
	fake_expect_nothing(patient);
	struct fake_conn *staff = open_staff(fake, 2);
	act_in_vain(staff, "admit", outside, "no_such_peer");
	act_in_vain(staff, "admit", staff, "no_such_peer");
	/* Not by the user's id, which others might take. */
	fake_say(staff, "{\"type\":\"telemedicine_admit\",\"roomId\":\"r\",\"clientId\":1}");
	fake_expect(staff, "{'type':'error','code':'no_such_peer','field':'clientId'}");
	fake_destroy(fake);
}
END_TEST

START_TEST(a_full_room_leaves_it_in_its_place)
{
	struct fake *fake = begin("{'waiting-room':true,'room-members':2}", NULL);
	struct fake_conn *first = wait_at(fake, "1", 1);
	struct fake_conn *second = wait_at(fake, "2", 2);
	struct fake_conn *staff = open_staff(fake, 2);
	act(staff, "admit", second, "");
	fake_expect(second, "{'type':'telemedicine_room_joined'}");
	fake_expect(staff, "{'type':'telemedicine_user_joined'}");
	fake_expect(staff, "{'type':'ack'}");
	expect_list(staff, &first, 1);
	act_in_vain(staff, "admit", first, "room_full");
	fake_expect_nothing(first);
	fake_expect_nothing(second);
	ask(second, "user_left");
	fake_expect(staff, "{'type':'telemedicine_user_left','userId':2,'reason':'left'}");
	act(staff, "admit", first, "");
	fake_expect(first, "{'type':'telemedicine_room_joined'}");
	fake_destroy(fake);
}
END_TEST

START_TEST(leaves_the_line_by_itself)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *conns[] = { wait_at(fake, "1", 1), wait_at(fake, "2", 2),
		wait_at(fake, "3", 3) };
	expect_list(staff, conns, 3);
	/* It is full; one who waits already may ask again. */
	struct fake_conn *late = open_patient(fake, "4");
	ask(late, "user_joined");
	fake_expect(late, "{'type':'error','code':'room_full','field':'roomId'}");
	ask(conns[2], "user_joined");
	fake_expect(conns[2], "{'type':'telemedicine_waiting','position':3}");
	fake_expect(conns[2], "{'type':'ack'}");
	ask(conns[0], "user_left");
	fake_expect(conns[0], "{'type':'ack'}");
	fake_expect_nothing(conns[0]);
	fake_expect(conns[1], "{'type':'telemedicine_waiting','position':1}");
	fake_expect(conns[2], "{'type':'telemedicine_waiting','position':2}");
	fake_lose(conns[1]);
	fake_turn(fake);
	fake_expect(conns[2], "{'type':'telemedicine_waiting','position':1}");
	fake_expect_nothing(conns[2]);
	expect_list(staff, &conns[2], 1);
	fake_lose(conns[2]);
	fake_turn(fake);
	expect_list(staff, NULL, 0);
	ck_assert_uint_eq(fake_stats(fake).waiting, 0);
	ck_assert_uint_eq(fake_stats(fake).channels, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(waits_no_longer_than_it_may)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *first = wait_at(fake, "1", 1);
	fake_advance(fake, 20000);
	struct fake_conn *second = wait_at(fake, "2", 2);
	fake_turn(fake);
	fake_expect(staff, "{'type':'telemedicine_waiting_list'}");
	expect_list(staff, (struct fake_conn *[]){ first, second }, 2);
	fake_advance(fake, 39700);
	fake_turn(fake);
	fake_expect_nothing(first);
	fake_advance(fake, 200);
	fake_turn(fake);
	fake_expect(first, "{'type':'telemedicine_denied','code':'expired'}");
	fake_expect(second, "{'type':'telemedicine_waiting','position':1}");
	expect_list(staff, &second, 1);
	fake_advance(fake, 20000);
	fake_turn(fake);
	fake_expect(second, "{'type':'telemedicine_denied','code':'expired'}");
	expect_list(staff, NULL, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(the_end_of_the_call_is_theirs_but_not_its_last_leaving)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *conns[] = { wait_at(fake, "1", 1), wait_at(fake, "2", 2) };
	struct fake_conn *staff = open_staff(fake, 2);
	ask(staff, "user_left");
	fake_expect(staff, "{'type':'ack'}");
	ck_assert_uint_eq(fake_stats(fake).rooms, 0);
	fake_expect_nothing(conns[0]);
	ask(staff, "user_joined");
	fake_expect(staff, "{'type':'telemedicine_room_joined'}");
	fake_expect(staff, "{'type':'telemedicine_waiting_list'}");
	fake_expect(staff, "{'type':'ack'}");
	fake_say(staff, "{\"type\":\"telemedicine_end\",\"roomId\":\"r\"}");
	fake_expect(staff, "{'type':'telemedicine_user_left','reason':'ended'}");
	fake_advance(fake, LIST_MS);
	fake_expect_nothing(staff);
	for (size_t i = 0; i < 2; i++) {
		fake_expect(conns[i], "{'type':'telemedicine_denied','code':'ended'}");
		fake_expect_nothing(conns[i]);
	}
	ck_assert_uint_eq(fake_stats(fake).channels, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(one_user_has_one_place)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *old = wait_at(fake, "1", 1);
	struct fake_conn *second = wait_at(fake, "2", 2);
	struct fake_conn *third = wait_at(fake, "3", 3);
	/* Also where it is full. */
	struct fake_conn *young = wait_at(fake, "\"1\"", 1);
	fake_expect(old, "{'type':'telemedicine_denied','code':'replaced'}");
	fake_expect_nothing(old);
	fake_expect_nothing(second);
	expect_list(staff, (struct fake_conn *[]){ young, second, third }, 3);
	ck_assert_uint_eq(fake_stats(fake).waiting, 3);
	/* What is anybody's word is nobody's place. */
	struct fake_conn *a = fake_open(fake, WHO(.role = PX_ROLE_PATIENT, .practices = "2"));
	struct fake_conn *b = fake_open(fake, WHO(.role = PX_ROLE_PATIENT, .practices = "2"));
	ask(a, "user_joined");
	ask(b, "user_joined");
	fake_expect(a, "{'type':'telemedicine_waiting','position':1}");
	fake_expect(b, "{'type':'telemedicine_waiting','position':2}");
	fake_destroy(fake);
}
END_TEST

START_TEST(is_no_room_besides_the_room)
{
	struct px_limits limits = fake_limits();
	limits.rooms_per_session = 1;
	struct fake *fake = begin(OPTIONS, &limits);
	struct fake_conn *patient = wait_at(fake, "1", 1);
	fake_say(patient, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"s\","
			"\"appointmentId\":5,\"userId\":1,\"userName\":\"n\"}");
	fake_expect(patient, "{'type':'error','code':'too_many_rooms'}");
	fake_say(patient, "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"t\","
			"\"appointmentId\":5,\"userId\":1,\"userName\":\"n\"}");
	fake_expect(patient, "{'type':'error','code':'forbidden'}");
	struct fake_conn *staff = open_staff(fake, 1);
	act(staff, "admit", patient, "");
	fake_expect(patient, "{'type':'telemedicine_room_joined'}");
	ck_assert_uint_eq(patient->session->rooms, 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(switched_off_it_lets_in_who_asks_again)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *first = wait_at(fake, "1", 1);
	struct fake_conn *second = wait_at(fake, "2", 2);
	expect_list(staff, (struct fake_conn *[]){ first, second }, 2);
	ck_assert_int_eq(px_broker_configure(fake->broker, 0,
			fake_options(fake, telemedicine_service.options, "{}")), 0);
	ask(first, "user_joined");
	fake_expect(first, "{'type':'telemedicine_room_joined'}");
	fake_expect(first, "{'type':'ack'}");
	fake_expect(staff, "{'type':'telemedicine_user_joined','userId':1}");
	fake_expect(second, "{'type':'telemedicine_waiting','position':1}");
	expect_list(staff, &second, 1);
	act(staff, "admit", second, "");
	fake_expect(second, "{'type':'telemedicine_room_joined'}");
	ck_assert_uint_eq(fake_stats(fake).waiting, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(many_changes_are_one_list)
{
	struct fake *fake = begin(OPTIONS, NULL);
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *patient = open_patient(fake, "1");
	struct fake_conn *stays = wait_at(fake, "2", 1);
	for (int i = 0; i < 100; i++) {
		ask(patient, "user_joined");
		ask(patient, "user_left");
	}
	expect_list(staff, &stays, 1);
	fake_destroy(fake);
}
END_TEST

/* ---- sessions that outlive their connections ---- */

static struct fake *begin_resumable(void)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	limits.resume_messages = 100;
	limits.resume_bytes = 1 << 20;
	return begin(OPTIONS, &limits);
}

/* Waits, and its connection breaks; its greeting and its place were read. */
static struct fake_conn *wait_and_break(struct fake *fake, int position)
{
	char text[64];
	struct fake_conn *conn = fake_open(fake, WHO(.role = PX_ROLE_PATIENT, .user = "9",
			.authenticated = true, .rooms = "\"r\"", .versioned = true));
	(void)snprintf(text, sizeof(text), "{'type':'telemedicine_waiting','position':%d}",
			position);
	ask(conn, "user_joined");
	fake_expect(conn, text);
	fake_expect(conn, "{'type':'ack'}");
	fake_lose(conn);
	fake_turn(fake);
	return conn;
}

static struct fake_conn *come_back(struct fake *fake, const struct fake_conn *conn)
{
	return fake_resume(fake, WHO(.unauthenticated = true, .versioned = true, .practices = "",
			.resume = conn->token, .received = 2));
}

START_TEST(keeps_its_place_without_a_connection)
{
	struct fake *fake = begin_resumable();
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *first = wait_at(fake, "1", 1);
	struct fake_conn *away = wait_and_break(fake, 2);
	struct fake_conn *third = wait_at(fake, "3", 3);
	expect_list(staff, (struct fake_conn *[]){ first, away, third }, 3);
	ask(first, "user_left");
	struct fake_conn *back = come_back(fake, away);
	ck_assert_str_eq(back->client_id, away->client_id);
	fake_expect(back, "{'type':'telemedicine_waiting','position':1}");
	fake_expect_nothing(back);
	expect_list(staff, (struct fake_conn *[]){ back, third }, 2);
	ask(back, "user_joined");
	fake_expect(back, "{'type':'telemedicine_waiting','position':1}");
	fake_destroy(fake);
}
END_TEST

START_TEST(is_let_in_while_it_is_away)
{
	struct fake *fake = begin_resumable();
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *away = wait_and_break(fake, 1);
	act(staff, "admit", away, "");
	fake_expect(staff, "{'type':'telemedicine_user_joined','userId':9}");
	fake_expect(staff, "{'type':'ack'}");
	expect_list(staff, NULL, 0);
	struct fake_conn *back = come_back(fake, away);
	fake_expect(back, "{'type':'telemedicine_room_joined'}");
	fake_expect_nothing(back);
	ck_assert_uint_eq(fake_stats(fake).waiting, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_gone_after_the_grace)
{
	struct fake *fake = begin_resumable();
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *away = wait_and_break(fake, 1);
	struct fake_conn *second = wait_at(fake, "2", 2);
	expect_list(staff, (struct fake_conn *[]){ away, second }, 2);
	fake_advance(fake, 30000);
	fake_turn(fake);
	fake_expect(second, "{'type':'telemedicine_waiting','position':1}");
	expect_list(staff, &second, 1);
	act_in_vain(staff, "admit", away, "no_such_peer");
	/* The page that was loaded anew takes the place of the session that it lost. */
	struct fake_conn *lost = wait_and_break(fake, 2);
	struct fake_conn *third = wait_at(fake, "3", 3);
	struct fake_conn *anew = wait_at(fake, "9", 2);
	expect_list(staff, (struct fake_conn *[]){ second, anew, third }, 3);
	act_in_vain(staff, "admit", lost, "no_such_peer");
	fake_destroy(fake);
}
END_TEST

/* ---- the audit log ---- */

static enum px_event_kind forbidden;
static char audit_log[256];

static int on_event(void *user, const struct px_event *event)
{
	static const char *const kinds[] = {
		[PX_EVENT_JOINED] = "joined",
		[PX_EVENT_LEFT] = "left",
		[PX_EVENT_WAITING] = "waiting",
		[PX_EVENT_ADMITTED] = "admitted",
		[PX_EVENT_DENIED] = "denied",
		[PX_EVENT_WAITED] = "waited",
	};
	(void)user;
	if (event->kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[event->kind]) {
		char who[64];
		(void)snprintf(who, sizeof(who), "%s%s%s ", kinds[event->kind],
				event->actor && event->actor != event->session ? "!" : "",
				px_session_role(event->session) == PX_ROLE_PATIENT ? "" : "*");
		strcat(audit_log, who);
		return event->kind == forbidden ? -EROFS : 0;
	}
	return 0;
}

static void expect_audit_log(const char *text)
{
	ck_assert_str_eq(audit_log, text);
	audit_log[0] = '\0';
}

START_TEST(the_audit_log_has_who_let_in_whom)
{
	struct fake *fake = begin(OPTIONS, NULL);
	fake->broker->host.event = on_event;
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *patient = wait_at(fake, "1", 1);
	expect_audit_log("joined* waiting ");
	act(staff, "deny", patient, "");
	expect_audit_log("denied! ");
	ask(patient, "user_joined");
	act(staff, "admit", patient, "");
	expect_audit_log("waiting admitted! ");
	act(staff, "remove", patient, "");
	ask(patient, "user_joined");
	ask(patient, "user_left");
	expect_audit_log("left! waiting waited ");
	fake_destroy(fake);
}
END_TEST

START_TEST(what_the_audit_log_forbids_does_not_happen)
{
	struct fake *fake = begin(OPTIONS, NULL);
	fake->broker->host.event = on_event;
	struct fake_conn *staff = open_staff(fake, 0);
	struct fake_conn *patient = wait_at(fake, "1", 1);
	struct fake_conn *second = open_patient(fake, "2");
	expect_list(staff, &patient, 1);
	forbidden = PX_EVENT_WAITING;
	ask(second, "user_joined");
	fake_expect(second, "{'type':'error','code':'unavailable'}");
	forbidden = PX_EVENT_ADMITTED;
	act_in_vain(staff, "admit", patient, "unavailable");
	fake_expect_nothing(patient);
	forbidden = PX_EVENT_DISCONNECTED;
	ck_assert_uint_eq(fake_stats(fake).waiting, 1);
	ck_assert_uint_eq(fake_stats(fake).members, 2);
	act(staff, "admit", patient, "");
	fake_expect(patient, "{'type':'telemedicine_room_joined'}");
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("waiting", hears_nothing_of_the_room, is_admitted_as_by_an_ordinary_join,
		is_denied_and_may_ask_again, only_the_team_in_the_room_decides,
		a_full_room_leaves_it_in_its_place, leaves_the_line_by_itself,
		waits_no_longer_than_it_may, the_end_of_the_call_is_theirs_but_not_its_last_leaving,
		one_user_has_one_place, is_no_room_besides_the_room,
		switched_off_it_lets_in_who_asks_again, many_changes_are_one_list,
		keeps_its_place_without_a_connection, is_let_in_while_it_is_away,
		is_gone_after_the_grace, the_audit_log_has_who_let_in_whom,
		what_the_audit_log_forbids_does_not_happen);
