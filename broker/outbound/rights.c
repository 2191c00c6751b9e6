/* SPDX-License-Identifier: MIT */
/* See rights.h. */
#include "rights.h"

#include "core/message.h"
#include "replay_buffer.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/identity.h"
#include "core/session.h"

struct loss {
	struct px_session *session;
	const struct px_identity *old;
	const struct px_identity *identity; /* the session's new identity */
	bool all;       /* staff or similar became a patient */
	bool operating; /* with fewer practices, so operators' messages are dropped */
};

static bool has_practice(const struct px_identity *identity, const struct px_practice *practice)
{
	return px_identity_holds(identity, practice) || (identity->all_practices &&
			px_span_equal(px_identity_tenant(identity), px_span(practice->tenant)));
}

/* Whether the old identity has a practice that the new one lacks. */
static bool is_smaller(const struct px_identity *old, const struct px_identity *identity)
{
	if (old->all_practices && !identity->all_practices) {
		return true;
	}
	for (uint32_t i = 0; i < old->practice_count; i++) {
		if (!has_practice(identity, old->practices[i].practice)) {
			return true;
		}
	}
	return false;
}

static bool admits(const struct px_identity *identity, const struct px_label *room)
{
	return px_identity_admits(identity, (struct px_span){ room->text, room->len });
}

static bool operates(const struct px_broker *broker, const struct px_message *message)
{
	return message->service < broker->service_count &&
			broker->services[message->service].service->operates;
}

static bool is_kept(void *user, const struct px_message *message)
{
	const struct loss *loss = user;
	if (message->service == PX_SERVICE_NONE) {
		return true; /* receipts, and messages of the server itself */
	}
	if (loss->all || (loss->operating && operates(loss->session->broker, message))) {
		return false;
	}
	/*
	 * Messages of practices lost earlier were dropped then; the notice of that loss may still be
	 * queued.
	 */
	const struct px_practice *practice =
			px_message_practice(loss->session->broker, message);
	if (practice && !has_practice(loss->identity, practice) &&
			has_practice(loss->old, practice)) {
		return false;
	}
	return !message->room || admits(loss->identity, message->room) ||
			!admits(loss->old, message->room);
}

static void filter_queue(struct px_session *session,
		bool (*keep)(void *user, const struct px_message *message), void *user)
{
	struct px_broker *broker = session->broker;
	struct px_queue *queue = &session->queue;
	const struct px_message *first = px_queue_peek(queue);
	uint32_t before = queue->bytes;
	if (!first) {
		return;
	}
	broker->stats.withheld += px_queue_filter(queue, &broker->queue_pool, broker, keep, user);
	broker->stats.queue_bytes -= before - queue->bytes;
	if (!px_queue_empty(queue) && px_queue_peek(queue) != first) {
		/* The age of the new first message must not include the wait of the removed one. */
		queue->head->at_ms = broker->queue_pool.now_ms;
	}
}

static void blank_kept(struct px_session *session, struct loss *loss)
{
	struct px_broker *broker = session->broker;
	struct px_queue *kept = &session->resume->kept;
	uint32_t before = kept->bytes;
	broker->stats.withheld += px_queue_replace(kept, broker, is_kept, loss, broker->gone);
	broker->stats.kept_bytes -= before - kept->bytes;
}

void px_session_drop_lost(struct px_session *session, const struct px_identity *identity)
{
	const struct px_identity *old = session->identity;
	bool was_team = old->role & PX_ROLES_TEAM;
	bool is_admin = identity->role == PX_ROLE_ADMIN;
	struct loss loss = {
		.session = session,
		.old = old,
		.identity = identity,
		.all = was_team && !(identity->role & PX_ROLES_TEAM),
		.operating = !is_admin || is_smaller(old, identity),
	};
	filter_queue(session, is_kept, &loss);
	if (session->resume) {
		blank_kept(session, &loss);
	}
}

bool px_session_is_muted(struct px_session *session, const struct px_message *message)
{
	if (message->service == PX_SERVICE_GONE) {
		return true;
	}
	uint32_t bit = UINT32_C(1) << message->service;
	if (px_session_services(session) & bit) {
		return false;
	}
	/* Statistics and events are not missed: the next ones replace them. */
	session->missed |= message->practice_number > 0 ? bit & session->opened : 0;
	return true;
}

static bool is_heard(void *user, const struct px_message *message)
{
	struct px_session *session = user;
	return !px_session_mutes(session, message);
}

void px_session_drop_muted(struct px_session *session)
{
	filter_queue(session, is_heard, session);
}

void px_rights_carry_over(struct px_broker *broker, const struct px_identity *old,
		struct px_identity *identity)
{
	if (!identity->all_practices || !px_span_equal(px_identity_tenant(old),
			px_identity_tenant(identity))) {
		return;
	}
	for (uint32_t i = 0; i < old->practice_count; i++) {
		const struct px_held *held = &old->practices[i];
		/* Without memory, the practice is left out; naming it adds it again. */
		(void)px_identity_bind(broker, identity, (struct px_id){
			{ held->practice->id, held->practice->id_len }, held->number });
	}
}
