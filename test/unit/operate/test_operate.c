/* SPDX-License-Identifier: MIT */
/*
 * Operating: who sees and touches what, lists page by page, acts, publishing. The service here
 * has a hall for each practice and rooms for who asks; its `publish` is the plainest that works.
 */
#include <praxis/host/outcome.h>
#include <praxis/operate.h>

#include "channel/channel.h"
#include "fake.h"
#include "operate/operate.h"
#include "core/session.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static const struct px_channel_limits kept = { .history_count = 10, .history_bytes = 100000,
	.history_age_ms = 60000 };
static const struct px_channel_kind hall_kind = { .name = "hall", .has_history = true };
static const struct px_channel_kind room_kind = { .name = "room", .is_room = true };
static const struct px_service service;

static void on_enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct px_member *member;
	bool is_new;
	(void)state;
	ck_assert_int_eq(px_channel_join(session, &service, &hall_kind, practice, px_span(""),
			&kept, &member, &is_new), 0);
}

static int handle_join(struct px_call *call)
{
	char room[PX_ID_MAX + 1];
	struct px_member *member;
	struct px_id id;
	bool is_new;
	ck_assert_int_eq(px_envelope_id(call->message, "roomId", room, &id), 0);
	return px_channel_join(call->session, &service, &room_kind, call->practice, id.text, &kept,
			&member, &is_new);
}

static int on_publish(void *state, struct px_publication *publication)
{
	(void)state;
	if (strcmp(publication->type, "desk_news") != 0) {
		return px_publication_fail(publication, PX_E_UNKNOWN_TYPE, "type", "Not this one.");
	}
	struct px_channel *channel = px_publication_channel(publication, px_span(""));
	if (channel) {
		publication->seq = px_channel_seq(channel) + 1;
		struct px_message *message = px_publication_message(publication, publication->seq);
		px_publication_announce(publication, channel, message);
		px_message_unref(publication->broker, message);
	}
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "desk_join", .handle = handle_join, .roles = PX_ROLES_ALL },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "desk",
	.summary = "is operated upon",
	.commands = commands,
	.command_count = 1,
	.enter = on_enter,
	.publish = on_publish,
};

static struct fake *make(void)
{
	struct fake *fake = fake_create(NULL);
	fake->realm.tenant = "t";
	fake_add_service(fake, &service, NULL);
	return fake;
}

/* One who comes over HTTP: an identity without a session. */
struct caller {
	struct px_operator operator;
	struct px_identity *identity;
};

static struct caller call_as(struct fake *fake, const char *tenant, const char *practices)
{
	struct caller caller;
	bool all = strcmp(practices, "*") == 0;
	struct px_id id = { { practices, strlen(practices) }, false };
	struct px_claims claims = {
		.tenant = px_span(tenant),
		.practices = &id,
		.practice_count = all ? 0 : 1,
		.all_practices = all,
		.role = PX_ROLE_ADMIN,
		.authenticated = true,
	};
	ck_assert_int_eq(px_identity_create(fake->broker, &claims, &caller.identity), 0);
	caller.operator = (struct px_operator){
		.broker = fake->broker,
		.identity = caller.identity,
		.realm = &fake->realm,
	};
	return caller;
}

static void hang_up(struct fake *fake, struct caller *caller)
{
	px_identity_destroy(fake->broker, caller->identity);
}

typedef int (*list_fn)(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail);

/* A page as json-c reads it; the caller's. */
static struct json_object *page_of(const struct px_operator *operator, list_fn list,
		struct px_page page)
{
	struct px_json json;
	struct px_error_detail detail;
	px_json_begin(&json, NULL);
	ck_assert_int_eq(list(operator, &page, &json, &detail), 0);
	px_json_end(&json);
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, json.data, (int)json.len);
	json_tokener_free(tokener);
	ck_assert_msg(object != NULL, "not JSON: %.*s", (int)json.len, json.data);
	px_json_finish(&json);
	return object;
}

static size_t rows(struct json_object *page, const char *name)
{
	return json_object_array_length(json_object_object_get(page, name));
}

static uint64_t next_of(struct json_object *page)
{
	return (uint64_t)json_object_get_int64(json_object_object_get(page, "next"));
}

static size_t count_all(const struct px_operator *operator, list_fn list, const char *name,
		uint32_t limit)
{
	struct px_page page = { .limit = limit };
	size_t count = 0;
	do {
		struct json_object *object = page_of(operator, list, page);
		count += rows(object, name);
		page.after = next_of(object);
		json_object_put(object);
	} while (page.after != 0);
	return count;
}

START_TEST(sees_its_own_practices_alone)
{
	struct fake *fake = make();
	fake_open(fake, WHO(.practices = "1"));
	fake_open(fake, WHO(.practices = "2"));
	fake_open(fake, WHO(.practices = "1 2"));
	fake_open(fake, WHO(.tenant = "other", .practices = "1"));
	struct caller one = call_as(fake, "t", "1");
	struct caller all = call_as(fake, "t", "*");
	struct caller other = call_as(fake, "other", "*");
	ck_assert_uint_eq(count_all(&one.operator, px_operate_clients, "clients", 0), 2);
	ck_assert_uint_eq(count_all(&all.operator, px_operate_clients, "clients", 0), 3);
	ck_assert_uint_eq(count_all(&other.operator, px_operate_clients, "clients", 0), 1);

	/* Of a client that it shares, it learns its own practice and no other. */
	struct json_object *page = page_of(&one.operator, px_operate_clients,
			(struct px_page){ .after = 0 });
	struct json_object *last = json_object_array_get_idx(
			json_object_object_get(page, "clients"), 1);
	ck_assert_str_eq(json_object_to_json_string_ext(json_object_object_get(last, "practices"),
			JSON_C_TO_STRING_PLAIN), "[1]");
	json_object_put(page);

	ck_assert(!px_operator_is_server_admin(&one.operator));
	ck_assert(px_operator_is_server_admin(&all.operator));
	ck_assert(!px_operator_is_server_admin(&other.operator));
	hang_up(fake, &one);
	hang_up(fake, &all);
	hang_up(fake, &other);
	fake_destroy(fake);
}
END_TEST

START_TEST(refuses_what_it_may_not_name)
{
	struct fake *fake = make();
	struct caller one = call_as(fake, "t", "1");
	struct caller all = call_as(fake, "t", "*");
	struct px_json json;
	struct px_error_detail detail;
	px_json_begin(&json, NULL);
	ck_assert_int_eq(px_operate_clients(&one.operator,
			&(struct px_page){ .practice = px_span("2") }, &json, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_FORBIDDEN);
	ck_assert_str_eq(detail.field, "practiceId");
	ck_assert_int_eq(px_operate_rooms(&one.operator,
			&(struct px_page){ .service = px_span("nothing") }, &json, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_NOT_FOUND);
	ck_assert_str_eq(detail.field, "service");
	px_json_finish(&json);
	/* All may be named, also where nobody is. */
	struct json_object *page = page_of(&all.operator, px_operate_clients,
			(struct px_page){ .practice = px_span("77") });
	ck_assert_uint_eq(rows(page, "clients"), 0);
	json_object_put(page);
	ck_assert_uint_eq(fake_stats(fake).practices, 0); /* who operates over HTTP is not in it */
	hang_up(fake, &one);
	hang_up(fake, &all);
	fake_destroy(fake);
}
END_TEST

/* Everybody once, in the order of coming, while others come and go between the pages. */
START_TEST(reads_page_by_page_while_clients_come_and_go)
{
	struct fake *fake = make();
	struct fake_conn *conns[300];
	char seen[300] = { 0 };
	for (int i = 0; i < 300; i++) {
		conns[i] = fake_open(fake, WHO(.practices = "1"));
	}
	struct caller one = call_as(fake, "t", "1");
	struct px_page page = { .limit = 7 };
	int turn = 0;
	do {
		struct json_object *object = page_of(&one.operator, px_operate_clients, page);
		struct json_object *list = json_object_object_get(object, "clients");
		ck_assert_uint_le(json_object_array_length(list), 7);
		for (size_t k = 0; k < json_object_array_length(list); k++) {
			const char *id = fake_member(json_object_array_get_idx(list, k), "clientId");
			for (int i = 0; i < 300; i++) {
				seen[i] += strcmp(id, conns[i]->client_id) == 0;
			}
		}
		page.after = next_of(object);
		json_object_put(object);
		/* Some of those that were listed go, and some that were not. */
		if (turn < 40) {
			fake_lose(conns[turn]);
			fake_lose(conns[250 + turn]);
			fake_turn(fake);
			fake_open(fake, WHO(.practices = "1"));
		}
		turn++;
	} while (page.after != 0);
	for (int i = 40; i < 250; i++) {
		ck_assert_msg(seen[i] == 1, "client %d was listed %d times", i, seen[i]);
	}
	hang_up(fake, &one);
	fake_destroy(fake);
}
END_TEST

START_TEST(looks_at_a_bounded_number_for_a_page)
{
	struct fake *fake = make();
	for (int i = 0; i < PX_PAGE_LOOKS + 500; i++) {
		fake_open(fake, WHO(.practices = "2"));
	}
	fake_open(fake, WHO(.practices = "1"));
	struct caller one = call_as(fake, "t", "1");
	struct json_object *page = page_of(&one.operator, px_operate_clients,
			(struct px_page){ .limit = 10 });
	ck_assert_uint_eq(rows(page, "clients"), 0);
	ck_assert_uint_ge(next_of(page), PX_PAGE_LOOKS);
	struct json_object *rest = page_of(&one.operator, px_operate_clients,
			(struct px_page){ .limit = 10, .after = next_of(page) });
	ck_assert_uint_eq(rows(rest, "clients"), 1);
	ck_assert_ptr_null(json_object_object_get(rest, "next"));
	json_object_put(page);
	json_object_put(rest);
	hang_up(fake, &one);
	fake_destroy(fake);
}
END_TEST

START_TEST(lists_rooms)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "\"2\""));
	fake_say(ann, "{\"type\":\"desk_join\",\"roomId\":\"r\"}");
	fake_say(bob, "{\"type\":\"desk_join\",\"roomId\":\"r\"}");
	struct caller one = call_as(fake, "t", "1");
	struct caller all = call_as(fake, "t", "*");
	ck_assert_uint_eq(count_all(&all.operator, px_operate_rooms, "rooms", 1), 2);
	struct json_object *page = page_of(&one.operator, px_operate_rooms,
			(struct px_page){ .service = px_span("desk") });
	ck_assert_uint_eq(rows(page, "rooms"), 1);
	struct json_object *room = json_object_array_get_idx(
			json_object_object_get(page, "rooms"), 0);
	ck_assert_str_eq(fake_member(room, "roomId"), "r");
	ck_assert_str_eq(fake_member(room, "service"), "desk");
	ck_assert_str_eq(fake_member(room, "members"), "1");
	ck_assert(json_object_is_type(json_object_object_get(room, "practiceId"), json_type_int));
	json_object_put(page);
	hang_up(fake, &one);
	hang_up(fake, &all);
	fake_destroy(fake);
}
END_TEST

static int disconnect(const struct caller *caller, const struct fake_conn *conn,
		struct px_error_detail *detail)
{
	return px_operate_disconnect(&caller->operator, px_span(conn->client_id),
			px_span("because"), detail);
}

START_TEST(disconnects_its_own)
{
	struct fake *fake = make();
	struct fake_conn *own = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *shared = fake_open(fake, WHO(.practices = "1 2"));
	struct fake_conn *far = fake_open(fake, WHO(.practices = "2"));
	struct caller one = call_as(fake, "t", "1");
	struct px_error_detail detail;
	ck_assert_int_eq(disconnect(&one, far, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_NOT_FOUND);
	ck_assert_int_eq(disconnect(&one, shared, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_FORBIDDEN);
	ck_assert_int_eq(disconnect(&one, own, &detail), 0);
	fake_turn(fake);
	fake_expect(own, "{'type':'disconnecting','reason':'because'}");
	ck_assert_int_eq(own->close_code, 1000);
	ck_assert_int_eq(far->close_code, FAKE_OPEN);
	/* Once is enough. */
	ck_assert_int_eq(disconnect(&one, own, &detail), -1);
	ck_assert_int_eq(detail.code, PX_E_NOT_FOUND);
	ck_assert_int_eq(px_operate_disconnect(&one.operator, px_span("nobody"), px_span(""),
			&detail), -1);
	hang_up(fake, &one);
	fake_destroy(fake);
}
END_TEST

START_TEST(ends_rooms_of_its_own)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct caller one = call_as(fake, "t", "1");
	struct caller two = call_as(fake, "t", "2");
	struct caller other = call_as(fake, "other", "*");
	struct px_span desk = px_span("desk");
	struct px_error_detail detail;
	fake_say(ann, "{\"type\":\"desk_join\",\"roomId\":\"r\"}");
	ck_assert_int_eq(px_operate_end_room(&two.operator, desk, px_span("1"), px_span("r"),
			&detail), -1);
	ck_assert_int_eq(detail.code, PX_E_FORBIDDEN);
	ck_assert_int_eq(px_operate_end_room(&other.operator, desk, px_span("1"), px_span("r"),
			&detail), -1);
	ck_assert_int_eq(detail.code, PX_E_NOT_FOUND);
	ck_assert_int_eq(px_operate_end_room(&one.operator, px_span("x"), px_span("1"), px_span("r"),
			&detail), -1);
	ck_assert_str_eq(detail.field, "service");
	/* The practice's hall is no room. */
	ck_assert_int_eq(px_operate_end_room(&one.operator, desk, px_span("1"), px_span(""),
			&detail), -1);
	ck_assert_uint_eq(fake_stats(fake).rooms, 1);
	ck_assert_int_eq(px_operate_end_room(&one.operator, desk, px_span("1"), px_span("r"),
			&detail), 0);
	ck_assert_uint_eq(fake_stats(fake).rooms, 0);
	hang_up(fake, &one);
	hang_up(fake, &two);
	hang_up(fake, &other);
	fake_destroy(fake);
}
END_TEST

static int publish(const struct caller *caller, const char *text, struct px_published *published,
		struct px_error_detail *detail)
{
	return px_operate_publish(&caller->operator, NULL, px_span(text), published, detail);
}

START_TEST(publishes_to_the_practice)
{
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *bob = fake_open(fake, WHO(.practices = "1"));
	struct fake_conn *far = fake_open(fake, WHO(.tenant = "other", .practices = "1"));
	struct caller one = call_as(fake, "t", "1");
	struct px_published published;
	struct px_error_detail detail;
	ck_assert_int_eq(publish(&one, "{\"type\":\"desk_news\",\"practiceId\":\"1\",\"seq\":99,"
			"\"clientId\":\"forged\",\"timestamp\":1,\"data\":{\"n\":1.50}}", &published,
			&detail), 0);
	ck_assert_uint_eq(published.seq, 1);
	ck_assert_uint_eq(published.delivered, 2);
	ck_assert_uint_eq(fake_stats(fake).published, 1);
	fake_turn(fake);
	const char *text = fake_text(ann);
	ck_assert_ptr_nonnull(strstr(text, "\"data\":{\"n\":1.50}"));
	ck_assert_ptr_null(strstr(text, "forged"));
	ck_assert_ptr_null(strstr(text, "99"));
	ck_assert_ptr_nonnull(strstr(text, "\"practiceId\":\"1\""));
	fake_expect(bob, "{'type':'desk_news','clientId':'server','seq':1}");
	fake_expect_nothing(far);
	hang_up(fake, &one);
	fake_destroy(fake);
}
END_TEST

START_TEST(publishes_nothing_that_is_not_in_order)
{
	static const struct {
		const char *text;
		enum px_error code;
		const char *field;
	} table[] = {
		{ "", PX_E_BAD_JSON, NULL },
		{ "{\"type\":", PX_E_BAD_JSON, NULL },
		{ "[]", PX_E_BAD_MESSAGE, NULL },
		{ "{\"practiceId\":1}", PX_E_BAD_MESSAGE, "type" },
		{ "{\"type\":5,\"practiceId\":1}", PX_E_BAD_MESSAGE, "type" },
		{ "{\"type\":\"desk_news\"}", PX_E_BAD_MESSAGE, "practiceId" },
		{ "{\"type\":\"desk_news\",\"practiceId\":{}}", PX_E_BAD_MESSAGE, "practiceId" },
		{ "{\"type\":\"desk_news\",\"practiceId\":2}", PX_E_FORBIDDEN, "practiceId" },
		{ "{\"type\":\"desk_join\",\"practiceId\":1}", PX_E_UNKNOWN_TYPE, "type" },
		{ "{\"type\":\"desk\",\"practiceId\":1}", PX_E_UNKNOWN_TYPE, "type" },
		{ "{\"type\":\"ping\",\"practiceId\":1}", PX_E_UNKNOWN_TYPE, "type" },
		{ "{\"type\":\"nobody_news\",\"practiceId\":1}", PX_E_UNKNOWN_TYPE, "type" },
	};
	struct fake *fake = make();
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct caller one = call_as(fake, "t", "1");
	struct px_published published;
	struct px_error_detail detail;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ck_assert_int_eq(publish(&one, table[i].text, &published, &detail), -1);
		ck_assert_msg(detail.code == table[i].code, "%s: %s", table[i].text,
				px_error_name(detail.code));
		ck_assert_pstr_eq(detail.field, table[i].field);
	}
	fake->realm.enabled = 0;
	ck_assert_int_eq(publish(&one, "{\"type\":\"desk_news\",\"practiceId\":1}", &published,
			&detail), -1);
	ck_assert_int_eq(detail.code, PX_E_SERVICE_DISABLED);
	ck_assert_uint_eq(fake_stats(fake).published, 0);
	fake_turn(fake);
	fake_expect_nothing(ann);
	hang_up(fake, &one);
	fake_destroy(fake);
}
END_TEST

START_TEST(publishes_where_nobody_is)
{
	struct fake *fake = make();
	struct caller all = call_as(fake, "t", "*");
	struct px_published published;
	struct px_error_detail detail;
	ck_assert_int_eq(publish(&all, "{\"type\":\"desk_news\",\"practiceId\":5}", &published,
			&detail), 0);
	ck_assert_uint_eq(published.delivered, 0);
	ck_assert_uint_eq(published.seq, 0);
	ck_assert_uint_eq(fake_stats(fake).practices, 0);
	hang_up(fake, &all);
	fake_destroy(fake);
}
END_TEST

static void note_outcome(void *user, const struct px_outcome *outcome)
{
	struct px_outcome *seen = user;
	static struct px_error_detail detail;
	*seen = *outcome;
	if (outcome->detail) {
		detail = *outcome->detail;
		seen->detail = &detail;
	}
}

START_TEST(tells_outcomes_at_once)
{
	struct fake *fake = make();
	struct caller one = call_as(fake, "t", "1");
	struct fake_conn *ann = fake_open(fake, WHO(.practices = "1"));
	struct px_outcome seen = { .detail = NULL };
	struct px_operate_done done = { note_outcome, &seen };
	px_operate_publish_then(&one.operator, NULL,
			px_span("{\"type\":\"desk_news\",\"practiceId\":1}"), &done);
	ck_assert_ptr_null(seen.detail);
	ck_assert_uint_eq(seen.published.seq, 1);
	ck_assert_uint_eq(seen.published.delivered, 1);
	px_operate_publish_then(&one.operator, NULL,
			px_span("{\"type\":\"desk_news\",\"practiceId\":2}"), &done);
	ck_assert_ptr_nonnull(seen.detail);
	ck_assert_int_eq(seen.detail->code, PX_E_FORBIDDEN);
	fake_say(ann, "{\"type\":\"desk_join\",\"roomId\":\"r\"}");
	px_operate_end_room_then(&one.operator, px_span("desk"), px_span("1"), px_span("r"), &done);
	ck_assert_ptr_null(seen.detail);
	px_operate_end_room_then(&one.operator, px_span("desk"), px_span("1"), px_span("r"), &done);
	ck_assert_int_eq(seen.detail->code, PX_E_NOT_FOUND);
	hang_up(fake, &one);
	fake_destroy(fake);
}
END_TEST

RUN_TESTS("operate", tells_outcomes_at_once, sees_its_own_practices_alone, refuses_what_it_may_not_name,
		reads_page_by_page_while_clients_come_and_go, looks_at_a_bounded_number_for_a_page,
		lists_rooms, disconnects_its_own, ends_rooms_of_its_own, publishes_to_the_practice,
		publishes_nothing_that_is_not_in_order, publishes_where_nobody_is);
