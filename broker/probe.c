/* SPDX-License-Identifier: MIT */
/*
 * Testing a service: a message of its own choosing (px_service.probe) goes the way that a client's
 * goes, through reading, rights and handler, in the session of the administrator who asked. What
 * the service answers, that session gets.
 */
#include "operate.h"

#include "json.h"
#include "session.h"

int px_operate_probe(struct px_session *session, struct px_span name,
		const struct px_id *practice, struct px_probed *ret_probed,
		struct px_denial *ret_denial)
{
	struct px_broker *broker = session->broker;
	const struct px_broker_host *host = &broker->host;
	const struct px_service *service = px_broker_find_service(broker, name, NULL);
	if (!service) {
		return px_deny(ret_denial, PX_E_NOT_FOUND, "service",
				"There is no service of that name.");
	}
	if (!service->probe) {
		return px_deny(ret_denial, PX_E_UNAVAILABLE, "service",
				"This service has no message to be tested with.");
	}
	struct px_operator operator = px_session_operator(session);
	if (px_operator_tell(&operator, &(struct px_event){
			.act = "test",
			.service = service,
		}, ret_denial) < 0) {
		return -1;
	}
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_append(&json, service->probe, px_span(service->probe).len);
	if (practice) {
		px_json_id(&json, "practiceId", *practice);
	}
	px_json_end(&json);
	uint64_t began_ns = host->now_ns ? host->now_ns(host->user) : 0;
	ret_probed->ok = !json.failed && px_session_try(session, &broker->publication,
			(struct px_span){ json.data, json.len });
	ret_probed->ns = host->now_ns ? host->now_ns(host->user) - began_ns : 0;
	px_json_finish(&json);
	return 0;
}
