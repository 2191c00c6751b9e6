/* SPDX-License-Identifier: MIT */
/*
 * A session's life: open, closing, closed, lost; and detached while it has no connection
 * (session_detached.c, session_reattach.c). session_end.c only marks what ends; the rest happens in
 * px_broker_end_turn(), when no handler and no fan-out is on the stack. Ending one session may end
 * others (a call of two), hence the loops there.
 */
#include "core/session.h"

#include "channel/channel.h"
#include "outbound/replay_buffer.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/turn.h"
#include "outbound/write.h"
#include "detached.h"
#include "deadlines.h"
#include "dispatch.h"
#include "session.h"

#include <errno.h>
#include <praxis/host/broker.h>
#include <praxis/host/identity.h>
#include <praxis/host/session.h>
#include <praxis/session.h>
#include <stdlib.h>
#include <string.h>

static void on_timer(struct px_timer *timer);

static struct px_session *session_of(struct px_timer *timer)
{
	return (struct px_session *)((char *)timer - offsetof(struct px_session, timer));
}

/* -ENOMEM: unchanged. */
static int link_session(struct px_session *session, uint64_t client_id)
{
	struct px_broker *broker = session->broker;
	if (px_paged_index_add(&broker->sessions, session, &session->number) < 0) {
		return -ENOMEM;
	}
	if (px_table_insert(&broker->clients, &session->link, client_id) < 0) {
		px_paged_index_remove(&broker->sessions, session->number);
		return -ENOMEM;
	}
	session->older = broker->newest;
	if (broker->newest) {
		broker->newest->newer = session;
	} else {
		broker->oldest = session;
	}
	broker->newest = session;
	broker->stats.sessions++;
	session->realm->sessions++;
	px_identity_take_up(broker, session->identity);
	return 0;
}

static void unlink_session(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	if (session->older) {
		session->older->newer = session->newer;
	} else {
		broker->oldest = session->newer;
	}
	px_broker_skip(broker, session);
	if (session->newer) {
		session->newer->older = session->older;
	} else {
		broker->newest = session->older;
	}
	px_table_remove(&broker->clients, &session->link);
	px_paged_index_remove(&broker->sessions, session->number);
	broker->stats.sessions--;
	session->realm->sessions--;
	px_identity_put_down(broker, session->identity);
}

static struct px_session *create(struct px_broker *broker, const struct px_session_params *params,
		uint64_t client_id)
{
	struct px_session *session = calloc(1, sizeof(*session));
	if (!session) {
		return NULL;
	}
	broker->muted |= ~params->realm->enabled;
	session->broker = broker;
	session->realm = params->realm;
	session->conn = params->conn;
	session->service = (int8_t)params->service;
	session->versioned = params->versioned;
	session->timer.fire = on_timer;
	session->alive_ms = broker->timers.now_ms;
	session->opened_ms = broker->timers.now_ms;
	session->identity = params->identity;
	session->is_opening = true;
	session->is_rejected = params->verdict != PX_VERDICT_GOOD;
	if (link_session(session, client_id) < 0) {
		free(session);
		return NULL;
	}
	return session;
}

void px_session_begin_guest(struct px_session *session, struct px_broker *broker,
		const struct px_session_params *params, uint64_t client_id)
{
	session->link.hash = client_id;
	session->broker = broker;
	session->realm = params->realm;
	session->identity = params->identity;
	session->service = (int8_t)params->service;
	session->phase = PX_SESSION_GUEST;
	session->alive_ms = broker->timers.now_ms;
	session->opened_ms = broker->timers.now_ms;
	session->realm->sessions++;
	px_identity_take_up(broker, session->identity);
}

void px_session_end_guest(struct px_session *session, enum px_leave_reason reason)
{
	struct px_broker *broker = session->broker;
	px_session_leave_all(session, reason);
	px_session_close_services(session);
	session->realm->sessions--;
	px_identity_put_down(broker, session->identity);
	px_identity_destroy(broker, session->identity);
}

/* Everything that can fail, before anybody is notified. */
static int begin(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	int rc = px_session_arm(session);
	if (rc == 0 && session->versioned && !session->is_rejected && broker->limits.grace_ms > 0) {
		rc = px_resume_create(session);
	}
	if (rc == 0 && !session->is_rejected) {
		rc = px_broker_tell(broker, &(struct px_event){
			.kind = PX_EVENT_CONNECTED,
			.session = session,
		});
	}
	return rc;
}

/* Frees a session that could not be opened; the caller keeps its identity. */
static void undo(struct px_session *session)
{
	if (session) {
		px_resume_destroy(session);
		px_timer_stop(&session->broker->timers, &session->timer);
		unlink_session(session);
		free(session);
	}
}

int px_session_restore(struct px_broker *broker, const struct px_session_params *params,
		uint64_t client_id, struct px_session **ret_session)
{
	struct px_session *session = create(broker, params, client_id);
	int rc = session ? 0 : -ENOMEM;
	if (rc == 0 && session->versioned) {
		rc = px_resume_create(session);
	}
	rc = rc < 0 ? rc : px_session_wait(session);
	if (rc < 0) {
		undo(session);
		return rc;
	}
	session->is_opening = false;
	*ret_session = session;
	return 0;
}

/* With a journal it is greeted when it has arrived: then it misses nothing of its practices. */
static void enter(struct px_session *session)
{
	uint32_t services = px_session_open_services(session);
	session->is_greeting = true;
	if (!session->broker->turn_hooks) {
		px_session_arrived(session);
	}
	px_session_enter_services(session, services);
	if (session->arriving == 0) {
		px_session_arrived(session);
	} else if (px_session_arm(session) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

void px_session_arrived(struct px_session *session)
{
	if (session->is_greeting) {
		session->is_greeting = false;
		px_session_greet(session, session->is_anew);
	}
}

int px_session_open(struct px_broker *broker, const struct px_session_params *params,
		struct px_session **ret_session)
{
	if (px_identity_lacks_proof(params->identity, params->realm)) {
		return -EACCES;
	}
	if (px_session_resume_or_reattach(broker, params, ret_session)) {
		return 0;
	}
	uint64_t client_id;
	broker->host.random(broker->host.user, &client_id, sizeof(client_id));
	struct px_session *session = create(broker, params, client_id);
	int rc = session ? begin(session) : -ENOMEM;
	if (rc < 0) {
		undo(session);
		return rc;
	}
	broker->stats.sessions_opened += !session->is_rejected;
	*ret_session = session;
	if (session->is_rejected) {
		px_session_reject(session, &(struct px_authentication){
			.verdict = params->verdict,
			.sentence = params->sentence,
			.retry_after_ms = params->retry_after_ms,
		}, NULL);
		px_session_close(session, params->verdict == PX_VERDICT_UNAVAILABLE ?
				PX_CLOSE_TRY_LATER : PX_CLOSE_UNAUTHENTICATED);
	} else {
		session->is_anew = params->versioned && params->resume.len > 0;
		enter(session);
	}
	session->is_opening = false;
	return 0;
}

void px_session_receive(struct px_session *session, const uint8_t *bytes, size_t len)
{
	struct px_broker *broker = session->broker;
	if (session->phase != PX_SESSION_OPEN) {
		return;
	}
	px_session_alive(session);
	if (session->resume) {
		session->resume->received++;
	}
	broker->stats.bytes_in += len;
	px_session_dispatch(session, (struct px_span){ len > 0 ? (const char *)bytes : "", len });
}

void px_session_lost(struct px_session *session, enum px_loss loss)
{
	if (loss != PX_LOSS_BROKEN || !px_session_detach(session, false)) {
		px_session_finish(session);
	}
}

/* A close frame would be lost while the queue is not written or the socket not drained. */
static void wait_for_reader(struct px_session *session)
{
	if (session->is_waiting) {
		return; /* the deadline is running already */
	}
	session->is_waiting = true;
	struct px_timers *timers = &session->broker->timers;
	int64_t at_ms = timers->now_ms + session->broker->limits.slow_close_ms;
	if (px_timer_arm(timers, &session->timer, at_ms) < 0) {
		px_session_shut(session, 0);
	}
}

static void on_timer(struct px_timer *timer)
{
	struct px_session *session = session_of(timer);
	if (session->phase == PX_SESSION_OPEN) {
		px_session_deadlines(session);
	} else if (session->phase == PX_SESSION_CLOSING && session->is_waiting) {
		/* Not if another timer has just started waiting for this reader. */
		px_session_shut(session, 0);
	} else if (session->phase == PX_SESSION_DETACHED) {
		px_session_wait_over(session);
	}
}

static void tell_gone(struct px_session *session)
{
	if (session->broker->turn_hooks) {
		session->broker->turn_hooks->session_gone(session);
	}
}

static void free_session(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	px_session_close_services(session);
	tell_gone(session);
	if (!session->is_rejected) {
		(void)px_broker_tell(broker, &(struct px_event){
			.kind = PX_EVENT_DISCONNECTED,
			.session = session,
			.close_code = session->close_code,
		});
	}
	px_timer_stop(&broker->timers, &session->timer);
	px_resume_destroy(session);
	unlink_session(session);
	px_identity_destroy(broker, session->identity);
	free(session);
}

static void end_session(struct px_session *session)
{
	if (session->phase == PX_SESSION_LOST) {
		if (!session->is_dirty) { /* otherwise it is handled again once it left the dirty list */
			free_session(session);
		}
	} else if (session->phase == PX_SESSION_CLOSING) {
		/*
		 * Closing sessions get no more messages; others are notified now, not when it has closed.
		 */
		if (session->close_code != PX_CLOSE_RESTART) {
			px_session_leave_all(session, PX_DISCONNECTED);
			tell_gone(session);
		}
		if (px_queue_empty(&session->queue) &&
				!session->broker->transport.busy(session->conn)) {
			px_session_shut(session, session->close_code);
		} else {
			wait_for_reader(session);
		}
	}
}

static void end_sessions(struct px_broker *broker)
{
	for (unsigned i = 1; broker->ending; i++) {
		struct px_session *session = broker->ending;
		/* Its queue may be due in a later slice; the close frame follows it. */
		px_session_flush(session);
		broker->ending = session->next_ending;
		if (!broker->ending) {
			broker->ending_end = &broker->ending;
		}
		session->is_ending = false;
		end_session(session);
		if (i % PX_SLICE == 0 && px_broker_over_budget(broker, PX_WORK_OUT)) {
			return;
		}
	}
}

bool px_broker_end_turn(struct px_broker *broker)
{
	px_broker_sweep(broker);
	do {
		px_broker_flush(broker);
		end_sessions(broker);
	} while ((broker->dirty || broker->ending) && !px_broker_over_budget(broker, PX_WORK_OUT));
	bool has_more = broker->turn_hooks && broker->turn_hooks->over(broker);
	bool is_cut = has_more || broker->dirty || broker->ending || broker->attaching ||
			broker->telling || broker->arming || broker->draining;
	broker->stats.turns_cut += is_cut;
	return is_cut;
}

const struct px_outbound_hooks px_session_outbound_hooks = {
	.detach = px_session_detach,
	.trim = px_session_trim,
	.watch_queue = px_session_watch_queue,
	.close = px_session_close,
};
