/* SPDX-License-Identifier: MIT */
/*
 * The journal of practices: nothing is heard before it is accepted, what is kept is enough for the
 * next home, and what goes wrong between a broker and its journal loses nothing and shows nothing.
 * The simulation (test/sim/homes.c) does all of this at random.
 */
#include "bus/bus_internal.h"

#include "../../sim/sim_bus.h"
#include "channel/channel.h"
#include "fake.h"
#include "session/session.h"

#include <check.h>
#include <json-c/json.h>
#include <praxis/host/event.h>
#include <praxis/host/message_tap.h>
#include <praxis/host/outcome.h>
#include <praxis/operate.h>
#include <praxis/service.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGE_MS 60000

static const struct px_channel_limits kept = { .history_count = 4, .history_bytes = 100000,
	.history_age_ms = AGE_MS };
/* Whom the service tells of everybody who leaves the hall, and then closes; NULL: nobody. */
static struct px_session *bystander;

static void send_text(struct px_session *session, const char *type, size_t len)
{
	static char text[65536];
	struct px_json json;
	memset(text, 'x', sizeof(text));
	px_json_begin(&json, type);
	px_json_string(&json, "text", (struct px_span){ text, len });
	px_json_end(&json);
	px_session_send_json(session, &json);
}

static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	(void)channel;
	(void)member;
	(void)reason;
	if (bystander) {
		send_text(bystander, "desk_left", 1);
		px_session_close(bystander, PX_CLOSE_POLICY);
	}
}

static const struct px_channel_kind hall_kind = { .name = "hall", .has_history = true,
	.left = on_left };
static const struct px_channel_kind room_kind = { .name = "room", .is_room = true,
	.state_size = sizeof(int64_t) };
static const struct px_service service;

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct px_member *member;
	bool is_new;
	(void)state;
	if (px_session_role(session) != PX_ROLE_PATIENT) {
		ck_assert_int_eq(px_channel_join(session, &service, &hall_kind, practice,
				px_span(""), &kept, &member, &is_new), 0);
	}
}

static int handle_say(struct px_call *call)
{
	const struct px_member *member = px_session_member(call->session, &hall_kind,
			call->practice, px_span(""));
	struct px_channel *channel = px_member_channel(member);
	call->seq = px_channel_seq(channel) + 1;
	struct px_message *message = px_call_forward(call, call->seq);
	ck_assert_int_eq(px_channel_publish(channel, call->session, message, call->session), 0);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

static int handle_join(struct px_call *call)
{
	struct px_member *member;
	bool is_new;
	return px_channel_join(call->session, &service, &room_kind, call->practice, px_span("r"),
			&kept, &member, &is_new);
}

static int64_t *number_of(struct px_call *call)
{
	const struct px_member *member = px_session_member(call->session, &room_kind,
			call->practice, px_span("r"));
	return px_channel_state(px_member_channel(member));
}

static int handle_count(struct px_call *call)
{
	++*number_of(call);
	return 0;
}

static int handle_look(struct px_call *call)
{
	(void)number_of(call);
	return 0;
}

static int handle_refuse(struct px_call *call)
{
	return px_call_fail(call, PX_E_NOT_FOUND, NULL, "There is none.");
}

static int handle_much(struct px_call *call)
{
	send_text(call->session, "desk_much", 60000);
	return 0;
}

static int on_publish(void *state, struct px_publication *publication)
{
	struct px_channel *channel = px_publication_channel(publication, px_span(""));
	struct px_message *message = px_publication_message(publication, 0);
	(void)state;
	px_publication_announce(publication, channel, message);
	px_message_unref(publication->broker, message);
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "desk_count", .handle = handle_count, .roles = PX_ROLES_ALL },
	{ .type = "desk_join", .handle = handle_join, .roles = PX_ROLES_ALL },
	{ .type = "desk_look", .handle = handle_look, .roles = PX_ROLES_ALL },
	{ .type = "desk_much", .handle = handle_much, .roles = PX_ROLES_ALL },
	{ .type = "desk_refuse", .handle = handle_refuse, .roles = PX_ROLES_ALL },
	{ .type = "desk_say", .handle = handle_say, .roles = PX_ROLES_ALL },
};

static void get_limits(void *state, struct px_channel_limits *ret_limits)
{
	(void)state;
	*ret_limits = kept;
}

static void save_room(void *state, struct px_channel *channel, struct px_json *json)
{
	const int64_t *number = px_channel_state(channel);
	(void)state;
	px_json_int(json, "number", *number);
}

static int restore_room(void *state, struct px_channel *channel, struct json_object *saved)
{
	(void)state;
	return px_json_get_int(saved, "number", 0, INT64_MAX, px_channel_state(channel)) ? 0 : -22;
}

static const struct px_snapshot_ops snapshot_ops[] = {
	{ .kind = &hall_kind, .limits = get_limits },
	{ .kind = &room_kind, .save = save_room, .restore = restore_room },
	{ .kind = NULL },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "desk",
	.summary = "is journaled",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.enter = on_enter,
	.publish = on_publish,
	.snapshot_ops = snapshot_ops,
};

/* ---- a broker and its journal ---- */

struct node {
	struct fake *fake;
	struct sim_link link;
};

static struct sim_store store;
static unsigned left_count;      /* what the host was told */
static unsigned lost_count;

static int on_event(void *user, const struct px_event *event)
{
	(void)user;
	left_count += event->kind == PX_EVENT_LEFT;
	lost_count += event->kind == PX_EVENT_DISCONNECTED;
	return 0;
}

static struct node begin_with(uint64_t number, const struct px_limits *limits)
{
	struct node node = { .fake = fake_create(limits) };
	fake_add_service(node.fake, &service, NULL);
	node.fake->broker->host.event = on_event;
	node.fake->random += number;
	return node;
}

static struct node begin(uint64_t number)
{
	return begin_with(number, NULL);
}

/* Apart, since the link knows its own address. */
static void connect_to_journal(struct node *node, uint64_t number)
{
	store.alive = number;
	sim_link_begin(&node->link, &store, node->fake->broker, number);
	node->link.realm = &node->fake->realm;
}

static void end(struct node *node)
{
	sim_link_end(&node->link);
	fake_abandon(node->fake);
}

static void turn(void *user)
{
	struct node *node = user;
	while (fake_turn(node->fake)) {
	}
}

static void settle(struct node *node)
{
	sim_link_run(&node->link, turn, node);
}

static struct px_bus_stats stats_of(const struct node *node)
{
	struct px_bus_stats stats;
	px_broker_bus_stats(node->fake->broker, &stats);
	return stats;
}

/* One who connects, and is greeted when the home has confirmed it. */
static struct fake_conn *open_as(struct node *node, const struct fake_who *who)
{
	struct fake_conn *conn = fake_connect(node->fake, who);
	settle(node);
	fake_expect(conn, "{'type':'connection_established'}");
	return conn;
}

static struct fake_conn *open_at(struct node *node, const char *practices)
{
	return open_as(node, WHO(.practices = practices));
}

static size_t count_records(const char *name, enum px_bus_table table)
{
	const struct sim_place *place = sim_store_find(&store, name);
	size_t count = 0;
	for (size_t i = 0; place && i < place->count; i++) {
		count += place->records[i].table == table;
	}
	return count;
}

#define SAY "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":1}"
#define JOIN "{\"type\":\"desk_join\",\"practiceId\":1,\"id\":2}"

/* ---- */

START_TEST(test_nothing_before_it_is_accepted)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	struct fake_conn *bob = open_at(&node, "1");
	fake_say(ann, SAY);
	fake_say(ann, "{\"type\":\"ping\",\"t\":1}");
	/* What is of no practice does not wait. */
	fake_expect(ann, "{'type':'pong','t':1}");
	fake_expect_nothing(bob);
	ck_assert(sim_link_execute(&node.link));
	turn(&node);
	fake_expect_nothing(bob);
	ck_assert(sim_link_answer(&node.link));
	turn(&node);
	fake_expect(ann, "{'type':'ack','id':1,'seq':1}");
	fake_expect(bob, "{'type':'desk_say','seq':1}");
	fake_expect_nothing(ann);
	end(&node);
}
END_TEST

START_TEST(test_what_is_kept)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1 2");
	ck_assert_uint_eq(count_records("t/1", PX_BUS_CHANNELS), 1);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_SESSIONS), 1);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 1);
	ck_assert_uint_eq(count_records("t/2", PX_BUS_MEMBERS), 1);
	fake_say(ann, JOIN);
	settle(&node);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_CHANNELS), 2);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_SESSIONS), 1);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 2);
	for (unsigned i = 0; i < 6; i++) {
		fake_say(ann, SAY);
		settle(&node);
	}
	/* As many as the history keeps. */
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 4);
	fake_advance(node.fake, AGE_MS);
	settle(&node);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 0);
	fake_lose(ann);
	settle(&node);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->count, 0);
	end(&node);
}
END_TEST

/* The commit that was asked for last. */
static const struct px_bus_commit *last_commit(const struct node *node)
{
	ck_assert_uint_gt(node->link.count, 0);
	return (const struct px_bus_commit *)node->link.jobs[node->link.count - 1].job;
}

START_TEST(test_only_what_changed)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	fake_say(ann, JOIN);
	settle(&node);
	fake_say(ann, "{\"type\":\"desk_count\",\"practiceId\":1}");
	/* The room, and how much the node's sessions have said. */
	ck_assert_uint_eq(last_commit(&node)->op_count, 2);
	ck_assert_uint_eq(last_commit(&node)->prev + 1, last_commit(&node)->rev);
	settle(&node);
	/* A service that only looked has nothing to wait for, and says nothing. */
	fake_say(ann, "{\"type\":\"desk_look\",\"practiceId\":1}");
	ck_assert_uint_eq(node.link.count, 0);
	/* With a receipt, that has to wait: it may not be the home any more. */
	fake_say(ann, "{\"type\":\"desk_look\",\"practiceId\":1,\"id\":3}");
	ck_assert_uint_eq(last_commit(&node)->op_count, 1);
	settle(&node);
	end(&node);
}
END_TEST

START_TEST(test_another_goes_on)
{
	struct node one = begin(1);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	fake_say(ann, JOIN);
	fake_say(ann, "{\"type\":\"desk_count\",\"practiceId\":1}");
	fake_say(ann, SAY);
	fake_say(ann, SAY);
	settle(&one);
	/* It is gone without a word, with something that nobody has heard. */
	fake_say(ann, SAY);
	fake_say(ann, SAY);
	struct node two = begin(2);
	fake_advance(two.fake, one.fake->mono_ms - two.fake->mono_ms);
	two.fake->wall_ms += 1000;
	fake_advance(two.fake, 0);
	connect_to_journal(&two, 2);
	left_count = lost_count = 0;
	struct fake_conn *bob = open_at(&two, "1");
	ck_assert_uint_eq(left_count, 1); /* of the room, once */
	ck_assert_uint_eq(lost_count, 0); /* that is for its own node to tell */
	ck_assert_uint_eq(count_records("t/1", PX_BUS_CHANNELS), 1);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_SESSIONS), 1);
	fake_say(bob, SAY);
	settle(&two);
	fake_expect(bob, "{'type':'ack','seq':3}");
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 3);
	/* What was said a second before is as old as that. */
	fake_lose(bob);
	fake_advance(two.fake, AGE_MS - 1000);
	settle(&two);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 1);
	/* The other one wakes up, and has nothing to say any more, nor to tell its host. */
	left_count = 0;
	settle(&one);
	ck_assert_uint_eq(left_count, 0);
	ck_assert_uint_eq(stats_of(&one).unconfirmed, 0);
	ck_assert_uint_eq(stats_of(&one).deposed, 1);
	settle(&one);
	fake_expect(ann, "{'type':'ack','id':2}");
	fake_expect(ann, "{'type':'ack','seq':1}");
	fake_expect(ann, "{'type':'ack','seq':2}");
	fake_expect_nothing(ann);
	ck_assert_int_eq(ann->close_code, PX_CLOSE_TRY_LATER);
	end(&one);
	end(&two);
}
END_TEST

START_TEST(test_nobody_needs_it)
{
	struct node one = begin(1);
	struct node two = begin(2);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	fake_say(ann, SAY);
	settle(&one);
	connect_to_journal(&two, 2);
	store.alive = 1;
	fake_lose(ann);
	settle(&one);
	ck_assert_uint_eq(stats_of(&one).homes, 1);
	fake_advance(one.fake, AGE_MS);
	settle(&one);
	settle(&one);
	ck_assert_uint_eq(stats_of(&one).homes, 0);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->home, 0);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->count, 0);
	struct fake_conn *bob = open_at(&two, "1");
	fake_say(bob, SAY);
	settle(&two);
	fake_expect(bob, "{'type':'ack','seq':1}");
	end(&one);
	end(&two);
}
END_TEST

START_TEST(test_the_dead_are_not_asked)
{
	struct node one = begin(1);
	struct node two = begin(2);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	connect_to_journal(&two, 2);
	store.alive = 1;
	struct fake_conn *bob = fake_connect(two.fake, WHO(.practices = "1"));
	settle(&two);
	ck_assert_uint_eq(stats_of(&two).claims, 0);
	fake_expect_nothing(bob);
	store.alive = 2;
	px_broker_bus_dead(two.fake->broker, 1);
	settle(&two);
	ck_assert_uint_eq(stats_of(&two).claims, 1);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->home, 2);
	fake_say(bob, SAY);
	settle(&two);
	fake_expect(bob, "{'type':'connection_established'}");
	fake_expect(bob, "{'type':'ack','seq':1}");
	fake_expect_nothing(ann);
	end(&one);
	end(&two);
}
END_TEST

START_TEST(test_jobs_done_twice)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	fake_say(ann, SAY);
	fake_say(ann, SAY);
	(void)sim_link_execute(&node.link);
	(void)sim_link_execute(&node.link);
	uint64_t rev = sim_store_find(&store, "t/1")->rev;
	sim_link_cut(&node.link);
	turn(&node);
	fake_expect_nothing(ann);
	sim_link_mend(&node.link);
	settle(&node);
	ck_assert_uint_eq(node.link.twice, 2);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->rev, rev);
	fake_expect(ann, "{'type':'ack','seq':1}");
	fake_expect(ann, "{'type':'ack','seq':2}");
	fake_expect_nothing(ann);
	end(&node);
}
END_TEST

START_TEST(test_what_is_lost_is_put_back)
{
	for (unsigned writes = 0; writes < 4; writes++) {
		struct node node = begin(1);
		connect_to_journal(&node, 1);
		struct fake_conn *ann = open_at(&node, "1");
		fake_say(ann, SAY);
		settle(&node);
		fake_say(ann, SAY);
		settle(&node);
		fake_expect(ann, "{'type':'ack','seq':1}");
		fake_expect(ann, "{'type':'ack','seq':2}");
		sim_link_cut(&node.link);
		if (writes > 0) {
			sim_store_lose(&store, writes); /* the last of them with the claim */
		} else {
			sim_store_lose_all(&store);
		}
		fake_say(ann, SAY);
		sim_link_mend(&node.link);
		settle(&node);
		fake_expect(ann, "{'type':'ack','seq':3}");
		ck_assert_uint_ge(stats_of(&node).rebased, 1);
		ck_assert_uint_eq(stats_of(&node).deposed, 0);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 3);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 1);
		end(&node);
		sim_store_finish(&store);
		store = (struct sim_store){ .places = NULL };
	}
}
END_TEST

START_TEST(test_loss_is_noticed_at_once)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	fake_say(ann, SAY);
	settle(&node);
	sim_link_cut(&node.link);
	sim_store_lose_all(&store);
	sim_link_mend(&node.link);
	settle(&node);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 1);
	ck_assert_uint_eq(stats_of(&node).rebased, 1);
	end(&node);
}
END_TEST

/* One that was the home once does not begin anew where there is nothing: the home has it all. */
START_TEST(test_the_home_comes_first)
{
	struct node one = begin(1);
	struct node two = begin(2);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	connect_to_journal(&two, 2);
	struct fake_conn *bob = open_at(&two, "1");
	fake_say(bob, SAY);
	settle(&two);
	fake_say(ann, SAY);
	settle(&one);
	ck_assert_uint_eq(stats_of(&one).deposed, 1);
	sim_link_cut(&two.link);
	sim_store_lose_all(&store);
	struct fake_conn *eve = fake_connect(one.fake, WHO(.practices = "1"));
	fake_advance(one.fake, PX_BUS_RETRY_MS);
	settle(&one);
	ck_assert_uint_eq(stats_of(&one).claims, 1);
	fake_say(eve, SAY);
	sim_link_mend(&two.link);
	settle(&two);
	ck_assert_uint_eq(stats_of(&two).rebased, 1);
	/* … until it is dead. */
	store.alive = 3;
	fake_advance(one.fake, PX_BUS_RETRY_MS);
	settle(&one);
	fake_expect(eve, "{'type':'connection_established'}");
	fake_expect(eve, "{'type':'ack','seq':2}");
	end(&one);
	end(&two);
}
END_TEST

/* The commit that was asked for at that place. */
static const struct px_bus_commit *commit_at(const struct node *node, size_t at)
{
	ck_assert_uint_gt(node->link.count, at);
	return (const struct px_bus_commit *)node->link.jobs[at].job;
}

static void say_much(struct node *node, struct fake_conn *conn)
{
	for (unsigned i = 0; i < 3; i++) {
		fake_send(conn, SAY);
	}
	turn(node);
}

/* Another node finds all of a turn, or nothing of it; and nothing of it is heard before. */
START_TEST(test_a_large_turn_is_of_parts)
{
	store.commit_bytes = 150;
	struct node one = begin(1);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	say_much(&one, ann);
	size_t parts = one.link.count;
	ck_assert_uint_ge(parts, 4);
	for (size_t i = 0; i < parts; i++) {
		const struct px_bus_commit *commit = commit_at(&one, i);
		ck_assert_uint_eq(commit->part, i);
		ck_assert_int_eq(commit->is_part, i + 1 < parts);
		ck_assert_uint_eq(commit->rev, commit_at(&one, 0)->rev);
		ck_assert_uint_eq(commit->op_count, 1);
	}
	uint64_t turns = stats_of(&one).turns;
	for (size_t i = 0; i + 1 < parts; i++) {
		ck_assert(sim_link_execute(&one.link));
		ck_assert(sim_link_answer(&one.link));
		turn(&one);
		fake_expect_nothing(ann);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 0);
	}
	ck_assert_uint_eq(stats_of(&one).turns, turns);
	struct node two = begin(2);
	connect_to_journal(&two, 2);
	struct fake_conn *bob = open_at(&two, "1");
	settle(&one);
	fake_expect_nothing(ann);
	ck_assert_uint_eq(stats_of(&one).unconfirmed, 0);
	fake_say(bob, SAY);
	settle(&two);
	fake_expect(bob, "{'type':'ack','seq':1}");
	end(&one);
	end(&two);
}
END_TEST

/* What the journal has lost of the parts is put back as a whole, which is of parts itself. */
START_TEST(test_parts_that_are_lost)
{
	for (unsigned executed = 0; executed < 5; executed++) {
		store.commit_bytes = 150;
		struct node node = begin(1);
		connect_to_journal(&node, 1);
		struct fake_conn *ann = open_at(&node, "1");
		say_much(&node, ann);
		size_t parts = node.link.count;
		for (unsigned i = 0; i < executed && i < parts; i++) {
			(void)sim_link_execute(&node.link);
			(void)(executed % 2 == 0 && sim_link_answer(&node.link));
		}
		sim_link_cut(&node.link);
		sim_store_lose_all(&store);
		sim_link_mend(&node.link);
		settle(&node);
		for (unsigned i = 1; i <= 3; i++) {
			char pattern[64];
			(void)snprintf(pattern, sizeof(pattern), "{'type':'ack','seq':%u}", i);
			fake_expect(ann, pattern);
		}
		fake_expect_nothing(ann);
		ck_assert_uint_eq(stats_of(&node).rebased, 1);
		ck_assert_uint_eq(stats_of(&node).unconfirmed, 0);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 3);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 1);
		end(&node);
		sim_store_finish(&store);
		store = (struct sim_store){ .places = NULL };
	}
}
END_TEST

/* The same turn each time, with that limit: of how many commits, and what the first one has. */
static size_t commits_with(size_t limit, size_t *ret_bytes)
{
	store.commit_bytes = limit;
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	say_much(&node, ann);
	const struct px_bus_commit *commit = commit_at(&node, 0);
	size_t count = node.link.count;
	*ret_bytes = 0;
	for (size_t i = 0; i < commit->op_count; i++) {
		*ret_bytes += commit->ops[i].record.key.len + commit->ops[i].record.value.len;
	}
	settle(&node);
	end(&node);
	sim_store_finish(&store);
	store = (struct sim_store){ .places = NULL };
	return count;
}

START_TEST(test_how_large_a_commit_is)
{
	size_t all;
	size_t bytes;
	ck_assert_uint_eq(commits_with(0, &all), 1);
	ck_assert_uint_eq(commits_with(all, &bytes), 1);
	ck_assert_uint_eq(commits_with(all - 1, &bytes), 2);
	ck_assert_uint_lt(bytes, all);
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	ck_assert_uint_eq(node.fake->broker->bus->bus.commit_bytes, 256 * 1024);
	end(&node);
}
END_TEST

START_TEST(test_in_order_whatever_waits)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	sim_link_cut(&node.link);
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":1}");
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":2}");
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":3}");
	node.fake->over_budget = true;
	sim_link_mend(&node.link);
	ck_assert(fake_turn(node.fake));
	ck_assert_uint_eq(stats_of(&node).waiting, 3); /* two of them have not run */
	fake_send(ann, "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":4}");
	node.fake->over_budget = false;
	settle(&node);
	for (unsigned i = 1; i <= 4; i++) {
		char pattern[64];
		(void)snprintf(pattern, sizeof(pattern), "{'type':'ack','id':%u,'seq':%u}", i, i);
		fake_expect(ann, pattern);
	}
	end(&node);
}
END_TEST

START_TEST(test_too_many_without_an_answer)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	for (unsigned i = 0; i < PX_BUS_PIPELINE; i++) {
		fake_say(ann, SAY);
	}
	ck_assert_uint_eq(stats_of(&node).unconfirmed, PX_BUS_PIPELINE);
	fake_say(ann, SAY);
	ck_assert_uint_eq(stats_of(&node).unconfirmed, PX_BUS_PIPELINE);
	ck_assert_uint_eq(stats_of(&node).waiting, PX_BUS_PIPELINE + 1);
	settle(&node);
	ck_assert_uint_eq(stats_of(&node).waiting, 0);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 4);
	end(&node);
}
END_TEST

START_TEST(test_those_who_arrive)
{
	struct node node = begin(1);
	struct px_identity *identity;
	connect_to_journal(&node, 1);
	struct fake_conn *ann = fake_connect(node.fake, WHO(.practices = "1 2"));
	turn(&node);
	ck_assert_uint_eq(stats_of(&node).waiting, 2);
	struct px_practice *practice = px_practice_find(node.fake->broker, px_span("t"),
			px_span("1"));
	px_session_enter(ann->session, practice);
	ck_assert_uint_eq(stats_of(&node).waiting, 2);
	/* It has lost one of them before it was there. */
	ck_assert_int_eq(fake_identity(node.fake, WHO(.practices = "2"), &identity), 0);
	px_session_become(ann->session, identity, true);
	settle(&node);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 0);
	ck_assert_uint_eq(count_records("t/2", PX_BUS_MEMBERS), 1);
	/* Nobody needs that practice any more, and one who only comes and goes leaves nothing. */
	ck_assert_uint_eq(stats_of(&node).homes, 1);
	struct fake_conn *bob = open_as(&node, WHO(.practices = "3",
			.role = PX_ROLE_PATIENT));
	ck_assert_uint_eq(stats_of(&node).homes, 2);
	fake_lose(bob);
	settle(&node);
	fake_turn(node.fake);
	settle(&node);
	ck_assert_uint_eq(stats_of(&node).homes, 1);
	end(&node);
}
END_TEST

START_TEST(test_the_journal_is_away)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	sim_link_cut(&node.link);
	for (unsigned i = 0; i < PX_BUS_SESSION_WAITING; i++) {
		fake_say(ann, SAY);
	}
	fake_expect_nothing(ann);
	fake_say(ann, SAY);
	fake_expect(ann, "{'type':'error','code':'unavailable','ref':'desk_say','id':1}");
	ck_assert_uint_eq(stats_of(&node).refused, 1);
	ck_assert_uint_eq(stats_of(&node).waiting, PX_BUS_SESSION_WAITING);
	sim_link_mend(&node.link);
	settle(&node);
	for (unsigned i = 1; i <= PX_BUS_SESSION_WAITING; i++) {
		char pattern[64];
		(void)snprintf(pattern, sizeof(pattern), "{'type':'ack','id':1,'seq':%u}", i);
		fake_expect(ann, pattern);
	}
	sim_link_cut(&node.link);
	fake_advance(node.fake, PX_BUS_HOLD_MS);
	fake_say(ann, SAY);
	fake_expect(ann, "{'type':'error','code':'unavailable','retryAfterMs':1000}");
	/* Who leaves need not wait, and is not waited for. */
	fake_lose(ann);
	turn(&node);
	sim_link_mend(&node.link);
	settle(&node);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 0);
	end(&node);
}
END_TEST

/* Says something of that length. */
static void say_bytes(struct fake_conn *conn, size_t len)
{
	static const char start[] = "{\"type\":\"desk_say\",\"practiceId\":1,\"id\":1,\"fill\":\"";
	char *text = malloc(len + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', len);
	memcpy(text, start, sizeof(start) - 1);
	memcpy(text + len - 2, "\"}", 3);
	fake_say(conn, text);
	free(text);
}

START_TEST(test_large_messages_that_wait)
{
	const size_t len = PX_BUS_SESSION_WAITING_BYTES / 4 - sizeof(struct px_item);
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	struct fake_conn *bob = open_at(&node, "1");
	for (unsigned round = 1; round <= 2; round++) {
		sim_link_cut(&node.link);
		for (unsigned i = 0; i < 4; i++) {
			say_bytes(ann, len);
		}
		fake_expect_nothing(ann);
		fake_say(ann, SAY);
		fake_expect(ann, "{'type':'error','code':'unavailable','retryAfterMs':1000}");
		/* Each session has its own. */
		fake_say(bob, SAY);
		fake_expect_nothing(bob);
		sim_link_mend(&node.link);
		settle(&node);
		for (unsigned i = 0; i < 5; i++) {
			fake_expect(i < 4 ? ann : bob, "{'type':'ack'}");
			fake_expect(i < 4 ? bob : ann, "{'type':'desk_say'}");
		}
		ck_assert_uint_eq(stats_of(&node).refused, round);
	}
	/* One byte more than four may have. */
	sim_link_cut(&node.link);
	for (unsigned i = 0; i < 3; i++) {
		say_bytes(ann, len);
	}
	say_bytes(ann, len + 1);
	fake_expect(ann, "{'type':'error','code':'unavailable','retryAfterMs':1000}");
	sim_link_mend(&node.link);
	settle(&node);
	end(&node);
}
END_TEST

/* "heard" of the session's membership, as it is kept. */
static long heard_by(const char *client_id)
{
	const struct sim_place *place = sim_store_find(&store, "t/1");
	for (size_t i = 0; i < place->count; i++) {
		const struct sim_record *record = &place->records[i];
		const char *heard = strstr(record->value, "\"heard\":");
		if (record->table == PX_BUS_MEMBERS && heard &&
				strncmp(record->key, client_id, strlen(client_id)) == 0) {
			return strtol(heard + strlen("\"heard\":"), NULL, 10);
		}
	}
	return -1;
}

/* Who goes on with a session knows what it has heard, while it is away and when it has returned. */
START_TEST(test_what_a_session_has_heard)
{
	struct px_limits limits = fake_limits();
	limits.grace_ms = 30000;
	struct node node = begin_with(1, &limits);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_as(&node, WHO(.practices = "1", .user = "7",
			.authenticated = true));
	struct fake_conn *bob = open_at(&node, "1");
	fake_say(bob, SAY);
	settle(&node);
	ck_assert_int_eq(heard_by(ann->client_id), 0);
	fake_lose(ann);
	settle(&node);
	ck_assert_int_eq(heard_by(ann->client_id), 1);
	fake_say(bob, SAY);
	settle(&node);
	ck_assert_int_eq(heard_by(ann->client_id), 1);
	struct fake_conn *back = fake_open(node.fake, WHO(.practices = "1", .user = "7",
			.authenticated = true));
	settle(&node);
	ck_assert_str_eq(back->client_id, ann->client_id);
	ck_assert_int_eq(heard_by(ann->client_id), 2);
	/* Nothing that was sent while nobody can tell whether it was there counts as heard. */
	back->busy = true;
	fake_say(bob, SAY);
	settle(&node);
	fake_lose(back);
	settle(&node);
	ck_assert_int_eq(heard_by(ann->client_id), 2);
	end(&node);
}
END_TEST

START_TEST(test_those_who_publish)
{
	struct node node = begin(1);
	struct px_published published;
	struct px_error_detail detail;
	connect_to_journal(&node, 1);
	struct fake_conn *ann = fake_connect(node.fake, WHO(.practices = "1"));
	struct px_operator operator = px_session_operator(ann->session);
	struct px_span text = px_span("{\"type\":\"desk_news\",\"practiceId\":1}");
	ck_assert_int_eq(px_operate_publish(&operator, NULL, text, &published, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_UNAVAILABLE);
	settle(&node);
	ck_assert_int_eq(px_operate_publish(&operator, NULL, text, &published, &detail), 0);
	fake_expect(ann, "{'type':'connection_established'}");
	fake_expect_nothing(ann);
	settle(&node);
	fake_expect(ann, "{'type':'desk_news'}");
	end(&node);
}
END_TEST

/* What is dropped from memory is not told: another node is the home, and its services tell it. */
START_TEST(test_what_is_said_while_it_is_dropped)
{
	struct node one = begin(1);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	struct fake_conn *eve = open_as(&one, WHO(.practices = "1", .role = PX_ROLE_PATIENT));
	struct node two = begin(2);
	connect_to_journal(&two, 2);
	(void)open_at(&two, "1");
	bystander = eve->session;
	fake_say(ann, SAY);
	settle(&one);
	bystander = NULL;
	ck_assert_uint_eq(stats_of(&one).deposed, 1);
	ck_assert_int_eq(ann->close_code, PX_CLOSE_TRY_LATER);
	/* The other one, which took this one for dead, is gone: who has left there begins anew. */
	store.alive = 3;
	fake_say(eve, JOIN);
	fake_advance(one.fake, PX_BUS_RETRY_MS);
	settle(&one);
	ck_assert_uint_eq(stats_of(&one).claims, 2);
	fake_expect_nothing(eve);
	ck_assert_int_eq(eve->close_code, PX_CLOSE_TRY_LATER);
	end(&one);
	end(&two);
}
END_TEST

/* A large answer that waits for the journal has its price as well. */
START_TEST(test_answers_are_counted)
{
	struct px_limits limits = fake_limits();
	limits.bytes_per_s = 10000;
	limits.bytes_burst = 100000;
	struct node node = begin_with(1, &limits);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	for (unsigned i = 0; i < 2; i++) {
		fake_say(ann, "{\"type\":\"desk_much\",\"practiceId\":1}");
		settle(&node);
		fake_expect(ann, "{'type':'desk_much'}");
	}
	fake_say(ann, SAY);
	fake_expect(ann, "{'type':'error','code':'rate_limited'}");
	end(&node);
}
END_TEST

struct seen {
	unsigned published;
	unsigned refused;
	unsigned others;
};

static void note(void *user, const struct px_header *header)
{
	struct seen *seen = user;
	if (header->direction == PX_WENT) {
		seen->published += header->receivers == 2;
		seen->refused += header->error == PX_E_NOT_FOUND;
		seen->others += header->receivers != 2 && header->error != PX_E_NOT_FOUND;
	}
}

/* They see the same as without a journal: a publication once, and what a refusal says. */
START_TEST(test_those_who_look_on)
{
	struct node node = begin(1);
	struct seen seen = { .published = 0 };
	struct px_message_tap_filter filter = { .practice = px_span("1"),
		.service = px_span(""), .note = note, .user = &seen };
	struct px_message_tap *tap;
	struct px_error_detail detail;
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	(void)open_at(&node, "1");
	(void)open_at(&node, "1");
	struct px_operator operator = px_session_operator(ann->session);
	ck_assert_int_eq(px_message_tap_open(&operator, &filter, &tap, &detail), 0);
	fake_say(ann, "{\"type\":\"desk_say\",\"practiceId\":1}");
	fake_say(ann, "{\"type\":\"desk_refuse\",\"practiceId\":1}");
	settle(&node);
	ck_assert_uint_eq(seen.published, 1);
	ck_assert_uint_eq(seen.refused, 1);
	ck_assert_uint_eq(seen.others, 0);
	px_message_tap_close(tap);
	end(&node);
}
END_TEST

struct told {
	unsigned done;
	unsigned denied;
	enum px_error error;
};

static void on_done(void *user, const struct px_outcome *outcome)
{
	struct told *told = user;
	told->done += !outcome->detail;
	told->denied += outcome->detail != NULL;
	told->error = outcome->detail ? outcome->detail->code : PX_E_COUNT;
}

START_TEST(test_outcomes_are_told_when_they_count)
{
	struct told told = { .done = 0 };
	struct px_operate_done done = { on_done, &told };
	struct px_span text = px_span("{\"type\":\"desk_news\",\"practiceId\":1}");
	struct node one = begin(1);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one, "1");
	fake_say(ann, JOIN);
	settle(&one);
	struct px_operator operator = px_session_operator(ann->session);
	px_operate_publish_then(&operator, NULL, text, &done);
	px_operate_end_room_then(&operator, px_span("desk"), px_span("1"), px_span("r"), &done);
	turn(&one);
	ck_assert_uint_eq(told.done + told.denied, 0);
	settle(&one);
	ck_assert_uint_eq(told.done, 2);
	/* What is denied is so at once; what another node does not know of was not done. */
	px_operate_end_room_then(&operator, px_span("desk"), px_span("1"), px_span("r"), &done);
	ck_assert_uint_eq(told.denied, 1);
	ck_assert_int_eq(told.error, PX_E_NOT_FOUND);
	px_operate_publish_then(&operator, NULL, text, &done);
	turn(&one);
	struct node two = begin(2);
	connect_to_journal(&two, 2);
	(void)open_at(&two, "1");
	settle(&one);
	ck_assert_uint_eq(told.done, 2);
	ck_assert_uint_eq(told.denied, 2);
	ck_assert_int_eq(told.error, PX_E_UNAVAILABLE);
	end(&one);
	end(&two);
}
END_TEST

/* Somebody who has lost the practice does not hear what was said before. */
START_TEST(test_rights_that_are_gone)
{
	struct node node = begin(1);
	struct px_identity *identity;
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1 2");
	struct fake_conn *bob = open_at(&node, "1");
	fake_say(bob, SAY);
	ck_assert_int_eq(fake_identity(node.fake, WHO(.practices = "2"), &identity), 0);
	px_session_become(ann->session, identity, true);
	settle(&node);
	fake_expect(bob, "{'type':'ack','seq':1}");
	fake_expect(ann, "{'type':'auth_ok'}");
	fake_expect_nothing(ann);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_SESSIONS), 1);
	end(&node);
}
END_TEST

/* ---- a journal that is not to be trusted ---- */

static void fill(void)
{
	struct node node = begin(1);
	connect_to_journal(&node, 1);
	struct fake_conn *ann = open_at(&node, "1");
	struct fake_conn *bob = open_at(&node, "1");
	fake_say(ann, JOIN);
	fake_say(bob, JOIN);
	fake_say(ann, SAY);
	fake_say(bob, SAY);
	settle(&node);
	end(&node);
}

/* Somebody comes to a broker that finds that; what becomes of it is all the same. */
static uint64_t visit(uint64_t number)
{
	struct node node = begin(number);
	connect_to_journal(&node, number);
	struct fake_conn *ann = fake_connect(node.fake, WHO(.practices = "1"));
	settle(&node);
	fake_say(ann, SAY);
	settle(&node);
	uint64_t claims = stats_of(&node).claims - stats_of(&node).deposed;
	end(&node);
	return claims;
}

START_TEST(test_damaged)
{
	uint64_t random = 7;
	unsigned refused = 0;
	for (uint64_t i = 0; i < 400; i++) {
		fill();
		struct sim_place *place = sim_store_find(&store, "t/1");
		struct sim_record *record =
				&place->records[fake_random(&random) % place->count];
		bool is_key = fake_random(&random) % 4 == 0;
		char *text = is_key ? record->key : record->value;
		size_t len = is_key ? record->key_len : record->value_len;
		text[fake_random(&random) % len] = (char)fake_random(&random);
		if (fake_random(&random) % 4 == 0) {
			record->value_len = fake_random(&random) % record->value_len;
		}
		refused += visit(2) == 0;
		sim_store_finish(&store);
		store = (struct sim_store){ .places = NULL };
	}
	ck_assert_uint_gt(refused, 100);
}
END_TEST

/* In all records of the table; as long as what it replaces. */
static void replace(enum px_bus_table table, bool in_key, const char *from, const char *to)
{
	struct sim_place *place = sim_store_find(&store, "t/1");
	for (size_t i = 0; i < place->count; i++) {
		struct sim_record *record = &place->records[i];
		char *at = strstr(in_key ? record->key : record->value, from);
		if (record->table == table && at) {
			memcpy(at, to, strlen(to));
		}
	}
}

static void drop(enum px_bus_table table)
{
	struct sim_place *place = sim_store_find(&store, "t/1");
	for (size_t i = place->count; i > 0; i--) {
		if (place->records[i - 1].table == table) {
			free(place->records[i - 1].key);
			free(place->records[i - 1].value);
			place->records[i - 1] = place->records[--place->count];
		}
	}
}

START_TEST(test_of_another_practice)
{
	fill();
	drop(PX_BUS_MEMBERS);
	drop(PX_BUS_SESSIONS);
	replace(PX_BUS_CHANNELS, false, "\"practice\":\"1\"", "\"practice\":\"2\"");
	ck_assert_uint_eq(visit(2), 0);
}
END_TEST

START_TEST(test_history_of_no_channel)
{
	fill();
	replace(PX_BUS_HISTORY, true, "hall", "halm");
	ck_assert_uint_eq(visit(2), 0);
}
END_TEST

/* Of a kind that no service of now keeps: it goes, in memory and in the journal. */
START_TEST(test_what_nobody_knows)
{
	fill();
	replace(PX_BUS_CHANNELS, false, "\"room\"", "\"rook\"");
	replace(PX_BUS_MEMBERS, false, "\"room\"", "\"rook\"");
	ck_assert_uint_eq(count_records("t/1", PX_BUS_CHANNELS), 2);
	ck_assert_uint_eq(visit(2), 1);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_CHANNELS), 1);
	/* The rest stays. */
	ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 3);
	ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 1);
}
END_TEST

/* A node takes over what it has room for, as when it loads a state file. */
START_TEST(test_limits_of_the_new_home)
{
	for (unsigned channels = 1; channels <= 2; channels++) {
		struct px_limits limits = fake_limits();
		limits.channels = channels;
		fill();
		struct node node = begin_with(2, &limits);
		connect_to_journal(&node, 2);
		(void)open_at(&node, "2");
		ck_assert_uint_eq(fake_stats(node.fake).channels, 1);
		(void)fake_connect(node.fake, WHO(.practices = "1", .role = PX_ROLE_PATIENT));
		settle(&node);
		/* The room is nobody's, and takes no place. */
		ck_assert_uint_eq(stats_of(&node).deposed, 0);
		ck_assert_uint_eq(fake_stats(node.fake).channels, channels);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_CHANNELS), channels - 1);
		ck_assert_uint_eq(count_records("t/1", PX_BUS_HISTORY), 2 * (channels - 1));
		ck_assert_uint_eq(count_records("t/1", PX_BUS_MEMBERS), 0);
		end(&node);
		sim_store_finish(&store);
		store = (struct sim_store){ .places = NULL };
	}
}
END_TEST

START_TEST(test_orders_go_on)
{
	fill();
	replace(PX_BUS_MEMBERS, false, "\"order\":4", "\"order\":9");
	struct node node = begin(2);
	connect_to_journal(&node, 2);
	(void)open_at(&node, "1");
	ck_assert_uint_eq(node.fake->broker->member_order, 10);
	end(&node);
}
END_TEST

START_TEST(test_nothing_is_told_of_what_is_unusable)
{
	fill();
	struct sim_place *place = sim_store_find(&store, "t/1");
	for (size_t i = 0; i < place->count; i++) {
		if (place->records[i].table == PX_BUS_MEMBERS) {
			place->records[i].value[0] = 'x';
		}
	}
	left_count = lost_count = 0;
	struct node node = begin(2);
	connect_to_journal(&node, 2);
	struct fake_conn *ann = fake_connect(node.fake, WHO(.practices = "1"));
	settle(&node);
	ck_assert_uint_eq(left_count + lost_count, 0);
	ck_assert_uint_eq(fake_stats(node.fake).sessions, 1);
	ck_assert_uint_eq(fake_stats(node.fake).channels, 0);
	ck_assert_str_eq(node.fake->log, "bus: what is kept of a practice cannot be used");
	/* Somebody mends it. */
	for (size_t i = 0; i < place->count; i++) {
		if (place->records[i].table == PX_BUS_MEMBERS) {
			place->records[i].value[0] = '{';
		}
	}
	fake_say(ann, SAY);
	fake_advance(node.fake, PX_BUS_RETRY_MS);
	settle(&node);
	fake_expect(ann, "{'type':'connection_established'}");
	fake_expect(ann, "{'type':'ack','seq':3}");
	ck_assert_uint_eq(left_count, 2);
	end(&node);
}
END_TEST

static void clean(void)
{
	sim_store_finish(&store);
	store = (struct sim_store){ .places = NULL };
	left_count = lost_count = 0;
}

RUN_TESTS_BETWEEN(NULL, clean, "bus", test_nothing_before_it_is_accepted, test_what_is_kept,
		test_only_what_changed, test_another_goes_on, test_nobody_needs_it,
		test_the_dead_are_not_asked, test_jobs_done_twice, test_what_is_lost_is_put_back,
		test_loss_is_noticed_at_once, test_a_large_turn_is_of_parts, test_parts_that_are_lost,
		test_how_large_a_commit_is, test_the_home_comes_first, test_in_order_whatever_waits,
		test_too_many_without_an_answer, test_those_who_arrive, test_of_another_practice,
		test_history_of_no_channel, test_what_nobody_knows, test_orders_go_on,
		test_the_journal_is_away, test_large_messages_that_wait, test_what_a_session_has_heard,
		test_those_who_publish, test_rights_that_are_gone,
		test_those_who_look_on, test_what_is_said_while_it_is_dropped, test_answers_are_counted,
		test_limits_of_the_new_home,
		test_outcomes_are_told_when_they_count, test_damaged,
		test_nothing_is_told_of_what_is_unusable);
