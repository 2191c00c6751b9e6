/* SPDX-License-Identifier: MIT */
/*
 * Outbound queues: order across the borders of blocks, bytes, references, and the pool.
 */
#include "core/queue.h"

#include "fake.h"
#include "core/message.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct px_message *make(struct fake *fake, unsigned number)
{
	char text[300];
	/* Lengths differ, so that wrong sums show. */
	int len = snprintf(text, sizeof(text), "%0*u", (int)(number * 7 % 200 + 1), number);
	return px_message_create(fake->broker, (struct px_span){ text, (size_t)len });
}

static void push(struct fake *fake, struct px_queue *queue, struct px_queue_pool *pool,
		unsigned number)
{
	struct px_message *message = make(fake, number);
	ck_assert_int_eq(px_queue_push(queue, pool, message), 0);
	px_message_unref(fake->broker, message);
}

/* Pops; the message must be that of the number. Returns its bytes. */
static uint32_t pop(struct fake *fake, struct px_queue *queue, struct px_queue_pool *pool,
		unsigned number)
{
	struct px_message *wanted = make(fake, number);
	struct px_message *first = px_queue_peek(queue);
	struct px_message *message = px_queue_pop(queue, pool);
	uint32_t len = message->len;
	ck_assert(first == message &&
			px_span_equal(px_message_text(message), px_message_text(wanted)));
	px_message_unref(fake->broker, message);
	px_message_unref(fake->broker, wanted);
	return len;
}

START_TEST(first_in_first_out)
{
	struct fake *fake = fake_create(NULL);
	struct px_queue_pool pool = { 0 };
	struct px_queue queue = { 0 };
	ck_assert(px_queue_empty(&queue));
	ck_assert_ptr_null(px_queue_peek(&queue));
	for (unsigned round = 0; round < 3 * PX_QUEUE_BLOCK; round++) {
		for (unsigned i = 0; i < round; i++) {
			push(fake, &queue, &pool, i);
		}
		ck_assert_uint_eq(fake_stats(fake).messages_live, round);
		for (unsigned i = 0; i < round; i++) {
			ck_assert(!px_queue_empty(&queue));
			pop(fake, &queue, &pool, i);
		}
		ck_assert(px_queue_empty(&queue));
		ck_assert_ptr_null(px_queue_peek(&queue));
		ck_assert_uint_eq(queue.bytes, 0);
	}
	px_queue_pool_finish(&pool);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_random_walk_keeps_order_and_bytes)
{
	struct fake *fake = fake_create(NULL);
	struct px_queue_pool pool = { 0 };
	struct px_queue queue = { 0 };
	uint64_t dice = 1;
	unsigned in = 0;
	unsigned out = 0;
	uint32_t bytes = 0;
	for (int step = 0; step < 20000; step++) {
		/* Grows and shrinks in long waves. */
		bool grow = fake_random(&dice) % 100 < (step / 500 % 2 ? 60 : 40);
		if (grow) {
			uint32_t before = queue.bytes;
			push(fake, &queue, &pool, in++);
			bytes += queue.bytes - before;
		} else if (in > out) {
			bytes -= pop(fake, &queue, &pool, out++);
		}
		ck_assert(queue.bytes == bytes && fake_stats(fake).messages_live == in - out);
	}
	ck_assert_uint_eq(px_queue_clear(&queue, &pool, fake->broker), in - out);
	ck_assert(px_queue_empty(&queue));
	ck_assert_uint_eq(queue.bytes, 0);
	ck_assert_uint_eq(px_queue_clear(&queue, &pool, fake->broker), 0);
	px_queue_pool_finish(&pool);
	fake_destroy(fake);
}
END_TEST

START_TEST(many_queues_share_a_message_and_a_pool)
{
	enum { QUEUES = 2000 };
	static struct px_queue queues[QUEUES];
	struct fake *fake = fake_create(NULL);
	struct px_queue_pool pool = { 0 };
	struct px_message *message = make(fake, 7);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < QUEUES; i++) {
			int rc = 0;
			for (int k = 0; k < 3 * PX_QUEUE_BLOCK; k++) {
				rc |= px_queue_push(&queues[i], &pool, message);
			}
			ck_assert_int_eq(rc, 0);
		}
		ck_assert_uint_eq(message->refs, 1 + QUEUES * 3 * PX_QUEUE_BLOCK);
		ck_assert_uint_eq(fake_stats(fake).messages_live, 1);
		for (int i = 0; i < QUEUES; i++) {
			px_queue_clear(&queues[i], &pool, fake->broker);
		}
		ck_assert_uint_eq(message->refs, 1);
	}
	/* What a burst needed does not stay for ever: 6000 blocks were in use. */
	ck_assert_uint_lt(pool.count, 6000);
	px_message_unref(fake->broker, message);
	px_queue_pool_finish(&pool);
	ck_assert_uint_eq(pool.count, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_queue_outlives_the_callers_reference)
{
	struct fake *fake = fake_create(NULL);
	struct px_queue_pool pool = { 0 };
	struct px_queue queue = { 0 };
	push(fake, &queue, &pool, 3);
	struct px_message *message = px_queue_pop(&queue, &pool);
	ck_assert_uint_eq(message->refs, 1);
	px_message_unref(fake->broker, message);
	px_queue_pool_finish(&pool);
	fake_destroy(fake);
}
END_TEST

static bool is_odd(void *user, const struct px_message *message)
{
	unsigned *asked = user;
	++*asked;
	return message->frame[message->len - 1] % 2 == 1;
}

static bool is_none(void *user, const struct px_message *message)
{
	(void)user;
	(void)message;
	return false;
}

static void add_up(void *user, const struct px_message *message)
{
	uint32_t *bytes = user;
	*bytes += message->len;
}

START_TEST(what_is_filtered_leaves_order_and_sums)
{
	struct fake *fake = fake_create(NULL);
	struct px_queue_pool pool = { 0 };
	for (unsigned count = 0; count < 4 * PX_QUEUE_BLOCK; count++) {
		struct px_queue queue = { 0 };
		unsigned asked = 0;
		uint32_t bytes = 0;
		for (unsigned i = 0; i < count; i++) {
			push(fake, &queue, &pool, i);
		}
		for (unsigned i = 0; i < count / 3; i++) {
			pop(fake, &queue, &pool, i); /* so that the first block is not whole */
		}
		uint32_t before = queue.count;
		size_t dropped = px_queue_filter(&queue, &pool, fake->broker, is_odd, &asked);
		ck_assert_uint_eq(asked, before);
		ck_assert_uint_eq(queue.count + dropped, before);
		px_queue_visit(&queue, add_up, &bytes);
		ck_assert_uint_eq(bytes, queue.bytes);
		push(fake, &queue, &pool, count | 1);
		for (unsigned i = (count / 3) | 1; i < count; i += 2) {
			pop(fake, &queue, &pool, i);
		}
		pop(fake, &queue, &pool, count | 1);
		ck_assert(px_queue_empty(&queue) && queue.bytes == 0);
		for (unsigned i = 0; i < count; i++) {
			push(fake, &queue, &pool, i);
		}
		ck_assert_uint_eq(px_queue_filter(&queue, &pool, fake->broker, is_none, NULL), count);
		ck_assert(px_queue_empty(&queue) && !queue.head && !queue.tail && queue.bytes == 0);
	}
	px_queue_pool_finish(&pool);
	fake_destroy(fake);
}
END_TEST

START_TEST(age_is_never_more_than_it_is)
{
	struct fake *fake = fake_create(NULL);
	struct px_queue_pool pool = { .now_ms = UINT32_MAX - 5 };
	struct px_queue queue = { 0 };
	ck_assert_uint_eq(px_queue_age_ms(&queue, &pool), 0);
	push(fake, &queue, &pool, 0);
	pool.now_ms += 10; /* the clock's low bits begin anew */
	ck_assert_uint_eq(px_queue_age_ms(&queue, &pool), 10);
	push(fake, &queue, &pool, 1);
	ck_assert_uint_eq(px_queue_age_ms(&queue, &pool), 10);
	pop(fake, &queue, &pool, 0);
	ck_assert_uint_eq(px_queue_age_ms(&queue, &pool), 0);
	pool.now_ms += 7;
	ck_assert_uint_eq(px_queue_age_ms(&queue, &pool), 7);
	px_queue_touch(&queue, &pool);
	ck_assert_uint_eq(px_queue_age_ms(&queue, &pool), 0);
	px_queue_clear(&queue, &pool, fake->broker);
	px_queue_pool_finish(&pool);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("queue", what_is_filtered_leaves_order_and_sums, age_is_never_more_than_it_is,
		first_in_first_out, a_random_walk_keeps_order_and_bytes,
		many_queues_share_a_message_and_a_pool, a_queue_outlives_the_callers_reference);
