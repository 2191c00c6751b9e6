/* SPDX-License-Identifier: MIT */
/* What a service or the host may know of a session. */
#include "channel/channel.h"
#include "session.h"

struct px_broker *px_session_broker(const struct px_session *session)
{
	return session->broker;
}

enum px_role px_session_role(const struct px_session *session)
{
	return session->identity->role;
}

bool px_session_authenticated(const struct px_session *session)
{
	return session->identity->authenticated;
}

struct px_id px_session_user(const struct px_session *session)
{
	return px_identity_user(session->identity);
}

struct px_span px_session_user_name(const struct px_session *session)
{
	return px_identity_name(session->identity);
}

struct px_id px_session_practice_id(const struct px_session *session,
		const struct px_practice *practice)
{
	const struct px_held *held = px_identity_holds(session->identity, practice);
	return (struct px_id){ { practice->id, practice->id_len }, held && held->number };
}

struct px_span px_session_tenant(const struct px_session *session)
{
	return px_identity_tenant(session->identity);
}

struct px_span px_session_address(const struct px_session *session)
{
	return px_identity_address(session->identity);
}

void *px_session_conn(const struct px_session *session)
{
	return session->conn;
}

const struct px_realm *px_session_realm(const struct px_session *session)
{
	return session->realm;
}

int64_t px_session_age_ms(const struct px_session *session)
{
	return session->broker->timers.now_ms - session->opened_ms;
}

uint32_t px_session_practice_count(const struct px_session *session)
{
	return session->identity->practice_count;
}

struct px_id px_session_practice(const struct px_session *session, uint32_t index)
{
	const struct px_held *held = &session->identity->practices[index];
	return (struct px_id){ { held->practice->id, held->practice->id_len }, held->number };
}

bool px_broker_is_in_room(const struct px_broker *broker, struct px_span client_id,
		struct px_span tenant, struct px_span practice, struct px_span service,
		struct px_span room)
{
	const struct px_session *session = px_session_find(broker, client_id);
	const struct px_member *member = session ? session->members : NULL;
	for (; member; member = member->next) {
		const struct px_channel *channel = member->channel;
		if (channel->kind->is_room && !channel->kind->waiting &&
				px_span_equal(px_channel_name(channel), room) &&
				px_span_equal(px_span(px_practice_id(channel->practice)), practice) &&
				px_span_equal(px_span(px_practice_tenant(channel->practice)), tenant) &&
				px_span_equal(px_span(channel->service->name), service)) {
			return true;
		}
	}
	return false;
}

void px_session_hold(const struct px_session *session, bool held)
{
	((struct px_session *)(uintptr_t)session)->is_held = held;
}

bool px_session_is_held(const struct px_session *session)
{
	return session->is_held;
}

bool px_session_admits(const struct px_session *session, struct px_span room)
{
	return px_identity_admits(session->identity, room);
}
