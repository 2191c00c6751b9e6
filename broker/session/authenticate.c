/* SPDX-License-Identifier: MIT */
/*
 * The `auth` message: an unauthenticated session authenticates, or a session renews its token in
 * place. A renewal is for the same user; practices that the new token lacks are left, those that it
 * adds are entered, and the session goes on without a gap.
 */
#include "channel/channel.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/practice.h"
#include "core/session.h"
#include "core/turn.h"
#include "deadlines.h"
#include "detached.h"
#include "dispatch.h"
#include "outbound/replay_buffer.h"
#include "outbound/rights.h"
#include "session.h"

#include <praxis/host/session.h>
#include <stdlib.h>

static void refuse(struct px_session *session, const struct px_field *id, enum px_error code,
		const char *sentence, int64_t retry_after_ms)
{
	px_session_refuse(session, &(struct px_refusal){
		.code = code,
		.sentence = sentence,
		.ref = px_span("auth"),
		.id = id,
		.retry_after_ms = retry_after_ms,
	});
}

static bool keeps(const struct px_identity *identity, const struct px_member *member)
{
	const struct px_channel *channel = member->channel;
	return px_identity_holds(identity, channel->practice) &&
			(!channel->kind->is_room ||
			px_identity_admits(identity, px_channel_name(channel)));
}

/* Leaving one channel may end other memberships of the session: unlinking advances broker->walk. */
static void leave_lost(struct px_session *session, const struct px_identity *identity)
{
	struct px_broker *broker = session->broker;
	struct px_member *member;
	broker->walk = session->members;
	while ((member = broker->walk)) {
		broker->walk = member->next;
		if (!keeps(identity, member)) {
			px_member_leave(member, PX_REMOVED);
		}
	}
}

static void enter_gained(struct px_session *session, const struct px_identity *old)
{
	const struct px_identity *identity = session->identity;
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		struct px_practice *practice = identity->practices[i].practice;
		if (!px_identity_holds(old, practice)) {
			px_session_enter(session, practice);
		}
	}
}

static void confirm(struct px_session *session)
{
	struct px_json json;
	px_json_begin(&json, "auth_ok");
	if (session->identity->expires_ms > 0) {
		px_json_int(&json, "expiresAt", session->identity->expires_ms);
	}
	px_session_write_user(session, &json);
	px_json_end(&json);
	px_session_send_json(session, &json);
}

/*
 * Replaces the identity and destroys the old one. What is lost is left under the old identity, so
 * others are told with its names. If the role changes, services are closed and opened anew.
 */
void px_session_become(struct px_session *session, struct px_identity *identity, bool tells)
{
	struct px_identity *old = session->identity;
	bool other_role = old->role != identity->role;
	px_rights_carry_over(session->broker, old, identity);
	px_session_drop_lost(session, identity);
	if (other_role) {
		px_session_leave_all(session, PX_REMOVED);
		px_session_close_services(session);
	} else {
		leave_lost(session, identity);
	}
	session->identity = identity;
	px_identity_take_up(session->broker, identity);
	px_identity_put_down(session->broker, old);
	session->is_noticed = false;
	if (tells) {
		confirm(session);
	}
	enter_gained(session, old);
	px_session_attach(session);
	if (session->broker->turn_hooks) {
		session->broker->turn_hooks->session_changed(session, old);
	}
	px_identity_destroy(session->broker, old);
	if (px_session_arm(session) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static struct px_session *take(struct px_session *session, struct px_identity *identity,
		const struct px_field *id)
{
	struct px_broker *broker = session->broker;
	struct px_identity *old = session->identity;
	struct px_session *reattached = old->role == 0 ? px_session_reattach(session, identity) : NULL;
	if (reattached) {
		return reattached;
	}
	if (old->role != 0 && !px_identity_same_user(old, identity)) {
		px_identity_destroy(broker, identity);
		refuse(session, id, PX_E_FORBIDDEN, "The token belongs to another user.", 0);
		return NULL;
	}
	session->identity = identity;
	int rc = px_broker_tell(broker, &(struct px_event){
		.kind = PX_EVENT_AUTHENTICATED,
		.session = session,
	});
	session->identity = old;
	if (rc < 0) {
		px_identity_destroy(broker, identity);
		refuse(session, id, PX_E_UNAVAILABLE, "The server accepts no sessions at the moment.", 0);
		return NULL;
	}
	px_session_become(session, identity, true);
	return session;
}

/* With a bad token, an unauthenticated session is closed; another one keeps its identity. */
void px_session_reject(struct px_session *session, const struct px_authentication *authentication,
		const struct px_field *id)
{
	bool unauthenticated = session->identity->role == 0;
	switch (authentication->verdict) {
	case PX_VERDICT_EXPIRED:
		refuse(session, id, PX_E_TOKEN_EXPIRED, "The token has expired.", 0);
		break;
	case PX_VERDICT_THROTTLED:
		refuse(session, id, PX_E_RATE_LIMITED, authentication->sentence,
				authentication->retry_after_ms);
		break;
	case PX_VERDICT_NO_TOKENS:
		refuse(session, id, PX_E_UNAVAILABLE, "This server accepts no tokens.", 0);
		return;
	case PX_VERDICT_UNAVAILABLE:
		refuse(session, id, PX_E_UNAVAILABLE, authentication->sentence ?
				authentication->sentence : "The server is at its limit.",
				authentication->retry_after_ms);
		return;
	default:
		refuse(session, id, PX_E_UNAUTHENTICATED, authentication->sentence, 0);
		break;
	}
	if (unauthenticated) {
		px_session_close(session, PX_CLOSE_UNAUTHENTICATED);
	}
}

static void judge(struct px_session *session, struct px_span token,
		struct px_authentication *ret_authentication)
{
	const struct px_broker_host *host = &session->broker->host;
	*ret_authentication = (struct px_authentication){ .verdict = PX_VERDICT_NO_TOKENS };
	if (host->authenticate) {
		host->authenticate(host->user, session->conn, session->realm, token,
				ret_authentication);
	}
}

struct px_session *px_session_authenticate(struct px_session *session,
		const struct px_envelope *message, const struct px_field *id)
{
	const struct px_field *field = px_envelope_field(message, "token");
	struct px_authentication authentication;
	if (!field || field->kind != PX_STRING || field->escaped) {
		/* The alphabet of a JWT (RFC 7515) needs no JSON escapes. */
		px_session_refuse(session, &(struct px_refusal){
			.code = PX_E_BAD_MESSAGE,
			.field = "token",
			.sentence = "This field must be a string without escapes.",
			.ref = px_span("auth"),
			.id = id,
		});
		return NULL;
	}
	struct px_span token = { field->value.data + 1, field->value.len - 2 };
	judge(session, token, &authentication);
	if (authentication.verdict != PX_VERDICT_GOOD) {
		px_session_reject(session, &authentication, id);
		return NULL;
	}
	return take(session, authentication.identity, id);
}
