/* SPDX-License-Identifier: MIT */
/* See world.h. */
#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uv_loop_t loop;
struct redis_server redis;
struct px_bus_setup setup;
const struct px_bus_place world_place = { { "default", 7 }, { "12", 2 } };
static uint64_t state = 1;

uint32_t dice(uint32_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % below;
}

uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer;
}

/* Waits a little for events, and not longer. */
void turn_loop(void)
{
	static uv_timer_t timer;
	static bool is_begun;
	if (!is_begun) {
		uv_timer_init(&loop, &timer);
		uv_unref((uv_handle_t *)&timer);
		is_begun = true;
	}
	uv_timer_start(&timer, on_wake, 10, 0);
	uv_run(&loop, UV_RUN_ONCE);
}

static void on_begin_turn(void *user)
{
	(void)user;
}

static void on_random(void *user, void *buf, size_t len)
{
	(void)user;
	for (size_t i = 0; i < len; i++) {
		((unsigned char *)buf)[i] = (unsigned char)dice(256);
	}
}

static void on_log(void *user, int level, const char *line)
{
	struct node *node = user;
	(void)level;
	(void)snprintf(node->log, sizeof(node->log), "%s", line);
}

static void on_deposed(void *user)
{
	((struct node *)user)->is_deposed = true;
}

void world_begin(void)
{
	uv_loop_init(&loop);
	redis_server_begin(&redis, false);
	setup = (struct px_bus_setup){ .host = "127.0.0.1", .port = redis.port, .prefix = "px",
		.node_timeout_ms = 60000 };
}

static void on_handle(uv_handle_t *handle, void *user)
{
	(void)user;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

void world_end(void)
{
	uv_walk(&loop, on_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	redis_server_end(&redis);
}

void node_begin(struct node *node)
{
	struct px_bus bus;
	*node = (struct node){ .link = NULL };
	struct px_bus_owner owner = { .user = node, .loop = &loop, .broker = &node->broker,
		.begin_turn = on_begin_turn, .random = on_random, .log = on_log, .deposed = on_deposed };
	ck_assert_int_eq(px_bus_module.create(&setup, &owner, &node->link), 0);
	uint64_t number = px_bus_module.bus(node->link, &bus);
	px_broker_set_bus(&node->broker, &bus, number);
}

void node_flush(struct node *node)
{
	px_bus_module.flush(node->link);
}

void node_begin_up(struct node *node)
{
	node_begin(node);
	WAIT_UNTIL(node->broker.is_up);
}

int node_wait_for(struct node *node, struct asked *asked)
{
	node_flush(node);
	WAIT_UNTIL(asked->is_answered);
	return asked->rc;
}

int node_claim(struct node *node, struct asked *asked)
{
	free(asked->answer);
	*asked = (struct asked){ .claim = { .job = { .kind = PX_BUS_CLAIM, .place = world_place },
			.node = node->broker.node } };
	fake_ask(&node->broker, asked);
	return node_wait_for(node, asked);
}

/* A closed handle is libuv's for another turn of the loop. */
void node_end(struct node *node)
{
	px_bus_module.stop(node->link);
	for (unsigned i = 0; i < 3; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	px_bus_module.destroy(node->link);
	fake_finish(&node->broker);
}

int world_skip(void)
{
	(void)puts("1..0 # SKIP there is no redis-server");
	return 0;
}
