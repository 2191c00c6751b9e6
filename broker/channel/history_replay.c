/* SPDX-License-Identifier: MIT */
/*
 * What a member missed and gets from the history. With epoch and seq: everything after seq, or
 * nothing. For a session that returns without praxis.v1: the latest publication. Updates that a
 * later one with the same key replaced are left out.
 */
#include "channel.h"

#include "outbound/conflation.h"
#include "core/session.h"
#include "core/turn.h"
#include "core/broker.h"

static bool covers(struct px_channel *channel, struct px_span epoch, uint64_t seq)
{
	struct px_broker *broker = channel->broker;
	px_history_expire(&channel->history, broker, &channel->limits, broker->timers.now_ms);
	return px_span_equal(epoch, px_span(channel->epoch)) && seq <= channel->seq &&
			channel->seq - seq <= channel->history.count;
}

bool px_channel_covers(struct px_channel *channel, struct px_span epoch, uint64_t seq)
{
	struct px_stats *stats = &channel->broker->stats;
	bool fine = covers(channel, epoch, seq);
	stats->recovered += fine;
	stats->unrecovered += !fine;
	return fine;
}

/* Up to `last`, without what the session itself published since. */
static bool is_missed(const struct px_history_entry *entry, const struct px_session *session,
		uint64_t seq, uint64_t last)
{
	return entry->seq > seq && (entry->seq <= last || entry->by == px_session_own_id(session));
}

void px_member_replay(struct px_member *member, uint64_t seq, uint64_t last)
{
	struct px_session *session = member->session;
	const struct px_history *history = &member->channel->history;
	struct px_practice *at = px_turn_begin(session->broker, member->channel->practice);
	struct px_conflation conflation;
	if (member->is_reattached && last < px_member_mark(member)) {
		last = px_member_mark(member);
	}
	/* Without memory for conflation, replaced updates are sent, too. */
	bool whole = px_conflation_begin(&conflation, session->broker, history->count) < 0;
	for (uint32_t i = 0; !whole && i < history->count; i++) {
		const struct px_history_entry *entry = px_history_at(history, i);
		if (is_missed(entry, session, seq, last)) {
			px_conflation_add(&conflation, entry->message);
		}
	}
	for (uint32_t i = 0; i < history->count; i++) {
		const struct px_history_entry *entry = px_history_at(history, i);
		if (is_missed(entry, session, seq, last) &&
				(whole || px_conflation_is(&conflation, entry->message))) {
			px_session_send(session, entry->message);
		}
	}
	px_conflation_finish(&conflation);
	px_turn_end(session->broker, at);
}

/* The latest publication that the session should have; NULL: none is kept. */
static const struct px_history_entry *latest_for(const struct px_channel *channel,
		const struct px_session *session)
{
	for (uint32_t i = channel->history.count; i > 0; i--) {
		const struct px_history_entry *entry = px_history_at(&channel->history, i - 1);
		if (entry->by != px_session_own_id(session)) {
			return entry;
		}
	}
	return NULL;
}

/* A journal keeps it: whoever goes on with the session has to know. */
static void set_mark(struct px_member *member, uint64_t seq)
{
	const struct px_broker *broker = member->channel->broker;
	if (member->mark_seq != (uint32_t)seq) {
		member->mark_seq = (uint32_t)seq;
		if (broker->turn_hooks) {
			broker->turn_hooks->member_changed(member);
		}
	}
}

void px_session_mark(struct px_session *session)
{
	for (struct px_member *member = session->members; member; member = member->next) {
		set_mark(member, member->channel->seq);
	}
}

/* Messages are written in order: if the last one was received, so were all before it. */
void px_session_note_heard(struct px_session *session, int64_t unheard_since_ms)
{
	for (struct px_member *member = session->members; member; member = member->next) {
		const struct px_channel *channel = member->channel;
		const struct px_history_entry *entry = latest_for(channel, session);
		if (entry && (entry->at_ms > unheard_since_ms ||
				px_queue_holds(&session->queue, entry->message)) &&
				entry->seq <= px_member_mark(member)) {
			set_mark(member, entry->seq - 1);
		}
	}
}

void px_session_catch_up(struct px_session *session)
{
	for (struct px_member *member = session->members; member; member = member->next) {
		const struct px_history_entry *entry = latest_for(member->channel, session);
		struct px_practice *at = px_turn_begin(session->broker, member->channel->practice);
		uint64_t heard = px_member_mark(member);
		set_mark(member, member->channel->seq);
		member->is_reattached = true;
		if (entry && entry->seq > heard) {
			px_session_send(session, entry->message);
		}
		px_turn_end(session->broker, at);
	}
}
