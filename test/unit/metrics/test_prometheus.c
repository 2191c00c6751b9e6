/* SPDX-License-Identifier: MIT */
/* The text that Prometheus reads, and where messages are counted. */
#include "metrics/prometheus.h"

#include "core/broker.h"
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct px_prometheus out;

static void expect(const char *text)
{
	ck_assert_ptr_nonnull(out.text);
	ck_assert_uint_eq(out.len, strlen(text));
	ck_assert_int_eq(memcmp(out.text, text, out.len), 0);
	px_prometheus_finish(&out);
}

START_TEST(writes_families_and_samples)
{
	px_prometheus_one(&out, PX_METRIC_GAUGE, "a", "What it is.", 5);
	px_prometheus_family(&out, PX_METRIC_COUNTER, "b_total", "Others.");
	px_prometheus_sample(&out, (px_labels){ "x", "1", "y", "2" }, UINT64_MAX);
	px_prometheus_sample(&out, (px_labels){ "x", "a\"b\\c\nd" }, 0);
	px_prometheus_family(&out, PX_METRIC_COUNTER, "c_seconds_total", "Time.");
	px_prometheus_seconds(&out, 1002000003);
	expect("# HELP a What it is.\n# TYPE a gauge\na 5\n"
			"# HELP b_total Others.\n# TYPE b_total counter\n"
			"b_total{x=\"1\",y=\"2\"} 18446744073709551615\n"
			"b_total{x=\"a\\\"b\\\\c\\nd\"} 0\n"
			"# HELP c_seconds_total Time.\n# TYPE c_seconds_total counter\n"
			"c_seconds_total 1.002000003\n");
}
END_TEST

START_TEST(buckets_are_summed_up)
{
	struct px_histogram histogram = { 0 };
	px_histogram_add(&histogram, 50000);      /* in the first: 50 µs */
	px_histogram_add(&histogram, 50001);      /* … the second: 100 µs */
	px_histogram_add(&histogram, 9000000000); /* longer than all bounds */
	px_prometheus_family(&out, PX_METRIC_HISTOGRAM, "h_seconds", "H.");
	px_prometheus_histogram(&out, &histogram);
	char *text = calloc(1, out.len + 1);
	ck_assert_ptr_nonnull(text);
	memcpy(text, out.text, out.len);
	ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"5e-05\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"0.0001\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"1\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(text, "h_seconds_bucket{le=\"+Inf\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(text, "h_seconds_sum 9.000100001\nh_seconds_count 3\n"));
	free(text);
	px_prometheus_finish(&out);
}
END_TEST

START_TEST(grows)
{
	for (int i = 0; i < 10000; i++) {
		px_prometheus_one(&out, PX_METRIC_GAUGE, "name", "help", 1);
	}
	ck_assert(!out.failed);
	ck_assert_uint_eq(out.len, 10000 * strlen("# HELP name help\n# TYPE name gauge\nname 1\n"));
	px_prometheus_finish(&out);
}
END_TEST

START_TEST(types_have_places_and_no_more_than_there_are)
{
	struct fake *fake = fake_create(NULL);
	uint16_t first = px_traffic_place(&fake->broker->traffic, "a_first");
	ck_assert_uint_ne(first, PX_TRAFFIC_OTHER);
	ck_assert_uint_eq(px_traffic_place(&fake->broker->traffic, NULL), PX_TRAFFIC_OTHER);
	for (int i = 0; i < 1000; i++) {
		char type[32];
		(void)snprintf(type, sizeof(type), "type_%d", i);
		uint16_t place = px_traffic_place(&fake->broker->traffic, type);
		ck_assert_uint_lt(place, PX_TRAFFIC_TYPES);
		ck_assert_uint_eq(px_traffic_place(&fake->broker->traffic, type), place);
	}
	ck_assert_uint_eq(px_traffic_place(&fake->broker->traffic, "a_first"), first);
	ck_assert_str_eq(px_broker_traffic(fake->broker, first)->type, "a_first");
	ck_assert_ptr_null(px_broker_traffic(fake->broker, PX_TRAFFIC_TYPES));
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("prometheus", writes_families_and_samples, buckets_are_summed_up, grows,
		types_have_places_and_no_more_than_there_are);
