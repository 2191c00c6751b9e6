/* SPDX-License-Identifier: MIT */
/*
 * Identities and sessions with many practices: each is found, in whatever order they came and
 * went, and finding one of a thousand costs little more than one of a few.
 */
#include "channel/channel.h"
#include "fake.h"
#include "core/session.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct px_channel_kind kind = { .name = "probe" };
static const struct px_channel_kind other_kind = { .name = "other" };
static const struct px_channel_limits limits = { 0 };
static const struct px_service service;

static struct px_member *join(struct px_session *session, struct px_practice *practice,
		const char *name)
{
	struct px_member *member = NULL;
	bool is_new;
	ck_assert_int_eq(px_channel_join(session, &service, &kind, practice, px_span(name), &limits,
			&member, &is_new), 0);
	return member;
}

static void enter(void *state, struct px_session *session, struct px_practice *practice)
{
	(void)state;
	join(session, practice, "");
}

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.enter = enter,
};

static struct fake *create(void)
{
	struct px_limits wide = fake_limits();
	wide.practices = 0;
	wide.channels = 0;
	wide.rooms_per_session = 0;
	struct fake *fake = fake_create(&wide);
	fake_add_service(fake, &service, NULL);
	return fake;
}

/* A session of so many practices, numbered in an order that is none. */
static struct px_session *open_wide(struct fake *fake, unsigned count, struct fake_conn *conn)
{
	static struct px_id ids[PX_PRACTICES_MAX];
	static char texts[PX_PRACTICES_MAX][8];
	struct px_session_params params = { .realm = &fake->realm, .conn = conn, .service = -1 };
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%u", i * 7919 % 1000);
		ids[i] = (struct px_id){ px_span(texts[i]), i % 2 == 0 };
	}
	const struct px_claims claims = { .tenant = px_span("t"), .practices = ids,
		.practice_count = count, .role = PX_ROLE_STAFF, .authenticated = true };
	ck_assert_int_eq(px_identity_create(fake->broker, &claims, &params.identity), 0);
	ck_assert_int_eq(px_session_open(fake->broker, &params, &conn->session), 0);
	return conn->session;
}

static void close_wide(struct fake *fake, struct fake_conn *conn)
{
	px_session_lost(conn->session, PX_LOSS_BROKEN);
	fake_turn(fake);
	conn->session = NULL;
}

START_TEST(each_practice_is_held_and_found)
{
	struct fake *fake = create();
	struct fake_conn conn = { .fake = fake, .close_code = FAKE_OPEN, .busy = true };
	struct px_session *session = open_wide(fake, 1000, &conn);
	const struct px_identity *identity = session->identity;
	ck_assert_uint_eq(identity->practice_count, 1000);
	ck_assert_str_eq(px_practice_id(identity->practices[0].practice), "0");
	ck_assert_str_eq(px_practice_id(identity->practices[1].practice), "919");
	for (uint32_t i = 0; i < 1000; i++) {
		struct px_practice *practice = identity->practices[i].practice;
		ck_assert_ptr_eq(px_identity_holds(identity, practice), &identity->practices[i]);
		ck_assert_ptr_eq(px_identity_find(identity, px_span(px_practice_id(practice))),
				&identity->practices[i]);
		const struct px_member *member = px_session_member(session, &kind, practice,
				px_span(""));
		ck_assert_ptr_nonnull(member);
		ck_assert_ptr_eq(px_channel_practice(member->channel), practice);
		ck_assert_ptr_null(px_session_member(session, &kind, practice, px_span("x")));
		ck_assert_ptr_null(px_session_member(session, &other_kind, practice, px_span("")));
	}
	ck_assert_ptr_null(px_identity_find(identity, px_span("1000")));
	ck_assert_ptr_null(px_identity_find(identity, px_span("01")));
	close_wide(fake, &conn);
	ck_assert_uint_eq(fake_stats(fake).members, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_name_has_one_kind)
{
	struct fake *fake = create();
	struct fake_conn conn = { .fake = fake, .close_code = FAKE_OPEN, .busy = true };
	struct px_session *session = open_wide(fake, 1, &conn);
	struct px_practice *practice = session->identity->practices[0].practice;
	struct px_member *member = join(session, practice, "a");
	struct px_member *other = NULL;
	bool is_new;
	ck_assert_int_eq(px_channel_join(session, &service, &other_kind, practice, px_span("a"),
			&limits, &other, &is_new), -EINVAL);
	ck_assert_ptr_null(other);
	ck_assert_ptr_eq(px_session_member(session, &kind, practice, px_span("a")), member);
	close_wide(fake, &conn);
	fake_destroy(fake);
}
END_TEST

/* Up over the number from which they are in a tree, down again, and what is in between. */
START_TEST(rooms_come_and_go)
{
	struct fake *fake = create();
	struct fake_conn *conn = fake_open(fake, WHO(0));
	struct px_session *session = conn->session;
	struct px_practice *practice = session->identity->practices[0].practice;
	struct px_member *members[40] = { NULL };
	uint64_t dice = 1;
	char name[8];
	for (int step = 0; step < 20000; step++) {
		/* By phases more come, or more go. */
		unsigned i = (unsigned)(fake_random(&dice) % 40);
		bool wanted = fake_random(&dice) % 10 < (step / 500 % 2 ? 2 : 8);
		(void)snprintf(name, sizeof(name), "r%u", i);
		if (wanted && !members[i]) {
			members[i] = join(session, practice, name);
		} else if (!wanted && members[i]) {
			px_member_leave(members[i], PX_LEFT);
			members[i] = NULL;
		}
		ck_assert_ptr_eq(px_session_member(session, &kind, practice, px_span(name)),
				members[i]);
		ck_assert_ptr_eq(px_session_member(session, &kind, NULL, px_span(name)),
				members[i]);
	}
	fake_destroy(fake);
}
END_TEST

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What it costs at least to find a practice's membership, in nanoseconds of CPU. */
static int64_t cost_of_finding(struct fake *fake, unsigned count)
{
	struct fake_conn conn = { .fake = fake, .close_code = FAKE_OPEN, .busy = true };
	const struct px_session *session = open_wide(fake, count, &conn);
	const struct px_identity *identity = session->identity;
	int64_t least = INT64_MAX;
	unsigned found = 0;
	for (int round = 0; round < 10; round++) {
		int64_t begin = now_ns();
		for (uint32_t i = 0; i < 10000; i++) {
			struct px_practice *practice = identity->practices[i % count].practice;
			/* An assertion costs more than what is measured. */
			found += px_identity_holds(identity, practice) && px_session_member(session,
					&kind, practice, px_span(""));
		}
		int64_t each = (now_ns() - begin) / 10000;
		least = each < least ? each : least;
	}
	ck_assert_uint_eq(found, 10 * 10000);
	close_wide(fake, &conn);
	return least;
}

START_TEST(one_of_a_thousand_is_found_as_one_of_a_few)
{
	struct fake *fake = create();
	int64_t few = cost_of_finding(fake, 8);
	int64_t many = cost_of_finding(fake, 1000);
	ck_assert_msg(many < 30 * few, "%lld ns among 1000, %lld among 8", (long long)many,
			(long long)few);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("membership", each_practice_is_held_and_found, a_name_has_one_kind, rooms_come_and_go,
		one_of_a_thousand_is_found_as_one_of_a_few);
