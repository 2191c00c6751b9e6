/* SPDX-License-Identifier: MIT */
/*
 * Offers, answers and candidates (RFC 8829), relayed as they are, to one or to all others;
 * which of its media a member has switched on; and whether it is writing for the chat.
 *
 * That somebody is typing is composed here and not relayed: a draft that a client put into it
 * would reach others before it was sent. It is kept nowhere, and a slow consumer gets the latest
 * of each member.
 */
#include "telemedicine.h"

#include <stdio.h>

/* A member is said to be typing no more often than that, and to have stopped once after each. */
#define TYPING_MS 2000

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

static struct px_message *compose_typing(struct px_member *member, bool typing)
{
	char client_id[PX_CLIENT_ID_SIZE];
	char key[PX_CLIENT_ID_SIZE + PX_ID_MAX + 1];
	struct px_span room = px_channel_name(px_member_channel(member));
	struct px_json json;
	px_session_client_id(px_member_session(member), client_id);
	int len = snprintf(key, sizeof(key), "%s/%.*s", client_id, (int)room.len, room.data);
	px_json_begin(&json, "telemedicine_typing");
	telemedicine_write_place(member, &json);
	telemedicine_write_user(member, &json);
	px_member_stamp(member, &json);
	px_json_bool(&json, "typing", typing);
	px_json_end(&json);
	return px_member_message(member, &json, (struct px_span){ key, (size_t)len });
}

int telemedicine_handle_typing(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
	}
	struct participant *participant = px_member_state(member);
	struct px_broker *broker = px_session_broker(call->session);
	int64_t now_ms = px_broker_mono_ms(broker);
	bool typing = px_envelope_bool(call->message, "typing");
	bool news = typing ? now_ms >= participant->typing_next_ms : participant->typing;
	if (!news) {
		return 0;
	}
	struct px_message *message = compose_typing(member, typing);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	participant->typing = typing;
	participant->typing_next_ms = typing ? now_ms + TYPING_MS : participant->typing_next_ms;
	px_channel_publish(px_member_channel(member), call->session, message, call->session);
	px_message_unref(broker, message);
	return 0;
}
