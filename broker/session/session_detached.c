/* SPDX-License-Identifier: MIT */
/*
 * Detached sessions: they wait for their clients until the grace ends, in all their channels,
 * unnoticed by other members. They are listed in the order of detaching, since the longest detached
 * one ends first if there are too many.
 *
 * Detaching and ending only mark a session: both may happen during a fan-out.
 */
#include "channel/channel.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/message.h"
#include "core/session.h"
#include "core/turn.h"
#include "detached.h"
#include "outbound/replay_buffer.h"
#include "outbound/slow_consumer.h"
#include "outbound/write.h"
#include "session.h"

#include <errno.h>
#include <praxis/host/session.h>
#include <stdlib.h>

bool px_session_expired(const struct px_session *session)
{
	const struct px_identity *identity = session->identity;
	return identity->expires_ms != 0 &&
			identity->expires_ms + identity->leeway_ms <= session->broker->wall_ms;
}

static bool is_away(const struct px_session *session)
{
	const struct px_turn_hooks *hooks = session->broker->turn_hooks;
	return hooks && hooks->is_away(session);
}

/* Of the closes that the server initiates, only a restart expects the client to return. */
static bool may_live_on(const struct px_session *session)
{
	const struct px_identity *identity = session->identity;
	if (session->phase != PX_SESSION_OPEN && !px_session_is_to_return(session)) {
		return false;
	}
	if (session->broker->limits.grace_ms <= 0 || session->realm->retired ||
			session->is_rejected || session->is_greeting || identity->role == 0 ||
			px_session_expired(session)) {
		return false;
	}
	return session->versioned ? session->resume != NULL :
			identity->authenticated && identity->user_len > 0 && !is_away(session);
}

/* ---- sessions without praxis.v1 ---- */

static uint64_t hash_of(const struct px_broker *broker, const struct px_realm *realm, int service,
		struct px_span tenant, struct px_span user)
{
	uintptr_t where[2] = { (uintptr_t)realm, (uintptr_t)(intptr_t)service };
	return px_hash(broker->hash_key, where, sizeof(where)) ^
			(px_hash(broker->hash_key, user.data, user.len) * 31 +
			px_hash(broker->hash_key, tenant.data, tenant.len));
}

static int make_reattachable(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	struct px_resume *resume = calloc(1, sizeof(*resume));
	const struct px_identity *identity = session->identity;
	uint64_t hash = hash_of(broker, session->realm, session->service,
			px_identity_tenant(identity), px_identity_user(identity).text);
	if (!resume) {
		return -ENOMEM;
	}
	if (px_table_insert(&broker->reattachable, &resume->link, hash) < 0) {
		free(resume);
		return -ENOMEM;
	}
	resume->session = session;
	session->resume = resume;
	return 0;
}

struct px_session *px_session_find_reattachable(const struct px_broker *broker,
		const struct px_session_params *params, struct px_span tenant, struct px_span user)
{
	struct px_session *found = NULL;
	uint64_t hash = hash_of(broker, params->realm, params->service, tenant, user);
	struct px_table_link *link = px_table_find(&broker->reattachable, hash);
	for (; link; link = link->next) {
		struct px_session *session = ((struct px_resume *)link)->session;
		if (link->hash == hash && session->phase == PX_SESSION_DETACHED &&
				session->realm == params->realm && session->service == params->service &&
				px_identity_is_user(session->identity, tenant, user) &&
				(!found || session->resume->order < found->resume->order)) {
			found = session;
		}
	}
	return found;
}

/* ---- the list of detached sessions ---- */

static int arm(struct px_session *session)
{
	const struct px_broker *broker = session->broker;
	const struct px_identity *identity = session->identity;
	int64_t wait_ms = broker->limits.grace_ms;
	if (identity->expires_ms != 0) {
		int64_t left_ms = identity->expires_ms + identity->leeway_ms - broker->wall_ms;
		wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
	}
	return px_timer_arm(&session->broker->timers, &session->timer,
			broker->timers.now_ms + wait_ms);
}

static void join_those_who_wait(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	struct px_resume *resume = session->resume;
	resume->order = ++broker->detach_order;
	resume->older = broker->detached_newest;
	resume->newer = NULL;
	if (broker->detached_newest) {
		broker->detached_newest->resume->newer = session;
	} else {
		broker->detached_oldest = session;
	}
	broker->detached_newest = session;
	broker->stats.sessions--;
	broker->stats.detached++;
}

int px_session_wait(struct px_session *session)
{
	int rc = session->versioned ? 0 : make_reattachable(session);
	if (rc < 0) {
		return rc;
	}
	rc = arm(session);
	if (rc < 0) {
		if (!session->versioned) {
			px_resume_destroy(session);
		}
		return rc;
	}
	session->phase = PX_SESSION_DETACHED;
	session->conn = NULL;
	session->close_code = 0;
	session->is_waiting = false;
	join_those_who_wait(session);
	return 0;
}

void px_session_unwait(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	struct px_resume *resume = session->resume;
	if (resume->older) {
		resume->older->resume->newer = resume->newer;
	} else {
		broker->detached_oldest = resume->newer;
	}
	if (resume->newer) {
		resume->newer->resume->older = resume->older;
	} else {
		broker->detached_newest = resume->older;
	}
	broker->stats.sessions++;
	broker->stats.detached--;
}

/* Around a restart, all sessions are detached at once; their number was limited as connections. */
static void end_surplus(struct px_broker *broker)
{
	if (broker->is_holding || broker->timers.now_ms < broker->restore_until_ms) {
		return;
	}
	uint32_t most = broker->limits.detached_sessions;
	while (most > 0 && broker->stats.detached > most) {
		px_session_close(broker->detached_oldest, PX_CLOSE_TRY_LATER);
	}
}

static bool is_counted(void *user, const struct px_message *message)
{
	(void)user;
	return !message->uncounted;
}

/* Pings and greetings were for the lost connection. */
void px_session_drop_uncounted(struct px_session *session)
{
	struct px_broker *broker = session->broker;
	broker->stats.queue_bytes -= session->queue.bytes;
	px_queue_filter(&session->queue, &broker->queue_pool, broker, is_counted, NULL);
	broker->stats.queue_bytes += session->queue.bytes;
}

bool px_session_detach(struct px_session *session, bool is_unresponsive)
{
	struct px_broker *broker = session->broker;
	bool was_open = session->phase == PX_SESSION_OPEN;
	void *conn = session->conn;
	if (!may_live_on(session) || px_session_wait(session) < 0) {
		return false;
	}
	broker->stats.breaks++;
	if (!session->versioned) {
		if (was_open) {
			px_session_mark(session);
		}
		px_session_note_heard(session, is_unresponsive ? session->alive_ms : INT64_MAX);
		px_session_drop_queue(session);
	} else {
		px_session_drop_uncounted(session);
	}
	(void)px_broker_tell(broker, &(struct px_event){
		.kind = PX_EVENT_DETACHED,
		.session = session,
		.conn = conn,
	});
	px_session_trim(session);
	end_surplus(broker);
	return true;
}

/* What was written may have arrived. What was not written is needed to resume without a gap. */
void px_session_trim(struct px_session *session)
{
	const struct px_limits *limits = &session->broker->limits;
	const struct px_queue *kept = &session->resume->kept;
	const struct px_queue *queue = &session->queue;
	while (session->phase == PX_SESSION_DETACHED &&
			((limits->resume_messages &&
			(uint64_t)kept->count + queue->count > limits->resume_messages) ||
			(limits->resume_bytes &&
			(uint64_t)kept->bytes + queue->bytes > limits->resume_bytes))) {
		if (px_queue_empty(kept)) {
			if (!px_session_conflate_to_fit(session, NULL, queue->bytes)) {
				px_session_close(session, PX_CLOSE_SLOW);
			}
		} else {
			px_resume_drop_oldest(session);
		}
	}
}

void px_session_wait_over(struct px_session *session)
{
	if (session->broker->is_holding && !px_session_expired(session)) {
		return; /* its vhost refuses the client now; the next server may not */
	}
	session->close_code = px_session_expired(session) ? PX_CLOSE_UNAUTHENTICATED : 0;
	px_session_finish(session);
}

void px_broker_end_detached(struct px_broker *broker)
{
	while (broker->detached_oldest) {
		px_session_finish(broker->detached_oldest);
	}
}

void px_broker_visit_detached(const struct px_broker *broker,
		void (*visit)(void *user, const struct px_session *session), void *user)
{
	const struct px_session *session = broker->detached_oldest;
	for (; session; session = session->resume->newer) {
		visit(user, session);
	}
}
