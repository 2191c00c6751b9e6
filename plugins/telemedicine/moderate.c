/* SPDX-License-Identifier: MIT */
/*
 * What staff may do with a room that they are in: let in who waits before it or send it
 * away, remove a member, end the call.
 */
#include "telemedicine.h"

#include <errno.h>

/* Who of those that wait is meant, and the room is the sender's; NULL: the sender was told. */
static struct px_member *find_waiter(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return NULL;
	}
	struct px_member *waiter = telemedicine_find_waiter(call, px_member_channel(member));
	if (!waiter) {
		px_call_fail(call, PX_E_NO_SUCH_PEER, "clientId",
				"No waiting client has this clientId.");
	}
	return waiter;
}

int telemedicine_handle_admit(struct px_call *call)
{
	struct px_member *waiter = find_waiter(call);
	if (!waiter) {
		return -1;
	}
	switch (telemedicine_admit(call, waiter)) {
	case 0:
		return 0;
	case -ENOSPC:
		return px_call_fail(call, PX_E_ROOM_FULL, "roomId", "The room is full.");
	default:
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "Nobody can be admitted at the moment.");
	}
}

int telemedicine_handle_deny(struct px_call *call)
{
	struct px_member *waiter = find_waiter(call);
	const struct px_field *reason = px_envelope_field(call->message, "reason");
	if (!waiter) {
		return -1;
	}
	if (reason) {
		((struct waiter *)px_member_state(waiter))->reason = reason->value;
	}
	px_member_leave(waiter, PX_DENIED);
	return 0;
}

int telemedicine_handle_remove(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
	}
	struct px_member *peer = telemedicine_find_peer(call, px_member_channel(member), "clientId");
	if (!peer) {
		return px_call_fail(call, PX_E_NO_SUCH_PEER, "clientId",
				"No member of the room has this clientId.");
	}
	px_member_leave(peer, PX_REMOVED);
	return 0;
}

int telemedicine_handle_end(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
	}
	px_channel_end(px_member_channel(member), PX_ENDED);
	return 0;
}
