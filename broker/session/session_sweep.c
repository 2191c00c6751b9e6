/* SPDX-License-Identifier: MIT */
/*
 * What concerns every session: a service is enabled, the server or a realm drains, deadlines
 * change. With many sessions that is more work than a turn has time for. So these are sweeps, from
 * the oldest session to the newest, that stop when the turn has lasted long enough and continue in
 * the next one; the broker holds their positions.
 *
 * Rejected: doing it when a session is next active: one that only listens never is.
 */
#include "outbound/rights.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/session.h"
#include "deadlines.h"
#include "session.h"

#include <praxis/host/drain.h>
#include <praxis/host/session.h>

/* A random moment from 0 to spread_ms. */
static int64_t some_moment(struct px_broker *broker, int64_t spread_ms)
{
	uint64_t dice;
	broker->host.random(broker->host.user, &dice, sizeof(dice));
	return (int64_t)(dice % (uint64_t)(spread_ms > 0 ? spread_ms + 1 : 1));
}

static void tell_draining(struct px_session *session, int64_t spread_ms)
{
	struct px_json json;
	px_json_begin(&json, "server_draining");
	px_json_int(&json, "reconnectAfterMs", some_moment(session->broker, spread_ms));
	px_json_end(&json);
	px_session_send_json(session, &json);
}

static void tell(struct px_session *session)
{
	if (session->phase == PX_SESSION_OPEN) {
		tell_draining(session, session->broker->drain_spread_ms);
	}
}

static void attach(struct px_session *session)
{
	const struct px_realm *realm = session->broker->attaching_realm;
	bool lives = session->phase == PX_SESSION_OPEN || session->phase == PX_SESSION_DETACHED;
	if (realm && realm != session->realm) {
		return;
	}
	px_session_drop_muted(session);
	if (session->missed & px_session_services(session)) {
		px_session_end_missed(session);
	} else if (lives) {
		px_session_attach(session);
	}
}

static void arm(struct px_session *session)
{
	if (session->phase == PX_SESSION_OPEN && px_session_arm(session) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static void send_away(struct px_session *session, int64_t spread_ms)
{
	struct px_broker *broker = session->broker;
	tell_draining(session, spread_ms);
	/* Not now: the message has to be written first. */
	session->leave_ms = broker->timers.now_ms + 1 + some_moment(broker, spread_ms);
	px_session_deadlines(session);
}

static void drain(struct px_session *session)
{
	const struct px_realm *realm = session->realm;
	const struct px_realm_drain *drain = &realm->drain;
	if (!drain->is_wanted) {
		return;
	}
	if (realm->retired && session->phase == PX_SESSION_DETACHED) {
		px_session_close(session, PX_CLOSE_RESTART);
	} else if (session->phase == PX_SESSION_OPEN && session->leave_ms == 0 &&
			(!drain->concerns || drain->concerns(drain->user, session))) {
		send_away(session, drain->spread_ms);
	}
}

static void walk(struct px_broker *broker, struct px_session **next,
		void (*visit)(struct px_session *))
{
	for (unsigned i = 1; *next; i++) {
		struct px_session *session = *next;
		*next = session->newer;
		visit(session);
		if (i % PX_SLICE == 0 && px_broker_over_budget(broker, PX_WORK_IN)) {
			return;
		}
	}
}

void px_broker_sweep(struct px_broker *broker)
{
	walk(broker, &broker->attaching, attach);
	walk(broker, &broker->telling, tell);
	walk(broker, &broker->arming, arm);
	walk(broker, &broker->draining, drain);
}

void px_broker_skip(struct px_broker *broker, const struct px_session *session)
{
	if (broker->attaching == session) {
		broker->attaching = session->newer;
	}
	if (broker->telling == session) {
		broker->telling = session->newer;
	}
	if (broker->arming == session) {
		broker->arming = session->newer;
	}
	if (broker->draining == session) {
		broker->draining = session->newer;
	}
}

/* Attaching twice changes nothing, so a sweep for a second realm restarts for all realms. */
void px_broker_realm_changed(struct px_broker *broker, const struct px_realm *realm)
{
	broker->muted |= ~realm->enabled;
	broker->attaching_realm =
			broker->attaching && broker->attaching_realm != realm ? NULL : realm;
	broker->attaching = broker->oldest;
	walk(broker, &broker->attaching, attach);
}

void px_broker_announce_drain(struct px_broker *broker, int64_t spread_ms)
{
	broker->drain_spread_ms = spread_ms;
	broker->telling = broker->oldest;
	walk(broker, &broker->telling, tell);
}

/* A draining session is not told twice, so a sweep for a second realm covers all realms. */
void px_broker_drain_realm(struct px_broker *broker, struct px_realm *realm,
		bool (*concerns)(void *user, const struct px_session *session), void *user,
		int64_t spread_ms)
{
	realm->drain = (struct px_realm_drain){
		.is_wanted = true,
		.concerns = concerns,
		.user = user,
		.spread_ms = spread_ms,
	};
	broker->draining = broker->oldest;
	walk(broker, &broker->draining, drain);
}

void px_broker_rearm(struct px_broker *broker)
{
	broker->arming = broker->oldest;
	walk(broker, &broker->arming, arm);
}

uint64_t px_broker_close_some(struct px_broker *broker, uint64_t count, enum px_close code)
{
	uint64_t open = 0;
	for (struct px_session *session = broker->oldest; session; session = session->newer) {
		if (session == broker->telling) {
			count = 0;
		}
		if (session->phase != PX_SESSION_OPEN) {
			continue;
		}
		if (count > 0) {
			px_session_close(session, code);
			count--;
		} else {
			open++;
		}
	}
	return open;
}
