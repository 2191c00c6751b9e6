/* SPDX-License-Identifier: MIT */
/*
 * The end of a load: what the limits of now have no place for goes, through the same
 * doors as on any other day, so that whoever stays is told; of members the latest first. Everything is pinned
 * meanwhile, since a service's hook may end one channel because of another.
 */
#include "state.h"

#include "history.h"

#include <errno.h>
#include <stdlib.h>

/* Each update is the number before it and one; the last is the channel's. */
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
			(channel->kind->counted && broker->limits.rooms_per_practice &&
			channel->practice->rooms > broker->limits.rooms_per_practice);
}

static int fit(struct px_state_load *load, struct px_channel **list, size_t count)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = is_whole(list[i]) ? px_channel_keep(list[i]) : -EINVAL;
	}
	uint64_t kept = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (is_too_many(load->broker, list[i], kept)) {
			px_channel_end(list[i], PX_ENDED);
			px_channel_unpin(list[i]);
			list[i] = NULL; /* freed, so that it counts no more */
			load->counts->dropped_channels++;
		} else {
			fit_members(load, list[i]);
			kept++;
		}
	}
	return rc;
}

int px_state_fit(struct px_state_load *load)
{
	size_t count;
	struct px_channel **list = px_state_channels(load->broker, &count);
	if (!list && load->broker->channels.count > 0) {
		return -ENOMEM;
	}
	int rc = fit(load, list, count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (list[i]) {
			px_channel_unpin(list[i]);
		}
	}
	free(list);
	return rc;
}
