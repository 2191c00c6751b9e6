/* SPDX-License-Identifier: MIT */
/* Addresses that are locked because too many tokens of theirs were guesses, and lifting that. */
#include "admin.h"

int admin_handle_locks(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	struct px_error_detail detail;
	struct px_json json;
	px_json_begin(&json, "admin_locks");
	if (px_operate_write_locks(&operator, &json, &detail) < 0) {
		px_json_finish(&json);
		return admin_deny(call, &detail);
	}
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

int admin_handle_unlock(struct px_call *call)
{
	struct px_operator operator = px_session_operator(call->session);
	char address[PX_NAME_MAX + 1];
	struct px_error_detail detail;
	int rc = px_operate_unlock(&operator,
			admin_text(call, "address", address, sizeof(address)), &detail);
	return rc < 0 ? admin_deny(call, &detail) : 0;
}
