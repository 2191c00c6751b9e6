/* SPDX-License-Identifier: MIT */
/*
 * At a practice's home: sessions that are connected to other nodes. A guest is a session without a
 * connection, that holds this practice alone. What its node says for it runs in order, each number
 * once. What is sent to it goes with the turn, in one frame for each node, where a message to many
 * guests of that node stands once.
 *
 * What other nodes say is checked like what clients say: a node can only speak for its own guests.
 */
#include "bus_internal.h"

#include "channel/channel.h"
#include "core/identity.h"
#include "core/message.h"
#include "session/dispatch.h"
#include "session/session.h"
#include "snapshot/record.h"

#include <errno.h>
#include <json-c/json.h>
#include <praxis/hex.h>
#include <praxis/host/session.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- guests and their nodes ---- */

struct px_edge *px_edge_get(struct px_home *home, uint64_t node)
{
	struct px_edge *edge = home->edges;
	while (edge && edge->node != node) {
		edge = edge->next;
	}
	if (!edge) {
		edge = calloc(1, sizeof(*edge));
		if (edge) {
			edge->node = node;
			edge->next = home->edges;
			home->edges = edge;
		}
	}
	return edge;
}

struct px_guest *px_guest_find(const struct px_home *home, uint64_t client_id)
{
	struct px_table_link *link = px_table_find(&home->guests, client_id);
	while (link && link->hash != client_id) {
		link = link->next;
	}
	return (struct px_guest *)link;
}

int px_guest_create(struct px_home *home, struct px_edge *edge,
		const struct px_session_params *params, uint64_t client_id,
		struct px_guest **ret_guest)
{
	struct px_guest *guest = calloc(1, sizeof(*guest));
	if (!guest || px_table_insert(&home->guests, &guest->session.link, client_id) < 0) {
		free(guest);
		return -ENOMEM;
	}
	guest->home = home;
	guest->edge = edge;
	edge->guests++;
	home->broker->bus->stats.guests++;
	px_session_begin_guest(&guest->session, home->broker, params, client_id);
	*ret_guest = guest;
	return 0;
}

void px_guest_end(struct px_guest *guest, enum px_leave_reason reason)
{
	struct px_home *home = guest->home;
	struct px_practice *at = px_turn_begin(home->broker, home->practice);
	px_session_end_guest(&guest->session, reason);
	px_turn_end(home->broker, at);
	px_entry_session_gone(home, px_session_own_id(&guest->session));
	px_table_remove(&home->guests, &guest->session.link);
	guest->edge->guests--;
	home->broker->bus->stats.guests--;
	free(guest);
	px_home_changed(home);
}

/* The first by client id, wherever memory has put it. */
static struct px_guest *first_of(const struct px_home *home, bool dead_only)
{
	struct px_guest *first = NULL;
	for (size_t i = 0; i < home->guests.slot_count; i++) {
		struct px_table_link *link = home->guests.slots[i];
		for (; link; link = link->next) {
			struct px_guest *guest = (struct px_guest *)link;
			if ((!dead_only || guest->edge->is_dead) &&
					(!first || link->hash < first->session.link.hash)) {
				first = guest;
			}
		}
	}
	return first;
}

void px_guests_bury(struct px_home *home)
{
	struct px_guest *guest;
	px_table_settle(&home->guests);
	for (struct px_edge *edge = home->edges; edge; edge = edge->next) {
		/* 0: of sessions that were of this node, and have ended */
		edge->is_dead = edge->node == 0 || px_bus_is_dead(home->broker->bus, edge->node);
	}
	while ((guest = first_of(home, true))) {
		px_guest_end(guest, PX_DISCONNECTED);
	}
	px_home_changed(home);
}

void px_guests_finish(struct px_home *home)
{
	struct px_guest *guest;
	px_table_settle(&home->guests);
	while ((guest = first_of(home, false))) {
		px_guest_end(guest, PX_DISCONNECTED);
	}
	px_table_finish(&home->guests);
	while (home->edges) {
		struct px_edge *edge = home->edges;
		home->edges = edge->next;
		px_parts_finish(&edge->parts);
		free(edge);
	}
}

/* ---- what their nodes say ---- */

struct arrival {
	struct px_state_load load; /* first: readers get it */
	struct px_home *home;
	struct px_edge *edge;
	struct px_guest *guest; /* that is there already; NULL: none */
	uint64_t client_id;
	struct px_identity *identity; /* its new one */
};

/* Of the record only the identity is taken if the guest is there: its services are its own. */
static int restore(struct px_state_load *load, const struct px_session_params *params,
		uint64_t client_id, struct px_session **ret_session)
{
	struct arrival *arrival = (struct arrival *)load;
	const struct px_identity *identity = params->identity;
	if (client_id != arrival->client_id || params->realm == &load->broker->nowhere ||
			identity->practice_count != 1 ||
			identity->practices[0].practice != arrival->home->practice) {
		return -EINVAL;
	}
	if (arrival->guest) {
		arrival->identity = params->identity;
		*ret_session = &arrival->guest->session;
		return 0;
	}
	int rc = px_guest_create(arrival->home, arrival->edge, params, client_id, &arrival->guest);
	if (rc == 0) {
		*ret_session = &arrival->guest->session;
	}
	return rc;
}

static struct px_realm *find_realm(void *user, struct px_span name)
{
	const struct px_bus *bus = user;
	return bus->realm ? bus->realm(bus->user, name) : NULL;
}

static int read_record(struct arrival *arrival, struct px_span text)
{
	struct px_broker *broker = arrival->home->broker;
	struct px_state_counts counts = { 0 };
	struct px_state_reader reader = { .user = &broker->bus->bus, .realm = find_realm };
	arrival->load = (struct px_state_load){ .broker = broker, .reader = &reader,
		.counts = &counts, .restore = restore,
		.tokener = json_tokener_new_ex(PX_STATE_DEPTH) };
	if (!arrival->load.tokener) {
		return -ENOMEM;
	}
	int rc = px_state_read_text(&arrival->load, text, px_state_read_session);
	json_tokener_free(arrival->load.tokener);
	px_state_load_finish(&arrival->load);
	return rc == 0 && !arrival->load.session ? -EINVAL : rc;
}

/* It has another identity, or services that it had not (`opened`); a new role opens them anew. */
static void change(struct px_session *session, struct px_identity *identity, uint32_t opened)
{
	uint32_t added = session->identity->role == identity->role ? session->opened & ~opened : 0;
	px_session_become(session, identity, false);
	px_session_enter_services(session, added);
}

/* -ENOMEM: it has not arrived. */
static int arrive(struct px_home *home, struct px_edge *edge, const struct px_said *said)
{
	struct px_guest *before = px_guest_find(home, said->client_id);
	uint32_t opened = before ? before->session.opened : 0;
	struct arrival arrival = { .home = home, .edge = edge, .guest = before,
		.client_id = said->client_id };
	int rc = before && before->edge != edge ? -EINVAL : read_record(&arrival, said->text);
	if (rc == 0 && before) {
		change(&before->session, arrival.identity, opened);
	} else if (rc == 0) {
		px_entry_session_changed(home, &arrival.guest->session);
		px_session_enter(&arrival.guest->session, home->practice);
	} else if (arrival.guest && !before) {
		px_guest_end(arrival.guest, PX_DISCONNECTED);
	} else {
		px_identity_destroy(home->broker, arrival.identity);
	}
	if (rc < 0 && rc != -ENOMEM) {
		home->broker->bus->stats.bad++;
		rc = px_turn_close_client(home, edge->node, said->client_id, PX_CLOSE_TRY_LATER) ?
				0 : -ENOMEM;
	}
	return rc;
}

static enum px_leave_reason reason_of(const struct px_said *said)
{
	return said->reason == PX_REMOVED ? PX_REMOVED : PX_DISCONNECTED;
}

static int apply(struct px_home *home, struct px_edge *edge, const struct px_said *said)
{
	struct px_guest *guest = px_guest_find(home, said->client_id);
	bool is_its = guest && guest->edge == edge;
	int rc = 0;
	if (said->kind == PX_SAID_ENTER) {
		rc = arrive(home, edge, said);
	} else if (said->kind == PX_SAID_LEAVE && is_its) {
		px_guest_end(guest, reason_of(said));
	} else if (said->kind == PX_SAID_CALL && is_its) {
		px_session_run(&guest->session, said->text);
	}
	edge->applied = rc == 0 ? said->number : edge->applied;
	return rc;
}

static void ask_again(struct px_home *home, struct px_edge *edge)
{
	edge->is_missed = false;
	(void)px_bus_tell(home, edge->node, &(struct px_frame){
		.kind = PX_FRAME_AGAIN,
		.number = edge->applied,
	}, (struct px_span){ NULL, 0 });
}

void px_guests_ask_again(struct px_home *home)
{
	for (struct px_edge *edge = home->edges; edge; edge = edge->next) {
		if (edge->is_missed) {
			ask_again(home, edge);
		}
	}
}

/* All that comes in order; what comes again is passed over. */
static void apply_all(struct px_home *home, struct px_edge *edge, uint64_t confirmed,
		struct px_span body)
{
	struct px_said said;
	int rc;
	struct px_practice *at = px_turn_begin(home->broker, home->practice);
	while ((rc = px_said_read(&body, &said)) == 1) {
		uint64_t known = confirmed > edge->applied ? confirmed : edge->applied;
		if (said.number <= edge->applied) {
			continue;
		}
		if (said.prev > known) {
			ask_again(home, edge);
			break;
		}
		if (apply(home, edge, &said) < 0) {
			break; /* it comes again */
		}
	}
	px_turn_end(home->broker, at);
	home->broker->bus->stats.bad += rc < 0;
	px_home_changed(home);
}

void px_guest_said(struct px_home *home, const struct px_frame *frame)
{
	struct px_edge *edge = px_bus_is_dead(home->broker->bus, frame->from) ? NULL :
			px_edge_get(home, frame->from);
	if (!edge) {
		return;
	}
	if (frame->gen != home->gen) {
		/* It may be of a later one: then the journal says so. */
		home->must_check = home->must_check || frame->gen > home->gen;
		edge->is_asking = true;
		px_home_changed(home);
		return;
	}
	edge->is_asking = edge->is_asking || frame->is_asking;
	edge->is_missed = !px_home_can_run(home);
	px_home_changed(home);
	if (edge->is_missed || frame->body.len == 0) {
		return;
	}
	int rc = px_parts_add(&edge->parts, frame->rev, frame);
	if (rc == 1) {
		apply_all(home, edge, frame->number, (struct px_span){ edge->parts.bytes.data,
			edge->parts.bytes.len });
	} else if (rc < 0) {
		ask_again(home, edge);
	}
	if (rc != 0) {
		px_parts_finish(&edge->parts);
	}
}

/* ---- what goes to their nodes ---- */

static bool has_output(const struct px_turn *turn, uint64_t node)
{
	for (size_t i = 0; i < turn->output_count; i++) {
		if (turn->outputs[i].node == node) {
			return true;
		}
	}
	return false;
}

static bool is_told(const struct px_home *home, const struct px_turn *turn,
		const struct px_edge *edge, uint64_t rev)
{
	return !edge->is_dead && (edge->is_asking || edge->applied != edge->told ||
			has_output(turn, edge->node) || (edge->guests > 0 &&
			(home->is_whole || rev - edge->rev >= PX_BUS_QUIET_REVS)));
}

bool px_guests_have_news(const struct px_home *home, const struct px_turn *turn)
{
	for (const struct px_edge *edge = home->edges; edge; edge = edge->next) {
		if ((edge->is_dead && edge->written > 0) || (!edge->is_dead &&
				(edge->is_asking || edge->applied != edge->told)) ||
				has_output(turn, edge->node)) {
			return true;
		}
	}
	return false;
}

static struct px_span name_of(const struct px_broker *broker, unsigned index)
{
	return index < broker->service_count ? px_span(broker->services[index].service->name) :
			(struct px_span){ "", 0 };
}

static struct px_given given_of(const struct px_turn *turn, const struct px_output *output)
{
	const struct px_broker *broker = turn->broker;
	const struct px_message *message = output->message;
	struct px_given given = {
		.kind = message ? PX_GIVEN_MESSAGE : PX_GIVEN_CLOSE,
		.code = message ? output->refusal : output->code,
		.is_publication = output->is_publication,
		.is_concerned = output->is_concerned,
		.concern = output->concern ? px_span(output->concern->name) :
				(struct px_span){ "", 0 },
	};
	if (message) {
		const char *type = broker->traffic.counts[message->traffic].type;
		given.is_of_practice = message->practice_number == turn->practice->number;
		given.service = name_of(broker, message->service);
		given.type = type ? px_span(type) : (struct px_span){ "", 0 };
		given.key = px_message_key(message);
		given.text = px_message_text(message);
		if (message->room) {
			given.room = (struct px_span){ message->room->text, message->room->len };
		}
	}
	return given;
}

static bool is_same(const struct px_output *one, const struct px_output *other)
{
	return one->message && one->message == other->message;
}

/* Outputs of one message that follow each other, as far as they are for that node. */
static size_t write_run(struct px_bytes *body, const struct px_turn *turn, uint64_t node,
		size_t first)
{
	const struct px_output *outputs = turn->outputs;
	size_t end = first + 1;
	size_t count = 1;
	while (end < turn->output_count && is_same(&outputs[first], &outputs[end])) {
		count += outputs[end++].node == node;
	}
	struct px_given given = given_of(turn, &outputs[first]);
	px_given_write(body, &given, count);
	for (size_t i = first; i < end; i++) {
		if (outputs[i].node == node) {
			px_given_add_client(body, outputs[i].client_id);
		}
	}
	return end;
}

static void write_body(struct px_bytes *body, const struct px_turn *turn, uint64_t node)
{
	size_t at = 0;
	while (at < turn->output_count) {
		at = turn->outputs[at].node == node ? write_run(body, turn, node, at) : at + 1;
	}
}

/* Cuts the body into frames. */
static int write_frames(struct px_home *home, struct px_turn *turn, const struct px_edge *edge,
		uint64_t rev, struct px_span body)
{
	uint16_t part = 0;
	do {
		size_t len = body.len < PX_FRAME_PART_BYTES ? body.len : PX_FRAME_PART_BYTES;
		struct px_turn_frame *frame = px_turn_add_frame(turn, edge->node);
		if (!frame) {
			return -ENOMEM;
		}
		px_frame_write(&frame->bytes, &(struct px_frame){
			.kind = PX_FRAME_TURN,
			.place = px_home_place(home),
			.from = home->broker->bus->node,
			.gen = home->gen,
			.rev = rev,
			.prev = edge->rev,
			.base = home->base,
			.number = edge->applied,
			.part = part++,
			.is_last = len == body.len,
			.body = { body.data, len },
		});
		if (frame->bytes.has_failed) {
			return -ENOMEM;
		}
		body.data = body.len > len ? body.data + len : body.data;
		body.len -= len;
	} while (body.len > 0);
	return 0;
}

static int tell(struct px_home *home, struct px_turn *turn, const struct px_edge *edge,
		uint64_t rev)
{
	struct px_bytes body = { .data = NULL };
	write_body(&body, turn, edge->node);
	int rc = body.has_failed ? -ENOMEM : write_frames(home, turn, edge, rev,
			(struct px_span){ body.data, body.len });
	px_bytes_finish(&body);
	return rc;
}

/* ---- what they said, in the journal ---- */

static int write_number(struct px_turn *turn, uint64_t node, uint64_t number)
{
	char key[17];
	char value[64];
	(void)snprintf(key, sizeof(key), "%016llx", (unsigned long long)node);
	int len = snprintf(value, sizeof(value), "{\"edge\":\"%s\",\"said\":%llu}", key,
			(unsigned long long)number);
	return px_turn_add(turn, number > 0 ? PX_BUS_SET : PX_BUS_DELETE, &(struct px_bus_record){
		.table = PX_BUS_EDGES,
		.key = { key, 16 },
		.value = { value, number > 0 ? (size_t)len : 0 },
	});
}

/* The last turn leaves nothing; a node that is dead has nothing more to say. */
static uint64_t number_to_write(const struct px_home *home, const struct px_edge *edge)
{
	return home->is_leaving || edge->is_dead ? 0 : edge->applied;
}

int px_guests_write(struct px_home *home, struct px_turn *turn, uint64_t rev)
{
	uint64_t own = home->is_leaving ? 0 : home->applied;
	int rc = own != home->written ? write_number(turn, home->broker->bus->node, own) : 0;
	for (const struct px_edge *edge = home->edges; rc == 0 && edge; edge = edge->next) {
		uint64_t number = number_to_write(home, edge);
		rc = number != edge->written ? write_number(turn, edge->node, number) : 0;
		if (rc == 0 && is_told(home, turn, edge, rev)) {
			rc = tell(home, turn, edge, rev);
		}
	}
	turn->own = home->applied;
	return rc;
}

void px_guests_asked(struct px_home *home, const struct px_turn *turn)
{
	struct px_edge **at = &home->edges;
	home->written = home->is_leaving ? 0 : home->applied;
	while (*at) {
		struct px_edge *edge = *at;
		edge->written = number_to_write(home, edge);
		if (is_told(home, turn, edge, home->rev)) {
			edge->told = edge->applied;
			edge->rev = home->rev;
			edge->is_asking = false;
		}
		if (edge->is_dead && edge->guests == 0) {
			*at = edge->next;
			px_parts_finish(&edge->parts);
			free(edge);
		} else {
			at = &edge->next;
		}
	}
}
