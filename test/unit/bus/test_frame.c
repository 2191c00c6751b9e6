/* SPDX-License-Identifier: MIT */
/* What nodes send each other: it is read as it was written, and nothing else is read. */
#include "bus/frame.h"

#include "fake.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct px_span span_of(const struct px_bytes *bytes)
{
	return (struct px_span){ bytes->data, bytes->len };
}

/* At the end of its own memory, so that a sanitizer sees who reads beyond it. */
static bool reads(const struct px_bytes *bytes, size_t len, struct px_frame *frame)
{
	char *copy = malloc(len > 0 ? len : 1);
	memcpy(copy, bytes->data, len);
	bool is_one = px_frame_read((struct px_span){ copy, len }, frame);
	free(copy);
	return is_one;
}

static struct px_frame some_frame(void)
{
	return (struct px_frame){ .kind = PX_FRAME_TURN, .place = { px_span("t"), px_span("a/b") },
		.from = UINT64_C(0x123456789abcdef0), .gen = 3, .rev = UINT64_MAX, .prev = 4,
		.base = 5, .number = 6, .part = 7, .is_last = true, .is_asking = true,
		.body = px_span("body") };
}

START_TEST(test_a_frame)
{
	struct px_frame frame = some_frame();
	struct px_bytes bytes = { .data = NULL };
	struct px_frame read;
	px_frame_write(&bytes, &frame);
	ck_assert(px_frame_read(span_of(&bytes), &read));
	ck_assert_int_eq(read.kind, PX_FRAME_TURN);
	ck_assert(px_span_equal(read.place.tenant, px_span("t")));
	ck_assert(px_span_equal(read.place.practice, px_span("a/b")));
	ck_assert_uint_eq(read.from, frame.from);
	ck_assert_uint_eq(read.gen, 3);
	ck_assert_uint_eq(read.rev, UINT64_MAX);
	ck_assert_uint_eq(read.prev, 4);
	ck_assert_uint_eq(read.base, 5);
	ck_assert_uint_eq(read.number, 6);
	ck_assert_uint_eq(read.part, 7);
	ck_assert(read.is_last && read.is_asking);
	ck_assert(px_span_equal(read.body, px_span("body")));
	/* Cut anywhere in its head it is none; and where it is longer than any. */
	for (size_t len = 0; len < bytes.len - 4; len++) {
		ck_assert(!reads(&bytes, len, &read));
	}
	char *filler = calloc(1, PX_BUS_FRAME_BYTES);
	px_bytes_add(&bytes, filler, PX_BUS_FRAME_BYTES - bytes.len);
	ck_assert(px_frame_read(span_of(&bytes), &read));
	px_bytes_add(&bytes, filler, 1);
	ck_assert(!px_frame_read(span_of(&bytes), &read));
	free(filler);
	px_bytes_finish(&bytes);
}
END_TEST

static bool reads_with(const struct px_frame *frame, size_t at, char byte)
{
	struct px_bytes bytes = { .data = NULL };
	struct px_frame read;
	px_frame_write(&bytes, frame);
	bytes.data[at] = byte;
	bool is_one = px_frame_read(span_of(&bytes), &read);
	px_bytes_finish(&bytes);
	return is_one;
}

START_TEST(test_no_frame)
{
	struct px_frame frame = some_frame();
	ck_assert(reads_with(&frame, 0, 1));
	ck_assert(!reads_with(&frame, 0, 2)); /* of a newer version */
	ck_assert(reads_with(&frame, 1, PX_FRAME_SAID));
	ck_assert(!reads_with(&frame, 1, 0));
	ck_assert(reads_with(&frame, 1, PX_FRAME_NOT_HOME));
	ck_assert(!reads_with(&frame, 1, PX_FRAME_NOT_HOME + 1));
	ck_assert(!reads_with(&frame, 6, '\n')); /* in the tenant's name */
	frame.place.practice = px_span("");
	ck_assert(!reads_with(&frame, 0, 1));
	frame = some_frame();
	frame.from = 0;
	ck_assert(!reads_with(&frame, 0, 1));
}
END_TEST

START_TEST(test_what_is_said)
{
	struct px_bytes bytes = { .data = NULL };
	struct px_said said = { .kind = PX_SAID_CALL, .prev = 8, .number = 9, .client_id = 10,
		.reason = 1, .text = px_span("{}") };
	struct px_said read;
	px_said_write(&bytes, &said);
	said.prev = 9;
	said.number = 12;
	said.text = px_span("");
	px_said_write(&bytes, &said);
	struct px_span body = span_of(&bytes);
	ck_assert_int_eq(px_said_read(&body, &read), 1);
	ck_assert_uint_eq(read.prev, 8);
	ck_assert_uint_eq(read.number, 9);
	ck_assert_uint_eq(read.client_id, 10);
	ck_assert(px_span_equal(read.text, px_span("{}")));
	ck_assert_int_eq(px_said_read(&body, &read), 1);
	ck_assert_uint_eq(read.number, 12);
	ck_assert_int_eq(px_said_read(&body, &read), 0);
	for (size_t len = 1; len < 32; len++) {
		body = (struct px_span){ bytes.data, len };
		ck_assert_int_eq(px_said_read(&body, &read), len == 32 ? 1 : -EINVAL);
	}
	bytes.data[0] = PX_SAID_NOTHING + 1;
	body = span_of(&bytes);
	ck_assert_int_eq(px_said_read(&body, &read), -EINVAL);
	bytes.len = 0;
	said.prev = said.number; /* which would never end */
	px_said_write(&bytes, &said);
	body = span_of(&bytes);
	ck_assert_int_eq(px_said_read(&body, &read), -EINVAL);
	px_bytes_finish(&bytes);
}
END_TEST

START_TEST(test_what_is_given)
{
	struct px_bytes bytes = { .data = NULL };
	struct px_given given = { .kind = PX_GIVEN_MESSAGE, .code = 1013, .is_publication = true,
		.service = px_span("desk"), .type = px_span("desk_say"), .room = px_span("r"),
		.key = px_span("k"), .concern = px_span("hall"), .text = px_span("text") };
	struct px_given read;
	px_given_write(&bytes, &given, 2);
	px_given_add_client(&bytes, 1);
	px_given_add_client(&bytes, UINT64_MAX);
	struct px_span body = span_of(&bytes);
	ck_assert_int_eq(px_given_read(&body, &read), 1);
	ck_assert_uint_eq(body.len, 0);
	ck_assert_uint_eq(read.code, 1013);
	ck_assert(read.is_publication && !read.is_of_practice && !read.is_concerned);
	ck_assert(px_span_equal(read.service, px_span("desk")));
	ck_assert(px_span_equal(read.type, px_span("desk_say")));
	ck_assert(px_span_equal(read.room, px_span("r")));
	ck_assert(px_span_equal(read.key, px_span("k")));
	ck_assert(px_span_equal(read.concern, px_span("hall")));
	ck_assert(px_span_equal(read.text, px_span("text")));
	ck_assert_uint_eq(px_given_clients(&read), 2);
	ck_assert_uint_eq(px_given_client(&read, 0), 1);
	ck_assert_uint_eq(px_given_client(&read, 1), UINT64_MAX);
	for (size_t len = 1; len < bytes.len; len++) {
		body = (struct px_span){ bytes.data, len };
		ck_assert_int_eq(px_given_read(&body, &read), -EINVAL);
	}
	px_bytes_finish(&bytes);
}
END_TEST

RUN_TESTS("frame", test_a_frame, test_no_frame, test_what_is_said, test_what_is_given);
