/* SPDX-License-Identifier: MIT */
/* What staff may do with a room that they are in: remove a member, end the call. */
#include "telemedicine.h"

int telemedicine_handle_remove(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
	}
	struct px_member *peer = telemedicine_find_peer(call, px_member_channel(member), "clientId");
	if (!peer) {
		return px_call_fail(call, PX_E_NO_SUCH_PEER, "clientId",
				"Nobody in the room has that clientId.");
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
