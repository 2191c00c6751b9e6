/* SPDX-License-Identifier: MIT */
/*
 * Services in a session: opened when an authenticated session may use them, told of its practices,
 * closed when it ends. A disabled service keeps its state in the session; only its messages are
 * refused, so that enabling it again loses nothing.
 */
#include "channel/channel.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/identity.h"
#include "core/message.h"
#include "core/session.h"
#include "core/turn.h"
#include "outbound/write.h"
#include "session.h"

#include <praxis/host/session.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * A service's state in a session. A list, since most services have none there: an array with a
 * place for each possible service would be as large as the session itself.
 */
struct px_session_state {
	struct px_session_state *next;
	unsigned service; /* index */
	max_align_t bytes[];
};

static void *make_state(struct px_session *session, unsigned index)
{
	const struct px_service *service = session->broker->services[index].service;
	if (service->session_size == 0) {
		return NULL;
	}
	struct px_session_state *state = calloc(1, sizeof(*state) + service->session_size);
	if (!state) {
		return NULL;
	}
	state->service = index;
	state->next = session->service_states;
	session->service_states = state;
	return state->bytes;
}

void *px_session_state(const struct px_session *session, unsigned index)
{
	struct px_session_state *state = session->service_states;
	while (state && state->service != index) {
		state = state->next;
	}
	return state ? state->bytes : NULL;
}

static void drop_state(struct px_session *session, unsigned index)
{
	struct px_session_state **link = &session->service_states;
	while (*link && (*link)->service != index) {
		link = &(*link)->next;
	}
	struct px_session_state *state = *link;
	if (state) {
		*link = state->next;
		free(state);
	}
}

/* The role cannot change between opening and closing: see px_session_become(). */
static void count_user(struct px_session *session, unsigned index, int by)
{
	if (px_session_may_use(session, index)) {
		session->realm->users[index] += (uint32_t)by;
	}
}

static bool open_service(struct px_session *session, unsigned index)
{
	const struct px_service_slot *slot = &session->broker->services[index];
	void *state = make_state(session, index);
	if (slot->service->session_size > 0 && !state) {
		return false;
	}
	if (slot->service->open && slot->service->open(slot->state, session, state) < 0) {
		drop_state(session, index);
		return false;
	}
	session->opened |= UINT32_C(1) << index;
	count_user(session, index, 1);
	return true;
}

static void enter_service(struct px_session *session, unsigned index,
		struct px_practice *practice)
{
	struct px_broker *broker = session->broker;
	const struct px_service_slot *slot = &broker->services[index];
	if (slot->service->enter) {
		struct px_practice *at = px_turn_begin(broker, practice);
		struct px_origin before = px_broker_turn_to(broker,
				(struct px_origin){ practice, NULL, (uint8_t)index });
		slot->service->enter(slot->state, session, practice);
		(void)px_broker_turn_to(broker, before);
		px_turn_end(broker, at);
	}
}

/* False: all of its services are entered later; or never, since it is closed. */
static bool can_enter(struct px_session *session, struct px_practice *practice)
{
	const struct px_turn_hooks *hooks = session->broker->turn_hooks;
	int rc = hooks ? hooks->admit(session, practice, (struct px_span){ NULL, 0 }) : 0;
	if (rc < 0) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
	return rc == 0;
}

uint32_t px_session_open_services(struct px_session *session)
{
	uint32_t before = session->opened;
	uint32_t wanted = px_session_services(session) & ~before;
	bool is_guest = session->phase == PX_SESSION_GUEST;
	if (session->identity->role == 0) {
		return 0; /* not authenticated yet; services are opened then */
	}
	for (unsigned i = 0; i < session->broker->service_count; i++) {
		bool operates = session->broker->services[i].service->operates;
		if (wanted & UINT32_C(1) << i && !(is_guest && operates)) {
			(void)open_service(session, i);
		}
	}
	return session->opened & ~before;
}

/* A practice that cannot run yet enters all services of the session later. */
static void enter_journaled(struct px_session *session, uint32_t services)
{
	for (uint32_t p = 0; p < session->identity->practice_count; p++) {
		struct px_practice *practice = session->identity->practices[p].practice;
		bool can = can_enter(session, practice);
		for (unsigned i = 0; can && i < session->broker->service_count; i++) {
			if (services & UINT32_C(1) << i) {
				enter_service(session, i, practice);
			}
		}
	}
}

void px_session_enter_services(struct px_session *session, uint32_t services)
{
	if (session->broker->turn_hooks) {
		if (services) {
			enter_journaled(session, services);
		}
		return;
	}
	for (unsigned i = 0; i < session->broker->service_count; i++) {
		if (!(services & UINT32_C(1) << i)) {
			continue;
		}
		for (uint32_t p = 0; p < session->identity->practice_count; p++) {
			enter_service(session, i, session->identity->practices[p].practice);
		}
	}
}

void px_session_reopen_service(struct px_session *session, unsigned index)
{
	if (!(session->opened & UINT32_C(1) << index)) {
		(void)open_service(session, index);
	}
}

void px_session_attach(struct px_session *session)
{
	px_session_enter_services(session, px_session_open_services(session));
}

void px_session_enter(struct px_session *session, struct px_practice *practice)
{
	if (!can_enter(session, practice)) {
		return;
	}
	for (unsigned i = 0; i < session->broker->service_count; i++) {
		if (session->opened & UINT32_C(1) << i) {
			enter_service(session, i, practice);
		}
	}
}

void px_session_close_services(struct px_session *session)
{
	px_session_leave_all(session, PX_DISCONNECTED);
	for (unsigned i = 0; i < session->broker->service_count; i++) {
		const struct px_service_slot *slot = &session->broker->services[i];
		if (!(session->opened & UINT32_C(1) << i)) {
			continue;
		}
		if (slot->service->close) {
			slot->service->close(slot->state, session, px_session_state(session, i));
		}
		drop_state(session, i);
		count_user(session, i, -1);
	}
	session->opened = 0;
}

void px_session_end_missed(struct px_session *session)
{
	if (px_session_is_to_return(session) && session->phase < PX_SESSION_DETACHED &&
			session->phase != PX_SESSION_OPEN) {
		session->close_code = PX_CLOSE_TRY_LATER; /* not 1012: it must not return to this session */
		px_session_mark_ending(session);
	} else {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}
