/* SPDX-License-Identifier: MIT */
/* Nodes on one Redis that talk to each other, die, leave, and are declared dead. */
#include "run.h"
#include "world.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct node one, two;

START_TEST(frames_arrive_or_are_told_to_have_reached_nobody)
{
	node_begin_up(&one);
	node_begin_up(&two);
	one.broker.bus.tell(one.link, two.broker.node, (struct px_span){ "hello", 5 });
	one.broker.bus.tell(one.link, two.broker.node, (struct px_span){ "again", 5 });
	one.broker.bus.tell(one.link, 77, (struct px_span){ "nobody", 6 });
	node_flush(&one);
	WAIT_UNTIL(two.broker.heard && strlen(two.broker.heard) == 12 && one.broker.unheard);
	ck_assert_str_eq(two.broker.heard, "hello\nagain\n");
	ck_assert(one.broker.unheard == 1 && one.broker.unheard_node == 77);
	node_end(&one);
	node_end(&two);
}
END_TEST

START_TEST(a_node_that_gives_no_sign_of_life_is_dead_once)
{
	struct asked asked = { .answer = NULL };
	char orphan[128];
	setup.node_timeout_ms = 1500;
	node_begin_up(&one);
	node_begin_up(&two);
	uint64_t number = two.broker.node;
	ck_assert_int_eq(node_claim(&two, &asked), 0);
	ck_assert_int_eq(node_claim(&one, &asked), -EBUSY);
	ck_assert(!one.broker.bus.is_dead(one.link, number));
	node_end(&two); /* without a word, as if it was killed */
	WAIT_UNTIL(one.broker.orphans);
	ck_assert(one.broker.dead_count == 1 && one.broker.dead[0] == number);
	ck_assert(one.broker.bus.is_dead(one.link, number));
	(void)snprintf(orphan, sizeof(orphan), "default/12 %" PRIx64 "\n", number);
	ck_assert_str_eq(one.broker.orphans, orphan);
	uint64_t beats = one.link->beats;
	WAIT_UNTIL(one.link->beats > beats + 1 && !one.link->is_beating);
	ck_assert_uint_eq(one.broker.dead_count, 1);
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(a_node_that_leaves_is_dead_at_once)
{
	setup.node_timeout_ms = 600000;
	node_begin_up(&one);
	node_begin_up(&two);
	uint64_t number = two.broker.node;
	px_bus_module.leave(two.link);
	WAIT_UNTIL(one.broker.dead_count == 1);
	ck_assert(one.broker.dead[0] == number && two.broker.deposed == 0);
	node_end(&one);
	node_end(&two);
}
END_TEST

START_TEST(a_node_that_nobody_knows_is_dead)
{
	setup.node_timeout_ms = 1500;
	node_begin_up(&one);
	ck_assert(!one.broker.bus.is_dead(one.link, 4711));
	ck_assert(!one.broker.bus.is_dead(one.link, one.broker.node));
	WAIT_UNTIL(one.broker.dead_count == 1);
	ck_assert(one.broker.dead[0] == 4711 && one.broker.bus.is_dead(one.link, 4711));
	node_end(&one);
}
END_TEST

START_TEST(a_node_that_was_declared_dead_gets_another_number)
{
	char text[PX_REDIS_NODE_LEN + 1];
	struct asked asked = { .claim = { .job = { .kind = PX_BUS_CLAIM, .place = world_place } } };
	struct px_bus bus;
	node_begin_up(&one);
	uint64_t number = one.broker.node;
	px_node_text(number, text);
	(void)redis_ask(&redis, "HDEL px:{c}:nodes %s", text);
	WAIT_UNTIL(one.is_deposed);
	ck_assert_uint_eq(one.broker.deposed, 1);
	fake_ask(&one.broker, &asked);
	px_bus_module.renew(one.link);
	ck_assert(asked.is_answered && asked.rc == -ECANCELED && !one.broker.is_up);
	one.broker.node = px_bus_module.bus(one.link, &bus);
	ck_assert(one.broker.node != number);
	WAIT_UNTIL(one.broker.is_up);
	uint64_t beats = one.link->beats;
	WAIT_UNTIL(one.link->beats > beats + 1 && !one.link->is_beating);
	ck_assert_uint_eq(one.broker.deposed, 1);
	node_end(&one);
}
END_TEST

START_TEST(an_empty_redis_declares_nobody_dead)
{
	setup.node_timeout_ms = 1500;
	node_begin_up(&one);
	node_begin_up(&two);
	uint64_t beats = one.link->beats;
	WAIT_UNTIL(one.link->stats.nodes == 2 && one.link->beats > beats);
	(void)redis_ask(&redis, "FLUSHALL");
	beats = one.link->beats;
	WAIT_UNTIL(one.link->beats > beats + 3);
	ck_assert(one.broker.dead_count == 0 && two.broker.dead_count == 0);
	ck_assert(one.broker.deposed == 0 && two.broker.deposed == 0);
	ck_assert_uint_eq(one.link->stats.nodes, 2);
	node_end(&one);
	node_end(&two);
}
END_TEST

RUN_REDIS_TESTS("redis/nodes", frames_arrive_or_are_told_to_have_reached_nobody,
		a_node_that_gives_no_sign_of_life_is_dead_once, a_node_that_leaves_is_dead_at_once,
		a_node_that_nobody_knows_is_dead, a_node_that_was_declared_dead_gets_another_number,
		an_empty_redis_declares_nobody_dead);
