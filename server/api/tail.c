/* SPDX-License-Identifier: MIT */
/*
 * POST /api/v1/tail: headers of a practice's messages, as they arrive and leave.
 */
#include "api_internal.h"

#include "tail_stream.h"
#include "token/token.h"

int px_api_post_tail(struct px_api_call *call)
{
	static const char *const names[] = { "practiceId", "service", NULL };
	struct px_message_tap_filter wish = { .user = NULL };
	struct px_error_detail detail;
	struct px_id practice;
	if (px_api_only(call, names) < 0 || px_api_id(call, "practiceId", &practice) < 0 ||
			px_api_text(call, "service", true, PX_ID_MAX, &wish.service) < 0) {
		return -1;
	}
	if (call->server->draining) {
		return px_api_fail(call, 0, PX_E_UNAVAILABLE, NULL, "The server is shutting down.");
	}
	wish.practice = practice.text;
	if (px_tail_stream_begin(call->peer, call->wsi, &call->operator, &wish,
			call->caller->expires_s * 1000, &call->stream, &detail) < 0) {
		return px_api_deny(call, &detail);
	}
	return 0;
}
