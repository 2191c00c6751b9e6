/* SPDX-License-Identifier: MIT */
/* A flood of refusals in the audit log: so many lines, then counts, and nothing is lost. */
#include "test_audit_util.h"

#include <json-c/json.h>
#include <stdint.h>

static struct px_audit *open_bounded(uint32_t refusals_per_s)
{
	struct px_audit_settings settings = make_settings(PX_AUDIT_REFUSE, "");
	settings.refusals_per_s = refusals_per_s;
	wall_ms = 1700000000000;
	return open_with(settings);
}

static bool refuse(struct px_audit *audit, const char *address, const char *reason)
{
	return px_audit_refused(audit, &(struct px_audit_entry){
		.event = "refused",
		.address = px_span(address),
		.vhost = px_span("default"),
		.reason = px_span(reason),
	});
}

static const char *member(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_object_get(object, key);
	return value ? json_object_get_string(value) : "";
}

/*
 * What the audit log has of that event, a line each: "address reason count". Lives until the
 * next call.
 */
static const char *lines_of(const char *wanted)
{
	static char text[65536];
	size_t len;
	char *bytes = slurp(path, &len);
	char *rest = bytes;
	char *line;
	text[0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		struct json_object *object = json_tokener_parse(line);
		const char *event = member(object, "event");
		if (strcmp(event, wanted) == 0) {
			size_t at = strlen(text);
			(void)snprintf(text + at, sizeof(text) - at, "%s %s %s\n",
					member(object, "address"), member(object, "reason"),
					member(object, "count"));
		}
		json_object_put(object);
	}
	free(bytes);
	return text;
}

static const char *refusals(void)
{
	return lines_of("refused");
}

static void count(struct px_audit *audit, const char *event, const char *address)
{
	ck_assert(px_audit_count(audit, &(struct px_audit_entry){
		.event = event,
		.address = px_span(address),
	}));
}

START_TEST(few_are_a_line_each)
{
	struct px_audit *audit = open_bounded(3);
	for (int second = 0; second < 2; second++) {
		for (int i = 0; i < 3; i++) {
			ck_assert(!refuse(audit, "a", "bad_token"));
		}
		wall_ms += 1000;
	}
	ck_assert_str_eq(refusals(), "a bad_token \na bad_token \na bad_token \n"
			"a bad_token \na bad_token \na bad_token \n");
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(many_are_counted_by_who_and_why)
{
	struct px_audit_stats stats;
	struct px_audit *audit = open_bounded(2);
	ck_assert(!refuse(audit, "a", "bad_token"));
	ck_assert(!refuse(audit, "b", "bad_token"));
	for (int i = 0; i < 1000; i++) {
		ck_assert(refuse(audit, "a", "bad_token"));
	}
	ck_assert(refuse(audit, "a", "rate_limited"));
	ck_assert_str_eq(refusals(), "a bad_token \nb bad_token \n");
	wall_ms += 1000;
	ck_assert(!refuse(audit, "a", "bad_token"));
	ck_assert_str_eq(refusals(), "a bad_token \nb bad_token \na bad_token 1000\na rate_limited 1\n"
			"a bad_token \n");
	px_audit_stats(audit, &stats);
	ck_assert_uint_eq(stats.counted, 1001);
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(kinds_are_bounded_as_well)
{
	char address[16];
	struct px_audit *audit = open_bounded(2);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(address, sizeof(address), "a%d", i);
		ck_assert_int_eq(refuse(audit, address, "x"), i >= 2);
	}
	ck_assert(refuse(audit, "a3", "x"));
	px_audit_settle(audit);
	ck_assert_str_eq(refusals(), "a0 x \na1 x \na2 x 1\na3 x 2\n others 6\n");
	/* That it was told does not make room in the same second. */
	ck_assert(refuse(audit, "a", "x"));
	wall_ms += 1000;
	ck_assert(!refuse(audit, "a", "x"));
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(who_it_was_is_kept_in_full)
{
	size_t len;
	struct px_audit *audit = open_bounded(2);
	struct px_audit_entry entry = make_entry("refused");
	entry.practice = (struct px_id){ .number = false };
	entry.reason = px_span("forbidden");
	char user[] = "7";
	entry.user.text = px_span(user);
	for (int i = 0; i < 4; i++) {
		px_audit_refused(audit, &entry);
	}
	user[0] = '8';
	for (int i = 0; i < 2; i++) {
		px_audit_refused(audit, &entry);
	}
	user[0] = '#'; /* the caller's, and gone */
	px_audit_destroy(audit);
	char *bytes = slurp(path, &len);
	ck_assert_ptr_nonnull(strstr(bytes, "\"event\":\"refused\",\"user\":7,\"role\":\"staff\","
			"\"address\":\"192.0.2.7\",\"clientId\":\"c-1\",\"vhost\":\"default\","
			"\"tenant\":\"clinic\",\"reason\":\"forbidden\",\"count\":2,\"prev\""));
	ck_assert_ptr_nonnull(strstr(bytes, "\"user\":8,\"role\":\"staff\",\"address\":\"192.0.2.7\","
			"\"clientId\":\"c-1\",\"vhost\":\"default\",\"tenant\":\"clinic\","
			"\"reason\":\"forbidden\",\"count\":2,\"prev\""));
	ck_assert_ptr_null(strchr(bytes, '#'));
	free(bytes);
	ck_assert_whole(NULL);
}
END_TEST

START_TEST(without_a_bound_each_is_a_line)
{
	struct px_audit_stats stats;
	struct px_audit *audit = open_bounded(0);
	for (int i = 0; i < 1000; i++) {
		ck_assert(!refuse(audit, "a", "x"));
	}
	px_audit_stats(audit, &stats);
	ck_assert_uint_eq(stats.lines, 1001);
	ck_assert_uint_eq(stats.counted, 0);
	px_audit_destroy(audit);
	/* Nor without an audit log. */
	ck_assert(!refuse(NULL, "a", "x"));
	px_audit_settle(NULL);
}
END_TEST

START_TEST(what_is_only_counted_is_no_line_of_its_own)
{
	char address[16];
	struct px_audit *audit = open_bounded(2);
	for (int i = 0; i < 3; i++) {
		count(audit, "connected", "a");
		count(audit, "disconnected", "a");
	}
	count(audit, "disconnected", "a");
	ck_assert_str_eq(lines_of("connected"), "");
	/* It takes no line of a refusal, and is told of when its second is over. */
	ck_assert(!refuse(audit, "a", "x"));
	wall_ms += 1000;
	count(audit, "connected", "b");
	ck_assert_str_eq(lines_of("connected"), "a  3\n");
	ck_assert_str_eq(lines_of("disconnected"), "a  4\n");
	for (int i = 0; i < 5; i++) {
		(void)snprintf(address, sizeof(address), "c%d", i);
		count(audit, "connected", address);
		count(audit, "disconnected", address);
	}
	px_audit_settle(audit);
	ck_assert_str_eq(lines_of("connected"), "a  3\nb  1\nc0  1\n others 4\n");
	ck_assert_str_eq(lines_of("disconnected"), "a  4\n others 5\n");
	ck_assert_str_eq(refusals(), "a x \n");
	px_audit_destroy(audit);
	ck_assert_whole(NULL);
	ck_assert(!px_audit_count(NULL, &(struct px_audit_entry){ .event = "connected" }));
}
END_TEST

RUN("audit_refusals", few_are_a_line_each, many_are_counted_by_who_and_why,
		kinds_are_bounded_as_well, who_it_was_is_kept_in_full,
		without_a_bound_each_is_a_line, what_is_only_counted_is_no_line_of_its_own);
