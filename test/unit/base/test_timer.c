/* SPDX-License-Identifier: MIT */
/*
 * Timers: the order in which they fire, arming and stopping from within, clocks that jump;
 * and a random walk beside a naive model, a plain array.
 */
#include "base/timer.h"

#include "fake.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

enum { COUNT = 200 };

struct probe {
	struct px_timer timer;
	unsigned fired;
	int64_t fired_ms;
	struct probe *victim; /* stopped when this one fires */
	int64_t again_ms;     /* armed anew for now plus this */
};

static struct px_timers timers;
static struct probe probes[COUNT];
static struct probe *last;

static void on_fire(struct px_timer *timer)
{
	struct probe *probe = (struct probe *)((char *)timer - offsetof(struct probe, timer));
	ck_assert_uint_eq(timer->place, 0);
	ck_assert_int_le(timer->at_ms, timers.now_ms);
	ck_assert(!last || last->timer.place != 0 || last->timer.at_ms <= timer->at_ms);
	last = probe;
	probe->fired++;
	probe->fired_ms = timers.now_ms;
	if (probe->victim) {
		px_timer_stop(&timers, &probe->victim->timer);
	}
	if (probe->again_ms != 0) {
		ck_assert_int_eq(px_timer_arm(&timers, timer, timers.now_ms + probe->again_ms), 0);
	}
}

static void set_up(void)
{
	timers = (struct px_timers){ 0 };
	last = NULL;
	for (size_t i = 0; i < COUNT; i++) {
		probes[i] = (struct probe){ .timer.fire = on_fire };
	}
}

static void arm(size_t i, int64_t at_ms)
{
	ck_assert_int_eq(px_timer_arm(&timers, &probes[i].timer, at_ms), 0);
}

static void advance(int64_t now_ms)
{
	px_timers_set_time(&timers, now_ms);
	ck_assert(!px_timers_fire(&timers, UINT32_MAX));
}

static bool heap_is_whole(void)
{
	bool whole = true;
	for (uint32_t i = 1; i <= timers.count; i++) {
		uint32_t parent = i > 1 ? i / 2 : 1;
		whole = whole && timers.heap[i - 1]->place == i &&
				timers.heap[parent - 1]->at_ms <= timers.heap[i - 1]->at_ms;
	}
	return whole;
}

START_TEST(fires_in_order_and_once)
{
	set_up();
	ck_assert_int_eq(px_timers_next(&timers), INT64_MAX);
	for (size_t i = 0; i < COUNT; i++) {
		arm(i, (int64_t)(i * 37 % COUNT) + 1);
	}
	ck_assert_int_eq(px_timers_next(&timers), 1);
	advance(100);
	unsigned fired = 0;
	for (size_t i = 0; i < COUNT; i++) {
		fired += probes[i].fired;
	}
	ck_assert_uint_eq(fired, 100);
	ck_assert_int_eq(px_timers_next(&timers), 101);
	advance(100);
	advance(1000);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(probes[i].fired, 1);
	}
	ck_assert_int_eq(px_timers_next(&timers), INT64_MAX);
	px_timers_finish(&timers);
}
END_TEST

START_TEST(fires_no_more_than_it_may)
{
	set_up();
	for (size_t i = 0; i < COUNT; i++) {
		arm(i, 10);
	}
	arm(0, 11);
	px_timers_set_time(&timers, 10);
	ck_assert(px_timers_fire(&timers, COUNT / 2));
	ck_assert_uint_eq(timers.count, COUNT / 2);
	ck_assert_int_eq(px_timers_next(&timers), 10);
	/* All that are due, and it knows that there is none left. */
	ck_assert(!px_timers_fire(&timers, COUNT / 2 - 1));
	ck_assert_int_eq(px_timers_next(&timers), 11);
	ck_assert(!px_timers_fire(&timers, 1));
	px_timers_finish(&timers);
}
END_TEST

START_TEST(is_moved_when_armed_again)
{
	set_up();
	arm(0, 10);
	arm(1, 20);
	arm(0, 30);
	ck_assert_uint_eq(timers.count, 2);
	advance(25);
	ck_assert_uint_eq(probes[0].fired, 0);
	ck_assert_uint_eq(probes[1].fired, 1);
	arm(0, 26);
	advance(26);
	ck_assert_uint_eq(probes[0].fired, 1);
	px_timers_finish(&timers);
}
END_TEST

START_TEST(does_not_fire_when_stopped)
{
	set_up();
	arm(0, 10);
	px_timer_stop(&timers, &probes[0].timer);
	px_timer_stop(&timers, &probes[0].timer);
	px_timer_stop(&timers, &probes[1].timer);
	advance(100);
	ck_assert_uint_eq(probes[0].fired, 0);
	px_timers_finish(&timers);
}
END_TEST

START_TEST(may_arm_itself_while_it_fires)
{
	set_up();
	probes[0].again_ms = 10;
	arm(0, 10);
	/* The past is as good as now: later than this call, or it would never end. */
	probes[1].again_ms = -50;
	arm(1, 10);
	advance(10);
	ck_assert_uint_eq(probes[0].fired, 1);
	ck_assert_uint_eq(probes[1].fired, 1);
	ck_assert_int_eq(px_timers_next(&timers), 11);
	/* Once for a clock that jumped over many periods, not once for each. */
	advance(1000);
	ck_assert_uint_eq(probes[0].fired, 2);
	ck_assert_uint_eq(probes[1].fired, 2);
	px_timers_finish(&timers);
}
END_TEST

START_TEST(may_stop_another_while_it_fires)
{
	set_up();
	probes[0].victim = &probes[1];
	arm(0, 10);
	arm(1, 11);
	arm(2, 12);
	advance(20);
	ck_assert_uint_eq(probes[0].fired, 1);
	ck_assert_uint_eq(probes[1].fired, 0);
	ck_assert_uint_eq(probes[2].fired, 1);
	px_timers_finish(&timers);
}
END_TEST

START_TEST(a_clock_that_goes_back_is_ignored)
{
	set_up();
	advance(1000);
	arm(0, 1010);
	advance(500);
	ck_assert_int_eq(timers.now_ms, 1000);
	ck_assert_uint_eq(probes[0].fired, 0);
	arm(1, 900);
	ck_assert_int_eq(px_timers_next(&timers), 1001);
	advance(1010);
	ck_assert_uint_eq(probes[0].fired, 1);
	ck_assert_uint_eq(probes[1].fired, 1);
	ck_assert_int_eq(probes[1].fired_ms, 1010);
	px_timers_finish(&timers);
}
END_TEST

/* ---- beside a model ---- */

struct model {
	bool armed[COUNT];
	int64_t at_ms[COUNT];
	unsigned fired[COUNT];
	int64_t now_ms;
};

static void model_advance(struct model *model, int64_t now_ms)
{
	model->now_ms = now_ms > model->now_ms ? now_ms : model->now_ms;
	for (size_t i = 0; i < COUNT; i++) {
		if (model->armed[i] && model->at_ms[i] <= model->now_ms) {
			model->armed[i] = false;
			model->fired[i]++;
		}
	}
}

static void compare(const struct model *model)
{
	int64_t next = INT64_MAX;
	uint32_t armed = 0;
	bool same = true;
	for (size_t i = 0; i < COUNT; i++) {
		same = same && probes[i].fired == model->fired[i] &&
				(probes[i].timer.place != 0) == model->armed[i];
		armed += model->armed[i];
		next = model->armed[i] && model->at_ms[i] < next ? model->at_ms[i] : next;
	}
	ck_assert(same);
	ck_assert_uint_eq(timers.count, armed);
	ck_assert_int_eq(px_timers_next(&timers), next);
	ck_assert(heap_is_whole());
}

START_TEST(walks_beside_a_naive_model)
{
	static struct model model;
	uint64_t dice = 42;
	set_up();
	for (int step = 0; step < 20000; step++) {
		size_t i = fake_random(&dice) % COUNT;
		int64_t in_ms = (int64_t)(fake_random(&dice) % 300) - 20;
		switch (fake_random(&dice) % 4) {
		case 0:
		case 1:
			arm(i, timers.now_ms + in_ms);
			model.armed[i] = true;
			model.at_ms[i] = timers.now_ms + (in_ms > 0 ? in_ms : 1);
			break;
		case 2:
			px_timer_stop(&timers, &probes[i].timer);
			model.armed[i] = false;
			break;
		default:
			last = NULL;
			advance(timers.now_ms + in_ms / 16);
			model_advance(&model, model.now_ms + in_ms / 16);
			break;
		}
		compare(&model);
	}
	px_timers_finish(&timers);
}
END_TEST

RUN_TESTS("timer", fires_in_order_and_once, fires_no_more_than_it_may, is_moved_when_armed_again,
		does_not_fire_when_stopped, may_arm_itself_while_it_fires,
		may_stop_another_while_it_fires, a_clock_that_goes_back_is_ignored,
		walks_beside_a_naive_model);
