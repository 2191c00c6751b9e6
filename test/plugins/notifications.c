/* SPDX-License-Identifier: MIT */
/*
 * A service whose types begin otherwise than its name: "notifications" understands
 * notification_sent besides notifications_read, and answers both. Never installed.
 */
#include <praxis/plugin.h>

static int handle(struct px_call *call)
{
	struct px_json json;
	px_json_begin(&json, "notification_taken");
	px_json_text(&json, "as", call->command->type);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "notification_sent", .handle = handle, .roles = PX_ROLES_ALL, .anywhere = true },
	{ .type = "notifications_read", .handle = handle, .roles = PX_ROLES_ALL, .anywhere = true },
};

static const char *const prefixes[] = { "notification", NULL };

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "notifications",
	.summary = "has a prefix besides its name",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.probe = "\"type\":\"notification_sent\"",
	.prefixes = prefixes,
};

PX_SERVICE_PLUGIN(svc_notifications, service);
