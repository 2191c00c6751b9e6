/* SPDX-License-Identifier: MIT */
/*
 * telemedicine, split by what its messages are about (docs/protocol.md, section 4): room.c
 * who is in, waiting.c who would like to be, participant.c what both said of themselves,
 * signal.c offers, answers, candidates, media, typing, chat.c, moderate.c what staff may do,
 * ice.c STUN and TURN, snapshot.c what the next server is told of all this.
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
	bool waiting;            /* patients wait to be let in */
	uint32_t waiting_max;    /* … so many before each room */
	int64_t waiting_ms;      /* … and so long; 0: as long as they like */
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
	bool list_is_due; /* its team is soon told who waits */
};

/*
 * Our state in a membership of either kind: what the member said of itself, as JSON, in one
 * block. NULL: it never came so far.
 */
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
	bool typing;            /* others were told so last */
	int64_t typing_next_ms; /* when they may be told again, by monotonic time */
};

/* Our state in a membership of a waiting room. */
struct waiter {
	struct participant self; /* first, so that it is a participant's, too */
	int64_t since_ms;        /* since 1970 */
	int64_t until_ms;        /* on the clock that never goes back */
	uint64_t place;          /* who has less is nearer to the door; 0: never came so far */
	struct px_span reason;   /* JSON, why it is denied; lives as long as the call */
};

extern const struct px_service telemedicine_service;

/* participant.c */

/* Fills in what the message says; its fields were checked. -ENOMEM. */
int telemedicine_remember(struct px_call *call, struct participant *participant);

/* Fills in copies of all texts of `words`. -ENOMEM. */
int telemedicine_set_words(struct participant *participant, const struct participant *words);

/* Who it is: the token's word where there is one, else its own. */
struct px_id telemedicine_user(struct px_member *member);
void telemedicine_write_user(struct px_member *member, struct px_json *json);

/* roomId and appointmentId as the member spelled them. */
void telemedicine_write_place(struct px_member *member, struct px_json *json);

/* All, in the order that `compare` says; NULL without memory. The caller frees it. */
struct px_member **telemedicine_members(const struct px_channel *channel,
		int (*compare)(const void *a, const void *b), uint32_t *ret_count);

/* room.c */
extern const struct px_channel_kind telemedicine_room_kind;
int telemedicine_handle_joined(struct px_call *call);
int telemedicine_handle_left(struct px_call *call);

/* Answers a join that failed; for `handle` to return. */
int telemedicine_fail_join(struct px_call *call, int error);

/* Puts somebody who waits before the sender's room into it. Errors of px_channel_join(). */
int telemedicine_admit(struct px_call *call, struct px_member *waiter);

/*
 * The sender's membership of the message's room; sets call->practice to the room's. NULL:
 * it is no member, and was told so.
 */
struct px_member *telemedicine_member(struct px_call *call);

/* A member by clientId, else the latest of that userId; NULL. `field` is the message's. */
struct px_member *telemedicine_find_peer(struct px_call *call, struct px_channel *channel,
		const char *field);

/* waiting.c */
extern const struct px_channel_kind telemedicine_waiting_kind;

/* A patient has asked to join a room that it is not in. For `handle` to return. */
int telemedicine_wait(struct px_call *call, struct px_span name);

/* Tells a member of a room who waits before it, if anybody does. */
void telemedicine_tell_waiting(struct px_member *member);

/* Has the team of the room told of who waits, soon. */
void telemedicine_list_soon(struct px_channel *room);

/* Has those sent away who have waited long enough, when it is time. */
void telemedicine_set_alarm(struct px_channel *channel);

/* The room's `woken`: its team is told who waits. */
void telemedicine_list_waiting(struct px_channel *room);

/* Who of those before the room has the message's clientId; NULL: nobody. */
struct px_member *telemedicine_find_waiter(struct px_call *call, const struct px_channel *room);

/* signal.c */
int telemedicine_handle_signal(struct px_call *call);
int telemedicine_handle_media(struct px_call *call);
int telemedicine_handle_typing(struct px_call *call);

/* chat.c */
int telemedicine_handle_chat(struct px_call *call);
int telemedicine_publish(void *state, struct px_publication *publication);
void telemedicine_write_chat(const struct chat *chat, struct px_json *json);
void telemedicine_chat_finish(struct chat *chat, struct px_broker *broker);
/* Adds a message to what is kept, within the limits of now; takes a reference of its own. */
void telemedicine_keep_chat(const struct telemedicine *telemedicine, struct chat *chat,
		struct px_message *message);

/* moderate.c */
int telemedicine_handle_admit(struct px_call *call);
int telemedicine_handle_deny(struct px_call *call);
int telemedicine_handle_remove(struct px_call *call);
int telemedicine_handle_end(struct px_call *call);

/* snapshot.c */
extern const struct px_snapshot_ops telemedicine_snapshot_ops[];

/* ice.c */
const char *telemedicine_ice_check(const struct px_options *options, const char **ret_key);
int telemedicine_ice_init(struct ice *ice, const struct px_options *options);
void telemedicine_ice_finish(struct ice *ice);
int telemedicine_handle_ice_servers(struct px_call *call);

/* Writes iceServers with credentials for that user; returns when they expire (ms since 1970). */
int64_t telemedicine_write_ice(const struct telemedicine *telemedicine, struct px_span user,
		struct px_json *json);

#endif
