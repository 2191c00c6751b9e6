/* SPDX-License-Identifier: MIT */
/*
 * Identities and the practices that they hold: what isolation is built on. Two tenants'
 * practice 1 are two practices; 7 and "7" are one.
 */
#include "core/identity.h"

#include "core/broker.h"
#include "fake.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct px_identity *make(struct fake *fake, const struct fake_who *who)
{
	struct px_identity *identity = NULL;
	ck_assert_int_eq(fake_identity(fake, who, &identity), 0);
	return identity;
}

START_TEST(practices_are_known_once)
{
	struct fake *fake = fake_create(NULL);
	struct px_identity *a = make(fake, WHO(.practices = "1 2"));
	struct px_identity *b = make(fake, WHO(.practices = "2 \"1\""));
	ck_assert_uint_eq(fake->broker->practices.count, 2);
	ck_assert_ptr_eq(a->practices[0].practice, b->practices[1].practice);
	ck_assert_ptr_eq(a->practices[1].practice, b->practices[0].practice);
	/* The same practice, each in its own spelling. */
	ck_assert(a->practices[0].number);
	ck_assert(!b->practices[1].number);
	px_identity_destroy(fake->broker, a);
	ck_assert_uint_eq(fake->broker->practices.count, 2);
	px_identity_destroy(fake->broker, b);
	ck_assert_uint_eq(fake->broker->practices.count, 0);
	px_identity_destroy(fake->broker, NULL);
	fake_destroy(fake);
}
END_TEST

START_TEST(two_tenants_never_share_a_practice)
{
	struct fake *fake = fake_create(NULL);
	struct px_identity *a = make(fake, WHO(.tenant = "north", .practices = "1"));
	struct px_identity *b = make(fake, WHO(.tenant = "south", .practices = "1"));
	/* Nor by where the tenant ends and the id begins. */
	struct px_identity *c = make(fake, WHO(.tenant = "north1", .practices = "1"));
	struct px_identity *d = make(fake, WHO(.tenant = "north", .practices = "11"));
	struct px_identity *all[] = { a, b, c, d };
	ck_assert_uint_eq(fake->broker->practices.count, 4);
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 4; j++) {
			const struct px_practice *practice = all[j]->practices[0].practice;
			ck_assert_int_eq(px_identity_holds(all[i], practice) != NULL, i == j);
		}
	}
	ck_assert_str_eq(px_practice_tenant(b->practices[0].practice), "south");
	ck_assert_str_eq(px_practice_id(b->practices[0].practice), "1");
	for (size_t i = 0; i < 4; i++) {
		px_identity_destroy(fake->broker, all[i]);
	}
	fake_destroy(fake);
}
END_TEST

START_TEST(a_practice_named_twice_is_held_once)
{
	struct fake *fake = fake_create(NULL);
	struct px_identity *identity = make(fake, WHO(.practices = "1 2 \"1\" 1"));
	ck_assert_uint_eq(identity->practice_count, 2);
	ck_assert(identity->practices[0].number);
	ck_assert_ptr_eq(px_identity_find(identity, px_span("2")), &identity->practices[1]);
	ck_assert_ptr_null(px_identity_find(identity, px_span("3")));
	ck_assert_ptr_null(px_identity_find(identity, px_span("")));
	px_identity_destroy(fake->broker, identity);
	fake_destroy(fake);
}
END_TEST

START_TEST(claims_are_copied)
{
	struct fake *fake = fake_create(NULL);
	char user[] = "u-9";
	char name[] = "Dr. Who";
	struct px_claims claims = {
		.tenant = px_span("t"),
		.user = { px_span(user), false },
		.name = px_span(name),
		.role = PX_ROLE_PATIENT,
		.authenticated = true,
	};
	struct px_identity *identity;
	ck_assert_int_eq(px_identity_create(fake->broker, &claims, &identity), 0);
	memset(user, '#', sizeof(user));
	memset(name, '#', sizeof(name));
	ck_assert(px_span_equal(px_identity_user(identity).text, px_span("u-9")));
	ck_assert(!px_identity_user(identity).number);
	ck_assert(px_span_equal(px_identity_name(identity), px_span("Dr. Who")));
	ck_assert_uint_eq(identity->role, PX_ROLE_PATIENT);
	ck_assert(identity->authenticated);
	px_identity_destroy(fake->broker, identity);
	fake_destroy(fake);
}
END_TEST

static int create(struct fake *fake, struct px_claims claims)
{
	struct px_identity *identity = NULL;
	int rc = px_identity_create(fake->broker, &claims, &identity);
	if (rc == 0) {
		px_identity_destroy(fake->broker, identity);
	}
	return rc;
}

START_TEST(claims_have_bounds)
{
	struct fake *fake = fake_create(NULL);
	static char text[PX_NAME_MAX + 2];
	memset(text, 'x', sizeof(text) - 1);
	struct px_span tenant = px_span("t");
	struct px_span longest = { text, PX_ID_MAX };
	struct px_span longer = { text, PX_ID_MAX + 1 };
	struct px_span control = px_span("a\x1f");
	struct px_id id = { longest, false };

	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = longest, .user = id,
		.practices = &id, .practice_count = 1, .name = { text, PX_NAME_MAX } }), 0);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = px_span("") }), -EINVAL);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = longer }), -EINVAL);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = control }), -EINVAL);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = tenant,
		.user = { longer, false } }), -EINVAL);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = tenant,
		.user = { control, false } }), -EINVAL);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = tenant,
		.name = { text, PX_NAME_MAX + 1 } }), -EINVAL);
	ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = tenant, .name = control }),
			-EINVAL);
	static const char *const wrong[] = { "", "a\nb", "\xff" };
	for (size_t i = 0; i < 3; i++) {
		id = (struct px_id){ px_span(wrong[i]), false };
		ck_assert_int_eq(create(fake, (struct px_claims){ .tenant = tenant,
			.practices = &id, .practice_count = 1 }), -EINVAL);
	}
	fake_destroy(fake);
}
END_TEST

START_TEST(practices_have_a_number)
{
	static struct px_id ids[PX_PRACTICES_MAX + 1];
	static char texts[PX_PRACTICES_MAX + 1][8];
	struct px_limits limits = fake_limits();
	limits.practices = 0;
	struct fake *fake = fake_create(&limits);
	for (size_t i = 0; i <= PX_PRACTICES_MAX; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%zu", i);
		ids[i] = (struct px_id){ px_span(texts[i]), true };
	}
	struct px_claims claims = { .tenant = px_span("t"), .practices = ids };
	claims.practice_count = PX_PRACTICES_MAX;
	ck_assert_int_eq(create(fake, claims), 0);
	claims.practice_count++;
	ck_assert_int_eq(create(fake, claims), -EINVAL);
	/* The broker's own bound; what a failed identity held is given back. */
	limits.practices = 5;
	px_broker_set_limits(fake->broker, &limits);
	claims.practice_count = 6;
	ck_assert_int_eq(create(fake, claims), -ENOSPC);
	ck_assert_uint_eq(fake->broker->practices.count, 0);
	claims.practice_count = 5;
	ck_assert_int_eq(create(fake, claims), 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(only_the_open_are_bound_and_only_once)
{
	struct fake *fake = fake_create(NULL);
	struct px_id id = { px_span("5"), true };
	struct px_identity *open = make(fake, WHO(.practices = ""));
	struct px_identity *proven = make(fake, WHO(.practices = "", .authenticated = true));
	struct px_identity *placed = make(fake, WHO(.practices = "4"));
	ck_assert_int_eq(px_identity_bind(fake->broker, proven, id), -EACCES);
	ck_assert_int_eq(px_identity_bind(fake->broker, placed, id), -EACCES);
	ck_assert_int_eq(px_identity_bind(fake->broker, open,
			(struct px_id){ px_span("a\nb"), false }), -EINVAL);
	ck_assert_int_eq(px_identity_bind(fake->broker, open, (struct px_id){ px_span(""), false }),
			-EINVAL);
	ck_assert_int_eq(px_identity_bind(fake->broker, open, id), 0);
	ck_assert_int_eq(px_identity_bind(fake->broker, open, id), -EACCES);
	ck_assert_str_eq(px_practice_id(open->practices[0].practice), "5");
	ck_assert_uint_eq(open->practice_count, 1);
	px_identity_destroy(fake->broker, open);
	px_identity_destroy(fake->broker, proven);
	px_identity_destroy(fake->broker, placed);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("identity", practices_are_known_once, two_tenants_never_share_a_practice,
		a_practice_named_twice_is_held_once, claims_are_copied, claims_have_bounds,
		practices_have_a_number, only_the_open_are_bound_and_only_once);
