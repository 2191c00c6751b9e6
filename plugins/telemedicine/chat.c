/* SPDX-License-Identifier: MIT */
/*
 * The chat of a room. What was said last is kept for those who join later, as the very
 * messages that the others got, and ends with the room.
 */
#include "telemedicine.h"

#include <praxis/operate.h>

#include <stdlib.h>
#include <string.h>

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
void telemedicine_keep_chat(const struct telemedicine *telemedicine, struct chat *chat,
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
	telemedicine_keep_chat(call->service_state, &room->chat, message);
	px_message_unref(px_session_broker(call->session), message);
	return 0;
}

/* Of what a call consists of only the chat is for those who are not in it. */
int telemedicine_publish(void *state, struct px_publication *publication)
{
	char room_text[PX_ID_MAX + 1];
	struct px_id room_id;
	if (strcmp(publication->type, "telemedicine_chat_message") != 0) {
		return px_publication_fail(publication, PX_E_UNKNOWN_TYPE, "type",
				"Only telemedicine_chat_message can be published for this service.");
	}
	if (px_envelope_id(publication->message, "roomId", room_text, &room_id) < 0) {
		return px_publication_fail(publication, PX_E_BAD_MESSAGE, "roomId",
				"This field must be an integer or a string of 1 to 128 bytes.");
	}
	if (px_envelope_kind(publication->message, "message") != PX_STRING) {
		return px_publication_fail(publication, PX_E_BAD_MESSAGE, "message",
				"This field must be a string.");
	}
	struct px_channel *channel = px_publication_channel(publication, room_id.text);
	if (!channel) {
		return px_publication_fail(publication, PX_E_NOT_FOUND, "roomId",
				"The practice has no room with this roomId.");
	}
	struct px_message *message = px_publication_message(publication, 0);
	if (!message) {
		return px_publication_fail(publication, PX_E_UNAVAILABLE, NULL,
				"The server is out of memory.");
	}
	struct room *room = px_channel_state(channel);
	px_publication_announce(publication, channel, message);
	telemedicine_keep_chat(state, &room->chat, message);
	px_message_unref(publication->broker, message);
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
