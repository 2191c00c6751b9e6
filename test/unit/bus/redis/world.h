/* SPDX-License-Identifier: MIT */
/* Links of the module to a real Redis, with a broker in name only; the test turns their loop. */
#ifndef REDIS_WORLD_H
#define REDIS_WORLD_H

#include "fake_broker.h"
#include "link.h"
#include "redis_server.h"

extern const struct px_bus_module px_bus_module;

struct node {
	struct px_broker broker;
	struct px_bus_link *link;
	bool is_deposed;
	char log[512]; /* its latest line */
};

extern uv_loop_t loop;
extern struct redis_server redis;
/* Of the next link; the port is that of the server. */
extern struct px_bus_setup setup;

/* A Redis that keeps nothing when it ends. */
void world_begin(void);
void world_end(void);

/* The practice that most tests are about. */
extern const struct px_bus_place world_place;

void node_begin(struct node *node);
void node_begin_up(struct node *node); /* … and waits for its connection */
void node_end(struct node *node);
/* Sends what was asked for. */
void node_flush(struct node *node);
/* Sends it, and waits for its answer, which is returned. */
int node_wait_for(struct node *node, struct asked *asked);
/* The node claims `world_place`; *asked is used again, and its answer freed. */
int node_claim(struct node *node, struct asked *asked);

/* Turns the loop until it is so; fails the test if that takes too long. */
#define WAIT_UNTIL(condition) \
	do { \
		uint64_t waiting_since_ms = now_ms(); \
		while (!(condition)) { \
			ck_assert_msg(now_ms() - waiting_since_ms < 60000, "waited for: %s", #condition); \
			turn_loop(); \
		} \
	} while (0)

uint64_t now_ms(void);
void turn_loop(void);

/* A number from the test's own dice, which begin anew with each test. */
uint32_t dice(uint32_t below);

/* The main() of a test program, which includes run.h. Without a redis-server it is skipped. */
#define RUN_REDIS_TESTS(suite_name, ...) \
	int run_all(void); \
	RUN_TESTS_BETWEEN_AS(run_all, world_begin, world_end, suite_name, __VA_ARGS__); \
	int main(void) \
	{ \
		return redis_server_exists() ? run_all() : world_skip(); \
	} \
	struct end_of_redis_tests

int world_skip(void);

#endif
