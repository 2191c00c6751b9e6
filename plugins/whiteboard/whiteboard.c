/* SPDX-License-Identifier: MIT */
/*
 * whiteboard: a change on one of a practice's screens is seen on all others
 * (docs/protocol.md, section 3). Every session of the practice's team is a subscriber from
 * the moment it connects, because the screens that exist only listen.
 *
 * A practice has one channel. The broker numbers its updates and keeps the latest, so that
 * a screen that comes back gets what it missed, or is told that it must load anew.
 */
#include "whiteboard.h"

#include <praxis/plugin.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

const struct px_channel_kind whiteboard_kind = {
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
	{ .key = "board-values", .type = PX_OPTION_INT, .fallback = "0", .min = 0, .max = 4096,
		.help = "number of keys of which the server keeps the latest update marked keep, for "
			"each practice; 0: none" },
	{ .key = "board-bytes", .type = PX_OPTION_INT, .fallback = "262144", .min = 0,
		.max = 1 << 30, .help = "maximum size of these values, in bytes" },
	{ .key = "board-age-s", .type = PX_OPTION_INT, .fallback = "604800", .min = 1,
		.max = 31536000, .help = "maximum age of a value, in seconds" },
	{ .key = "presence", .type = PX_OPTION_BOOL, .fallback = "true",
		.help = "whether clients may ask who is present, and are listed themselves" },
	{ .key = "presence-listed", .type = PX_OPTION_INT, .fallback = "50", .min = 1, .max = 500,
		.help = "number of users in a list of who is present; the others are counted" },
	{ .key = NULL },
};

static const struct px_span no_name = { "", 0 };

static int configure(void *state, const struct px_options *options)
{
	struct whiteboard *whiteboard = state;
	whiteboard->limits = (struct px_channel_limits){
		.history_count = (uint32_t)px_options_int(options, "history"),
		.history_bytes = (uint32_t)px_options_int(options, "history-bytes"),
		.history_age_ms = px_options_int(options, "history-age-s") * 1000,
	};
	whiteboard->value_limits = (struct px_value_limits){
		.count = (uint32_t)px_options_int(options, "board-values"),
		.bytes = (uint32_t)px_options_int(options, "board-bytes"),
		.age_ms = px_options_int(options, "board-age-s") * 1000,
	};
	whiteboard->presence = px_options_bool(options, "presence");
	whiteboard->presence_listed = (uint32_t)px_options_int(options, "presence-listed");
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

int whiteboard_subscribe(const struct whiteboard *whiteboard, struct px_session *session,
		struct px_practice *practice, struct px_member **ret_member)
{
	bool is_new;
	int rc = px_channel_join(session, &whiteboard_service, &whiteboard_kind, practice, no_name,
			&whiteboard->limits, ret_member, &is_new);
	if (rc == 0 && is_new) {
		struct px_channel *channel = px_member_channel(*ret_member);
		struct subscriber *subscriber = px_member_state(*ret_member);
		subscriber->has_from = px_channel_seq(channel);
		/* Without memory, nothing can be kept, and who wants that is told. */
		(void)px_channel_limit_values(channel, &whiteboard->value_limits);
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
	if (whiteboard_subscribe(state, session, practice, &member) < 0) {
		/* It would believe that nothing happens in its practice. */
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

int whiteboard_fail_join(struct px_call *call, int error)
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

/* Whether the state of the board follows, if the client asked for it. */
static const char *state_word(const struct whiteboard *whiteboard, bool recovered)
{
	return whiteboard->value_limits.count == 0 ? "off" : recovered ? "recovered" : "follows";
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
	if (px_envelope_bool(call->message, "state")) {
		px_json_text(&json, "state", state_word(call->service_state, recovered));
	}
	px_json_end(&json);
	px_session_send_json(call->session, &json);
}

static int handle_subscribe(struct px_call *call)
{
	const struct whiteboard *whiteboard = call->service_state;
	char epoch[64];
	uint64_t seq = 0;
	struct px_member *member;
	int since = read_since(call, epoch, sizeof(epoch), &seq);
	if (since < 0) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "since",
				"This field must be an object with epoch, a string, and seq, an integer from 0.");
	}
	int rc = whiteboard_subscribe(whiteboard, call->session, call->practice, &member);
	if (rc < 0) {
		return whiteboard_fail_join(call, rc);
	}
	struct px_channel *channel = px_member_channel(member);
	bool recovered = since == 0 && px_channel_covers(channel, px_span(epoch), seq);
	tell_subscribed(call, channel, recovered);
	if (recovered) {
		catch_up(member, seq);
	} else if (px_envelope_bool(call->message, "state") && whiteboard->value_limits.count > 0) {
		whiteboard_tell_state(call, channel);
	}
	return 0;
}

static int handle_unsubscribe(struct px_call *call)
{
	struct px_member *member = px_session_member(call->session, &whiteboard_kind,
			call->practice, no_name);
	whiteboard_leave_presence(call->session, call->practice);
	if (member) {
		px_member_leave(member, PX_LEFT);
	}
	return 0;
}

static const struct px_field_rule subscribe_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ "since", PX_FIELD_OBJECT, true },
	{ "state", PX_FIELD_BOOL, true },
	{ NULL, 0, false },
};

static const struct px_field_rule unsubscribe_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ NULL, 0, false },
};

static const struct px_field_rule update_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ "key", PX_FIELD_NAME, true },
	{ "keep", PX_FIELD_BOOL, true },
	{ NULL, 0, false },
};

static const struct px_field_rule presence_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ "present", PX_FIELD_BOOL, true },
	{ NULL, 0, false },
};

static const struct px_field_rule seen_fields[] = {
	{ "practiceId", PX_FIELD_ID, false },
	{ "seq", PX_FIELD_INTEGER, false },
	{ NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = "whiteboard_presence", .handle = whiteboard_handle_presence,
		.roles = PX_ROLES_TEAM, .fields = presence_fields },
	{ .type = "whiteboard_seen", .handle = whiteboard_handle_seen, .roles = PX_ROLES_TEAM,
		.fields = seen_fields },
	{ .type = "whiteboard_subscribe", .handle = handle_subscribe, .roles = PX_ROLES_TEAM,
		.fields = subscribe_fields },
	{ .type = "whiteboard_unsubscribe", .handle = handle_unsubscribe, .roles = PX_ROLES_TEAM,
		.fields = unsubscribe_fields },
	{ .type = "whiteboard_update", .handle = whiteboard_handle_update, .roles = PX_ROLES_TEAM,
		.fields = update_fields },
};

static void get_limits(void *state, struct px_channel_limits *ret_limits)
{
	const struct whiteboard *whiteboard = state;
	*ret_limits = whiteboard->limits;
}

/* The broker keeps epoch, seq, history and values; what it may keep of them it is told here. */
static int restore_practice(void *state, struct px_channel *channel, struct json_object *saved)
{
	const struct whiteboard *whiteboard = state;
	(void)saved;
	return px_channel_limit_values(channel, &whiteboard->value_limits);
}

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
		.kind = &whiteboard_kind,
		.limits = get_limits,
		.restore = restore_practice,
		.save_member = save_subscriber,
		.restore_member = restore_subscriber,
	},
	{
		.kind = &whiteboard_presence_kind,
		.limits = whiteboard_get_presence_limits,
		.restore = whiteboard_restore_presence,
		.save_member = whiteboard_save_present,
		.restore_member = whiteboard_restore_present,
	},
	{ .kind = NULL },
};

const struct px_service whiteboard_service = {
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
	.publish = whiteboard_take,
	.probe = "\"type\":\"whiteboard_subscribe\"", /* it is subscribed already */
};

PX_SERVICE_PLUGIN(svc_whiteboard, whiteboard_service);
