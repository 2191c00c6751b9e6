/* SPDX-License-Identifier: MIT */
/*
 * Homes: claiming a practice, giving it up, and losing it to another node. A home is there from the
 * first message or session of its practice until nothing is kept of it and nobody holds it.
 */
#include "bus_internal.h"

#include "channel/channel.h"
#include "core/host.h"
#include "session/session.h"

#include <errno.h>
#include <praxis/host/broker.h>
#include <praxis/host/session.h>
#include <stdlib.h>
#include <string.h>

static void link_home(struct px_bus_state *bus, struct px_home *home)
{
	home->next = bus->homes;
	if (home->next) {
		home->next->previous = home;
	}
	bus->homes = home;
	bus->stats.homes++;
}

struct px_home *px_home_get(struct px_broker *broker, struct px_practice *practice)
{
	struct px_home *home = practice->home;
	if (home) {
		return home;
	}
	home = calloc(1, sizeof(*home));
	if (home) {
		home->broker = broker;
		home->practice = px_practice_ref(practice);
		home->asked_end = &home->asked;
		home->items_end = &home->items;
		practice->home = home;
		link_home(broker->bus, home);
	}
	return home;
}

static void unlink_home(struct px_bus_state *bus, struct px_home *home)
{
	struct px_home **at = &bus->changed;
	if (home->previous) {
		home->previous->next = home->next;
	} else {
		bus->homes = home->next;
	}
	if (home->next) {
		home->next->previous = home->previous;
	}
	bus->sweep = bus->sweep == home ? home->next : bus->sweep;
	while (home->is_changed && *at) {
		if (*at == home) {
			*at = home->next_changed;
			home->is_changed = false;
		} else {
			at = &(*at)->next_changed;
		}
	}
	bus->stats.homes--;
}

/* Whether the journal has the turn is not known: who would have got something begins anew. */
static void end_receivers(const struct px_turn *turn)
{
	for (size_t i = 0; i < turn->output_count; i++) {
		const struct px_output *output = &turn->outputs[i];
		struct px_session *session = output->node == 0 ?
				px_bus_session(turn->broker, output->client_id) : NULL;
		if (session) {
			px_session_close(session, PX_CLOSE_TRY_LATER);
		}
	}
}

/* What was asked for is answered to nobody from now on; what was answered is freed. */
static void drop_turns(struct px_home *home)
{
	bool is_answered = true;
	struct px_turn *next;
	for (struct px_turn *turn = home->asked; turn; turn = next) {
		next = turn->next;
		end_receivers(turn);
		is_answered = is_answered && turn != home->unanswered;
		turn->home = NULL;
		if (is_answered) {
			px_turn_free(turn);
		} else {
			home->broker->bus->stats.unconfirmed--;
		}
	}
	px_turn_free(home->open);
	home->open = home->asked = home->unanswered = NULL;
	home->asked_end = &home->asked;
	home->unanswered_count = 0;
}

void px_home_free(struct px_home *home)
{
	struct px_broker *broker = home->broker;
	drop_turns(home);
	px_stream_finish(home);
	home->is_discarding = true;
	px_guests_finish(home);
	px_entries_finish(home);
	unlink_home(broker->bus, home);
	px_parts_finish(&home->parts);
	home->practice->home = NULL;
	px_practice_unref(broker, home->practice);
	free(home);
}

void px_home_changed(struct px_home *home)
{
	struct px_bus_state *bus = home->broker->bus;
	if (!home->is_changed) {
		home->is_changed = true;
		home->next_changed = bus->changed;
		bus->changed = home;
	}
}

bool px_home_is_idle(const struct px_home *home)
{
	return home->entries.count == 0 && !home->items && home->visits.count == 0 &&
			home->practice->clients == 0 && !home->is_fetching;
}

struct px_bus_place px_home_place(const struct px_home *home)
{
	return (struct px_bus_place){ px_span(home->practice->tenant),
		{ home->practice->id, home->practice->id_len } };
}

/* ---- claiming ---- */

bool px_bus_is_dead(const struct px_bus_state *bus, uint64_t node)
{
	return node != 0 && node != bus->node && bus->bus.is_dead(bus->bus.user, node);
}

bool px_bus_is_calm(const struct px_bus_state *bus)
{
	return bus->broker->timers.now_ms < bus->calm_until_ms;
}

/* The journal has lost it for so long that nobody puts it back. */
static bool is_lost_for_good(const struct px_home *home)
{
	return home->lost_ms != 0 &&
			home->broker->timers.now_ms - home->lost_ms >= PX_BUS_LOST_MS;
}

void px_home_seek(struct px_home *home)
{
	struct px_bus_state *bus = home->broker->bus;
	if (home->is_running || home->is_claiming || !bus->is_up) {
		return;
	}
	if (px_bus_is_calm(bus)) {
		home->is_resting = true;
		px_edge_fetch(home); /* who is the home, if anybody */
		px_bus_retry(bus);
		return;
	}
	bool is_dead = px_bus_is_dead(bus, home->owner);
	home->is_claiming = true;
	home->claim = (struct px_bus_claim){
		.job.kind = PX_BUS_CLAIM,
		.job.place = px_home_place(home),
		.node = bus->node,
		.known_gen = home->gen,
		.known_rev = home->rev,
		.dead = is_dead || home->is_hinted ? home->owner : 0,
		.is_sure = is_dead || is_lost_for_good(home),
	};
	home->is_hinted = false;
	bus->bus.claim(bus->bus.user, &home->claim);
}

void px_bus_retry(struct px_bus_state *bus)
{
	struct px_timers *timers = &bus->broker->timers;
	if (bus->retry.place == 0) {
		/* Without memory for a timer the next message asks again. */
		(void)px_timer_arm(timers, &bus->retry, timers->now_ms + PX_BUS_RETRY_MS);
	}
}

/* Sessions that ended before this must not stand in the way of those that are read. */
static void end_sessions(struct px_broker *broker)
{
	while (px_broker_end_turn(broker)) {
	}
}

/* What this node's sessions had yet to get as those of an edge. */
static void catch_up(struct px_home *home, uint64_t rev)
{
	if (home->visits.count > 0 && !home->is_fresh) {
		px_edge_fetch(home);
		home->fetch.after = rev;
	}
}

static void begin(struct px_home *home)
{
	struct px_broker *broker = home->broker;
	uint64_t rev = home->rev;
	home->gen = home->claim.gen;
	home->rev = home->base = home->accepted = home->claim.rev;
	home->owner = 0;
	home->applied = home->written = 0;
	home->suspect_ms = home->lost_ms = 0;
	home->is_lost = home->is_broken = home->is_behind = home->is_unsure = false;
	px_parts_finish(&home->parts);
	broker->bus->stats.claims++;
	int rc = px_home_adopt(home, &home->claim);
	home->is_claiming = false; /* until now nothing may run for it, nor ask for it again */
	home->is_running = true;
	if (rc < 0) {
		px_broker_log(broker, PX_LOG_ERROR, "bus: what is kept of a practice cannot be used");
		px_home_deposed(home);
		return;
	}
	px_stream_confirm(home, home->applied);
	px_stream_expel(home);
	px_stream_rewind(home);
	catch_up(home, rev);
	px_guests_bury(home);
	home->is_fresh = false;
}

/* Another node is the home: this one is an edge of it. */
static void follow(struct px_home *home)
{
	const struct px_bus_claim *claim = &home->claim;
	bool is_other = home->owner != claim->home || home->gen != claim->gen;
	home->owner = claim->home;
	home->lost_ms = 0;
	if (home->gen == 0 || home->is_fresh) {
		home->gen = claim->gen;
		home->rev = claim->rev;
		home->is_behind = home->is_unsure = false;
	} else if (home->gen != claim->gen) {
		home->is_behind = true;
	}
	if (home->is_behind) {
		px_edge_fetch(home);
	}
	if (is_other) {
		px_stream_rewind(home);
	}
	px_home_changed(home);
}

void px_home_claimed(struct px_home *home, int rc)
{
	struct px_bus_state *bus = home->broker->bus;
	if (rc == 0) {
		end_sessions(home->broker);
		begin(home);
		px_home_changed(home);
		return;
	}
	home->is_claiming = false;
	if (rc == -EBUSY && home->claim.home != 0) {
		follow(home);
	} else if (rc == -ENODATA && home->lost_ms == 0 &&
			home->claim.known_gen != PX_BUS_WITHDRAWN) {
		home->lost_ms = bus->broker->timers.now_ms;
	}
	if (rc == -EBUSY && px_bus_is_dead(bus, home->owner)) {
		px_home_seek(home);
	} else if (rc != -ECANCELED && rc != -EBUSY) {
		home->is_resting = true;
		px_bus_retry(bus);
	}
}

/* ---- losing ---- */

static bool is_before(const struct px_channel *one, const struct px_channel *other)
{
	int order = strcmp(one->service->name, other->service->name);
	order = order != 0 ? order : strcmp(one->kind->name, other->kind->name);
	return order != 0 ? order < 0 :
			px_span_compare(px_channel_name(one), px_channel_name(other)) < 0;
}

/* Of the practice, the first by name, wherever memory has put it; NULL: there are none any more. */
static struct px_channel *some_channel(const struct px_home *home)
{
	struct px_table *table = &home->broker->channels;
	struct px_channel *found = NULL;
	px_table_settle(table);
	for (size_t i = 0; i < table->slot_count; i++) {
		for (struct px_table_link *at = table->slots[i]; at; at = at->next) {
			struct px_channel *channel = (struct px_channel *)at;
			if (channel->practice == home->practice &&
					(!found || is_before(channel, found))) {
				found = channel;
			}
		}
	}
	return found;
}

/* Services clean up as they always do; what they say of it is not heard. */
static void discard(struct px_home *home)
{
	struct px_broker *broker = home->broker;
	const struct px_broker_host host = broker->host;
	struct px_channel *channel;
	home->is_discarding = true;
	broker->host.event = NULL;
	while ((channel = some_channel(home))) {
		px_channel_end(channel, PX_ENDED);
	}
	px_guests_finish(home);
	broker->host = host;
	home->is_discarding = false;
	px_entries_finish(home);
}

/* Without praxis.v1 nothing can be kept for it. */
static void end_deaf(struct px_home *home, struct px_session *session)
{
	(void)home;
	if (session->phase == PX_SESSION_DETACHED && !session->versioned) {
		px_session_close(session, PX_CLOSE_TRY_LATER);
	}
}

void px_home_deposed(struct px_home *home)
{
	struct px_bus_state *bus = home->broker->bus;
	bus->stats.deposed++;
	drop_turns(home);
	discard(home);
	home->is_running = home->is_lost = home->is_leaving = false;
	home->is_broken = home->is_whole = home->must_check = home->is_unfit = false;
	home->rev = home->heard = home->accepted;
	home->applied = home->written = 0;
	home->is_resting = true;
	px_home_visit(home, end_deaf);
	px_stream_rewind(home);
	px_bus_retry(bus);
	px_home_changed(home);
}
