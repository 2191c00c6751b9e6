/* SPDX-License-Identifier: MIT */
/*
 * A video call without memory, at every single allocation of ours in turn: whoever asked for
 * something is answered or shown the door, and nothing remains when all have gone.
 */
#include "fake.h"
#include "memory.h"
#include "run.h"
#include "core/session.h"

#include "../../plugins/telemedicine/telemedicine.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define ROOM "\"roomId\":\"r\",\"appointmentId\":5,\"id\":\"asked\""
#define ME ",\"userId\":\"u\",\"userName\":\"n\""
#define FROM ",\"from\":\"u\",\"fromUserId\":\"u\""
#define JOIN "{\"type\":\"telemedicine_user_joined\"," ROOM ME "}"
#define LEAVE "{\"type\":\"telemedicine_user_left\"," ROOM ME "}"
#define TYPING "{\"type\":\"telemedicine_typing\"," ROOM ",\"typing\":true}"
#define CHAT "{\"type\":\"telemedicine_chat_message\"," ROOM FROM ",\"message\":\"m\"}"
#define OFFER "{\"type\":\"telemedicine_offer\"," ROOM FROM ",\"offer\":{}}"
#define END "{\"type\":\"telemedicine_end\"," ROOM "}"

static unsigned fails_at; /* 0: none */

/* ---- what is said ---- */

static bool is_there(const struct fake_conn *conn)
{
	return conn->session && conn->session->phase == PX_SESSION_OPEN;
}

static void drop_all(struct fake *fake)
{
	for (struct fake_conn *conn = fake->conns; conn; conn = conn->next) {
		while (fake_next(conn)) {
		}
		fake_forget(conn);
	}
}

/* Whether it got the receipt, or the error, that it asked for. */
static bool is_answered(struct fake_conn *conn)
{
	const struct fake_frame *frame;
	bool answered = false;
	while ((frame = fake_next(conn))) {
		answered |= strstr(fake_frame_text(conn, frame), "\"id\":\"asked\"") != NULL;
	}
	return answered;
}

static void say(struct fake_conn *conn, const char *text)
{
	if (!is_there(conn)) {
		return;
	}
	memory_watch(true);
	px_session_receive(conn->session, (const uint8_t *)text, strlen(text));
	memory_watch(false);
	bool open = is_there(conn);
	fake_turn(conn->fake);
	ck_assert_msg(is_answered(conn) || !open, "allocation %u: no answer to %s", fails_at, text);
	drop_all(conn->fake);
}

static void about(struct fake_conn *conn, const char *type, const struct fake_conn *target)
{
	char text[256];
	(void)snprintf(text, sizeof(text), "{\"type\":\"telemedicine_%s\"," ROOM
			",\"clientId\":\"%s\",\"reason\":\"later\"}", type, target->client_id);
	say(conn, text);
}

static void let_pass(struct fake *fake, int64_t ms)
{
	memory_watch(true);
	fake_advance(fake, ms);
	memory_watch(false);
	fake_turn(fake);
	drop_all(fake);
}

static struct fake_conn *open_patient(struct fake *fake, const char *user)
{
	return fake_open(fake, WHO(.role = PX_ROLE_PATIENT, .user = user, .authenticated = true,
			.rooms = "\"r\""));
}

/* All that happens in a room and before it; how many allocations it took. */
static unsigned play(bool for_good)
{
	struct fake *fake = fake_create(NULL);
	(void)fake_add_service(fake, &telemedicine_service,
			"{\"waiting-room\":1,\"waiting-max\":3,\"waiting-timeout\":60}");
	struct fake_conn *ann = fake_open(fake, WHO(.user = "7", .authenticated = true));
	struct fake_conn *bob = fake_open(fake, WHO(.user = "8"));
	struct fake_conn *one = open_patient(fake, "1");
	struct fake_conn *two = open_patient(fake, "2");
	struct fake_conn *twin = open_patient(fake, "1");
	memory_fail(fails_at, for_good);
	say(one, JOIN);
	say(ann, JOIN);
	say(two, JOIN);
	let_pass(fake, 200);
	say(bob, JOIN);
	say(twin, JOIN);
	about(ann, "admit", two);
	say(two, CHAT);
	say(bob, OFFER);
	say(bob, TYPING);
	let_pass(fake, 200);
	about(bob, "deny", twin);
	say(twin, JOIN);
	about(bob, "remove", two);
	say(two, JOIN);
	say(two, LEAVE);
	say(two, JOIN);
	let_pass(fake, 60000);
	let_pass(fake, 200);
	say(one, JOIN);
	say(bob, LEAVE);
	say(ann, END);
	fake_destroy(fake);
	return memory_asked();
}

START_TEST(whoever_asks_is_answered_or_shown_the_door)
{
	fails_at = 0;
	unsigned all = play(false);
	ck_assert_uint_gt(all, 50);
	for (fails_at = 1; fails_at <= all; fails_at++) {
		(void)play(_i == 1);
	}
}
END_TEST

RUN_LOOP_TEST("call_memory", whoever_asks_is_answered_or_shown_the_door, 2);
