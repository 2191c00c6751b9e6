/* SPDX-License-Identifier: MIT */
/*
 * How a session comes to its end. Nothing is freed here, so that a handler or a fan-out may end any
 * session: it is marked, and session.c sees to the rest when the turn ends.
 */
#include "core/session.h"

#include "channel/channel.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/turn.h"
#include "outbound/replay_buffer.h"
#include "outbound/write.h"
#include "detached.h"
#include "session.h"

#include <praxis/host/session.h>
#include <praxis/session.h>

void px_session_alive(struct px_session *session)
{
	session->alive_ms = session->broker->timers.now_ms;
	session->is_pinged = false;
	if (session->resume) {
		px_resume_settle(session->resume);
	}
}

void px_session_close(struct px_session *session, enum px_close code)
{
	if (px_turn_catches_for(session)) {
		session->broker->turn_hooks->close(session, code);
	} else if (session->phase == PX_SESSION_DETACHED) {
		session->close_code = (uint16_t)code;
		px_session_finish(session);
	} else if (session->phase == PX_SESSION_OPEN) {
		session->phase = PX_SESSION_CLOSING;
		session->close_code = (uint16_t)code;
		px_broker_count_close(session->broker, session->close_code);
		if (px_session_is_to_return(session)) {
			px_session_mark(session);
		}
		px_session_mark_ending(session);
	}
}

void px_session_finish(struct px_session *session)
{
	if (session->phase == PX_SESSION_DETACHED) {
		px_session_unwait(session);
	}
	session->phase = PX_SESSION_LOST;
	session->conn = NULL;
	px_timer_stop(&session->broker->timers, &session->timer);
	px_session_drop_queue(session);
	px_session_mark_ending(session);
}

void px_session_break(struct px_session *session)
{
	const struct px_transport *transport = &session->broker->transport;
	void *conn = session->conn;
	if (px_session_detach(session, true)) {
		session->broker->stats.cuts++;
		transport->close(conn, 0);
		transport->bind(conn, NULL);
	} else {
		px_session_shut(session, 0);
	}
}

/*
 * Counted once, when the decision is made: a slow reader may never get the frame, and a client that
 * hangs up may be faster.
 */
void px_broker_count_close(struct px_broker *broker, uint16_t code)
{
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		broker->stats.closes[i] += px_close_code(i) == code;
	}
}

/* Code 0 cuts the connection. */
void px_session_shut(struct px_session *session, uint16_t code)
{
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, client_id);
	px_broker_log(session->broker, PX_LOG_INFO, "client %s: closed with %u%s", client_id,
			session->close_code, code == 0 ? ", cut off" : "");
	session->broker->stats.cuts += code == 0;
	session->phase = PX_SESSION_CLOSED;
	px_timer_stop(&session->broker->timers, &session->timer);
	session->broker->transport.close(session->conn, code);
}
