/* SPDX-License-Identifier: MIT */
/*
 * telemedicine, split by what its messages are about (docs/protocol.md, section 4): room.c
 * who is in, signal.c offers, answers, candidates and media, chat.c, moderate.c what staff
 * may do, ice.c STUN and TURN.
 */
#ifndef TELEMEDICINE_H
#define TELEMEDICINE_H

#include <praxis/service.h>

struct ice {
	char *servers;   /* JSON objects, with commas between them; "" */
	char *turn_urls; /* a JSON array, or NULL */
	char *turn_secret;
	int64_t turn_ttl_s;
};

struct telemedicine {
	struct px_broker *broker;
	struct px_channel_limits room_limits;
	uint32_t chat_count; /* messages that a room keeps */
	uint32_t chat_bytes;
	struct ice ice;
};

/* The chat of a room: a ring of what was said last. */
struct chat {
	struct px_message **messages;
	uint32_t size;
	uint32_t first;
	uint32_t count;
	uint32_t bytes;
};

/* Our state in a room's channel. */
struct room {
	struct chat chat;
};

/* Our state in a membership: what the member said of itself, as JSON, in one block. */
struct participant {
	struct px_span room_id;
	struct px_span appointment_id;
	struct px_span user_id;
	struct px_span user_name;
	char *block;
	struct px_id user; /* its text lies in the block, too */
	bool audio;
	bool video;
	bool screen;
};

extern const struct px_service telemedicine_service;

/* room.c */
extern const struct px_channel_kind telemedicine_room_kind;
int telemedicine_handle_joined(struct px_call *call);
int telemedicine_handle_left(struct px_call *call);

/*
 * The sender's membership of the message's room; sets call->practice to the room's. NULL:
 * it is no member, and was told so.
 */
struct px_member *telemedicine_member(struct px_call *call);

/* A member by clientId, else the latest of that userId; NULL. `field` is the message's. */
struct px_member *telemedicine_find_peer(struct px_call *call, struct px_channel *channel,
		const char *field);

/* signal.c */
int telemedicine_handle_signal(struct px_call *call);
int telemedicine_handle_media(struct px_call *call);

/* chat.c */
int telemedicine_handle_chat(struct px_call *call);
int telemedicine_publish(void *state, struct px_publication *publication);
void telemedicine_write_chat(const struct chat *chat, struct px_json *json);
void telemedicine_chat_finish(struct chat *chat, struct px_broker *broker);

/* moderate.c */
int telemedicine_handle_remove(struct px_call *call);
int telemedicine_handle_end(struct px_call *call);

/* ice.c */
const char *telemedicine_ice_check(const struct px_options *options, const char **ret_key);
int telemedicine_ice_init(struct ice *ice, const struct px_options *options);
void telemedicine_ice_finish(struct ice *ice);
int telemedicine_handle_ice_servers(struct px_call *call);

/* Writes iceServers with credentials for that user; returns when they expire (ms since 1970). */
int64_t telemedicine_write_ice(const struct telemedicine *telemedicine, struct px_span user,
		struct px_json *json);

#endif
