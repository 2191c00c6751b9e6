/* SPDX-License-Identifier: MIT */
/* Looking on: headers of what comes and goes in a practice, in order, and nothing of another. */
#include "fake.h"
#include "core/session.h"

#include <check.h>
#include <praxis/host/message_tap.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <string.h>

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

#define UPDATE(practice) "{\"type\":\"whiteboard_update\",\"practiceId\":" practice ",\"data\":1}"
#define JOIN "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1," \
	"\"userId\":1,\"userName\":\"n\"}"

/* What was noted, a word for each header: "in:whiteboard_update". */
struct notes {
	char text[4096];
	struct px_header last;
	char client_id[PX_CLIENT_ID_SIZE];
	char room[32];
};

static void on_header(void *user, const struct px_header *header)
{
	struct notes *notes = user;
	size_t at = strlen(notes->text);
	(void)snprintf(notes->text + at, sizeof(notes->text) - at, "%s%s:%s%s%s",
			at > 0 ? " " : "", header->direction == PX_CAME ? "in" : "out",
			header->type ? header->type : "?",
			header->error != PX_E_COUNT ? ":" : "",
			header->error != PX_E_COUNT ? px_error_name(header->error) : "");
	notes->last = *header;
	notes->client_id[0] = '\0';
	if (header->session) {
		px_session_client_id(header->session, notes->client_id);
	}
	(void)snprintf(notes->room, sizeof(notes->room), "%.*s", (int)header->room.len,
			header->room.len > 0 ? header->room.data : "");
}

static void assert_notes(struct notes *notes, const char *expected)
{
	ck_assert_str_eq(notes->text, expected);
	notes->text[0] = '\0';
}

static struct fake *make_with(const struct px_limits *limits)
{
	struct fake *fake = fake_create(limits);
	fake->realm.tenant = "t";
	fake_add_service(fake, svc_whiteboard.protocols[0].user, NULL);
	fake_add_service(fake, svc_telemedicine.protocols[0].user, NULL);
	return fake;
}

static struct fake *make(void)
{
	return make_with(NULL);
}

/* As somebody with these practices asks over HTTP. */
static int look(struct fake *fake, const struct fake_who *who, const char *practice,
		const char *service, struct notes *notes, struct px_message_tap **ret_tap,
		struct px_error_detail *ret_detail)
{
	struct px_identity *identity;
	ck_assert_int_eq(fake_identity(fake, who, &identity), 0);
	const struct px_operator operator = {
		.broker = fake->broker,
		.identity = identity,
		.realm = &fake->realm,
	};
	int rc = px_message_tap_open(&operator, &(struct px_message_tap_filter){
		.practice = px_span(practice),
		.service = px_span(service),
		.note = on_header,
		.user = notes,
	}, ret_tap, ret_detail);
	px_identity_destroy(fake->broker, identity);
	return rc;
}

static struct px_message_tap *look_at(struct fake *fake, const char *practice, struct notes *notes)
{
	struct px_message_tap *tail;
	struct px_error_detail detail;
	ck_assert_int_eq(look(fake, WHO(.practices = practice, .role = PX_ROLE_SERVICE), practice, "",
			notes, &tail, &detail), 0);
	return tail;
}

START_TEST(shows_what_comes_and_goes_in_the_practice)
{
	struct fake *fake = make();
	struct notes notes = { .text = "" };
	struct px_message_tap *tail = look_at(fake, "1", &notes);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *far = fake_open(fake, WHO(.practices = "2"));
	assert_notes(&notes, "");
	fake_say(ann, UPDATE("1"));
	ck_assert_uint_eq(notes.last.receivers, 1);
	ck_assert_str_eq(notes.client_id, "");
	ck_assert_str_eq(notes.last.service->name, "whiteboard");
	assert_notes(&notes, "in:whiteboard_update out:whiteboard_update");
	fake_say(far, UPDATE("2"));
	fake_say(ann, "{\"type\":\"ping\"}");
	assert_notes(&notes, "");
	px_message_tap_close(tail);
	fake_say(bob, UPDATE("1"));
	assert_notes(&notes, "");
	fake_destroy(fake);
}
END_TEST

START_TEST(shows_who_sent_and_who_got_it)
{
	struct fake *fake = make();
	struct notes notes = { .text = "" };
	struct px_message_tap *tail = look_at(fake, "1", &notes);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	fake_say(ann, "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"data\":1,\"id\":5}");
	ck_assert_str_eq(notes.client_id, ann->client_id);
	ck_assert_uint_eq(notes.last.bytes, strlen("{\"type\":\"ack\",\"id\":5,\"seq\":1}"));
	assert_notes(&notes, "in:whiteboard_update out:whiteboard_update out:ack");
	fake_say(ann, JOIN);
	ck_assert_str_eq(notes.room, "r");
	ck_assert_uint_eq(notes.last.receivers, 0);
	assert_notes(&notes, "in:telemedicine_user_joined out:telemedicine_room_joined "
			"out:telemedicine_user_joined");
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "1"));
	fake_say(bob, JOIN);
	notes.text[0] = '\0';
	fake_say(ann, "{\"type\":\"telemedicine_chat_message\",\"roomId\":\"r\","
			"\"appointmentId\":1,\"message\":\"m\",\"from\":\"f\",\"fromUserId\":1}");
	ck_assert_str_eq(notes.room, "r");
	assert_notes(&notes, "in:telemedicine_chat_message out:telemedicine_chat_message");
	char offer[256];
	(void)snprintf(offer, sizeof(offer), "{\"type\":\"telemedicine_offer\",\"roomId\":\"r\","
			"\"appointmentId\":1,\"from\":\"f\",\"to\":\"%s\",\"offer\":{}}", bob->client_id);
	fake_say(ann, offer);
	ck_assert_str_eq(notes.client_id, bob->client_id);
	assert_notes(&notes, "in:telemedicine_offer out:telemedicine_offer");
	px_message_tap_close(tail);
	fake_destroy(fake);
}
END_TEST

START_TEST(shows_refusals_of_those_who_have_no_other_practice)
{
	struct fake *fake = make();
	struct notes notes = { .text = "" };
	struct px_message_tap *tail = look_at(fake, "1", &notes);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *both = fake_open(fake, WHO(.practices = "1 2"));
	fake_say(ann, UPDATE("2"));
	ck_assert_ptr_nonnull(notes.last.service);
	assert_notes(&notes, "in:whiteboard_update out:error:forbidden");
	fake_say(ann, "{\"type\":\"whiteboard_secrets\"}");
	assert_notes(&notes, "in:? out:error:unknown_type");
	fake_say(ann, "{");
	assert_notes(&notes, "in:? out:error:bad_json");
	fake_say(ann, "{\"type\":\"telemedicine_end\",\"roomId\":\"r\"}");
	assert_notes(&notes, "in:telemedicine_end out:error:not_in_room");
	fake_say(both, "{");
	fake_say(both, UPDATE("3"));
	assert_notes(&notes, "");
	fake_say(both, UPDATE("1"));
	assert_notes(&notes, "in:whiteboard_update out:whiteboard_update");
	px_message_tap_close(tail);
	fake_destroy(fake);
}
END_TEST

/* Its practice was known before it was found to be one too many. */
START_TEST(shows_an_act_that_is_refused_once)
{
	struct px_limits limits = fake_limits();
	limits.acts_per_s = 1;
	limits.acts_burst = 1;
	struct fake *fake = make_with(&limits);
	struct notes notes = { .text = "" };
	struct px_message_tap *tail = look_at(fake, "1", &notes);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	fake_say(ann, JOIN);
	notes.text[0] = '\0';
	fake_say(ann, JOIN);
	assert_notes(&notes, "in:telemedicine_user_joined out:error:rate_limited");
	px_message_tap_close(tail);
	fake_destroy(fake);
}
END_TEST

START_TEST(may_be_of_one_service)
{
	struct fake *fake = make();
	struct notes notes = { .text = "" };
	struct px_message_tap *tail;
	struct px_error_detail detail;
	ck_assert_int_eq(look(fake, WHO(.practices = "1"), "1", "whiteboard", &notes, &tail, &detail),
			0);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	fake_say(ann, JOIN);
	assert_notes(&notes, "");
	fake_say(ann, UPDATE("1"));
	fake_say(ann, UPDATE("2"));
	assert_notes(&notes, "in:whiteboard_update out:whiteboard_update "
			"in:whiteboard_update out:error:forbidden");
	px_message_tap_close(tail);
	fake_destroy(fake);
}
END_TEST

START_TEST(is_for_the_operators_practices)
{
	struct fake *fake = make();
	struct notes notes = { .text = "" };
	struct px_message_tap *tail = NULL;
	struct px_error_detail detail;
	ck_assert_int_eq(look(fake, WHO(.practices = "2"), "1", "", &notes, &tail, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_FORBIDDEN);
	ck_assert_int_eq(look(fake, WHO(.practices = "1"), "1", "nope", &notes, &tail, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_NOT_FOUND);
	/* All of another tenant is nothing of this one. */
	ck_assert_int_eq(look(fake, WHO(.tenant = "u", .all_practices = true, .practices = "",
			.role = PX_ROLE_ADMIN), "1", "", &notes, &tail, &detail), 0);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	fake_say(ann, UPDATE("1"));
	assert_notes(&notes, "");
	px_message_tap_close(tail);
	fake_destroy(fake);
}
END_TEST

START_TEST(many_look_on_and_end_in_any_order)
{
	struct fake *fake = make();
	struct notes notes[3] = { { .text = "" } };
	struct px_message_tap *tails[3];
	for (int i = 0; i < 3; i++) {
		tails[i] = look_at(fake, "1", &notes[i]);
	}
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	px_message_tap_close(tails[1]);
	fake_say(ann, UPDATE("1"));
	assert_notes(&notes[0], "in:whiteboard_update out:whiteboard_update");
	assert_notes(&notes[1], "");
	assert_notes(&notes[2], "in:whiteboard_update out:whiteboard_update");
	px_message_tap_close(tails[0]);
	px_message_tap_close(tails[2]);
	px_message_tap_close(NULL);
	fake_destroy(fake);
}
END_TEST

START_TEST(shows_what_the_back_end_publishes)
{
	struct fake *fake = make();
	struct notes notes = { .text = "" };
	struct px_message_tap *tail = look_at(fake, "1", &notes);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1", .role = PX_ROLE_SERVICE));
	struct px_operator operator = px_session_operator(ann->session);
	struct px_published published;
	struct px_error_detail detail;
	ck_assert_int_eq(px_operate_publish(&operator, NULL, px_span(UPDATE("1")), &published,
			&detail), 0);
	ck_assert_uint_eq(notes.last.receivers, 1);
	assert_notes(&notes, "out:whiteboard_update");
	px_message_tap_close(tail);
	fake_turn(fake);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("message_tap", shows_what_comes_and_goes_in_the_practice, shows_who_sent_and_who_got_it,
		shows_refusals_of_those_who_have_no_other_practice,
		shows_an_act_that_is_refused_once, may_be_of_one_service,
		is_for_the_operators_practices, many_look_on_and_end_in_any_order,
		shows_what_the_back_end_publishes);
