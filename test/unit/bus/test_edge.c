/* SPDX-License-Identifier: MIT */
/*
 * Several nodes with one journal: a client is served wherever it is connected, whichever node is
 * its practice's home. The simulations do such things at random.
 */
#include "bus/bus_internal.h"

#include "../../sim/sim_bus.h"
#include "core/practice.h"
#include "fake.h"
#include "session/session.h"

#include <check.h>
#include <json-c/json.h>
#include <praxis/plugin.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 3 };

struct node {
	struct fake *fake;
	struct sim_link link;
};

extern const lws_plugin_protocol_t svc_whiteboard;
extern const lws_plugin_protocol_t svc_telemedicine;

static struct sim_store store;
static struct node nodes[NODES];

static void begin(struct node *node, uint64_t number)
{
	node->fake = fake_create(NULL);
	node->fake->random ^= number * 0x9e3779b97f4a7c15u;
	fake_add_service(node->fake, svc_whiteboard.protocols[0].user, NULL);
	fake_add_service(node->fake, svc_telemedicine.protocols[0].user, NULL);
	sim_link_begin(&node->link, &store, node->fake->broker, number);
	node->link.realm = &node->fake->realm;
}

static void set_up(void)
{
	for (size_t i = 0; i < NODES; i++) {
		begin(&nodes[i], i + 1);
	}
}

static void end(struct node *node)
{
	if (node->fake) {
		sim_link_end(&node->link);
		fake_abandon(node->fake);
		node->fake = NULL;
	}
}

static void tear_down(void)
{
	for (size_t i = 0; i < NODES; i++) {
		end(&nodes[i]);
	}
	sim_store_finish(&store);
	store = (struct sim_store){ .places = NULL };
}

static bool move(struct node *node)
{
	while (node->fake && fake_turn(node->fake)) {
	}
	return node->fake && (sim_link_execute(&node->link) || sim_link_answer(&node->link) ||
			sim_link_hear(&node->link, 0));
}

/* Until nobody has anything to do. */
static void settle(void)
{
	bool is_moving = true;
	while (is_moving) {
		is_moving = false;
		for (size_t i = 0; i < NODES; i++) {
			is_moving = move(&nodes[i]) || is_moving;
		}
	}
}

static void wait_ms(int64_t ms)
{
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].fake) {
			fake_advance(nodes[i].fake, ms);
		}
	}
	settle();
}

static struct px_bus_stats stats_of(const struct node *node)
{
	struct px_bus_stats stats;
	px_broker_bus_stats(node->fake->broker, &stats);
	return stats;
}

static struct fake_conn *open_at(struct node *node, const char *practices)
{
	struct fake_conn *conn = fake_connect(node->fake, WHO(.practices = practices, .user = "7",
			.name = "Ann", .authenticated = true));
	settle();
	fake_expect(conn, "{'type':'connection_established'}");
	return conn;
}

static void say(struct fake_conn *conn, const char *text)
{
	fake_send(conn, text);
	settle();
}

#define SUBSCRIBE "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1}"
#define UPDATE "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"id\":1}"
#define JOIN "{\"type\":\"telemedicine_user_joined\",\"roomId\":\"r\",\"appointmentId\":1," \
		"\"userId\":7,\"userName\":\"Ann\"}"

/* Reads up to the subscription. */
static struct fake_conn *subscribe_at(struct node *node, const char *practices)
{
	struct fake_conn *conn = open_at(node, practices);
	say(conn, SUBSCRIBE);
	fake_expect(conn, "{'type':'whiteboard_subscribed'}");
	return conn;
}

static size_t count_records(enum px_bus_table table)
{
	const struct sim_place *place = sim_store_find(&store, "t/1");
	size_t count = 0;
	for (size_t i = 0; place && i < place->count; i++) {
		count += place->records[i].table == table;
	}
	return count;
}

static struct px_home *home_at(const struct node *node)
{
	const struct px_practice *practice =
			px_practice_find(node->fake->broker, px_span("t"), px_span("1"));
	return practice ? practice->home : NULL;
}

/* ---- */

START_TEST(test_on_one_and_on_another)
{
	struct fake_conn *ann = subscribe_at(&nodes[0], "1");
	struct fake_conn *bob = subscribe_at(&nodes[1], "1");
	struct fake_conn *eve = subscribe_at(&nodes[2], "1");
	ck_assert_uint_eq(stats_of(&nodes[0]).guests, 2);
	ck_assert_uint_eq(count_records(PX_BUS_SESSIONS), 3);
	say(bob, UPDATE);
	fake_expect(bob, "{'type':'ack','id':1,'seq':1}");
	fake_expect(ann, "{'type':'whiteboard_update','seq':1,'userId':7}");
	fake_expect(eve, "{'type':'whiteboard_update','seq':1}");
	say(ann, UPDATE);
	fake_expect(ann, "{'type':'ack','seq':2}");
	fake_expect(bob, "{'type':'whiteboard_update','seq':2}");
	fake_expect(eve, "{'type':'whiteboard_update','seq':2}");
	fake_expect_nothing(ann);
	fake_expect_nothing(bob);
	for (size_t i = 0; i < NODES; i++) {
		ck_assert_uint_eq(stats_of(&nodes[i]).waiting, 0);
		ck_assert_uint_eq(stats_of(&nodes[i]).bad, 0);
	}
}
END_TEST

START_TEST(test_who_leaves_is_gone)
{
	struct fake_conn *ann = open_at(&nodes[0], "1");
	struct fake_conn *bob = open_at(&nodes[1], "1");
	say(ann, JOIN);
	fake_expect(ann, "{'type':'telemedicine_room_joined'}");
	say(bob, JOIN);
	fake_expect(ann, "{'type':'telemedicine_user_joined'}");
	fake_leave(bob);
	settle();
	fake_expect(ann, "{'type':'telemedicine_user_left','reason':'disconnected'}");
	ck_assert_uint_eq(stats_of(&nodes[0]).guests, 0);
	ck_assert_uint_eq(count_records(PX_BUS_SESSIONS), 1);
	ck_assert_uint_eq(count_records(PX_BUS_MEMBERS), 2);
	fake_leave(ann);
	settle();
	wait_ms(1000);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->count, 0);
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->home, 0);
	for (size_t i = 0; i < NODES; i++) {
		ck_assert_uint_eq(stats_of(&nodes[i]).homes, 0);
	}
}
END_TEST

START_TEST(test_a_node_dies)
{
	struct fake_conn *ann = open_at(&nodes[0], "1");
	struct fake_conn *bob = open_at(&nodes[1], "1");
	say(ann, JOIN);
	say(bob, JOIN);
	fake_expect(ann, "{'type':'telemedicine_room_joined'}");
	fake_expect(ann, "{'type':'telemedicine_user_joined'}");
	end(&nodes[1]);
	for (size_t i = 0; i < NODES; i += 2) {
		sim_link_bury(&nodes[i].link, 2);
	}
	settle();
	fake_expect(ann, "{'type':'telemedicine_user_left','reason':'disconnected'}");
	fake_expect_nothing(ann);
	ck_assert_uint_eq(count_records(PX_BUS_SESSIONS), 1);
	ck_assert_uint_eq(count_records(PX_BUS_EDGES), 1);
}
END_TEST

/* Its edges go on with another home: who was connected to it has left, what was said arrives. */
START_TEST(test_a_home_dies)
{
	struct fake_conn *ann = open_at(&nodes[0], "1");
	struct fake_conn *bob = subscribe_at(&nodes[1], "1");
	struct fake_conn *eve = subscribe_at(&nodes[2], "1");
	say(ann, JOIN);
	say(bob, JOIN);
	fake_expect(bob, "{'type':'telemedicine_room_joined'}");
	say(bob, UPDATE);
	fake_expect(bob, "{'type':'ack','seq':1}");
	fake_expect(eve, "{'type':'whiteboard_update','seq':1}");
	end(&nodes[0]);
	fake_send(bob, UPDATE);
	settle();
	wait_ms(PX_BUS_RETRY_MS); /* it reached nobody: a hint */
	wait_ms(PX_BUS_RETRY_MS);
	fake_expect(bob, "{'type':'ack','seq':2}");
	fake_expect(eve, "{'type':'whiteboard_update','seq':2}");
	fake_expect_nothing(bob);
	sim_link_bury(&nodes[1].link, 1);
	sim_link_bury(&nodes[2].link, 1);
	settle();
	fake_expect(bob, "{'type':'telemedicine_user_left','reason':'disconnected'}");
	say(eve, UPDATE);
	fake_expect(eve, "{'type':'ack','seq':3}");
	fake_expect(bob, "{'type':'whiteboard_update','seq':3}");
	ck_assert_uint_eq(count_records(PX_BUS_SESSIONS), 2);
}
END_TEST

/* A connection that is lost loses frames; what they had is fetched, or said again. */
START_TEST(test_what_is_lost_on_the_way)
{
	struct fake_conn *ann = subscribe_at(&nodes[0], "1");
	struct fake_conn *bob = subscribe_at(&nodes[1], "1");
	sim_link_cut(&nodes[1].link);
	say(ann, UPDATE);
	say(ann, UPDATE);
	say(bob, UPDATE);
	fake_expect_nothing(bob);
	sim_link_mend(&nodes[1].link);
	settle();
	fake_expect(bob, "{'type':'whiteboard_update','seq':1}");
	fake_expect(bob, "{'type':'whiteboard_update','seq':2}");
	fake_expect(bob, "{'type':'ack','seq':3}");
	fake_expect_nothing(bob);
	/* What is on the way there is lost as well. */
	fake_send(bob, UPDATE);
	while (fake_turn(nodes[1].fake) || sim_link_execute(&nodes[1].link)) {
	}
	sim_link_cut(&nodes[0].link);
	sim_link_mend(&nodes[0].link);
	settle();
	for (unsigned i = 0; i < 2; i++) {
		wait_ms(PX_BUS_RETRY_MS);
	}
	fake_expect(bob, "{'type':'ack','seq':4}");
	fake_expect_nothing(bob);
	ck_assert_uint_eq(stats_of(&nodes[1]).lost, 0);
}
END_TEST

/* More was sent than is kept: who may have missed it begins anew. */
START_TEST(test_what_is_no_longer_kept)
{
	struct fake_conn *ann = subscribe_at(&nodes[0], "1");
	struct fake_conn *bob = subscribe_at(&nodes[1], "1");
	sim_link_cut(&nodes[1].link);
	for (unsigned i = 0; i <= PX_BUS_OUTPUTS_KEPT; i++) {
		say(ann, UPDATE);
	}
	sim_link_mend(&nodes[1].link);
	settle();
	ck_assert_int_eq(bob->close_code, PX_CLOSE_TRY_LATER);
	ck_assert_uint_eq(stats_of(&nodes[1]).lost, 1);
	struct fake_conn *eve = subscribe_at(&nodes[1], "1");
	say(eve, UPDATE);
	fake_expect(eve, "{'type':'ack','seq':66}");
}
END_TEST

/* A home that stood still finds out that it is none, and is an edge: nobody is disconnected. */
START_TEST(test_a_home_is_deposed)
{
	struct fake_conn *ann = subscribe_at(&nodes[0], "1");
	struct fake_conn *bob = subscribe_at(&nodes[1], "1");
	struct px_home *home = home_at(&nodes[1]);
	home->is_hinted = true;
	px_home_seek(home);
	settle();
	ck_assert_uint_eq(sim_store_find(&store, "t/1")->home, 2);
	say(bob, UPDATE);
	fake_expect(bob, "{'type':'ack','seq':1}");
	say(ann, UPDATE);
	wait_ms(PX_BUS_RETRY_MS);
	wait_ms(PX_BUS_RETRY_MS);
	fake_expect(ann, "{'type':'whiteboard_update','seq':1}");
	fake_expect(ann, "{'type':'ack','seq':2}");
	fake_expect(bob, "{'type':'whiteboard_update','seq':2}");
	fake_expect_nothing(ann);
	ck_assert_int_eq(ann->close_code, FAKE_OPEN);
	ck_assert_uint_eq(stats_of(&nodes[1]).guests, 1);
}
END_TEST

START_TEST(test_rights_that_change)
{
	struct fake_conn *ann = subscribe_at(&nodes[0], "1");
	struct fake_conn *bob = subscribe_at(&nodes[1], "1 2");
	struct px_identity *identity;
	ck_assert_int_eq(fake_identity(nodes[1].fake, WHO(.practices = "2", .user = "7",
			.authenticated = true), &identity), 0);
	px_session_become(bob->session, identity, true);
	settle();
	fake_expect(bob, "{'type':'auth_ok'}");
	ck_assert_uint_eq(stats_of(&nodes[0]).guests, 0);
	say(ann, UPDATE);
	fake_expect_nothing(bob);
	ck_assert_int_eq(fake_identity(nodes[1].fake, WHO(.practices = "1 2", .user = "7",
			.authenticated = true), &identity), 0);
	px_session_become(bob->session, identity, true);
	settle();
	ck_assert_uint_eq(stats_of(&nodes[0]).guests, 1);
}
END_TEST

START_TEST(test_frames_of_nobody)
{
	struct fake_conn *bob = subscribe_at(&nodes[0], "1");
	uint64_t random = 5;
	struct px_bytes bytes = { .data = NULL };
	px_frame_write(&bytes, &(struct px_frame){ .kind = PX_FRAME_SAID,
		.place = { px_span("t"), px_span("1") }, .from = 2, .gen = 1, .rev = 1, .is_last = true });
	for (unsigned i = 0; i < 20000; i++) {
		struct px_bytes copy = { .data = NULL };
		px_bytes_add(&copy, bytes.data, bytes.len);
		px_said_write(&copy, &(struct px_said){ .kind = 1 + i % 4, .prev = i, .number = i + 1,
			.client_id = fake_random(&random), .text = px_span("{\"session\":\"c0\"}") });
		copy.data[fake_random(&random) % copy.len] = (char)fake_random(&random);
		px_broker_bus_heard(nodes[0].fake->broker, (struct px_span){ copy.data, copy.len });
		px_bytes_finish(&copy);
	}
	px_bytes_finish(&bytes);
	settle();
	say(bob, UPDATE);
	fake_expect(bob, "{'type':'ack','seq':1}");
}
END_TEST

RUN_TESTS_BETWEEN(set_up, tear_down, "edge", test_on_one_and_on_another, test_who_leaves_is_gone,
		test_a_node_dies, test_a_home_dies, test_what_is_lost_on_the_way,
		test_what_is_no_longer_kept, test_a_home_is_deposed, test_rights_that_change,
		test_frames_of_nobody);
