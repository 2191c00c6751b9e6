/* SPDX-License-Identifier: MIT */
/*
 * The end of a load: what exceeds the current limits is removed, by the same functions as at run
 * time, so that others are notified; of a channel's members the latest first. Everything is pinned
 * meanwhile, since a service's hook may end one channel because of another.
 */
#include "snapshot.h"

#include "channel/history.h"
#include "outbound/replay_buffer.h"
#include "core/broker.h"
#include "core/practice.h"
#include "core/session.h"
#include "session/detached.h"
#include "session/session.h"
#include "channel/channel.h"

#include <errno.h>
#include <praxis/host/broker.h>
#include <praxis/host/registry.h>
#include <praxis/host/session.h>
#include <stdlib.h>

/* Whether sequence numbers are consecutive, and the last one is the channel's. */
static bool is_whole(const struct px_channel *channel)
{
	const struct px_history *history = &channel->history;
	return history->count == 0 ||
			px_history_at(history, history->count - 1)->seq == channel->seq;
}

static struct px_member *latest(const struct px_channel *channel)
{
	struct px_member *found = channel->members[0];
	for (uint32_t i = 1; i < channel->member_count; i++) {
		if (channel->members[i]->order > found->order) {
			found = channel->members[i];
		}
	}
	return found;
}

static void fit_members(struct px_state_load *load, struct px_channel *channel)
{
	while (channel->limits.members && channel->member_count > channel->limits.members) {
		px_member_leave(latest(channel), PX_REMOVED);
		load->counts->dropped_members++;
	}
}

static bool is_too_many(const struct px_broker *broker, const struct px_channel *channel,
		uint64_t kept)
{
	return (broker->limits.channels && kept >= broker->limits.channels) ||
			(channel->kind->is_room && broker->limits.rooms_per_practice &&
			channel->practice->rooms > broker->limits.rooms_per_practice);
}

static int check_channels(struct px_channel **list, size_t count)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = is_whole(list[i]) ? px_channel_keep(list[i]) : -EINVAL;
	}
	return rc;
}

void px_state_fit_channels(struct px_state_load *load, struct px_channel **list, size_t count,
		uint64_t kept)
{
	for (size_t i = 0; i < count; i++) {
		if (!list[i]) {
			continue;
		}
		if (is_too_many(load->broker, list[i], kept)) {
			px_channel_end(list[i], PX_ENDED);
			px_channel_unpin(list[i]);
			list[i] = NULL; /* freed, so that it is not counted */
			load->counts->dropped_channels++;
		} else {
			fit_members(load, list[i]);
			kept++;
		}
	}
}

/* Sessions that cannot stay end first, so that they take no place in a room. */
static void end_sessions(struct px_broker *broker)
{
	for (struct px_session *session = broker->oldest; session; session = session->newer) {
		if (session->phase != PX_SESSION_DETACHED) {
			continue;
		}
		if (px_session_expired(session)) {
			px_session_wait_over(session);
		} else if (broker->limits.grace_ms <= 0 || session->realm->retired) {
			px_session_close(session, PX_CLOSE_TRY_LATER);
		}
	}
	while (px_broker_end_turn(broker)) {
	}
}

/* Opens services that were enabled since, then applies the limits to each session. */
static void fit_sessions(struct px_broker *broker)
{
	for (struct px_session *session = broker->oldest; session; session = session->newer) {
		if (session->phase == PX_SESSION_DETACHED) {
			px_session_attach(session);
		}
	}
	for (struct px_session *session = broker->oldest; session; session = session->newer) {
		if (session->phase == PX_SESSION_DETACHED) {
			px_session_trim(session);
		}
	}
	while (px_broker_end_turn(broker)) {
	}
}

int px_state_fit(struct px_state_load *load)
{
	size_t count;
	struct px_channel **list = px_state_channels(load->broker, &count);
	if (!list && load->broker->channels.count > 0) {
		return -ENOMEM;
	}
	int rc = check_channels(list, count);
	if (rc == 0) {
		end_sessions(load->broker);
		px_state_fit_channels(load, list, count, 0);
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (list[i]) {
			px_channel_unpin(list[i]);
		}
	}
	free(list);
	if (rc == 0) {
		fit_sessions(load->broker);
		load->broker->restore_until_ms = load->broker->timers.now_ms +
				load->broker->limits.grace_ms;
		uint64_t detached = load->broker->stats.detached;
		load->counts->dropped_sessions += load->counts->sessions - detached;
	}
	return rc;
}
