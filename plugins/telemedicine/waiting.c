/* SPDX-License-Identifier: MIT */
/*
 * The waiting room: a patient who asks to join is kept before the door, in a channel of the
 * room's name and of another kind, and hears nothing of the room until somebody in there who
 * is no patient lets it in. It needs no room: patients come early, and go on waiting when
 * the room has ended with its last member. Staying in a channel is also what makes a place in
 * the line survive whatever a session survives.
 *
 * The team of a room is told of a change a moment later, and of all others up to then with
 * it: a patient that comes and goes as fast as it may would otherwise cost each of them a
 * whole list each time. The longer the list, the longer the moment.
 */
#include "telemedicine.h"

#include <errno.h>
#include <stdlib.h>

#define LIST_DELAY_MS 100
#define LIST_DELAY_EACH_MS 10
#define RETRY_MS 1000

static struct waiter *waiter_of(struct px_member *member)
{
	return px_member_state(member);
}

static int by_place(const void *a, const void *b)
{
	uint64_t first = waiter_of(*(struct px_member *const *)a)->place;
	uint64_t second = waiter_of(*(struct px_member *const *)b)->place;
	return first < second ? -1 : first > second;
}

/* ---- to those who wait ---- */

static void tell_position(struct px_member *member, uint32_t position)
{
	struct px_json json;
	px_json_begin(&json, "telemedicine_waiting");
	telemedicine_write_place(member, &json);
	px_member_stamp(member, &json);
	px_json_int(&json, "position", position);
	px_json_int(&json, "since", waiter_of(member)->since_ms);
	px_json_end(&json);
	px_session_send_json(px_member_session(member), &json);
}

static uint32_t position_of(struct px_member *member)
{
	const struct px_channel *channel = px_member_channel(member);
	uint32_t position = 1;
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		position += waiter_of(px_channel_member(channel, i))->place <
				waiter_of(member)->place;
	}
	return position;
}

/* Those behind a place that became free have moved up. */
static void move_up(const struct px_channel *channel, uint64_t place)
{
	uint32_t count;
	struct px_member **list = telemedicine_members(channel, by_place, &count);
	for (uint32_t i = 0; list && i < count; i++) {
		if (waiter_of(list[i])->place > place) {
			tell_position(list[i], i + 1);
		}
	}
	free(list);
}

static void tell_denied(struct px_member *member, enum px_leave_reason reason)
{
	const struct waiter *waiter = waiter_of(member);
	struct px_json json;
	px_json_begin(&json, "telemedicine_denied");
	telemedicine_write_place(member, &json);
	px_member_stamp(member, &json);
	px_json_text(&json, "code", px_leave_reason_name(reason));
	if (waiter->reason.len > 0) {
		px_json_raw(&json, "reason", waiter->reason);
	}
	px_json_end(&json);
	px_session_send_json(px_member_session(member), &json);
}

/* ---- to the team of the room ---- */

static void write_waiter(struct px_member *member, struct px_json *json)
{
	const struct waiter *waiter = waiter_of(member);
	char client_id[PX_CLIENT_ID_SIZE];
	px_session_client_id(px_member_session(member), client_id);
	px_json_open_object(json, NULL);
	px_json_text(json, "clientId", client_id);
	telemedicine_write_user(member, json);
	px_json_raw(json, "appointmentId", waiter->self.appointment_id);
	px_json_int(json, "since", waiter->since_ms);
	px_json_close_object(json);
}

static void send_list(struct px_member *to, struct px_member **list, uint32_t count)
{
	struct px_session *session = px_member_session(to);
	const struct participant *participant = px_member_state(to);
	struct px_json json;
	px_json_begin(&json, "telemedicine_waiting_list");
	px_json_raw(&json, "roomId", participant->room_id);
	px_member_stamp(to, &json);
	px_json_open_array(&json, "waiting");
	for (uint32_t i = 0; i < count; i++) {
		write_waiter(list[i], &json);
	}
	px_json_close_array(&json);
	px_json_end(&json);
	px_session_send_json(session, &json);
}

/* Those who wait for a room, longest waiting first; may be empty. NULL: no memory. */
static struct px_member **list_of(const struct px_channel *room, uint32_t *ret_count)
{
	const struct px_channel *channel = px_channel_waiting(room);
	if (channel) {
		return telemedicine_members(channel, by_place, ret_count);
	}
	*ret_count = 0;
	return malloc(sizeof(struct px_member *));
}

void telemedicine_tell_waiting(struct px_member *member)
{
	uint32_t count;
	struct px_member **list = list_of(px_member_channel(member), &count);
	if (list && count > 0) {
		send_list(member, list, count);
	}
	free(list);
}

static void tell_team(struct px_channel *room)
{
	uint32_t count;
	struct px_member **list = list_of(room, &count);
	for (uint32_t i = 0; list && i < px_channel_member_count(room); i++) {
		struct px_member *member = px_channel_member(room, i);
		if (px_session_role(px_member_session(member)) & PX_ROLES_TEAM) {
			send_list(member, list, count);
		}
	}
	free(list);
}

void telemedicine_list_soon(struct px_channel *room)
{
	struct room *state = px_channel_state(room);
	const struct px_channel *waiting = px_channel_waiting(room);
	uint32_t count = waiting ? px_channel_member_count(waiting) : 0;
	if (state->list_is_due) {
		return;
	}
	state->list_is_due = px_channel_wake(room,
			LIST_DELAY_MS + LIST_DELAY_EACH_MS * (int64_t)count) == 0;
	if (!state->list_is_due) {
		tell_team(room);
	}
}

/* Somebody has come or gone. */
static void tell_change(const struct px_channel *channel)
{
	struct px_channel *room = px_channel_awaited(channel);
	if (room) {
		telemedicine_list_soon(room);
	}
}

/* ---- the line ---- */

void telemedicine_set_alarm(struct px_channel *channel)
{
	int64_t first_ms = INT64_MAX;
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		const struct waiter *waiter = waiter_of(px_channel_member(channel, i));
		first_ms = waiter->until_ms < first_ms ? waiter->until_ms : first_ms;
	}
	if (first_ms < INT64_MAX) {
		/* Without memory nobody is sent away: they wait for the next who comes. */
		(void)px_channel_wake(channel,
				first_ms - px_broker_mono_ms(px_channel_broker(channel)));
	}
}

/* Sends away who has waited too long; the channel may be gone then. */
static void expire(struct px_channel *channel)
{
	int64_t now_ms = px_broker_mono_ms(px_channel_broker(channel));
	uint32_t count;
	struct px_member **list = telemedicine_members(channel, by_place, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (waiter_of(list[i])->until_ms <= now_ms) {
			px_member_leave(list[i], PX_EXPIRED);
		}
	}
	free(list);
}

static void on_woken(struct px_channel *channel)
{
	expire(channel);
	telemedicine_set_alarm(channel);
}

void telemedicine_list_waiting(struct px_channel *room)
{
	struct room *state = px_channel_state(room);
	struct px_channel *channel = px_channel_waiting(room);
	if (channel) {
		/* Where both are due at once, it does not matter which comes first. */
		expire(channel);
	}
	state->list_is_due = false;
	tell_team(room);
}

/* Another session of the same user, as its token says: a second window, or a ghost. */
static struct px_member *find_twin(const struct px_channel *channel,
		const struct px_session *session)
{
	struct px_span user = px_session_user(session).text;
	if (!px_session_authenticated(session) || user.len == 0) {
		return NULL;
	}
	for (uint32_t i = 0; i < px_channel_member_count(channel); i++) {
		struct px_member *member = px_channel_member(channel, i);
		const struct px_session *other = px_member_session(member);
		if (other != session && px_session_authenticated(other) &&
				px_span_equal(px_session_user(other).text, user)) {
			return member;
		}
	}
	return NULL;
}

static void get_in_line(const struct telemedicine *telemedicine, struct px_member *member,
		struct px_member *twin)
{
	struct waiter *waiter = waiter_of(member);
	if (twin) {
		waiter->since_ms = waiter_of(twin)->since_ms;
		waiter->until_ms = waiter_of(twin)->until_ms;
		waiter->place = waiter_of(twin)->place;
		px_member_leave(twin, PX_REPLACED);
	} else {
		waiter->since_ms = px_broker_wall_ms(telemedicine->broker);
		waiter->until_ms = telemedicine->waiting_ms == 0 ? INT64_MAX :
				px_broker_mono_ms(telemedicine->broker) + telemedicine->waiting_ms;
		waiter->place = px_member_order(member);
	}
	telemedicine_set_alarm(px_member_channel(member));
	tell_change(px_member_channel(member));
}

int telemedicine_wait(struct px_call *call, struct px_span name)
{
	const struct telemedicine *telemedicine = call->service_state;
	struct px_member *member = px_session_member(call->session, &telemedicine_waiting_kind,
			call->practice, name);
	struct px_channel *channel = px_session_waiting(call->session, call->service,
			call->practice, name);
	struct px_member *twin = channel ? find_twin(channel, call->session) : NULL;
	struct px_channel_limits limits = { .members = telemedicine->waiting_max + (twin ? 1 : 0) };
	bool is_new;
	int rc = px_channel_join(call->session, call->service, &telemedicine_waiting_kind,
			call->practice, name, &limits, &member, &is_new);
	if (rc == -ENOSPC) {
		return px_call_fail(call, PX_E_ROOM_FULL, "roomId", "The waiting room is full.");
	}
	if (rc == 0 && is_new) {
		rc = telemedicine_remember(call, px_member_state(member));
		if (rc < 0) {
			px_member_leave(member, PX_LEFT);
		} else {
			get_in_line(telemedicine, member, twin);
		}
	}
	if (rc < 0) {
		return telemedicine_fail_join(call, rc);
	}
	tell_position(member, position_of(member));
	return 0;
}

struct px_member *telemedicine_find_waiter(struct px_call *call, const struct px_channel *room)
{
	const struct px_channel *channel = px_channel_waiting(room);
	char text[PX_ID_MAX + 1];
	struct px_id wanted;
	px_envelope_id(call->message, "clientId", text, &wanted);
	for (uint32_t i = 0; channel && i < px_channel_member_count(channel); i++) {
		/* Not by user: in open mode anybody may take another's name before the door. */
		if (px_session_is(px_member_session(px_channel_member(channel, i)), wanted.text)) {
			return px_channel_member(channel, i);
		}
	}
	return NULL;
}

/* Tells who did not choose to go, and those behind it, and the team. */
static void on_left(struct px_channel *channel, struct px_member *member,
		enum px_leave_reason reason)
{
	const struct waiter *waiter = waiter_of(member);
	bool told = reason != PX_LEFT && reason != PX_DISCONNECTED && reason != PX_ADMITTED;
	if (waiter->place != 0 && told) {
		tell_denied(member, reason);
	}
	/* Who is replaced leaves no gap, and at the end nobody stays. */
	if (waiter->place != 0 && reason != PX_REPLACED && reason != PX_ENDED) {
		move_up(channel, waiter->place);
		tell_change(channel);
	}
	free(waiter->self.block);
}

const struct px_channel_kind telemedicine_waiting_kind = {
	.name = "waiting room",
	.member_size = sizeof(struct waiter),
	.is_room = true,
	.waiting = true,
	.left = on_left,
	.woken = on_woken,
};
