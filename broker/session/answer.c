/* SPDX-License-Identifier: MIT */
/* What the server says to a session by itself: the greeting, and errors. */
#include "core/session.h"

#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/message.h"
#include "core/practice.h"
#include "outbound/replay_buffer.h"
#include "outbound/write.h"
#include "dispatch.h"
#include "session.h"

#include <praxis/session.h>

void px_session_write_user(const struct px_session *session, struct px_json *json)
{
	const struct px_identity *identity = session->identity;
	px_json_open_object(json, "user");
	if (identity->user_len > 0) {
		px_json_id(json, "userId", px_identity_user(identity));
	}
	if (identity->name_len > 0) {
		px_json_string(json, "userName", px_identity_name(identity));
	}
	px_json_text(json, "role", px_role_name(identity->role));
	px_json_open_array(json, "practices");
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		const struct px_practice *practice = identity->practices[i].practice;
		px_json_id(json, NULL, (struct px_id){ { practice->id, practice->id_len },
			identity->practices[i].number });
	}
	px_json_close_array(json);
	px_json_close_object(json);
}

void px_session_greet(struct px_session *session, bool not_resumed)
{
	struct px_broker *broker = session->broker;
	/* An unauthenticated session is told the services of the vhost. */
	uint32_t services = px_session_services(session) &
			(session->identity->role == 0 ? UINT32_MAX : session->opened);
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_json json;

	px_session_client_id(session, client_id);
	px_json_begin(&json, "connection_established");
	px_json_text(&json, "clientId", client_id);
	px_json_open_array(&json, "services");
	for (unsigned i = 0; i < broker->service_count; i++) {
		if (services & UINT32_C(1) << i && px_session_knows(session, i)) {
			px_json_text(&json, NULL, broker->services[i].service->name);
		}
	}
	px_json_close_array(&json);
	px_json_int(&json, "protocol", 1);
	if (session->identity->role != 0) {
		px_session_write_user(session, &json);
	}
	if (not_resumed) {
		px_json_bool(&json, "resumed", false);
	}
	if (session->versioned && session->resume) {
		px_resume_write(session, &json);
	}
	px_json_int(&json, "heartbeatMs", broker->limits.heartbeat_ms);
	px_json_int(&json, "maxMessageBytes", broker->limits.message_bytes);
	px_json_end(&json);
	struct px_message *message = px_message_from_json(broker, &json);
	if (!message) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
		return;
	}
	message->uncounted = true;
	px_session_send(session, message);
	px_message_unref(broker, message);
}

void px_session_refuse(struct px_session *session, const struct px_refusal *refusal)
{
	struct px_json json;
	session->broker->stats.errors[refusal->code]++;
	session->broker->refusal = refusal->code;
	px_json_begin(&json, "error");
	px_json_text(&json, "code", px_error_name(refusal->code));
	px_json_text(&json, "message", refusal->sentence);
	if (refusal->ref.len > 0) {
		px_json_string(&json, "ref", refusal->ref);
	}
	if (refusal->id) {
		px_json_raw(&json, "id", refusal->id->value);
	}
	if (refusal->field) {
		px_json_text(&json, "field", refusal->field);
	}
	if (refusal->retry_after_ms > 0) {
		px_json_int(&json, "retryAfterMs", refusal->retry_after_ms);
	}
	px_json_end(&json);
	px_session_send_json(session, &json);
	session->broker->refusal = PX_E_COUNT;
}
