/* SPDX-License-Identifier: MIT */
/*
 * What webhooks are told of, without memory, at every single allocation in turn: what cannot be
 * kept is counted, and nobody who was seen to come stays in a room for ever.
 */
#include "memory.h"
#include "webhook/queue.h"
#include "webhook/rooms.h"

#include "fake.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#define TRIES_MAX 1000

enum { CLIENTS = 6 };

static struct px_webhook_place place_of(const char *name)
{
	return (struct px_webhook_place){
		.tenant = px_span("clinic"),
		.practice = { px_span("7"), true },
		.service = px_span("telemedicine"),
		.name = px_span(name),
	};
}

static bool join(struct px_webhook_rooms *rooms, const char *name, int client)
{
	struct px_webhook_place place = place_of(name);
	char text[16];
	bool started;
	(void)snprintf(text, sizeof(text), "c%d", client);
	struct px_webhook_person person = { px_span(text), { px_span("7"), true }, PX_ROLE_STAFF };
	int rc = px_webhook_rooms_join(rooms, &place, &person, client, &started);
	ck_assert(rc == 0 || rc == -ENOMEM);
	return rc == 0;
}

/* Whether it was known there. */
static bool leave(struct px_webhook_rooms *rooms, const char *name, int client)
{
	struct px_webhook_place place = place_of(name);
	struct px_webhook_room *ended;
	char text[16];
	(void)snprintf(text, sizeof(text), "c%d", client);
	int64_t stay_ms = px_webhook_rooms_leave(rooms, &place, px_span(text), 1000, &ended);
	px_webhook_room_destroy(ended);
	return stay_ms >= 0;
}

/* Two rooms, of which one ends in between; true: memory failed. */
static bool come_and_go(unsigned number, bool for_good)
{
	struct px_webhook_rooms *rooms;
	bool is_in[CLIENTS];
	ck_assert_int_eq(px_webhook_rooms_create(&rooms), 0);
	px_webhook_rooms_set_bound(rooms, 1 << 20);
	memory_fail(number, for_good);
	memory_watch(true);
	for (int i = 0; i < CLIENTS; i++) {
		is_in[i] = join(rooms, "x", i);
	}
	bool other = join(rooms, "y", 0);
	ck_assert_int_eq(leave(rooms, "y", 0), other);
	/* Nothing is left for those who go. */
	memory_fail(1, true);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_msg(leave(rooms, "x", i) == is_in[i], "failing at %u, client %d", number, i);
	}
	ck_assert_ptr_null(px_webhook_rooms_take(rooms));
	memory_watch(false);
	px_webhook_rooms_destroy(rooms);
	for (int i = 0; i < CLIENTS; i++) {
		if (!is_in[i]) {
			return true;
		}
	}
	return !other;
}

START_TEST(whoever_is_known_to_be_in_leaves)
{
	for (int for_good = 0; for_good < 2; for_good++) {
		unsigned number = 1;
		while (number < TRIES_MAX && come_and_go(number, for_good)) {
			number++;
		}
		ck_assert_uint_gt(number, CLIENTS);
		ck_assert_uint_lt(number, TRIES_MAX);
	}
}
END_TEST

START_TEST(what_cannot_be_kept_is_counted)
{
	static const struct px_webhook_bounds bounds = { 4, 1 << 14, 2, 2, 5000 };
	for (unsigned number = 1; number < 60; number++) {
		struct px_webhook_queue *queue;
		struct px_webhook_counts counts;
		ck_assert_int_eq(px_webhook_queue_create(&queue), 0);
		px_webhook_queue_set_bounds(queue, &bounds);
		memory_fail(number, number % 2 == 0);
		memory_watch(true);
		for (int64_t i = 0; i < 20; i++) {
			int rc = px_webhook_queue_push(queue, px_span(i % 3 ? "a" : "b"), px_span("{}"), i);
			ck_assert(rc == 0 || rc == -ENOMEM);
			struct px_webhook_batch *batch = i % 4 ? NULL : px_webhook_queue_take(queue, i);
			if (batch && i % 8) {
				px_webhook_queue_failed(queue, batch, i, 0, 0);
			} else if (batch) {
				px_webhook_queue_delivered(queue, batch);
			}
			px_webhook_queue_counts(queue, &counts);
			ck_assert_uint_eq(counts.events + counts.delivered + counts.overflowed,
					(uint64_t)i + 1);
		}
		memory_watch(false);
		px_webhook_queue_destroy(queue);
	}
}
END_TEST

/* However many partitions were there before: no more than those that are need room. */
START_TEST(partitions_that_are_gone_take_no_room)
{
	static const struct px_webhook_bounds bounds = { 4, 1 << 14, 2, 2, 5000 };
	struct px_webhook_queue *queue;
	unsigned first = 0;
	ck_assert_int_eq(px_webhook_queue_create(&queue), 0);
	px_webhook_queue_set_bounds(queue, &bounds);
	for (int i = 0; i < 100; i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "%d", i);
		memory_fail(0, false);
		memory_watch(true);
		ck_assert_int_eq(px_webhook_queue_push(queue, px_span(key), px_span("{}"), i), 0);
		px_webhook_queue_delivered(queue, px_webhook_queue_take(queue, i));
		memory_watch(false);
		if (i == 0) {
			first = memory_asked();
		} else {
			ck_assert_uint_lt(memory_asked(), first);
		}
	}
	px_webhook_queue_destroy(queue);
}
END_TEST

RUN_TESTS("webhook_memory", whoever_is_known_to_be_in_leaves, what_cannot_be_kept_is_counted,
		partitions_that_are_gone_take_no_room);
