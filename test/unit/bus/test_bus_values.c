/* SPDX-License-Identifier: MIT */
/*
 * The journal and the values of channels, with the real whiteboard: what is kept is written, what
 * is not any more is deleted, and whoever goes on with the practice has all of it.
 */
#include "../../sim/sim_bus.h"
#include "../fake.h"

#include "../../plugins/whiteboard/whiteboard.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define SUBSCRIBE "{\"type\":\"whiteboard_subscribe\",\"practiceId\":1,\"state\":true}"

struct node {
	struct fake *fake;
	struct sim_link link;
};

static struct sim_store store;

static struct node begin(uint64_t number)
{
	struct node node = { .fake = fake_create(NULL) };
	(void)fake_add_service(node.fake, &whiteboard_service, "{\"board-values\":3}");
	node.fake->random += number;
	return node;
}

/* Apart, since the link knows its own address. */
static void connect_to_journal(struct node *node, uint64_t number)
{
	store.alive = number;
	sim_link_begin(&node->link, &store, node->fake->broker, number);
	node->link.realm = &node->fake->realm;
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

static void end(struct node *node)
{
	sim_link_end(&node->link);
	fake_abandon(node->fake);
}

static struct fake_conn *open_at(struct node *node)
{
	struct fake_conn *conn = fake_connect(node->fake, WHO(.practices = "1"));
	settle(node);
	fake_expect(conn, "{'type':'connection_established'}");
	return conn;
}

static void say(struct node *node, struct fake_conn *conn, const char *key, const char *more)
{
	char text[256];
	(void)snprintf(text, sizeof(text), "{\"type\":\"whiteboard_update\",\"practiceId\":1,"
			"\"id\":1,\"key\":\"%s\",%s}", key, more);
	fake_say(conn, text);
	settle(node);
	fake_expect(conn, "{'type':'ack'}");
}

static size_t count_values(void)
{
	const struct sim_place *place = sim_store_find(&store, "t/1");
	size_t count = 0;
	for (size_t i = 0; place && i < place->count; i++) {
		count += place->records[i].table == PX_BUS_VALUES;
	}
	return count;
}

/* The state, as seq and data of each value. */
static const char *state_of(struct node *node, struct fake_conn *conn)
{
	static char text[128];
	fake_say(conn, SUBSCRIBE);
	settle(node);
	fake_expect(conn, "{'type':'whiteboard_subscribed','state':'follows'}");
	struct json_object *state = fake_expect(conn, "{'type':'whiteboard_state','parts':1}");
	struct json_object *values = json_object_object_get(state, "values");
	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(values); i++) {
		struct json_object *value = json_object_array_get_idx(values, i);
		size_t len = strlen(text);
		(void)snprintf(text + len, sizeof(text) - len, "%s:%s ",
				fake_member(value, "seq"), fake_member(value, "data"));
	}
	fake_expect_nothing(conn);
	return text;
}

START_TEST(test_what_is_kept)
{
	struct node one = begin(1);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one);
	say(&one, ann, "a", "\"keep\":true,\"data\":1");
	say(&one, ann, "\\u0001\\n\\\"", "\"keep\":true,\"data\":2");
	ck_assert_uint_eq(count_values(), 2);
	say(&one, ann, "a", "\"data\":9");
	say(&one, ann, "a", "\"keep\":true,\"data\":3");
	ck_assert_uint_eq(count_values(), 2);
	say(&one, ann, "b", "\"keep\":true,\"data\":4");
	say(&one, ann, "b", "\"keep\":false");
	ck_assert_uint_eq(count_values(), 2);
	/* It is gone without a word. */
	struct node two = begin(2);
	fake_advance(two.fake, one.fake->mono_ms - two.fake->mono_ms);
	connect_to_journal(&two, 2);
	struct fake_conn *bob = open_at(&two);
	ck_assert_str_eq(state_of(&two, bob), "2:2 4:3 ");
	say(&two, bob, "c", "\"keep\":true,\"data\":5");
	ck_assert_uint_eq(count_values(), 3);
	settle(&one);
	end(&one);
	end(&two);
	sim_store_finish(&store);
}
END_TEST

/* What the journal has lost is written again, and nothing else is there. */
START_TEST(test_what_is_lost)
{
	struct node one = begin(1);
	connect_to_journal(&one, 1);
	struct fake_conn *ann = open_at(&one);
	say(&one, ann, "a", "\"keep\":true,\"data\":1");
	say(&one, ann, "b", "\"keep\":true,\"data\":2");
	say(&one, ann, "a", "\"keep\":false");
	sim_store_lose(&store, 2);
	ck_assert_uint_eq(count_values(), 1);
	say(&one, ann, "c", "\"keep\":true,\"data\":3");
	ck_assert_uint_eq(count_values(), 2);
	struct node two = begin(2);
	fake_advance(two.fake, one.fake->mono_ms - two.fake->mono_ms);
	connect_to_journal(&two, 2);
	ck_assert_str_eq(state_of(&two, open_at(&two)), "2:2 4:3 ");
	settle(&one);
	end(&one);
	end(&two);
	sim_store_finish(&store);
}
END_TEST

RUN_TESTS("bus_values", test_what_is_kept, test_what_is_lost);
