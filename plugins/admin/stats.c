/* SPDX-License-Identifier: MIT */
/* The figures: once with everything that seldom changes, then again and again. */
#include "admin.h"

#define INTERVAL_MS 2000
#define INTERVAL_MIN_MS 500

void admin_send_stats(struct px_session *session)
{
	struct px_operator operator = px_session_operator(session);
	struct px_json json;
	px_json_begin(&json, "admin_stats");
	px_operate_write_server(&operator, &json);
	px_operate_write_totals(&operator, &json);
	px_json_end(&json);
	px_session_send_json(session, &json);
}

static void send_snapshot(struct px_session *session)
{
	struct px_operator operator = px_session_operator(session);
	struct px_error_detail detail;
	struct px_json json;
	px_json_begin(&json, "admin_snapshot");
	px_operate_write_server(&operator, &json);
	px_operate_write_services(&operator, &json);
	px_operate_write_totals(&operator, &json);
	(void)px_operate_write_config(&operator, &json, &detail); /* left out for who may not */
	px_json_end(&json);
	px_session_send_json(session, &json);
}

int admin_handle_subscribe(struct px_call *call)
{
	int64_t interval_ms;
	if (!admin_integer(call, "intervalMs", INTERVAL_MS, 0, ADMIN_INTERVAL_MAX_MS,
			&interval_ms)) {
		return -1;
	}
	if (interval_ms > 0 && interval_ms < INTERVAL_MIN_MS) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "intervalMs",
				"This field must be 0, or 500 to 60000.");
	}
	struct admin_subscription *subscription = admin_subscription_get(call->service_state,
			call->session);
	if (!subscription || admin_subscription_set(subscription, interval_ms) < 0) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	if (interval_ms > 0) {
		send_snapshot(call->session);
	}
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

int admin_handle_history(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	struct px_error_detail detail;
	struct px_json json;
	px_json_begin(&json, "admin_history");
	if (px_operate_write_history(&operator, &json, &detail) < 0) {
		px_json_finish(&json);
		return admin_deny(call, &detail);
	}
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}
