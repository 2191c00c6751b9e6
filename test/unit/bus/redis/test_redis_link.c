/* SPDX-License-Identifier: MIT */
/* A link and a real Redis that dies, forgets, stands still or is not what is needed. */
#include "run.h"
#include "world.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct node one;

static const struct px_bus_op set_a = { PX_BUS_SET, { PX_BUS_CHANNELS, { "a", 1 }, 0, { "{}", 2 } } };

static void ask_commit(struct node *node, struct asked *asked, uint64_t gen, uint64_t rev,
		bool is_whole)
{
	*asked = (struct asked){ .commit = { .job = { .kind = PX_BUS_COMMIT, .place = world_place },
			.node = node->broker.node, .gen = gen, .prev = rev - 1, .rev = rev,
			.is_whole = is_whole, .ops = &set_a, .op_count = 1 } };
	fake_ask(&node->broker, asked);
}

static int commit(struct node *node, uint64_t gen, uint64_t rev, bool is_whole)
{
	struct asked asked;
	ask_commit(node, &asked, gen, rev, is_whole);
	return node_wait_for(node, &asked);
}

static int fetch(struct node *node)
{
	struct asked asked = { .fetch = { .job = { .kind = PX_BUS_FETCH, .place = world_place } } };
	fake_ask(&node->broker, &asked);
	int rc = node_wait_for(node, &asked);
	free(asked.answer);
	return rc;
}

/* ---- Redis dies ---- */

START_TEST(what_was_answered_outlives_a_kill_of_redis)
{
	struct asked asked = { .answer = NULL }, waiting;
	redis_server_end(&redis);
	redis_server_begin(&redis, true);
	setup.port = redis.port;
	node_begin_up(&one);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	ck_assert_int_eq(commit(&one, 1, 1, false), 0);
	redis_server_kill(&redis);
	WAIT_UNTIL(!one.broker.is_up);
	ask_commit(&one, &waiting, 1, 2, false);
	redis_server_start(&redis);
	ck_assert_int_eq(node_wait_for(&one, &waiting), 0);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	ck_assert_str_eq(asked.answer, "2 2\n0 a 0 {}");
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(a_redis_that_comes_back_empty_has_no_data)
{
	struct asked asked = { .answer = NULL };
	node_begin_up(&one);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	redis_server_kill(&redis);
	WAIT_UNTIL(!one.broker.is_up);
	redis_server_start(&redis);
	ck_assert_int_eq(commit(&one, 1, 1, false), -ENODATA);
	ck_assert_int_eq(fetch(&one), -ENOENT);
	ck_assert_int_eq(commit(&one, 1, 1, true), 0);
	ck_assert_int_eq(commit(&one, 1, 2, false), 0);
	ck_assert_uint_eq(one.broker.deposed, 0);
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(a_redis_that_stands_still_is_noticed)
{
	struct asked asked = { .answer = NULL };
	node_begin_up(&one);
	ck_assert_int_eq(kill(redis.pid, SIGSTOP), 0);
	WAIT_UNTIL(!one.broker.is_up);
	ck_assert_ptr_nonnull(strstr(one.log, "Redis does not answer"));
	ck_assert_int_eq(kill(redis.pid, SIGCONT), 0);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	free(asked.answer);
	node_end(&one);
}
END_TEST

/* ---- Redis is not what is needed ---- */

/* Each is told in words, and once; it is up as soon as the fault is mended. */
static void expect_fault(const char *sentence, const char *mend)
{
	struct px_bus_link_stats stats;
	node_begin(&one);
	WAIT_UNTIL(*one.log);
	ck_assert_msg(strstr(one.log, sentence) != NULL, "%s", one.log);
	px_bus_module.stats(one.link, &stats);
	ck_assert(!stats.is_up && stats.fault && strstr(stats.fault, sentence));
	ck_assert_uint_eq(one.broker.ups, 0);
	(void)redis_ask(&redis, "%s", mend);
	WAIT_UNTIL(one.broker.is_up);
	px_bus_module.stats(one.link, &stats);
	ck_assert(stats.is_up && !stats.fault);
	node_end(&one);
}

START_TEST(a_password_that_is_missing)
{
	(void)redis_ask(&redis, "CONFIG SET requirepass secret");
	expect_fault("Redis asks for a password", "CONFIG SET requirepass ");
}
END_TEST

START_TEST(a_wrong_password)
{
	(void)redis_ask(&redis, "CONFIG SET requirepass other");
	setup.password = "secret";
	expect_fault("does not accept the user's password", "CONFIG SET requirepass secret");
}
END_TEST

START_TEST(a_user_that_may_not)
{
	(void)redis_ask(&redis, "ACL SETUSER praxis on >secret ~px:* &px:* +@all -evalsha");
	setup.user = "praxis";
	setup.password = "secret";
	expect_fault("ACL in Redis does not permit", "ACL SETUSER praxis +evalsha");
}
END_TEST

START_TEST(the_acl_of_the_documentation_is_enough)
{
	struct asked asked = { .answer = NULL };
	(void)redis_ask(&redis, "ACL SETUSER praxis on >secret resetkeys ~px:* resetchannels &px:* "
			"-@all +hello +auth +ping +select +info +script|load +evalsha +hget +hmget +hgetall "
			"+hset +hdel +del +xadd +xdel +xtrim +xlen +xrange +sadd +srem +smembers +rpush +lrange "
			"+time +spublish +ssubscribe");
	setup.user = "praxis";
	setup.password = "secret";
	node_begin_up(&one);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	ck_assert_int_eq(commit(&one, 1, 1, true), 0);
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(a_redis_that_evicts)
{
	(void)redis_ask(&redis, "CONFIG SET maxmemory-policy allkeys-lru");
	expect_fault("may evict keys", "CONFIG SET maxmemory-policy noeviction");
}
END_TEST

START_TEST(a_replica)
{
	(void)redis_ask(&redis, "REPLICAOF 127.0.0.1 1");
	expect_fault("is a replica", "REPLICAOF NO ONE");
}
END_TEST

START_TEST(a_redis_that_is_full)
{
	(void)redis_ask(&redis, "CONFIG SET maxmemory 1");
	expect_fault("out of memory", "CONFIG SET maxmemory 0");
}
END_TEST

static void on_client_closed(uv_handle_t *client)
{
	free(client);
}

static void on_client(uv_stream_t *server, int status)
{
	static char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	uv_tcp_t *client = calloc(1, sizeof(*client));
	uv_buf_t buf = uv_buf_init(answer, sizeof(answer) - 1);
	(void)status;
	uv_tcp_init(&loop, client);
	ck_assert_int_eq(uv_accept(server, (uv_stream_t *)client), 0);
	(void)uv_try_write((uv_stream_t *)client, &buf, 1);
	uv_close((uv_handle_t *)client, on_client_closed);
}

START_TEST(a_server_that_is_no_redis)
{
	uv_tcp_t server;
	struct sockaddr_storage address;
	int len = sizeof(address);
	ck_assert_int_eq(uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&address), 0);
	uv_tcp_init(&loop, &server);
	uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
	ck_assert_int_eq(uv_listen((uv_stream_t *)&server, 8, on_client), 0);
	uv_tcp_getsockname(&server, (struct sockaddr *)&address, &len);
	setup.port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	node_begin(&one);
	WAIT_UNTIL(*one.log);
	ck_assert_msg(strstr(one.log, "no Redis") || strstr(one.log, "connection was lost"), "%s", one.log);
	node_end(&one);
	uv_close((uv_handle_t *)&server, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}
END_TEST

START_TEST(nobody_there)
{
	setup.port = 1;
	node_begin(&one);
	WAIT_UNTIL(*one.log);
	ck_assert_ptr_nonnull(strstr(one.log, "cannot be reached: connection refused"));
	node_end(&one);
}
END_TEST

/* ---- what is kept is not ours ---- */

START_TEST(keys_of_another_program_stop_nobody_else)
{
	struct asked asked = { .answer = NULL };
	struct px_name name = { .data = NULL };
	node_begin_up(&one);
	px_name_meta(&name, "px", &world_place);
	(void)redis_ask(&redis, "SET %.*s x", (int)name.len, name.data);
	ck_assert_int_eq(node_claim(&one, &asked), -ENOTSUP);
	ck_assert_int_eq(commit(&one, 1, 1, false), -ESTALE);
	ck_assert_int_eq(fetch(&one), -ENODATA);
	ck_assert_uint_eq(one.link->stats.bad, 3);
	ck_assert(one.broker.is_up);
	(void)redis_ask(&redis, "DEL %.*s", (int)name.len, name.data);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	(void)redis_ask(&redis, "HSET %.*s g x r 9999999999999999999", (int)name.len, name.data);
	ck_assert_int_eq(node_claim(&one, &asked), -ENOTSUP);
	px_name_finish(&name);
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(a_practice_of_a_newer_version_is_not_claimed)
{
	struct asked asked = { .answer = NULL };
	struct px_name name = { .data = NULL };
	node_begin_up(&one);
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	px_name_meta(&name, "px", &world_place);
	(void)redis_ask(&redis, "HSET %.*s v %d", (int)name.len, name.data, PX_REDIS_VERSION + 1);
	ck_assert_int_eq(node_claim(&one, &asked), -ENOTSUP);
	px_name_finish(&name);
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(scripts_that_redis_forgot_are_loaded_again)
{
	struct asked asked = { .answer = NULL };
	node_begin_up(&one);
	(void)redis_ask(&redis, "SCRIPT FLUSH");
	ck_assert_int_eq(node_claim(&one, &asked), 0);
	ck_assert_uint_eq(one.broker.ups, 2);
	free(asked.answer);
	node_end(&one);
}
END_TEST

START_TEST(a_connection_that_gets_no_publications_is_given_up)
{
	node_begin_up(&one);
	px_resp_words(&one.link->out, "SUNSUBSCRIBE px:{c}:ctl");
	node_flush(&one);
	WAIT_UNTIL(!one.broker.is_up);
	ck_assert_ptr_nonnull(strstr(one.log, "what Redis publishes does not arrive"));
	WAIT_UNTIL(one.broker.is_up);
	node_end(&one);
}
END_TEST

RUN_REDIS_TESTS("redis/link", what_was_answered_outlives_a_kill_of_redis,
		a_redis_that_comes_back_empty_has_no_data, a_redis_that_stands_still_is_noticed,
		a_password_that_is_missing, a_wrong_password, a_user_that_may_not,
		the_acl_of_the_documentation_is_enough, a_redis_that_evicts, a_replica,
		a_redis_that_is_full, a_server_that_is_no_redis, nobody_there,
		keys_of_another_program_stop_nobody_else, a_practice_of_a_newer_version_is_not_claimed,
		scripts_that_redis_forgot_are_loaded_again,
		a_connection_that_gets_no_publications_is_given_up);
