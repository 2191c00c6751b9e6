/* SPDX-License-Identifier: MIT */
/*
 * Returning clients: with the token of a session (resume, praxis.v1), or, without praxis.v1, as the
 * same user (reattach). In both cases the existing session gets the new connection, and keeps its
 * client id, its rooms and the services' state.
 */
#include "channel/channel.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/message.h"
#include "core/session.h"
#include "deadlines.h"
#include "detached.h"
#include "outbound/replay_buffer.h"
#include "outbound/write.h"
#include "session.h"

#include <errno.h>
#include <praxis/host/session.h>

/* ---- resume, by token ---- */

/* Open or about to be closed for a restart; and authenticated. */
static bool is_there(const struct px_session *session)
{
	bool phase_fits = session->phase == PX_SESSION_OPEN ||
			session->phase == PX_SESSION_DETACHED ||
			(session->phase < PX_SESSION_DETACHED &&
			px_session_is_to_return(session));
	return phase_fits && !session->is_rejected && session->identity->role != 0 &&
			!px_session_expired(session);
}

/* An unauthenticated identity, or in open mode one without a user, does not identify a user. */
static bool is_other_user(const struct px_identity *own, const struct px_identity *brought)
{
	if (brought->role == 0 || (!brought->authenticated && brought->user_len == 0)) {
		return false;
	}
	return own->authenticated != brought->authenticated || !px_identity_same_user(own, brought);
}

static enum px_resume_result judge(struct px_broker *broker, const struct px_realm *realm,
		struct px_span token, int64_t received, struct px_session **ret_session)
{
	struct px_session *session = px_resume_find(broker, realm, token);
	if (!session || !is_there(session)) {
		return PX_RESUME_UNKNOWN;
	}
	*ret_session = session;
	if (received < 0 || (uint64_t)received > session->resume->sent) {
		return PX_RESUME_BAD_COUNT;
	}
	return px_resume_covers(session, (uint64_t)received) ? PX_RESUME_DONE : PX_RESUME_BEHIND;
}

const struct px_session *px_broker_resumable(struct px_broker *broker,
		const struct px_realm *realm, struct px_span token, int64_t received)
{
	struct px_session *session = NULL;
	return judge(broker, realm, token, received, &session) == PX_RESUME_DONE ? session : NULL;
}

bool px_broker_awaits(struct px_broker *broker, const struct px_session_params *params,
		struct px_span tenant, struct px_span user)
{
	struct px_session *session = NULL;
	if (!params->versioned) {
		return px_session_find_reattachable(broker, params, tenant, user);
	}
	return params->resume.len > 0 && judge(broker, params->realm, params->resume,
			params->received, &session) == PX_RESUME_DONE && !session->conn &&
			session->identity->authenticated &&
			px_identity_is_user(session->identity, tenant, user);
}

static struct px_message *compose_resumed(const struct px_session *session)
{
	char client_id[PX_CLIENT_ID_SIZE];
	struct px_json json;
	px_session_client_id(session, client_id);
	px_json_begin(&json, "resumed");
	px_json_text(&json, "clientId", client_id);
	px_json_int(&json, "received", (int64_t)session->resume->received);
	px_resume_write(session, &json);
	px_json_end(&json);
	struct px_message *message = px_message_from_json(session->broker, &json);
	if (message) {
		message->uncounted = true;
	}
	return message;
}

/* Makes a queue of that message and a ping, whose pong confirms the new token. */
static int queue_resumed(struct px_session *session, struct px_queue *ret_queue)
{
	struct px_broker *broker = session->broker;
	struct px_message *message = compose_resumed(session);
	int rc = message ? px_queue_push(ret_queue, &broker->queue_pool, message) : -ENOMEM;
	rc = rc < 0 ? rc : px_queue_push(ret_queue, &broker->queue_pool, broker->ping);
	px_message_unref(broker, message);
	return rc;
}

/* Reports to the host, for which the session already has that identity. */
static int tell(struct px_session *session, const struct px_session_params *params,
		struct px_identity *identity)
{
	struct px_identity *old = session->identity;
	session->identity = identity;
	int rc = px_broker_tell(session->broker, &(struct px_event){
		.kind = PX_EVENT_RESUMED,
		.session = session,
		.conn = params->conn,
	});
	session->identity = old;
	return rc;
}

/* The former connection is told why it ends, if it is still there. */
static void close_former(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	void *old = session->conn;
	if (!old) {
		px_session_unwait(session);
		return;
	}
	broker->stats.takeovers++;
	px_session_drop_uncounted(session);
	if (session->phase != PX_SESSION_CLOSED) {
		uint16_t code = broker->transport.busy(old) ? 0 : PX_CLOSE_REPLACED;
		if (session->phase == PX_SESSION_OPEN) {
			px_broker_count_close(broker, PX_CLOSE_REPLACED);
		}
		broker->stats.cuts += code == 0;
		broker->transport.close(old, code);
	}
	broker->transport.bind(old, NULL);
}

static void take_hold(struct px_session *session, void *conn)
{
	session->conn = conn;
	session->phase = PX_SESSION_OPEN;
	session->close_code = 0;
	session->leave_ms = 0;
	session->is_waiting = false;
	session->is_pinged = false;
	session->alive_ms = session->broker->timers.now_ms;
	px_queue_touch(&session->queue, &session->broker->queue_pool);
	if (px_session_arm(session) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static void count_queued(void *user, const struct px_message *message)
{
	px_session_count_out(user, message);
}

static int resume(struct px_session *session, const struct px_session_params *params)
{
	struct px_broker *broker = session->broker;
	struct px_resume *state = session->resume;
	struct px_identity *fresh = params->identity;
	struct px_queue queue = { 0 };
	struct px_resume_secrets secrets = state->secrets;
	bool renews = fresh->authenticated;
	int rc = renews ? 0 : px_identity_move(session->identity, px_identity_address(fresh), &fresh);
	if (rc < 0) {
		return rc;
	}
	px_resume_renew(session, params->resume);
	rc = queue_resumed(session, &queue);
	rc = rc < 0 ? rc : tell(session, params, fresh);
	if (rc < 0) {
		state->secrets = secrets;
		px_queue_clear(&queue, &broker->queue_pool, broker);
		if (!renews) {
			px_identity_destroy(broker, fresh);
		}
		return rc;
	}
	close_former(session);
	session->is_opening = true;
	broker->stats.queue_bytes += queue.bytes;
	px_queue_visit(&queue, count_queued, session);
	(void)px_resume_confirm(session, (uint64_t)params->received);
	px_resume_rewind(session, &queue);
	take_hold(session, params->conn);
	px_session_mark_dirty(session);
	if (renews) {
		px_session_become(session, fresh, false);
	} else {
		px_identity_take_up(broker, fresh);
		px_identity_put_down(broker, session->identity);
		px_identity_destroy(broker, session->identity);
		px_identity_destroy(broker, params->identity);
		session->identity = fresh;
	}
	px_session_attach(session);
	session->is_opening = false;
	return 0;
}

static void refuse_other(struct px_session *session)
{
	(void)px_broker_tell(session->broker, &(struct px_event){
		.kind = PX_EVENT_REFUSED,
		.session = session,
		.error = PX_E_FORBIDDEN,
	});
}

static struct px_session *resume_by_token(struct px_broker *broker,
		const struct px_session_params *params)
{
	struct px_session *session = NULL;
	enum px_resume_result result = judge(broker, params->realm, params->resume,
			params->received, &session);
	bool there = result == PX_RESUME_DONE || result == PX_RESUME_BEHIND;
	if (there && is_other_user(session->identity, params->identity)) {
		result = PX_RESUME_OTHER_USER;
		refuse_other(session);
	} else if (result == PX_RESUME_DONE && resume(session, params) < 0) {
		result = PX_RESUME_REFUSED;
	} else if (result == PX_RESUME_BEHIND) {
		/* Its client starts anew, so the old session is not needed. */
		px_session_close(session, PX_CLOSE_REPLACED);
	}
	broker->stats.resumes[result]++;
	return result == PX_RESUME_DONE ? session : NULL;
}

/* ---- reattach, by user ---- */

/* The session gets the connection of the unauthenticated one, and what was queued for it. */
static void hand_over_connection(struct px_session *unauthenticated, struct px_session *session)
{
	px_queue_append(&session->queue, &unauthenticated->queue);
	px_session_mark_dirty(session);
	session->broker->transport.bind(session->conn, session);
	px_session_finish(unauthenticated);
}

/* `unauthenticated`: the session that has the connection now; NULL: none has. */
static struct px_session *reattach(struct px_broker *broker, const struct px_session_params *params,
		struct px_session *unauthenticated)
{
	const struct px_identity *identity = params->identity;
	if (!identity->authenticated || identity->user_len == 0 || identity->role == 0) {
		return NULL;
	}
	struct px_session *session = px_session_find_reattachable(broker, params,
			px_identity_tenant(identity), px_identity_user(identity).text);
	if (!session || tell(session, params, params->identity) < 0) {
		return NULL;
	}
	struct px_identity *old = session->identity;
	px_session_unwait(session);
	px_resume_destroy(session);
	session->is_opening = !unauthenticated;
	take_hold(session, params->conn);
	if (unauthenticated) {
		hand_over_connection(unauthenticated, session);
	}
	px_session_attach(session); /* services that were enabled while it was detached */
	session->identity = params->identity;
	px_session_greet(session, false);
	session->identity = old;
	px_session_become(session, params->identity, unauthenticated != NULL);
	px_session_attach(session);
	px_session_catch_up(session);
	session->is_opening = false;
	broker->stats.healed++;
	return session;
}

struct px_session *px_session_reattach(struct px_session *unauthenticated,
		struct px_identity *identity)
{
	struct px_broker *broker = unauthenticated->broker;
	if (unauthenticated->versioned || broker->limits.grace_ms <= 0) {
		return NULL;
	}
	return reattach(broker, &(struct px_session_params){
		.realm = unauthenticated->realm,
		.identity = identity,
		.conn = unauthenticated->conn,
		.service = unauthenticated->service,
	}, unauthenticated);
}

bool px_session_resume_or_reattach(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session)
{
	struct px_session *session = NULL;
	if (params->verdict != PX_VERDICT_GOOD || broker->limits.grace_ms <= 0) {
		return false;
	}
	if (!params->versioned) {
		session = reattach(broker, params, NULL);
	} else if (params->resume.len > 0) {
		session = resume_by_token(broker, params);
	}
	*ret_session = session;
	return session != NULL;
}
