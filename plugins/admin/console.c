/* SPDX-License-Identifier: MIT */
/* Speaking to many, testing a service, and seeing what happens as it happens. */
#include "admin.h"

#include <json-c/json.h>
#include <praxis/operate.h>
#include <string.h>

static void send_broadcasted(struct px_session *session, const struct px_broadcasted *result)
{
	struct px_json json;
	px_json_begin(&json, "admin_broadcasted");
	px_json_int(&json, "practices", (int64_t)result->practices);
	px_json_int(&json, "delivered", (int64_t)result->delivered);
	px_json_int(&json, "failed", (int64_t)result->failed);
	px_json_end(&json);
	px_session_send_json(session, &json);
}

/* Whether `message` has a type that is the service's own. */
static bool is_of(struct px_call *call, const struct px_service *service)
{
	struct json_object *message = px_envelope_json(call->message, "message");
	struct json_object *type;
	if (!message || !json_object_object_get_ex(message, "type", &type) ||
			!json_object_is_type(type, json_type_string)) {
		return false;
	}
	struct px_span text = px_span(json_object_get_string(type));
	return memchr(text.data, '_', text.len) && px_service_owns(service, text);
}

static int broadcast(struct px_call *call, const struct px_service *service)
{
	struct px_operator operator = px_session_operator(call->session);
	struct px_span text = px_envelope_field(call->message, "message")->value;
	char practice_text[PX_ID_MAX + 1];
	struct px_broadcasted result;
	struct px_error_detail detail;
	struct px_id practice;
	int rc;
	if (px_envelope_id(call->message, "practiceId", practice_text, &practice) < 0) {
		rc = px_operate_broadcast(&operator, service, text, send_broadcasted, &detail);
	} else {
		rc = px_operate_broadcast_to(&operator, service, &practice, text, &result, &detail);
		if (rc == 0) {
			send_broadcasted(call->session, &result);
		}
	}
	return rc < 0 ? admin_deny(call, &detail) : 0;
}

int admin_handle_broadcast(struct px_call *call)
{
	char name[PX_NAME_MAX + 1];
	const struct px_service *service = px_broker_find_service(px_session_broker(call->session),
			admin_text(call, "service", name, sizeof(name)), NULL);
	if (!service) {
		return px_call_fail(call, PX_E_NOT_FOUND, "service",
				"There is no service with this name.");
	}
	if (!is_of(call, service)) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "message",
				"This field must be a message type of that service.");
	}
	return broadcast(call, service);
}

int admin_handle_test(struct px_call *call)
{
	char name[PX_NAME_MAX + 1];
	char practice_text[PX_ID_MAX + 1];
	struct px_id practice;
	struct px_probed probed;
	struct px_error_detail detail;
	struct px_json json;
	struct px_span service = admin_text(call, "service", name, sizeof(name));
	bool named = px_envelope_id(call->message, "practiceId", practice_text, &practice) == 0;
	if (px_operate_probe(call->session, service, named ? &practice : NULL, &probed,
			&detail) < 0) {
		return admin_deny(call, &detail);
	}
	px_json_begin(&json, "admin_tested");
	px_json_string(&json, "service", service);
	px_json_bool(&json, "ok", probed.ok);
	px_json_int(&json, "handledUs", (int64_t)(probed.ns / 1000));
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

int admin_handle_events(struct px_call *call)
{
	struct px_error_detail detail;
	int64_t since;
	if (px_envelope_bool(call->message, "stop")) {
		struct admin_subscription *old = admin_subscription_find(call->service_state,
				call->session);
		px_operate_unwatch(call->session);
		if (old) {
			old->watches = false;
		}
		return 0;
	}
	if (!admin_integer(call, "since", -1, 0, INT64_C(1) << 53, &since)) {
		return -1;
	}
	struct admin_subscription *subscription = admin_subscription_get(call->service_state,
			call->session);
	if (!subscription) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	uint64_t number = (uint64_t)since;
	if (px_operate_watch(call->session, since < 0 ? NULL : &number, &detail) < 0) {
		return admin_deny(call, &detail);
	}
	subscription->watches = true;
	return 0;
}
