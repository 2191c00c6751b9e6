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
		home->waiting_end = &home->waiting;
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

/* What was asked for is answered to nobody from now on; what was answered is freed. */
static void drop_turns(struct px_home *home)
{
	bool is_answered = true;
	struct px_turn *next;
	for (struct px_turn *turn = home->asked; turn; turn = next) {
		next = turn->next;
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
	unlink_home(broker->bus, home);
	drop_turns(home);
	px_waiting_finish(home);
	px_entries_finish(home);
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
	return home->entries.count == 0 && !home->waiting && home->practice->clients == 0;
}

/* ---- claiming ---- */

static bool is_dead(const struct px_bus_state *bus, uint64_t node)
{
	return node != 0 && bus->bus.is_dead(bus->bus.user, node);
}

void px_home_seek(struct px_home *home)
{
	struct px_bus_state *bus = home->broker->bus;
	if (home->is_running || home->is_claiming || !bus->is_up) {
		return;
	}
	home->is_claiming = true;
	home->claim = (struct px_bus_claim){
		.job.kind = PX_BUS_CLAIM,
		.job.place = { px_span(home->practice->tenant),
			{ home->practice->id, home->practice->id_len } },
		.node = bus->node,
		.known_gen = home->gen,
		.dead = is_dead(bus, home->owner) ? home->owner : 0,
	};
	bus->bus.claim(bus->bus.user, &home->claim);
}

static void retry_later(struct px_bus_state *bus)
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

static void begin(struct px_home *home)
{
	struct px_broker *broker = home->broker;
	home->gen = home->claim.gen;
	home->rev = home->claim.rev;
	home->owner = 0;
	home->is_lost = home->is_broken = false;
	broker->bus->stats.claims++;
	int rc = px_home_adopt(home, &home->claim);
	home->is_claiming = false; /* until now nothing may run for it, nor ask for it again */
	home->is_running = true;
	if (rc < 0) {
		px_broker_log(broker, PX_LOG_ERROR, "bus: what is kept of a practice cannot be used");
		px_home_deposed(home);
	}
}

void px_home_claimed(struct px_home *home, int rc)
{
	struct px_bus_state *bus = home->broker->bus;
	if (rc == 0) {
		end_sessions(home->broker);
	}
	if (rc == 0) {
		begin(home);
		px_home_changed(home);
		return;
	}
	home->is_claiming = false;
	home->owner = rc == -EBUSY ? home->claim.home : 0;
	if (is_dead(bus, home->owner)) {
		px_home_seek(home);
	} else if (rc != -ECANCELED) {
		retry_later(bus);
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

static void close_members(const struct px_channel *channel)
{
	for (uint32_t i = 0; i < channel->member_count; i++) {
		px_session_close(channel->members[i]->session, PX_CLOSE_TRY_LATER);
	}
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
		close_members(channel);
		px_channel_end(channel, PX_ENDED);
	}
	broker->host = host;
	home->is_discarding = false;
	px_entries_finish(home);
}

void px_home_deposed(struct px_home *home)
{
	struct px_bus_state *bus = home->broker->bus;
	bus->stats.deposed++;
	drop_turns(home);
	discard(home);
	home->is_running = home->is_lost = home->is_leaving = false;
	home->is_broken = home->is_whole = home->must_check = false;
	retry_later(bus);
}
