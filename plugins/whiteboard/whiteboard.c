/* SPDX-License-Identifier: MIT */
/*
 * whiteboard: a change on one of a practice's screens is seen on all others
 * (docs/protocol.md, section 3). Every session of the practice's team is a subscriber from
 * the moment it connects, because the screens that exist only listen.
 *
 * A practice has one channel. The broker numbers its updates and keeps the latest, so that
 * a screen that comes back gets what it missed, or is told that it must load anew.
 */
#include <praxis/operate.h>
#include <praxis/plugin.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct whiteboard {
	struct px_channel_limits limits;
};

/* Our state in a membership. */
struct subscriber {
	uint64_t has_from; /* every update after this one was sent to it, but for its own */
};

static const struct px_channel_kind practice_kind = {
	.name = "whiteboard",
	.member_size = sizeof(struct subscriber),
	.has_history = true,
};

static const struct px_option option_table[] = {
	{ .key = "history", .type = PX_OPTION_INT, .fallback = "256", .min = 0, .max = 100000,
		.help = "number of updates kept for each practice, for clients that return" },
	{ .key = "history-bytes", .type = PX_OPTION_INT, .fallback = "262144", .min = 0,
		.max = 1 << 30, .help = "maximum size of these updates, in bytes" },
	{ .key = "history-age-s", .type = PX_OPTION_INT, .fallback = "600", .min = 1,
		.max = 86400, .help = "maximum age of these updates, in seconds" },
	{ .key = NULL },
};

static const struct px_span no_name = { "", 0 };

static const struct px_service service;

static int configure(void *state, const struct px_options *options)
{
	struct whiteboard *whiteboard = state;
	whiteboard->limits = (struct px_channel_limits){
		.history_count = (uint32_t)px_options_int(options, "history"),
		.history_bytes = (uint32_t)px_options_int(options, "history-bytes"),
		.history_age_ms = px_options_int(options, "history-age-s") * 1000,
	};
	return 0;
}

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	(void)broker;
	struct whiteboard *whiteboard = calloc(1, sizeof(*whiteboard));
	if (!whiteboard) {
		return -ENOMEM;
	}
	configure(whiteboard, options);
	*ret_state = whiteboard;
	return 0;
}

static void stop(void *state)
{
	free(state);
}

static int subscribe(const struct whiteboard *whiteboard, struct px_session *session,
		struct px_practice *practice, struct px_member **ret_member)
{
	bool is_new;
	int rc = px_channel_join(session, &service, &practice_kind, practice, no_name,
			&whiteboard->limits, ret_member, &is_new);
	if (rc == 0 && is_new) {
		struct subscriber *subscriber = px_member_state(*ret_member);
		subscriber->has_from = px_channel_seq(px_member_channel(*ret_member));
	}
	return rc;
}

/* What the session missed after `seq`; what was sent to it since it came is none of it. */
static void catch_up(struct px_member *member, uint64_t seq)
{
	struct subscriber *subscriber = px_member_state(member);
	px_member_replay(member, seq, subscriber->has_from);
	if (seq < subscriber->has_from) {
		subscriber->has_from = seq;
	}
}

/* Patients have no business on a practice's whiteboard. */
static void enter(void *state, struct px_session *session, struct px_practice *practice)
{
	struct px_member *member;
	if (!(px_session_role(session) & PX_ROLES_TEAM)) {
		return;
	}
	if (subscribe(state, session, practice, &member) < 0) {
		/* It would believe that nothing happens in its practice. */
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static int fail_join(struct px_call *call, int error)
{
	if (error == -EACCES) {
		return px_call_fail(call, PX_E_FORBIDDEN, "practiceId",
				"This session does not belong to that practice.");
	}
	return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is at its limit.");
}

/* `since` as {epoch, seq}. 1: there is none; 0; -EINVAL. */
static int read_since(struct px_call *call, char *epoch, size_t size, uint64_t *ret_seq)
{
	struct json_object *since = px_envelope_json(call->message, "since");
	struct json_object *value;
	if (!since) {
		return px_envelope_kind(call->message, "since") == PX_ABSENT ? 1 : -EINVAL;
	}
	if (!json_object_object_get_ex(since, "epoch", &value) ||
			!json_object_is_type(value, json_type_string) ||
			(size_t)json_object_get_string_len(value) >= size) {
		return -EINVAL;
	}
	memcpy(epoch, json_object_get_string(value), (size_t)json_object_get_string_len(value) + 1);
	if (!json_object_object_get_ex(since, "seq", &value) ||
			!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0) {
		return -EINVAL;
	}
	*ret_seq = (uint64_t)json_object_get_int64(value);
	return 0;
}

static void tell_subscribed(struct px_call *call, struct px_channel *channel, bool recovered)
{
	struct px_json json;
	px_json_begin(&json, "whiteboard_subscribed");
	px_session_stamp(call->session, call->practice, &json);
	px_json_text(&json, "epoch", px_channel_epoch(channel));
	px_json_int(&json, "seq", (int64_t)px_channel_seq(channel));
	px_json_bool(&json, "recovered", recovered);
	px_json_int(&json, "members", px_channel_member_count(channel));
	px_json_end(&json);
	px_session_send_json(call->session, &json);
}

static int handle_subscribe(struct px_call *call)
{
	char epoch[64];
	uint64_t seq = 0;
	struct px_member *member;
	int since = read_since(call, epoch, sizeof(epoch), &seq);
	if (since < 0) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "since",
				"This field must be an object with epoch, a string, and seq, an integer from 0.");
	}
	int rc = subscribe(call->service_state, call->session, call->practice, &member);
	if (rc < 0) {
		return fail_join(call, rc);
	}
	struct px_channel *channel = px_member_channel(member);
	bool recovered = since == 0 && px_channel_covers(channel, px_span(epoch), seq);
	tell_subscribed(call, channel, recovered);
	if (recovered) {
		catch_up(member, seq);
	}
	return 0;
}

static int handle_unsubscribe(struct px_call *call)
{
	struct px_member *member = px_session_member(call->session, &practice_kind,
			call->practice, no_name);
	if (member) {
		px_member_leave(member, PX_LEFT);
	}
	return 0;
}

static int publish(struct px_call *call, struct px_channel *channel)
{
	char key[PX_NAME_MAX + 1];
	uint64_t seq = px_channel_seq(channel) + 1;
	if (px_envelope_string(call->message, "key", key, sizeof(key), &call->key.len) == 0) {
		call->key.data = key;
	}
	struct px_message *message = px_call_forward(call, seq);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	int rc = px_channel_publish(channel, call->session, message, call->session);
	px_message_unref(px_session_broker(call->session), message);
	if (rc < 0) {
		return fail_join(call, rc);
	}
	call->seq = seq;
	return 0;
}

/* One who unsubscribed may still write; being a member meanwhile keeps the channel alive. */
static int handle_update(struct px_call *call)
{
	struct px_member *member;
	bool guest = !px_session_member(call->session, &practice_kind, call->practice, no_name);
	int rc = subscribe(call->service_state, call->session, call->practice, &member);
	if (rc < 0) {
		return fail_join(call, rc);
	}
	rc = publish(call, px_member_channel(member));
	if (guest) {
		px_member_leave(member, PX_LEFT);
	}
	return rc;
}

/* Where nobody listens and nothing is kept there is nothing to number, either. */
static int take(void *state, struct px_publication *publication)
{
	(void)state;
	if (strcmp(publication->type, "whiteboard_update") != 0) {
		return px_publication_fail(publication, PX_E_UNKNOWN_TYPE, "type",
				"Only whiteboard_update can be published for this service.");
	}
	char key[PX_NAME_MAX + 1];
	if (px_envelope_kind(publication->message, "key") != PX_ABSENT) {
		if (px_envelope_string(publication->message, "key", key, sizeof(key),
				&publication->key.len) < 0) {
			return px_publication_fail(publication, PX_E_BAD_MESSAGE, "key",
					"This field must be a string of at most 256 bytes.");
		}
		publication->key.data = key;
	}
	struct px_channel *channel = px_publication_channel(publication, no_name);
	if (!channel) {
		return 0;
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

static const struct px_field_rule subscribe_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ "since", PX_FIELD_OBJECT, true },
	{ NULL, 0, false },
};

static const struct px_field_rule unsubscribe_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ NULL, 0, false },
};

static const struct px_field_rule update_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ "key", PX_FIELD_NAME, true },
	{ NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = "whiteboard_subscribe", .handle = handle_subscribe, .roles = PX_ROLES_TEAM,
		.fields = subscribe_fields },
	{ .type = "whiteboard_unsubscribe", .handle = handle_unsubscribe, .roles = PX_ROLES_TEAM,
		.fields = unsubscribe_fields },
	{ .type = "whiteboard_update", .handle = handle_update, .roles = PX_ROLES_TEAM,
		.fields = update_fields },
};

static void get_limits(void *state, struct px_channel_limits *ret_limits)
{
	const struct whiteboard *whiteboard = state;
	*ret_limits = whiteboard->limits;
}

/* The broker keeps epoch, seq and history; there is nothing else to a practice's channel. */
static void save_subscriber(void *state, struct px_member *member, struct px_json *json)
{
	const struct subscriber *subscriber = px_member_state(member);
	(void)state;
	px_json_int(json, "hasFrom", (int64_t)subscriber->has_from);
}

static int restore_subscriber(void *state, struct px_member *member, struct json_object *saved)
{
	struct subscriber *subscriber = px_member_state(member);
	int64_t has_from;
	(void)state;
	if (!px_json_get_int(saved, "hasFrom", 0, INT64_MAX, &has_from)) {
		return -EINVAL;
	}
	subscriber->has_from = (uint64_t)has_from;
	return 0;
}

static const struct px_snapshot_ops snapshot_ops[] = {
	{
		.kind = &practice_kind,
		.limits = get_limits,
		.save_member = save_subscriber,
		.restore_member = restore_subscriber,
	},
	{ .kind = NULL },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "whiteboard",
	.summary = "updates of a practice, for all of its screens",
	.options = option_table,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.start = start,
	.stop = stop,
	.configure = configure,
	.enter = enter,
	.snapshot_ops = snapshot_ops,
	.publish = take,
	.probe = "\"type\":\"whiteboard_subscribe\"", /* it is subscribed already */
};

PX_SERVICE_PLUGIN(svc_whiteboard, service);
