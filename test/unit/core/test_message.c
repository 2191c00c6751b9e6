/* SPDX-License-Identifier: MIT */
/*
 * Messages: the frame header at every length where it changes (RFC 6455 section 5.2), and
 * the counting of references.
 */
#include "core/message.h"
#include "core/practice.h"

#include "core/broker.h"

#include "fake.h"
#include "message/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void expect_frame(struct fake *fake, size_t len, const uint8_t *header, size_t header_len)
{
	char *text = malloc(len + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', len);
	struct px_message *message = px_message_create(fake->broker, (struct px_span){ text, len });
	ck_assert_ptr_nonnull(message);
	ck_assert_uint_eq(message->len, header_len + len);
	ck_assert_uint_eq(message->header_len, header_len);
	ck_assert_int_eq(memcmp(message->frame, header, header_len), 0);
	ck_assert(px_span_equal(px_message_text(message), (struct px_span){ text, len }));
	ck_assert_uint_ge(px_message_cost(message), header_len + len);
	px_message_unref(fake->broker, message);
	free(text);
}

START_TEST(headers_have_the_shortest_length)
{
	struct fake *fake = fake_create(NULL);
	expect_frame(fake, 0, (const uint8_t[]){ 0x81, 0 }, 2);
	expect_frame(fake, 1, (const uint8_t[]){ 0x81, 1 }, 2);
	expect_frame(fake, 125, (const uint8_t[]){ 0x81, 125 }, 2);
	expect_frame(fake, 126, (const uint8_t[]){ 0x81, 126, 0, 126 }, 4);
	expect_frame(fake, 256, (const uint8_t[]){ 0x81, 126, 1, 0 }, 4);
	expect_frame(fake, 65535, (const uint8_t[]){ 0x81, 126, 255, 255 }, 4);
	expect_frame(fake, 65536, (const uint8_t[]){ 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 }, 10);
	expect_frame(fake, 0x12345, (const uint8_t[]){ 0x81, 127, 0, 0, 0, 0, 0, 1, 0x23, 0x45 },
			10);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_ping_is_a_frame_too)
{
	struct fake *fake = fake_create(NULL);
	struct px_message *ping = px_message_frame(fake->broker, PX_OPCODE_PING, px_span("px"));
	ck_assert_uint_eq(ping->len, 4);
	ck_assert_int_eq(memcmp(ping->frame, "\x89\x02px", 4), 0);
	px_message_unref(fake->broker, ping);
	fake_destroy(fake);
}
END_TEST

START_TEST(the_last_reference_frees)
{
	struct fake *fake = fake_create(NULL);
	struct px_message *message = px_message_create(fake->broker, px_span("{}"));
	ck_assert_uint_eq(fake_stats(fake).messages_live, 1);
	ck_assert_ptr_eq(px_message_ref(message), message);
	px_message_unref(fake->broker, message);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 1);
	px_message_unref(fake->broker, message);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 0);
	px_message_unref(fake->broker, NULL);
	fake_destroy(fake);
}
END_TEST

START_TEST(takes_over_what_a_writer_wrote)
{
	struct fake *fake = fake_create(NULL);
	struct px_json json;
	char text[1000];
	memset(text, 'x', sizeof(text));
	px_json_begin(&json, "t");
	px_json_string(&json, "s", (struct px_span){ text, sizeof(text) });
	px_json_end(&json);
	struct px_message *message = px_message_from_json(fake->broker, &json);
	ck_assert_uint_eq(px_message_text(message).len,
			sizeof(text) + strlen("{'type':'t','s':''}"));
	px_message_unref(fake->broker, message);
	/* A writer that ran out of memory yields nothing, and is given back all the same. */
	px_json_begin(&json, "t");
	json.failed = true;
	ck_assert_ptr_null(px_message_from_json(fake->broker, &json));
	fake_destroy(fake);
}
END_TEST

static struct px_message *keyed(struct fake *fake, const char *tenant, const char *practice_id,
		const char *service_name, const char *key)
{
	const struct px_service service = { .name = service_name };
	struct px_practice *practice;
	ck_assert_int_eq(px_practice_get(fake->broker, px_span(tenant), px_span(practice_id),
			&practice), 0);
	struct px_message *message = px_message_text_keyed(fake->broker, px_span("{}"), practice,
			&service, px_span(key));
	px_practice_unref(fake->broker, practice);
	ck_assert_ptr_nonnull(message);
	return message;
}

/* What is a key of something else is another key, however the texts fall together. */
START_TEST(keys_are_of_a_service_and_practice)
{
	static const char *const all[][4] = {
		{ "t", "1", "a", "k" }, { "t", "1", "a", "k2" }, { "t", "1", "ak", "" "k" },
		{ "t", "12", "a", "k" }, { "t2", "1", "a", "k" }, { "t", "1", "a", "" },
		{ "t", "1k", "a", "k" }, { "t", "1", "a", "kk" }, { "at", "1", "a", "k" },
	};
	enum { COUNT = sizeof(all) / sizeof(all[0]) };
	struct fake *fake = fake_create(NULL);
	struct px_message *messages[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		messages[i] = keyed(fake, all[i][0], all[i][1], all[i][2], all[i][3]);
		ck_assert(px_span_equal(px_message_key(messages[i]), px_span(all[i][3])));
		ck_assert(px_span_equal(px_message_text(messages[i]), px_span("{}")));
		for (size_t k = 0; k < i; k++) {
			ck_assert(!px_span_equal(px_message_scoped_key(messages[i]),
					px_message_scoped_key(messages[k])));
		}
	}
	struct px_message *same = keyed(fake, "t", "1", "a", "k");
	ck_assert(px_span_equal(px_message_scoped_key(same), px_message_scoped_key(messages[0])));
	ck_assert_uint_gt(px_message_cost(same), px_message_cost(messages[5]));
	px_message_unref(fake->broker, same);
	for (size_t i = 0; i < COUNT; i++) {
		px_message_unref(fake->broker, messages[i]);
	}
	fake_destroy(fake);
}
END_TEST

/* An object of that many bytes: {"a":"xxx…"}. */
static void write_text(struct px_json *json, const char *filling, size_t len)
{
	px_json_string(json, "a", (struct px_span){ filling, len - 8 });
	px_json_end(json);
}

static void compare_composed(struct fake *fake, struct px_practice *practice, size_t len,
		size_t bytes, const char *key)
{
	static char filling[70001];
	static const struct px_service service = { .name = "a" };
	struct px_json json;
	memset(filling, 'x', sizeof(filling));
	px_json_begin(&json, NULL);
	write_text(&json, filling, len);
	struct px_message *copied = px_message_keyed(fake->broker, &json, practice, &service,
			px_span(key));
	struct px_message *composed = px_message_begin(&json, bytes);
	ck_assert_ptr_nonnull(composed);
	write_text(&json, filling, len);
	composed = px_message_end(fake->broker, composed, &json, practice, &service, px_span(key));
	ck_assert_ptr_nonnull(composed);
	ck_assert_uint_eq(composed->header_len, copied->header_len);
	ck_assert_uint_eq(px_message_text(composed).len, len);
	ck_assert_mem_eq(composed->frame, copied->frame, copied->len);
	ck_assert(px_span_equal(px_message_scoped_key(composed), px_message_scoped_key(copied)));
	ck_assert(px_span_equal(px_message_key(composed), px_span(key)));
	ck_assert_uint_eq(px_message_cost(composed), px_message_cost(copied));
	px_message_unref(fake->broker, composed);
	px_message_unref(fake->broker, copied);
	ck_assert_uint_eq(fake_stats(fake).messages_live, 0);
}

/* However much was expected: less, as much, and so much more that the header is another. */
START_TEST(composed_in_place_it_is_the_same)
{
	static const size_t lens[] = { 8, 100, 124, 125, 126, 127, 465, 1000, 65534, 65535, 65536,
		65537, 70000 };
	struct fake *fake = fake_create(NULL);
	struct px_practice *practice;
	ck_assert_int_eq(px_practice_get(fake->broker, px_span("t"), px_span("1"), &practice), 0);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		const size_t bytes[] = { 2, 8, 125, 126, lens[i] - 1, lens[i], lens[i] + 1,
			lens[i] + 20, lens[i] + 64, lens[i] + 65, 2 * lens[i], 65535, 65536 };
		for (size_t k = 0; k < sizeof(bytes) / sizeof(bytes[0]); k++) {
			compare_composed(fake, practice, lens[i], bytes[k], "");
			compare_composed(fake, practice, lens[i], bytes[k], "key");
		}
	}
	px_practice_unref(fake->broker, practice);
	fake_destroy(fake);
}
END_TEST

/* Numbers are not given again, so a message of a practice that is gone is nobody's. */
START_TEST(a_practice_may_end_before_its_messages)
{
	struct fake *fake = fake_create(NULL);
	struct px_practice *practices[2];
	struct px_message *messages[2];
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(px_practice_get(fake->broker, px_span("t"), px_span(i ? "2" : "1"),
				&practices[i]), 0);
		messages[i] = px_message_create(fake->broker, px_span("{}"));
		px_message_set_origin(messages[i], &(struct px_origin){ .practice = practices[i] });
		ck_assert_ptr_eq(px_message_practice(fake->broker, messages[i]), practices[i]);
	}
	/* The last one first: behind it nothing is looked at. */
	for (size_t i = 2; i-- > 0;) {
		px_practice_unref(fake->broker, practices[i]);
		ck_assert_ptr_null(px_message_practice(fake->broker, messages[i]));
	}
	for (size_t i = 0; i < 2; i++) {
		px_message_unref(fake->broker, messages[i]);
	}
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("message", a_practice_may_end_before_its_messages, keys_are_of_a_service_and_practice,
		composed_in_place_it_is_the_same,
		headers_have_the_shortest_length, a_ping_is_a_frame_too,
		the_last_reference_frees, takes_over_what_a_writer_wrote);
