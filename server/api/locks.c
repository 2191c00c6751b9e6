/* SPDX-License-Identifier: MIT */
/*
 * GET /api/v1/locks and POST /api/v1/unlock: addresses that are locked after too many guesses.
 */
#include "api_internal.h"

int px_api_get_locks(struct px_api_call *call)
{
	struct px_error_detail detail;
	return px_operate_write_locks(&call->operator, call->json, &detail) < 0 ?
			px_api_deny(call, &detail) : 0;
}

int px_api_post_unlock(struct px_api_call *call)
{
	static const char *const names[] = { "address", NULL };
	struct px_error_detail detail;
	struct px_span address;
	if (px_api_only(call, names) < 0 ||
			px_api_text(call, "address", false, PX_ID_MAX, &address) < 0) {
		return -1;
	}
	if (px_operate_unlock(&call->operator, address, &detail) < 0) {
		return px_api_deny(call, &detail);
	}
	px_json_string(call->json, "address", address);
	return 0;
}
