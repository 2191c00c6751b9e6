/* SPDX-License-Identifier: MIT */
/*
 * At a node that is not a practice's home: what its sessions said is sent there, and what comes
 * back goes to their queues.
 *
 * A frame may be lost on each way. What was said is sent again until a turn says that the journal
 * has it. A turn names the one before it that had something for this node; where the two do not
 * meet, the journal is asked for what is between. Only if that is no longer kept do sessions end,
 * to begin anew.
 */
#include "bus_internal.h"

#include "core/host.h"
#include "core/identity.h"
#include "core/message.h"
#include "session/session.h"
#include "snapshot/record.h"

#include <errno.h>
#include <praxis/host/registry.h>
#include <praxis/host/session.h>
#include <praxis/operate.h>
#include <praxis/json.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes in several frames ---- */

void px_parts_finish(struct px_parts *parts)
{
	px_bytes_finish(&parts->bytes);
	*parts = (struct px_parts){ .number = 0 };
}

int px_parts_add(struct px_parts *parts, uint64_t number, const struct px_frame *frame)
{
	if (frame->part == 0 && parts->next == 0) {
		parts->number = number;
	}
	if (frame->part != parts->next || parts->number != number ||
			parts->bytes.len + frame->body.len > PX_FRAME_BODY_MAX) {
		return -EINVAL;
	}
	px_bytes_add(&parts->bytes, frame->body.data, frame->body.len);
	parts->next++;
	if (parts->bytes.has_failed) {
		return -ENOMEM;
	}
	return frame->is_last;
}

bool px_bus_tell(struct px_home *home, uint64_t node, struct px_frame *frame, struct px_span body)
{
	const struct px_bus_state *bus = home->broker->bus;
	struct px_bytes bytes = { .data = NULL };
	frame->place = px_home_place(home);
	frame->from = bus->node;
	frame->gen = home->gen;
	do {
		size_t len = body.len < PX_FRAME_PART_BYTES ? body.len : PX_FRAME_PART_BYTES;
		frame->is_last = len == body.len;
		frame->body = (struct px_span){ body.data, len };
		bytes.len = 0;
		px_frame_write(&bytes, frame);
		if (!bytes.has_failed) {
			bus->bus.tell(bus->bus.user, node, (struct px_span){ bytes.data, bytes.len });
		}
		frame->part++;
		body.data = body.len > len ? body.data + len : body.data;
		body.len -= len;
	} while (body.len > 0 && !bytes.has_failed);
	bool is_told = !bytes.has_failed;
	px_bytes_finish(&bytes);
	return is_told;
}

/* ---- to the home ---- */

/* The session as it is now; what it was is of no use to anybody. */
static bool write_record(const struct px_home *home, const struct px_session *session,
		struct px_json *json)
{
	px_json_begin(json, NULL);
	px_state_write_session(json, session, home->practice);
	px_json_bool(json, "versioned", false);
	px_json_int(json, "age", home->broker->timers.now_ms - session->opened_ms);
	px_json_end(json);
	return !json->failed;
}

static void write_entering(struct px_bytes *body, const struct px_home *home,
		struct px_said *said)
{
	const struct px_session *session = px_home_visitor(home, said->client_id);
	struct px_json json;
	if (!session) {
		said->kind = PX_SAID_NOTHING;
		px_said_write(body, said);
		return;
	}
	if (write_record(home, session, &json)) {
		said->text = (struct px_span){ json.data, json.len };
		px_said_write(body, said);
	} else {
		body->has_failed = true;
	}
	px_json_finish(&json);
}

static void write_item(struct px_bytes *body, const struct px_home *home,
		const struct px_item *item)
{
	struct px_said said = {
		.kind = (enum px_said_kind)item->kind,
		.prev = item->prev,
		.number = item->number,
		.client_id = item->client_id,
		.reason = item->reason,
		.text = { item->text, item->len },
	};
	if (said.kind == PX_SAID_ENTER) {
		write_entering(body, home, &said);
	} else {
		px_said_write(body, &said);
	}
}

static bool can_send(const struct px_home *home)
{
	const struct px_bus_state *bus = home->broker->bus;
	return bus->is_up && home->owner != 0 && home->owner != bus->node && !home->is_running &&
			!home->is_claiming && !px_bus_is_dead(bus, home->owner);
}

/* Nothing is lost without memory: it is sent later. */
void px_edge_send(struct px_home *home)
{
	struct px_bytes body = { .data = NULL };
	if (!can_send(home) || (!home->next_item && !home->is_unsure)) {
		return;
	}
	for (const struct px_item *item = home->next_item; item; item = item->next) {
		write_item(&body, home, item);
	}
	struct px_frame frame = {
		.kind = PX_FRAME_SAID,
		.rev = home->next_item ? home->next_item->number : 0,
		.number = home->items ? home->items->prev : home->last_number,
		.is_asking = home->is_unsure,
	};
	if (!body.has_failed && px_bus_tell(home, home->owner, &frame,
			(struct px_span){ body.data, body.len })) {
		px_stream_sent(home);
		home->is_fresh = false; /* something may be on its way from now on */
	}
	px_bytes_finish(&body);
	px_bus_retry(home->broker->bus);
}

void px_edge_again(struct px_home *home, const struct px_frame *frame)
{
	if (home->is_running || frame->from != home->owner || frame->gen != home->gen) {
		return;
	}
	struct px_item *item = home->items;
	while (item && item->number <= frame->number) {
		item = item->next;
	}
	home->next_item = item;
	home->suspect_ms = 0;
	px_home_changed(home);
}

void px_edge_not_home(struct px_home *home, const struct px_frame *frame)
{
	if (home->is_running || home->is_claiming || frame->from != home->owner) {
		return;
	}
	px_stream_rewind(home);
	if (px_bus_is_calm(home->broker->bus)) {
		home->owner = 0;
		home->is_resting = true;
		px_bus_retry(home->broker->bus);
	} else if (home->items || home->visits.count > 0) {
		home->is_hinted = true; /* it does not run it, whatever the journal says */
		px_home_seek(home);
	}
}

/* One may be a moment without connection. Two are a hint; the fence makes it safe to follow it. */
void px_edge_unheard(struct px_home *home)
{
	int64_t now_ms = home->broker->timers.now_ms;
	px_stream_rewind(home);
	if (px_bus_is_calm(home->broker->bus)) {
		home->suspect_ms = 0;
	} else if (home->suspect_ms == 0) {
		home->suspect_ms = now_ms > 0 ? now_ms : 1;
	} else if (now_ms - home->suspect_ms >= PX_BUS_SUSPECT_MS && !home->is_claiming) {
		home->suspect_ms = 0;
		home->is_hinted = true;
		px_home_seek(home);
		return;
	}
	px_bus_retry(home->broker->bus);
}

/* ---- from the home ---- */

static uint8_t service_of(const struct px_broker *broker, struct px_span name)
{
	unsigned index;
	if (name.len == 0) {
		return PX_SERVICE_NONE;
	}
	return px_broker_find_service(broker, name, &index) ? (uint8_t)index : PX_SERVICE_GONE;
}

static uint16_t traffic_of(struct px_broker *broker, struct px_span type)
{
	char text[PX_TRAFFIC_NAME];
	if (type.len == 0 || type.len >= sizeof(text) || !px_span_is_text(type)) {
		return PX_TRAFFIC_OTHER;
	}
	memcpy(text, type.data, type.len);
	text[type.len] = '\0';
	return px_traffic_place(&broker->traffic, text);
}

/* NULL: no memory. */
static struct px_message *message_of(struct px_home *home, const struct px_given *given)
{
	struct px_broker *broker = home->broker;
	struct px_origin origin = {
		.practice = given->is_of_practice ? home->practice : NULL,
		.room = given->room.len > 0 ? px_label_create(given->room) : NULL,
		.service = service_of(broker, given->service),
	};
	struct px_message *message = NULL;
	if (origin.room || given->room.len == 0) {
		message = origin.practice && origin.service < broker->service_count ?
				px_message_text_keyed(broker, given->text, origin.practice,
				broker->services[origin.service].service, given->key) :
				px_message_create(broker, given->text);
	}
	if (message) {
		px_message_set_origin(message, &origin);
		message->traffic = traffic_of(broker, given->type);
	}
	px_label_unref(origin.room);
	return message;
}

static bool is_close_code(uint16_t code)
{
	for (unsigned i = 0; i < PX_CLOSES_COUNT; i++) {
		if (px_close_code(i) == code) {
			return true;
		}
	}
	return false;
}

/* `message` NULL: there was no memory for it, and the session must not miss it. */
static void give_one(struct px_session *session, const struct px_given *given,
		struct px_message *message)
{
	px_session_arrived(session);
	if (given->kind == PX_GIVEN_CLOSE) {
		px_session_close(session, is_close_code(given->code) ? (enum px_close)given->code :
				PX_CLOSE_TRY_LATER);
	} else if (message) {
		px_session_send(session, message);
	} else {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

static void give(struct px_home *home, const struct px_given *given)
{
	struct px_broker *broker = home->broker;
	struct px_message *message = given->kind == PX_GIVEN_MESSAGE ? message_of(home, given) : NULL;
	uint8_t concern = service_of(broker, given->concern);
	broker->refusal = given->kind == PX_GIVEN_MESSAGE && given->code < PX_E_COUNT ?
			(enum px_error)given->code : PX_E_COUNT;
	broker->is_publishing = given->is_publication;
	broker->concern.practice = given->is_concerned ? home->practice : NULL;
	broker->concern.service = concern < broker->service_count ?
			broker->services[concern].service : NULL;
	for (size_t i = 0; i < px_given_clients(given); i++) {
		struct px_session *session = px_home_visitor(home, px_given_client(given, i));
		if (session) {
			give_one(session, given, message);
		}
	}
	broker->concern = (struct px_concern){ NULL, NULL };
	broker->is_publishing = false;
	broker->refusal = PX_E_COUNT;
	px_message_unref(broker, message);
}

static void give_all(struct px_home *home, struct px_span body)
{
	struct px_given given;
	int rc;
	while ((rc = px_given_read(&body, &given)) == 1) {
		give(home, &given);
	}
	home->broker->bus->stats.bad += rc < 0;
}

/* A part of a revision that comes next. -EINVAL: it does not. -ENOMEM. */
static int take(struct px_home *home, const struct px_frame *frame)
{
	if (frame->part == 0) {
		px_parts_finish(&home->parts); /* of one that never became whole */
	}
	int rc = px_parts_add(&home->parts, frame->rev, frame);
	if (rc == 1) {
		struct px_bytes bytes = home->parts.bytes;
		home->parts = (struct px_parts){ .number = 0 };
		home->rev = frame->rev;
		px_stream_confirm(home, frame->number);
		give_all(home, (struct px_span){ bytes.data, bytes.len });
		px_bytes_finish(&bytes);
	}
	return rc;
}

static void lose_one(struct px_home *home, struct px_session *session)
{
	if (px_stream_is_said(home, session)) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

/* Something is missing for good: those who may have missed it begin anew. */
static void lose(struct px_home *home)
{
	if (!home->is_fresh) {
		home->broker->bus->stats.lost++;
		px_home_visit(home, lose_one);
	}
}

static void fall_behind(struct px_home *home)
{
	home->is_behind = true;
	px_parts_finish(&home->parts);
	px_edge_fetch(home);
}

void px_edge_turn(struct px_home *home, const struct px_frame *frame)
{
	if (home->is_running || frame->gen < home->gen) {
		home->must_check = home->must_check || frame->gen > home->gen;
		px_home_changed(home);
		return;
	}
	bool is_other = frame->gen != home->gen || frame->from != home->owner;
	if (home->gen == 0 || (!is_other && frame->rev <= home->rev)) {
		return; /* nobody of this node was there; or it came before */
	}
	home->heard = frame->rev > home->heard ? frame->rev : home->heard;
	home->suspect_ms = 0;
	if (home->is_behind || is_other) {
		fall_behind(home);
		return;
	}
	if (frame->part == 0 && frame->prev > home->rev && home->is_unsure) {
		lose(home);
		home->rev = frame->prev;
	}
	home->is_unsure = false;
	bool is_next = frame->part > 0 || frame->prev <= home->rev;
	if (!is_next || take(home, frame) < 0) {
		fall_behind(home);
	}
}

/* ---- what was missed ---- */

void px_edge_fetch(struct px_home *home)
{
	const struct px_bus_state *bus = home->broker->bus;
	if (!bus->is_up || home->is_fetching || home->is_claiming) {
		return;
	}
	home->is_fetching = true;
	home->asked_for = home->heard;
	home->fetch = (struct px_bus_fetch){
		.job.kind = PX_BUS_FETCH,
		.job.place = px_home_place(home),
		.node = bus->node,
		.after = home->rev,
	};
	bus->bus.fetch(bus->bus.user, &home->fetch);
}

/* What the journal has is older than what is known: it is for the home to put that back. */
static bool is_older(const struct px_home *home, int rc)
{
	return rc == -ENOENT || home->fetch.gen < home->gen ||
			(home->fetch.gen == home->gen && home->fetch.rev < home->rev);
}

/* Whether the first frame follows what is known. Of another home that cannot be told. */
static bool follows(const struct px_home *home, const struct px_frame *frame)
{
	return frame->gen == home->gen && frame->prev <= home->rev;
}

/* All that was kept. False: no memory, and it is to be fetched again. */
static bool take_all(struct px_home *home, bool is_complete)
{
	struct px_frame frame;
	bool is_first = true;
	for (size_t i = 0; i < home->fetch.frame_count; i++) {
		if (!px_frame_read(home->fetch.frames[i], &frame) || frame.kind != PX_FRAME_TURN) {
			home->broker->bus->stats.bad++;
			continue;
		}
		if (frame.rev <= home->rev) {
			continue;
		}
		if (is_first && !is_complete && !follows(home, &frame)) {
			lose(home);
		}
		is_first = false;
		int rc = take(home, &frame);
		if (rc == -ENOMEM) {
			px_parts_finish(&home->parts);
			return false;
		}
		if (rc < 0) {
			home->broker->bus->stats.bad++;
			lose(home);
		}
	}
	if (is_first && !is_complete) {
		home->is_unsure = home->fetch.gen == home->gen;
	}
	if (is_first && !is_complete && !home->is_unsure) {
		lose(home);
	}
	return true;
}

/* Where the practice is now. */
static void follow(struct px_home *home)
{
	bool is_other = home->fetch.gen != home->gen || home->fetch.home != home->owner;
	home->gen = home->fetch.gen;
	home->owner = home->fetch.home;
	home->is_behind = false;
	home->lost_ms = 0;
	if (!home->is_unsure && home->fetch.rev > home->rev) {
		home->rev = home->fetch.rev;
	}
	if (is_other) {
		px_stream_rewind(home);
	}
	if (home->owner == 0 || home->owner == home->broker->bus->node) {
		home->owner = 0;
		home->is_resting = true; /* it is claimed in a moment */
		px_bus_retry(home->broker->bus);
	} else if (home->heard > home->rev && !home->is_unsure && home->heard != home->asked_for) {
		fall_behind(home);
	} else {
		home->heard = home->rev; /* a frame of a revision that the journal has not is a lie */
	}
}

void px_edge_fetched(struct px_home *home, int rc)
{
	struct px_bus_state *bus = home->broker->bus;
	home->is_fetching = false;
	px_home_changed(home);
	if (rc == -ECANCELED) {
		return;
	}
	/* Of one that has become the home meanwhile: it fetched what came before. */
	uint64_t rev = home->rev;
	if (home->is_running) {
		home->rev = home->fetch.after;
		if (!take_all(home, rc == 0) || home->is_unsure) {
			lose(home);
		}
		home->is_unsure = false;
		home->rev = rev;
		return;
	}
	bool is_new = home->gen == 0 || home->is_fresh;
	if (is_older(home, rc) || (!is_new && !take_all(home, rc == 0))) {
		home->is_behind = home->gen != 0;
		px_bus_retry(bus);
		return;
	}
	follow(home);
}
