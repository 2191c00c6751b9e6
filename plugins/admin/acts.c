/* SPDX-License-Identifier: MIT */
/* What an administrator does to others. The receipt is all the answer that it takes. */
#include "admin.h"

int admin_handle_disconnect(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	char client_id[PX_NAME_MAX + 1];
	char reason_text[PX_NAME_MAX + 1];
	struct px_error_detail detail;
	struct px_span reason = admin_text(call, "reason", reason_text, sizeof(reason_text));
	if (!px_span_is_text(reason)) {
		return px_call_fail(call, PX_E_BAD_MESSAGE, "reason",
				"This field must not contain control characters.");
	}
	int rc = px_operate_disconnect(&operator,
			admin_text(call, "clientId", client_id, sizeof(client_id)), reason, &detail);
	return rc < 0 ? admin_deny(call, &detail) : 0;
}

int admin_handle_end_room(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	char service[PX_NAME_MAX + 1];
	char practice[PX_ID_MAX + 1];
	char room[PX_ID_MAX + 1];
	struct px_error_detail detail;
	int rc = px_operate_end_room(&operator,
			admin_text(call, "service", service, sizeof(service)),
			admin_text(call, "practiceId", practice, sizeof(practice)),
			admin_text(call, "roomId", room, sizeof(room)), &detail);
	return rc < 0 ? admin_deny(call, &detail) : 0;
}

int admin_handle_service(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	char name[PX_NAME_MAX + 1];
	struct px_error_detail detail;
	int rc = px_operate_switch(&operator, admin_text(call, "name", name, sizeof(name)),
			px_envelope_bool(call->message, "enabled"), &detail);
	return rc < 0 ? admin_deny(call, &detail) : 0;
}
