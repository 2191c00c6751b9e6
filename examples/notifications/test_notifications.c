/* SPDX-License-Identifier: MIT */
/*
 * The service on a broker without a server: sessions are opened, messages passed in, and what the
 * clients would get is compared. All that it takes is installed: libpraxis has the broker, and
 * praxis/host/ what a host needs of it. The host below is one for tests: it has no sockets, its
 * clock stands still, and its frames are read as RFC 6455 section 5.2 has them of a server.
 */
#include <praxis/host/broker.h>
#include <praxis/plugin.h>

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What praxisd finds in the file. */
extern const lws_plugin_protocol_t svc_notifications;

/* ---- a host ---- */

struct client {
	struct px_session *session;
	char inbox[8192]; /* messages, a line each */
	size_t len;
	bool is_closed;
	struct json_object *message; /* the latest of next() */
};

static struct px_broker *broker;
static struct px_realm realm;
static struct px_options *options;

static int on_write(void *conn, const uint8_t *bytes, size_t len)
{
	struct client *client = conn;
	for (size_t at = 0; at < len;) {
		size_t size = bytes[at + 1];
		size_t header = 2;
		if (size == 126) {
			size = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
			header = 4;
		}
		ck_assert_uint_lt(client->len + size + 1, sizeof(client->inbox));
		memcpy(client->inbox + client->len, bytes + at + header, size);
		client->len += size;
		client->inbox[client->len++] = '\n';
		at += header + size;
	}
	return 0;
}

static bool on_busy(void *conn)
{
	(void)conn;
	return false;
}

static void on_close(void *conn, uint16_t code)
{
	struct client *client = conn;
	(void)code;
	client->is_closed = true;
}

static void on_bind(void *conn, struct px_session *session)
{
	struct client *client = conn;
	client->session = session;
}

static void on_random(void *user, void *buf, size_t len)
{
	static unsigned state = 1;
	(void)user;
	for (size_t i = 0; i < len; i++) {
		state = state * 1103515245 + 12345;
		((uint8_t *)buf)[i] = (uint8_t)(state >> 16);
	}
}

static void on_log(void *user, int level, const char *line)
{
	(void)user;
	(void)level;
	(void)fprintf(stderr, "%s\n", line);
}

static void end_turn(void)
{
	while (px_broker_end_turn(broker)) {
	}
}

static void begin(void)
{
	static const struct px_transport transport = { on_write, on_busy, on_close, on_bind };
	static const struct px_broker_host host = { .random = on_random, .log = on_log };
	static const struct px_limits limits = {
		.queue_bytes = 65536,
		.rooms_per_session = 16,
		.channels = 100,
		.practices = 100,
		.message_bytes = 65536,
	};
	const struct px_service *service = svc_notifications.protocols[0].user;
	unsigned index;
	ck_assert_int_eq(px_broker_create(&transport, &host, &limits, &broker), 0);
	px_broker_set_time(broker, 1000000, INT64_C(1700000000000));
	ck_assert_int_eq(px_options_create(service->options, NULL, 0, NULL, NULL, &options), 0);
	ck_assert_int_eq(px_broker_add_service(broker, service, options, &index), 0);
	realm = (struct px_realm){ .name = "default", .enabled = 1U << index };
}

static void end(void)
{
	end_turn();
	px_broker_destroy(broker);
	px_options_destroy(options);
}

static struct px_identity *identity_of(const char *user, const char *practice, enum px_role role)
{
	struct px_identity *identity;
	struct px_id id = { .text = px_span(practice), .number = true };
	struct px_claims claims = {
		.tenant = px_span("t"),
		.practices = &id,
		.practice_count = 1,
		.user = { .text = px_span(user) },
		.role = role,
		.authenticated = true,
	};
	ck_assert_int_eq(px_identity_create(broker, &claims, &identity), 0);
	return identity;
}

static struct client *enter(const char *user, const char *practice, enum px_role role)
{
	struct client *client = calloc(1, sizeof(*client));
	ck_assert_ptr_nonnull(client);
	struct px_session_params params = {
		.realm = &realm,
		.conn = client,
		.service = -1,
		.identity = identity_of(user, practice, role),
	};
	ck_assert_int_eq(px_session_open(broker, &params, &client->session), 0);
	end_turn();
	ck_assert_ptr_nonnull(strstr(client->inbox, "\"connection_established\""));
	client->len = 0;
	return client;
}

static void leave(struct client *client)
{
	px_session_lost(client->session, PX_LOSS_GOODBYE);
	end_turn();
	json_object_put(client->message);
	free(client);
}

static void say(struct client *client, const char *text)
{
	px_session_receive(client->session, (const uint8_t *)text, strlen(text));
	end_turn();
}

static const char *member(struct client *client, const char *key)
{
	struct json_object *value = json_object_object_get(client->message, key);
	return value ? json_object_get_string(value) : "";
}

/* The next message that the client got, which must be of that type. */
static void next(struct client *client, const char *type)
{
	char *line_end = memchr(client->inbox, '\n', client->len);
	ck_assert_msg(line_end != NULL, "no %s has come", type);
	*line_end = '\0';
	json_object_put(client->message);
	client->message = json_tokener_parse(client->inbox);
	client->len -= (size_t)(line_end + 1 - client->inbox);
	memmove(client->inbox, line_end + 1, client->len);
	ck_assert_str_eq(member(client, "type"), type);
}

static void has_nothing(const struct client *client)
{
	ck_assert_uint_eq(client->len, 0);
}

/* ---- tests ---- */

START_TEST(reach_the_team_of_the_practice)
{
	begin();
	struct client *ann = enter("ann", "1", PX_ROLE_STAFF);
	struct client *bob = enter("bob", "1", PX_ROLE_STAFF);
	struct client *patient = enter("pat", "1", PX_ROLE_PATIENT);
	struct client *far = enter("far", "2", PX_ROLE_STAFF);
	say(ann, "{\"type\":\"notification_sent\",\"id\":1,\"notificationId\":7,\"text\":\"here\"}");
	next(ann, "ack");
	ck_assert_str_eq(member(ann, "seq"), "1");
	next(bob, "notification_sent");
	ck_assert_str_eq(member(bob, "text"), "here");
	ck_assert_str_eq(member(bob, "userId"), "ann");
	ck_assert_str_eq(member(bob, "seq"), "1");
	has_nothing(ann);
	has_nothing(patient);
	has_nothing(far);
	leave(ann);
	leave(bob);
	leave(patient);
	leave(far);
	end();
}
END_TEST

START_TEST(are_kept_for_who_comes_back)
{
	char since[256];
	begin();
	struct client *ann = enter("ann", "1", PX_ROLE_STAFF);
	say(ann, "{\"type\":\"notification_subscribe\"}");
	next(ann, "notification_subscribed");
	ck_assert_str_eq(member(ann, "recovered"), "false");
	(void)snprintf(since, sizeof(since), "{\"type\":\"notification_subscribe\",\"since\":"
			"{\"epoch\":\"%s\",\"seq\":0}}", member(ann, "epoch"));
	say(ann, "{\"type\":\"notification_sent\",\"notificationId\":1}");
	struct client *bob = enter("bob", "1", PX_ROLE_STAFF);
	say(bob, since);
	next(bob, "notification_subscribed");
	ck_assert_str_eq(member(bob, "recovered"), "true");
	next(bob, "notification_sent");
	ck_assert_str_eq(member(bob, "notificationId"), "1");
	say(bob, "{\"type\":\"notification_subscribe\",\"since\":{\"epoch\":\"other\",\"seq\":0}}");
	next(bob, "notification_subscribed");
	ck_assert_str_eq(member(bob, "recovered"), "false");
	has_nothing(bob);
	leave(ann);
	leave(bob);
	end();
}
END_TEST

START_TEST(are_read_on_all_screens_of_a_user)
{
	begin();
	struct client *one = enter("ann", "1", PX_ROLE_STAFF);
	struct client *two = enter("ann", "1", PX_ROLE_STAFF);
	struct client *bob = enter("bob", "1", PX_ROLE_STAFF);
	say(one, "{\"type\":\"notification_read\",\"notificationId\":\"n7\"}");
	next(two, "notification_read");
	ck_assert_str_eq(member(two, "notificationId"), "n7");
	has_nothing(one);
	has_nothing(bob);
	leave(one);
	leave(two);
	leave(bob);
	end();
}
END_TEST

START_TEST(come_from_the_application)
{
	struct px_published published;
	struct px_error_detail detail;
	begin();
	struct client *ann = enter("ann", "1", PX_ROLE_STAFF);
	struct px_identity *application = identity_of("", "1", PX_ROLE_SERVICE);
	struct px_operator operator = { .broker = broker, .identity = application, .realm = &realm };
	ck_assert_int_eq(px_operate_publish(&operator, NULL,
			px_span("{\"type\":\"notification_sent\",\"practiceId\":1,\"notificationId\":2}"),
			&published, &detail), 0);
	ck_assert_uint_eq(published.seq, 1);
	ck_assert_uint_eq(published.delivered, 1);
	end_turn();
	next(ann, "notification_sent");
	ck_assert_int_eq(px_operate_publish(&operator, NULL,
			px_span("{\"type\":\"notification_read\",\"practiceId\":1,\"notificationId\":2}"),
			&published, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_UNKNOWN_TYPE);
	px_identity_destroy(broker, application);
	leave(ann);
	end();
}
END_TEST

START_TEST(are_refused_with_a_sentence)
{
	begin();
	struct client *patient = enter("pat", "1", PX_ROLE_PATIENT);
	struct client *ann = enter("ann", "1", PX_ROLE_STAFF);
	say(patient, "{\"type\":\"notification_read\",\"notificationId\":1}");
	next(patient, "error");
	ck_assert_str_eq(member(patient, "code"), "forbidden");
	say(ann, "{\"type\":\"notification_subscribe\",\"since\":{\"epoch\":1}}");
	next(ann, "error");
	ck_assert_str_eq(member(ann, "code"), "bad_message");
	ck_assert_str_eq(member(ann, "field"), "since");
	leave(patient);
	leave(ann);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications");
	TCase *tcase = tcase_create("notifications");
	tcase_add_test(tcase, reach_the_team_of_the_practice);
	tcase_add_test(tcase, are_kept_for_who_comes_back);
	tcase_add_test(tcase, are_read_on_all_screens_of_a_user);
	tcase_add_test(tcase, come_from_the_application);
	tcase_add_test(tcase, are_refused_with_a_sentence);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
