/* SPDX-License-Identifier: MIT */
/*
 * whiteboard, split by what its messages are about (docs/protocol.md, section 3): whiteboard.c who
 * is subscribed, update.c what is published, state.c what is kept of it, presence.c who is present
 * and has seen what.
 */
#ifndef WHITEBOARD_H
#define WHITEBOARD_H

#include <praxis/operate.h>
#include <praxis/service.h>

struct whiteboard {
	struct px_channel_limits limits;
	struct px_value_limits value_limits; /* count 0: no board is kept */
	bool presence;
	uint32_t presence_listed; /* users in one message */
};

/* Our state in a membership of a practice's channel. */
struct subscriber {
	uint64_t has_from; /* every update after this one was sent to it, but for its own */
};

extern const struct px_service whiteboard_service;
extern const struct px_channel_kind whiteboard_kind;
extern const struct px_channel_kind whiteboard_presence_kind;

/* whiteboard.c */

/* Makes the session a subscriber, unless it is one. Errors as px_channel_join(). */
int whiteboard_subscribe(const struct whiteboard *whiteboard, struct px_session *session,
		struct px_practice *practice, struct px_member **ret_member);

/* Answers with what an error of whiteboard_subscribe() means; returns -1. */
int whiteboard_fail_join(struct px_call *call, int error);

/* update.c */

int whiteboard_handle_update(struct px_call *call);
int whiteboard_take(void *state, struct px_publication *publication);

/* state.c */

/* Sends the session all that is kept, in as many messages as it takes. */
void whiteboard_tell_state(const struct px_call *call, struct px_channel *channel);

/* presence.c */

int whiteboard_handle_presence(struct px_call *call);
int whiteboard_handle_seen(struct px_call *call);

/* The session is not present there any more, if it was. */
void whiteboard_leave_presence(struct px_session *session, const struct px_practice *practice);

/* Of px_snapshot_ops. */
void whiteboard_get_presence_limits(void *state, struct px_channel_limits *ret_limits);
int whiteboard_restore_presence(void *state, struct px_channel *channel,
		struct json_object *saved);
void whiteboard_save_present(void *state, struct px_member *member, struct px_json *json);
int whiteboard_restore_present(void *state, struct px_member *member, struct json_object *saved);

#endif
