/* SPDX-License-Identifier: MIT */
/* The journal as the broker and its host see it: hooks into a practice's turn, and answers. */
#include "bus_internal.h"

#include "channel/channel.h"

#include <praxis/session.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/*
 * The journal of a broker that has one. Homes that were looked at and still have something to ask
 * for (the bus is down, or memory was short) are looked at again.
 */
static bool look_at(struct px_home *home)
{
	struct px_bus_state *bus = home->broker->bus;
	bool has_more = false;
	if (home->is_broken) {
		px_entries_remake(home);
	}
	if (home->is_broken) {
		px_home_changed(home);
	} else if (home->is_running) {
		has_more = px_waiting_run(home);
		px_turn_ask(home);
	} else if (home->waiting && bus->retry.place == 0) {
		px_home_seek(home);
	} else if (!home->is_claiming && px_home_is_idle(home)) {
		px_home_free(home);
	}
	return has_more;
}

/* One that nobody needs any more, and that nothing has changed in since. */
static void sweep(struct px_bus_state *bus)
{
	struct px_home *home = bus->sweep ? bus->sweep : bus->homes;
	if (home) {
		bus->sweep = home->next;
		if (px_home_is_idle(home)) {
			px_home_changed(home);
		}
	}
}

static bool on_over(struct px_broker *broker)
{
	struct px_bus_state *bus = broker->bus;
	bool has_more = false;
	sweep(bus);
	struct px_home *home = bus->changed;
	bus->changed = NULL;
	while (home) {
		struct px_home *next = home->next_changed;
		home->is_changed = false;
		has_more = look_at(home) || has_more;
		home = next;
	}
	return has_more;
}

static const struct px_turn_hooks hooks = {
	.send = px_turn_send,
	.close = px_turn_close,
	.channel_changed = px_entry_channel_changed,
	.channel_gone = px_entry_channel_gone,
	.member_changed = px_entry_member_changed,
	.member_gone = px_entry_member_gone,
	.session_changed = px_entry_session_changed,
	.admit = px_waiting_admit,
	.is_home = px_waiting_is_home,
	.defer = px_turn_defer,
	.over = on_over,
};

static void on_retry(struct px_timer *timer)
{
	struct px_bus_state *bus =
			(struct px_bus_state *)((char *)timer - offsetof(struct px_bus_state, retry));
	for (struct px_home *home = bus->homes; home; home = home->next) {
		if (home->waiting) {
			px_home_seek(home);
		}
	}
}

static void finish(struct px_broker *broker)
{
	struct px_bus_state *bus = broker->bus;
	while (bus && bus->homes) {
		assert(!bus->homes->unanswered && !bus->homes->is_claiming);
		px_home_free(bus->homes);
	}
	if (bus) {
		px_timer_stop(&broker->timers, &bus->retry);
	}
	broker->turn_hooks = NULL;
	broker->bus = NULL;
	free(bus);
}

int px_broker_set_bus(struct px_broker *broker, const struct px_bus *bus, uint64_t node)
{
	finish(broker);
	if (!bus) {
		return 0;
	}
	struct px_bus_state *state = calloc(1, sizeof(*state));
	if (!state) {
		return -ENOMEM;
	}
	state->bus = *bus;
	state->bus.commit_bytes = bus->commit_bytes ? bus->commit_bytes : PX_BUS_COMMIT_BYTES;
	state->broker = broker;
	state->node = node;
	state->retry.fire = on_retry;
	state->down_since_ms = broker->timers.now_ms;
	broker->bus = state;
	broker->turn_hooks = &hooks;
	return 0;
}

void px_broker_bus_answer(struct px_broker *broker, struct px_bus_job *job, int rc)
{
	(void)broker;
	if (job->kind == PX_BUS_FETCH) {
		return; /* nobody asks for one yet */
	}
	if (job->kind == PX_BUS_CLAIM) {
		px_home_claimed((struct px_home *)((char *)job - offsetof(struct px_home, claim)), rc);
	} else {
		px_turn_answered((struct px_turn *)job, rc);
	}
}

void px_broker_bus_up(struct px_broker *broker)
{
	struct px_bus_state *bus = broker->bus;
	bus->is_up = true;
	for (struct px_home *home = bus->homes; home; home = home->next) {
		home->must_check = home->is_running && !home->unanswered;
		px_home_changed(home);
	}
}

void px_broker_bus_down(struct px_broker *broker)
{
	broker->bus->is_up = false;
	broker->bus->down_since_ms = broker->timers.now_ms;
}

void px_broker_bus_dead(struct px_broker *broker, uint64_t node)
{
	struct px_bus_state *bus = broker->bus;
	for (struct px_home *home = bus->homes; home; home = home->next) {
		if (home->owner == node && home->waiting) {
			px_home_seek(home);
		}
	}
}

void px_broker_bus_heard(struct px_broker *broker, struct px_span frame)
{
	(void)frame;
	broker->bus->stats.heard++;
	broker->bus->stats.bad++; /* no frame is known yet */
}

void px_broker_bus_unheard(struct px_broker *broker, uint64_t node)
{
	(void)broker;
	(void)node;
}

void px_broker_bus_orphan(struct px_broker *broker, const struct px_bus_place *place,
		uint64_t node)
{
	struct px_practice *practice;
	if (px_practice_get(broker, place->tenant, place->practice, &practice) < 0) {
		return; /* whoever comes next claims it */
	}
	struct px_home *home = px_home_get(broker, practice);
	if (home && !home->is_running) {
		home->owner = node;
		px_home_seek(home);
		px_home_changed(home);
	}
	px_practice_unref(broker, practice);
}

void px_broker_bus_deposed(struct px_broker *broker)
{
	for (struct px_session *session = broker->oldest; session; session = session->newer) {
		px_session_close(session, PX_CLOSE_RESTART);
	}
	for (struct px_home *home = broker->bus->homes; home; home = home->next) {
		if (home->is_running) {
			px_home_deposed(home);
		}
	}
}

void px_broker_bus_stats(const struct px_broker *broker, struct px_bus_stats *ret_stats)
{
	*ret_stats = broker->bus ? broker->bus->stats : (struct px_bus_stats){ 0 };
}
