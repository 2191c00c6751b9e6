/* SPDX-License-Identifier: MIT */
/*
 * What sessions of this node say to a practice: that they are there, their messages, that they
 * leave. Everything gets a number and is kept in order until the journal has it. At the practice's
 * home it runs at once, or as soon as it can; otherwise it is sent there. If the home changes, what
 * the journal does not have is said again to the next one, which knows from the journal up to which
 * number it has run. So each message runs once, wherever.
 *
 * Messages that do not fit are refused before anything was done for them, so their clients may send
 * them again. That a session leaves always fits.
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

bool px_home_can_run(const struct px_home *home)
{
	const struct px_bus_state *bus = home->broker->bus;
	return home->is_running && !home->is_leaving && !home->is_fetching && bus->is_up &&
			home->unanswered_count < PX_BUS_PIPELINE;
}

static size_t cost(const struct px_item *item)
{
	return sizeof(*item) + item->len;
}

struct px_session *px_bus_session(const struct px_broker *broker, uint64_t client_id)
{
	struct px_table_link *link = px_table_find(&broker->clients, client_id);
	while (link && link->hash != client_id) {
		link = link->next;
	}
	return (struct px_session *)link;
}

/* ---- visits ---- */

static struct px_visit *find_visit(const struct px_home *home, uint64_t client_id)
{
	struct px_table_link *link = px_table_find(&home->visits, client_id);
	while (link && (link->hash != client_id || ((struct px_visit *)link)->is_gone)) {
		link = link->next;
	}
	return (struct px_visit *)link;
}

struct px_session *px_home_visitor(const struct px_home *home, uint64_t client_id)
{
	struct px_session *session = find_visit(home, client_id) ?
			px_bus_session(home->broker, client_id) : NULL;
	return session && px_identity_holds(session->identity, home->practice) ? session : NULL;
}

void px_home_visit(struct px_home *home,
		void (*visit)(struct px_home *home, struct px_session *session))
{
	px_table_settle(&home->visits);
	for (size_t i = 0; i < home->visits.slot_count; i++) {
		struct px_table_link *next;
		for (struct px_table_link *at = home->visits.slots[i]; at; at = next) {
			next = at->next;
			struct px_session *session = px_home_visitor(home, at->hash);
			if (session) {
				visit(home, session);
			}
		}
	}
}

static struct px_visit *begin_visit(struct px_home *home, uint64_t client_id)
{
	struct px_visit *visit = calloc(1, sizeof(*visit));
	if (visit) {
		visit->leave = calloc(1, sizeof(*visit->leave));
	}
	if (!visit || !visit->leave ||
			px_table_insert(&home->visits, &visit->link, client_id) < 0) {
		free(visit ? visit->leave : NULL);
		free(visit);
		return NULL;
	}
	*visit->leave = (struct px_item){ .client_id = client_id, .kind = PX_SAID_LEAVE,
		.is_part = true };
	return visit;
}

static void end_visit(struct px_home *home, uint64_t client_id)
{
	struct px_table_link *link = px_table_find(&home->visits, client_id);
	while (link->hash != client_id || !((struct px_visit *)link)->is_gone) {
		link = link->next;
	}
	px_table_remove(&home->visits, link);
	free(link);
}

/* ---- saying ---- */

static bool is_down_too_long(const struct px_bus_state *bus)
{
	return !bus->is_up &&
			bus->broker->timers.now_ms - bus->down_since_ms >= PX_BUS_HOLD_MS;
}

static bool has_room(const struct px_bus_state *bus, const struct px_session *session, size_t len)
{
	size_t bytes = sizeof(struct px_item) + len;
	return bus->waiting_bytes + bytes <= PX_BUS_WAITING_BYTES &&
			session->waiting < PX_BUS_SESSION_WAITING &&
			session->waiting_bytes + bytes <= PX_BUS_SESSION_WAITING_BYTES;
}

/* It runs now, or is the next that waits. */
static void say(struct px_home *home, struct px_item *item, bool runs)
{
	struct px_bus_state *bus = home->broker->bus;
	item->prev = home->last_number;
	item->number = ++bus->last_number;
	home->last_number = item->number;
	*home->items_end = item;
	home->items_end = &item->next;
	bus->waiting_bytes += cost(item);
	bus->stats.waiting++;
	if (runs) {
		home->applied = item->number;
	} else if (!home->next_item) {
		home->next_item = item;
	}
	px_home_changed(home);
}

static struct px_item *make(enum px_said_kind kind, uint64_t client_id, struct px_span text)
{
	struct px_item *item = malloc(sizeof(*item) + text.len);
	if (item) {
		*item = (struct px_item){ .kind = (uint8_t)kind, .client_id = client_id,
			.len = text.len };
		if (text.len > 0) {
			memcpy(item->text, text.data, text.len);
		}
	}
	return item;
}

/* Whether its arrival waits already. Mostly none of the session does, and nothing is searched. */
static bool arrives(const struct px_home *home, const struct px_session *session)
{
	const struct px_item *at = session->arriving > 0 ? home->next_item : NULL;
	while (at && (at->kind != PX_SAID_ENTER || at->client_id != px_session_own_id(session))) {
		at = at->next;
	}
	return at;
}

static int enter(struct px_home *home, struct px_session *session, bool runs)
{
	uint64_t client_id = px_session_own_id(session);
	if (arrives(home, session) && find_visit(home, client_id)) {
		return 1;
	}
	struct px_item *item = make(PX_SAID_ENTER, client_id, (struct px_span){ NULL, 0 });
	if (!item) {
		return -ENOMEM;
	}
	home->is_fresh = !home->is_running && (home->is_fresh || home->visits.count == 0);
	if (!find_visit(home, client_id) && !begin_visit(home, client_id)) {
		free(item);
		return -ENOMEM;
	}
	session->arriving++;
	say(home, item, runs);
	if (runs) {
		px_entry_session_changed(home, session);
	}
	return runs ? 0 : 1;
}

static int call(struct px_home *home, struct px_session *session, struct px_span text, bool runs)
{
	struct px_bus_state *bus = home->broker->bus;
	if (!runs && (is_down_too_long(bus) || !has_room(bus, session, text.len))) {
		bus->stats.refused++;
		return -EAGAIN;
	}
	struct px_item *item = make(PX_SAID_CALL, px_session_own_id(session), text);
	if (!item) {
		return -ENOMEM;
	}
	if (!runs) {
		item->is_counted = true;
		session->waiting++;
		session->waiting_bytes += (uint32_t)cost(item);
	}
	say(home, item, runs);
	return runs ? 0 : 1;
}

int px_stream_admit(struct px_session *session, struct px_practice *practice, struct px_span text)
{
	if (session->phase == PX_SESSION_GUEST) {
		return 0; /* its own node has said it */
	}
	struct px_home *home = px_home_get(session->broker, practice);
	if (!home) {
		return -ENOMEM;
	}
	if (home->is_draining) {
		return 0;
	}
	bool runs = px_home_can_run(home) && !home->next_item;
	return text.len > 0 ? call(home, session, text, runs) : enter(home, session, runs);
}

bool px_stream_is_home(struct px_broker *broker, struct px_practice *practice)
{
	struct px_home *home = px_home_get(broker, practice);
	if (home && !home->is_running && home->owner == 0) {
		px_home_seek(home);
	}
	return home && (home->is_draining || (px_home_can_run(home) && !home->next_item));
}

static void leave(struct px_home *home, uint64_t client_id, enum px_leave_reason reason)
{
	struct px_visit *visit = find_visit(home, client_id);
	if (!visit) {
		return;
	}
	visit->is_gone = true;
	visit->leave->reason = (uint8_t)reason;
	if (home->is_running) {
		px_entry_session_gone(home, client_id);
	}
	say(home, visit->leave, px_home_can_run(home) && !home->next_item);
}

void px_stream_session_gone(struct px_session *session)
{
	const struct px_identity *identity = session->identity;
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		struct px_home *home = identity->practices[i].practice->home;
		if (home) {
			leave(home, px_session_own_id(session), PX_DISCONNECTED);
		}
	}
}

/* It has another identity, which practices that it is in must learn. */
static void change(struct px_home *home, struct px_session *session)
{
	if (find_visit(home, px_session_own_id(session)) &&
			enter(home, session, px_home_can_run(home) && !home->next_item) < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

void px_stream_session_changed(struct px_session *session, const struct px_identity *old)
{
	if (session->phase == PX_SESSION_GUEST) {
		px_entry_session_changed(((struct px_guest *)session)->home, session);
		return;
	}
	for (uint32_t i = 0; i < old->practice_count; i++) {
		struct px_home *home = old->practices[i].practice->home;
		if (home && px_identity_holds(session->identity, home->practice)) {
			change(home, session);
		} else if (home) {
			leave(home, px_session_own_id(session), PX_REMOVED);
		}
	}
}

bool px_stream_is_away(const struct px_session *session)
{
	const struct px_identity *identity = session->identity;
	for (uint32_t i = 0; i < identity->practice_count; i++) {
		const struct px_home *home = identity->practices[i].practice->home;
		if (home && !home->is_running && find_visit(home, px_session_own_id(session))) {
			return true;
		}
	}
	return false;
}

/* ---- running ---- */

/* The session may have ended, or have lost the practice meanwhile. */
static void run(struct px_home *home, const struct px_item *item)
{
	struct px_session *session = px_bus_session(home->broker, item->client_id);
	if (!session || (session->phase != PX_SESSION_OPEN &&
			session->phase != PX_SESSION_DETACHED) ||
			!px_identity_holds(session->identity, home->practice)) {
		return;
	}
	if (item->kind == PX_SAID_CALL) {
		px_session_run(session, (struct px_span){ item->text, item->len });
	} else if (item->kind == PX_SAID_ENTER) {
		px_entry_session_changed(home, session);
		px_session_enter(session, home->practice);
	}
}

bool px_stream_run(struct px_home *home)
{
	while (home->next_item && px_home_can_run(home)) {
		struct px_item *item = home->next_item;
		home->next_item = item->next;
		home->applied = item->number;
		home->is_draining = true;
		run(home, item);
		home->is_draining = false;
		px_home_changed(home);
		if (px_broker_over_budget(home->broker, PX_WORK_IN)) {
			return home->next_item && px_home_can_run(home);
		}
	}
	return false;
}

/* ---- in the journal ---- */

/* Takes the oldest; its session, if it has not gone. */
static struct px_session *take(struct px_home *home, struct px_item **ret_item)
{
	struct px_bus_state *bus = home->broker->bus;
	struct px_item *item = home->items;
	struct px_session *session = px_bus_session(home->broker, item->client_id);
	home->items = item->next;
	if (!home->items) {
		home->items_end = &home->items;
	}
	if (home->next_item == item) {
		home->next_item = item->next;
	}
	bus->waiting_bytes -= cost(item);
	bus->stats.waiting--;
	if (item->is_counted && session) {
		session->waiting--;
		session->waiting_bytes -= (uint32_t)cost(item);
	}
	if (item->kind == PX_SAID_ENTER && session) {
		session->arriving--;
	}
	struct px_visit *visit = item->kind == PX_SAID_ENTER ?
			find_visit(home, item->client_id) : NULL;
	if (visit) {
		visit->is_said = visit->is_known = true;
	}
	if (item->is_part) {
		end_visit(home, item->client_id);
	}
	*ret_item = item;
	return session;
}

void px_stream_confirm(struct px_home *home, uint64_t number)
{
	while (home->items && home->items->number <= number) {
		struct px_item *item;
		struct px_session *session = take(home, &item);
		if (session && session->arriving == 0) {
			px_session_arrived(session);
		}
		free(item);
	}
	px_home_changed(home);
}

static void note_said(struct px_home *home, const struct px_item *item)
{
	struct px_visit *visit = item->kind == PX_SAID_ENTER ?
			find_visit(home, item->client_id) : NULL;
	if (visit) {
		visit->is_said = true;
	}
}

void px_stream_sent(struct px_home *home)
{
	for (; home->next_item; home->next_item = home->next_item->next) {
		note_said(home, home->next_item);
	}
}

bool px_stream_is_said(const struct px_home *home, const struct px_session *session)
{
	const struct px_visit *visit = find_visit(home, px_session_own_id(session));
	return visit && visit->is_said;
}

static void expel(struct px_home *home, struct px_session *session)
{
	uint64_t client_id = px_session_own_id(session);
	const struct px_visit *visit = find_visit(home, client_id);
	if (visit->is_known && !px_entry_has_session(home, client_id)) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

void px_stream_expel(struct px_home *home)
{
	px_home_visit(home, expel);
}

void px_stream_rewind(struct px_home *home)
{
	home->next_item = home->items;
}

void px_stream_finish(struct px_home *home)
{
	struct px_item *item;
	while (home->items) {
		(void)take(home, &item);
		free(item);
	}
	px_table_settle(&home->visits);
	for (size_t i = 0; i < home->visits.slot_count; i++) {
		while (home->visits.slots[i]) {
			struct px_visit *visit = (struct px_visit *)home->visits.slots[i];
			px_table_remove(&home->visits, &visit->link);
			free(visit->leave);
			free(visit);
		}
	}
	px_table_finish(&home->visits);
}
