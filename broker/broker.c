/* SPDX-License-Identifier: MIT */
/*
 * The broker's creation and destruction, its clock, services and statistics.
 */
#include "core/broker.h"

#include "core/message.h"
#include "core/session.h"
#include "operate/admin_feed.h"
#include "core/host.h"
#include "outbound/write.h"
#include "session/deadlines.h"
#include "session/session.h"
#include "operate/operate.h"
#include "channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <praxis/host/broker.h>
#include <praxis/host/session.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int px_broker_create(const struct px_transport *transport, const struct px_broker_host *host,
		const struct px_limits *limits, struct px_broker **ret_broker)
{
	struct px_broker *broker = calloc(1, sizeof(*broker));
	if (!broker) {
		return -ENOMEM;
	}
	broker->transport = *transport;
	broker->host = *host;
	broker->limits = *limits;
	broker->outbound = &px_session_outbound_hooks;
	broker->refusal = PX_E_COUNT;
	broker->in_hand.service = PX_SERVICE_NONE;
	broker->dirty_end = &broker->dirty;
	broker->ending_end = &broker->ending;
	broker->nowhere = (struct px_realm){ .name = "", .retired = true };
	host->random(host->user, &broker->hash_key, sizeof(broker->hash_key));
	/* Pings have a payload: lws does not report an empty pong. */
	broker->ping = px_message_frame(broker, PX_OPCODE_PING, px_span("px"));
	broker->gone = px_message_frame(broker, PX_OPCODE_TEXT, px_span("{}"));
	broker->write_buffer = malloc(PX_WRITE_BYTES);
	if (!broker->ping || !broker->gone || !broker->write_buffer) {
		px_broker_destroy(broker);
		return -ENOMEM;
	}
	broker->gone->service = PX_SERVICE_GONE;
	*ret_broker = broker;
	return 0;
}

void px_broker_destroy(struct px_broker *broker)
{
	if (!broker) {
		return;
	}
	assert(!broker->oldest);
	assert(!broker->taps);
	assert(!broker->bus);
	px_broadcast_drop(broker);
	px_admin_feed_finish(broker);
	px_broker_end_channels(broker); /* channels that have only a history */
	while (broker->service_count > 0) {
		px_broker_remove_last_service(broker);
	}
	px_message_unref(broker, broker->ping);
	px_message_unref(broker, broker->gone);
	assert(broker->stats.messages_live == 0);
	assert(broker->practices.count == 0);
	px_queue_pool_finish(&broker->queue_pool);
	px_table_finish(&broker->practices);
	px_table_finish(&broker->channels);
	px_table_finish(&broker->clients);
	px_table_finish(&broker->reattachable);
	px_paged_index_finish(&broker->sessions);
	px_paged_index_finish(&broker->rooms);
	px_paged_index_finish(&broker->practice_index);
	px_timers_finish(&broker->timers);
	free(broker->write_buffer);
	free(broker);
}

void px_broker_set_limits(struct px_broker *broker, const struct px_limits *limits)
{
	bool other_deadlines = broker->limits.heartbeat_ms != limits->heartbeat_ms;
	broker->limits = *limits;
	if (other_deadlines) {
		px_broker_rearm(broker);
	}
}

void px_broker_set_time(struct px_broker *broker, int64_t mono_ms, int64_t wall_ms)
{
	broker->wall_ms = wall_ms;
	px_timers_set_time(&broker->timers, mono_ms);
	broker->queue_pool.now_ms = (uint32_t)broker->timers.now_ms;
	while (px_timers_fire(&broker->timers, PX_SLICE) &&
			!px_broker_over_budget(broker, PX_WORK_IN)) {
	}
}

int64_t px_broker_deadline(const struct px_broker *broker)
{
	return px_timers_next(&broker->timers);
}

uint64_t px_broker_queued(const struct px_broker *broker)
{
	return broker->stats.messages_out + broker->stats.keepalives_out;
}

void px_broker_stats(const struct px_broker *broker, struct px_stats *ret_stats)
{
	*ret_stats = broker->stats;
	ret_stats->channels = broker->channels.count;
	ret_stats->messages_live -= 2; /* the two preallocated messages */
	ret_stats->messages_live -= broker->watch ? broker->watch->count : 0;
}

/* The first service that shares a prefix with this one; NULL. */
static const struct px_service *find_rival(const struct px_broker *broker,
		const struct px_service *service, const char **ret_prefix)
{
	for (unsigned i = 0; i < broker->service_count; i++) {
		const struct px_service *each = broker->services[i].service;
		*ret_prefix = px_service_shared_prefix(service, each);
		if (*ret_prefix) {
			return each;
		}
	}
	return NULL;
}

/* 0; -EINVAL; -EEXIST: another service has the name or a prefix. */
static int check_service(const struct px_broker *broker, const struct px_service *service)
{
	char fault[256];
	const char *prefix;
	if (px_service_check(service, fault, sizeof(fault)) < 0) {
		px_broker_log(broker, PX_LOG_ERROR, "service refused: %s", fault);
		return -EINVAL;
	}
	const struct px_service *rival = find_rival(broker, service, &prefix);
	if (rival && strcmp(rival->name, service->name) != 0) {
		px_broker_log(broker, PX_LOG_ERROR, "service %s refused: the prefix \"%s_\" belongs to "
				"the service %s", service->name, prefix, rival->name);
	}
	return rival ? -EEXIST : 0;
}

int px_broker_add_service(struct px_broker *broker, const struct px_service *service,
		const struct px_options *options, unsigned *ret_index)
{
	int rc = check_service(broker, service);
	if (rc < 0) {
		return rc;
	}
	if (broker->service_count == PX_SERVICES_MAX) {
		return -ENOSPC;
	}
	if (service->operates && !broker->watch) {
		broker->watch = calloc(1, sizeof(*broker->watch));
		if (!broker->watch) {
			return -ENOMEM;
		}
	}
	struct px_service_slot *slot = &broker->services[broker->service_count];
	rc = px_service_slot_init(broker, slot, service);
	if (rc < 0) {
		return rc;
	}
	rc = service->start ? service->start(broker, options, &slot->state) : 0;
	if (rc < 0) {
		px_service_slot_finish(slot);
		return rc;
	}
	*ret_index = broker->service_count++;
	px_broker_index_types(broker);
	return 0;
}

void px_broker_remove_last_service(struct px_broker *broker)
{
	struct px_service_slot *slot = &broker->services[--broker->service_count];
	if (slot->service->stop) {
		slot->service->stop(slot->state);
	}
	px_service_slot_finish(slot);
	*slot = (struct px_service_slot){ 0 };
	px_broker_index_types(broker);
}

int px_broker_configure(struct px_broker *broker, unsigned index,
		const struct px_options *options)
{
	const struct px_service_slot *slot = &broker->services[index];
	if (!slot->service->configure) {
		return -ENOTSUP;
	}
	return slot->service->configure(slot->state, options);
}
