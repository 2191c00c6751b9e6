/* SPDX-License-Identifier: MIT */
/* The figures: once with everything that seldom changes, then again and again. */
#include "admin.h"

#include <errno.h>

#define INTERVAL_MS 2000
#define INTERVAL_MIN_MS 500
#define INTERVAL_MAX_MS 60000

static void send_stats(struct admin_session *admin)
{
	struct px_operator operator = px_session_operator(admin->session);
	struct px_json json;
	px_json_begin(&json, "admin_stats");
	px_operate_write_server(&operator, &json);
	px_operate_write_totals(&operator, &json);
	px_json_end(&json);
	px_session_send_json(admin->session, &json);
}

/* A renewed token may have another role. */
static void on_alarm(void *user)
{
	struct admin_session *admin = user;
	if (px_session_role(admin->session) != PX_ROLE_ADMIN) {
		return;
	}
	send_stats(admin);
	(void)px_alarm_set(admin->alarm, admin->interval_ms);
}

static void send_snapshot(struct px_session *session)
{
	struct px_operator operator = px_session_operator(session);
	struct px_denial denial;
	struct px_json json;
	px_json_begin(&json, "admin_snapshot");
	px_operate_write_server(&operator, &json);
	px_operate_write_services(&operator, &json);
	px_operate_write_totals(&operator, &json);
	(void)px_operate_write_config(&operator, &json, &denial); /* left out for who may not */
	px_json_end(&json);
	px_session_send_json(session, &json);
}

int admin_handle_subscribe(struct px_call *call)
{
	struct admin_session *admin = call->session_state;
	int64_t interval_ms;
	if (!admin_integer(call, "intervalMs", INTERVAL_MS, 0, INTERVAL_MAX_MS, &interval_ms)) {
		return -1;
	}
	if (interval_ms > 0 && interval_ms < INTERVAL_MIN_MS) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "intervalMs",
				"This field must be 0, or 500 to 60000.");
	}
	if (!admin->alarm) {
		admin->alarm = px_alarm_create(px_session_broker(call->session), on_alarm, admin);
	}
	admin->interval_ms = interval_ms;
	if (interval_ms == 0) {
		if (admin->alarm) {
			px_alarm_stop(admin->alarm);
		}
		return 0;
	}
	if (!admin->alarm || px_alarm_set(admin->alarm, interval_ms) < 0) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	send_snapshot(call->session);
	return 0;
}

/* ---- over a restart ---- */

void admin_save(void *state, const struct px_session *session, const void *session_state,
		struct px_json *json)
{
	const struct admin_session *admin = session_state;
	(void)state;
	(void)session;
	px_json_int(json, "intervalMs", admin->alarm ? admin->interval_ms : 0);
	px_json_bool(json, "watches", admin->watches);
}

/* The events have other numbers now: `admin_events` tells from which on. */
int admin_restore(void *state, struct px_session *session, void *session_state,
		struct json_object *saved)
{
	struct admin_session *admin = session_state;
	struct px_denial denial;
	(void)state;
	if (!px_json_get_int(saved, "intervalMs", 0, INTERVAL_MAX_MS, &admin->interval_ms) ||
			!px_json_get_bool(saved, "watches", &admin->watches)) {
		return -EINVAL;
	}
	if (admin->interval_ms > 0) {
		admin->alarm = px_alarm_create(px_session_broker(session), on_alarm, admin);
		if (!admin->alarm || px_alarm_set(admin->alarm, admin->interval_ms) < 0) {
			return -ENOMEM;
		}
	}
	admin->watches = admin->watches && px_operate_watch(session, NULL, &denial) == 0;
	return 0;
}

int admin_handle_services(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	struct px_json json;
	px_json_begin(&json, "admin_services");
	px_operate_write_services(&operator, &json);
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}
