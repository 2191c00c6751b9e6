/* SPDX-License-Identifier: MIT */
/*
 * Messages, and sessions that arrive, whose practice cannot run now: this node is not its home yet,
 * the journal cannot be reached, or too many turns have no answer. They are kept in order and run
 * as soon as it can. What does not fit is refused before anything was done for it, so its client
 * may send it again.
 */
#include "bus_internal.h"

#include "core/host.h"
#include "core/identity.h"
#include "session/dispatch.h"
#include "session/session.h"

#include <errno.h>
#include <praxis/host/session.h>
#include <stdlib.h>
#include <string.h>

static bool can_run(const struct px_home *home)
{
	const struct px_bus_state *bus = home->broker->bus;
	return home->is_running && !home->is_leaving && bus->is_up &&
			home->unanswered_count < PX_BUS_PIPELINE;
}

static size_t cost(const struct px_waiting *waiting)
{
	return sizeof(*waiting) + waiting->len;
}

static struct px_session *session_of(const struct px_home *home, uint64_t client_id)
{
	char text[PX_CLIENT_ID_SIZE];
	px_client_id_write(client_id, text);
	return px_session_find(home->broker, px_span(text));
}

/* Whether its arrival waits already. Mostly none of the session does, and nothing is searched. */
static bool arrives(const struct px_home *home, const struct px_session *session)
{
	const struct px_waiting *at = session->arriving > 0 ? home->waiting : NULL;
	while (at && (at->len > 0 || at->client_id != px_session_own_id(session))) {
		at = at->next;
	}
	return at;
}

static bool is_down_too_long(const struct px_bus_state *bus)
{
	return !bus->is_up &&
			bus->broker->timers.now_ms - bus->down_since_ms >= PX_BUS_HOLD_MS;
}

static bool has_room(const struct px_bus_state *bus, const struct px_session *session, size_t len)
{
	size_t bytes = sizeof(struct px_waiting) + len;
	return bus->waiting_bytes + bytes <= PX_BUS_WAITING_BYTES &&
			session->waiting < PX_BUS_SESSION_WAITING &&
			session->waiting_bytes + bytes <= PX_BUS_SESSION_WAITING_BYTES;
}

static int keep(struct px_home *home, struct px_session *session, struct px_span text)
{
	struct px_bus_state *bus = home->broker->bus;
	struct px_waiting *waiting = malloc(sizeof(*waiting) + text.len);
	if (!waiting) {
		return -ENOMEM;
	}
	*waiting = (struct px_waiting){
		.client_id = px_session_own_id(session),
		.len = text.len,
	};
	if (text.len > 0) {
		memcpy(waiting->text, text.data, text.len);
	}
	*home->waiting_end = waiting;
	home->waiting_end = &waiting->next;
	if (text.len > 0) {
		session->waiting++;
		session->waiting_bytes += (uint32_t)cost(waiting);
	}
	session->arriving += text.len == 0;
	bus->waiting_bytes += cost(waiting);
	bus->stats.waiting++;
	px_home_seek(home);
	return 1;
}

/* 0: it may run now; 1: it is kept; -EAGAIN, -ENOMEM: neither. */
int px_waiting_admit(struct px_session *session, struct px_practice *practice, struct px_span text)
{
	struct px_bus_state *bus = session->broker->bus;
	struct px_home *home = px_home_get(session->broker, practice);
	if (!home) {
		return -ENOMEM;
	}
	if (home->is_draining || (can_run(home) && !home->waiting)) {
		return 0;
	}
	if (text.len == 0 && arrives(home, session)) {
		return 1;
	}
	if (text.len > 0 && (is_down_too_long(bus) || !has_room(bus, session, text.len))) {
		bus->stats.refused++;
		return -EAGAIN;
	}
	return keep(home, session, text);
}

bool px_waiting_is_home(struct px_broker *broker, struct px_practice *practice)
{
	struct px_home *home = px_home_get(broker, practice);
	if (home && !home->is_running) {
		px_home_seek(home);
	}
	return home && (home->is_draining || (can_run(home) && !home->waiting));
}

/* The first, and its session; NULL: that has gone. */
static struct px_waiting *take(struct px_home *home, struct px_session **ret_session)
{
	struct px_bus_state *bus = home->broker->bus;
	struct px_waiting *waiting = home->waiting;
	struct px_session *session = session_of(home, waiting->client_id);
	home->waiting = waiting->next;
	if (!home->waiting) {
		home->waiting_end = &home->waiting;
	}
	if (session && waiting->len > 0) {
		session->waiting--;
		session->waiting_bytes -= (uint32_t)cost(waiting);
	} else if (session) {
		session->arriving--;
	}
	bus->waiting_bytes -= cost(waiting);
	bus->stats.waiting--;
	*ret_session = session;
	return waiting;
}

/* The session may have ended, or have lost the practice meanwhile. */
static void run(struct px_home *home, const struct px_waiting *waiting, struct px_session *session)
{
	if (!session || (session->phase != PX_SESSION_OPEN &&
			session->phase != PX_SESSION_DETACHED)) {
		return;
	}
	if (waiting->len > 0) {
		px_session_run(session, (struct px_span){ waiting->text, waiting->len });
	} else if (px_identity_holds(session->identity, home->practice)) {
		px_session_enter(session, home->practice);
	}
}

bool px_waiting_run(struct px_home *home)
{
	while (home->waiting && can_run(home)) {
		struct px_session *session;
		struct px_waiting *waiting = take(home, &session);
		home->is_draining = true;
		run(home, waiting, session);
		home->is_draining = false;
		free(waiting);
		if (px_broker_over_budget(home->broker, PX_WORK_IN)) {
			return home->waiting && can_run(home);
		}
	}
	return false;
}

void px_waiting_finish(struct px_home *home)
{
	struct px_session *session;
	while (home->waiting) {
		free(take(home, &session));
	}
}
