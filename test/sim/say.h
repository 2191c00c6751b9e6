/* SPDX-License-Identifier: MIT */
/*
 * One message of a client on its way to both the broker and the model: its text is put
 * together field by field, and what others are to see of it is noted beside.
 */
#ifndef SAY_H
#define SAY_H

#include "sim.h"

struct said {
	struct peer *peer;
	int service;      /* -1: nobody's type */
	const char *type;
	unsigned roles;
	bool anywhere;
	const char *bad_field; /* is missing or of a wrong type; NULL: none */
	bool bad_id;
	char id[RAW];     /* the rest is JSON as it stands in the message; "": not there */
	char practice[RAW];
	int practice_index;
	char room[RAW];
	char room_name[RAW];
	char user[RAW];
	char name[RAW];
	char from[RAW];
	char from_user[RAW];
	char seq[RAW];
	char key[RAW];
	char keep[RAW];
	uint64_t tag;
	unsigned place;   /* set by said_send(): the practice that it is of */
	size_t len;
	char text[40960];
};

/* Which words about itself a message must have. */
enum {
	SAY_USER = 1,
	SAY_FROM = 2,
	SAY_FROM_USER = 4,
};

/* The text of a JSON string or number without quotes. */
const char *text_of_raw(const char *raw, char buf[RAW]);

/* Some id of a user or a room, as number or string. */
void pick_user(char raw[RAW]);
void pick_name(char raw[RAW]);

struct peer *pick_peer(void);

/* {"type":…, then perhaps an id, a practice and lies about who it is. */
void said_begin(struct said *said, struct peer *peer, int service, const char *type,
		unsigned roles);
void said_add(struct said *said, const char *key, const char *format, ...) PX_PRINTF(3, 4);

/* A practice: most often one that it holds. `needed`: never none. */
void said_practice(struct said *said, bool needed);

/* A room, most often one that it is in or joins, and the appointment that goes with it. */
void said_room(struct said *said, bool joins);
void said_self(struct said *said, unsigned needed);
void said_pad(struct said *said);

/*
 * Ends the text, gives it to the broker, and asks the model what must come of it: true if
 * it reaches its handler; else what was wrong is expected already.
 */
bool said_send(struct said *said);

/* What others see of it. `seq` 0: its own, if any. */
struct line *said_line(const struct said *said, unsigned place, uint64_t seq);

/* The same with an error, or its receipt. */
void said_fail(const struct said *said, enum px_error code, const char *field);
void said_ack(const struct said *said, uint64_t seq);

/*
 * tokens.c: whether the message is one too many, and then what must come of it. Counts it, so
 * once for each that the broker has read.
 */
bool tokens_over_rate(const struct said *said);
bool tokens_would_be_over(const struct peer *peer); /* by its next message; counts nothing */

/* Raw text to the broker; false: the session does not hear it any more. */
bool say_raw(struct peer *peer, const char *text, size_t len);

/* ---- talk_board.c, talk_room.c, talk_hall.c ---- */

void say_update(struct peer *peer);
void say_drag(struct peer *peer);
void say_subscribe(struct peer *peer);
void say_unsubscribe(struct peer *peer);
void say_presence(struct peer *peer);
void say_seen(struct peer *peer);
void say_join_room(struct peer *peer);
void say_leave_room(struct peer *peer);
void say_signal(struct peer *peer);
void say_chat(struct peer *peer);
void say_media(struct peer *peer);
void say_typing(struct peer *peer);
void say_ice(struct peer *peer);
void say_remove(struct peer *peer);
void say_end(struct peer *peer);
void say_join_hall(struct peer *peer);
void say_leave_hall(struct peer *peer);
void say_kick(struct peer *peer);
void say_bye(struct peer *peer);
void say_cross(struct peer *peer);
void say_auth(struct peer *peer);

/* waiting.c: a join of one who has to wait; and what staff says to it. */
void say_wait(struct said *said);
void say_admit(struct peer *peer);
void say_deny(struct peer *peer);

/* talk_room.c: the room that it speaks in; NULL: it is not there, and must be told. */
struct channel *said_member_room(const struct said *said);
void said_fail_join(const struct said *said, int rc);
struct line *room_joined_line(struct peer *peer, const char *room_raw, const struct channel *room);

/* talk_room.c: some clientId or userId, perhaps of nobody in the room; as JSON. */
void pick_target(char raw[RAW]);

#endif
