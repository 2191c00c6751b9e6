/* SPDX-License-Identifier: MIT */
/*
 * Access checks of operators, and their actions. See include/praxis/operate.h. The lists are in
 * listing.c, publishing in publish.c.
 */
#include "operate.h"

#include "channel/channel.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/practice.h"
#include "core/identity.h"

#include <errno.h>
#include <stdlib.h>

int px_deny(struct px_error_detail *detail, enum px_error code, const char *field,
		const char *sentence)
{
	*detail = (struct px_error_detail){ .code = code, .field = field, .sentence = sentence };
	return -1;
}

struct px_operator px_session_operator(const struct px_session *session)
{
	return (struct px_operator){
		.broker = session->broker,
		.identity = session->identity,
		.realm = session->realm,
		.session = session,
	};
}

bool px_operator_is_server_admin(const struct px_operator *operator)
{
	return operator->identity->all_practices && operator->realm->tenant &&
			px_span_equal(px_identity_tenant(operator->identity),
					px_span(operator->realm->tenant));
}

bool px_operator_has(const struct px_operator *operator, const struct px_practice *practice)
{
	const struct px_identity *identity = operator->identity;
	if (identity->all_practices) {
		return px_span_equal(px_identity_tenant(identity), px_span(practice->tenant));
	}
	return px_identity_holds(identity, practice) != NULL;
}

bool px_operator_may_name(const struct px_operator *operator, struct px_span practice)
{
	return operator->identity->all_practices ||
			px_identity_find(operator->identity, practice) != NULL;
}

struct px_practice *px_operator_find(const struct px_operator *operator, struct px_span practice)
{
	return px_operator_may_name(operator, practice) ? px_practice_find(operator->broker,
			px_identity_tenant(operator->identity), practice) : NULL;
}

bool px_operator_sees(const struct px_operator *operator, const struct px_session *session)
{
	const struct px_identity *theirs = session->identity;
	if (operator->identity->all_practices) {
		return px_span_equal(px_identity_tenant(operator->identity),
				px_identity_tenant(theirs));
	}
	for (uint32_t i = 0; i < theirs->practice_count; i++) {
		if (px_identity_holds(operator->identity, theirs->practices[i].practice)) {
			return true;
		}
	}
	return false;
}

/* Whether the operator has all of the session's practices. */
static bool covers(const struct px_operator *operator, const struct px_session *session)
{
	const struct px_identity *theirs = session->identity;
	if (operator->identity->all_practices) {
		return true; /* same tenant: checked before */
	}
	for (uint32_t i = 0; i < theirs->practice_count; i++) {
		if (!px_identity_holds(operator->identity, theirs->practices[i].practice)) {
			return false;
		}
	}
	return !theirs->all_practices;
}

int px_operator_tell(const struct px_operator *operator, const struct px_event *event,
		struct px_error_detail *ret_detail)
{
	struct px_event told = *event;
	told.kind = PX_EVENT_ADMINISTERED;
	told.session = operator->session;
	told.operator = operator;
	if (px_broker_tell(operator->broker, &told) < 0) {
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
				"The server refused this because it cannot write its audit log.");
	}
	return 0;
}

static struct px_session *find_session(const struct px_operator *operator, struct px_span client_id)
{
	struct px_session *session = px_session_find(operator->broker, client_id);
	return session && px_operator_sees(operator, session) ? session : NULL;
}

static void say_why(struct px_session *session, struct px_span reason)
{
	struct px_json json;
	px_json_begin(&json, "disconnecting");
	if (reason.len > 0) {
		px_json_string(&json, "reason", reason);
	}
	px_json_end(&json);
	px_session_send_json(session, &json);
}

int px_operate_disconnect(const struct px_operator *operator, struct px_span client_id,
		struct px_span reason, struct px_error_detail *ret_detail)
{
	struct px_session *session = find_session(operator, client_id);
	if (!session || (session->phase != PX_SESSION_OPEN &&
			session->phase != PX_SESSION_DETACHED)) {
		return px_deny(ret_detail, PX_E_NOT_FOUND, "clientId",
				"There is no client with this clientId.");
	}
	if (!covers(operator, session)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, "clientId",
				"The client belongs to other practices, too.");
	}
	if (px_operator_tell(operator, &(struct px_event){
			.act = "disconnect",
			.practice = session->identity->practice_count > 0 ?
					session->identity->practices[0].practice : NULL,
			.target = client_id,
		}, ret_detail) < 0) {
		return -1;
	}
	say_why(session, reason);
	/* A client without praxis.v1 reconnects after any code but 1000. */
	px_session_close(session, session->versioned ? PX_CLOSE_REMOVED : PX_CLOSE_NORMAL);
	return 0;
}

/* `pending` NULL: the caller tells the outcome. */
static int end_room(const struct px_operator *operator, struct px_span service_name,
		struct px_span practice_id, struct px_span room, struct px_pending *pending,
		struct px_error_detail *ret_detail)
{
	struct px_broker *broker = operator->broker;
	const struct px_service *service = px_broker_find_service(broker, service_name, NULL);
	if (!service) {
		return px_deny(ret_detail, PX_E_NOT_FOUND, "service",
				"There is no service with this name.");
	}
	if (!px_operator_may_name(operator, practice_id)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, "practiceId",
				"You have no access to this practice.");
	}
	struct px_practice *practice = px_operator_find(operator, practice_id);
	if (practice && !px_turn_can_begin(broker, practice)) {
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
				"The practice cannot be reached now; try again in a moment.");
	}
	struct px_channel *channel = practice ?
			px_channel_find(broker, practice, service, room) : NULL;
	if (!channel && practice) {
		/* No members, but somebody waits for admission. */
		channel = px_channel_find_kind(broker, practice, service, room, true);
	}
	if (!channel || !channel->kind->is_room || channel->member_count == 0) {
		return px_deny(ret_detail, PX_E_NOT_FOUND, "roomId",
				"The practice has no room with this roomId.");
	}
	if (px_operator_tell(operator, &(struct px_event){
			.act = "end_room",
			.practice = practice,
			.service = service,
			.room = room,
		}, ret_detail) < 0) {
		return -1;
	}
	px_channel_end(channel, PX_ENDED);
	if (pending) {
		px_pending_finish(pending, practice, &(struct px_published){ 0 }, broker);
	}
	return 0;
}

int px_operate_end_room(const struct px_operator *operator, struct px_span service,
		struct px_span practice, struct px_span room, struct px_error_detail *ret_detail)
{
	return end_room(operator, service, practice, room, NULL, ret_detail);
}

void px_operate_end_room_then(const struct px_operator *operator, struct px_span service,
		struct px_span practice, struct px_span room, const struct px_operate_done *done)
{
	struct px_pending *pending = px_pending_create(done);
	struct px_error_detail detail;
	if (pending && end_room(operator, service, practice, room, pending, &detail) < 0) {
		px_pending_deny(pending, &detail);
	}
}

int px_operate_switch(const struct px_operator *operator, struct px_span service, bool enabled,
		struct px_error_detail *ret_detail)
{
	const struct px_broker_host *host = &operator->broker->host;
	if (!px_operator_is_server_admin(operator)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, NULL,
				"Only server administrators may enable or disable a service.");
	}
	int rc = host->switch_service ? host->switch_service(host->user, operator, service,
			enabled) : -ENOTSUP;
	switch (rc) {
	case 0:
		return 0;
	case -ENOENT:
		return px_deny(ret_detail, PX_E_NOT_FOUND, "name",
				"This server has no service with this name.");
	case -EBUSY:
		return px_deny(ret_detail, PX_E_FORBIDDEN, "name",
				"This service cannot disable itself: nothing could enable it again.");
	case -EROFS:
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
				"The server refused this because it cannot write its audit log.");
	default:
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
				"The service could not be switched; see the server's log.");
	}
}

int px_operate_unlock(const struct px_operator *operator, struct px_span address,
		struct px_error_detail *ret_detail)
{
	const struct px_broker_host *host = &operator->broker->host;
	if (!px_operator_is_server_admin(operator)) {
		return px_deny(ret_detail, PX_E_FORBIDDEN, NULL,
				"Only server administrators may unlock an address.");
	}
	int rc = host->unlock ? host->unlock(host->user, operator, address) : -ENOENT;
	switch (rc) {
	case 0:
		return 0;
	case -ENOENT:
		return px_deny(ret_detail, PX_E_NOT_FOUND, "address",
				"No failed attempts are recorded for this address.");
	default:
		return px_deny(ret_detail, PX_E_UNAVAILABLE, NULL,
				"The server refused this because it cannot write its audit log.");
	}
}
