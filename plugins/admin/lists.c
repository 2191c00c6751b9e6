/* SPDX-License-Identifier: MIT */
/* Clients and rooms, page by page. */
#include "admin.h"

/* What the message asks for; the texts lie in the buffers. False: refused. */
static bool read_page(struct px_call *call, char service[PX_NAME_MAX + 1],
		char practice[PX_ID_MAX + 1], struct px_page *ret_page)
{
	int64_t after;
	int64_t limit;
	if (!admin_integer(call, "after", 0, 0, INT64_C(1) << 53, &after) ||
			!admin_integer(call, "limit", 0, 0, PX_PAGE_MAX, &limit)) {
		return false;
	}
	*ret_page = (struct px_page){
		.service = admin_text(call, "service", service, PX_NAME_MAX + 1),
		.practice = admin_text(call, "practiceId", practice, PX_ID_MAX + 1),
		.after = (uint64_t)after,
		.limit = (uint32_t)limit,
	};
	return true;
}

typedef int (*list_fn)(const struct px_operator *operator, const struct px_page *page,
		struct px_json *json, struct px_error_detail *ret_detail);

static int answer(struct px_call *call, const char *type, list_fn list)
{
	struct px_operator operator = px_session_operator(call->session);
	char service[PX_NAME_MAX + 1];
	char practice[PX_ID_MAX + 1];
	struct px_error_detail detail;
	struct px_page page;
	struct px_json json;
	if (!read_page(call, service, practice, &page)) {
		return -1;
	}
	px_json_begin(&json, type);
	if (list(&operator, &page, &json, &detail) < 0) {
		px_json_finish(&json);
		return admin_deny(call, &detail);
	}
	px_json_end(&json);
	px_session_send_json(call->session, &json);
	return 0;
}

int admin_handle_clients(struct px_call *call)
{
	return answer(call, "admin_clients", px_operate_clients);
}

int admin_handle_rooms(struct px_call *call)
{
	return answer(call, "admin_rooms", px_operate_rooms);
}
