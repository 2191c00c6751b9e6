/* SPDX-License-Identifier: MIT */
/* What is wrong with a request, as its handler says it; api.c answers it. */
#include "api_internal.h"

int px_api_status(enum px_error code)
{
	switch (code) {
	case PX_E_BAD_JSON:
	case PX_E_BAD_MESSAGE:
	case PX_E_UNKNOWN_TYPE: return 400;
	case PX_E_UNAUTHENTICATED:
	case PX_E_TOKEN_EXPIRED: return 401;
	case PX_E_FORBIDDEN: return 403;
	case PX_E_NOT_FOUND: return 404;
	case PX_E_SERVICE_DISABLED:
	case PX_E_ROOM_FULL: return 409;
	case PX_E_RATE_LIMITED: return 429;
	case PX_E_UNAVAILABLE: return 503;
	default: return 500;
	}
}

int px_api_fail(struct px_api_call *call, int status, enum px_error code, const char *field,
		const char *sentence)
{
	call->error = (struct px_api_error){ status, { code, field, sentence } };
	return -1;
}

int px_api_deny(struct px_api_call *call, const struct px_error_detail *detail)
{
	call->error = (struct px_api_error){ 0, *detail };
	return -1;
}
