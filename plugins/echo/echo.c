/* SPDX-License-Identifier: MIT */
/*
 * echo: the service to copy. It answers `echo_say {text}` with `echo_said {text}`, and counts
 * for each session how often it did, so that every part of a service is here once: options,
 * state of the service, state of a session, a command with its fields, hooks.
 *
 * docs/writing-a-service.md says how to copy it.
 */
#include <errno.h>
#include <praxis/plugin.h>
#include <stdlib.h>

/* One for the process: what start() makes and every other hook is handed. */
struct echo {
	int64_t max_replies;
};

/* One for each session, zeroed by the broker. */
struct echo_session {
	int64_t replies;
};

static const struct px_option option_table[] = {
	{ .key = "max-replies", .type = PX_OPTION_INT, .fallback = "0", .min = 0,
		.max = 1000000, .help = "number of answers for each session; 0: unlimited" },
	{ .key = NULL },
};

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	(void)broker;
	struct echo *echo = calloc(1, sizeof(*echo));
	if (!echo) {
		return -ENOMEM;
	}
	echo->max_replies = px_options_int(options, "max-replies");
	*ret_state = echo;
	return 0;
}

static void stop(void *state)
{
	free(state);
}

static int configure(void *state, const struct px_options *options)
{
	struct echo *echo = state;
	echo->max_replies = px_options_int(options, "max-replies");
	return 0;
}

static int handle_say(struct px_call *call)
{
	const struct echo *echo = call->service_state;
	struct echo_session *session = call->session_state;
	struct px_json json;

	if (echo->max_replies > 0 && session->replies >= echo->max_replies) {
		return px_call_fail(call, PX_E_RATE_LIMITED, NULL, "This session has used up its answers.");
	}
	session->replies++;
	px_json_begin(&json, "echo_said");
	/* The sender's own bytes: a string keeps its escapes. */
	px_json_raw(&json, "text", px_envelope_field(call->message, "text")->value);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

static const struct px_field_rule say_fields[] = {
	{ "text", PX_FIELD_STRING, false },
	{ NULL, 0, false },
};

static const struct px_command commands[] = {
	{ .type = "echo_say", .handle = handle_say, .roles = PX_ROLES_ALL, .fields = say_fields,
		.anywhere = true },
};

static const struct px_service service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "echo",
	.summary = "sends each message back to its sender",
	.options = option_table,
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.session_size = sizeof(struct echo_session),
	.start = start,
	.stop = stop,
	.configure = configure,
	.probe = "\"type\":\"echo_say\",\"text\":\"test\"",
};

PX_SERVICE_PLUGIN(svc_echo, service);
