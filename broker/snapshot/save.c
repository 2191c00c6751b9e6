/* SPDX-License-Identifier: MIT */
/*
 * Writes a broker as lines of JSON, in this order:
 *
 *   {"order":9}                                  the last px_member_order()
 *   {"channel":"…","kind":"…","tenant":"…","practice":"…","name":"…","epoch":"…","seq":7,
 *    "state":{…},"age":5000}                     service and key; the service's own state; ms
 *   {"update":7,"from":"c…","key":"…","age":1200,"text":"…"}
 *                                                of the channel above, in order; its publisher
 *   {"value":6,"key":"…","age":5000,"text":"…"}
 *                                                of the channel above; the seq of its update
 *   {"session":…} and what follows it            see save_session.c
 *
 * A message is written as a string instead of JSON, so that reading yields the sender's bytes,
 * digits and escapes included; or as a number (message.c). Channels are ordered by name, so that
 * the same state gives the same text.
 */
#include "snapshot.h"

#include "channel/history.h"
#include "core/message.h"
#include "core/session.h"
#include "core/broker.h"
#include "core/practice.h"
#include "channel/channel.h"

#include <errno.h>
#include <praxis/message.h>
#include <praxis/service.h>
#include <stdlib.h>
#include <string.h>

int px_state_put(const struct px_state_save *save, struct px_json *json)
{
	px_json_end(json);
	int rc = json->failed ? -ENOMEM : save->writer->line(save->writer->user,
			(struct px_span){ json->data, json->len });
	px_json_finish(json);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct px_channel *one = *(struct px_channel *const *)a;
	const struct px_channel *two = *(struct px_channel *const *)b;
	int order = strcmp(one->service->name, two->service->name);
	order = order != 0 ? order : strcmp(one->practice->tenant, two->practice->tenant);
	order = order != 0 ? order : strcmp(one->practice->id, two->practice->id);
	order = order != 0 ? order :
			px_span_compare(px_channel_name(one), px_channel_name(two));
	return order != 0 ? order : strcmp(one->kind->name, two->kind->name);
}

static size_t list_slots(struct px_table_link *const *slots, size_t slot_count,
		struct px_channel **list, size_t count)
{
	for (size_t i = 0; i < slot_count; i++) {
		for (struct px_table_link *link = slots[i]; link; link = link->next) {
			list[count++] = (struct px_channel *)link;
		}
	}
	return count;
}

struct px_channel **px_state_channels(const struct px_broker *broker, size_t *ret_count)
{
	const struct px_table *table = &broker->channels;
	struct px_channel **list = calloc(table->count, sizeof(struct px_channel *));
	size_t count = 0;
	if (list) {
		count = list_slots(table->slots, table->slot_count, list, count);
		count = table->old ? list_slots(table->old, table->old_count, list, count) : count;
		qsort(list, count, sizeof(struct px_channel *), by_name);
	}
	*ret_count = count;
	return list;
}

void *px_state_of(const struct px_broker *broker, const struct px_service *service)
{
	for (unsigned i = 0; i < broker->service_count; i++) {
		if (broker->services[i].service == service) {
			return broker->services[i].state;
		}
	}
	return NULL;
}

static int save_updates(const struct px_channel *channel, struct px_state_save *save)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < channel->history.count; i++) {
		const struct px_history_entry *entry = px_history_at(&channel->history, i);
		struct px_json json;
		px_json_begin(&json, NULL);
		px_state_write_update(&json, entry);
		px_json_int(&json, "age", channel->broker->timers.now_ms - entry->at_ms);
		px_state_put_update(save, &json, entry->message);
		rc = px_state_put(save, &json);
	}
	return rc;
}

static int save_values(const struct px_channel *channel, struct px_state_save *save)
{
	const struct px_value *value = channel->values ? channel->values->oldest : NULL;
	int rc = 0;
	for (; rc == 0 && value; value = value->newer) {
		struct px_json json;
		px_json_begin(&json, NULL);
		px_state_write_value(&json, value);
		px_json_int(&json, "age", channel->broker->timers.now_ms - value->at_ms);
		px_state_put_update(save, &json, value->message);
		rc = px_state_put(save, &json);
	}
	return rc;
}

static int save_channel(struct px_channel *channel, struct px_state_save *save)
{
	struct px_json json;
	if (!px_snapshot_ops_of(channel->service, px_span(channel->kind->name))) {
		return 0;
	}
	px_json_begin(&json, NULL);
	px_state_write_channel(&json, channel);
	px_json_int(&json, "age", channel->broker->timers.now_ms - channel->opened_ms);
	int rc = px_state_put(save, &json);
	rc = rc < 0 ? rc : save_updates(channel, save);
	return rc < 0 ? rc : save_values(channel, save);
}

static int save_channels(struct px_state_save *save)
{
	size_t count;
	struct px_channel **list = px_state_channels(save->broker, &count);
	if (!list && save->broker->channels.count > 0) {
		return -ENOMEM;
	}
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = save_channel(list[i], save);
	}
	free(list);
	return rc;
}

static int save_order(const struct px_state_save *save)
{
	struct px_json json;
	px_json_begin(&json, NULL);
	px_json_int(&json, "order", (int64_t)save->broker->member_order);
	return px_state_put(save, &json);
}

int px_broker_save(struct px_broker *broker, const struct px_state_writer *writer)
{
	struct px_state_save save = { .broker = broker, .writer = writer };
	int rc = save_order(&save);
	rc = rc < 0 ? rc : save_channels(&save);
	rc = rc < 0 ? rc : px_state_save_sessions(&save);
	px_state_save_finish(&save);
	return rc;
}
