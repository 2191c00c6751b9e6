/* SPDX-License-Identifier: MIT */
/*
 * Offers, answers and candidates (RFC 8829), relayed as they are, to one or to all others;
 * and which of its media a member has switched on.
 */
#include "telemedicine.h"

static int relay(struct px_call *call, struct px_member *member, struct px_member *peer)
{
	struct px_channel *channel = px_member_channel(member);
	struct px_message *message = px_call_forward(call, 0);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	if (peer) {
		px_session_send(px_member_session(peer), message);
	} else {
		px_channel_publish(channel, call->session, message, call->session);
	}
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

int telemedicine_handle_signal(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	struct px_member *peer = NULL;
	if (!member) {
		return -1;
	}
	if (px_envelope_field(call->message, "to")) {
		peer = telemedicine_find_peer(call, px_member_channel(member), "to");
		if (!peer || peer == member) {
			return px_call_fail(call, PX_E_NO_SUCH_PEER, "to",
					"No other member of the room has this clientId or userId.");
		}
	}
	return relay(call, member, peer);
}

int telemedicine_handle_media(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
	}
	struct participant *participant = px_member_state(member);
	participant->audio = px_envelope_bool(call->message, "audio");
	participant->video = px_envelope_bool(call->message, "video");
	participant->screen = px_envelope_bool(call->message, "screen");
	return relay(call, member, NULL);
}
