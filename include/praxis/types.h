/* SPDX-License-Identifier: MIT */
/*
 * Basic types of all other headers: spans of bytes, ids, roles, and the error and close codes of
 * the wire protocol (docs/protocol.md, section 2).
 *
 * An id is its text and one bit that says whether it was a JSON number. 7 and "7" are the same id,
 * yet each client gets back its own spelling, because clients compare with ===. Ids are never
 * converted to an integer type: a clinic's 20-digit number must not become another clinic's.
 */
#ifndef PRAXIS_TYPES_H
#define PRAXIS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PX_PUBLIC __attribute__((visibility("default")))
#define PX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Longest text of an id (practice, room, user, appointment), in bytes. */
#define PX_ID_MAX 128

/* Borrowed bytes, not terminated. If len > 0, data is not NULL. */
struct px_span {
	const char *data;
	size_t len;
};

/* An id: `text` without quotes and escapes; `number`: it was an integer in JSON. */
struct px_id {
	struct px_span text;
	bool number;
};

/* The role of a session. Bits, so that a command can name the set that it permits. */
enum px_role {
	PX_ROLE_STAFF = 1,
	PX_ROLE_PATIENT = 2,
	PX_ROLE_SERVICE = 4,
	PX_ROLE_ADMIN = 8,
};
#define PX_ROLES_ALL (PX_ROLE_STAFF | PX_ROLE_PATIENT | PX_ROLE_SERVICE | PX_ROLE_ADMIN)
#define PX_ROLES_TEAM (PX_ROLE_STAFF | PX_ROLE_SERVICE | PX_ROLE_ADMIN)

/* The `code` of an `error` message. The order is that of the statistics' counters. */
enum px_error {
	PX_E_BAD_JSON,
	PX_E_BAD_MESSAGE,
	PX_E_UNKNOWN_TYPE,
	PX_E_SERVICE_DISABLED,
	PX_E_UNAUTHENTICATED,
	PX_E_TOKEN_EXPIRED,
	PX_E_FORBIDDEN,
	PX_E_NOT_IN_ROOM,
	PX_E_NO_SUCH_PEER,
	PX_E_ROOM_FULL,
	PX_E_TOO_MANY_ROOMS,
	PX_E_RATE_LIMITED,
	PX_E_UNAVAILABLE,
	PX_E_INTERNAL,
	PX_E_NOT_FOUND,
	PX_E_COUNT,
};

/* WebSocket close codes (RFC 6455 section 7.4; the protocol's own start at 4400). */
enum px_close {
	PX_CLOSE_NORMAL = 1000,
	PX_CLOSE_GOING_AWAY = 1001,
	PX_CLOSE_BINARY = 1003,
	PX_CLOSE_POLICY = 1008,
	PX_CLOSE_TOO_BIG = 1009,
	PX_CLOSE_RESTART = 1012,
	PX_CLOSE_TRY_LATER = 1013,
	PX_CLOSE_UNAUTHENTICATED = 4401,
	PX_CLOSE_FORBIDDEN = 4403,
	PX_CLOSE_SLOW = 4408,
	PX_CLOSE_REPLACED = 4409,
	PX_CLOSE_REMOVED = 4410,
	PX_CLOSE_FLOODING = 4429,
};

/* Number of close codes that the server uses, and the code of each index below that. */
#define PX_CLOSES_COUNT 13
PX_PUBLIC uint16_t px_close_code(unsigned index);

/* A span of a string literal or of a terminated string. */
static inline struct px_span px_span(const char *text)
{
	size_t len = 0;
	while (text && text[len] != '\0') {
		len++;
	}
	return (struct px_span){ text, len };
}

PX_PUBLIC bool px_span_equal(struct px_span a, struct px_span b);

/* Less than, equal to or greater than 0, by length first: an order for searching. */
PX_PUBLIC int px_span_compare(struct px_span a, struct px_span b);

/* The name of a code on the wire ("not_in_room"). Static. */
PX_PUBLIC const char *px_error_name(enum px_error code);

/* The name of one role ("staff"). Static; "none" for 0. */
PX_PUBLIC const char *px_role_name(enum px_role role);

/* The role with that name, or 0. */
PX_PUBLIC enum px_role px_role_parse(struct px_span name);

/* Whether it is valid UTF-8 (RFC 3629) without control characters. */
PX_PUBLIC bool px_span_is_text(struct px_span span);

/* Whether `text` is an integer as spelled in JSON, so that an id may be a number. */
PX_PUBLIC bool px_id_is_integer(struct px_span text);

#endif
