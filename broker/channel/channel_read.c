/* SPDX-License-Identifier: MIT */
/*
 * What services may read of a channel and a membership.
 */
#include "channel.h"
#include "core/session.h"
#include "core/turn.h"

#include <praxis/host/session.h>

uint64_t px_channel_seq(const struct px_channel *channel)
{
	return channel->seq;
}

const char *px_channel_epoch(const struct px_channel *channel)
{
	return channel->epoch;
}

uint32_t px_channel_member_count(const struct px_channel *channel)
{
	return channel->member_count;
}

struct px_member *px_channel_member(const struct px_channel *channel, uint32_t index)
{
	return channel->members[index];
}

/* A service that asks in a turn is presumed to write. */
void *px_channel_state(struct px_channel *channel)
{
	if (px_turn_catches(channel->broker)) {
		channel->broker->turn_hooks->channel_changed(channel);
	}
	return channel->state;
}

const struct px_service *px_channel_service(const struct px_channel *channel)
{
	return channel->service;
}

struct px_practice *px_channel_practice(const struct px_channel *channel)
{
	return channel->practice;
}

struct px_span px_channel_name(const struct px_channel *channel)
{
	return (struct px_span){ channel->name, channel->name_len };
}

struct px_broker *px_channel_broker(const struct px_channel *channel)
{
	return channel->broker;
}

void *px_member_state(struct px_member *member)
{
	const struct px_broker *broker = member->channel->broker;
	if (px_turn_catches(broker)) {
		broker->turn_hooks->member_changed(member);
	}
	return member->state;
}

struct px_channel *px_member_channel(const struct px_member *member)
{
	return member->channel;
}

struct px_session *px_member_session(const struct px_member *member)
{
	return member->session;
}

uint64_t px_member_order(const struct px_member *member)
{
	return member->order;
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
