/* SPDX-License-Identifier: MIT */
/*
 * See include/praxis/host/state.h, and save.c for the lines. First everything is loaded as it was,
 * regardless of the current limits; then fit.c removes what exceeds them, as it would at run time,
 * so that everybody is notified.
 */
#include "snapshot.h"

#include "channel/history.h"
#include "core/message.h"
#include "core/session.h"
#include "core/broker.h"
#include "core/host.h"
#include "core/practice.h"
#include "channel/channel.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/host/broker.h>
#include <praxis/host/registry.h>
#include <praxis/message.h>
#include <praxis/service.h>
#include <string.h>

struct slot {
	const struct px_service *service;
	void *state;
	const struct px_snapshot_ops *ops;
};

void px_broker_hold(struct px_broker *broker)
{
	broker->is_holding = true;
}

static bool find_ops(struct px_state_load *load, struct json_object *line, struct slot *ret_slot)
{
	struct px_span service = { "", 0 };
	struct px_span kind = { "", 0 };
	unsigned index;
	if (!px_json_get_text(line, "channel", &service) ||
			!px_json_get_text(line, "kind", &kind)) {
		return false;
	}
	*ret_slot = (struct slot){ 0 };
	ret_slot->service = px_broker_find_service(load->broker, service, &index);
	if (ret_slot->service) {
		ret_slot->state = load->broker->services[index].state;
		ret_slot->ops = px_snapshot_ops_of(ret_slot->service, kind);
	}
	return true;
}

static bool is_epoch(struct px_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
			return false;
		}
	}
	return text.len == 16;
}

static bool is_id(struct px_span text)
{
	return text.len > 0 && text.len <= PX_ID_MAX && px_span_is_text(text);
}

/* The channel's key in its line. */
struct key {
	struct px_span tenant;
	struct px_span practice;
	struct px_span name;
	struct px_span epoch;
	int64_t seq;
	int64_t age_ms;
	struct json_object *state;
};

static bool read_key(struct json_object *line, struct key *key)
{
	return px_json_get_text(line, "tenant", &key->tenant) && is_id(key->tenant) &&
			px_json_get_text(line, "practice", &key->practice) && is_id(key->practice) &&
			px_json_get_text(line, "name", &key->name) &&
			(key->name.len == 0 || is_id(key->name)) &&
			px_json_get_text(line, "epoch", &key->epoch) && is_epoch(key->epoch) &&
			px_json_get_int(line, "seq", 0, INT64_MAX - 1, &key->seq) &&
			px_json_get_int(line, "age", 0, PX_STATE_AGE_MAX_MS, &key->age_ms) &&
			json_object_object_get_ex(line, "state", &key->state) &&
			json_object_is_type(key->state, json_type_object);
}

static int begin_channel(struct px_state_load *load, const struct slot *slot,
		const struct key *key, struct px_practice *practice)
{
	struct px_channel_limits limits = { 0 };
	if (px_channel_find_kind(load->broker, practice, slot->service, key->name,
			slot->ops->kind->waiting)) {
		return -EINVAL;
	}
	if (slot->ops->limits) {
		slot->ops->limits(slot->state, &limits);
	}
	int rc = px_channel_create(load->broker, practice, slot->service, slot->ops->kind,
			key->name, &limits, &load->channel);
	if (rc < 0) {
		return rc;
	}
	px_channel_pin(load->channel); /* until fit.c has seen it */
	memcpy(load->channel->epoch, key->epoch.data, key->epoch.len);
	load->channel->seq = (uint64_t)key->seq;
	load->channel->opened_ms =
			load->broker->timers.now_ms - load->reader->elapsed_ms - key->age_ms;
	load->counts->channels++;
	return slot->ops->restore ?
			slot->ops->restore(slot->state, load->channel, key->state) : 0;
}

int px_state_read_channel(struct px_state_load *load, struct json_object *line)
{
	struct slot slot;
	struct key key;
	struct px_practice *practice;
	load->channel = NULL;
	if (!find_ops(load, line, &slot) || !read_key(line, &key)) {
		return -EINVAL;
	}
	if (!slot.ops) {
		load->counts->dropped_channels++;
		return 0;
	}
	int rc = px_practice_get(load->broker, key.tenant, key.practice, &practice);
	if (rc < 0) {
		return rc;
	}
	rc = begin_channel(load, &slot, &key, practice);
	px_practice_unref(load->broker, practice);
	return rc;
}

/* Gaps are refused, up to the channel's seq: px_channel_covers() relies on that. */
static bool follows(const struct px_channel *channel, uint64_t seq)
{
	const struct px_history *history = &channel->history;
	return seq <= channel->seq && (history->count == 0 ||
			px_history_at(history, history->count - 1)->seq + 1 == seq);
}

int px_state_read_update(struct px_state_load *load, struct json_object *line)
{
	struct px_channel *channel = load->channel;
	struct px_message *message;
	struct px_span from;
	uint64_t sender = 0;
	int64_t seq;
	int64_t age_ms;
	if (!px_json_get_int(line, "update", 1, INT64_MAX - 1, &seq) ||
			!px_json_get_int(line, "age", 0, PX_STATE_AGE_MAX_MS, &age_ms) ||
			(px_json_get_text(line, "from", &from) && !px_client_id_read(from, &sender))) {
		return -EINVAL;
	}
	int rc = px_state_get_message(load, line, "text", &message);
	if (rc < 0 || !channel) {
		return rc; /* or its channel was dropped */
	}
	if (!channel->kind->has_history || !follows(channel, (uint64_t)seq)) {
		return -EINVAL;
	}
	px_history_push(&channel->history, load->broker, &channel->limits, &(struct px_history_entry){
		.message = message,
		.seq = (uint64_t)seq,
		.by = sender,
		.at_ms = load->broker->timers.now_ms - load->reader->elapsed_ms - age_ms,
	});
	load->counts->updates++;
	return 0;
}

int px_state_read_value(struct px_state_load *load, struct json_object *line,
		const struct px_value **ret_value)
{
	struct px_channel *channel = load->channel;
	struct px_message *message;
	struct px_span key;
	int64_t seq;
	int64_t age_ms;
	*ret_value = NULL;
	if (!px_json_get_int(line, "value", 1, INT64_MAX - 1, &seq) ||
			!px_json_get_int(line, "age", 0, PX_STATE_AGE_MAX_MS, &age_ms)) {
		return -EINVAL;
	}
	int rc = px_state_get_message(load, line, "text", &message);
	if (rc < 0 || !channel) {
		return rc;
	}
	/* A text that stands elsewhere has the key and the practice that it has there. */
	if (!channel->kind->has_history || (uint64_t)seq > channel->seq ||
			!px_json_get_text(line, "key", &key) ||
			!px_span_equal(key, px_message_key(message)) ||
			message->practice_number != channel->practice->number) {
		return -EINVAL;
	}
	rc = px_values_restore(channel, message, (uint64_t)seq,
			load->broker->timers.now_ms - load->reader->elapsed_ms - age_ms);
	if (rc == 0) {
		*ret_value = px_values_find(channel, key);
	}
	return rc;
}

static int load_value(struct px_state_load *load, struct json_object *line)
{
	const struct px_value *value;
	return px_state_read_value(load, line, &value);
}

static int load_order(struct px_state_load *load, struct json_object *line)
{
	int64_t order;
	if (!px_json_get_int(line, "order", 0, INT64_MAX - 1, &order)) {
		return -EINVAL;
	}
	load->order = (uint64_t)order;
	return 0;
}

static int load_line(struct px_state_load *load, struct json_object *line)
{
	static const struct {
		const char *key;
		int (*load)(struct px_state_load *load, struct json_object *line);
	} kinds[] = {
		{ "channel", px_state_read_channel },
		{ "kept", px_state_load_kept },
		{ "member", px_state_read_member },
		{ "order", load_order },
		{ "queued", px_state_load_queued },
		{ "saved", px_state_load_saved },
		{ "session", px_state_read_session },
		{ "update", px_state_read_update },
		{ "value", load_value },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (json_object_object_get_ex(line, kinds[i].key, NULL)) {
			return kinds[i].load(load, line);
		}
	}
	return -EINVAL;
}

int px_state_read_text(struct px_state_load *load, struct px_span text,
		int (*reader)(struct px_state_load *load, struct json_object *line))
{
	if (text.len == 0 || text.len > PX_STATE_LINE_MAX) {
		return -EINVAL;
	}
	json_tokener_reset(load->tokener);
	struct json_object *line = json_tokener_parse_ex(load->tokener, text.data, (int)text.len);
	int rc = -EINVAL;
	if (json_object_is_type(line, json_type_object) &&
			json_tokener_get_parse_end(load->tokener) == text.len) {
		rc = reader(load, line);
	}
	json_object_put(line);
	return rc;
}

static int load_lines(struct px_state_load *load)
{
	struct px_span text;
	/* Counted in the file, which begins with lines of the host. */
	uint64_t number = 1 + load->reader->lines_before;
	int rc;
	while ((rc = load->reader->line(load->reader->user, &text)) == 1) {
		number++;
		rc = px_state_read_text(load, text, load_line);
		if (rc < 0) {
			px_broker_log(load->broker, PX_LOG_ERROR, "state: line %llu is invalid",
					(unsigned long long)number);
			return rc;
		}
	}
	return rc;
}

/* Frees everything without notifying: nobody has seen it. */
static void discard(struct px_broker *broker)
{
	const struct px_broker_host host = broker->host;
	broker->host.event = NULL;
	px_table_settle(&broker->channels);
	for (size_t i = 0; i < broker->channels.slot_count; i++) {
		struct px_table_link *link = broker->channels.slots[i];
		for (; link; link = link->next) {
			((struct px_channel *)link)->leaving = 0;
		}
	}
	px_broker_end_detached(broker);
	while (px_broker_end_turn(broker)) {
	}
	px_broker_end_channels(broker);
	broker->host = host;
}

int px_broker_load(struct px_broker *broker, const struct px_state_reader *reader,
		struct px_state_counts *ret_counts)
{
	uint32_t practices = broker->limits.practices;
	struct px_state_load load = {
		.broker = broker,
		.reader = reader,
		.counts = ret_counts,
		.tokener = json_tokener_new_ex(PX_STATE_DEPTH),
	};
	if (!load.tokener) {
		return -ENOMEM;
	}
	*ret_counts = (struct px_state_counts){ 0 };
	broker->limits.practices = 0;
	int rc = load_lines(&load);
	broker->limits.practices = practices;
	px_state_load_finish(&load);
	rc = rc < 0 ? rc : px_state_fit(&load);
	if (rc < 0) {
		discard(broker);
	}
	broker->member_order = rc < 0 ? 0 : load.order;
	json_tokener_free(load.tokener);
	return rc;
}
