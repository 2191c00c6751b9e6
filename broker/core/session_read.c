/* SPDX-License-Identifier: MIT */
/*
 * What services and the host may read of a session.
 */
#include "session.h"
#include "broker.h"
#include "identity.h"
#include "practice.h"

#include <praxis/hex.h>

#include <praxis/host/session.h>

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

bool px_session_is_greeting(const struct px_session *session)
{
	return session->is_greeting;
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

void px_client_id_write(uint64_t id, char buf[PX_CLIENT_ID_SIZE])
{
	buf[0] = 'c';
	for (int i = 0; i < 16; i++) {
		buf[1 + i] = PX_HEX_DIGITS[id >> (60 - 4 * i) & 15];
	}
	buf[17] = '\0';
}

bool px_client_id_read(struct px_span text, uint64_t *ret_id)
{
	uint64_t id = 0;
	if (text.len != PX_CLIENT_ID_SIZE - 1 || text.data[0] != 'c') {
		return false;
	}
	for (size_t i = 1; i < text.len; i++) {
		int digit = px_hex_lower(text.data[i]);
		if (digit < 0) {
			return false;
		}
		id = id << 4 | (uint64_t)digit;
	}
	*ret_id = id;
	return true;
}

void px_session_client_id(const struct px_session *session, char buf[PX_CLIENT_ID_SIZE])
{
	px_client_id_write(px_session_own_id(session), buf);
}

bool px_session_is(const struct px_session *session, struct px_span client_id)
{
	char own[PX_CLIENT_ID_SIZE];
	px_session_client_id(session, own);
	return px_span_equal(client_id, (struct px_span){ own, PX_CLIENT_ID_SIZE - 1 });
}

struct px_session *px_session_find(const struct px_broker *broker, struct px_span client_id)
{
	uint64_t wanted;
	if (!px_client_id_read(client_id, &wanted)) {
		return NULL;
	}
	struct px_table_link *link = px_table_find(&broker->clients, wanted);
	while (link && link->hash != wanted) {
		link = link->next;
	}
	return (struct px_session *)link;
}
