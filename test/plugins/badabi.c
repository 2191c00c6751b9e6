/* SPDX-License-Identifier: MIT */
/*
 * A plugin that is whole but for its abi: built for a Praxis of the far future. The host
 * must say so, name the file, and go on without it. Never installed.
 */
#include <praxis/plugin.h>

static int handle_say(struct px_call *call)
{
	(void)call;
	return 0;
}

static const struct px_command commands[] = {
	{ .type = "badabi_say", .handle = handle_say, .roles = PX_ROLES_ALL, .anywhere = true },
};

static const struct px_service service = {
	.abi = 999,
	.size = sizeof(struct px_service),
	.name = "badabi",
	.summary = "exists to be refused",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

PX_SERVICE_PLUGIN(svc_badabi, service);
