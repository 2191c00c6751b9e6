/* SPDX-License-Identifier: MIT */
/*
 * Taking over a practice: its records become channels, histories, sessions and memberships. They
 * come from outside and are not trusted; one that makes no sense makes the whole of it unusable,
 * since a practice of which a part is missing would be believed to be whole.
 *
 * Sessions in the journal are connected somewhere. Those of other nodes become guests; if their
 * node is dead, they leave at once, so that each is told to the others and to the host, once. Those
 * of this node are there already, and get their memberships.
 */
#include "bus_internal.h"

#include "channel/channel.h"
#include "core/identity.h"
#include "session/session.h"
#include "snapshot/record.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/hex.h>
#include <praxis/host/broker.h>
#include <praxis/host/session.h>
#include <stdlib.h>
#include <string.h>

struct adoption {
	struct px_state_load load; /* first: readers get it */
	struct px_state_reader reader;
	struct px_state_counts counts;
	struct px_home *home;
	const struct px_bus_record **records; /* in order */
	size_t count;
	struct px_channel **channels; /* pinned */
	size_t channel_count;
	const struct px_bus_record *of; /* whose history is read */
	const struct px_bus_record *now; /* that is read */
	struct px_edge *edge; /* of the session that is read */
};

static int by_key(const void *a, const void *b)
{
	const struct px_bus_record *one = *(const struct px_bus_record *const *)a;
	const struct px_bus_record *two = *(const struct px_bus_record *const *)b;
	int order = (one->table > PX_BUS_HISTORY) - (two->table > PX_BUS_HISTORY);
	if (order == 0 && one->table > PX_BUS_HISTORY) {
		order = (int)one->table - (int)two->table;
	}
	order = order != 0 ? order : px_span_compare(one->key, two->key);
	order = order != 0 ? order : (int)one->table - (int)two->table;
	return order != 0 ? order : (one->seq > two->seq) - (one->seq < two->seq);
}

/* Each channel is followed by its history; then sessions; then memberships, by session. */
static int sort(struct adoption *adoption, const struct px_bus_claim *claim)
{
	adoption->records = calloc(claim->record_count + 1, sizeof(*adoption->records));
	adoption->channels = calloc(claim->record_count + 1, sizeof(*adoption->channels));
	if (!adoption->records || !adoption->channels) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < claim->record_count; i++) {
		adoption->records[i] = &claim->records[i];
	}
	adoption->count = claim->record_count;
	qsort(adoption->records, adoption->count, sizeof(*adoption->records), by_key);
	return 0;
}

static struct px_realm *find_realm(void *user, struct px_span name)
{
	const struct px_bus *bus = user;
	return bus->realm ? bus->realm(bus->user, name) : NULL;
}

/* How long ago the record was written. */
static int read_time(struct adoption *adoption, struct json_object *line)
{
	int64_t at_ms;
	int64_t now_ms = adoption->home->broker->wall_ms;
	if (!px_json_get_int(line, "at", 0, INT64_MAX / 2, &at_ms)) {
		return -EINVAL;
	}
	adoption->reader.elapsed_ms = now_ms > at_ms ? now_ms - at_ms : 0;
	return 0;
}

static int read_channel(struct px_state_load *load, struct json_object *line)
{
	struct adoption *adoption = (struct adoption *)load;
	int rc = read_time(adoption, line);
	load->channel = NULL;
	rc = rc < 0 ? rc : px_state_read_channel(load, line);
	if (load->channel) {
		adoption->channels[adoption->channel_count++] = load->channel;
	}
	if (rc == 0 && load->channel &&
			(load->channel->practice != adoption->home->practice ||
			!px_entry_is_keyed(PX_BUS_CHANNELS, load->channel, adoption->now->key))) {
		rc = -EINVAL;
	}
	return rc;
}

static int read_update(struct px_state_load *load, struct json_object *line)
{
	const struct adoption *adoption = (struct adoption *)load;
	int64_t seq;
	int rc = read_time((struct adoption *)load, line);
	if (rc < 0 || !px_json_get_int(line, "update", 1, INT64_MAX - 1, &seq) ||
			(uint64_t)seq != adoption->now->seq) {
		return -EINVAL;
	}
	return px_state_read_update(load, line);
}

/* A number of a node, as text. 0: none. */
static uint64_t read_node(struct px_span text)
{
	uint64_t node = 0;
	for (size_t i = 0; i < text.len && text.len == 16; i++) {
		int digit = px_hex_lower(text.data[i]);
		if (digit < 0) {
			return 0;
		}
		node = node << 4 | (uint64_t)digit;
	}
	return node;
}

/* The edge with that node's guests; of one that is nowhere, it is dead from the start. */
static struct px_edge *edge_of(struct adoption *adoption, uint64_t node)
{
	uint64_t own = adoption->home->broker->bus->node;
	struct px_edge *edge = px_edge_get(adoption->home, node == own ? 0 : node);
	if (edge && (node == own || node == 0)) {
		edge->is_dead = true;
	}
	return edge;
}

static int restore(struct px_state_load *load, const struct px_session_params *params,
		uint64_t client_id, struct px_session **ret_session)
{
	struct adoption *adoption = (struct adoption *)load;
	struct px_guest *guest;
	struct px_edge *edge = adoption->edge;
	if (px_guest_find(adoption->home, client_id)) {
		return -EINVAL;
	}
	if (params->realm == &load->broker->nowhere) {
		/* It can use nothing here: it ends, and begins anew. */
		edge = edge_of(adoption, 0);
		if (!edge || !px_turn_close_client(adoption->home, adoption->edge->node, client_id,
				PX_CLOSE_TRY_LATER)) {
			return -ENOMEM;
		}
	}
	int rc = px_guest_create(adoption->home, edge, params, client_id, &guest);
	if (rc == 0) {
		*ret_session = &guest->session;
	}
	return rc;
}

static int read_value(struct px_state_load *load, struct json_object *line)
{
	const struct adoption *adoption = (struct adoption *)load;
	const struct px_value *value;
	int rc = read_time((struct adoption *)load, line);
	rc = rc < 0 ? rc : px_state_read_value(load, line, &value);
	return rc == 0 && !px_entry_is_keyed(PX_BUS_VALUES, value, adoption->now->key) ?
			-EINVAL : rc;
}

/* Its key is its channel's, a newline and its own. */
static int read_value_of(struct adoption *adoption, const struct px_bus_record *record)
{
	struct px_span key = record->key;
	while (key.len > 0 && key.data[key.len - 1] != '\n') {
		key.len--;
	}
	key.len -= key.len > 0;
	adoption->load.channel = NULL;
	for (size_t i = 0; i < adoption->channel_count; i++) {
		if (px_entry_is_keyed(PX_BUS_CHANNELS, adoption->channels[i], key)) {
			adoption->load.channel = adoption->channels[i];
		}
	}
	if (!adoption->load.channel) {
		return adoption->counts.dropped_channels > 0 ? 0 : -EINVAL;
	}
	return px_state_read_text(&adoption->load, record->value, read_value);
}

static int read_session(struct px_state_load *load, struct json_object *line)
{
	struct adoption *adoption = (struct adoption *)load;
	struct px_span client_id;
	struct px_span node;
	uint64_t id;
	int rc = read_time(adoption, line);
	/* Under another key it would stay in the journal when the session has gone. */
	if (rc < 0 || !px_json_get_text(line, "session", &client_id) ||
			!px_client_id_read(client_id, &id) ||
			!px_json_get_text(line, "node", &node) ||
			!px_span_equal(client_id, adoption->now->key)) {
		return -EINVAL;
	}
	load->session = px_home_visitor(adoption->home, id);
	adoption->edge = load->session ? NULL : edge_of(adoption, read_node(node));
	if (!load->session && !adoption->edge) {
		return -ENOMEM;
	}
	if (!load->session) {
		rc = px_state_read_session(load, line);
	}
	if (load->session) {
		px_entry_session_changed(adoption->home, load->session);
	}
	return rc;
}

static int read_edge(struct px_state_load *load, struct json_object *line)
{
	struct adoption *adoption = (struct adoption *)load;
	struct px_home *home = adoption->home;
	struct px_span name;
	int64_t said;
	if (!px_json_get_text(line, "edge", &name) ||
			!px_json_get_int(line, "said", 1, INT64_MAX, &said) ||
			!px_span_equal(name, adoption->now->key)) {
		return -EINVAL;
	}
	uint64_t node = read_node(name);
	if (node == home->broker->bus->node) {
		home->applied = home->written = (uint64_t)said;
		return 0;
	}
	struct px_edge *edge = node != 0 ? px_edge_get(home, node) : NULL;
	if (!edge) {
		return node != 0 ? -ENOMEM : -EINVAL;
	}
	edge->applied = edge->written = (uint64_t)said;
	return 0;
}

static int read_member(struct px_state_load *load, struct json_object *line)
{
	struct px_broker *broker = load->broker;
	const struct px_bus_record *now = ((struct adoption *)load)->now;
	const struct px_member *before = load->session->members;
	int rc = px_state_read_member(load, line);
	const struct px_member *member = load->session->members;
	if (member == before) {
		return rc;
	}
	if (member->order > broker->member_order) {
		broker->member_order = member->order;
	}
	return rc == 0 && !px_entry_is_keyed(PX_BUS_MEMBERS, member, now->key) ? -EINVAL : rc;
}

/* Its key begins with its session's; which may be gone with its service, or be another's now. */
static int read_membership(struct adoption *adoption, const struct px_bus_record *record)
{
	struct px_state_load *load = &adoption->load;
	const char *end = memchr(record->key.data, '\n', record->key.len);
	size_t len = end ? (size_t)(end - record->key.data) : 0;
	uint64_t id = 0;
	(void)px_client_id_read((struct px_span){ record->key.data, len }, &id);
	struct px_guest *guest = px_guest_find(adoption->home, id);
	load->session = guest ? &guest->session : px_home_visitor(adoption->home, id);
	if (!load->session) {
		adoption->counts.dropped_members++;
		return 0;
	}
	return px_state_read_text(load, record->value, read_member);
}

static int read_record(struct adoption *adoption, const struct px_bus_record *record)
{
	struct px_state_load *load = &adoption->load;
	adoption->now = record;
	switch (record->table) {
	case PX_BUS_CHANNELS:
		adoption->of = record;
		return px_state_read_text(load, record->value, read_channel);
	case PX_BUS_HISTORY:
		return adoption->of && px_span_equal(adoption->of->key, record->key) ?
				px_state_read_text(load, record->value, read_update) : -EINVAL;
	case PX_BUS_VALUES:
		return read_value_of(adoption, record);
	case PX_BUS_SESSIONS:
		return px_state_read_text(load, record->value, read_session);
	case PX_BUS_MEMBERS:
		return read_membership(adoption, record);
	case PX_BUS_EDGES:
		return px_state_read_text(load, record->value, read_edge);
	}
	return -EINVAL;
}

static bool is_whole(const struct px_channel *channel)
{
	const struct px_history *history = &channel->history;
	return history->count == 0 ||
			px_history_at(history, history->count - 1)->seq == channel->seq;
}

/*
 * Channels that nobody needs go, now that the sessions have left them. Of the others those that
 * this node's limits allow stay, as when a state file is loaded.
 */
static void fit(struct adoption *adoption)
{
	size_t wanted = 0;
	while (px_broker_end_turn(adoption->home->broker)) {
	}
	for (size_t i = 0; i < adoption->channel_count; i++) {
		if (px_channel_is_wanted(adoption->channels[i])) {
			wanted++;
		} else {
			px_channel_unpin(adoption->channels[i]);
			adoption->channels[i] = NULL;
		}
	}
	px_state_fit_channels(&adoption->load, adoption->channels, adoption->channel_count,
			adoption->home->broker->channels.count - wanted);
}

static int finish(struct adoption *adoption, int rc)
{
	for (size_t i = 0; rc == 0 && i < adoption->channel_count; i++) {
		struct px_channel *channel = adoption->channels[i];
		rc = is_whole(channel) ? px_channel_keep(channel) : -EINVAL;
	}
	if (rc == 0) {
		px_entries_adopt(adoption->home);
	}
	if (rc == 0) {
		px_guests_bury(adoption->home);
		fit(adoption);
	}
	for (size_t i = 0; i < adoption->channel_count; i++) {
		if (adoption->channels[i]) {
			px_channel_unpin(adoption->channels[i]);
		}
	}
	return rc;
}

static int read_all(struct adoption *adoption)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < adoption->count; i++) {
		rc = read_record(adoption, adoption->records[i]);
	}
	return rc;
}

int px_home_adopt(struct px_home *home, const struct px_bus_claim *claim)
{
	struct px_broker *broker = home->broker;
	struct adoption adoption = {
		.reader = { .user = &broker->bus->bus, .realm = find_realm },
		.home = home,
		.load = { .broker = broker, .tokener = json_tokener_new_ex(PX_STATE_DEPTH) },
	};
	adoption.load.restore = restore;
	adoption.load.reader = &adoption.reader;
	adoption.load.counts = &adoption.counts;
	int rc = adoption.load.tokener ? sort(&adoption, claim) : -ENOMEM;
	rc = rc < 0 ? rc : read_all(&adoption);
	px_state_load_finish(&adoption.load);
	rc = finish(&adoption, rc);
	/* What no service of now keeps must not stay in the journal: all is written. */
	if (adoption.counts.dropped_channels + adoption.counts.dropped_sessions +
			adoption.counts.dropped_members > 0) {
		home->is_lost = true;
	}
	json_tokener_free(adoption.load.tokener);
	free(adoption.records);
	free(adoption.channels);
	return rc;
}
