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
	bool has_more = false;
	if (home->is_broken) {
		px_entries_remake(home);
	}
	if (home->is_broken) {
		px_home_changed(home);
	} else if (home->is_running) {
		has_more = px_stream_run(home);
		px_turn_ask(home);
		if (px_home_can_run(home)) {
			px_guests_ask_again(home);
		}
	} else if (home->owner != 0) {
		px_edge_send(home);
	} else if (home->items && !home->is_resting) {
		px_home_seek(home);
	}
	if (!home->is_running && !home->is_claiming && px_home_is_idle(home)) {
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
	.value_changed = px_entry_value_changed,
	.value_gone = px_entry_value_gone,
	.channel_changed = px_entry_channel_changed,
	.channel_gone = px_entry_channel_gone,
	.member_changed = px_entry_member_changed,
	.member_gone = px_entry_member_gone,
	.session_changed = px_stream_session_changed,
	.session_gone = px_stream_session_gone,
	.admit = px_stream_admit,
	.is_home = px_stream_is_home,
	.is_away = px_stream_is_away,
	.defer = px_turn_defer,
	.over = on_over,
};

/* What was sent and did not get through is sent again. True: it may have to be once more. */
static bool retry(struct px_home *home)
{
	const struct px_bus_state *bus = home->broker->bus;
	uint64_t oldest = home->items ? home->items->number : 0;
	bool is_wanted = home->items || home->visits.count > 0;
	home->is_resting = false;
	if (home->is_running || !is_wanted) {
		return false;
	}
	if (home->owner == 0 || px_bus_is_dead(bus, home->owner)) {
		px_home_seek(home);
	} else if (home->is_behind) {
		px_edge_fetch(home);
	}
	if (oldest == home->stuck) {
		px_stream_rewind(home);
	}
	home->stuck = oldest;
	px_home_changed(home);
	return oldest != 0 || home->is_behind || home->is_unsure || home->owner == 0;
}

static void on_retry(struct px_timer *timer)
{
	struct px_bus_state *bus =
			(struct px_bus_state *)((char *)timer - offsetof(struct px_bus_state, retry));
	bool again = false;
	for (struct px_home *home = bus->homes; home; home = home->next) {
		again = retry(home) || again;
	}
	if (again && bus->is_up) {
		px_bus_retry(bus);
	}
}

static void finish(struct px_broker *broker)
{
	struct px_bus_state *bus = broker->bus;
	while (bus && bus->homes) {
		assert(!bus->homes->unanswered && !bus->homes->is_claiming &&
				!bus->homes->is_fetching);
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
	switch (job->kind) {
	case PX_BUS_COMMIT:
		px_turn_answered((struct px_turn *)job, rc);
		break;
	case PX_BUS_CLAIM:
		px_home_claimed((struct px_home *)((char *)job - offsetof(struct px_home, claim)),
				rc);
		break;
	case PX_BUS_FETCH:
		px_edge_fetched((struct px_home *)((char *)job - offsetof(struct px_home, fetch)),
				rc);
		break;
	}
}

void px_broker_bus_up(struct px_broker *broker)
{
	struct px_bus_state *bus = broker->bus;
	bus->is_up = true;
	bus->calm_until_ms = bus->was_up ? broker->timers.now_ms + PX_BUS_CALM_MS : 0;
	bus->was_up = true;
	for (struct px_home *home = bus->homes; home; home = home->next) {
		home->must_check = home->is_running && !home->unanswered;
		home->lost_ms = 0;
		home->is_resting = false;
		if (!home->is_running) {
			px_stream_rewind(home);
			home->is_behind = home->gen != 0 && home->visits.count > 0;
		}
		if (home->is_behind) {
			px_edge_fetch(home);
		}
		px_home_changed(home);
	}
	px_bus_retry(bus);
}

/*
 * What was asked of a journal before it may have restarted must not be granted by it afterwards: a
 * claim that is repeated is in vain, and is asked for anew when nothing can be missing.
 */
static void withdraw(struct px_home *home)
{
	if (home->is_claiming) {
		home->claim.known_gen = PX_BUS_WITHDRAWN;
		home->claim.is_sure = false;
	}
}

void px_broker_bus_down(struct px_broker *broker)
{
	for (struct px_home *home = broker->bus->homes; home; home = home->next) {
		withdraw(home);
	}
	broker->bus->is_up = false;
	broker->bus->down_since_ms = broker->timers.now_ms;
}

/* ---- other nodes ---- */

void px_broker_bus_dead(struct px_broker *broker, uint64_t node)
{
	struct px_bus_state *bus = broker->bus;
	for (struct px_home *home = bus->homes; home; home = home->next) {
		if (home->is_running) {
			px_guests_bury(home);
		} else if (home->owner == node && (home->items || home->visits.count > 0)) {
			px_home_seek(home);
		}
	}
}

/* Who is not the home says so: it is to be found elsewhere. */
static void say_not_home(struct px_broker *broker, const struct px_frame *frame)
{
	const struct px_bus_state *bus = broker->bus;
	struct px_bytes bytes = { .data = NULL };
	px_frame_write(&bytes, &(struct px_frame){
		.kind = PX_FRAME_NOT_HOME,
		.place = frame->place,
		.from = bus->node,
		.gen = frame->gen,
		.is_last = true,
	});
	if (!bytes.has_failed) {
		bus->bus.tell(bus->bus.user, frame->from, (struct px_span){ bytes.data, bytes.len });
	}
	px_bytes_finish(&bytes);
}

static void hear(struct px_broker *broker, const struct px_frame *frame)
{
	const struct px_practice *practice =
			px_practice_find(broker, frame->place.tenant, frame->place.practice);
	struct px_home *home = practice ? practice->home : NULL;
	if (frame->kind == PX_FRAME_SAID) {
		if (home && home->is_running && !home->is_leaving) {
			px_guest_said(home, frame);
		} else if (!home || !home->is_claiming) {
			say_not_home(broker, frame);
		}
	} else if (!home) {
		return; /* nobody waits for it any more */
	} else if (frame->kind == PX_FRAME_TURN) {
		px_edge_turn(home, frame);
	} else if (frame->kind == PX_FRAME_AGAIN) {
		px_edge_again(home, frame);
	} else {
		px_edge_not_home(home, frame);
	}
}

void px_broker_bus_heard(struct px_broker *broker, struct px_span bytes)
{
	struct px_frame frame;
	broker->bus->stats.heard++;
	if (px_frame_read(bytes, &frame) && frame.from != broker->bus->node) {
		hear(broker, &frame);
	} else {
		broker->bus->stats.bad++;
	}
}

void px_broker_bus_unheard(struct px_broker *broker, uint64_t node)
{
	for (struct px_home *home = broker->bus->homes; home; home = home->next) {
		if (home->owner == node && !home->is_running && home->items) {
			px_edge_unheard(home);
		}
	}
}

void px_broker_bus_orphan(struct px_broker *broker, const struct px_bus_place *place,
		uint64_t node)
{
	struct px_practice *practice;
	if (px_practice_get(broker, place->tenant, place->practice, &practice) < 0) {
		return; /* whoever comes next claims it */
	}
	struct px_home *home = px_home_get(broker, practice);
	if (home && !home->is_running && (home->owner == 0 || home->owner == node)) {
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
