/* SPDX-License-Identifier: MIT */
/*
 * Services: which descriptors are refused, starting and stopping, and their life within a
 * session: opened and closed exactly once, entered with every practice, switched off and on.
 */
#include "core/session.h"

#include "channel/channel.h"
#include "fake.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One for each service: what its hooks were called for. */
struct hook_counts {
	unsigned starts, stops, configures, opens, closes, enters, calls;
	int start_rc;
	int open_rc;
	char entered[128]; /* the practices, one behind the other */
};

static struct hook_counts *next_state; /* of the service that starts next */

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	(void)broker;
	(void)options;
	next_state->starts++;
	*ret_state = next_state;
	return next_state->start_rc;
}

static void stop(void *state)
{
	((struct hook_counts *)state)->stops++;
}

static int configure(void *state, const struct px_options *options)
{
	(void)options;
	((struct hook_counts *)state)->configures++;
	return -EBUSY;
}

static int on_open(void *state, struct px_session *session, void *session_state)
{
	struct hook_counts *counts = state;
	ck_assert_ptr_nonnull(px_session_broker(session));
	for (int i = 0; i < 16; i++) {
		ck_assert_int_eq(((char *)session_state)[i], 0);
	}
	memset(session_state, 1, 16);
	counts->opens++;
	return counts->open_rc;
}

static void on_close(void *state, struct px_session *session, void *session_state)
{
	struct hook_counts *counts = state;
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, client_id);
	ck_assert_int_eq(((char *)session_state)[15], 1);
	ck_assert_ptr_null(session->members);
	counts->closes++;
}

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct hook_counts *counts = state;
	ck_assert_ptr_nonnull(px_identity_holds(session->identity, practice));
	counts->enters++;
	strcat(counts->entered, px_practice_id(practice));
}

static int handle_call(struct px_call *call)
{
	struct hook_counts *counts = call->service_state;
	if (call->service->session_size > 0) {
		ck_assert_int_eq(*(char *)call->session_state, 1);
	} else {
		ck_assert_ptr_null(call->session_state);
	}
	counts->calls++;
	return 0;
}

static const struct px_command alpha_commands[] = {
	{ .type = "alpha_call", .handle = handle_call, .roles = PX_ROLES_ALL },
};
static const struct px_command beta_commands[] = {
	{ .type = "beta_call", .handle = handle_call, .roles = PX_ROLES_ALL, .anywhere = true },
};

#define SERVICE(service_name) \
	.abi = PX_SERVICE_ABI, .size = sizeof(struct px_service), .name = service_name

static const struct px_service alpha = {
	SERVICE("alpha"),
	.commands = alpha_commands,
	.command_count = 1,
	.session_size = 16,
	.start = start,
	.stop = stop,
	.configure = configure,
	.open = on_open,
	.close = on_close,
	.enter = on_enter,
};
/* Without state, and with hardly a hook. */
static const struct px_service beta = {
	SERVICE("beta"),
	.commands = beta_commands,
	.command_count = 1,
	.start = start,
};

/* With a state beside alpha's. */
static int handle_count(struct px_call *call)
{
	struct hook_counts *counts = call->service_state;
	unsigned char *own = call->session_state;
	counts->calls = ++own[2];
	return 0;
}

static const struct px_command gamma_commands[] = {
	{ .type = "gamma_call", .handle = handle_count, .roles = PX_ROLES_ALL, .anywhere = true },
};

static const struct px_service gamma_service = {
	SERVICE("gamma"),
	.commands = gamma_commands,
	.command_count = 1,
	.session_size = 16,
	.start = start,
	.open = on_open,
	.close = on_close,
};

static unsigned add(struct fake *fake, const struct px_service *service, struct hook_counts *counts)
{
	next_state = counts;
	return fake_add_service(fake, service, NULL);
}

static void ask(struct fake_conn *conn, const char *text, const char *pattern)
{
	fake_say(conn, text);
	if (pattern) {
		fake_expect(conn, pattern);
	}
	fake_expect_nothing(conn);
}

static void switch_services(struct fake *fake, uint32_t enabled)
{
	fake->realm.enabled = enabled;
	px_broker_realm_changed(fake->broker, &fake->realm);
	fake_turn(fake);
}

/* ---- descriptors ---- */

static int refused(struct px_service service)
{
	struct fake *fake = fake_create(NULL);
	unsigned index = 99;
	int rc = px_broker_add_service(fake->broker, &service, NULL, &index);
	ck_assert_int_eq(index == 99, rc < 0);
	ck_assert_int_eq(fake->log_count > 0, rc == -EINVAL);
	ck_assert_int_eq(px_broker_service(fake->broker, 0) != NULL, rc == 0);
	fake_destroy(fake);
	return rc;
}

START_TEST(a_descriptor_must_be_of_this_abi)
{
	ck_assert_int_eq(refused((struct px_service){ SERVICE("probe") }), 0);
	ck_assert_int_eq(refused((struct px_service){ .abi = 999, .size = sizeof(struct px_service),
		.name = "probe" }), -EINVAL);
	ck_assert_int_eq(refused((struct px_service){ .abi = PX_SERVICE_ABI + 1,
		.size = sizeof(struct px_service), .name = "probe" }), -EINVAL);
	ck_assert_int_eq(refused((struct px_service){ .abi = PX_SERVICE_ABI, .size = 16,
		.name = "probe" }), -EINVAL);
	/* One that was built later has fields behind those that are known here. */
	ck_assert_int_eq(refused((struct px_service){ .abi = PX_SERVICE_ABI,
		.size = sizeof(struct px_service) + 64, .name = "probe" }), 0);
}
END_TEST

START_TEST(a_service_has_a_plain_name)
{
	static const char *const bad[] = { "", "Probe", "pro-be", "pro_be", "1probe", "p.",
		"pr\xc3\xb6", "abcdefghijklmnopqrstuvwxyzabcdefg" };
	static const char *const good[] = { "p", "probe2", "abcdefghijklmnopqrstuvwxyzabcdef" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(refused((struct px_service){ SERVICE(bad[i]) }) == -EINVAL, "%s",
				bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(refused((struct px_service){ SERVICE(good[i]) }), 0);
	}
	ck_assert_int_eq(refused((struct px_service){ SERVICE(NULL) }), -EINVAL);
}
END_TEST

static int refused_table(const char *first, const char *second, const char *third)
{
	const struct px_command table[] = {
		{ .type = first, .handle = handle_call },
		{ .type = second, .handle = handle_call },
		{ .type = third, .handle = handle_call },
	};
	return refused((struct px_service){ SERVICE("probe"), .commands = table,
		.command_count = third ? 3 : second ? 2 : 1 });
}

START_TEST(a_table_must_be_sorted)
{
	ck_assert_int_eq(refused_table("probe_a", "probe_b", "probe_c"), 0);
	ck_assert_int_eq(refused_table("probe_a", "probe_a_b", "probe_b"), 0);
	ck_assert_int_eq(refused_table("probe_b", "probe_a", NULL), -EINVAL);
	ck_assert_int_eq(refused_table("probe_a", "probe_c", "probe_b"), -EINVAL);
	ck_assert_int_eq(refused_table("probe_a", "probe_a", NULL), -EINVAL);
	ck_assert_int_eq(refused_table("probe_a", "probe_b", "probe_b"), -EINVAL);
	/* By bytes, as bsearch compares. */
	ck_assert_int_eq(refused_table("probe_a_", "probe_a1", NULL), -EINVAL);
}
END_TEST

START_TEST(a_type_begins_with_its_services_name)
{
	ck_assert_int_eq(refused_table("other_a", NULL, NULL), -EINVAL);
	ck_assert_int_eq(refused_table("probea", NULL, NULL), -EINVAL);
	ck_assert_int_eq(refused_table("prob_a", NULL, NULL), -EINVAL);
	ck_assert_int_eq(refused_table("probe", NULL, NULL), -EINVAL);
	ck_assert_int_eq(refused_table("probes_a", NULL, NULL), -EINVAL);
}
END_TEST

/* A descriptor with the prefixes, of which the last is NULL, and one command. */
static int refused_prefixes(const char *const *prefixes, const char *type)
{
	const struct px_command table[] = { { .type = type, .handle = handle_call } };
	return refused((struct px_service){ SERVICE("probes"), .commands = table,
		.command_count = 1, .prefixes = prefixes });
}

START_TEST(a_service_may_name_more_prefixes)
{
	static const char *const two[] = { "probe", "test2", NULL };
	static const char *const own[] = { "probes", NULL };
	static const char *const servers[] = { "probe", "auth", NULL };
	static const char *const bad[] = { "pro_be", NULL };
	static const char *const empty[] = { "", NULL };
	const char *many[PX_SERVICE_PREFIXES_MAX + 2] = { NULL };
	ck_assert_int_eq(refused_prefixes(two, "probe_a"), 0);
	ck_assert_int_eq(refused_prefixes(two, "test2_a"), 0);
	ck_assert_int_eq(refused_prefixes(two, "probes_a"), 0);
	ck_assert_int_eq(refused_prefixes(own, "probes_a"), 0);
	ck_assert_int_eq(refused_prefixes(two, "prob_a"), -EINVAL);
	ck_assert_int_eq(refused_prefixes(two, "probe"), -EINVAL);
	ck_assert_int_eq(refused_prefixes(servers, "probe_a"), -EINVAL);
	ck_assert_int_eq(refused_prefixes(bad, "probes_a"), -EINVAL);
	ck_assert_int_eq(refused_prefixes(empty, "probes_a"), -EINVAL);
	for (int i = 0; i <= PX_SERVICE_PREFIXES_MAX; i++) {
		many[i] = "probe";
	}
	ck_assert_int_eq(refused_prefixes(many, "probe_a"), -EINVAL);
	many[PX_SERVICE_PREFIXES_MAX] = NULL;
	ck_assert_int_eq(refused_prefixes(many, "probe_a"), 0);
}
END_TEST

START_TEST(an_older_descriptor_has_its_name_alone)
{
	static const char *const two[] = { "other", NULL };
	const struct px_command table[] = { { .type = "probe_a", .handle = handle_call } };
	struct px_service older = { SERVICE("probe"), .commands = table, .command_count = 1 };
	older.size = PX_SERVICE_SIZE_MIN;
	older.prefixes = two; /* lies behind it, so it is nothing */
	ck_assert_int_eq(refused(older), 0);
	ck_assert(px_service_owns(&older, px_span("probe_a")));
	ck_assert(!px_service_owns(&older, px_span("other_a")));
	older.size = PX_SERVICE_SIZE_MIN - 1;
	ck_assert_int_eq(refused(older), -EINVAL);
}
END_TEST

START_TEST(no_two_services_have_the_same_prefix)
{
	static const char *const ours[] = { "message", "note", NULL };
	static const char *const theirs[] = { "memo", "note", NULL };
	static const char *const name[] = { "notes", NULL };
	const struct px_service notes = { SERVICE("notes"), .prefixes = ours };
	const struct px_service memos = { SERVICE("memos"), .prefixes = theirs };
	const struct px_service note = { SERVICE("note") };
	const struct px_service thief = { SERVICE("thief"), .prefixes = name };
	const struct px_service message2 = { SERVICE("message2") };
	struct fake *fake = fake_create(NULL);
	unsigned index = 99;
	(void)fake_add_service(fake, &notes, NULL);
	ck_assert_int_eq(px_broker_add_service(fake->broker, &memos, NULL, &index), -EEXIST);
	ck_assert_msg(strstr(fake->log, "\"note_\"") && strstr(fake->log, "notes"), "%s", fake->log);
	ck_assert_int_eq(px_broker_add_service(fake->broker, &note, NULL, &index), -EEXIST);
	ck_assert_int_eq(px_broker_add_service(fake->broker, &thief, NULL, &index), -EEXIST);
	ck_assert_uint_eq(index, 99);
	ck_assert_uint_eq(fake_add_service(fake, &message2, NULL), 1);
	ck_assert_ptr_eq(px_broker_service_of_type(fake->broker, px_span("note_a"), &index), &notes);
	ck_assert_uint_eq(index, 0);
	ck_assert_ptr_eq(px_broker_service_of_type(fake->broker, px_span("notes"), NULL), &notes);
	ck_assert_ptr_eq(px_broker_service_of_type(fake->broker, px_span("message2_a"), NULL),
			&message2);
	ck_assert_ptr_null(px_broker_service_of_type(fake->broker, px_span("not_a"), NULL));
	ck_assert_ptr_null(px_broker_service_of_type(fake->broker, px_span(NULL), NULL));
	/* What is remembered of a type is forgotten with its service. */
	struct px_broker *broker = fake->broker;
	uint16_t traffic = px_traffic_place(&broker->traffic, "message2_told");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_eq(px_broker_service_of_traffic(broker, traffic, "message2_told"), 1);
	}
	px_broker_remove_last_service(broker);
	ck_assert_uint_eq(px_broker_service_of_traffic(broker, traffic, "message2_told"),
			PX_SERVICE_NONE);
	ck_assert_uint_eq(fake_add_service(fake, &message2, NULL), 1);
	ck_assert_uint_eq(px_broker_service_of_traffic(broker, traffic, "message2_told"), 1);
	fake_destroy(fake);
}
END_TEST

START_TEST(what_is_wrong_names_the_type)
{
	char fault[256];
	const struct px_command table[] = { { .type = "alpha_b", .handle = handle_call },
		{ .type = "alpha_a", .handle = handle_call }, { .type = "beta_a", .handle = handle_call },
		{ .type = "alpha_c" }, { .type = "Alpha" } };
	struct px_service service = { SERVICE("alpha"), .commands = table, .command_count = 2 };
	ck_assert_int_eq(px_service_check(&service, fault, sizeof(fault)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "\"alpha_a\""));
	service.commands = &table[2];
	ck_assert_int_eq(px_service_check(&service, fault, sizeof(fault)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "\"beta_a\""));
	service.commands = &table[3];
	service.command_count = 1;
	ck_assert_int_eq(px_service_check(&service, fault, sizeof(fault)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "\"alpha_c\" has no handler"));
	service.commands = &table[4];
	ck_assert_int_eq(px_service_check(&service, fault, sizeof(fault)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(fault, "command 1"));
	service.commands = NULL;
	ck_assert_int_eq(px_service_check(&service, fault, sizeof(fault)), -EINVAL);
}
END_TEST

START_TEST(a_name_is_taken_once_and_places_run_out)
{
	static struct px_service services[PX_SERVICES_MAX + 1];
	static char names[PX_SERVICES_MAX + 1][8];
	struct fake *fake = fake_create(NULL);
	unsigned index;
	for (unsigned i = 0; i <= PX_SERVICES_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "s%u", i);
		services[i] = (struct px_service){ SERVICE(names[i]) };
		int rc = px_broker_add_service(fake->broker, &services[i], NULL, &index);
		ck_assert_int_eq(rc, i < PX_SERVICES_MAX ? 0 : -ENOSPC);
		ck_assert(rc < 0 || index == i);
	}
	ck_assert_int_eq(px_broker_add_service(fake->broker, &services[3], NULL, &index), -EEXIST);
	ck_assert_ptr_eq(px_broker_service(fake->broker, 31), &services[31]);
	ck_assert_ptr_null(px_broker_service(fake->broker, 32));
	ck_assert_ptr_eq(px_broker_find_service(fake->broker, px_span("s7"), &index), &services[7]);
	ck_assert_uint_eq(index, 7);
	ck_assert_ptr_null(px_broker_find_service(fake->broker, px_span("s"), NULL));
	/* The last bit is as good as the first. */
	fake->realm.enabled = UINT32_MAX;
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ck_assert_uint_eq(conn->session->opened, UINT32_MAX);
	conn = fake_open(fake, WHO(.service = "s31"));
	ck_assert_uint_eq(conn->session->opened, UINT32_C(1) << 31);
	fake_destroy(fake);
}
END_TEST

/* ---- starting and stopping ---- */

START_TEST(one_that_fails_to_start_is_not_there)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts failing = { .start_rc = -EIO };
	struct hook_counts counts = { 0 };
	unsigned index = 99;
	next_state = &failing;
	ck_assert_int_eq(px_broker_add_service(fake->broker, &alpha, NULL, &index), -EIO);
	ck_assert_uint_eq(index, 99);
	ck_assert_ptr_null(px_broker_service(fake->broker, 0));
	/* Its place and name are free. */
	ck_assert_uint_eq(add(fake, &alpha, &counts), 0);
	fake_destroy(fake);
	ck_assert_uint_eq(failing.stops, 0);
	ck_assert_uint_eq(counts.starts, 1);
	ck_assert_uint_eq(counts.stops, 1);
}
END_TEST

START_TEST(options_may_change)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts_of[2] = { { 0 }, { 0 } };
	add(fake, &alpha, &counts_of[0]);
	add(fake, &beta, &counts_of[1]);
	ck_assert_int_eq(px_broker_configure(fake->broker, 0, NULL), -EBUSY);
	ck_assert_uint_eq(counts_of[0].configures, 1);
	ck_assert_int_eq(px_broker_configure(fake->broker, 1, NULL), -ENOTSUP);
	fake_destroy(fake);
}
END_TEST

/* ---- in a session ---- */

START_TEST(is_opened_and_closed_once)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts_of[2] = { { 0 }, { 0 } };
	struct hook_counts *counts = &counts_of[0];
	add(fake, &alpha, &counts_of[0]);
	add(fake, &beta, &counts_of[1]);
	struct fake_conn *conn = fake_open(fake, WHO(.practices = "1 2 3"));
	ck_assert_uint_eq(counts->opens, 1);
	ck_assert_str_eq(counts->entered, "123");
	ask(conn, "{\"type\":\"alpha_call\"}", NULL);
	ask(conn, "{\"type\":\"beta_call\"}", NULL);
	ck_assert_uint_eq(counts->calls, 1);
	ck_assert_uint_eq(counts_of[1].calls, 1);
	px_session_close(conn->session, PX_CLOSE_NORMAL);
	fake_turn(fake);
	fake_turn(fake);
	fake_settle(fake);
	ck_assert_uint_eq(counts->closes, 1);
	fake_destroy(fake);
	ck_assert_uint_eq(counts->opens, 1);
	ck_assert_uint_eq(counts->closes, 1);
}
END_TEST

START_TEST(each_has_a_state_of_its_own)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts[3] = { { 0 }, { 0 }, { 0 } };
	add(fake, &alpha, &counts[0]);
	add(fake, &beta, &counts[1]);
	add(fake, &gamma_service, &counts[2]);
	struct fake_conn *first = fake_open(fake, WHO(0));
	struct fake_conn *second = fake_open(fake, WHO(0));
	for (unsigned i = 2; i <= 4; i++) { /* opened with 1 in it */
		ask(first, "{\"type\":\"gamma_call\"}", NULL);
		ck_assert_uint_eq(counts[2].calls, i);
	}
	ask(first, "{\"type\":\"alpha_call\"}", NULL);
	ask(second, "{\"type\":\"gamma_call\"}", NULL);
	ck_assert_uint_eq(counts[2].calls, 2);
	/* And none where no service needs one. */
	struct fake_conn *third = fake_open(fake, WHO(.service = "beta"));
	ask(third, "{\"type\":\"beta_call\"}", NULL);
	fake_destroy(fake);
	ck_assert_uint_eq(counts[0].closes, 2);
	ck_assert_uint_eq(counts[2].closes, 2);
}
END_TEST

START_TEST(may_refuse_a_session)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { .open_rc = -EACCES };
	add(fake, &alpha, &counts);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ck_assert_uint_eq(counts.opens, 1);
	ck_assert_uint_eq(counts.enters, 0);
	ask(conn, "{\"type\":\"alpha_call\"}", "{'code':'service_disabled'}");
	/* A change of the realm is another chance, with a clean state. */
	counts.open_rc = 0;
	switch_services(fake, 1);
	ck_assert_uint_eq(counts.opens, 2);
	ck_assert_uint_eq(counts.enters, 1);
	ask(conn, "{\"type\":\"alpha_call\"}", NULL);
	ck_assert_uint_eq(counts.calls, 1);
	fake_destroy(fake);
	ck_assert_uint_eq(counts.closes, 1);
}
END_TEST

START_TEST(the_greeting_names_those_that_took_the_session)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts_of[2] = { { .open_rc = -EACCES }, { 0 } };
	add(fake, &alpha, &counts_of[0]);
	add(fake, &beta, &counts_of[1]);
	struct fake_conn *conn = fake_connect(fake, WHO(0));
	fake_turn(fake);
	fake_expect(conn, "{'type':'connection_established','services':['beta']}");
	fake_destroy(fake);
}
END_TEST

START_TEST(an_unauthenticated_session_is_of_no_service)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { 0 };
	add(fake, &alpha, &counts);
	fake->realm.auth_ms = 10000;
	struct fake_conn *conn = fake_connect(fake, WHO(.unauthenticated = true));
	fake_turn(fake);
	/* What there is to authenticate for. */
	fake_expect(conn, "{'type':'connection_established','services':['alpha']}");
	switch_services(fake, 0);
	switch_services(fake, 1);
	ck_assert_uint_eq(counts.opens, 0);
	ask(conn, "{\"type\":\"alpha_call\"}", "{'code':'unauthenticated'}");
	fake_destroy(fake);
	ck_assert_uint_eq(counts.opens, 0);
	ck_assert_uint_eq(counts.closes, 0);
}
END_TEST

START_TEST(one_that_refused_is_not_closed)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { .open_rc = -EACCES };
	add(fake, &alpha, &counts);
	fake_open(fake, WHO(0));
	fake_destroy(fake);
	ck_assert_uint_eq(counts.opens, 1);
	ck_assert_uint_eq(counts.closes, 0);
}
END_TEST

START_TEST(is_entered_when_a_practice_is_bound)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts_of[2] = { { 0 }, { 0 } };
	add(fake, &alpha, &counts_of[0]);
	add(fake, &beta, &counts_of[1]);
	struct fake_conn *conn = fake_open(fake, WHO(.practices = ""));
	ck_assert_uint_eq(counts_of[0].enters, 0);
	/* Bound by a message of one, entered by all. */
	ask(conn, "{\"type\":\"beta_call\",\"practiceId\":5}", NULL);
	ck_assert_str_eq(counts_of[0].entered, "5");
	fake_destroy(fake);
}
END_TEST

START_TEST(a_session_may_be_of_one_service_alone)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts_of[2] = { { 0 }, { 0 } };
	add(fake, &alpha, &counts_of[0]);
	add(fake, &beta, &counts_of[1]);
	struct fake_conn *conn = fake_connect(fake, WHO(.service = "beta"));
	fake_turn(fake);
	fake_expect(conn, "{'services':['beta']}");
	ck_assert_uint_eq(counts_of[0].opens, 0);
	ask(conn, "{\"type\":\"alpha_call\"}", "{'code':'unknown_type'}");
	ask(conn, "{\"type\":\"beta_call\"}", NULL);
	ask(conn, "{\"type\":\"ping\"}", "{'type':'pong'}");
	ck_assert_uint_eq(counts_of[1].calls, 1);
	fake_destroy(fake);
	ck_assert_uint_eq(counts_of[0].closes, 0);
}
END_TEST

START_TEST(is_switched_off_and_on)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { 0 };
	add(fake, &alpha, &counts);
	struct fake_conn *before = fake_open(fake, WHO(0));
	switch_services(fake, 0);
	ask(before, "{\"type\":\"alpha_call\"}", "{'code':'service_disabled','ref':'alpha_call'}");
	ask(before, "{\"type\":\"alpha_none\"}", "{'code':'unknown_type'}");
	struct fake_conn *meanwhile = fake_open(fake, WHO(0));
	ck_assert_uint_eq(counts.opens, 1);
	switch_services(fake, 1);
	/* Who had it kept it; who came meanwhile gets it now. */
	ck_assert_uint_eq(counts.opens, 2);
	ck_assert_uint_eq(counts.enters, 2);
	ask(before, "{\"type\":\"alpha_call\"}", NULL);
	ask(meanwhile, "{\"type\":\"alpha_call\"}", NULL);
	switch_services(fake, 0);
	switch_services(fake, 1);
	ck_assert_uint_eq(counts.opens, 2);
	/* Enabled, but the sessions were not told yet. */
	ck_assert_uint_eq(counts.calls, 2);
	fake_destroy(fake);
	ck_assert_uint_eq(counts.closes, 2);
}
END_TEST

START_TEST(realms_are_switched_apart)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { 0 };
	struct px_realm other = { 0 };
	add(fake, &alpha, &counts);
	struct fake_conn *here = fake_open(fake, WHO(0));
	struct fake_conn *there = fake_open(fake, WHO(.realm = &other));
	ask(there, "{\"type\":\"alpha_call\"}", "{'code':'service_disabled'}");
	other.enabled = 1;
	px_broker_realm_changed(fake->broker, &fake->realm);
	ck_assert_uint_eq(counts.opens, 1);
	/* Enabled, and the sessions were not told: still refused, never half open. */
	ask(there, "{\"type\":\"alpha_call\"}", "{'code':'service_disabled'}");
	px_broker_realm_changed(fake->broker, &other);
	ck_assert_uint_eq(counts.opens, 2);
	ask(there, "{\"type\":\"alpha_call\"}", NULL);
	switch_services(fake, 0);
	ask(there, "{\"type\":\"alpha_call\"}", NULL);
	ask(here, "{\"type\":\"alpha_call\"}", "{'code':'service_disabled'}");
	fake_destroy(fake);
}
END_TEST

START_TEST(one_that_is_closing_is_not_opened)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { 0 };
	add(fake, &alpha, &counts);
	fake->realm.enabled = 0;
	struct fake_conn *conn = fake_open(fake, WHO(0));
	px_session_close(conn->session, PX_CLOSE_NORMAL);
	switch_services(fake, 1);
	ck_assert_uint_eq(counts.opens, 0);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_service_comes_to_many_sessions)
{
	enum { COUNT = 20 };
	struct fake *fake = fake_create(NULL);
	struct px_realm other = fake->realm;
	struct hook_counts counts = { 0 };
	add(fake, &alpha, &counts);
	switch_services(fake, 0);
	other.enabled = 0;
	struct fake_conn *conns[COUNT];
	for (unsigned i = 0; i < COUNT; i++) {
		conns[i] = fake_open(fake, i % 2 ? WHO(.realm = &other) : WHO(0));
	}
	fake->over_budget = true;
	fake->realm.enabled = other.enabled = 1;
	px_broker_realm_changed(fake->broker, &other);
	ck_assert_uint_eq(counts.opens, 4);
	px_broker_realm_changed(fake->broker, &fake->realm);
	ck_assert_uint_eq(counts.opens, 8);
	/* Its turn has not come, and it does not notice. */
	fake_send(conns[COUNT - 1], "{\"type\":\"alpha_call\"}");
	ck_assert_uint_eq(counts.calls, 1);
	ck_assert_uint_eq(counts.opens, 9);
	fake_lose(conns[8]);
	while (fake_turn(fake)) {
	}
	fake->over_budget = false;
	ck_assert_uint_eq(counts.opens, COUNT - 1);
	ask(conns[COUNT - 2], "{\"type\":\"alpha_call\"}", NULL);
	fake_destroy(fake);
}
END_TEST

START_TEST(a_service_comes_while_sessions_are_open)
{
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts_of[2] = { { 0 }, { 0 } };
	add(fake, &beta, &counts_of[1]);
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ask(conn, "{\"type\":\"alpha_call\"}", "{'code':'unknown_type'}");
	add(fake, &alpha, &counts_of[0]);
	px_broker_realm_changed(fake->broker, &fake->realm);
	ask(conn, "{\"type\":\"alpha_call\"}", NULL);
	ck_assert_uint_eq(counts_of[0].calls, 1);
	fake_destroy(fake);
	ck_assert_uint_eq(counts_of[0].closes, 1);
}
END_TEST

START_TEST(a_service_that_was_never_loaded_may_be_known)
{
	static const char *const disabled[] = { "gamma", "delta" };
	struct fake *fake = fake_create(NULL);
	struct hook_counts counts = { 0 };
	add(fake, &beta, &counts);
	fake->realm.disabled = disabled;
	fake->realm.disabled_count = 2;
	struct fake_conn *conn = fake_open(fake, WHO(0));
	ask(conn, "{\"type\":\"delta_x\",\"id\":1}", "{'code':'service_disabled','id':1}");
	ask(conn, "{\"type\":\"delta\"}", "{'code':'service_disabled'}");
	ask(conn, "{\"type\":\"delt_x\"}", "{'code':'unknown_type'}");
	ask(conn, "{\"type\":\"beta_x\"}", "{'code':'unknown_type'}");
	/* For a session of one service, others do not exist. */
	conn = fake_open(fake, WHO(.service = "beta"));
	ask(conn, "{\"type\":\"delta_x\"}", "{'code':'unknown_type'}");
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("services", a_descriptor_must_be_of_this_abi, a_service_has_a_plain_name,
		a_table_must_be_sorted, a_type_begins_with_its_services_name,
		a_service_may_name_more_prefixes, an_older_descriptor_has_its_name_alone,
		no_two_services_have_the_same_prefix, what_is_wrong_names_the_type,
		a_name_is_taken_once_and_places_run_out, one_that_fails_to_start_is_not_there,
		options_may_change, is_opened_and_closed_once, each_has_a_state_of_its_own,
		may_refuse_a_session,
		the_greeting_names_those_that_took_the_session,
		an_unauthenticated_session_is_of_no_service, one_that_refused_is_not_closed,
		is_entered_when_a_practice_is_bound,
		a_session_may_be_of_one_service_alone, is_switched_off_and_on,
		realms_are_switched_apart, one_that_is_closing_is_not_opened,
		a_service_comes_to_many_sessions,
		a_service_comes_while_sessions_are_open,
		a_service_that_was_never_loaded_may_be_known);
