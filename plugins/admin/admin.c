/* SPDX-License-Identifier: MIT */
/*
 * admin: seeing and steering a running server, in messages (docs/protocol.md, section 5). What
 * the messages do is the broker's (praxis/operate.h), which also checks whose practices are
 * whose; here they are read and answered.
 */
#include "admin.h"

#include <errno.h>
#include <praxis/plugin.h>
#include <stdlib.h>
#include <string.h>

int admin_deny(struct px_call *call, const struct px_error_detail *detail)
{
	return px_call_fail(call, detail->code, detail->field, detail->sentence);
}

/* The fields were checked: too long they are not, an id may be a number. */
struct px_span admin_text(const struct px_call *call, const char *name, char *buf, size_t size)
{
	const struct px_field *field = px_envelope_field(call->message, name);
	size_t len = 0;
	if (field && field->kind == PX_INTEGER && field->value.len < size) {
		memcpy(buf, field->value.data, field->value.len);
		return (struct px_span){ buf, field->value.len };
	}
	if (px_envelope_string(call->message, name, buf, size, &len) < 0) {
		return (struct px_span){ "", 0 };
	}
	return (struct px_span){ buf, len };
}

bool admin_integer(struct px_call *call, const char *name, int64_t fallback, int64_t min,
		int64_t max, int64_t *ret_value)
{
	const struct px_field *field = px_envelope_field(call->message, name);
	int64_t value = 0;
	*ret_value = fallback;
	if (!field) {
		return true;
	}
	for (size_t i = 0; i < field->value.len; i++) {
		char c = field->value.data[i];
		if (c < '0' || c > '9' || value > max) {
			value = -1;
			break;
		}
		value = value * 10 + (c - '0');
	}
	if (value < min || value > max) {
		px_call_fail(call, PX_E_BAD_MESSAGE, name, "This number is out of range.");
		return false;
	}
	*ret_value = value;
	return true;
}

static int start(struct px_broker *broker, const struct px_options *options, void **ret_state)
{
	(void)broker;
	(void)options;
	*ret_state = calloc(1, sizeof(struct admin));
	return *ret_state ? 0 : -ENOMEM;
}

static void stop(void *state)
{
	free(state);
}

static void on_close(void *state, struct px_session *session, void *session_state)
{
	(void)session_state;
	admin_subscription_end(state, session);
}

#define LAST { NULL, 0, false }

static const struct px_field_rule subscribe_fields[] = {
	{ "intervalMs", PX_FIELD_INTEGER, true },
	LAST,
};

static const struct px_field_rule list_fields[] = {
	{ "service", PX_FIELD_NAME, true },
	{ "practiceId", PX_FIELD_ID, true },
	{ "after", PX_FIELD_INTEGER, true },
	{ "limit", PX_FIELD_INTEGER, true },
	LAST,
};

static const struct px_field_rule disconnect_fields[] = {
	{ "clientId", PX_FIELD_NAME, false },
	{ "reason", PX_FIELD_NAME, true },
	LAST,
};

static const struct px_field_rule end_room_fields[] = {
	{ "service", PX_FIELD_NAME, false },
	{ "practiceId", PX_FIELD_ID, false },
	{ "roomId", PX_FIELD_ID, false },
	LAST,
};

static const struct px_field_rule service_fields[] = {
	{ "name", PX_FIELD_NAME, false },
	{ "enabled", PX_FIELD_BOOL, false },
	LAST,
};

static const struct px_field_rule broadcast_fields[] = {
	{ "service", PX_FIELD_NAME, false },
	{ "practiceId", PX_FIELD_ID, true },
	{ "message", PX_FIELD_OBJECT, false },
	LAST,
};

static const struct px_field_rule test_fields[] = {
	{ "service", PX_FIELD_NAME, false },
	{ "practiceId", PX_FIELD_ID, true },
	LAST,
};

static const struct px_field_rule unlock_fields[] = {
	{ "address", PX_FIELD_NAME, false },
	LAST,
};

static const struct px_field_rule events_fields[] = {
	{ "since", PX_FIELD_INTEGER, true },
	{ "stop", PX_FIELD_BOOL, true },
	LAST,
};

static const struct px_command commands[] = {
	{ .type = "admin_broadcast", .acts = true, .handle = admin_handle_broadcast,
		.roles = PX_ROLE_ADMIN, .fields = broadcast_fields },
	{ .type = "admin_clients", .handle = admin_handle_clients, .roles = PX_ROLE_ADMIN,
		.fields = list_fields },
	{ .type = "admin_disconnect", .acts = true, .handle = admin_handle_disconnect,
		.roles = PX_ROLE_ADMIN, .fields = disconnect_fields },
	{ .type = "admin_end_room", .acts = true, .handle = admin_handle_end_room, .roles = PX_ROLE_ADMIN,
		.fields = end_room_fields },
	{ .type = "admin_events", .handle = admin_handle_events, .roles = PX_ROLE_ADMIN,
		.fields = events_fields },
	{ .type = "admin_history", .handle = admin_handle_history, .roles = PX_ROLE_ADMIN },
	{ .type = "admin_locks", .handle = admin_handle_locks, .roles = PX_ROLE_ADMIN },
	{ .type = "admin_rooms", .handle = admin_handle_rooms, .roles = PX_ROLE_ADMIN,
		.fields = list_fields },
	{ .type = "admin_service", .acts = true, .handle = admin_handle_service, .roles = PX_ROLE_ADMIN,
		.fields = service_fields },
	{ .type = "admin_services", .handle = admin_handle_services, .roles = PX_ROLE_ADMIN },
	{ .type = "admin_subscribe", .handle = admin_handle_subscribe, .roles = PX_ROLE_ADMIN,
		.fields = subscribe_fields },
	{ .type = "admin_test", .acts = true, .handle = admin_handle_test, .roles = PX_ROLE_ADMIN,
		.fields = test_fields },
	{ .type = "admin_unlock", .acts = true, .handle = admin_handle_unlock, .roles = PX_ROLE_ADMIN,
		.fields = unlock_fields },
};

const struct px_service admin_service = {
	.abi = PX_SERVICE_ABI,
	.size = sizeof(struct px_service),
	.name = "admin",
	.summary = "observes and controls the running server",
	.commands = commands,
	.command_count = sizeof(commands) / sizeof(commands[0]),
	.start = start,
	.stop = stop,
	.close = on_close,
	.save_session = admin_save,
	.restore_session = admin_restore,
	.operates = true,
	.probe = "\"type\":\"admin_rooms\",\"limit\":1",
};

PX_SERVICE_PLUGIN(svc_admin, admin_service);
