/* SPDX-License-Identifier: MIT */
/*
 * A board that is kept, and those who look at it, without memory at every single allocation of ours
 * in turn: whoever asks is answered or shown the door, what was confirmed is kept and nothing else,
 * and those who are present hear of each other when there is memory again.
 */
#include "fake.h"
#include "memory.h"
#include "run.h"
#include "core/session.h"

#include "../../plugins/whiteboard/whiteboard.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define ABOUT "\"practiceId\":1,\"id\":\"asked\"}"
#define SUBSCRIBE "{\"type\":\"whiteboard_subscribe\",\"state\":true," ABOUT
#define UNSUBSCRIBE "{\"type\":\"whiteboard_unsubscribe\"," ABOUT
#define PRESENT "{\"type\":\"whiteboard_presence\"," ABOUT
#define ABSENT "{\"type\":\"whiteboard_presence\",\"present\":false," ABOUT
#define SEEN "{\"type\":\"whiteboard_seen\",\"seq\":1," ABOUT
#define KEEP(key) "{\"type\":\"whiteboard_update\",\"key\":\"" key "\",\"keep\":true," ABOUT
#define DROP(key) "{\"type\":\"whiteboard_update\",\"key\":\"" key "\",\"keep\":false," ABOUT

static unsigned fails_at; /* 0: none */

enum answer { GONE, REFUSED, DONE };

/* What it got that matters here. */
struct heard {
	enum answer answer;
	bool has_list;
	int parts; /* of a state; of the latest part */
	int part;
};

static bool is_there(const struct fake_conn *conn)
{
	return conn->session && conn->session->phase == PX_SESSION_OPEN;
}

static void read_frame(struct json_object *frame, struct heard *heard)
{
	const char *type = fake_member(frame, "type");
	if (strcmp(fake_member(frame, "id"), "asked") == 0 && strcmp(type, "ack") == 0) {
		heard->answer = DONE;
	} else if (strcmp(fake_member(frame, "id"), "asked") == 0 && strcmp(type, "error") == 0) {
		heard->answer = REFUSED;
	} else if (strcmp(type, "whiteboard_presence") == 0) {
		heard->has_list = true;
	} else if (strcmp(type, "whiteboard_state") == 0) {
		heard->part++;
		heard->parts = json_object_get_int(json_object_object_get(frame, "parts"));
	}
}

static struct heard read_all(struct fake_conn *conn)
{
	struct heard heard = { .answer = GONE };
	const struct fake_frame *frame;
	while ((frame = fake_next(conn))) {
		struct json_object *object = json_tokener_parse(fake_frame_text(conn, frame));
		if (object) {
			read_frame(object, &heard);
			json_object_put(object);
		}
	}
	fake_forget(conn);
	return heard;
}

static void drop_all(struct fake *fake)
{
	for (struct fake_conn *conn = fake->conns; conn; conn = conn->next) {
		(void)read_all(conn);
	}
}

static struct heard say(struct fake_conn *conn, const char *text)
{
	struct heard heard = { .answer = GONE };
	if (!is_there(conn)) {
		return heard;
	}
	memory_watch(true);
	px_session_receive(conn->session, (const uint8_t *)text, strlen(text));
	memory_watch(false);
	bool open = is_there(conn);
	fake_turn(conn->fake);
	heard = read_all(conn);
	ck_assert_msg(heard.answer != GONE || !open, "allocation %u: no answer to %s", fails_at, text);
	ck_assert_msg(!open || heard.part == heard.parts, "allocation %u: a state is torn", fails_at);
	ck_assert_msg(heard.answer != DONE || strcmp(text, PRESENT) != 0 || heard.has_list,
			"allocation %u: a list is missing", fails_at);
	drop_all(conn->fake);
	return heard;
}

static void let_pass(struct fake *fake, int64_t ms)
{
	memory_watch(true);
	fake_advance(fake, ms);
	memory_watch(false);
	fake_turn(fake);
	drop_all(fake);
}

/* The value, or whether there was none, is that of what was confirmed last. */
static void change(struct fake_conn *conn, const char *text, bool keeps, bool *kept)
{
	struct heard heard = say(conn, text);
	if (heard.answer == DONE) {
		*kept = keeps;
	} else if (heard.answer == GONE && is_there(conn)) {
		ck_abort_msg("allocation %u: not answered", fails_at);
	}
}

/* With memory again. What was said to one who was shown the door may be kept or not. */
static void check_state(struct fake *fake, const bool kept[2], bool all_there)
{
	struct fake_conn *eve = fake_open(fake, WHO(.user = "9"));
	struct json_object *state;
	unsigned count = 0;
	fake_say(eve, SUBSCRIBE);
	fake_expect(eve, "{'type':'whiteboard_subscribed','state':'follows'}");
	state = fake_expect(eve, "{'type':'whiteboard_state','part':1,'parts':1}");
	count = (unsigned)json_object_array_length(json_object_object_get(state, "values"));
	ck_assert_msg(!all_there || count == (unsigned)kept[0] + kept[1],
			"allocation %u: %u values", fails_at, count);
}

/* Somebody comes, and those who are there are all listed. */
static void check_present(struct fake *fake, const struct fake_conn *ann, bool ann_is_present)
{
	struct fake_conn *eve = fake_open(fake, WHO(.user = "9"));
	fake_say(eve, PRESENT);
	struct json_object *list = fake_expect(eve, "{'type':'whiteboard_presence'}");
	int count = json_object_get_int(json_object_object_get(list, "count"));
	ck_assert_int_ge(count, 1 + (ann_is_present && is_there(ann)));
	fake_expect(eve, "{'type':'ack'}");
	fake_advance(fake, 1000);
	fake_turn(fake);
	fake_expect(eve, "{'type':'whiteboard_presence'}");
	if (ann_is_present && is_there(ann)) {
		struct heard heard = read_all((struct fake_conn *)(uintptr_t)ann);
		ck_assert_msg(heard.has_list, "allocation %u: not told who came", fails_at);
	}
}

/* All that happens on a board; how many allocations it took. */
static unsigned play(bool for_good)
{
	bool kept[2] = { false, false };
	struct fake *fake = fake_create(NULL);
	(void)fake_add_service(fake, &whiteboard_service, "{\"board-values\":2,\"board-age-s\":3600}");
	struct fake_conn *ann = fake_open(fake, WHO(.user = "7", .authenticated = true));
	struct fake_conn *bob = fake_open(fake, WHO(.user = "8"));
	fake_turn(fake);
	drop_all(fake);
	memory_fail(fails_at, for_good);
	bool is_present = say(ann, PRESENT).answer == DONE;
	change(ann, KEEP("a"), true, &kept[0]);
	change(bob, KEEP("b"), true, &kept[1]);
	(void)say(bob, PRESENT);
	(void)say(bob, SUBSCRIBE);
	(void)say(bob, SEEN);
	(void)say(ann, SEEN);
	let_pass(fake, 300);
	let_pass(fake, 600);
	change(ann, DROP("b"), false, &kept[1]);
	change(ann, KEEP("a"), true, &kept[0]);
	(void)say(bob, UNSUBSCRIBE);
	change(bob, KEEP("b"), true, &kept[1]);
	(void)say(bob, PRESENT);
	(void)say(bob, ABSENT);
	let_pass(fake, 6000);
	unsigned asked = memory_asked();
	memory_fail(0, false);
	check_state(fake, kept, is_there(ann) && is_there(bob));
	drop_all(fake);
	check_present(fake, ann, is_present);
	fake_destroy(fake);
	return asked;
}

START_TEST(whoever_asks_is_answered_and_what_is_confirmed_is_kept)
{
	fails_at = 0;
	unsigned all = play(false);
	ck_assert_uint_gt(all, 30);
	for (fails_at = 1; fails_at <= all; fails_at++) {
		(void)play(_i == 1);
	}
}
END_TEST

RUN_LOOP_TEST("board_memory", whoever_asks_is_answered_and_what_is_confirmed_is_kept, 2);
