/* SPDX-License-Identifier: MIT */
/*
 * The `auth` message and what time does to an identity: becoming somebody, renewing, being
 * turned away, expiring. The host's judgement is the test's.
 */
#include "fake.h"

#include "channel/channel.h"

#include <check.h>
#include <errno.h>
#include <string.h>

/* What the host says of the next token. */
static struct {
	enum px_verdict verdict;
	struct fake_who who;
	int64_t expires_ms;
	uint32_t leeway_ms;
	unsigned asked;
} answer;

static struct fake *fake;

static void judge(void *user, void *conn, const struct px_realm *realm, struct px_span token,
		struct px_authentication *ret_authentication)
{
	(void)user;
	(void)conn;
	(void)realm;
	answer.asked++;
	ck_assert(px_span_equal(token, px_span("a.b.c")));
	*ret_authentication = (struct px_authentication){
		.verdict = answer.verdict,
		.sentence = "No.",
		.retry_after_ms = 700,
	};
	if (answer.verdict == PX_VERDICT_GOOD) {
		const struct px_id practice = { px_span(answer.who.practices), true };
		struct px_claims claims = {
			.tenant = px_span("t"),
			.practices = &practice,
			.practice_count = 1,
			.user = { px_span(answer.who.user), false },
			.role = answer.who.role ? answer.who.role : PX_ROLE_STAFF,
			.authenticated = true,
			.expires_ms = answer.expires_ms,
			.leeway_ms = answer.leeway_ms,
		};
		ck_assert_int_eq(px_identity_create(fake->broker, &claims,
				&ret_authentication->identity), 0);
	}
}

static void setup(void)
{
	fake = fake_create(NULL);
	fake->broker->host.authenticate = judge;
	fake->broker->limits.auth_notice_ms = 60000;
	memset(&answer, 0, sizeof(answer));
	answer.verdict = PX_VERDICT_GOOD;
	answer.who = (struct fake_who){ .practices = "1", .user = "7" };
}

static const char auth[] = "{'type':'auth','token':'a.b.c','id':1}";

static void say(struct fake_conn *conn, const char *text)
{
	char json[256];
	size_t len = strlen(text);
	for (size_t i = 0; i <= len; i++) {
		json[i] = text[i] == '\'' ? '"' : text[i];
	}
	fake_say(conn, json);
}

static void pass_second(void)
{
	fake_advance(fake, 1000);
	fake_turn(fake);
}

START_TEST(renewing_keeps_the_session)
{
	setup();
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true));
	answer.expires_ms = fake->wall_ms + 3600000;
	say(conn, auth);
	fake_expect(conn, "{'type':'auth_ok','user':{'userId':'7','role':'staff','practices':[1]}}");
	fake_expect(conn, "{'type':'ack','id':1}");
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	fake_destroy(fake);
}
END_TEST

START_TEST(another_user_is_refused)
{
	setup();
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"8\"", .authenticated = true));
	say(conn, auth);
	fake_expect(conn, "{'type':'error','code':'forbidden','ref':'auth','id':1}");
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_bad_renewal_changes_nothing)
{
	setup();
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true));
	answer.verdict = PX_VERDICT_BAD;
	say(conn, auth);
	fake_expect(conn, "{'type':'error','code':'unauthenticated','message':'No.'}");
	answer.verdict = PX_VERDICT_THROTTLED;
	say(conn, auth);
	fake_expect(conn, "{'type':'error','code':'rate_limited','retryAfterMs':700}");
	answer.verdict = PX_VERDICT_EXPIRED;
	say(conn, auth);
	fake_expect(conn, "{'type':'error','code':'token_expired'}");
	answer.verdict = PX_VERDICT_NO_TOKENS;
	say(conn, auth);
	fake_expect(conn, "{'type':'error','code':'unavailable'}");
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	ck_assert_uint_eq(answer.asked, 4);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_token_must_be_a_plain_string)
{
	setup();
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true));
	static const char *const wrong[] = {
		"{'type':'auth'}",
		"{'type':'auth','token':1}",
		"{'type':'auth','token':null}",
		"{'type':'auth','token':'a\\u002eb.c'}",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		say(conn, wrong[i]);
		fake_expect(conn, "{'type':'error','code':'bad_message','field':'token'}");
	}
	ck_assert_uint_eq(answer.asked, 0);
	fake_destroy(fake);
}
END_TEST

static void renew(struct fake_conn *conn, int64_t life_ms)
{
	answer.expires_ms = fake->wall_ms + life_ms;
	say(conn, auth);
	fake_expect(conn, "{'type':'auth_ok'}");
	fake_expect(conn, "{'type':'ack'}");
}

static void pass_quietly(struct fake_conn *conn, int seconds)
{
	for (int second = 0; second < seconds; second++) {
		px_session_alive(conn->session);
		pass_second();
	}
	fake_expect_nothing(conn);
}

START_TEST(it_is_told_once_a_minute_or_a_fifth_before)
{
	setup();
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true));
	static const struct {
		int life_s;
		int told_s;
	} lives[] = { { 600, 540 }, { 300, 240 }, { 100, 80 }, { 30, 24 }, { 5, 4 } };
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		renew(conn, INT64_C(1000) * lives[i].life_s);
		pass_quietly(conn, lives[i].told_s - 1);
		pass_second();
		fake_expect(conn, "{'type':'auth_expiring'}");
		pass_quietly(conn, lives[i].life_s - lives[i].told_s - 1);
	}
	/* As if its issuer's clock were slow: such a token is followed by one that is no better. */
	answer.leeway_ms = 30000;
	renew(conn, -5000);
	pass_quietly(conn, 19);
	pass_second();
	fake_expect(conn, "{'type':'auth_expiring'}");
	fake_destroy(fake);
}
END_TEST

START_TEST(it_is_told_and_expires)
{
	setup();
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true));
	answer.leeway_ms = 30000;
	renew(conn, 100000);
	pass_quietly(conn, 79);
	pass_second();
	fake_expect(conn, "{'type':'auth_expiring'}");
	pass_quietly(conn, 49);
	ck_assert_int_eq(conn->close_code, FAKE_OPEN);
	pass_second();
	fake_expect(conn, "{'type':'error','code':'token_expired'}");
	ck_assert_int_eq(conn->close_code, PX_CLOSE_UNAUTHENTICATED);
	fake_destroy(fake);
}
END_TEST

/* ---- what services see of it ---- */

static unsigned opens, closes, enters;

static int on_open(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	(void)session_state;
	opens++;
	ck_assert_uint_ne(px_session_role(session), 0);
	return px_session_role(session) == PX_ROLE_PATIENT ? -EACCES : 0;
}

static void on_close(void *state, struct px_session *session, void *session_state)
{
	(void)state;
	(void)session;
	(void)session_state;
	closes++;
}

static const struct px_service probe;

/* Says of whom it is left, in the spelling that the session has at that moment. */
static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	struct px_json json;
	(void)reason;
	px_json_begin(&json, "probe_left");
	px_session_stamp(px_member_session(member), px_channel_practice(channel), &json);
	px_json_end(&json);
	px_session_send_json(px_member_session(member), &json);
}

static const struct px_channel_kind kind = { .name = "probe", .left = on_left };

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	static const struct px_channel_limits limits = { 0 };
	struct px_member *member;
	bool is_new;
	(void)state;
	enters++;
	ck_assert_int_eq(px_channel_join(session, &probe, &kind, practice, px_span(""), &limits,
			&member, &is_new), 0);
	ck_assert(is_new);
	struct px_json json;
	px_json_begin(&json, "probe_entered");
	px_json_end(&json);
	px_session_send_json(session, &json);
}

static int handle_call(struct px_call *call)
{
	(void)call;
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "probe_call", .handle = handle_call, .roles = PX_ROLES_ALL },
};

static const struct px_service probe = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "probe",
	.commands = commands,
	.command_count = 1,
	.open = on_open,
	.close = on_close,
	.enter = on_enter,
};

START_TEST(a_service_begins_when_it_is_somebody)
{
	setup();
	fake_add_service(fake, &probe, NULL);
	fake->realm.auth_ms = 10000;
	struct fake_conn *conn = fake_open(fake, WHO(.unauthenticated = true, .practices = ""));
	ck_assert_uint_eq(opens, 0);
	say(conn, auth);
	ck_assert_uint_eq(opens, 1);
	ck_assert_uint_eq(enters, 1);
	fake_expect(conn, "{'type':'auth_ok'}");
	fake_expect(conn, "{'type':'probe_entered'}");
	fake_expect(conn, "{'type':'ack','id':1}");
	say(conn, "{'type':'probe_call','id':2}");
	fake_expect(conn, "{'type':'ack','id':2}");
	/* A renewal as the same is nothing to it. */
	say(conn, auth);
	ck_assert_uint_eq(opens, 1);
	ck_assert_uint_eq(enters, 1);
	fake_destroy(fake);
	ck_assert_uint_eq(closes, 1);
}
END_TEST

START_TEST(in_another_role_it_is_asked_anew)
{
	setup();
	fake_add_service(fake, &probe, NULL);
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true,
		.role = PX_ROLE_PATIENT));
	ck_assert_uint_eq(opens, 1);
	say(conn, "{'type':'probe_call'}");
	fake_expect(conn, "{'code':'service_disabled'}");
	say(conn, auth);
	fake_expect(conn, "{'type':'auth_ok','user':{'userId':'7','role':'staff','practices':[1]}}");
	fake_expect(conn, "{'type':'probe_entered'}");
	fake_expect(conn, "{'type':'ack'}");
	ck_assert_uint_eq(opens, 2);
	ck_assert_uint_eq(closes, 0);
	/* And the way back. */
	answer.who.role = PX_ROLE_PATIENT;
	say(conn, auth);
	fake_expect(conn, "{'type':'probe_left'}");
	fake_expect(conn, "{'type':'auth_ok'}");
	fake_expect(conn, "{'type':'ack'}");
	ck_assert_uint_eq(opens, 3);
	ck_assert_uint_eq(closes, 1);
	say(conn, "{'type':'probe_call'}");
	fake_expect(conn, "{'code':'service_disabled'}");
	fake_destroy(fake);
	ck_assert_uint_eq(closes, 1);
}
END_TEST

START_TEST(a_lost_practice_is_left_in_its_own_spelling)
{
	setup();
	fake_add_service(fake, &probe, NULL);
	struct fake_conn *conn = fake_open(fake, WHO(.user = "\"7\"", .authenticated = true,
		.practices = "1 2 \"3\""));
	for (int i = 0; i < 3; i++) {
		fake_expect(conn, "{'type':'probe_entered'}");
	}
	say(conn, auth);
	fake_expect(conn, "{'type':'probe_left','practiceId':'3'}");
	fake_expect(conn, "{'type':'probe_left','practiceId':2}");
	fake_expect(conn, "{'type':'auth_ok'}");
	fake_expect(conn, "{'type':'ack'}");
	fake_expect_nothing(conn);
	ck_assert_uint_eq(fake_stats(fake).members, 1);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("authenticate", renewing_keeps_the_session, another_user_is_refused,
		a_bad_renewal_changes_nothing, a_token_must_be_a_plain_string,
		it_is_told_once_a_minute_or_a_fifth_before, it_is_told_and_expires,
		a_service_begins_when_it_is_somebody, in_another_role_it_is_asked_anew,
		a_lost_practice_is_left_in_its_own_spelling);
