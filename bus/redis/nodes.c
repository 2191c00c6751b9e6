/* SPDX-License-Identifier: MIT */
/*
 * Who lives. Each node counts in a hash, once a second, and gets the whole hash in return. A node
 * whose count did not change for node_timeout_ms is buried, by whoever is first. Only the time
 * between two answers on one connection counts, and no more of it than a beat and a half: who was
 * itself cut off, or stood still, or had a Redis that did, has seen nothing.
 *
 * The hash has a random epoch from when it was made. A node that is missing in the hash of the
 * same epoch was buried. In another one Redis has lost the hash: all who live put themselves back.
 *
 * Each beat is published, too, and must come back: a connection that gets no publications looks
 * well otherwise.
 */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#define BEAT_MS 1000
#define STALL_MS 3000
/* The loop itself stood still. */
#define GAP_MS 1000

static struct px_redis_node *find(const struct px_bus_link *link, uint64_t id)
{
	for (size_t i = 0; i < link->node_count; i++) {
		if (link->nodes[i].id == id) {
			return &link->nodes[i];
		}
	}
	return NULL;
}

/* In a full table, a dead one makes room. NULL: none is dead, or there is no memory. */
static struct px_redis_node *place_for(struct px_bus_link *link)
{
	if (!link->nodes) {
		link->nodes = calloc(PX_REDIS_NODES_MAX, sizeof(*link->nodes));
	}
	if (link->nodes && link->node_count < PX_REDIS_NODES_MAX) {
		return &link->nodes[link->node_count++];
	}
	for (size_t i = 0; i < link->node_count; i++) {
		if (link->nodes[i].is_dead && !link->nodes[i].is_listed) {
			return &link->nodes[i];
		}
	}
	return NULL;
}

static struct px_redis_node *get(struct px_bus_link *link, uint64_t id)
{
	struct px_redis_node *node = find(link, id);
	if (!node) {
		node = place_for(link);
		if (node) {
			*node = (struct px_redis_node){ .id = id };
		}
	}
	return node;
}

static void declare_dead(struct px_bus_link *link, struct px_redis_node *node)
{
	if (node && !node->is_dead) {
		node->is_dead = true;
		link->stats.buried++;
		px_broker_bus_dead(link->owner.broker, node->id);
	}
}

bool px_nodes_is_dead(struct px_bus_link *link, uint64_t id)
{
	struct px_redis_node *node = find(link, id);
	if (id == link->node) {
		return false;
	}
	if (!node) {
		(void)get(link, id); /* the next answer decides */
		link->is_asked = true;
	}
	return node && node->is_dead;
}

/* ---- beats ---- */

void px_nodes_beat(struct px_bus_link *link)
{
	struct px_name *key = &link->names[0], *channel = &link->names[1];
	struct px_resp_out *out = &link->out;
	char text[PX_REDIS_NODE_LEN + 1];
	uint64_t epoch;
	link->owner.random(link->owner.user, &epoch, sizeof(epoch));
	px_name_common(key, link->setup.prefix, "nodes");
	px_name_common(channel, link->setup.prefix, "ctl");
	px_link_call(link, PX_SCRIPT_BEAT, key, 5);
	px_node_text(link->node, text);
	px_resp_put(out, (struct px_span){ text, PX_REDIS_NODE_LEN });
	px_resp_put_number(out, ++link->beats);
	px_resp_put(out, (struct px_span){ link->epoch, strlen(link->epoch) });
	px_node_text(epoch, text);
	px_resp_put(out, (struct px_span){ text, PX_REDIS_NODE_LEN });
	px_resp_put(out, px_name_text(channel));
	px_link_expect(link, PX_EXPECT_BEAT, 0);
	link->is_asked = false;
	link->is_beating = true;
	link->beat_ms = px_link_now_ms(link);
	if (link->waits_ms == 0) {
		link->waits_ms = link->beat_ms;
	}
}

void px_nodes_begin(struct px_bus_link *link)
{
	for (size_t i = 0; i < link->node_count; i++) {
		link->nodes[i].silent_ms = 0;
	}
	link->answer_ms = link->waits_ms = 0;
	px_nodes_beat(link);
}

static void is_complete(struct px_bus_link *link)
{
	if (!link->is_beating && link->echo == link->beats) {
		link->waits_ms = 0;
	}
}

void px_nodes_tick(struct px_bus_link *link, int64_t now_ms)
{
	bool stood_still = now_ms - link->tick_ms > GAP_MS;
	link->tick_ms = now_ms;
	if (link->is_deposed || link->has_left) {
		return;
	}
	if (stood_still && link->waits_ms > 0) {
		link->waits_ms = now_ms;
	}
	if (link->waits_ms > 0 && now_ms - link->waits_ms >= STALL_MS) {
		px_link_fail(link, "%s", link->is_beating ? "Redis does not answer" :
				"what Redis publishes does not arrive");
	} else if (!link->is_beating && now_ms - link->beat_ms >= BEAT_MS) {
		px_nodes_beat(link);
		px_link_flush(link);
	}
}

static void bury(struct px_bus_link *link, uint64_t id, uint64_t beats)
{
	struct px_name *key = &link->names[0], *channel = &link->names[1];
	char text[PX_REDIS_NODE_LEN + 1];
	px_name_common(key, link->setup.prefix, "nodes");
	px_name_common(channel, link->setup.prefix, "ctl");
	px_link_call(link, PX_SCRIPT_BURY, key, 3);
	px_node_text(id, text);
	px_resp_put(&link->out, (struct px_span){ text, PX_REDIS_NODE_LEN });
	px_resp_put_number(&link->out, beats);
	px_resp_put(&link->out, px_name_text(channel));
	px_link_expect(link, PX_EXPECT_BURY, id);
}

/* ---- what an answer has ---- */

static void read_node(struct px_bus_link *link, struct px_span name, struct px_span value,
		int64_t passed_ms)
{
	uint64_t id, beats;
	if (!px_node_read(name, &id) || !px_resp_digits(value, &beats) || id == link->node) {
		return; /* the hash's own fields, and this node */
	}
	struct px_redis_node *node = get(link, id);
	if (!node) {
		link->stats.bad++;
		return;
	}
	node->silent_ms = node->beats == beats ? node->silent_ms + passed_ms : 0;
	node->beats = beats;
	node->is_listed = true;
	if (node->is_dead || node->silent_ms >= link->setup.node_timeout_ms) {
		bury(link, id, beats);
	}
}

/* Those that are not in the hash. `is_settled`: all who live have had the time to be there. */
static void judge_missing(struct px_bus_link *link, int64_t passed_ms, bool is_settled)
{
	link->stats.nodes = 1;
	for (size_t i = 0; i < link->node_count; i++) {
		struct px_redis_node *node = &link->nodes[i];
		bool was_listed = node->was_listed;
		node->was_listed = node->is_listed;
		if (node->is_listed) {
			link->stats.nodes += !node->is_dead;
			continue;
		}
		node->silent_ms += passed_ms;
		if (was_listed || is_settled || node->silent_ms >= link->setup.node_timeout_ms) {
			declare_dead(link, node);
		}
	}
}

static void enter_epoch(struct px_bus_link *link, struct px_span epoch)
{
	if (epoch.len == strlen(link->epoch) && memcmp(epoch.data, link->epoch, epoch.len) == 0) {
		return;
	}
	memcpy(link->epoch, epoch.data, epoch.len);
	link->epoch[epoch.len] = '\0';
	for (size_t i = 0; i < link->node_count; i++) {
		link->nodes[i].was_listed = false;
		link->nodes[i].silent_ms = 0;
	}
}

static void be_deposed(struct px_bus_link *link)
{
	if (!link->is_deposed) {
		link->is_deposed = true;
		px_link_log(link, PX_LOG_ERROR, "bus: this node was declared dead by others: its sessions "
				"are closed, and it begins anew");
		px_broker_bus_deposed(link->owner.broker);
		link->owner.deposed(link->owner.user);
	}
}

static int64_t passed_since_answer(struct px_bus_link *link)
{
	int64_t now_ms = px_link_now_ms(link);
	int64_t passed_ms = link->answer_ms > 0 ? now_ms - link->answer_ms : 0;
	link->answer_ms = now_ms > 0 ? now_ms : 1;
	return passed_ms < BEAT_MS + BEAT_MS / 2 ? passed_ms : BEAT_MS + BEAT_MS / 2;
}

void px_nodes_beaten(struct px_bus_link *link, struct px_resp resp)
{
	uint64_t code = 0, age_ms = 0;
	struct px_resp_value head = px_resp_next(&resp);
	bool is_read = head.type == PX_RESP_ARRAY && px_resp_number(&resp, &code);
	link->is_beating = false;
	is_complete(link);
	if (is_read && code == 1) {
		if (link->state == PX_LINK_GREETING) {
			px_link_is_up(link);
		}
		be_deposed(link);
		return;
	}
	struct px_span epoch = px_resp_text(&resp);
	is_read = is_read && epoch.len <= PX_REDIS_NODE_LEN && px_resp_number(&resp, &age_ms);
	struct px_resp_value list = px_resp_next(&resp);
	if (!is_read || list.type != PX_RESP_ARRAY) {
		link->stats.bad++;
		px_link_fail(link, "the hash of nodes makes no sense");
		return;
	}
	if (link->state == PX_LINK_GREETING) {
		px_link_is_up(link);
	}
	int64_t passed_ms = passed_since_answer(link);
	enter_epoch(link, epoch);
	for (size_t i = 0; i < link->node_count; i++) {
		link->nodes[i].is_listed = false;
	}
	for (uint64_t i = 0; i + 1 < list.count; i += 2) {
		struct px_span name = px_resp_text(&resp);
		read_node(link, name, px_resp_text(&resp), passed_ms);
	}
	judge_missing(link, passed_ms, age_ms >= (uint64_t)link->setup.node_timeout_ms);
}

/* ---- the dead ---- */

void px_nodes_buried(struct px_bus_link *link, uint64_t id, struct px_resp resp)
{
	uint64_t is_winner;
	if (id == link->node || !px_resp_number(&resp, &is_winner) || is_winner != 1) {
		return;
	}
	px_link_log(link, PX_LOG_WARNING, "bus: a node gives no sign of life and is declared dead");
	declare_dead(link, get(link, id));
	for (unsigned i = 0; i < PX_REDIS_PARTITIONS; i++) {
		px_name_homes(&link->names[0], link->setup.prefix, i, id);
		px_resp_command(&link->out, 2);
		px_resp_put(&link->out, (struct px_span){ "SMEMBERS", 8 });
		px_resp_put(&link->out, px_name_text(&link->names[0]));
		px_link_expect(link, PX_EXPECT_HOMES, id);
	}
}

void px_nodes_orphans(struct px_bus_link *link, uint64_t id, struct px_resp resp)
{
	struct px_resp_value list = px_resp_next(&resp);
	for (uint64_t i = 0; i < list.count; i++) {
		struct px_span text = px_resp_text(&resp);
		struct px_bus_place place;
		char *member = malloc(text.len + 1);
		if (member) {
			memcpy(member, text.data, text.len);
		}
		if (member && px_name_place(member, text.len, &place)) {
			px_broker_bus_orphan(link->owner.broker, &place, id);
		} else {
			link->stats.bad++;
		}
		free(member);
	}
}

/* "beat <node> <count>", "dead <node>" */
void px_nodes_heard(struct px_bus_link *link, struct px_span text)
{
	const size_t word = 5;
	uint64_t id, beats;
	struct px_span name = { text.data + word, PX_REDIS_NODE_LEN };
	if (text.len < word + PX_REDIS_NODE_LEN || !px_node_read(name, &id)) {
		link->stats.bad++;
		return;
	}
	struct px_span rest = { name.data + name.len, text.len - word - name.len };
	if (memcmp(text.data, "beat ", word) == 0) {
		if (id == link->node && rest.len > 1 && px_resp_digits((struct px_span){ rest.data + 1,
				rest.len - 1 }, &beats) && beats <= link->beats) {
			link->echo = beats;
			is_complete(link);
		}
	} else if (memcmp(text.data, "dead ", word) == 0 && id == link->node) {
		link->is_asked = !link->has_left;
	} else if (memcmp(text.data, "dead ", word) == 0) {
		declare_dead(link, get(link, id));
	}
}

void px_nodes_leave(struct px_bus_link *link)
{
	if (link->state == PX_LINK_UP && !link->is_deposed) {
		bury(link, link->node, link->beats);
	}
	link->has_left = true;
	px_link_flush(link);
}
