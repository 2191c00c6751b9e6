/* SPDX-License-Identifier: MIT */
/*
 * Channels and memberships. The members are a dense array, and each knows its place in it, so
 * joining and leaving cost the same in a room of two and in one of a thousand, and publishing reads
 * memory sequentially.
 *
 * Isolation is checked in may_reach(); every way to a channel goes through it.
 */
#include "channel.h"

#include "core/session.h"
#include "core/turn.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/practice.h"
#include "core/service.h"
#include "core/message.h"
#include "core/identity.h"
#include "outbound/write.h"
#include "outbound/rights.h"
#include "outbound/tap.h"

#include <assert.h>
#include <errno.h>
#include <praxis/hex.h>
#include <stdlib.h>
#include <string.h>

/* Whether the session's identity holds the practice. The one check behind isolation. */
static bool may_reach(const struct px_session *session, const struct px_practice *practice)
{
	return px_identity_holds(session->identity, practice) != NULL;
}

static uint64_t hash_of(const struct px_broker *broker, const struct px_practice *practice,
		const struct px_service *service, struct px_span name)
{
	const void *owners[2] = { practice, service };
	return px_hash(broker->hash_key, owners, sizeof(owners)) ^
			px_hash(broker->hash_key, name.data, name.len);
}

struct px_channel *px_channel_find_kind(const struct px_broker *broker,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span name, bool waiting)
{
	uint64_t hash = hash_of(broker, practice, service, name);
	struct px_table_link *link = px_table_find(&broker->channels, hash);
	for (; link; link = link->next) {
		struct px_channel *channel = (struct px_channel *)link;
		if (link->hash == hash && channel->practice == practice &&
				channel->service == service && channel->kind->waiting == waiting &&
				px_span_equal(px_channel_name(channel), name)) {
			return channel;
		}
	}
	return NULL;
}

struct px_channel *px_channel_find(const struct px_broker *broker,
		const struct px_practice *practice, const struct px_service *service,
		struct px_span name)
{
	return px_channel_find_kind(broker, practice, service, name, false);
}

static void changed(struct px_channel *channel)
{
	if (channel->broker->turn_hooks) {
		channel->broker->turn_hooks->channel_changed(channel);
	}
}

/* Its sequence number is passed on to the next process, with or without members. */
static bool is_held(const struct px_channel *channel)
{
	return channel->broker->is_holding && channel->kind->has_history && !channel->is_ending;
}

/* When the next of what keeps it ends; what is past, nothing keeps it. */
static int64_t expires_at(const struct px_channel *channel)
{
	int64_t at = channel->kept_until_ms;
	int64_t value_at = px_values_expire_at(channel);
	if (channel->history.count > 0) {
		at = px_history_at(&channel->history, 0)->at_ms + channel->limits.history_age_ms;
	}
	return at <= channel->broker->timers.now_ms || (value_at > 0 && value_at < at) ?
			value_at : at;
}

static void expire(struct px_channel *channel)
{
	struct px_broker *broker = channel->broker;
	changed(channel);
	px_history_expire(&channel->history, broker, &channel->limits, broker->timers.now_ms);
	px_values_fit(channel);
	int64_t at = expires_at(channel);
	if (at > broker->timers.now_ms && px_timer_arm(&broker->timers, &channel->timer, at) == 0) {
		return;
	}
	if (channel->member_count == 0 && !is_held(channel)) {
		px_channel_destroy(channel);
	}
}

static void on_timer(struct px_timer *timer)
{
	struct px_channel *channel =
			(struct px_channel *)((char *)timer - offsetof(struct px_channel, timer));
	struct px_broker *broker = channel->broker;
	struct px_practice *at = px_turn_begin(broker, channel->practice);
	if (channel->kind->has_history) {
		expire(channel);
	} else if (channel->kind->woken) {
		struct px_origin before = px_broker_turn_to(broker, px_channel_origin(channel));
		broker->concern = (struct px_concern){ channel->practice, channel->service };
		px_channel_pin(channel);
		channel->kind->woken(channel);
		broker->concern = (struct px_concern){ NULL, NULL };
		(void)px_broker_turn_to(broker, before);
		px_channel_unpin(channel);
	}
	px_turn_end(broker, at);
}

int px_channel_wake(struct px_channel *channel, int64_t after_ms)
{
	struct px_timers *timers = &channel->broker->timers;
	assert(!channel->kind->has_history);
	return px_timer_arm(timers, &channel->timer, timers->now_ms + after_ms);
}

static int may_begin(const struct px_broker *broker, const struct px_practice *practice,
		const struct px_channel_kind *kind)
{
	if (broker->limits.channels && broker->channels.count >= broker->limits.channels) {
		return -ENFILE;
	}
	if (kind->is_room && broker->limits.rooms_per_practice &&
			practice->rooms >= broker->limits.rooms_per_practice) {
		return -EDQUOT;
	}
	return 0;
}

static bool is_room(const struct px_channel_kind *kind)
{
	return kind->is_room && !kind->waiting;
}

int px_channel_create(struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, const struct px_channel_kind *kind,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_channel **ret_channel)
{
	struct px_channel *channel = calloc(1, sizeof(*channel) + kind->state_size + name.len);
	if (!channel) {
		return -ENOMEM;
	}
	channel->label = kind->is_room ? px_label_create(name) : NULL;
	if (kind->is_room && !channel->label) {
		free(channel);
		return -ENOMEM;
	}
	channel->service_index = px_broker_service_index(broker, service);
	channel->broker = broker;
	channel->service = service;
	channel->kind = kind;
	channel->limits = *limits;
	channel->timer.fire = on_timer;
	channel->name = (char *)channel->state + kind->state_size;
	channel->name_len = name.len;
	if (name.len > 0) {
		memcpy(channel->name, name.data, name.len);
	}
	uint64_t hash = hash_of(broker, practice, service, name);
	channel->opened_ms = broker->timers.now_ms;
	if (kind->is_room && px_paged_index_add(&broker->rooms, channel, &channel->number) < 0) {
		px_label_unref(channel->label);
		free(channel);
		return -ENOMEM;
	}
	if (px_table_insert(&broker->channels, &channel->link, hash) < 0) {
		px_paged_index_remove(&broker->rooms, channel->number);
		px_label_unref(channel->label);
		free(channel);
		return -ENOMEM;
	}
	channel->practice = px_practice_ref(practice);
	uint64_t epoch;
	broker->host.random(broker->host.user, &epoch, sizeof(epoch));
	for (int i = 0; i < 16; i++) {
		channel->epoch[i] = PX_HEX_DIGITS[epoch >> (4 * i) & 15];
	}
	broker->stats.rooms += is_room(kind);
	practice->rooms += kind->is_room;
	practice->waiting_rooms += kind->waiting;
	changed(channel);
	*ret_channel = channel;
	return 0;
}

void px_channel_destroy(struct px_channel *channel)
{
	struct px_broker *broker = channel->broker;
	if (channel->kind->closed) {
		struct px_practice *at = px_turn_begin(broker, channel->practice);
		channel->kind->closed(channel);
		px_turn_end(broker, at);
	}
	px_values_finish(channel);
	if (broker->turn_hooks) {
		broker->turn_hooks->channel_gone(channel);
	}
	px_timer_stop(&broker->timers, &channel->timer);
	px_history_finish(&channel->history, broker);
	px_table_remove(&broker->channels, &channel->link);
	px_paged_index_remove(&broker->rooms, channel->number);
	channel->practice->rooms -= channel->kind->is_room;
	channel->practice->waiting_rooms -= channel->kind->waiting;
	px_practice_unref(broker, channel->practice);
	broker->stats.rooms -= is_room(channel->kind);
	px_label_unref(channel->label);
	free(channel->members);
	free(channel);
}

/* A channel without members exists only for what it keeps, or for sessions that may return. */
bool px_channel_is_wanted(const struct px_channel *channel)
{
	return channel->member_count > 0 || is_held(channel) ||
			(!channel->is_ending && (channel->history.count > 0 ||
			px_channel_value_count(channel) > 0 ||
			channel->kept_until_ms > channel->broker->timers.now_ms));
}

static void end_if_empty(struct px_channel *channel)
{
	if (channel->leaving == 0 && !px_channel_is_wanted(channel)) {
		px_channel_destroy(channel);
	}
}

void px_channel_pin(struct px_channel *channel)
{
	channel->leaving++;
}

void px_channel_unpin(struct px_channel *channel)
{
	channel->leaving--;
	end_if_empty(channel);
}

int px_channel_keep(struct px_channel *channel)
{
	struct px_broker *broker = channel->broker;
	px_history_expire(&channel->history, broker, &channel->limits, broker->timers.now_ms);
	px_values_fit(channel);
	if (!channel->kind->has_history || channel->limits.history_age_ms == 0) {
		return 0;
	}
	channel->kept_until_ms = broker->timers.now_ms + channel->limits.history_age_ms;
	return px_timer_arm(&broker->timers, &channel->timer, expires_at(channel));
}

static void count_limit(struct px_broker *broker, const struct px_channel_kind *kind, int rc)
{
	switch (rc) {
	case -ENFILE: broker->stats.bounds[PX_LIMIT_KIND_CHANNELS]++; break;
	case -EMFILE: broker->stats.bounds[PX_LIMIT_KIND_ROOMS_PER_SESSION]++; break;
	case -EDQUOT: broker->stats.bounds[PX_LIMIT_KIND_ROOMS_PER_PRACTICE]++; break;
	case -ENOSPC:
		broker->stats.bounds[kind->waiting ? PX_LIMIT_KIND_WAITING :
				PX_LIMIT_KIND_ROOM_MEMBERS]++;
		break;
	default: break;
	}
}

/* A state that is read in may have given the name to another kind, whose state has another form. */
static int check_kind(const struct px_channel *channel, const struct px_channel_kind *kind)
{
	return channel->kind != kind ? -EINVAL : 0;
}

int px_channel_open(struct px_broker *broker, struct px_practice *practice,
		const struct px_service *service, const struct px_channel_kind *kind,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_channel **ret_channel)
{
	struct px_channel *channel =
			px_channel_find_kind(broker, practice, service, name, kind->waiting);
	int rc = channel ? check_kind(channel, kind) : may_begin(broker, practice, kind);
	if (rc == 0 && !channel) {
		rc = px_channel_create(broker, practice, service, kind, name, limits, &channel);
		rc = rc < 0 ? rc : px_channel_keep(channel);
		if (rc < 0 && channel) {
			px_channel_destroy(channel);
		}
	}
	if (rc < 0) {
		count_limit(broker, kind, rc);
		return rc;
	}
	*ret_channel = channel;
	return 0;
}

static int reserve(struct px_channel *channel)
{
	if (channel->member_count < channel->member_size) {
		return 0;
	}
	uint32_t size = channel->member_size ? channel->member_size * 2 : 4;
	struct px_member **members = realloc(channel->members, size * sizeof(*members));
	if (!members) {
		return -ENOMEM;
	}
	channel->members = members;
	channel->member_size = size;
	return 0;
}

static void count_for_realm(const struct px_member *member, int by)
{
	const struct px_broker *broker = member->channel->broker;
	for (unsigned i = 0; i < broker->service_count; i++) {
		if (broker->services[i].service == member->channel->service) {
			member->session->realm->members[i] += (uint32_t)by;
		}
	}
}

/* `by`: 1, or -1 if it leaves. */
static void count_member(const struct px_member *member, int by)
{
	const struct px_channel *channel = member->channel;
	struct px_stats *stats = &channel->broker->stats;
	stats->members += (uint64_t)by;
	if (channel->kind->is_room) {
		member->session->rooms = (uint16_t)(member->session->rooms + by);
		count_for_realm(member, by);
		stats->room_members += is_room(channel->kind) ? (uint64_t)by : 0;
	}
	if (channel->kind->waiting) {
		member->session->waits = (uint16_t)(member->session->waits + by);
		stats->waiting += (uint64_t)by;
	}
}

int px_channel_add_member(struct px_channel *channel, struct px_session *session,
		struct px_member **ret_member)
{
	if (reserve(channel) < 0) {
		return -ENOMEM;
	}
	struct px_member *member = calloc(1, sizeof(*member) + channel->kind->member_size);
	if (!member) {
		return -ENOMEM;
	}
	member->channel = channel;
	member->session = session;
	member->order = ++channel->broker->member_order;
	member->mark_seq = (uint32_t)channel->seq; /* earlier publications do not count as missed */
	member->index = channel->member_count;
	channel->members[channel->member_count++] = member;
	px_membership_link(member);
	count_member(member, 1);
	if (channel->broker->turn_hooks) {
		channel->broker->turn_hooks->member_changed(member);
	}
	*ret_member = member;
	return 0;
}

static bool is_full(const struct px_channel *channel)
{
	return channel->limits.members && channel->member_count >= channel->limits.members;
}

static void unlink_member(struct px_member *member)
{
	struct px_channel *channel = member->channel;
	struct px_member *last = channel->members[--channel->member_count];
	channel->members[member->index] = last;
	last->index = member->index;

	px_membership_unlink(member);
	count_member(member, -1);
}

/* It is out of its channel. */
static void free_member(struct px_member *member)
{
	const struct px_broker *broker = member->channel->broker;
	if (broker->turn_hooks) {
		broker->turn_hooks->member_gone(member);
	}
	free(member);
}

/* The session's rooms. A room counts once if the session also waits for admission to it. */
static uint32_t rooms_beside(const struct px_session *session, const struct px_practice *practice,
		struct px_span name)
{
	uint32_t rooms = session->rooms;
	for (const struct px_member *member = session->members; member; member = member->next) {
		const struct px_channel *channel = member->channel;
		rooms -= channel->kind->waiting && channel->practice == practice &&
				px_span_equal(px_channel_name(channel), name);
	}
	return rooms;
}

static int join(struct px_session *session, const struct px_service *service,
		const struct px_channel_kind *kind, struct px_practice *practice,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_member **ret_member, bool *ret_new)
{
	struct px_broker *broker = session->broker;
	if (!may_reach(session, practice)) {
		return -EACCES;
	}
	if (name.len > PX_ID_MAX) {
		return -EINVAL;
	}
	struct px_member *member = px_session_member(session, kind, practice, name);
	if (member) {
		*ret_member = member;
		*ret_new = false;
		return 0;
	}
	if (kind->is_room && !px_identity_admits(session->identity, name)) {
		return -EACCES;
	}
	if (kind->is_room && broker->limits.rooms_per_session &&
			session->rooms >= broker->limits.rooms_per_session &&
			rooms_beside(session, practice, name) >= broker->limits.rooms_per_session) {
		return -EMFILE;
	}
	struct px_channel *channel =
			px_channel_find_kind(broker, practice, service, name, kind->waiting);
	int rc = channel ? check_kind(channel, kind) : may_begin(broker, practice, kind);
	if (rc == 0 && !channel) {
		rc = px_channel_create(broker, practice, service, kind, name, limits, &channel);
	}
	if (rc < 0) {
		return rc;
	}
	if (!is_room(kind)) {
		/*
		 * The service's options may have changed since; a room keeps the limits that it began with.
		 */
		channel->limits = *limits;
	}
	rc = is_full(channel) ? -ENOSPC : px_channel_add_member(channel, session, &member);
	if (rc == 0) {
		rc = px_member_tell_joined(member);
		if (rc < 0) {
			unlink_member(member);
			free_member(member);
			/* A failure of the host is not a full room. */
			rc = rc == -ENOMEM ? rc : -EROFS;
		}
	}
	if (rc < 0) {
		end_if_empty(channel);
		return rc;
	}
	*ret_member = member;
	*ret_new = true;
	return 0;
}

int px_channel_join(struct px_session *session, const struct px_service *service,
		const struct px_channel_kind *kind, struct px_practice *practice,
		struct px_span name, const struct px_channel_limits *limits,
		struct px_member **ret_member, bool *ret_new)
{
	int rc = join(session, service, kind, practice, name, limits, ret_member, ret_new);
	count_limit(session->broker, kind, rc);
	return rc;
}

/* Removes a member; the channel stays, even if that was the last. */
static void remove_member(struct px_member *member, enum px_leave_reason reason)
{
	struct px_channel *channel = member->channel;
	struct px_practice *at = px_turn_begin(channel->broker, channel->practice);
	px_member_tell_left(member, reason);
	unlink_member(member);
	if (channel->kind->left) {
		/* `left` may remove other members, or end the channel. */
		struct px_broker *broker = channel->broker;
		struct px_origin before = px_broker_turn_to(broker, px_channel_origin(channel));
		channel->leaving++;
		channel->kind->left(channel, member, reason);
		channel->leaving--;
		(void)px_broker_turn_to(broker, before);
	}
	px_turn_end(channel->broker, at);
	free_member(member);
}

void px_member_leave(struct px_member *member, enum px_leave_reason reason)
{
	struct px_channel *channel = member->channel;
	remove_member(member, reason);
	end_if_empty(channel);
}

static void end_one(struct px_channel *channel, enum px_leave_reason reason)
{
	channel->is_ending = true;
	while (channel->member_count > 0) {
		remove_member(channel->members[channel->member_count - 1], reason);
	}
	end_if_empty(channel);
}

void px_channel_end(struct px_channel *channel, enum px_leave_reason reason)
{
	struct px_channel *waiting = px_channel_waiting(channel);
	if (waiting) {
		px_channel_pin(waiting);
	}
	end_one(channel, reason);
	if (waiting) {
		end_one(waiting, reason);
		px_channel_unpin(waiting);
	}
}

struct px_channel *px_session_channel(const struct px_session *session,
		const struct px_service *service, struct px_practice *practice, struct px_span name)
{
	if (!may_reach(session, practice)) {
		return NULL;
	}
	return px_channel_find(session->broker, practice, service, name);
}

struct px_channel *px_session_waiting(const struct px_session *session,
		const struct px_service *service, struct px_practice *practice, struct px_span name)
{
	return may_reach(session, practice) ?
			px_channel_find_kind(session->broker, practice, service, name, true) : NULL;
}

struct px_channel *px_channel_waiting(const struct px_channel *channel)
{
	return channel->kind->waiting ? NULL :
			px_channel_find_kind(channel->broker, channel->practice, channel->service,
			px_channel_name(channel), true);
}

struct px_channel *px_channel_awaited(const struct px_channel *channel)
{
	return px_channel_find_kind(channel->broker, channel->practice, channel->service,
			px_channel_name(channel), false);
}

static void remember(struct px_channel *channel, struct px_message *message, uint64_t by)
{
	struct px_broker *broker = channel->broker;
	changed(channel);
	channel->seq++;
	px_history_push(&channel->history, broker, &channel->limits, &(struct px_history_entry){
		.message = message,
		.seq = channel->seq,
		.by = by,
		.at_ms = broker->timers.now_ms,
	});
	int64_t at = broker->timers.now_ms + channel->limits.history_age_ms;
	if (channel->history.count > 0 && (channel->timer.place == 0 ||
			channel->timer.at_ms > at)) {
		/* Without a timer, it expires with the next publication. */
		(void)px_timer_arm(&broker->timers, &channel->timer, at);
	}
}

/* A message without an origin belongs to the channel that it is published to. */
static void adopt(const struct px_channel *channel, struct px_message *message)
{
	struct px_origin origin = px_channel_origin(channel);
	uint64_t number = message->practice_number;
	bool is_own = number == 0 || number == channel->practice->number;
	if (is_own && (number == 0 || message->service != origin.service ||
			(origin.room && !message->room))) {
		px_message_set_origin(message, &origin);
	}
}

/* px_session_send() never frees a session or changes the array. */
static inline void fan_out(const struct px_channel *channel, struct px_message *message,
		const struct px_session *except,
		void (*give)(struct px_session *session, struct px_message *message))
{
	for (uint32_t i = 0; i < channel->member_count; i++) {
		struct px_session *session = channel->members[i]->session;
		if (session != except && px_session_hears(session) &&
				!px_session_mutes(session, message)) {
			give(session, message);
			channel->broker->stats.deliveries++;
		}
	}
}

static void deliver(struct px_channel *channel, struct px_message *message,
		const struct px_session *except, uint64_t by)
{
	struct px_broker *broker = channel->broker;
	struct px_practice *at = px_turn_begin(broker, channel->practice);
	adopt(channel, message);
	uint64_t before = broker->stats.deliveries;
	channel->practice->published++;
	broker->is_publishing = true;
	if (channel->kind->has_history) {
		remember(channel, message, by);
	}
	if (px_turn_catches(broker)) {
		fan_out(channel, message, except, broker->turn_hooks->send);
	} else {
		fan_out(channel, message, except, px_session_push);
	}
	broker->is_publishing = false;
	px_turn_end(broker, at);
	if (broker->taps) {
		px_message_tap_published(channel->broker, channel->practice, channel->service,
				channel->kind->is_room ? px_channel_name(channel) : (struct px_span){ NULL, 0 },
				message, (uint32_t)(broker->stats.deliveries - before));
	}
}

void px_channel_announce(struct px_channel *channel, struct px_message *message,
		const struct px_session *except)
{
	if (message) {
		deliver(channel, message, except, 0);
	}
}

int px_channel_publish(struct px_channel *channel, const struct px_session *sender,
		struct px_message *message, const struct px_session *except)
{
	if (!may_reach(sender, channel->practice)) {
		return -EACCES;
	}
	if (message) {
		deliver(channel, message, except, px_session_own_id(sender));
	}
	return 0;
}

void px_broker_end_channels(struct px_broker *broker)
{
	px_table_settle(&broker->channels);
	for (size_t i = 0; i < broker->channels.slot_count; i++) {
		while (broker->channels.slots[i]) {
			px_channel_end((struct px_channel *)broker->channels.slots[i], PX_ENDED);
		}
	}
}
