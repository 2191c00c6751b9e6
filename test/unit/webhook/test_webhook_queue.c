/* SPDX-License-Identifier: MIT */
/*
 * The order of events, what is tried again and when, and what is given up; on a clock of the
 * test's.
 */
#include "webhook/queue.h"

#include "cost.h"
#include "fake.h"

#include <check.h>
#include <errno.h>
#include <praxis/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP_MS 900000

static struct px_webhook_queue *queue;
static struct px_webhook_bounds bounds;

static void begin(void)
{
	bounds = (struct px_webhook_bounds){
		.events = 100,
		.bytes = 1 << 20,
		.batch = 3,
		.in_flight = 2,
		.give_up_ms = GIVE_UP_MS,
	};
	ck_assert_int_eq(px_webhook_queue_create(&queue), 0);
	px_webhook_queue_set_bounds(queue, &bounds);
}

static struct px_webhook_counts counts(void)
{
	struct px_webhook_counts now;
	px_webhook_queue_counts(queue, &now);
	return now;
}

static void end(void)
{
	px_webhook_queue_destroy(queue);
}

static int push(const char *partition, const char *text, int64_t now_ms)
{
	return px_webhook_queue_push(queue, px_span(partition), px_span(text), now_ms);
}

/* What a batch has in it; "-": there is none. */
static const char *text_of(const struct px_webhook_batch *batch)
{
	static char text[4096];
	struct px_json json;
	if (!batch) {
		return "-";
	}
	px_json_begin(&json, NULL);
	px_json_open_array(&json, "e");
	px_webhook_batch_write(batch, &json);
	px_json_close_array(&json);
	(void)snprintf(text, sizeof(text), "%.*s", (int)json.len - 7, json.data + 6);
	px_json_finish(&json);
	return text;
}

static struct px_webhook_batch *take(int64_t now_ms, const char *wanted)
{
	struct px_webhook_batch *batch = px_webhook_queue_take(queue, now_ms);
	ck_assert_str_eq(text_of(batch), wanted);
	return batch;
}

static void deliver(int64_t now_ms, const char *wanted)
{
	px_webhook_queue_delivered(queue, take(now_ms, wanted));
}

static void refuse(int64_t now_ms, const char *wanted)
{
	px_webhook_queue_failed(queue, take(now_ms, wanted), now_ms, 0, 0);
}

START_TEST(events_go_in_order_in_batches)
{
	begin();
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), INT64_MAX);
	take(0, "-");
	for (int i = 1; i <= 7; i++) {
		char text[8];
		(void)snprintf(text, sizeof(text), "%d", i);
		ck_assert_int_eq(push("a", text, i), 0);
	}
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), 0);
	ck_assert_uint_eq(counts().events, 7);
	ck_assert_int_eq(counts().oldest_ms, 1);
	struct px_webhook_batch *batch = take(10, "1,2,3");
	ck_assert_uint_eq(counts().in_flight, 1);
	ck_assert_int_eq(counts().oldest_ms, 4);
	take(10, "-"); /* nothing of a partition passes what is under way */
	px_webhook_queue_delivered(queue, batch);
	deliver(10, "4,5,6");
	deliver(10, "7");
	take(10, "-");
	ck_assert_uint_eq(counts().delivered, 7);
	ck_assert_uint_eq(counts().events, 0);
	ck_assert_uint_eq(counts().bytes, 0);
	ck_assert_uint_eq(counts().in_flight, 0);
	ck_assert_int_eq(counts().oldest_ms, INT64_MAX);
	end();
}
END_TEST

START_TEST(partitions_do_not_wait_for_each_other)
{
	begin();
	push("a", "1", 0);
	push("b", "2", 0);
	push("c", "3", 0);
	push("", "4", 0);
	struct px_webhook_batch *first = take(0, "1");
	struct px_webhook_batch *second = take(0, "2");
	take(0, "-"); /* two at a time */
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), INT64_MAX);
	push("a", "5", 0);
	px_webhook_queue_failed(queue, first, 0, 0, 0);
	deliver(0, "3");
	deliver(0, "4");
	take(0, "-");
	px_webhook_queue_delivered(queue, second);
	push("b", "6", 0);
	deliver(0, "6");
	deliver(PX_WEBHOOK_RETRY_MS, "1,5"); /* in order, all the same */
	end();
}
END_TEST

START_TEST(turns_are_taken)
{
	begin();
	bounds.batch = 1;
	px_webhook_queue_set_bounds(queue, &bounds);
	for (int i = 0; i < 3; i++) {
		push("a", "1", 0);
		push("b", "2", 0);
	}
	for (int i = 0; i < 3; i++) {
		deliver(0, "1");
		deliver(0, "2");
	}
	end();
}
END_TEST

START_TEST(what_failed_waits_longer_each_time)
{
	int64_t now_ms = 1000;
	int64_t wait_ms = PX_WEBHOOK_RETRY_MS;
	begin();
	push("a", "1", now_ms);
	for (int i = 0; i < 10; i++) {
		refuse(now_ms, "1");
		ck_assert_int_eq(px_webhook_queue_due_ms(queue), now_ms + wait_ms);
		take(now_ms + wait_ms - 1, "-");
		now_ms += wait_ms;
		wait_ms = wait_ms * 2 < PX_WEBHOOK_RETRY_MAX_MS ? wait_ms * 2 :
				PX_WEBHOOK_RETRY_MAX_MS;
	}
	deliver(now_ms, "1");
	push("a", "2", now_ms);
	refuse(now_ms, "2"); /* from the beginning again */
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), now_ms + PX_WEBHOOK_RETRY_MS);
	end();
}
END_TEST

START_TEST(not_all_come_again_at_once)
{
	begin();
	push("a", "1", 0);
	push("b", "2", 0);
	struct px_webhook_batch *first = take(0, "1");
	px_webhook_queue_failed(queue, take(0, "2"), 0, 0, 0);
	px_webhook_queue_failed(queue, first, 0, 0, UINT32_MAX);
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), PX_WEBHOOK_RETRY_MS / 2);
	deliver(PX_WEBHOOK_RETRY_MS / 2, "1");
	take(PX_WEBHOOK_RETRY_MS / 2, "-");
	deliver(PX_WEBHOOK_RETRY_MS, "2");
	end();
}
END_TEST

START_TEST(who_says_when_is_heard)
{
	begin();
	push("a", "1", 0);
	push("b", "2", 0);
	px_webhook_queue_failed(queue, take(0, "1"), 0, 30000, 0);
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), 30000);
	take(29999, "-"); /* it is the back end that is not to be asked, not for one practice */
	deliver(30000, "2");
	deliver(30000, "1");
	push("a", "3", 0);
	px_webhook_queue_failed(queue, take(30000, "3"), 30000, INT64_C(1) << 40, 0);
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), 30000 + GIVE_UP_MS);
	end();
}
END_TEST

START_TEST(what_failed_too_long_is_given_up)
{
	int64_t now_ms = 0;
	int tries = 0;
	begin();
	push("a", "1", 0);
	push("a", "2", 60000);
	refuse(0, "1,2");
	while (counts().given_up == 0) {
		now_ms = px_webhook_queue_due_ms(queue);
		ck_assert_int_le(now_ms, GIVE_UP_MS);
		refuse(now_ms, "1,2");
		tries++;
	}
	ck_assert_int_eq(now_ms, GIVE_UP_MS);
	ck_assert_int_ge(tries, 15);
	ck_assert_uint_eq(counts().given_up, 1);
	push("a", "3", now_ms);
	deliver(px_webhook_queue_due_ms(queue), "2,3");

	/* All of a partition that is too old; others keep theirs. */
	push("a", "4", now_ms);
	push("a", "5", now_ms);
	push("b", "6", now_ms);
	refuse(now_ms + GIVE_UP_MS, "4,5");
	ck_assert_uint_eq(counts().given_up, 3);
	deliver(now_ms + GIVE_UP_MS, "6");
	ck_assert_uint_eq(counts().events, 0);
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), INT64_MAX);
	end();
}
END_TEST

START_TEST(the_oldest_make_room)
{
	char text[8];
	begin();
	bounds.events = 10;
	px_webhook_queue_set_bounds(queue, &bounds);
	push("b", "0", 0);
	for (int i = 1; i <= 8; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		ck_assert_int_eq(push("a", text, 0), 0);
	}
	/* A partition may have half of it. */
	ck_assert_uint_eq(counts().overflowed, 3);
	ck_assert_uint_eq(counts().events, 6);
	for (int i = 0; i < 4; i++) {
		push("c", "c", 0);
	}
	ck_assert_uint_eq(counts().overflowed, 3);
	push("d", "d", 0);
	ck_assert_uint_eq(counts().overflowed, 4);
	push("d", "e", 0);
	ck_assert_uint_eq(counts().overflowed, 5);
	ck_assert_uint_eq(counts().events, 10);
	deliver(0, "5,6,7"); /* b's only one is gone, and a's oldest */
	deliver(0, "c,c,c");
	deliver(0, "d,e");
	deliver(0, "8");
	deliver(0, "c");
	take(0, "-");
	end();
}
END_TEST

START_TEST(bytes_count_too)
{
	static char text[20000];
	begin();
	memset(text, '1', sizeof(text) - 1);
	bounds.bytes = 100000;
	px_webhook_queue_set_bounds(queue, &bounds);
	push("a", text, 0);
	push("b", text, 0);
	push("c", text, 0);
	push("d", text, 0);
	ck_assert_uint_eq(counts().overflowed, 0);
	push("e", text, 0);
	ck_assert_uint_eq(counts().overflowed, 1);
	ck_assert_uint_le(counts().bytes, 100000);
	push("f", text, 0);
	push("f", text, 0);
	push("f", text, 0);
	ck_assert_uint_le(counts().bytes, 100000);
	ck_assert_uint_eq(counts().events, 4);
	ck_assert_uint_eq(counts().overflowed, 4);
	end();
}
END_TEST

START_TEST(what_is_under_way_is_not_dropped)
{
	begin();
	bounds.events = 6;
	px_webhook_queue_set_bounds(queue, &bounds);
	push("a", "1", 0);
	push("a", "2", 0);
	push("a", "3", 0);
	struct px_webhook_batch *first = take(0, "1,2,3");
	ck_assert_int_eq(push("a", "4", 0), 0); /* over its half, with nothing to drop */
	ck_assert_int_eq(push("a", "5", 0), 0);
	push("b", "6", 0);
	push("b", "7", 0);
	push("b", "8", 0);
	ck_assert_uint_eq(counts().overflowed, 2);
	struct px_webhook_batch *second = take(0, "6,7,8");
	ck_assert_int_eq(push("c", "9", 0), -ENOSPC);
	ck_assert_uint_eq(counts().overflowed, 3);
	ck_assert_uint_eq(counts().events, 6);
	px_webhook_queue_failed(queue, second, 0, 0, 0);
	push("c", "9", 0);
	px_webhook_queue_delivered(queue, first);
	deliver(0, "9");
	deliver(PX_WEBHOOK_RETRY_MS, "7,8");
	end();
}
END_TEST

START_TEST(what_finds_no_room_costs_nobody_else_any)
{
	static char text[4096];
	memset(text, '1', sizeof(text) - 1);
	begin();
	bounds.bytes = 8192;
	px_webhook_queue_set_bounds(queue, &bounds);
	ck_assert_int_eq(push("a", text, 0), 0);
	struct px_webhook_batch *first = px_webhook_queue_take(queue, 0);
	ck_assert_int_eq(push("b", "2", 0), 0);
	ck_assert_int_eq(push("c", text, 0), -ENOSPC);
	ck_assert_uint_eq(counts().overflowed, 1);
	ck_assert_uint_eq(counts().events, 2);
	px_webhook_queue_failed(queue, first, 0, 0, 0);
	ck_assert_int_eq(push("c", text, 0), 0); /* and now the oldest makes room */
	ck_assert_uint_eq(counts().overflowed, 2);
	deliver(0, "2");
	px_webhook_queue_delivered(queue, px_webhook_queue_take(queue, 0));
	ck_assert_uint_eq(counts().events, 0);
	end();
}
END_TEST

START_TEST(a_long_one_goes_alone)
{
	static char text[PX_WEBHOOK_BATCH_BYTES + 1];
	begin();
	memset(text, '1', sizeof(text) - 1);
	push("a", "0", 0);
	push("a", text, 0);
	push("a", "2", 0);
	deliver(0, "0");
	struct px_webhook_batch *batch = px_webhook_queue_take(queue, 0);
	ck_assert_ptr_nonnull(batch);
	px_webhook_queue_delivered(queue, batch);
	deliver(0, "2");
	end();
}
END_TEST

static char seen[256];

static int see(void *user, struct px_span partition, struct px_span text, int64_t came_ms)
{
	size_t at = strlen(seen);
	(void)snprintf(seen + at, sizeof(seen) - at, "%.*s%.*s@%d ", (int)partition.len,
			partition.data, (int)text.len, text.data, (int)came_ms);
	return user ? *(int *)user : 0;
}

START_TEST(what_is_left_can_be_seen_in_order)
{
	int full = -EFBIG;
	begin();
	push("a", "1", 1);
	push("b", "2", 2);
	push("a", "3", 3);
	push("", "4", 4);
	struct px_webhook_batch *first = take(5, "1,3");
	struct px_webhook_batch *second = take(5, "2");
	seen[0] = '\0';
	ck_assert_int_eq(px_webhook_queue_each(queue, see, NULL), 0);
	ck_assert_str_eq(seen, "4@4 ");
	px_webhook_queue_put_back(queue, second);
	px_webhook_queue_put_back(queue, first);
	seen[0] = '\0';
	ck_assert_int_eq(px_webhook_queue_each(queue, see, NULL), 0);
	ck_assert_str_eq(seen, "a1@1 b2@2 a3@3 4@4 ");
	ck_assert_int_eq(px_webhook_queue_each(queue, see, &full), -EFBIG);
	ck_assert_uint_eq(counts().in_flight, 0);
	deliver(5, "4");
	deliver(5, "2");
	deliver(5, "1,3");
	end();
}
END_TEST

START_TEST(flushed_now_nothing_waits)
{
	begin();
	push("a", "1", 0);
	push("b", "2", 0);
	px_webhook_queue_failed(queue, take(0, "1"), 0, 100000, 0);
	px_webhook_queue_flush_now(queue);
	deliver(0, "2");
	deliver(0, "1");
	push("a", "3", 0);
	push("a", "4", 0);
	push("b", "5", 0);
	refuse(0, "3,4");
	px_webhook_queue_give_up(queue);
	ck_assert_uint_eq(counts().given_up, 3);
	ck_assert_uint_eq(counts().events, 0);
	ck_assert_int_eq(px_webhook_queue_due_ms(queue), INT64_MAX);
	end();
}
END_TEST

/* Whatever happens: each event once, in its partition's order, and counted. */
START_TEST(any_order_of_things)
{
	enum { PARTITIONS = 5, STEPS = 200000 };
	unsigned seed = 4711;
	uint64_t pushed[PARTITIONS] = { 0 };
	uint64_t latest[PARTITIONS] = { 0 };
	struct px_webhook_batch *flying[4] = { NULL };
	uint64_t total = 0;
	int64_t now_ms = 0;
	begin();
	bounds = (struct px_webhook_bounds){ 40, 1 << 14, 4, 4, 5000 };
	px_webhook_queue_set_bounds(queue, &bounds);
	for (int i = 0; i < STEPS; i++) {
		unsigned dice = (unsigned)rand_r(&seed);
		unsigned partition = dice / 16 % PARTITIONS;
		char key[2] = { (char)('a' + partition), '\0' };
		char text[64];
		struct px_webhook_batch **slot = &flying[dice / 128 % 4];
		now_ms += dice / 1024 % 50;
		if (dice % 16 < 7) {
			(void)snprintf(text, sizeof(text), "%u%08u", partition + 1, (unsigned)++pushed[partition]);
			(void)push(key, text, now_ms);
			total++;
		} else if (!*slot) {
			*slot = px_webhook_queue_take(queue, now_ms);
		} else if (dice % 16 < 10) {
			px_webhook_queue_failed(queue, *slot, now_ms, 0, dice);
			*slot = NULL;
		} else if (dice % 16 == 10) {
			px_webhook_queue_put_back(queue, *slot);
			*slot = NULL;
		} else {
			const char *at = text_of(*slot);
			for (; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
				unsigned of = (unsigned)(*at - '1');
				uint64_t number = strtoul(at + 1, NULL, 10);
				ck_assert_uint_gt(number, latest[of]);
				latest[of] = number;
			}
			px_webhook_queue_delivered(queue, *slot);
			*slot = NULL;
		}
		struct px_webhook_counts now = counts();
		ck_assert_uint_eq(now.events + now.delivered + now.given_up + now.overflowed, total);
		ck_assert_uint_le(now.events, bounds.events);
		ck_assert_uint_le(now.bytes, bounds.bytes);
	}
	ck_assert_uint_gt(counts().delivered, 1000);
	ck_assert_uint_gt(counts().given_up, 100);
	ck_assert_uint_gt(counts().overflowed, 100);
	end(); /* with some in flight */
}
END_TEST

/* ---- a receiver that is down, and many practices that have something to tell it ---- */

static int64_t down_since_ms;
static uint32_t dice;
static unsigned wrong; /* an assertion for each would cost more than what is looked at */

static void fail_next(void)
{
	int64_t due_ms = px_webhook_queue_due_ms(queue);
	down_since_ms = due_ms > down_since_ms ? due_ms : down_since_ms;
	struct px_webhook_batch *batch = px_webhook_queue_take(queue, down_since_ms);
	dice = dice * 1664525 + 1013904223;
	if (batch) {
		px_webhook_queue_failed(queue, batch, down_since_ms, 0, dice);
	}
	wrong += !batch || counts().oldest_ms != 0;
}

static void begin_many(unsigned partitions)
{
	begin();
	bounds.events = 1000000;
	bounds.bytes = UINT64_C(1) << 30;
	bounds.give_up_ms = INT64_C(1) << 60;
	px_webhook_queue_set_bounds(queue, &bounds);
	down_since_ms = 0;
	dice = 1;
	for (unsigned i = 0; i < partitions; i++) {
		char partition[16];
		(void)snprintf(partition, sizeof(partition), "%u", i);
		wrong += push(partition, "{}", 0) != 0;
	}
	/* Until each waits, at times of its own. */
	for (unsigned i = 0; i < partitions; i++) {
		fail_next();
	}
}

static void fail_a_thousand(void)
{
	for (int i = 0; i < 1000; i++) {
		fail_next();
	}
}

START_TEST(a_failure_costs_as_much_however_many_wait)
{
	cost_assert_flat(begin_many, fail_a_thousand, end);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* A queue that is full drops the oldest of all for each that comes. */
static void begin_full(unsigned partitions)
{
	begin_many(partitions);
	bounds.events = partitions;
	px_webhook_queue_set_bounds(queue, &bounds);
}

static void push_a_thousand(void)
{
	for (int i = 0; i < 1000; i++) {
		char partition[16];
		dice = dice * 1664525 + 1013904223;
		(void)snprintf(partition, sizeof(partition), "%u", dice >> 16);
		uint64_t before = counts().overflowed;
		wrong += push(partition, "{}", down_since_ms) != 0 ||
				counts().overflowed != before + 1;
	}
}

START_TEST(making_room_costs_as_much_however_many_wait)
{
	cost_assert_flat(begin_full, push_a_thousand, end);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

RUN_TESTS("webhook_queue", events_go_in_order_in_batches, partitions_do_not_wait_for_each_other,
		turns_are_taken, what_failed_waits_longer_each_time, not_all_come_again_at_once,
		who_says_when_is_heard, what_failed_too_long_is_given_up, the_oldest_make_room,
		bytes_count_too, what_is_under_way_is_not_dropped,
		what_finds_no_room_costs_nobody_else_any, a_long_one_goes_alone,
		what_is_left_can_be_seen_in_order, flushed_now_nothing_waits, any_order_of_things,
		a_failure_costs_as_much_however_many_wait,
		making_room_costs_as_much_however_many_wait);
