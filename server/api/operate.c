/* SPDX-License-Identifier: MIT */
/*
 * Routes for observing and controlling the server; the broker does the work (operate.h).
 */
#include "api_internal.h"
#include "core/counters.h"

int px_api_get_stats(struct px_api_call *call)
{
	px_operate_write_server(&call->operator, call->json);
	px_operate_write_totals(&call->operator, call->json);
	return 0;
}

int px_api_get_services(struct px_api_call *call)
{
	px_operate_write_services(&call->operator, call->json);
	return 0;
}

int px_api_get_clients(struct px_api_call *call)
{
	char buf[PX_API_QUERY_BYTES];
	struct px_error_detail detail;
	struct px_page page;
	if (px_api_page(call, buf, &page) < 0) {
		return -1;
	}
	return px_operate_clients(&call->operator, &page, call->json, &detail) < 0 ?
			px_api_deny(call, &detail) : 0;
}

int px_api_get_rooms(struct px_api_call *call)
{
	char buf[PX_API_QUERY_BYTES];
	struct px_error_detail detail;
	struct px_page page;
	if (px_api_page(call, buf, &page) < 0) {
		return -1;
	}
	return px_operate_rooms(&call->operator, &page, call->json, &detail) < 0 ?
			px_api_deny(call, &detail) : 0;
}

int px_api_get_config(struct px_api_call *call)
{
	struct px_error_detail detail;
	return px_operate_write_config(&call->operator, call->json, &detail) < 0 ?
			px_api_deny(call, &detail) : 0;
}

int px_api_get_history(struct px_api_call *call)
{
	struct px_error_detail detail;
	return px_operate_write_history(&call->operator, call->json, &detail) < 0 ?
			px_api_deny(call, &detail) : 0;
}

int px_api_post_disconnect(struct px_api_call *call)
{
	static const char *const names[] = { "clientId", "reason", NULL };
	struct px_error_detail detail;
	struct px_span client_id;
	struct px_span reason;
	if (px_api_only(call, names) < 0 ||
			px_api_text(call, "clientId", false, PX_ID_MAX, &client_id) < 0 ||
			px_api_text(call, "reason", true, PX_NAME_MAX, &reason) < 0) {
		return -1;
	}
	if (px_operate_disconnect(&call->operator, client_id, reason, &detail) < 0) {
		return px_api_deny(call, &detail);
	}
	px_json_string(call->json, "clientId", client_id);
	return 0;
}

int px_api_post_end_room(struct px_api_call *call)
{
	static const char *const names[] = { "service", "practiceId", "roomId", NULL };
	struct px_error_detail detail;
	struct px_span service;
	struct px_id practice;
	struct px_id room;
	if (px_api_only(call, names) < 0 ||
			px_api_text(call, "service", false, PX_ID_MAX, &service) < 0 ||
			px_api_id(call, "practiceId", &practice) < 0 ||
			px_api_id(call, "roomId", &room) < 0) {
		return -1;
	}
	if (px_operate_end_room(&call->operator, service, practice.text, room.text, &detail) < 0) {
		return px_api_deny(call, &detail);
	}
	px_json_id(call->json, "roomId", room);
	return 0;
}

int px_api_post_service(struct px_api_call *call)
{
	static const char *const names[] = { "enabled", NULL };
	struct px_error_detail detail;
	bool enabled;
	if (px_api_only(call, names) < 0 || px_api_bool(call, "enabled", &enabled) < 0) {
		return -1;
	}
	if (px_operate_switch(&call->operator, call->name, enabled, &detail) < 0) {
		return px_api_deny(call, &detail);
	}
	px_json_string(call->json, "name", call->name);
	px_json_bool(call->json, "enabled", enabled);
	return 0;
}

static int publish(struct px_api_call *call, struct px_published *published)
{
	struct px_error_detail detail;
	return px_operate_publish(&call->operator, NULL, call->body, published, &detail) < 0 ?
			px_api_deny(call, &detail) : 0;
}

/* With a key: what was published under it before is not published again, but answered the same. */
static int publish_once(struct px_api_call *call, struct px_published *published)
{
	char buf[PX_ID_MAX + 1];
	struct px_id practice;
	struct px_error_detail detail;
	/* First, since the key may belong to another practice. */
	if (px_operate_publish_where(&call->operator, call->body, buf, &practice, &detail) < 0) {
		return px_api_deny(call, &detail);
	}
	struct px_idempotent_act act = {
		.tenant = px_identity_tenant(call->operator.identity),
		.practice = practice.text,
		.key = call->idempotency_key,
		.body = call->body,
	};
	int64_t now_ms = (int64_t)uv_now(&call->server->loop);
	px_idempotency_set_limit(call->server->idempotency,
			call->server->config->global.max_idempotency_keys);
	switch (px_idempotency_find(call->server->idempotency, &act, now_ms, published)) {
	case PX_IDEMPOTENCY_DONE:
		return 0;
	case PX_IDEMPOTENCY_OTHER:
		return px_api_fail(call, 422, PX_E_BAD_MESSAGE, NULL,
				"The Idempotency-Key was already used with a different body.");
	case PX_IDEMPOTENCY_FULL:
		call->server->limits[PX_LIMIT_IDEMPOTENCY]++;
		return px_api_fail(call, 0, PX_E_UNAVAILABLE, NULL,
				"Too many Idempotency-Keys are stored; try again in a few minutes.");
	case PX_IDEMPOTENCY_NEW:
		break;
	}
	if (publish(call, published) < 0) {
		px_idempotency_forget(call->server->idempotency, &act);
		return -1;
	}
	px_idempotency_keep(call->server->idempotency, &act, published);
	return 0;
}

int px_api_post_publish(struct px_api_call *call)
{
	struct px_published published;
	int rc = call->idempotency_key.len > 0 ? publish_once(call, &published) :
			publish(call, &published);
	if (rc < 0) {
		return rc;
	}
	if (published.seq > 0) {
		px_json_int(call->json, "seq", (int64_t)published.seq);
	}
	px_json_int(call->json, "delivered", published.delivered);
	return 0;
}
