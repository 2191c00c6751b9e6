/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of an open session: heartbeat, authentication, expiry of its token, leaving a retired
 * vhost, age of its queue. One timer serves all; each check says whether the session goes on, and
 * when it must run again.
 */
#include "core/session.h"
#include "core/broker.h"
#include "core/identity.h"
#include "deadlines.h"
#include "dispatch.h"
#include "outbound/write.h"
#include "session.h"

#include <praxis/host/session.h>

/* How long a session waits to be greeted, with a journal. */
#define ARRIVAL_MS 2000

static void earlier(int64_t *next_ms, int64_t at_ms)
{
	if (at_ms < *next_ms) {
		*next_ms = at_ms;
	}
}

/* After one silent heartbeat it is pinged, after another one dropped. */
static bool check_heartbeat(struct px_session *session, int64_t *next_ms)
{
	struct px_broker *broker = session->broker;
	int64_t heartbeat = broker->limits.heartbeat_ms;
	int64_t now_ms = broker->timers.now_ms;
	if (heartbeat <= 0) {
		return true;
	}
	int64_t since_ms = session->is_pinged ?
			now_ms - (uint32_t)((uint32_t)now_ms - session->pinged_ms) : session->alive_ms;
	int64_t due_ms = since_ms + heartbeat;
	if (now_ms >= due_ms) {
		if (session->is_pinged) {
			broker->stats.silent_peers++;
			px_session_break(session);
			return false;
		}
		/* Pinged before it is dropped, even if this process was suspended. */
		session->is_pinged = true;
		session->pinged_ms = (uint32_t)now_ms;
		px_session_send(session, broker->ping);
		due_ms = now_ms + heartbeat;
	}
	earlier(next_ms, due_ms);
	return session->phase == PX_SESSION_OPEN;
}

/* When its queue will be too old; INT64_MAX: never. */
static int64_t queue_deadline(const struct px_session *session)
{
	const struct px_broker *broker = session->broker;
	int64_t most_ms = broker->limits.queue_age_ms;
	return most_ms <= 0 || px_queue_empty(&session->queue) ? INT64_MAX :
			broker->timers.now_ms + most_ms -
			px_queue_age_ms(&session->queue, &broker->queue_pool);
}

/*
 * Age counts only from when a message was offered to the transport, which is when the session left
 * the dirty list.
 */
static bool check_queue(struct px_session *session, int64_t *next_ms)
{
	int64_t due_ms = queue_deadline(session);
	if (due_ms == INT64_MAX || session->is_dirty) {
		return true;
	}
	if (session->broker->timers.now_ms >= due_ms) {
		px_session_part_slow(session, true);
		return false;
	}
	earlier(next_ms, due_ms);
	return true;
}

void px_session_watch_queue(struct px_session *session)
{
	int64_t due_ms = queue_deadline(session);
	bool in_time = session->timer.place != 0 && session->timer.at_ms <= due_ms;
	if (session->phase == PX_SESSION_OPEN && due_ms != INT64_MAX && !in_time &&
			px_timer_arm(&session->broker->timers, &session->timer, due_ms) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static bool part(struct px_session *session, enum px_error code, const char *sentence)
{
	px_session_refuse(session, &(struct px_refusal){ .code = code, .sentence = sentence });
	px_session_close(session, PX_CLOSE_UNAUTHENTICATED);
	return false;
}

static bool check_authenticated(struct px_session *session, int64_t *next_ms)
{
	int64_t due_ms = session->opened_ms + session->realm->auth_ms;
	if (session->identity->role != 0) {
		return true;
	}
	if (session->broker->timers.now_ms >= due_ms) {
		return part(session, PX_E_UNAUTHENTICATED, "The session did not authenticate in time.");
	}
	earlier(next_ms, due_ms);
	return true;
}

static void tell_expiring(struct px_session *session)
{
	struct px_json json;
	session->is_noticed = true;
	px_json_begin(&json, "auth_expiring");
	px_json_int(&json, "expiresAt", session->identity->expires_ms);
	px_json_end(&json);
	px_session_send_json(session, &json);
}

/* Its practices' homes have not confirmed that it is there. */
static bool check_arrival(struct px_session *session, int64_t *next_ms)
{
	int64_t due_ms = session->opened_ms + ARRIVAL_MS;
	if (!session->is_greeting) {
		return true;
	}
	if (session->broker->timers.now_ms >= due_ms) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
		return false;
	}
	earlier(next_ms, due_ms);
	return true;
}

/* Tokens expire by wall-clock time, timers by monotonic time. */
static bool check_expiry(struct px_session *session, int64_t *next_ms)
{
	const struct px_broker *broker = session->broker;
	const struct px_identity *identity = session->identity;
	if (identity->expires_ms == 0) {
		return true;
	}
	int64_t end_ms = identity->expires_ms + identity->leeway_ms - broker->wall_ms;
	int64_t notice_ms = identity->notice_ms - broker->wall_ms;
	if (end_ms <= 0) {
		return part(session, PX_E_TOKEN_EXPIRED, "The session's token has expired.");
	}
	if (notice_ms <= 0 && !session->is_noticed) {
		tell_expiring(session);
	}
	earlier(next_ms, broker->timers.now_ms + (notice_ms > 0 ? notice_ms : end_ms));
	return session->phase == PX_SESSION_OPEN;
}

/* Its vhost retires: it was told, and is closed at its moment. */
static bool check_leaving(struct px_session *session, int64_t *next_ms)
{
	if (session->leave_ms == 0) {
		return true;
	}
	if (session->broker->timers.now_ms >= session->leave_ms) {
		px_session_close(session, PX_CLOSE_RESTART);
		return false;
	}
	earlier(next_ms, session->leave_ms);
	return true;
}

static int64_t first_deadline(const struct px_session *session)
{
	const struct px_broker *broker = session->broker;
	int64_t now_ms = broker->timers.now_ms;
	int64_t next_ms = INT64_MAX;
	if (broker->limits.heartbeat_ms > 0) {
		earlier(&next_ms, now_ms + broker->limits.heartbeat_ms);
	}
	if (session->identity->role == 0) {
		earlier(&next_ms, session->opened_ms + session->realm->auth_ms);
	}
	if (session->identity->expires_ms > 0) {
		earlier(&next_ms, now_ms + session->identity->notice_ms - broker->wall_ms);
	}
	if (session->leave_ms > 0) {
		earlier(&next_ms, session->leave_ms);
	}
	if (session->is_greeting) {
		earlier(&next_ms, session->opened_ms + ARRIVAL_MS);
	}
	return next_ms;
}

int px_session_arm(struct px_session *session)
{
	struct px_timers *timers = &session->broker->timers;
	if (session->phase == PX_SESSION_GUEST) {
		return 0; /* its own node watches it */
	}
	int64_t next_ms = first_deadline(session);
	if (next_ms == INT64_MAX) {
		px_timer_stop(timers, &session->timer);
		return 0;
	}
	return px_timer_arm(timers, &session->timer, next_ms);
}

void px_session_deadlines(struct px_session *session)
{
	int64_t next_ms = INT64_MAX;
	if (!check_leaving(session, &next_ms) || !check_queue(session, &next_ms) ||
			!check_arrival(session, &next_ms) || !check_heartbeat(session, &next_ms) ||
			!check_authenticated(session, &next_ms) || !check_expiry(session, &next_ms) ||
			next_ms == INT64_MAX) {
		return;
	}
	if (px_timer_arm(&session->broker->timers, &session->timer, next_ms) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}
