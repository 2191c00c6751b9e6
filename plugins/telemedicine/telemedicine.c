/* SPDX-License-Identifier: MIT */
/*
 * telemedicine: the signalling and the chat of a video call (docs/protocol.md, section 4).
 * Rooms hold the people of one appointment; what one of them sends goes to the others, or to
 * the one that it names. The media never comes here.
 */
#include "telemedicine.h"

#include <errno.h>
#include <praxis/plugin.h>
#include <stdlib.h>

static const struct px_option option_table[] = {
	{ .key = "room-members", .type = PX_OPTION_INT, .fallback = "8", .min = 2, .max = 1000,
		.help = "maximum number of members of a room" },
	{ .key = "waiting-room", .type = PX_OPTION_BOOL, .fallback = "off",
		.help = "patients wait until staff admits them" },
	{ .key = "waiting-max", .type = PX_OPTION_INT, .fallback = "32", .min = 1, .max = 200,
		.help = "maximum number of patients waiting for one room" },
	{ .key = "waiting-timeout", .type = PX_OPTION_INT, .fallback = "7200", .min = 0,
		.max = 86400, .help = "maximum waiting time in seconds; 0: unlimited" },
	{ .key = "chat-history", .type = PX_OPTION_INT, .fallback = "100", .min = 0, .max = 10000,
		.help = "number of chat messages kept for members that join later" },
	{ .key = "chat-bytes", .type = PX_OPTION_INT, .fallback = "131072", .min = 0,
		.max = 1 << 24, .help = "maximum size of these chat messages, in bytes" },
	{ .key = "ice-servers", .type = PX_OPTION_JSON, .fallback = "[]",
		.help = "STUN and TURN servers as RTCConfiguration.iceServers has them" },
	{ .key = "turn-urls", .type = PX_OPTION_JSON,
		.help = "TURN servers for which short-lived credentials are issued" },
	{ .key = "turn-secret", .type = PX_OPTION_STRING,
		.help = "secret shared with these TURN servers (coturn: static-auth-secret)" },
	{ .key = "turn-ttl", .type = PX_OPTION_INT, .fallback = "3600", .min = 60, .max = 86400,
		.help = "lifetime of these credentials, in seconds" },
	{ .key = NULL },
};

static int read_options(struct telemedicine *telemedicine, const struct px_options *options)
{
	struct ice ice = { 0 };
	int rc = telemedicine_ice_init(&ice, options);
	if (rc < 0) {
		telemedicine_ice_finish(&ice);
		return rc;
	}
	telemedicine_ice_finish(&telemedicine->ice);
	telemedicine->ice = ice;
	telemedicine->room_limits.members = (uint32_t)px_options_int(options, "room-members");
	telemedicine->waiting = px_options_bool(options, "waiting-room");
	telemedicine->waiting_max = (uint32_t)px_options_int(options, "waiting-max");
	telemedicine->waiting_ms = px_options_int(options, "waiting-timeout") * 1000;
	telemedicine->chat_count = (uint32_t)px_options_int(options, "chat-history");
	telemedicine->chat_bytes = (uint32_t)px_options_int(options, "chat-bytes");
	return 0;
}

static void stop(void *state)
{
	struct telemedicine *telemedicine = state;
	telemedicine_ice_finish(&telemedicine->ice);
	free(telemedicine);
}

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	struct telemedicine *telemedicine = calloc(1, sizeof(*telemedicine));
	if (!telemedicine) {
		return -ENOMEM;
	}
	telemedicine->broker = broker;
	int rc = read_options(telemedicine, options);
	if (rc < 0) {
		stop(telemedicine);
		return rc;
	}
	*ret_state = telemedicine;
	return 0;
}

static int configure(void *state, const struct px_options *options)
{
	return read_options(state, options);
}

#define IN_ROOM { "roomId", PX_FIELD_ID, false }, { "appointmentId", PX_FIELD_ID, false }
#define LAST { NULL, 0, false }

static const struct px_field_rule joined_fields[] = {
	IN_ROOM,
	{ "userId", PX_FIELD_ID, false },
	{ "userName", PX_FIELD_NAME, false },
	LAST,
};

static const struct px_field_rule left_fields[] = {
	IN_ROOM,
	{ "userId", PX_FIELD_ID, false },
	LAST,
};

static const struct px_field_rule offer_fields[] = {
	IN_ROOM,
	{ "offer", PX_FIELD_OBJECT, false },
	{ "from", PX_FIELD_ID, false },
	{ "to", PX_FIELD_ID, true },
	LAST,
};

static const struct px_field_rule answer_fields[] = {
	IN_ROOM,
	{ "answer", PX_FIELD_OBJECT, false },
	{ "from", PX_FIELD_ID, false },
	{ "to", PX_FIELD_ID, true },
	LAST,
};

/* null: there are no more candidates. */
static const struct px_field_rule candidate_fields[] = {
	IN_ROOM,
	{ "candidate", PX_FIELD_OBJECT_OR_NULL, false },
	{ "from", PX_FIELD_ID, false },
	{ "to", PX_FIELD_ID, true },
	LAST,
};

static const struct px_field_rule chat_fields[] = {
	IN_ROOM,
	{ "message", PX_FIELD_STRING, false },
	{ "from", PX_FIELD_ID, false },
	{ "fromUserId", PX_FIELD_ID, false },
	LAST,
};

static const struct px_field_rule media_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ "audio", PX_FIELD_BOOL, false },
	{ "video", PX_FIELD_BOOL, false },
	{ "screen", PX_FIELD_BOOL, false },
	LAST,
};

static const struct px_field_rule typing_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ "typing", PX_FIELD_BOOL, false },
	LAST,
};

static const struct px_field_rule ice_fields[] = {
	{ "roomId", PX_FIELD_ID, true },
	LAST,
};

static const struct px_field_rule deny_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ "clientId", PX_FIELD_ID, false },
	{ "reason", PX_FIELD_NAME, true },
	LAST,
};

/* Of admitting, too. */
static const struct px_field_rule remove_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	{ "clientId", PX_FIELD_ID, false },
	LAST,
};

static const struct px_field_rule end_fields[] = {
	{ "roomId", PX_FIELD_ID, false },
	LAST,
};

static const struct px_command commands[] = {
	{ .type = "telemedicine_admit", .acts = true, .handle = telemedicine_handle_admit,
		.roles = PX_ROLES_TEAM, .fields = remove_fields },
	{ .type = "telemedicine_answer", .handle = telemedicine_handle_signal,
		.roles = PX_ROLES_ALL, .fields = answer_fields },
	{ .type = "telemedicine_chat_message", .handle = telemedicine_handle_chat,
		.roles = PX_ROLES_ALL, .fields = chat_fields },
	{ .type = "telemedicine_deny", .acts = true, .handle = telemedicine_handle_deny,
		.roles = PX_ROLES_TEAM, .fields = deny_fields },
	{ .type = "telemedicine_end", .acts = true, .handle = telemedicine_handle_end,
		.roles = PX_ROLES_TEAM, .fields = end_fields },
	{ .type = "telemedicine_ice_candidate", .handle = telemedicine_handle_signal,
		.roles = PX_ROLES_ALL, .fields = candidate_fields },
	{ .type = "telemedicine_ice_servers", .handle = telemedicine_handle_ice_servers,
		.roles = PX_ROLES_ALL, .fields = ice_fields, .anywhere = true },
	{ .type = "telemedicine_media_state", .handle = telemedicine_handle_media,
		.roles = PX_ROLES_ALL, .fields = media_fields },
	{ .type = "telemedicine_offer", .handle = telemedicine_handle_signal,
		.roles = PX_ROLES_ALL, .fields = offer_fields },
	{ .type = "telemedicine_remove", .acts = true, .handle = telemedicine_handle_remove,
		.roles = PX_ROLES_TEAM, .fields = remove_fields },
	{ .type = "telemedicine_typing", .handle = telemedicine_handle_typing,
		.roles = PX_ROLES_ALL, .fields = typing_fields },
	{ .type = "telemedicine_user_joined", .acts = true, .handle = telemedicine_handle_joined,
		.roles = PX_ROLES_ALL, .fields = joined_fields },
	{ .type = "telemedicine_user_left", .handle = telemedicine_handle_left,
		.roles = PX_ROLES_ALL, .fields = left_fields },
};

const struct px_service telemedicine_service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "telemedicine",
	.summary = "signalling and chat of video calls",
	.options = option_table,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.start = start,
	.stop = stop,
	.configure = configure,
	.check = telemedicine_ice_check,
	.snapshot_ops = telemedicine_snapshot_ops,
	.publish = telemedicine_publish,
	.probe = "\"type\":\"telemedicine_ice_servers\"",
};

PX_SERVICE_PLUGIN(svc_telemedicine, telemedicine_service);
