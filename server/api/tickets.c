/* SPDX-License-Identifier: MIT */
/*
 * POST /api/v1/tickets: issues a ticket for an identity with at most the caller's rights.
 */
#include "api_internal.h"
#include "auth/authenticator.h"
#include "auth/tickets.h"
#include "core/peer.h"
#include "core/vhost.h"
#include "token/token.h"

#include <errno.h>
#include <json-c/json.h>
#include <time.h>

static bool is_among(const struct px_id *ids, size_t count, const struct px_id *wanted)
{
	size_t i = 0;
	while (i < count && !px_span_equal(ids[i].text, wanted->text)) {
		i++;
	}
	return i < count;
}

/*
 * Whether the caller may join the ticket's rooms. Without a list it may join all, except that a
 * patient without a list may join none.
 */
static bool covers_rooms(const struct px_token *caller, const struct px_token *ticket)
{
	if (caller->has_rooms && !ticket->has_rooms && ticket->role != PX_ROLE_PATIENT) {
		return false;
	}
	for (size_t i = 0; caller->has_rooms && i < ticket->room_count; i++) {
		if (!is_among(caller->rooms, caller->room_count, &ticket->rooms[i])) {
			return false;
		}
	}
	return true;
}

/* Whether the caller has all rights of the ticket. */
static bool covers(const struct px_peer *peer, const struct px_token *caller,
		const struct px_token *ticket)
{
	struct px_span own = px_span(peer->vhost->config->tenant);
	struct px_span tenant = caller->tenant.len > 0 ? caller->tenant : own;
	if (!px_span_equal(ticket->tenant.len > 0 ? ticket->tenant : own, tenant) ||
			(ticket->role == PX_ROLE_ADMIN && caller->role != PX_ROLE_ADMIN) ||
			(ticket->all_practices && !caller->all_practices)) {
		return false;
	}
	for (size_t i = 0; i < ticket->practice_count && !caller->all_practices; i++) {
		if (!is_among(caller->practices, caller->practice_count, &ticket->practices[i])) {
			return false;
		}
	}
	return covers_rooms(caller, ticket);
}

static int read_claims(struct px_api_call *call, struct px_token **ret_token)
{
	static const char *const names[] = { "claims", NULL };
	const char *claim;
	struct json_object *claims;
	if (px_api_only(call, names) < 0) {
		return -1;
	}
	if (!json_object_object_get_ex(call->fields, "claims", &claims) ||
			!json_object_is_type(claims, json_type_object) ||
			px_authenticator_read_claims(call->peer->vhost, claims, ret_token, &claim) < 0) {
		return px_api_fail(call, 0, PX_E_BAD_MESSAGE, "claims",
				"The body must be {\"claims\": {…}}, with claims as a token has them.");
	}
	return 0;
}

int px_api_post_ticket(struct px_api_call *call)
{
	char ticket[PX_TICKET_SIZE];
	struct px_token *token;
	if (read_claims(call, &token) < 0) {
		return -1;
	}
	if (!covers(call->peer, call->caller, token)) {
		px_token_destroy(token);
		return px_api_fail(call, 0, PX_E_FORBIDDEN, NULL,
				"The claims exceed those of the token in the request.");
	}
	if (px_tickets_issue(call->server->tickets, call->peer->vhost->config->name, token,
			(int64_t)uv_now(&call->server->loop), ticket) < 0) {
		px_token_destroy(token);
		return px_api_fail(call, 0, PX_E_UNAVAILABLE, NULL, "Too many tickets are outstanding.");
	}
	px_json_text(call->json, "ticket", ticket);
	px_json_int(call->json, "expiresAt", (int64_t)time(NULL) * 1000 + PX_TICKET_TTL_MS);
	return 0;
}
