/* SPDX-License-Identifier: MIT */
/*
 * The functions of types.h: names of codes and roles, spans, ids.
 */
#include <praxis/types.h>

#include "scan.h"

#include <string.h>

static const char *const error_names[PX_E_COUNT] = {
	[PX_E_BAD_JSON] = "bad_json",
	[PX_E_BAD_MESSAGE] = "bad_message",
	[PX_E_UNKNOWN_TYPE] = "unknown_type",
	[PX_E_SERVICE_DISABLED] = "service_disabled",
	[PX_E_UNAUTHENTICATED] = "unauthenticated",
	[PX_E_TOKEN_EXPIRED] = "token_expired",
	[PX_E_FORBIDDEN] = "forbidden",
	[PX_E_NOT_IN_ROOM] = "not_in_room",
	[PX_E_NO_SUCH_PEER] = "no_such_peer",
	[PX_E_ROOM_FULL] = "room_full",
	[PX_E_TOO_MANY_ROOMS] = "too_many_rooms",
	[PX_E_RATE_LIMITED] = "rate_limited",
	[PX_E_UNAVAILABLE] = "unavailable",
	[PX_E_INTERNAL] = "internal",
	[PX_E_NOT_FOUND] = "not_found",
};

static const struct {
	enum px_role role;
	const char *name;
} roles[] = {
	{ PX_ROLE_STAFF, "staff" },
	{ PX_ROLE_PATIENT, "patient" },
	{ PX_ROLE_SERVICE, "service" },
	{ PX_ROLE_ADMIN, "admin" },
};

static const uint16_t close_codes[PX_CLOSES_COUNT] = {
	PX_CLOSE_NORMAL, PX_CLOSE_GOING_AWAY, PX_CLOSE_BINARY, PX_CLOSE_POLICY, PX_CLOSE_TOO_BIG,
	PX_CLOSE_RESTART, PX_CLOSE_TRY_LATER, PX_CLOSE_UNAUTHENTICATED, PX_CLOSE_FORBIDDEN,
	PX_CLOSE_SLOW, PX_CLOSE_REPLACED, PX_CLOSE_REMOVED, PX_CLOSE_FLOODING,
};

uint16_t px_close_code(unsigned index)
{
	return close_codes[index];
}

bool px_span_equal(struct px_span a, struct px_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int px_span_compare(struct px_span a, struct px_span b)
{
	if (a.len != b.len) {
		return a.len < b.len ? -1 : 1;
	}
	return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

const char *px_error_name(enum px_error code)
{
	return error_names[code];
}

const char *px_role_name(enum px_role role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (roles[i].role == role) {
			return roles[i].name;
		}
	}
	return "none";
}

enum px_role px_role_parse(struct px_span name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (px_span_equal(name, px_span(roles[i].name))) {
			return roles[i].role;
		}
	}
	return 0;
}

bool px_span_is_text(struct px_span span)
{
	if (span.len == 0) {
		return true;
	}
	struct px_scan scan = {
		.at = (const uint8_t *)span.data,
		.end = (const uint8_t *)span.data + span.len,
	};
	while (scan.at < scan.end) {
		if (*scan.at < 0x20 || *scan.at == 0x7f) {
			return false;
		}
		if (*scan.at < 0x80) {
			scan.at++;
		} else if (px_scan_utf8(&scan) < 0) {
			return false;
		}
	}
	return true;
}

bool px_id_is_integer(struct px_span text)
{
	size_t i = text.len > 0 && text.data[0] == '-' ? 1 : 0;
	if (i == text.len || (text.data[i] == '0' && text.len != 1)) {
		return false;
	}
	for (; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9') {
			return false;
		}
	}
	return true;
}
