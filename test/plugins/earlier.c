/* SPDX-License-Identifier: MIT */
/*
 * A service as docs/writing-a-service.md had it made at af7eb0a: plugins/echo of then, renamed,
 * with each part that the page names, in the words of then (px_keeper, keepers, counted,
 * sequenced). It is built twice: as `earlier` with today's headers (what was written still
 * compiles) and as `earliest` with those of then, kept in af7eb0a/ (what was built still loads).
 * Never changed, never installed.
 */
#include <errno.h>
#include <json-c/json.h>
#include <praxis/alarm.h>
#include <praxis/operate.h>
#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define TYPE(rest) TEXT(NAME) rest
#define PLUGIN_(name) PX_SERVICE_PLUGIN(svc_##name, service)
#define PLUGIN(name) PLUGIN_(name)

/* One for the process: what start() makes and every other hook is handed. */
struct earlier {
	int64_t max_replies;
	struct px_channel_limits limits;
	struct px_alarm *alarm;
	struct px_broker *broker;
};

/* One for each session, zeroed by the broker. */
struct earlier_session {
	int64_t replies;
};

/* One in the channel of each practice. */
struct board {
	int64_t writes;
};

static const struct px_service service;

static const struct px_channel_kind board_kind = {
	.name = "board",
	.state_size = sizeof(struct board),
	.sequenced = true,
};

static const struct px_channel_kind room_kind = { .name = "room", .counted = true };

static const struct px_option option_table[] = {
	{ .key = "max-replies", .type = PX_OPTION_INT, .fallback = "0", .min = 0,
		.max = 1000000, .help = "answers that one session gets; 0: as many as it likes" },
	{ .key = "greeting", .type = PX_OPTION_STRING, .fallback = "hello", .max = 64,
		.help = "what it says; not \"bye\"" },
	{ .key = NULL },
};

static const char *check(const struct px_options *options, const char **ret_key)
{
	*ret_key = "greeting";
	bool is_bye = strcmp(px_options_string(options, "greeting"), "bye") == 0;
	return is_bye ? "that is no greeting" : NULL;
}

static int configure(void *state, const struct px_options *options)
{
	struct earlier *earlier = state;
	earlier->max_replies = px_options_int(options, "max-replies");
	earlier->limits = (struct px_channel_limits){
		.history_count = 10,
		.history_bytes = 65536,
		.history_age_ms = 60000,
	};
	return 0;
}

static void on_alarm(void *user)
{
	const struct earlier *earlier = user;
	px_broker_log(earlier->broker, PX_LOG_NOTICE, "%s: the alarm has fired", service.name);
}

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	struct earlier *earlier = calloc(1, sizeof(*earlier));
	if (!earlier) {
		return -ENOMEM;
	}
	earlier->broker = broker;
	earlier->alarm = px_alarm_create(broker, on_alarm, earlier);
	if (!earlier->alarm) {
		free(earlier);
		return -ENOMEM;
	}
	*ret_state = earlier;
	return configure(earlier, options);
}

static void stop(void *state)
{
	struct earlier *earlier = state;
	px_alarm_destroy(earlier->alarm);
	free(earlier);
}

/* Everybody of the practice is a member of its board. */
static void enter(void *state, struct px_session *session, struct px_practice *practice)
{
	static const struct px_span no_name = { "", 0 };
	const struct earlier *earlier = state;
	struct px_member *member;
	bool is_new;
	if (px_channel_join(session, &service, &board_kind, practice, no_name, &earlier->limits,
			&member, &is_new) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static int handle_say(struct px_call *call)
{
	const struct earlier *earlier = call->service_state;
	struct earlier_session *session = call->session_state;
	struct px_json json;

	if (earlier->max_replies > 0 && session->replies >= earlier->max_replies) {
		return px_call_fail(call, PX_E_RATE_LIMITED, NULL, "This session had its answers.");
	}
	session->replies++;
	px_json_begin(&json, TYPE("_said"));
	/* The sender's own bytes: a string keeps its escapes. */
	px_json_raw(&json, "text", px_envelope_field(call->message, "text")->value);
	px_json_int(&json, "replies", session->replies);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static const char *const own_fields[] = { "rank", NULL };

static void stamp(const struct px_call *call, struct px_json *json)
{
	px_json_text(json, "rank", px_role_name(px_session_role(call->session)));
}

/* To all others of the practice; of those with the same key a slow reader needs only the last. */
static int handle_write(struct px_call *call)
{
	static const struct px_span no_name = { "", 0 };
	struct px_member *member = px_session_member(call->session, &board_kind, call->practice,
			no_name);
	if (!member) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
	}
	struct px_channel *channel = px_member_channel(member);
	struct board *board = px_channel_state(channel);
	call->seq = px_channel_seq(channel) + 1;
	call->key = px_envelope_field(call->message, "text")->value;
	call->own_fields = own_fields;
	call->stamp = stamp;
	struct px_message *message = px_call_forward(call, call->seq);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "There is no memory.");
	}
	board->writes++;
	(void)px_channel_publish(channel, call->session, message, call->session);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

static int handle_enter(struct px_call *call)
{
	static const struct px_channel_limits limits = { .members = 10 };
	char name[PX_ID_MAX + 1];
	struct px_id room;
	struct px_member *member;
	struct px_json json;
	bool is_new;
	if (px_envelope_id(call->message, "roomId", name, &room) < 0 ||
			px_channel_join(call->session, call->service, &room_kind, call->practice, room.text,
			&limits, &member, &is_new) < 0) {
		return px_call_fail(call, PX_E_FORBIDDEN, "roomId", "That room is closed.");
	}
	px_json_begin(&json, TYPE("_entered"));
	px_json_bool(&json, "isNew", is_new);
	px_member_stamp(member, &json);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static int handle_count(struct px_call *call)
{
	static const struct px_span no_name = { "", 0 };
	struct px_member *member = px_session_member(call->session, &board_kind, call->practice,
			no_name);
	struct earlier *earlier = call->service_state;
	struct px_json json;
	(void)px_alarm_set(earlier->alarm, 1);
	px_json_begin(&json, TYPE("_counted"));
	const struct board *board = member ? px_channel_state(px_member_channel(member)) : NULL;
	px_json_int(&json, "writes", board ? board->writes : -1);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static int publish(void *state, struct px_publication *publication)
{
	static const struct px_span no_name = { "", 0 };
	(void)state;
	if (px_envelope_kind(publication->message, "text") != PX_STRING) {
		return px_publication_fail(publication, PX_E_BAD_MESSAGE, "text", "text is a string.");
	}
	struct px_channel *channel = px_publication_channel(publication, no_name);
	publication->seq = channel ? px_channel_seq(channel) + 1 : 0;
	struct px_message *message = px_publication_message(publication, publication->seq);
	if (!message) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL, "There is no memory.");
	}
	if (channel) {
		px_publication_announce(publication, channel, message);
	}
	px_message_unref(publication->broker, message);
	return 0;
}

/* ---- restarts ---- */

static void get_limits(void *state, struct px_channel_limits *ret_limits)
{
	const struct earlier *earlier = state;
	*ret_limits = earlier->limits;
}

static void save(void *state, struct px_channel *channel, struct px_json *json)
{
	const struct board *board = px_channel_state(channel);
	(void)state;
	px_json_int(json, "writes", board->writes);
}

static int restore(void *state, struct px_channel *channel, struct json_object *saved)
{
	struct board *board = px_channel_state(channel);
	(void)state;
	return px_json_get_int(saved, "writes", 0, INT64_MAX, &board->writes) ? 0 : -EINVAL;
}

static void save_session(void *state, const struct px_session *session, const void *session_state,
		struct px_json *json)
{
	const struct earlier_session *own = session_state;
	(void)state;
	(void)session;
	px_json_int(json, "replies", own->replies);
}

static int restore_session(void *state, struct px_session *session, void *session_state,
		struct json_object *saved)
{
	struct earlier_session *own = session_state;
	(void)state;
	(void)session;
	return px_json_get_int(saved, "replies", 0, INT64_MAX, &own->replies) ? 0 : -EINVAL;
}

static const struct px_keeper keepers[] = {
	{ .kind = &board_kind, .limits = get_limits, .save = save, .restore = restore },
	{ .kind = &room_kind },
	{ .kind = NULL },
};

/* ---- the descriptor ---- */

static const struct px_field_rule text_fields[] = {
	{ "text", PX_FIELD_STRING, false },
	{ NULL, 0, false },
};

static const struct px_field_rule room_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = TYPE("_count"), .handle = handle_count, .roles = PX_ROLES_ALL },
	{ .type = TYPE("_enter"), .handle = handle_enter, .roles = PX_ROLES_TEAM, .fields = room_fields,
		.acts = true },
	{ .type = TYPE("_say"), .handle = handle_say, .roles = PX_ROLES_ALL, .fields = text_fields,
		.anywhere = true },
	{ .type = TYPE("_write"), .handle = handle_write, .roles = PX_ROLES_TEAM, .fields = text_fields },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = TEXT(NAME),
	.summary = "was written before",
	.options = option_table,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.session_size = sizeof(struct earlier_session),
	.start = start,
	.stop = stop,
	.configure = configure,
	.enter = enter,
	.check = check,
	.keepers = keepers,
	.save_session = save_session,
	.restore_session = restore_session,
	.publish = publish,
	.probe = "\"type\":\"" TYPE("_say") "\",\"text\":\"test\"",
};

PLUGIN(NAME);
