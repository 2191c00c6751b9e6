/* SPDX-License-Identifier: MIT */
/*
 * What a turn changed. Each channel, session and membership that is kept has an entry. A change
 * marks it; when the turn ends, marked entries are written as records and compared with what is
 * kept, so that a service that only read costs nothing in the journal. Of a channel's history what
 * is new is appended, and what has gone is trimmed.
 *
 * Rejected: comparing all of a practice at the end of each turn, which a practice with a hundred
 * members would pay for at each message.
 */
#include "bus_internal.h"

#include "channel/channel.h"
#include "core/message.h"
#include "snapshot/record.h"

#include <errno.h>
#include <praxis/hex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A service's name, a kind's, a room's, and a client id, or a value's key in hexadecimal. */
#define KEY_MAX 1024

struct key {
	char text[KEY_MAX];
	size_t len;
};

static void append(struct key *key, struct px_span text)
{
	size_t left = sizeof(key->text) - key->len;
	size_t len = text.len < left ? text.len : left;
	if (len > 0) {
		memcpy(key->text + key->len, text.data, len);
		key->len += len;
	}
}

static void add_channel(struct key *key, const struct px_channel *channel)
{
	append(key, px_span(channel->service->name));
	append(key, px_span("\n"));
	append(key, px_span(channel->kind->name));
	append(key, px_span("\n"));
	append(key, px_channel_name(channel));
}

static void add_client(struct key *key, uint64_t id)
{
	char client_id[PX_CLIENT_ID_SIZE];
	px_client_id_write(id, client_id);
	append(key, px_span(client_id));
}

static void add_session(struct key *key, const struct px_session *session)
{
	add_client(key, px_session_own_id(session));
}

/* The session first, so that its memberships follow each other where keys are in order. */
static void add_member(struct key *key, const struct px_member *member)
{
	add_session(key, member->session);
	append(key, px_span("\n"));
	add_channel(key, member->channel);
}

/* A key may have any character; a record's has no control characters but newlines. */
static void add_value(struct key *key, const struct px_value *value)
{
	struct px_span own = px_message_key(value->message);
	add_channel(key, value->channel);
	append(key, px_span("\n"));
	for (size_t i = 0; i < own.len; i++) {
		unsigned char byte = (unsigned char)own.data[i];
		append(key, (struct px_span){ &PX_HEX_DIGITS[byte >> 4], 1 });
		append(key, (struct px_span){ &PX_HEX_DIGITS[byte & 15], 1 });
	}
}

static uint64_t hash_of(const struct px_home *home, enum px_bus_table table,
		const struct key *key)
{
	return px_hash(home->broker->hash_key, key->text, key->len) ^ (uint64_t)table;
}

static struct px_entry *find(const struct px_home *home, enum px_bus_table table,
		const struct key *key, uint64_t hash)
{
	struct px_table_link *link = px_table_find(&home->entries, hash);
	for (; link; link = link->next) {
		struct px_entry *entry = (struct px_entry *)link;
		if (link->hash == hash && entry->table == table && entry->key_len == key->len &&
				memcmp(entry->key, key->text, key->len) == 0) {
			return entry;
		}
	}
	return NULL;
}

/* Without memory for an entry it is not known what changed: all entries are made anew later. */
static void fail(struct px_home *home)
{
	home->is_broken = true;
	px_home_changed(home);
}

/* NULL without memory, which is noted. */
static struct px_entry *get(struct px_home *home, enum px_bus_table table, const struct key *key)
{
	uint64_t hash = hash_of(home, table, key);
	struct px_entry *entry = find(home, table, key, hash);
	if (entry) {
		return entry;
	}
	entry = calloc(1, sizeof(*entry) + key->len);
	if (entry && px_table_insert(&home->entries, &entry->link, hash) < 0) {
		free(entry);
		entry = NULL;
	}
	if (!entry) {
		fail(home);
		return NULL;
	}
	entry->table = (uint8_t)table;
	entry->key_len = (uint32_t)key->len;
	memcpy(entry->key, key->text, key->len);
	return entry;
}

static void mark(struct px_home *home, struct px_entry *entry)
{
	if (!entry->is_marked) {
		entry->is_marked = true;
		entry->next_marked = home->marked;
		home->marked = entry;
		px_home_changed(home);
	}
}

static bool is_kept(const struct px_channel *channel)
{
	return channel->practice->home && px_snapshot_ops_of(channel->service,
			px_span(channel->kind->name));
}

static void set_key(struct key *key, enum px_bus_table table, const void *item)
{
	key->len = 0;
	if (table == PX_BUS_SESSIONS) {
		add_session(key, item);
	} else if (table == PX_BUS_MEMBERS) {
		add_member(key, item);
	} else if (table == PX_BUS_VALUES) {
		add_value(key, item);
	} else {
		add_channel(key, item);
	}
}

bool px_entry_is_keyed(enum px_bus_table table, const void *item, struct px_span key)
{
	struct key own;
	set_key(&own, table, item);
	return px_span_equal((struct px_span){ own.text, own.len }, key);
}

/* NULL: it is not kept, or get() has failed. */
static struct px_entry *entry_of(const struct px_channel *channel)
{
	struct key key = { .len = 0 };
	if (!is_kept(channel)) {
		return NULL;
	}
	add_channel(&key, channel);
	return get(channel->practice->home, PX_BUS_CHANNELS, &key);
}

/* ---- changes ---- */

void px_entry_channel_changed(struct px_channel *channel)
{
	struct px_entry *entry = entry_of(channel);
	if (!entry) {
		return;
	}
	entry->item = channel;
	mark(channel->practice->home, entry);
}

void px_entry_channel_gone(struct px_channel *channel)
{
	struct px_entry *entry = entry_of(channel);
	if (!entry) {
		return;
	}
	entry->item = NULL;
	entry->is_anew = entry->is_anew || entry->seq > 0;
	entry->seq = entry->first = 0;
	mark(channel->practice->home, entry);
}

/* NULL as of entry_of(). */
static struct px_entry *entry_of_value(const struct px_value *value)
{
	struct key key = { .len = 0 };
	if (!is_kept(value->channel)) {
		return NULL;
	}
	add_value(&key, value);
	return get(value->channel->practice->home, PX_BUS_VALUES, &key);
}

void px_entry_value_changed(struct px_value *value)
{
	struct px_entry *entry = entry_of_value(value);
	if (entry) {
		entry->item = value;
		mark(value->channel->practice->home, entry);
	}
}

/* Another may have taken its place already. */
void px_entry_value_gone(struct px_value *value)
{
	struct px_entry *entry = entry_of_value(value);
	if (entry && (entry->item == value || !entry->item)) {
		entry->item = NULL;
		mark(value->channel->practice->home, entry);
	}
}

/* By 1, or by -1. */
static void count_member(struct px_home *home, struct px_session *session, int by)
{
	struct key key = { .len = 0 };
	add_session(&key, session);
	struct px_entry *entry = get(home, PX_BUS_SESSIONS, &key);
	if (!entry) {
		return;
	}
	entry->members += (uint32_t)by;
	entry->item = entry->members > 0 || entry->is_inside ? session : NULL;
	mark(home, entry);
}

static void change_member(struct px_member *member, bool is_there)
{
	struct px_home *home = member->channel->practice->home;
	struct key key = { .len = 0 };
	if (!is_kept(member->channel)) {
		return;
	}
	add_member(&key, member);
	struct px_entry *entry = get(home, PX_BUS_MEMBERS, &key);
	if (!entry) {
		return;
	}
	if (is_there != (entry->item != NULL)) {
		count_member(home, member->session, is_there ? 1 : -1);
	}
	entry->item = is_there ? member : NULL;
	mark(home, entry);
}

void px_entry_member_changed(struct px_member *member)
{
	change_member(member, true);
}

void px_entry_member_gone(struct px_member *member)
{
	change_member(member, false);
}

void px_entry_session_changed(struct px_home *home, struct px_session *session)
{
	struct key key = { .len = 0 };
	add_session(&key, session);
	struct px_entry *entry = home->is_running || home->is_claiming ?
			get(home, PX_BUS_SESSIONS, &key) : NULL;
	if (entry) {
		entry->is_inside = true;
		entry->item = session;
		mark(home, entry);
	}
}

void px_entry_session_gone(struct px_home *home, uint64_t client_id)
{
	struct key key = { .len = 0 };
	add_client(&key, client_id);
	struct px_entry *entry =
			find(home, PX_BUS_SESSIONS, &key, hash_of(home, PX_BUS_SESSIONS, &key));
	if (entry) {
		entry->is_inside = false;
		entry->members = 0;
		entry->item = NULL;
		mark(home, entry);
	}
}

bool px_entry_has_session(const struct px_home *home, uint64_t client_id)
{
	struct key key = { .len = 0 };
	add_client(&key, client_id);
	const struct px_entry *entry =
			find(home, PX_BUS_SESSIONS, &key, hash_of(home, PX_BUS_SESSIONS, &key));
	return entry && entry->is_inside;
}

/* ---- writing ---- */

/* Ends the record with its age, and the moment at which it has that. -ENOMEM. */
static int add(struct px_turn *turn, struct px_json *json, const struct px_bus_record *record,
		int64_t began_ms)
{
	const struct px_broker *broker = turn->broker;
	struct px_bus_record written = *record;
	if (record->table != PX_BUS_MEMBERS) {
		px_json_int(json, "age", broker->timers.now_ms - began_ms);
		px_json_int(json, "at", broker->wall_ms);
	}
	px_json_end(json);
	written.value = (struct px_span){ json->data, json->len };
	int rc = json->failed ? -ENOMEM : px_turn_add(turn, PX_BUS_SET, &written);
	px_json_finish(json);
	return rc;
}

static struct px_bus_record record_of(const struct px_entry *entry)
{
	return (struct px_bus_record){
		.table = (enum px_bus_table)entry->table,
		.key = { entry->key, entry->key_len },
	};
}

static int write_update(struct px_turn *turn, const struct px_entry *entry,
		const struct px_history_entry *update)
{
	struct px_bus_record record = record_of(entry);
	struct px_json json;
	record.table = PX_BUS_HISTORY;
	record.seq = update->seq;
	px_json_begin(&json, NULL);
	px_state_write_update(&json, update);
	px_json_string(&json, "text", px_message_text(update->message));
	return add(turn, &json, &record, update->at_ms);
}

static int trim(struct px_turn *turn, const struct px_entry *entry, uint64_t seq)
{
	struct px_bus_record record = record_of(entry);
	record.table = PX_BUS_HISTORY;
	record.seq = seq;
	return px_turn_add(turn, PX_BUS_TRIM, &record);
}

/* The number of the oldest update that is kept, or of the next one. */
static uint64_t first_seq(const struct px_channel *channel)
{
	const struct px_history *history = &channel->history;
	return history->count > 0 ? px_history_at(history, 0)->seq : channel->seq + 1;
}

static int write_history(struct px_turn *turn, struct px_entry *entry)
{
	const struct px_channel *channel = entry->item;
	const struct px_history *history = &channel->history;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < history->count; i++) {
		const struct px_history_entry *update = px_history_at(history, i);
		rc = update->seq > entry->seq ? write_update(turn, entry, update) : 0;
	}
	uint64_t first = first_seq(channel);
	if (rc == 0 && first > entry->first && entry->seq > 0) {
		rc = trim(turn, entry, first);
	}
	entry->seq = channel->seq;
	entry->first = first;
	return rc;
}

/* That it is connected to. */
static void write_node(struct px_json *json, const struct px_session *session)
{
	char text[17];
	uint64_t node = session->phase == PX_SESSION_GUEST ?
			((const struct px_guest *)session)->edge->node : session->broker->bus->node;
	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)node);
	px_json_text(json, "node", text);
}

static int64_t write_text(const struct px_entry *entry, const struct px_practice *practice,
		struct px_json *json)
{
	const struct px_session *session = entry->item;
	struct px_channel *channel = entry->item;
	switch ((enum px_bus_table)entry->table) {
	case PX_BUS_CHANNELS:
		px_state_write_channel(json, channel);
		return channel->opened_ms;
	case PX_BUS_VALUES: {
		const struct px_value *value = entry->item;
		px_state_write_value(json, value);
		px_json_string(json, "text", px_message_text(value->message));
		return value->at_ms;
	}
	case PX_BUS_SESSIONS:
		px_state_write_session(json, session, practice);
		px_json_bool(json, "versioned", false);
		write_node(json, session);
		return session->opened_ms;
	default:
		px_state_write_member(json, entry->item);
		return 0;
	}
}

static int write_record(struct px_home *home, struct px_turn *turn, struct px_entry *entry)
{
	struct px_bus_record record = record_of(entry);
	struct px_json json;
	px_json_begin(&json, NULL);
	int64_t began_ms = write_text(entry, home->practice, &json);
	uint64_t digest = json.failed ? 0 : px_hash(home->broker->hash_key, json.data, json.len);
	if (entry->is_kept && digest == entry->digest && !json.failed) {
		px_json_finish(&json);
		return 0;
	}
	entry->digest = digest;
	entry->is_kept = true;
	return add(turn, &json, &record, began_ms);
}

static int write_entry(struct px_home *home, struct px_turn *turn, struct px_entry *entry)
{
	int rc = entry->is_anew ? trim(turn, entry, UINT64_MAX) : 0;
	entry->is_anew = false;
	if (rc == 0 && entry->item) {
		rc = write_record(home, turn, entry);
		rc = rc == 0 && entry->table == PX_BUS_CHANNELS ? write_history(turn, entry) : rc;
	} else if (rc == 0 && entry->is_kept) {
		struct px_bus_record record = record_of(entry);
		rc = px_turn_add(turn, PX_BUS_DELETE, &record);
	}
	return rc;
}

static void forget(struct px_home *home, struct px_entry *entry)
{
	px_table_remove(&home->entries, &entry->link);
	free(entry);
}

int px_entries_write(struct px_home *home, struct px_turn *turn)
{
	int rc = 0;
	while (rc == 0 && home->marked) {
		struct px_entry *entry = home->marked;
		rc = write_entry(home, turn, entry);
		home->marked = entry->next_marked;
		entry->is_marked = false;
		if (!entry->item) {
			forget(home, entry);
		}
	}
	return rc;
}

/* ---- all of them ---- */

static void visit(struct px_home *home, void (*each)(struct px_home *home, struct px_entry *entry))
{
	px_table_settle(&home->entries);
	for (size_t i = 0; i < home->entries.slot_count; i++) {
		struct px_table_link *next;
		for (struct px_table_link *at = home->entries.slots[i]; at; at = next) {
			next = at->next;
			each(home, (struct px_entry *)at);
		}
	}
}

static void set_kept(struct px_home *home, struct px_entry *entry)
{
	const struct px_channel *channel = entry->item;
	(void)home;
	entry->is_marked = false;
	entry->is_kept = true;
	if (entry->table == PX_BUS_CHANNELS && channel) {
		entry->seq = channel->seq;
		entry->first = first_seq(channel);
	}
}

void px_entries_adopt(struct px_home *home)
{
	visit(home, set_kept);
	home->marked = NULL;
}

static void set_lost(struct px_home *home, struct px_entry *entry)
{
	entry->is_kept = entry->is_anew = false;
	entry->seq = entry->first = 0;
	mark(home, entry);
}

void px_entries_reset(struct px_home *home)
{
	visit(home, set_lost);
}

static void remake(struct px_channel *channel)
{
	px_entry_channel_changed(channel);
	for (uint32_t i = 0; i < channel->member_count; i++) {
		px_entry_member_changed(channel->members[i]);
	}
	struct px_value *value = channel->values ? channel->values->oldest : NULL;
	for (; value; value = value->newer) {
		px_entry_value_changed(value);
	}
}

/* In the order of their names, so that the same state makes the same turn. */
void px_entries_remake(struct px_home *home)
{
	size_t count;
	struct px_channel **list = px_state_channels(home->broker, &count);
	px_entries_finish(home);
	px_table_settle(&home->guests);
	home->is_broken = !list && home->broker->channels.count > 0;
	home->is_lost = true; /* the journal may have records that nothing is known of */
	for (size_t i = 0; list && i < count; i++) {
		if (list[i]->practice == home->practice) {
			remake(list[i]);
		}
	}
	free(list);
	for (size_t i = 0; i < home->guests.slot_count; i++) {
		struct px_table_link *link = home->guests.slots[i];
		for (; link; link = link->next) {
			px_entry_session_changed(home, (struct px_session *)link);
		}
	}
	px_home_visit(home, px_entry_session_changed);
}

void px_entries_finish(struct px_home *home)
{
	visit(home, forget);
	px_table_finish(&home->entries);
	home->marked = NULL;
}
