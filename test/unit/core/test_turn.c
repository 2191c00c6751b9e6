/* SPDX-License-Identifier: MIT */
/*
 * A practice's turn: whose services run is known wherever they run, and a journal is told what they
 * send and change. The journal here writes down what it hears, and keeps nothing.
 */
#include "core/turn.h"

#include "channel/channel.h"
#include "fake.h"
#include "session/session.h"

#include <check.h>
#include <praxis/operate.h>
#include <praxis/service.h>
#include <stdio.h>
#include <string.h>

static struct fake *fake;
static char heard[4096]; /* what the journal was told, a word each */

static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason);
static void on_closed(struct px_channel *channel);
static void on_woken(struct px_channel *channel);

static const struct px_channel_limits kept = { .history_count = 10, .history_bytes = 100000,
	.history_age_ms = 60000 };
static const struct px_channel_kind hall_kind = { .name = "hall", .has_history = true };
static const struct px_channel_kind room_kind = { .name = "room", .is_room = true,
	.state_size = 8, .member_size = 8, .left = on_left, .closed = on_closed,
	.woken = on_woken };
static const struct px_service service;

static void note(const char *word)
{
	size_t len = strlen(heard);
	(void)snprintf(heard + len, sizeof(heard) - len, "%s%s", len > 0 ? " " : "", word);
}

static void note_at(const char *word)
{
	const struct px_practice *at = fake->broker->at;
	char text[64];
	(void)snprintf(text, sizeof(text), "%s@%s", word, at ? px_practice_id(at) : "-");
	note(text);
}

static void expect(const char *words)
{
	ck_assert_str_eq(heard, words);
	heard[0] = '\0';
}

/* ---- the service ---- */

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct px_member *member;
	bool is_new;
	(void)state;
	note_at("enter");
	ck_assert_int_eq(px_channel_join(session, &service, &hall_kind, practice, px_span(""),
			&kept, &member, &is_new), 0);
}

static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	(void)channel;
	(void)member;
	(void)reason;
	note_at("left");
}

static void on_closed(struct px_channel *channel)
{
	(void)channel;
	note_at("closed");
}

static void on_woken(struct px_channel *channel)
{
	(void)channel;
	note_at("woken");
}

static int handle_say(struct px_call *call)
{
	const struct px_member *member = px_session_member(call->session, &hall_kind,
			call->practice, px_span(""));
	struct px_channel *channel = px_member_channel(member);
	struct px_message *message = px_call_forward(call, px_channel_seq(channel) + 1);
	note_at("say");
	ck_assert_int_eq(px_channel_publish(channel, call->session, message, call->session), 0);
	px_message_unref(fake->broker, message);
	call->seq = px_channel_seq(channel);
	return 0;
}

static int handle_join(struct px_call *call)
{
	struct px_member *member;
	bool is_new;
	note_at("join");
	return px_channel_join(call->session, &service, &room_kind, call->practice, px_span("r"),
			&kept, &member, &is_new);
}

/* Leaves the room that it is in, of whichever practice. */
static int handle_leave(struct px_call *call)
{
	struct px_member *member = px_session_member(call->session, &room_kind, NULL, px_span("r"));
	px_member_leave(member, PX_LEFT);
	note_at("after");
	return 0;
}

static int handle_touch(struct px_call *call)
{
	struct px_member *member = px_session_member(call->session, &room_kind, call->practice,
			px_span("r"));
	(void)px_member_state(member);
	(void)px_channel_state(px_member_channel(member));
	return 0;
}

static int handle_where(struct px_call *call)
{
	(void)call;
	note_at("where");
	return 0;
}

static int handle_close(struct px_call *call)
{
	px_session_close(call->session, PX_CLOSE_NORMAL);
	return 0;
}

static int on_publish(void *state, struct px_publication *publication)
{
	struct px_channel *channel = px_publication_channel(publication, px_span(""));
	struct px_message *message = px_publication_message(publication, 0);
	(void)state;
	note_at("publish");
	px_publication_announce(publication, channel, message);
	px_message_unref(publication->broker, message);
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "desk_close", .handle = handle_close, .roles = PX_ROLES_ALL },
	{ .type = "desk_join", .handle = handle_join, .roles = PX_ROLES_ALL },
	{ .type = "desk_leave", .handle = handle_leave, .roles = PX_ROLES_ALL },
	{ .type = "desk_say", .handle = handle_say, .roles = PX_ROLES_ALL },
	{ .type = "desk_touch", .handle = handle_touch, .roles = PX_ROLES_ALL },
	{ .type = "desk_where", .handle = handle_where, .roles = PX_ROLES_ALL, .anywhere = true },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "desk",
	.summary = "says where it is",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.enter = on_enter,
	.publish = on_publish,
};

/* ---- the journal ---- */

static void hook_send(struct px_session *session, struct px_message *message)
{
	(void)session;
	(void)message;
	note_at("send");
}

static void hook_close(struct px_session *session, enum px_close code)
{
	(void)session;
	(void)code;
	note_at("close");
}

static void hook_channel(struct px_channel *channel)
{
	char word[32];
	(void)snprintf(word, sizeof(word), "%s!", channel->kind->name);
	note(word);
}

static void hook_channel_gone(struct px_channel *channel)
{
	char word[32];
	(void)snprintf(word, sizeof(word), "no-%s", channel->kind->name);
	ck_assert_uint_eq(channel->member_count, 0);
	note(word);
}

static void hook_member(struct px_member *member)
{
	char word[32];
	(void)snprintf(word, sizeof(word), "%s-member!", member->channel->kind->name);
	note(word);
}

static void hook_member_gone(struct px_member *member)
{
	char word[32];
	(void)snprintf(word, sizeof(word), "no-%s-member", member->channel->kind->name);
	note(word);
}

static void hook_session(struct px_session *session, const struct px_identity *old)
{
	ck_assert_ptr_ne(session->identity, old);
	note("session!");
}

static void hook_session_gone(struct px_session *session)
{
	ck_assert_ptr_null(session->members);
}

static bool hook_is_away(const struct px_session *session)
{
	(void)session;
	return false;
}

static int hook_admit(struct px_session *session, struct px_practice *practice, struct px_span text)
{
	(void)session;
	(void)practice;
	(void)text;
	return 0;
}

static bool hook_is_home(struct px_broker *broker, struct px_practice *practice)
{
	(void)broker;
	(void)practice;
	return true;
}

static bool hook_over(struct px_broker *broker)
{
	ck_assert_ptr_null(broker->at);
	return false;
}

static void hook_value(struct px_value *value)
{
	(void)value;
}

static const struct px_turn_hooks hooks = {
	.send = hook_send,
	.close = hook_close,
	.value_changed = hook_value,
	.value_gone = hook_value,
	.channel_changed = hook_channel,
	.channel_gone = hook_channel_gone,
	.member_changed = hook_member,
	.member_gone = hook_member_gone,
	.session_changed = hook_session,
	.session_gone = hook_session_gone,
	.is_away = hook_is_away,
	.admit = hook_admit,
	.is_home = hook_is_home,
	.over = hook_over,
};

static void begin(const struct px_turn_hooks *told)
{
	fake = fake_create(NULL);
	fake_add_service(fake, &service, NULL);
	fake->broker->turn_hooks = told;
	heard[0] = '\0';
}

static void end(void)
{
	fake->broker->turn_hooks = NULL;
	fake_destroy(fake);
}

/* ---- */

START_TEST(test_nobody_asks)
{
	begin(NULL);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2"));
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "1"));
	expect("enter@1 enter@2 enter@1");
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":1}");
	fake_expect(ann, "{'type':'ack','seq':1}");
	fake_expect(bob, "{'type':'desk_say','seq':1}");
	fake_say(ann, "{\"type\":\"desk_where\",\"practiceId\":1}");
	expect("say@1 where@-");
	ck_assert_ptr_null(fake->broker->at);
	end();
}
END_TEST

START_TEST(test_what_is_sent_is_kept)
{
	begin(&hooks);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2"));
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "1"));
	expect("enter@1 hall! hall-member! enter@2 hall! hall-member! enter@1 hall-member!");
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":1}");
	expect("say@1 hall! send@1 send@1");
	fake_expect_nothing(ann);
	fake_expect_nothing(bob);
	ck_assert_ptr_null(fake->broker->at);
	/* What is of no practice is nobody's turn. */
	fake_say(ann, "{\"type\":\"ping\",\"t\":1}");
	fake_expect(ann, "{'type':'pong','t':1}");
	fake_say(ann, "{\"type\":\"desk_where\",\"practiceId\":1,\"id\":2}");
	fake_expect(ann, "{'type':'ack','id':2}");
	expect("where@-");
	/* What the broker itself has to say against a message comes before any turn. */
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":3}");
	fake_expect(ann, "{'type':'error','code':'forbidden'}");
	end();
}
END_TEST

START_TEST(test_members_come_and_go)
{
	begin(&hooks);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2"));
	heard[0] = '\0';
	fake_say(ann, "{\"type\":\"desk_join\",\"practiceId\":1}");
	expect("join@1 room! room-member!");
	fake_say(ann, "{\"type\":\"desk_touch\",\"practiceId\":1}");
	expect("room-member! room!");
	(void)px_channel_state(px_member_channel(ann->session->members));
	expect("");
	/* The turn of one practice reaches into another's, and goes on. */
	fake_say(ann, "{\"type\":\"desk_leave\",\"practiceId\":2}");
	expect("left@1 no-room-member closed@1 no-room after@2");
	fake_say(ann, "{\"type\":\"desk_join\",\"practiceId\":2}");
	heard[0] = '\0';
	fake_lose(ann);
	fake_turn(fake);
	expect("left@2 no-room-member closed@2 no-room no-hall-member no-hall no-hall-member "
			"no-hall");
	end();
}
END_TEST

START_TEST(test_time_passes)
{
	begin(&hooks);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	fake_say(ann, "{\"type\":\"desk_join\",\"practiceId\":1}");
	heard[0] = '\0';
	ck_assert_int_eq(px_channel_wake(px_member_channel(ann->session->members), 10), 0);
	fake_advance(fake, 10);
	expect("woken@1");
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1}");
	expect("say@1 hall!");
	/* Of what is kept the oldest expires. */
	fake_lose(ann);
	fake_turn(fake);
	heard[0] = '\0';
	fake_advance(fake, kept.history_age_ms);
	expect("hall! no-hall");
	ck_assert_ptr_null(fake->broker->at);
	end();
}
END_TEST

START_TEST(test_others_have_a_say)
{
	struct px_published published;
	struct px_error_detail detail;
	begin(&hooks);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	heard[0] = '\0';
	struct px_operator operator = px_session_operator(ann->session);
	ck_assert_int_eq(px_operate_publish(&operator, NULL,
			px_span("{\"type\":\"desk_news\",\"practiceId\":1}"), &published, &detail), 0);
	expect("publish@1 hall! send@1");
	/* What it missed of the practice is the practice's, too; and that it has heard it now. */
	ann->session->members->mark_seq = 0;
	px_session_catch_up(ann->session);
	expect("hall-member! send@1");
	px_session_mark(ann->session);
	expect("");
	fake_say(ann, "{\"type\":\"desk_close\",\"practiceId\":1}");
	expect("close@1");
	ck_assert_int_eq(ann->session->phase, PX_SESSION_OPEN);
	px_session_close(ann->session, PX_CLOSE_NORMAL);
	ck_assert_int_eq(ann->session->phase, PX_SESSION_CLOSING);
	expect("");
	end();
}
END_TEST

START_TEST(test_somebody_changes)
{
	struct px_identity *identity;
	begin(&hooks);
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1 2"));
	heard[0] = '\0';
	ck_assert_int_eq(fake_identity(fake, WHO(.practices = "2 3"), &identity), 0);
	px_session_become(ann->session, identity, true);
	expect("no-hall-member no-hall enter@3 hall! hall-member! session!");
	/* That it is somebody else no practice has to agree to. */
	fake_turn(fake);
	fake_expect(ann, "{'type':'auth_ok'}");
	end();
}
END_TEST

RUN_TESTS("turn", test_nobody_asks, test_what_is_sent_is_kept, test_members_come_and_go,
		test_time_passes, test_others_have_a_say, test_somebody_changes);
