/* SPDX-License-Identifier: MIT */
/*
 * The chat of a room. What was said last is kept for those who join later, as the very
 * messages that the others got, and ends with the room.
 */
#include "telemedicine.h"

#include <stdlib.h>

static void drop_first(struct chat *chat, struct px_broker *broker)
{
	struct px_message *message = chat->messages[chat->first];
	chat->bytes -= (uint32_t)px_message_cost(message);
	px_message_unref(broker, message);
	chat->first = (chat->first + 1) % chat->size;
	chat->count--;
}

/* Makes the ring that long; the options may have changed since the room began. */
static bool resize(struct chat *chat, struct px_broker *broker, uint32_t size)
{
	struct px_message **messages = malloc(size * sizeof(struct px_message *));
	if (!messages) {
		return false;
	}
	while (chat->count > size) {
		drop_first(chat, broker);
	}
	for (uint32_t i = 0; i < chat->count; i++) {
		messages[i] = chat->messages[(chat->first + i) % chat->size];
	}
	free(chat->messages);
	chat->messages = messages;
	chat->size = size;
	chat->first = 0;
	return true;
}

/* Without memory the chat goes on, and late-comers see less of it. */
static void keep(const struct telemedicine *telemedicine, struct chat *chat,
		struct px_message *message)
{
	uint32_t cost = (uint32_t)px_message_cost(message);
	if (telemedicine->chat_count == 0 || cost > telemedicine->chat_bytes ||
			(chat->size != telemedicine->chat_count &&
			!resize(chat, telemedicine->broker, telemedicine->chat_count))) {
		return;
	}
	while (chat->count == chat->size ||
			(chat->count > 0 && chat->bytes + cost > telemedicine->chat_bytes)) {
		drop_first(chat, telemedicine->broker);
	}
	chat->messages[(chat->first + chat->count) % chat->size] = px_message_ref(message);
	chat->count++;
	chat->bytes += cost;
}

int telemedicine_handle_chat(struct px_call *call)
{
	struct px_member *member = telemedicine_member(call);
	if (!member) {
		return -1;
	}
	struct px_channel *channel = px_member_channel(member);
	struct room *room = px_channel_state(channel);
	struct px_message *message = px_call_forward(call, 0);
	if (!message) {
		return px_call_fail(call, PX_E_UNAVAILABLE, NULL, "The server is out of memory.");
	}
	px_channel_publish(channel, call->session, message, call->session);
	keep(call->service_state, &room->chat, message);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

void telemedicine_write_chat(const struct chat *chat, struct px_json *json)
{
	px_json_open_array(json, "chat");
	for (uint32_t i = 0; i < chat->count; i++) {
		px_json_raw(json, NULL, px_message_text(chat->messages[(chat->first + i) % chat->size]));
	}
	px_json_close_array(json);
}

void telemedicine_chat_finish(struct chat *chat, struct px_broker *broker)
{
	while (chat->count > 0) {
		drop_first(chat, broker);
	}
	free(chat->messages);
}
