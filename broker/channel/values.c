/* SPDX-License-Identifier: MIT */
/* See values.h. */
#include "channel.h"

#include "core/message.h"
#include "core/turn.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t hash_of(const struct px_channel *channel, struct px_span key)
{
	return px_hash(channel->broker->hash_key, key.data, key.len);
}

static uint64_t cost_of(const struct px_message *message)
{
	return sizeof(struct px_value) + px_message_cost(message);
}

struct px_value *px_values_find(const struct px_channel *channel, struct px_span key)
{
	uint64_t hash = hash_of(channel, key);
	struct px_table_link *link =
			channel->values ? px_table_find(&channel->values->table, hash) : NULL;
	for (; link; link = link->next) {
		struct px_value *value = (struct px_value *)link;
		if (link->hash == hash && px_span_equal(px_message_key(value->message), key)) {
			return value;
		}
	}
	return NULL;
}

/* Before the first value that is newer; mostly there is none. False: that seq is taken. */
static bool put_in_order(struct px_values *values, struct px_value *value)
{
	struct px_value *older = values->newest;
	while (older && older->seq > value->seq) {
		older = older->older;
	}
	if (older && older->seq == value->seq) {
		return false;
	}
	value->older = older;
	value->newer = older ? older->newer : values->oldest;
	*(value->newer ? &value->newer->older : &values->newest) = value;
	*(older ? &older->newer : &values->oldest) = value;
	return true;
}

static void take_out(struct px_values *values, struct px_value *value)
{
	*(value->newer ? &value->newer->older : &values->newest) = value->older;
	*(value->older ? &value->older->newer : &values->oldest) = value->newer;
}

static void drop(struct px_value *value)
{
	struct px_channel *channel = value->channel;
	struct px_broker *broker = channel->broker;
	struct px_values *values = channel->values;
	if (broker->turn_hooks) {
		broker->turn_hooks->value_gone(value);
	}
	take_out(values, value);
	px_table_remove(&values->table, &value->link);
	values->bytes -= cost_of(value->message);
	px_message_unref(broker, value->message);
	free(value);
}

static int get_values(struct px_channel *channel)
{
	if (!channel->values) {
		channel->values = calloc(1, sizeof(*channel->values));
	}
	return channel->values ? 0 : -ENOMEM;
}

/* Its key is no other value's. */
static int add(struct px_channel *channel, struct px_message *message, uint64_t seq, int64_t at_ms)
{
	struct px_broker *broker = channel->broker;
	struct px_values *values = channel->values;
	struct px_value *value = calloc(1, sizeof(*value));
	if (!value) {
		return -ENOMEM;
	}
	value->channel = channel;
	value->message = message;
	value->seq = seq;
	value->at_ms = at_ms;
	if (px_table_insert(&values->table, &value->link,
			hash_of(channel, px_message_key(message))) < 0) {
		free(value);
		return -ENOMEM;
	}
	if (!put_in_order(values, value)) {
		px_table_remove(&values->table, &value->link);
		free(value);
		return -EINVAL;
	}
	px_message_ref(message);
	values->bytes += cost_of(message);
	if (broker->turn_hooks) {
		broker->turn_hooks->value_changed(value);
	}
	return 0;
}

int px_values_restore(struct px_channel *channel, struct px_message *message, uint64_t seq,
		int64_t at_ms)
{
	struct px_span key = px_message_key(message);
	if (key.len == 0 || px_values_find(channel, key)) {
		return -EINVAL;
	}
	int rc = get_values(channel);
	return rc < 0 ? rc : add(channel, message, seq, at_ms);
}

static void expire(struct px_channel *channel)
{
	struct px_values *values = channel->values;
	while (values && values->oldest &&
			px_values_expire_at(channel) <= channel->broker->timers.now_ms) {
		drop(values->oldest);
	}
}

void px_values_fit(struct px_channel *channel)
{
	struct px_values *values = channel->values;
	expire(channel);
	while (values && values->oldest && (values->table.count > values->limits.count ||
			values->bytes > values->limits.bytes)) {
		drop(values->oldest);
	}
}

int64_t px_values_expire_at(const struct px_channel *channel)
{
	const struct px_values *values = channel->values;
	return values && values->oldest ? values->oldest->at_ms + values->limits.age_ms : 0;
}

void px_values_finish(struct px_channel *channel)
{
	struct px_values *values = channel->values;
	if (values) {
		while (values->oldest) {
			drop(values->oldest);
		}
		px_table_finish(&values->table);
		free(values);
		channel->values = NULL;
	}
}

/* ---- for services ---- */

int px_channel_limit_values(struct px_channel *channel, const struct px_value_limits *limits)
{
	if (!channel->values && limits->count == 0) {
		return 0;
	}
	int rc = get_values(channel);
	if (rc == 0) {
		channel->values->limits = *limits;
		px_values_fit(channel);
	}
	return rc;
}

/* What it takes the place of is not counted. */
static bool has_room(const struct px_values *values, const struct px_value *before,
		const struct px_message *message)
{
	uint64_t gone = before ? cost_of(before->message) : 0;
	return values->table.count - (before ? 1 : 0) < values->limits.count &&
			values->bytes - gone + cost_of(message) <= values->limits.bytes;
}

int px_channel_keep_value(struct px_channel *channel, struct px_message *message)
{
	struct px_timers *timers = &channel->broker->timers;
	struct px_span key = px_message_key(message);
	if (key.len == 0 || !channel->kind->has_history) {
		return -EINVAL;
	}
	expire(channel);
	struct px_value *before = px_values_find(channel, key);
	if (!channel->values || !has_room(channel->values, before, message)) {
		return -ENOSPC;
	}
	int rc = add(channel, message, channel->seq + 1, timers->now_ms);
	if (rc < 0) {
		return rc;
	}
	if (before) {
		drop(before);
	}
	/* Without a timer, it expires with the next value. */
	if (channel->timer.place == 0) {
		(void)px_timer_arm(timers, &channel->timer, px_values_expire_at(channel));
	}
	return 0;
}

bool px_channel_drop_value(struct px_channel *channel, struct px_span key)
{
	struct px_value *value = px_values_find(channel, key);
	if (value) {
		drop(value);
	}
	return value;
}

uint32_t px_channel_value_count(const struct px_channel *channel)
{
	return channel->values ? (uint32_t)channel->values->table.count : 0;
}

const struct px_value *px_channel_first_value(struct px_channel *channel)
{
	expire(channel);
	return channel->values ? channel->values->oldest : NULL;
}

const struct px_value *px_value_next(const struct px_value *value)
{
	return value->newer;
}

struct px_message *px_value_message(const struct px_value *value)
{
	return value->message;
}
