/* SPDX-License-Identifier: MIT */
/*
 * Testing a service: its test message (px_service.probe) is handled like a client's, through
 * parsing, access checks and handler, in the session of the administrator who requested it. That
 * session gets the service's answers. Afterwards, the rooms that it joined are left, and a practice
 * that was bound for it is unbound.
 */
#include "operate.h"

#include "channel/channel.h"
#include "message/json.h"
#include "core/session.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/identity.h"
#include "session/dispatch.h"

/* Leaves what the session joined since. Leaving one channel may end other memberships. */
static void leave_since(struct px_session *session, uint64_t order)
{
	struct px_broker *broker = session->broker;
	struct px_member *member;
	broker->walk = session->members;
	while ((member = broker->walk)) {
		broker->walk = member->next;
		if (member->order > order) {
			px_member_leave(member, PX_LEFT);
		}
	}
}

/* Handles the test message, then restores the former state. */
static void send_probe(struct px_session *session, const struct px_json *json,
		struct px_practice *practice, struct px_probed *ret_probed)
{
	struct px_broker *broker = session->broker;
	const struct px_broker_host *host = &broker->host;
	uint64_t order = broker->member_order;
	bool was_held = practice && px_identity_holds(session->identity, practice);
	uint64_t began_ns = host->now_ns ? host->now_ns(host->user) : 0;
	ret_probed->ok = !json->failed && px_session_try(session, &broker->publication,
			(struct px_span){ json->data, json->len });
	ret_probed->ns = host->now_ns ? host->now_ns(host->user) - began_ns : 0;
	leave_since(session, order);
	if (practice && !was_held) {
		px_identity_unbind(broker, session->identity, practice);
	}
}

/*
 * The practice may have no clients; in open mode it may be one that the session has not named yet.
 */
static int find_practice(const struct px_operator *operator, const struct px_id *practice,
		struct px_practice **ret_practice, struct px_error_detail *ret_detail)
{
	const struct px_identity *identity = operator->identity;
	bool is_first = !identity->authenticated && identity->practice_count == 0;
	if (!is_first && !px_operator_may_name(operator, practice->text)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, "practiceId",
				"You have no access to this practice.");
	}
	if (!px_span_is_text(practice->text)) {
		return px_deny(ret_detail, PX_E_BAD_MESSAGE, "practiceId",
				"This field must not contain control characters.");
	}
	return px_practice_get(operator->broker, px_identity_tenant(identity), practice->text,
			ret_practice) == 0 ? 0 : px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
			"The server is at its limit.");
}

static void drop_practice(struct px_broker *broker, struct px_practice *practice)
{
	if (practice) {
		px_practice_unref(broker, practice);
	}
}

int px_operate_probe(struct px_session *session, struct px_span name,
		const struct px_id *practice, struct px_probed *ret_probed,
		struct px_error_detail *ret_detail)
{
	struct px_broker *broker = session->broker;
	const struct px_service *service = px_broker_find_service(broker, name, NULL);
	if (!service) {
		return px_deny(ret_detail, PX_E_NOT_FOUND, "service",
				"There is no service with this name.");
	}
	if (!service->probe) {
		return px_deny(ret_detail, PX_E_UNAVAILABLE, "service",
				"This service has no test message.");
	}
	struct px_operator operator = px_session_operator(session);
	struct px_practice *held = NULL;
	if (practice && find_practice(&operator, practice, &held, ret_detail) < 0) {
		return -1;
	}
	if (px_operator_tell(&operator, &(struct px_event){
			.act = "test",
			.service = service,
			.practice = held,
		}, ret_detail) < 0) {
		drop_practice(broker, held);
		return -1;
	}
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_append(&json, service->probe, px_span(service->probe).len);
	if (practice) {
		px_json_id(&json, "practiceId", *practice);
	}
	px_json_end(&json);
	send_probe(session, &json, held, ret_probed);
	px_json_finish(&json);
	drop_practice(broker, held);
	return 0;
}
