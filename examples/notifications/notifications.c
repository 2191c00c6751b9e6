/* SPDX-License-Identifier: MIT */
/*
 * notifications: a service from outside of Praxis, built against its installed headers.
 *
 * - `notification_sent` goes to everybody of the practice's team. The practice has a history of
 * them,
 *   so that a screen that comes back asks for what it missed: `notification_subscribe` with the
 *   `epoch` and `seq` that it knows.
 * - `notification_read` goes to the other sessions of the same user: what was read on one screen is
 *   read on all of them.
 *
 * Both are channels of the practice; which practice a session may name is the broker's to say.
 */
#include <praxis/operate.h>
#include <praxis/plugin.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct notifications {
	struct px_channel_limits limits;
};

static const struct px_channel_kind practice_kind = {
	.name = "notifications",
	.has_history = true,
};

/* Of one user: its name is the user's id. */
static const struct px_channel_kind user_kind = { .name = "notifications-user" };

static const struct px_option option_table[] = {
	{ .key = "history", .type = PX_OPTION_INT, .fallback = "64", .max = 10000,
		.help = "notifications that a practice keeps for those who come back" },
	{ .key = "history-bytes", .type = PX_OPTION_INT, .fallback = "65536", .max = 1 << 24,
		.help = "their size at most, in bytes" },
	{ .key = "history-age-s", .type = PX_OPTION_INT, .fallback = "3600", .min = 1, .max = 86400,
		.help = "their age at most, in seconds" },
	{ .key = NULL },
};

static const struct px_span no_name = { "", 0 };

static const struct px_service service;

/* ---- the service ---- */

static int configure(void *state, const struct px_options *options)
{
	struct notifications *notifications = state;
	notifications->limits = (struct px_channel_limits){
		.history_count = (uint32_t)px_options_int(options, "history"),
		.history_bytes = (uint32_t)px_options_int(options, "history-bytes"),
		.history_age_ms = px_options_int(options, "history-age-s") * 1000,
	};
	return 0;
}

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	(void)broker;
	struct notifications *notifications = calloc(1, sizeof(*notifications));
	if (!notifications) {
		return -ENOMEM;
	}
	*ret_state = notifications;
	return configure(notifications, options);
}

static void stop(void *state)
{
	free(state);
}

static int join(const struct notifications *notifications, struct px_session *session,
		struct px_practice *practice, struct px_member **ret_member)
{
	bool is_new;
	return px_channel_join(session, &service, &practice_kind, practice, no_name,
			&notifications->limits, ret_member, &is_new);
}

static int join_user(struct px_session *session, struct px_practice *practice,
		struct px_member **ret_member)
{
	static const struct px_channel_limits none;
	bool is_new;
	return px_channel_join(session, &service, &user_kind, practice,
			px_session_user(session).text, &none, ret_member, &is_new);
}

/* From now on the session has the practice. Patients are told nothing. */
static void enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct px_member *member;
	if (!(px_session_role(session) & PX_ROLES_TEAM)) {
		return;
	}
	if (join(state, session, practice, &member) < 0 ||
			(px_session_user(session).text.len > 0 &&
			join_user(session, practice, &member) < 0)) {
		/* It would believe that there is nothing to tell. */
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

/* ---- messages ---- */

static int fail(struct px_call *call)
{
	return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
}

/* Relays the call's message, and owns nothing afterwards. */
static int relay(struct px_call *call, struct px_channel *channel, uint64_t seq)
{
	struct px_message *message = px_call_forward(call, seq);
	if (!message) {
		return fail(call);
	}
	int rc = px_channel_publish(channel, call->session, message, call->session);
	px_message_unref(px_session_broker(call->session), message);
	return rc < 0 ? fail(call) : 0;
}

static int handle_sent(struct px_call *call)
{
	struct px_member *member;
	if (join(call->service_state, call->session, call->practice, &member) < 0) {
		return fail(call);
	}
	struct px_channel *channel = px_member_channel(member);
	uint64_t seq = px_channel_seq(channel) + 1;
	int rc = relay(call, channel, seq);
	if (rc == 0) {
		call->seq = seq;
	}
	return rc;
}

static int handle_read(struct px_call *call)
{
	struct px_member *member;
	if (px_session_user(call->session).text.len == 0) {
		return px_call_fail(call, PX_E_FORBIDDEN, NULL, "This session has no user.");
	}
	if (join_user(call->session, call->practice, &member) < 0) {
		return fail(call);
	}
	return relay(call, px_member_channel(member), 0);
}

/* `since` as { epoch, seq }. 1: there is none; 0; -EINVAL. */
static int read_since(struct px_call *call, struct px_span *ret_epoch, uint64_t *ret_seq)
{
	struct json_object *since = px_envelope_json(call->message, "since");
	struct json_object *epoch;
	struct json_object *seq;
	if (!since) {
		return px_envelope_kind(call->message, "since") == PX_ABSENT ? 1 : -EINVAL;
	}
	if (!json_object_object_get_ex(since, "epoch", &epoch) ||
			!json_object_is_type(epoch, json_type_string) ||
			!json_object_object_get_ex(since, "seq", &seq) ||
			!json_object_is_type(seq, json_type_int) || json_object_get_int64(seq) < 0) {
		return -EINVAL;
	}
	*ret_epoch = px_span(json_object_get_string(epoch));
	*ret_seq = (uint64_t)json_object_get_int64(seq);
	return 0;
}

static int handle_subscribe(struct px_call *call)
{
	struct px_span epoch = no_name;
	uint64_t seq = 0;
	struct px_member *member;
	struct px_json json;
	int since = read_since(call, &epoch, &seq);
	if (since < 0) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "since",
				"This field must be an object with epoch, a string, and seq, an integer from 0.");
	}
	if (join(call->service_state, call->session, call->practice, &member) < 0) {
		return fail(call);
	}
	struct px_channel *channel = px_member_channel(member);
	bool is_recovered = since == 0 && px_channel_covers(channel, epoch, seq);
	px_json_begin(&json, "notification_subscribed");
	px_session_stamp(call->session, call->practice, &json);
	px_json_text(&json, "epoch", px_channel_epoch(channel));
	px_json_int(&json, "seq", (int64_t)px_channel_seq(channel));
	px_json_bool(&json, "recovered", is_recovered);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	if (is_recovered) {
		px_member_replay(member, seq, px_channel_seq(channel));
	}
	return 0;
}

/* What the application's back end says (POST /api/v1/publish). */
static int take(void *state, struct px_publication *publication)
{
	(void)state;
	if (strcmp(publication->type, "notification_sent") != 0) {
		return px_publication_fail(publication, PX_E_UNKNOWN_TYPE, "type",
				"Of this service only notification_sent can be published.");
	}
	struct px_channel *channel = px_publication_channel(publication, no_name);
	if (!channel) {
		return 0; /* nobody is there, and nothing is kept */
	}
	uint64_t seq = px_channel_seq(channel) + 1;
	struct px_message *message = px_publication_message(publication, seq);
	if (!message) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL,
				"The server is out of memory.");
	}
	px_publication_announce(publication, channel, message);
	px_message_unref(publication->broker, message);
	publication->seq = seq;
	return 0;
}

/* ---- the descriptor ---- */

static const struct px_field_rule read_fields[] = {
	{ "notificationId", PX_FIELD_ID, false },
	{ NULL, 0, false },
};

static const struct px_field_rule sent_fields[] = {
	{ "notificationId", PX_FIELD_ID, false },
	{ "text", PX_FIELD_STRING, true },
	{ NULL, 0, false },
};

static const struct px_field_rule subscribe_fields[] = {
	{ "since", PX_FIELD_OBJECT, true },
	{ NULL, 0, false },
};

/* Sorted by type. */
static const struct px_command commands[] = {
	{ .type = "notification_read", .handle = handle_read, .roles = PX_ROLES_TEAM,
		.fields = read_fields },
	{ .type = "notification_sent", .handle = handle_sent, .roles = PX_ROLES_TEAM,
		.fields = sent_fields },
	{ .type = "notification_subscribe", .handle = handle_subscribe, .roles = PX_ROLES_TEAM,
		.fields = subscribe_fields },
};

static void get_limits(void *state, struct px_channel_limits *ret_limits)
{
	const struct notifications *notifications = state;
	*ret_limits = notifications->limits;
}

/* Channels, members and histories survive a restart; the broker writes down all that there is. */
static const struct px_snapshot_ops snapshot_ops[] = {
	{ .kind = &practice_kind, .limits = get_limits },
	{ .kind = &user_kind },
	{ .kind = NULL },
};

static const char *const prefixes[] = { "notification", NULL };

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "notifications",
	.summary = "tells a practice's team, and remembers",
	.options = option_table,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.start = start,
	.stop = stop,
	.configure = configure,
	.enter = enter,
	.snapshot_ops = snapshot_ops,
	.publish = take,
	.probe = "\"type\":\"notification_subscribe\"",
	.prefixes = prefixes,
};

PX_SERVICE_PLUGIN(svc_notifications, service);
